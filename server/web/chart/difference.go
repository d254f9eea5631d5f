package chart

import (
	"html/template"

	"github.com/hailong-vn/hailong/internal/language"
)

// Difference is how a share moved between two periods (or differs between two groups): now minus before, as shares
// (0.032 is 3,2 points), with its 95 % interval.
type Difference struct {
	Label            string
	Value, Low, High float64
	Now, Before      Figure
	Tone             Tone // Good: more is better; Bad: less is better
}

// Verdict is what may be said of a difference.
type Verdict int

// The verdicts.
const (
	Unsure Verdict = iota // the interval holds zero
	Up
	Down
)

// Verdict is by the interval alone: a difference whose interval holds zero is not told from none.
func (d Difference) Verdict() Verdict {
	switch {
	case !finite(d.Low) || !finite(d.High) || !finite(d.Value):
		return Unsure
	case d.Low > 0 && d.High > 0:
		return Up
	case d.High < 0 && d.Low < 0:
		return Down
	}
	return Unsure
}

func (d Difference) tidy() Difference {
	d.Value = clamp(d.Value, -1, 1)
	if !finite(d.Low) || !finite(d.High) {
		d.Low, d.High = d.Value, d.Value
	}
	d.Low, d.High = clamp(d.Low, -1, d.Value), clamp(d.High, d.Value, 1)
	return d
}

func (d Difference) absent(l language.Language) (string, bool) {
	if text, ok := unshown(l, d.Now); ok {
		return text, true
	}
	if text, ok := unshown(l, d.Before); ok {
		return l.Text("chart.before_is", "words", text), true
	}
	if !finite(d.Value) || !finite(d.Low) || !finite(d.High) {
		return l.Text("chart.none"), true
	}
	return "", false
}

func points(l language.Language, v float64) string {
	text := decimal(l, v*100, 1)
	if v > 0 && text != decimal(l, 0, 1) {
		return "+" + text
	}
	return text
}

func (d Difference) words(l language.Language) string {
	from, to := points(l, d.Low), points(l, d.High)
	switch d.Verdict() {
	case Up:
		return l.Text("chart.up", "points", decimal(l, d.Value*100, 1), "low", from, "high", to)
	case Down:
		return l.Text("chart.down", "points", decimal(l, -d.Value*100, 1), "low", from, "high", to)
	}
	return l.Text("chart.unsure", "points", points(l, d.Value), "low", from, "high", to)
}

// SVG draws the difference and its interval about a zero line.
func (d Difference) SVG(l language.Language, id string) template.HTML {
	if text, ok := d.absent(l); ok {
		return sentence(d.Label, text)
	}
	d = d.tidy()
	a := pointAxis(d.Low, d.High)
	class, colour, sign := "chart-still", inkSoft, "◆ "
	heading := l.Text("chart.verdict_unsure")
	switch d.Verdict() {
	case Up:
		sign, heading = "▲ ", l.Text("chart.verdict_up")
	case Down:
		sign, heading = "▼ ", l.Text("chart.verdict_down")
	}
	switch v := d.Verdict(); {
	case v == Unsure, d.Tone == Neutral:
	case d.Tone == Plain:
		class, colour = "chart-accent", accent
	case (v == Up) == (d.Tone == Good):
		class, colour = "chart-good", good
	default:
		class, colour = "chart-bad", bad
	}
	f := begin(id, d.Label, named(l, d.Label, d.words(l)), "108", false, class, colour)
	f.words(label(), fit(d.Label, 14, 240), "y", 15)
	f.words(strong(), sign+heading, "y", 37)
	f.open("svg", "y", 50, "height", 58, "overflow", "visible")
	for _, tick := range a.ticks() {
		x := across(a.at(tick))
		if tick == 0 {
			f.mark("line", "class", "chart-zero", "x1", x, "x2", x, "y2", 32, "stroke", ink, "stroke-width", "1.5")
		} else {
			f.mark("line", "class", "chart-grid", "x1", x, "x2", x, "y2", 28, "stroke", line)
		}
		text := decimal(l, tick*100, 0)
		if tick > 0 {
			text = "+" + text
		}
		f.words(soft(), text, "x", x, "y", 46, "text-anchor", edge(a.at(tick)))
	}
	f.open("svg", "y", 14, "overflow", "visible")
	point(&f.canvas, a, d.Low, d.Value, d.High, false)
	f.close("svg")
	f.close("svg")
	return f.end(d.words(l), l.Text("chart.points_note"))
}

// Table has the two periods and their difference.
func (d Difference) Table(l language.Language) Table {
	t := Table{Caption: d.Label, Head: figureHead(l, l.Text("chart.head_measure")), Figures: 1}
	t.Rows = append(t.Rows, figureCells(l, l.Text("chart.now"), d.Now), figureCells(l, l.Text("chart.before"), d.Before))
	if text, ok := d.absent(l); ok {
		t.Rows = append(t.Rows, []string{l.Text("chart.head_difference"), text, "", "", ""})
		return t
	}
	d = d.tidy()
	t.Rows = append(t.Rows, []string{l.Text("chart.head_difference"), points(l, d.Value), points(l, d.Low), points(l, d.High), ""})
	return t
}
