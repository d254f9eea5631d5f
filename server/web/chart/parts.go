package chart

import (
	"html/template"
	"math"

	"github.com/hailong-vn/hailong/internal/language"
)

// Part is one part of a whole that was counted.
type Part struct {
	Name  string
	N     int
	Tone  Tone
	Faint bool // hatched, so that neighbours of one tone are told apart
	Href  string
}

// Parts are how a whole is divided, in the order given. They were all counted, none was asked as one of many: there is no interval.
type Parts struct {
	Title string
	Head  string // of the column that names the parts
	Parts []Part
}

func (d Parts) total() int {
	n := 0
	for _, p := range d.Parts {
		n += max(p.N, 0)
	}
	return n
}

// SVG draws a bar a part, on the scale of the whole.
func (d Parts) SVG(l language.Language, id string) template.HTML {
	n := d.total()
	if n == 0 {
		return sentence(d.Title, l.Text("chart.none"))
	}
	out := lanes{wordy: true, title: d.Title, axis: whole(), reference: math.NaN()}
	for _, p := range d.Parts {
		k := max(p.N, 0)
		share := float64(k) / float64(n)
		class, colour := p.Tone.paint()
		out.rows = append(out.rows, row{
			name: p.Name, title: named(l, p.Name, l.Text("chart.count_share", "count", count(l, k), "share", percent(l, share))), href: p.Href,
			share: percent(l, share), n: l.Text("chart.ratings", "n", count(l, k)), class: class, colour: colour, draw: func(c *canvas) { bar(c, share, p.Faint) },
		})
		if out.description != "" {
			out.description += "; "
		}
		out.description += p.Name + " " + percent(l, share)
	}
	out.description += "; " + countWords(l, n) + "."
	return out.svg(l, id)
}

// Table has a row a part.
func (d Parts) Table(l language.Language) Table {
	t := Table{Caption: d.Title, Head: []string{d.Head, l.Text("chart.head_count"), l.Text("chart.head_share")}, Figures: 1}
	n := d.total()
	for _, p := range d.Parts {
		share := ""
		if n > 0 {
			share = percent(l, float64(max(p.N, 0))/float64(n))
		}
		t.Rows = append(t.Rows, []string{p.Name, count(l, max(p.N, 0)), share})
	}
	return t
}
