package chart

import (
	"html/template"

	"github.com/hailong-vn/hailong/internal/language"
)

// Tone is what a share means, for the colour of its mark; the words always say it too.
type Tone int

// The tones.
const (
	Plain   Tone = iota // a figure without a side
	Good                // the more the better: satisfied
	Bad                 // the less the better: dissatisfied
	Neutral             // neither
)

func (t Tone) paint() (class, colour string) {
	switch t {
	case Good:
		return "chart-good", good
	case Bad:
		return "chart-bad", bad
	case Neutral:
		return "chart-neutral", neutral
	}
	return "chart-accent", accent
}

// Interval is one share on the axis from 0 to 100 %: a bar up to the share and a whisker over its interval.
type Interval struct {
	Label  string // "Hài lòng"
	Figure Figure
	Tone   Tone
}

// SVG draws it.
func (d Interval) SVG(l language.Language, id string) template.HTML {
	if text, ok := unshown(l, d.Figure); ok {
		return sentence(d.Label, text)
	}
	f, a := d.Figure.tidy(), whole()
	class, colour := d.Tone.paint()
	out := begin(id, d.Label, named(l, d.Label, written(l, f)), "96", false)
	out.words(label(), fit(d.Label, 14, 180), "y", 15)
	out.words(voice{"chart-big", ink, "22", "600"}, percent(l, f.Value), "x", "100%", "y", 18, "text-anchor", "end")
	out.words(soft(), l.Text("chart.interval_n", "span", span(l, f.Low, f.High), "n", count(l, f.N)), "y", 36)
	out.open("svg", "class", "chart-lane-alone", "x", "2%", "y", 46, "width", "96%", "height", 46, "overflow", "visible")
	for _, tick := range a.ticks() {
		x := across(a.at(tick))
		out.mark("line", "class", "chart-grid", "x1", x, "x2", x, "y2", 26, "stroke", line)
		out.words(soft(), percentWhole(l, tick), "x", x, "y", 42, "text-anchor", edge(a.at(tick)))
	}
	out.open("svg", "y", 13, "overflow", "visible")
	out.mark("line", "class", "chart-track", "x2", "100%", "stroke", line, "stroke-width", 14, "stroke-opacity", "0.45")
	out.mark("line", "class", "chart-bar "+class, "x2", across(a.at(f.Value)), "stroke", colour, "stroke-width", 14)
	whisker(&out.canvas, a, f)
	out.close("svg")
	out.close("svg")
	return out.end()
}

// whisker is drawn twice, broad in the colour of the paper and then in ink, so that it shows on a bar and beside it.
func whisker(c *canvas, a axis, f Figure) {
	low, high := across(a.at(f.Low)), across(a.at(f.High))
	for _, pass := range []struct {
		class, colour string
		width         int
	}{{"chart-halo", paper, 6}, {"chart-ink", ink, 2}} {
		c.open("g", "class", pass.class, "stroke", pass.colour, "stroke-width", pass.width)
		c.mark("line", "x1", low, "x2", high)
		c.mark("line", "x1", low, "x2", low, "y1", -6, "y2", 6)
		c.mark("line", "x1", high, "x2", high, "y1", -6, "y2", 6)
		c.close("g")
	}
}

// Table has one row.
func (d Interval) Table(l language.Language) Table {
	return Table{Caption: d.Label, Head: figureHead(l, l.Text("chart.head_measure")), Rows: [][]string{figureCells(l, d.Label, d.Figure)}, Figures: 1}
}
