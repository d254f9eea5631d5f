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
	out := begin(id, d.Label, named(l, d.Label, written(l, f)), "96", false, class, colour)
	out.words(label(), fit(d.Label, 14, 144), "y", 15)
	out.words(voice{"chart-big", ink, "22", "600"}, percent(l, f.Value), "x", "100%", "y", 18, "text-anchor", "end")
	out.words(soft(), l.Text("chart.interval", "span", span(l, f.Low, f.High)), "y", 36)
	out.words(soft(), countWords(l, f.N), "x", "100%", "y", 36, "text-anchor", "end")
	out.open("svg", "y", 46, "height", 50, "overflow", "visible")
	for _, tick := range a.ticks() {
		x := across(a.at(tick))
		out.mark("line", "class", "chart-grid", "x1", x, "x2", x, "y2", 30, "stroke", line)
		out.words(soft(), percentWhole(l, tick), "x", x, "y", 46, "text-anchor", edge(a.at(tick)))
	}
	out.mark("line", "class", "chart-track", "x2", "100%", "y1", 8, "y2", 8, "stroke", line, "stroke-width", 12, "stroke-opacity", "0.4")
	out.mark("line", "x2", across(a.at(f.Value)), "y1", 8, "y2", 8, "stroke", "currentColor", "stroke-width", 12)
	// The whisker stands under the end of the bar, where neither hides the other.
	low, high := across(a.at(f.Low)), across(a.at(f.High))
	out.open("g", "class", "chart-ink", "stroke", ink, "stroke-width", 2)
	out.mark("line", "x1", low, "x2", high, "y1", 22, "y2", 22)
	out.mark("line", "x1", low, "x2", low, "y1", 18, "y2", 26)
	out.mark("line", "x1", high, "x2", high, "y1", 18, "y2", 26)
	out.close("g")
	out.close("svg")
	return out.end()
}

// Table has one row.
func (d Interval) Table(l language.Language) Table {
	return Table{Caption: d.Label, Head: figureHead(l, l.Text("chart.head_measure")), Rows: [][]string{figureCells(l, d.Label, d.Figure)}, Figures: 1}
}
