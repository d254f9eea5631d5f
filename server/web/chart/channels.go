package chart

import (
	"html/template"
	"math"

	"github.com/hailong-vn/hailong/internal/language"
)

// Channel is one channel's share.
type Channel struct {
	Name   string
	Figure Figure
}

// Channels shows the same share in each channel on one axis, and pooled over all of them last, set apart and marked.
type Channels struct {
	Title    string
	Channels []Channel
	Pooled   Figure
	Tone     Tone
}

// SVG draws it.
func (d Channels) SVG(l language.Language, id string) template.HTML {
	if len(d.Channels) == 0 {
		return sentence(d.Title, l.Text("chart.none"))
	}
	class, colour := d.Tone.paint()
	a := whole()
	out := lanes{title: d.Title, description: l.Text("chart.channels_desc", "pooled", written(l, d.Pooled)), class: class, colour: colour, axis: a, ticks: true, reference: math.NaN()}
	add := func(c Channel, pooled bool) {
		r := figureRow(l, c.Name, c.Figure)
		r.strong, r.apart = pooled, pooled
		if r.instead == "" {
			f := c.Figure.tidy()
			r.draw = func(to *canvas) { point(to, a, f.Low, f.Value, f.High, pooled) }
		}
		out.rows = append(out.rows, r)
	}
	for _, c := range d.Channels {
		add(c, false)
	}
	add(Channel{l.Text("chart.pooled"), d.Pooled}, true)
	return out.svg(l, id, l.Text("chart.channels_note"))
}

// figureRow is a row for a figure: its words at the right, or why there are none.
func figureRow(l language.Language, name string, f Figure) row {
	r := row{name: name, title: named(l, name, written(l, f))}
	if _, ok := unshown(l, f); ok {
		key := "chart.none_short"
		if f.standing() == withheld {
			key, r.hidden = "chart.suppressed_short", true
		}
		r.instead = l.Text(key)
		return r
	}
	r.share, r.n = percent(l, f.tidy().Value), countWords(l, f.N)
	return r
}

// Table has a row a channel and the pooled one last.
func (d Channels) Table(l language.Language) Table {
	t := Table{Caption: d.Title, Head: figureHead(l, l.Text("chart.head_channel")), Figures: 1}
	for _, c := range d.Channels {
		t.Rows = append(t.Rows, figureCells(l, c.Name, c.Figure))
	}
	t.Rows = append(t.Rows, figureCells(l, l.Text("chart.pooled"), d.Pooled))
	return t
}
