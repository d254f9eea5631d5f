package chart

import (
	"html/template"
	"math"

	"github.com/hailong-vn/hailong/internal/language"
)

// Reason is one reason of dissatisfaction and how often it was chosen.
type Reason struct {
	Label string
	Count int
	Href  string // where the ratings behind it are; may be empty
}

// Reasons are bars by count, in the order given. N is the number of ratings asked for a reason, of which the shares
// are; several reasons may be chosen, so shares may add up to more than 100 %.
type Reasons struct {
	Title      string
	Reasons    []Reason
	N          int
	Suppressed bool
}

// reasonsAtMost keeps the drawing short; the table has all.
const reasonsAtMost = 12

func (d Reasons) share(l language.Language, k int) string {
	if d.N <= 0 {
		return ""
	}
	return percent(l, float64(k)/float64(d.N))
}

// SVG draws them.
func (d Reasons) SVG(l language.Language, id string) template.HTML {
	most := 0
	for _, r := range d.Reasons {
		most = max(most, r.Count)
	}
	if d.Suppressed {
		return sentence(d.Title, l.Text("chart.suppressed"))
	}
	if most == 0 {
		return sentence(d.Title, l.Text("chart.reasons_none"))
	}
	out := lanes{wordy: true, title: d.Title, description: l.Text("chart.reasons_desc", "n", count(l, max(d.N, 0))), class: "chart-bad", colour: bad, axis: whole(), reference: math.NaN()}
	for i, r := range d.Reasons {
		if i == reasonsAtMost {
			break
		}
		k := max(r.Count, 0)
		words := l.Text("chart.ratings", "n", count(l, k))
		line := row{name: r.Label, title: named(l, r.Label, words), href: r.Href, share: words}
		if share := d.share(l, k); share != "" {
			line.title = named(l, r.Label, l.Text("chart.count_share", "count", count(l, k), "share", share))
			line.share, line.n = share, words
		}
		line.draw = func(c *canvas) { bar(c, float64(k)/float64(max(most, d.N)), false) }
		out.rows = append(out.rows, line)
	}
	more := ""
	if len(d.Reasons) > reasonsAtMost {
		more = l.Text("chart.more", "n", count(l, len(d.Reasons)-reasonsAtMost))
	}
	note := ""
	if d.N > 0 {
		note = l.Text("chart.reasons_note", "n", count(l, d.N))
	}
	return out.svg(l, id, note, more)
}

// Table has a row a reason.
func (d Reasons) Table(l language.Language) Table {
	t := Table{Caption: d.Title, Head: []string{l.Text("chart.head_reason"), l.Text("chart.head_count"), l.Text("chart.head_share")}, Figures: 1}
	for _, r := range d.Reasons {
		if d.Suppressed {
			t.Rows = append(t.Rows, []string{r.Label, l.Text("chart.suppressed"), ""})
			continue
		}
		t.Rows = append(t.Rows, []string{r.Label, count(l, max(r.Count, 0)), d.share(l, max(r.Count, 0))})
	}
	return t
}
