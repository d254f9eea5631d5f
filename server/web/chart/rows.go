package chart

import (
	"html/template"

	"github.com/hailong-vn/hailong/internal/language"
)

// A drawing in rows: each row has a name, figures and a lane in which its mark stands; all lanes share one axis.
// Where there is room (chart.css asks the box) a row is one line: name, lane, figures. Elsewhere the lane moves under
// the words. Rows are one em high and the drawing's letter size is the height of a row, so that the style sheet
// changes the height of all of them at once; texts carry their own size.

const (
	rowHeight  = 42.0  // px without room, see chart.css for the other
	nameNarrow = 150.0 // px for a name beside the figures at 280 px
	nameWide   = 222.0 // px for a name in its own column
	nameAlone  = 180.0
)

// row is one line of such a drawing.
type row struct {
	name, title, href string
	strong            bool
	share, n          string // figures at the right; n may be empty
	instead           string // said in place of figures
	apart             bool   // a line above sets it apart from what came before
	draw              func(c *canvas)
}

// lanes is the drawing.
type lanes struct {
	title, description string
	axis               axis
	ticks              bool    // labels and lines of the axis
	reference          float64 // a dashed line through all rows; NaN = none
	referenceName      string
	rows               []row
	hatched            bool
}

func (d lanes) svg(l language.Language, id string, notes ...string) template.HTML {
	links, head := false, 0.15
	for _, r := range d.rows {
		links = links || r.href != ""
	}
	referred := finite(d.reference)
	if referred {
		head = 0.7
	}
	total := head + float64(len(d.rows))
	if d.ticks {
		total += 0.6
	}
	f := begin(id, d.title, d.description, number(total, 2)+"em", links, "font-size", rowHeight, "data-chart", "rows")

	f.open("defs")
	f.open("g", "id", f.id+"-r")
	if d.ticks {
		for _, tick := range d.axis.ticks() {
			x := across(d.axis.at(tick))
			f.mark("line", "class", "chart-grid", "x1", x, "x2", x, "y2", "100%", "stroke", line)
		}
	} else {
		f.mark("line", "class", "chart-grid", "y2", "100%", "stroke", line)
	}
	if referred {
		x := across(d.axis.at(d.reference))
		f.mark("line", "class", "chart-reference", "x1", x, "x2", x, "y2", "100%", "stroke", ink, "stroke-width", "1.5", "stroke-dasharray", "4 3")
	}
	f.close("g")
	hatch := ""
	if d.hatched {
		hatch = f.hatch()
	}
	f.close("defs")

	if referred {
		at := d.axis.at(d.reference)
		f.open("svg", "class", "chart-lane-words", "x", "2%", "width", "96%", "overflow", "visible")
		text := l.Text("chart.reference", "name", fit(d.referenceName, 12, 130), "share", percent(l, d.reference))
		f.words(soft(), text, "x", across(at), "y", 15, "text-anchor", anchor(at))
		f.close("svg")
	}

	column := 0.0
	for _, r := range d.rows {
		column = max(column, pixels(r.n, 13))
	}
	for i, r := range d.rows {
		f.row(r, head+float64(i), column, hatch)
	}

	if d.ticks {
		f.open("svg", "class", "chart-lane-words", "x", "2%", "y", number(head+float64(len(d.rows)), 2)+"em", "width", "96%", "overflow", "visible")
		for _, tick := range d.axis.ticks() {
			at := d.axis.at(tick)
			f.words(soft(), percentWhole(l, tick), "x", across(at), "y", 14, "text-anchor", edge(at))
		}
		f.close("svg")
	}
	return f.end(notes...)
}

func (f *frame) row(r row, at, column float64, hatch string) {
	f.open("svg", "class", "chart-row", "y", number(at, 2)+"em", "width", "100%", "height", "1em", "overflow", "visible")
	if r.href != "" {
		f.open("a", "href", address(r.href))
	}
	f.leaf("title", r.title)
	if r.href != "" {
		f.mark("rect", "class", "chart-hit", "width", "100%", "height", "100%", "fill", "none", "pointer-events", "all")
	}
	if r.apart {
		f.mark("line", "class", "chart-rule", "x2", "100%", "y1", -4, "y2", -4, "stroke", inkSoft)
	}

	room := nameNarrow
	if r.instead == "" && r.n == "" {
		room = nameAlone
	}
	voice := label()
	if r.strong {
		voice = strong()
	}
	short, long := fitMiddle(r.name, 14, room), fitMiddle(r.name, 14, nameWide)
	if short == long {
		f.words(voice, short, "y", 14)
	} else {
		// Without a style sheet only the short one is seen.
		narrow, wide := voice, voice
		narrow.class += " chart-narrow"
		wide.class += " chart-wide"
		f.words(narrow, short, "y", 14)
		f.words(wide, long, "y", 14, "visibility", "hidden")
	}

	if r.instead != "" {
		f.words(soft(), r.instead, "x", "100%", "y", 14, "text-anchor", "end")
	} else {
		shift := 0.0
		if r.n != "" {
			shift = -column - 10
			f.words(soft(), r.n, "x", "100%", "y", 14, "text-anchor", "end")
		}
		f.words(figure(), r.share, "x", "100%", "dx", shift, "y", 14, "text-anchor", "end", "font-weight", "600")
	}

	f.open("svg", "class", "chart-lane", "x", "2%", "y", 19, "width", "96%", "height", 18, "overflow", "visible")
	f.mark("use", "href", "#"+f.id+"-r")
	f.open("svg", "y", "50%", "overflow", "visible")
	switch {
	case r.draw != nil:
		r.draw(&f.canvas)
	case hatch != "":
		f.mark("rect", "y", -4, "width", "100%", "height", 8, "fill", hatch)
	}
	f.close("svg")
	f.close("svg")
	if r.href != "" {
		f.close("a")
	}
	f.close("svg")
}

// point draws a figure: its interval as a whisker with ends, its share as a dot, or as a diamond where it stands out.
func point(c *canvas, a axis, f Figure, diamond bool, class, colour string) {
	f = f.tidy()
	pointAt(c, a, f.Low, f.Value, f.High, diamond, class, colour)
}

func pointAt(c *canvas, a axis, from, value, to float64, diamond bool, class, colour string) {
	low, high, at := across(a.at(from)), across(a.at(to)), across(a.at(value))
	c.mark("line", "class", "chart-whisker "+class, "x1", low, "x2", high, "stroke", colour, "stroke-width", 2)
	c.mark("line", "class", "chart-whisker "+class, "x1", low, "x2", low, "y1", -4, "y2", 4, "stroke", colour, "stroke-width", 2)
	c.mark("line", "class", "chart-whisker "+class, "x1", high, "x2", high, "y1", -4, "y2", 4, "stroke", colour, "stroke-width", 2)
	if diamond {
		c.open("svg", "x", at, "overflow", "visible")
		c.mark("path", "class", "chart-dot "+class, "d", "M0-7 7 0 0 7-7 0Z", "fill", colour)
		c.close("svg")
		return
	}
	c.mark("circle", "class", "chart-dot "+class, "cx", at, "r", 5, "fill", colour)
}

// bar draws a length from the beginning of the axis on a pale track.
func bar(c *canvas, share float64, class, colour string) {
	c.mark("line", "class", "chart-track", "x2", "100%", "stroke", line, "stroke-width", 10, "stroke-opacity", "0.45")
	if share = clamp(share, 0, 1); share > 0 {
		c.mark("line", "class", "chart-bar "+class, "x2", across(share), "stroke", colour, "stroke-width", 10)
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
	if len(href) > 0 && (href[0] == '?' || href[0] == '#') {
		return clean(href)
	}
	if len(href) > 0 && href[0] == '/' && !(len(href) > 1 && (href[1] == '/' || href[1] == '\\')) {
		return clean(href)
	}
	return "#"
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
