package chart

import (
	"html/template"
	"strings"

	"github.com/hailong-vn/hailong/internal/language"
)

// A drawing in rows: each row has a name, figures and a lane in which its mark stands; all lanes share one axis.
// Where there is room (chart.css asks the box) a row is one line: name, lane, figures. Elsewhere the lane moves under
// the words. Rows are one em high and the drawing's letter size is the height of a row, so that the style sheet
// changes the height of all of them at once; texts carry their own size.

const (
	rowHeight   = 42.0  // px without room, see chart.css for the other
	leastWidth  = 244.0 // px of the narrowest screen that is left to a drawing
	roomyWidth  = 640.0 // px from which there is room, as in chart.css
	shareColumn = 62.0  // px of "100,0 %" and the space before it
	boldness    = 1.06  // how much wider bold letters are
)

// Where the lanes stand when there is room; names are left of them, figures right.
const (
	laneWideAt    = "38%"
	laneWideWidth = "39%"
)

// row is one line of such a drawing.
type row struct {
	name, title, href string
	strong            bool
	share, n          string // figures at the right; n may be empty
	instead           string // said in place of figures
	apart             bool   // a line above sets it apart from what came before
	hidden            bool   // hatched instead of drawn
	class, colour     string // of the mark, where it differs from the drawing's
	draw              func(c *canvas)
}

// lanes is the drawing.
type lanes struct {
	title, description string
	class, colour      string
	axis               axis
	ticks              bool    // labels and lines of the axis
	reference          float64 // a dashed line through all rows; NaN = none
	referenceName      string
	// wordy gives each name the whole line and sets the figures beside the lane, at every width: for sentences, which
	// must not be cut where names may.
	wordy bool
	rows  []row
}

func (d lanes) svg(l language.Language, id string, notes ...string) template.HTML {
	links, hidden, head, column := false, false, 0.15, 0.0
	for _, r := range d.rows {
		links, hidden = links || r.href != "", hidden || r.hidden
		column = max(column, pixels(r.n, 12))
	}
	if finite(d.reference) {
		head = 0.8
	}
	total := head + float64(len(d.rows))
	if d.ticks {
		total += 0.6
	}
	f := begin(id, d.title, d.description, number(total, 2)+"em", links, d.class, d.colour, "font-size", rowHeight, "data-chart", d.arrangement())
	f.open("defs")
	d.ruler(f, "n", 10)
	if !d.wordy {
		d.ruler(f, "w", 15)
	}
	if links {
		f.mark("rect", "id", f.id+"-a", "class", "chart-hit", "width", "100%", "height", "1em", "fill", "none", "pointer-events", "all")
	}
	if hidden {
		f.hatch()
	}
	f.close("defs")

	if finite(d.reference) {
		at := d.axis.at(d.reference)
		text := l.Text("chart.reference", "name", fit(d.referenceName, 12, 130), "share", percent(l, d.reference))
		f.beside(func() { f.words(soft(), text, "x", across(at), "y", 14, "text-anchor", anchor(at)) }, "0")
	}
	for i, r := range d.rows {
		f.row(r, i, head+float64(i), column, d.wordy)
	}
	if d.ticks {
		f.beside(func() {
			for _, tick := range d.axis.ticks() {
				at := d.axis.at(tick)
				f.words(soft(), percentWhole(l, tick), "x", across(at), "y", 15, "text-anchor", edge(at))
			}
		}, number(head+float64(len(d.rows)), 2)+"em")
	}
	return f.end(notes...)
}

func (d lanes) arrangement() string {
	if d.wordy {
		return "wordy"
	}
	return "rows"
}

// ruler is what stands behind every mark: the lines of the axis, as far up and down as the lane reaches.
func (d lanes) ruler(f *frame, name string, reach int) {
	f.open("g", "id", f.id+"-"+name)
	if d.ticks {
		f.open("g", "class", "chart-grid", "stroke", line)
		for _, tick := range d.axis.ticks() {
			x := across(d.axis.at(tick))
			f.mark("line", "x1", x, "x2", x, "y1", -reach, "y2", reach)
		}
		f.close("g")
	}
	if finite(d.reference) {
		x := across(d.axis.at(d.reference))
		f.mark("line", "class", "chart-reference", "x1", x, "x2", x, "y1", -reach, "y2", reach, "stroke", ink, "stroke-width", "1.5", "stroke-dasharray", "4 2")
	}
	f.close("g")
}

// beside writes the same words over the lanes of both arrangements; the style sheet shows one of them.
func (f *frame) beside(write func(), y string) {
	f.open("svg", "class", "chart-until-3", "y", y, "overflow", "visible")
	write()
	f.close("svg")
	f.open("svg", "class", "chart-from-3", "x", laneWideAt, "y", y, "width", laneWideWidth, "overflow", "visible", "visibility", "hidden")
	write()
	f.close("svg")
}

// name writes a name in as many lengths as there are widths at which it differs; the style sheet shows the one that
// fits its box, and without it the shortest is seen.
func (f *frame) name(speak voice, name string, beside float64, wordy bool) {
	size := 14.0
	if speak.weight != "" {
		size *= boldness
	}
	parts := clusters(clean(name))
	cut := func(width float64) string {
		if wordy {
			return fitEnd(parts, size, width-4)
		}
		if width == roomyWidth {
			return fitMiddle(parts, size, width*0.38-14)
		}
		return fitMiddle(parts, size, width-beside)
	}
	type length struct {
		text        string
		from, until int // tiers
	}
	var lengths []length
	widths := []float64{leastWidth, 320, 416, roomyWidth} // see chart.css
	for tier, width := range widths {
		text := nonempty(cut(width))
		if last := len(lengths) - 1; last >= 0 && lengths[last].text == text {
			continue
		} else if last >= 0 {
			lengths[last].until = tier
		}
		lengths = append(lengths, length{text: text, from: tier})
	}
	for _, one := range lengths {
		v, attributes := speak, []any{"y", 14}
		if one.until > 0 {
			v.class += " chart-until-" + number(float64(one.until), 0)
		}
		if one.from > 0 {
			v.class += " chart-from-" + number(float64(one.from), 0)
			attributes = append(attributes, "visibility", "hidden")
		}
		f.words(v, one.text, attributes...)
	}
}

func (f *frame) row(r row, i int, at, column float64, wordy bool) {
	f.open("svg", "class", "chart-row", "y", number(at, 2)+"em", "height", "1em", "overflow", "visible")
	if r.href != "" {
		f.open("a", "href", address(r.href))
	}
	f.leaf("title", r.title)
	if r.href != "" {
		f.mark("use", "href", "#"+f.id+"-a")
	}
	if r.apart {
		f.mark("line", "class", "chart-rule", "x2", "100%", "y1", -4, "y2", -4, "stroke", inkSoft)
	}
	speak := label()
	if r.strong {
		speak = strong()
	}
	words := 14 // where figures stand
	if wordy {
		words = 33
	}
	beside := 0.0 // what figures take of the line of the name
	switch {
	case wordy:
	case r.instead != "":
		beside = pixels(r.instead, 12) + 10
	default:
		beside = shareColumn + column + 12
	}
	f.name(speak, r.name, beside, wordy)
	shift := 0.0
	switch {
	case r.instead != "":
		f.words(soft(), r.instead, "x", "100%", "y", words, "text-anchor", "end")
	case r.n != "":
		f.words(soft(), r.n, "x", "100%", "y", words, "text-anchor", "end")
		shift = -column - 12
	}
	if r.instead == "" {
		f.words(figure(), r.share, "x", "100%", "dx", shift, "y", words, "text-anchor", "end")
	}

	mark := f.id + "-" + number(float64(i), 0)
	if wordy {
		f.open("svg", "class", "chart-until-2", "y", 29, "width", "48%", "overflow", "visible")
	} else {
		f.open("svg", "class", "chart-until-3", "y", 29, "overflow", "visible")
	}
	f.mark("use", "href", "#"+f.id+"-n")
	f.open("g", append([]any{"id", mark}, painted(r.class, r.colour)...)...)
	switch {
	case r.hidden:
		f.mark("rect", "y", -4, "width", "100%", "height", 8, "fill", "url(#"+f.id+"-h)")
	case r.draw != nil:
		r.draw(&f.canvas)
	}
	f.close("g")
	f.close("svg")
	if wordy {
		f.open("svg", "class", "chart-from-2", "y", 29, "width", "66%", "overflow", "visible", "visibility", "hidden")
		f.mark("use", "href", "#"+f.id+"-n")
		f.mark("use", "href", "#"+mark)
		f.close("svg")
	} else {
		f.open("svg", "class", "chart-from-3", "x", laneWideAt, "y", "9.5", "width", laneWideWidth, "overflow", "visible", "visibility", "hidden")
		f.mark("use", "href", "#"+f.id+"-w")
		f.mark("use", "href", "#"+mark)
		f.close("svg")
	}
	if r.href != "" {
		f.close("a")
	}
	f.close("svg")
}

// nonempty stands for a name of which nothing can be seen.
func nonempty(name string) string {
	if strings.Trim(name, "\u200c\u200d ") == "" {
		return "–"
	}
	return name
}

func painted(class, colour string) []any {
	if class == "" {
		return nil
	}
	return []any{"class", class, "color", colour}
}

// point draws a figure on the line y = 0 in the current colour: its interval as a broad pale line, its share as a dot,
// or as a diamond where it stands out.
func point(c *canvas, a axis, low, value, high float64, diamond bool) {
	at := across(a.at(value))
	c.mark("line", "x1", across(a.at(low)), "x2", across(a.at(high)), "stroke", "currentColor", "stroke-width", 5, "stroke-opacity", "0.45")
	if !diamond {
		c.mark("circle", "cx", at, "r", "4.5", "fill", "currentColor")
		return
	}
	c.open("svg", "x", at, "overflow", "visible")
	c.mark("path", "d", "M0-6 6 0 0 6-6 0Z", "fill", "currentColor")
	c.close("svg")
}

// bar draws a length from the beginning of the axis on a pale track.
func bar(c *canvas, share float64, pale bool) {
	c.mark("line", "class", "chart-track", "x2", "100%", "stroke", line, "stroke-width", 10, "stroke-opacity", "0.4")
	if share = clamp(share, 0, 1); share > 0 {
		opacity := "1"
		if pale {
			opacity = "0.6"
		}
		c.mark("line", "x2", across(share), "stroke", "currentColor", "stroke-width", 10, "stroke-opacity", opacity)
	}
}

// anchor keeps a label within the drawing: it reads away from the nearer edge.
func anchor(at float64) string {
	switch {
	case at < 0.35:
		return "start"
	case at > 0.65:
		return "end"
	}
	return "middle"
}

// edge is anchor for labels so short that only the very ends need care.
func edge(at float64) string {
	switch {
	case at < 0.02:
		return "start"
	case at > 0.98:
		return "end"
	}
	return "middle"
}

// address lets only addresses of this site through: a path, a query or a fragment.
func address(href string) string {
	href = clean(href)
	if strings.HasPrefix(href, "//") || strings.HasPrefix(href, `/\`) || href == "" || !strings.ContainsAny(href[:1], "/?#") {
		return "#"
	}
	return href
}

// axisNote says where an axis begins if it is not at 0.
func axisNote(l language.Language, a axis) string {
	if a.from == 0 {
		return ""
	}
	return l.Text("chart.axis_cut", "from", percentWhole(l, float64(a.from)/100))
}

func countWords(l language.Language, n int) string {
	return l.Text("chart.n", "n", count(l, n))
}
