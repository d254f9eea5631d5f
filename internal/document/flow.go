package document

import "github.com/hailong-vn/hailong/internal/language"

const (
	pageWidth, pageHeight = 210.0, 297.0
	indent                = 10.0 // of a paragraph's first line
	gap                   = 2.0  // between paragraphs
	padding               = 1.2  // within cells
	thin                  = 0.2  // thickness of lines
)

// row is the least that is not broken over two pages: a line of text, of all cells of a table's row, or a part such as the head.
type row struct {
	height float64
	keep   bool // the row after it stands on the same page
	paint  func(top float64)
	grid   *grid // of a table's lines
}

// grid is a table in the flow: what is drawn where it is broken over pages.
type grid struct {
	header      []row
	left, right float64
}

// layout makes the rows of a paper.
type layout struct {
	*pen
	paper Paper
	rows  []row
	left  float64
	width float64
}

func layoutOf(p *pen, paper Paper) *layout {
	l := &layout{pen: p, paper: paper, left: paper.margins.left, width: pageWidth - paper.margins.left - paper.margins.right}
	l.head()
	l.center(paper.Heading, bold, paper.Size, true)
	l.center(paper.About, bold, paper.Size, true)
	if len(paper.Heading)+len(paper.About) > 0 {
		l.titleRule()
	}
	l.to()
	for _, b := range paper.Blocks {
		l.block(b)
	}
	l.end()
	return l
}

func (l *layout) space(height float64) {
	l.rows = append(l.rows, row{height: height, keep: true, paint: func(float64) {}})
}

func (l *layout) line(height float64, keep bool, paint func(top float64)) {
	l.rows = append(l.rows, row{height: height, keep: keep, paint: paint})
}

// column is a stack of lines set in the middle of a column, drawn as one part.
type column struct {
	lines  []styled
	height float64
}

type styled struct {
	text string
	face face
	size float64
	rule float64 // length of the rule below; 0 = none
	gap  float64 // below
}

func (c *column) add(s styled) {
	c.lines = append(c.lines, s)
	c.height += lineHeight(s.size) + s.gap
}

func (l *layout) paintColumn(c column, middle, top float64) {
	for _, s := range c.lines {
		l.text(middle-l.pen.width(s.text, s.face, s.size)/2, top, s.text, s.face, s.size)
		top += lineHeight(s.size)
		if s.rule > 0 {
			l.rule(middle-s.rule/2, top+0.6, middle+s.rule/2, top+0.6, thin)
		}
		top += s.gap
	}
}

// head is two columns: the office with the number, and the nation with the place and day.
func (l *layout) head() {
	vietnamese, size := language.Vietnamese, l.paper.Size-1
	leftWidth := l.width * 0.43
	rightWidth := l.width - leftWidth
	var office, nation column
	stack := func(c *column, lines []string, width float64, f face, size float64) {
		for _, line := range lines {
			for _, wrapped := range l.balanced(line, width-2, f, size) {
				c.add(styled{text: wrapped, face: f, size: size})
			}
		}
	}
	stack(&office, l.paper.Parent, leftWidth, regular, size)
	stack(&office, l.paper.Issuer, leftWidth, bold, size)
	if n := len(office.lines); n > 0 {
		last := &office.lines[n-1]
		last.rule, last.gap = leftWidth*0.4, 2.5
		office.height += 2.5
	}
	number := l.paper.Number
	if l.paper.Draft {
		number = "       " + number
	}
	office.add(styled{text: printable(vietnamese.Text("document.number_line", "number", number)), size: size, gap: 1})
	stack(&office, l.paper.Subject, leftWidth, regular, size-1)

	one := func(text string, f face, size float64) styled {
		return styled{text: printable(text), face: f, size: l.shrunk(text, rightWidth-1, f, size)}
	}
	nation.add(one(vietnamese.Text("document.nation"), bold, size))
	motto := one(vietnamese.Text("document.motto"), bold, size+1)
	motto.rule, motto.gap = l.pen.width(motto.text, bold, motto.size), 3.5
	nation.add(motto)
	stack(&nation, []string{l.paper.Place}, rightWidth, italic, size)

	l.line(max(office.height, nation.height)+4, false, func(top float64) {
		l.paintColumn(office, l.left+leftWidth/2, top)
		l.paintColumn(nation, l.left+leftWidth+rightWidth/2, top)
	})
}

func (l *layout) center(lines []string, f face, size float64, keep bool) {
	for _, line := range lines {
		for _, wrapped := range l.balanced(line, l.width*0.9, f, size) {
			l.line(lineHeight(size), keep, func(top float64) {
				l.text(l.left+(l.width-l.pen.width(wrapped, f, size))/2, top, wrapped, f, size)
			})
		}
	}
}

func (l *layout) titleRule() {
	l.line(4, true, func(top float64) {
		middle := l.left + l.width/2
		l.rule(middle-l.width*0.12, top+0.8, middle+l.width*0.12, top+0.8, thin)
	})
}

// to is "Kính gửi": one addressee on its line, several each on one of their own.
func (l *layout) to() {
	if len(l.paper.To) == 0 {
		return
	}
	size, first := l.paper.Size, language.Vietnamese.Text("document.to")
	if len(l.paper.To) == 1 {
		l.center([]string{first + " " + l.paper.To[0]}, regular, size, true)
	} else {
		begin := l.left + l.width*0.2
		wide := l.width*0.8 - 5
		l.line(lineHeight(size), true, func(top float64) { l.text(begin, top, first, regular, size) })
		for _, to := range l.paper.To {
			for i, wrapped := range l.wrap("- "+to, wide-10, 0, regular, size) {
				l.line(lineHeight(size), true, func(top float64) {
					x := begin + 10
					if i > 0 {
						x += 3
					}
					l.text(x, top, wrapped, regular, size)
				})
			}
		}
		if len(l.paper.To) > 12 { // more than a page's head holds: they may be broken over pages
			for i := range l.rows {
				l.rows[i].keep = false
			}
		}
	}
	l.space(3)
}

func (l *layout) block(b Block) {
	size := l.paper.Size
	switch {
	case b.Table != nil:
		l.table(*b.Table)
	case b.Style == headingStyle:
		for _, line := range b.Lines {
			for _, wrapped := range l.wrap(line, l.width, indent, bold, size) {
				l.line(lineHeight(size), true, func(top float64) { l.text(l.left+indent, top, wrapped, bold, size) })
			}
		}
	case b.Style == centerStyle:
		l.center(b.Lines, regular, size, false)
	default:
		for _, line := range b.Lines {
			l.paragraph(line)
		}
	}
	l.space(gap)
	l.rows[len(l.rows)-1].keep = b.Style == headingStyle
}

// paragraph is justified, its first line indented; neither its first nor its last line stands alone on a page.
func (l *layout) paragraph(text string) {
	size := l.paper.Size
	lines := l.wrap(text, l.width, indent, regular, size)
	for i, line := range lines {
		x, width := l.left, l.width
		if i == 0 {
			x, width = x+indent, width-indent
		}
		last := i == len(lines)-1
		keep := !last && (i == 0 || i == len(lines)-2)
		l.line(lineHeight(size), keep, func(top float64) {
			// A line of one long word, or of few, is not stretched.
			if last || l.pen.width(line, regular, size) < width*0.75 {
				l.text(x, top, line, regular, size)
			} else {
				l.justified(x, top, width, line, regular, size)
			}
		})
	}
}

func (l *layout) table(t Table) {
	g := &grid{left: l.left, right: l.left + l.width}
	if len(t.Header) > 0 {
		g.header = l.tableRow(g, t, t.Header, bold)
		l.rows = append(l.rows, g.header...)
	}
	for _, cells := range t.Rows {
		l.rows = append(l.rows, l.tableRow(g, t, cells, regular)...)
	}
}

// tableRow makes one line of the flow for each line of the highest cell, so that a long cell goes over pages.
func (l *layout) tableRow(g *grid, t Table, cells [][]string, f face) []row {
	size := l.paper.Size - 1
	lines, most := make([][]string, len(cells)), 1
	for i, cell := range cells {
		for _, line := range cell {
			lines[i] = append(lines[i], l.wrap(line, t.Widths[i]*l.width-2*padding, 0, f, size)...)
		}
		most = max(most, len(lines[i]))
	}
	rows := make([]row, 0, most)
	for n := range most {
		above, below := 0.0, 0.0
		if n == 0 {
			above = padding / 2
		}
		if n == most-1 {
			below = padding / 2
		}
		height := lineHeight(size) + above + below
		rows = append(rows, row{height: height, keep: f == bold || n == 0 && most > 1, grid: g, paint: func(top float64) {
			x := l.left
			for i := range cells {
				l.rule(x, top, x, top+height, thin)
				if n < len(lines[i]) {
					l.text(x+padding, top+above, lines[i][n], f, size)
				}
				x += t.Widths[i] * l.width
			}
			l.rule(g.right, top, g.right, top+height, thin)
			if n == 0 {
				l.rule(g.left, top, g.right, top, thin)
			}
			if n == most-1 {
				l.rule(g.left, top+height, g.right, top+height, thin)
			}
		}})
	}
	return rows
}

// end is who signs, on the right, and who gets the paper, on the left. The last lines of the text stand on the same page, so that
// no signature stands alone.
func (l *layout) end() {
	size, vietnamese := l.paper.Size, language.Vietnamese
	for i := max(len(l.rows)-3, 0); i < len(l.rows); i++ {
		l.rows[i].keep = true
	}
	half := l.width / 2
	var signature column
	for _, line := range append(split(l.paper.Signer.Authority), l.paper.Signer.Position) {
		for _, wrapped := range l.wrap(line, half, 0, bold, size) {
			signature.add(styled{text: wrapped, face: bold, size: size})
		}
	}
	if n := len(signature.lines); n > 0 {
		signature.lines[n-1].gap = 22 // where one signs
		signature.height += 22
	}
	for _, wrapped := range l.wrap(l.paper.Signer.Name, half, 0, bold, size) {
		signature.add(styled{text: wrapped, face: bold, size: size})
	}
	var copies []styled
	if len(l.paper.Copies) > 0 {
		copies = append(copies, styled{text: vietnamese.Text("document.copies"), face: boldItalic, size: size - 2})
	}
	for _, line := range l.paper.Copies {
		for _, wrapped := range l.wrap("- "+line, half-5, 0, regular, size-3) {
			copies = append(copies, styled{text: wrapped, size: size - 3})
		}
	}
	const beside = 16 // lines that stand beside the signature; more follow below it
	shown := copies[:min(len(copies), beside)]
	high := 0.0
	for _, s := range shown {
		high += lineHeight(s.size)
	}
	l.space(3)
	l.line(max(signature.height, high), false, func(top float64) {
		l.paintColumn(signature, l.left+half+half/2, top)
		for _, s := range shown {
			l.text(l.left, top, s.text, s.face, s.size)
			top += lineHeight(s.size)
		}
	})
	for _, s := range copies[len(shown):] {
		l.line(lineHeight(s.size), false, func(top float64) { l.text(l.left, top, s.text, s.face, s.size) })
	}
}
