package chart

import (
	"html/template"
	"math"

	"github.com/hailong-vn/hailong/internal/language"
)

// Ranked is a unit in a ranking.
type Ranked struct {
	Name   string
	Href   string // a path of this site; may be empty
	Figure Figure
	// FollowUp marks a unit whose dissatisfaction is beyond chance: a diamond in another colour, and words.
	FollowUp bool
}

// Ranking draws many units under each other on one axis, in the order given, so that overlapping intervals are seen
// at a glance. Parent is the share of the unit above them, drawn as a dashed line through all rows.
type Ranking struct {
	Title      string
	Units      []Ranked
	Parent     Figure
	ParentName string
	Tone       Tone // of the marks; Plain lets the marked units stand out best
}

// rankedAtMost bounds one drawing; the caller pages.
const rankedAtMost = 60

// SVG draws the first 60 units.
func (d Ranking) SVG(l language.Language, id string) template.HTML {
	if len(d.Units) == 0 {
		return sentence(d.Title, l.Text("chart.units_none"))
	}
	units := d.Units[:min(len(d.Units), rankedAtMost)]
	figures := make([]Figure, 0, len(units))
	for _, u := range units {
		figures = append(figures, u.Figure)
	}
	a := shareAxis(figures, []Figure{d.Parent})
	class, colour := d.Tone.paint()
	out := lanes{
		title: d.Title, description: l.Text("chart.ranking_desc", "n", count(l, len(d.Units)), "parent", named(l, d.ParentName, written(l, d.Parent))),
		class: class, colour: colour, axis: a, ticks: true, reference: math.NaN(), referenceName: d.ParentName,
	}
	if d.Parent.standing() == shown {
		out.reference = d.Parent.tidy().Value
	}
	marked := false
	for _, u := range units {
		r := figureRow(l, u.Name, u.Figure)
		r.href = u.Href
		if r.instead == "" {
			if u.FollowUp {
				marked = true
				r.strong = true
				r.title += ". " + l.Text("chart.follow_up")
				r.class, r.colour = Bad.paint()
			}
			f := u.Figure.tidy()
			r.draw = func(c *canvas) { point(c, a, f.Low, f.Value, f.High, u.FollowUp) }
		}
		out.rows = append(out.rows, r)
	}
	notes := []string{l.Text("chart.ranking_note"), "", "", ""}
	if marked {
		notes[1] = l.Text("chart.follow_up_note")
	}
	notes[2] = axisNote(l, a)
	if more := len(d.Units) - len(units); more > 0 {
		notes[3] = l.Text("chart.more", "n", count(l, more))
	}
	return out.svg(l, id, notes...)
}

// Table has a row a unit, the parent last.
func (d Ranking) Table(l language.Language) Table {
	t := Table{Caption: d.Title, Head: append(figureHead(l, l.Text("chart.head_unit")), l.Text("chart.head_remark")), Figures: 1}
	remark := func(cells []string, text string) []string { return append(cells, text) }
	for _, u := range d.Units {
		text := ""
		if u.FollowUp && u.Figure.standing() == shown {
			text = l.Text("chart.follow_up")
		}
		t.Rows = append(t.Rows, remark(figureCells(l, u.Name, u.Figure), text))
	}
	if d.ParentName != "" {
		t.Rows = append(t.Rows, remark(figureCells(l, d.ParentName, d.Parent), l.Text("chart.parent")))
	}
	return t
}
