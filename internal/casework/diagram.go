package casework

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/hailong-vn/hailong/internal/language"
)

// Sizes of the drawing, in its own units.
const (
	boxWidth   = 560
	titleRow   = 30
	lineRow    = 19
	boxGap     = 46
	leftGutter = 90
	midGutter  = 150
	laneGap    = 12
	rightX     = leftGutter + boxWidth + midGutter
	drawWidth  = rightX + boxWidth + 20
)

// box is a state as it is drawn: its name and a line for each row that leads out of it.
type box struct {
	state State
	right bool // in the right column
	rows  []Row
	y     int
}

func (b box) x() int {
	if b.right {
		return rightX
	}
	return leftGutter
}

func (b box) height() int { return titleRow + lineRow*max(1, len(b.rows)) + 8 }

// line is the middle of a row's line.
func (b box) line(i int) int { return b.y + titleRow + lineRow*i + lineRow/2 }

// Diagram draws both tables as SVG, always the same for the same tables and words: a box a state with every row that leads out of it (what, whereto, who
// may), and arrows along the ways to a reply and back. The ways out (out of scope, duplicate, withdrawn) are written but not drawn as arrows, which would
// cross everything. All is drawn in the colour of the text around it, so that it is readable in print and on dark pages; its description says it in words.
func Diagram(l language.Language) string {
	var body, words strings.Builder
	y := 20
	y = drawTable(&body, &words, l, l.Text("casework.diagram.cases"), y, Rows(),
		[]State{Received, Assigned, ExplanationRequested, Explained, Accepted, Replied, Closed},
		[]State{OutOfScope, Returned, Reopened, Duplicate, Withdrawn}, []State{OutOfScope, Duplicate, Withdrawn})
	y = drawTable(&body, &words, l, l.Text("casework.diagram.actions"), y+20, ActionRows(),
		[]State{ActionOrdered, ActionReported, ActionConfirmed}, []State{ActionSentBack, ActionCancelled}, []State{ActionCancelled})

	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="casework-title casework-desc" lang="%s" font-family="Noto Sans, sans-serif" font-size="13" fill="currentColor">`+"\n", drawWidth, y, l)
	fmt.Fprintf(&out, "<title id=\"casework-title\">%s</title>\n<desc id=\"casework-desc\">%s</desc>\n", html.EscapeString(l.Text("casework.diagram.title")), html.EscapeString(strings.TrimSpace(words.String())))
	out.WriteString(`<defs><marker id="casework-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>` + "\n")
	out.WriteString(body.String())
	out.WriteString("</svg>\n")
	return out.String()
}

func drawTable(out, words *strings.Builder, l language.Language, title string, y int, rows []Row, spine, side, unlined []State) int {
	fmt.Fprintf(out, "<text x=\"%d\" y=\"%d\" font-size=\"17\" font-weight=\"bold\">%s</text>\n", leftGutter, y+16, html.EscapeString(title))
	fmt.Fprintf(words, "%s. ", title)
	boxes, bottom := place(y+36, rows, spine, side)
	for _, b := range boxes {
		b.draw(out, words, l)
	}
	lanes := map[bool]int{} // used so far, of the gutter between the columns or not
	ports := map[State]int{}
	for _, b := range boxes {
		drawn := map[State]bool{}
		for i, row := range b.rows {
			if row.To == b.state || drawn[row.To] || slices.Contains(unlined, row.To) {
				continue
			}
			drawn[row.To] = true
			to := boxes[slices.IndexFunc(boxes, func(other box) bool { return other.state == row.To })]
			at := slices.Index(spine, b.state)
			if at >= 0 && at+1 < len(spine) && spine[at+1] == row.To {
				x := leftGutter + boxWidth/2
				arrow(out, fmt.Sprintf("M%d %dV%d", x, b.y+b.height(), to.y))
				continue
			}
			between := b.right || to.right
			lanes[between]++
			ports[row.To]++
			fromX, toX, enter := b.x(), to.x(), to.y+4+5*(ports[row.To]-1)
			lane := leftGutter - laneGap*lanes[between]
			if to.right { // ways there and back meet otherwise
				enter += 12
			}
			if between {
				lane = leftGutter + boxWidth + laneGap*lanes[between]
				if !b.right {
					fromX += boxWidth
				}
				if !to.right {
					toX += boxWidth
				}
			}
			arrow(out, fmt.Sprintf("M%d %dH%dV%dH%d", fromX, b.line(i), lane, enter, toX))
		}
	}
	return bottom
}

// place gives each state its box: the way of a case down the left, each other state on the right, beside the one it comes from first.
func place(y int, rows []Row, spine, side []State) (boxes []box, bottom int) {
	of := func(state State) box {
		b := box{state: state}
		for _, row := range rows {
			if row.From == state {
				b.rows = append(b.rows, row)
			}
		}
		return b
	}
	at := map[State]int{}
	top := y
	for _, state := range spine {
		b := of(state)
		b.y, at[state] = y, y
		boxes, y = append(boxes, b), y+b.height()+boxGap
	}
	bottom, y = y, top
	for _, state := range side {
		b := of(state)
		b.right = true
		for _, row := range rows {
			if row.To == state && row.From != state {
				if from, ok := at[row.From]; ok && state != Duplicate && state != Withdrawn {
					y = max(y, from)
				}
				break
			}
		}
		b.y = y
		boxes, y = append(boxes, b), y+b.height()+boxGap
	}
	return boxes, max(bottom, y)
}

func arrow(out *strings.Builder, path string) {
	fmt.Fprintf(out, "<path d=\"%s\" fill=\"none\" stroke=\"currentColor\" marker-end=\"url(#casework-arrow)\"/>\n", path)
}

func (b box) draw(out, words *strings.Builder, l language.Language) {
	name := l.Text("casework.state." + string(b.state))
	fmt.Fprintf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"none\" stroke=\"currentColor\"", b.x(), b.y, boxWidth, b.height())
	if b.state.Terminal() {
		out.WriteString(` stroke-width="3"`)
	}
	fmt.Fprintf(out, "/>\n<text x=\"%d\" y=\"%d\" font-size=\"15\" font-weight=\"bold\">%s</text>\n", b.x()+12, b.y+21, html.EscapeString(name))
	if len(b.rows) == 0 {
		end := l.Text("casework.diagram.end")
		fmt.Fprintf(out, "<text x=\"%d\" y=\"%d\">%s</text>\n", b.x()+12, b.line(0)+4, html.EscapeString(end))
		fmt.Fprintf(words, "%s: %s. ", name, end)
		return
	}
	lines := make([]string, len(b.rows))
	for i, row := range b.rows {
		left, right := row.words(l)
		fmt.Fprintf(out, "<text x=\"%d\" y=\"%d\">%s</text><text x=\"%d\" y=\"%d\" font-size=\"11\" text-anchor=\"end\">%s</text>\n",
			b.x()+12, b.line(i)+4, html.EscapeString(left), b.x()+boxWidth-10, b.line(i)+4, html.EscapeString(right))
		lines[i] = left + " (" + right + ")"
	}
	fmt.Fprintf(words, "%s: %s. ", name, strings.Join(lines, "; "))
}

// words are a row as it is written in its state's box: what leads whereto, and who may.
func (row Row) words(l language.Language) (what, who string) {
	what = l.Text("casework.event." + string(row.Event))
	if row.To != row.From {
		what += " → " + l.Text("casework.state."+string(row.To))
	}
	var roles []string
	for _, w := range row.Who {
		roles = append(roles, l.Text("casework.role."+string(w.Role)))
	}
	return what, strings.Join(roles, ", ")
}
