package chart

import (
	"html/template"
	"math"
	"strconv"

	"github.com/hailong-vn/hailong/internal/language"
)

// Distribution is how often each of the five answers was given: Counts[0] for score 1 to Counts[4] for score 5.
type Distribution struct {
	Title      string
	Counts     [5]int
	Suppressed bool
}

func (d Distribution) total() int {
	n := 0
	for _, k := range d.Counts {
		n += max(k, 0)
	}
	return n
}

func answer(l language.Language, score int) string {
	return l.Text("chart.answer_" + strconv.Itoa(score))
}

// SVG draws five bars, the best answer first, on the scale of all answers.
func (d Distribution) SVG(l language.Language, id string) template.HTML {
	n := d.total()
	if d.Suppressed {
		return sentence(d.Title, l.Text("chart.suppressed"))
	}
	if n == 0 {
		return sentence(d.Title, l.Text("chart.none"))
	}
	tones := [5]Tone{Bad, Bad, Neutral, Good, Good}
	out := lanes{wordy: true, title: d.Title, axis: whole(), reference: math.NaN()}
	for score := 5; score >= 1; score-- {
		k := max(d.Counts[score-1], 0)
		share := float64(k) / float64(n)
		class, colour := tones[score-1].paint()
		words := l.Text("chart.count_share", "count", count(l, k), "share", percent(l, share))
		out.rows = append(out.rows, row{
			name: answer(l, score), title: named(l, answer(l, score), words), share: percent(l, share), n: l.Text("chart.ratings", "n", count(l, k)),
			class: class, colour: colour, draw: func(c *canvas) { bar(c, share, score == 2 || score == 4) },
		})
		if out.description != "" {
			out.description += "; "
		}
		out.description += answer(l, score) + " " + percent(l, share)
	}
	out.description += "; " + countWords(l, n) + "."
	return out.svg(l, id)
}

// Table has a row an answer.
func (d Distribution) Table(l language.Language) Table {
	t := Table{Caption: d.Title, Head: []string{l.Text("chart.head_answer"), l.Text("chart.head_count"), l.Text("chart.head_share")}, Figures: 1}
	n := d.total()
	for score := 5; score >= 1; score-- {
		k := max(d.Counts[score-1], 0)
		switch {
		case d.Suppressed:
			t.Rows = append(t.Rows, []string{answer(l, score), l.Text("chart.suppressed"), ""})
		case n == 0:
			t.Rows = append(t.Rows, []string{answer(l, score), count(l, 0), ""})
		default:
			t.Rows = append(t.Rows, []string{answer(l, score), count(l, k), percent(l, float64(k)/float64(n))})
		}
	}
	return t
}
