package chart

import (
	"fmt"
	"html/template"
	"strconv"

	"github.com/hailong-vn/hailong/internal/language"
)

// Heat is the share of dissatisfied ratings by weekday and hour. Cells[0] is Monday, Cells[6] Sunday; the second index
// is the hour at which the cell begins, 0 to 23. Days run across and hours down, because seven columns of readable
// numbers fit a telephone and eleven do not.
type Heat struct {
	Title string
	Cells [7][24]Figure
}

const (
	heatFirst, heatLast = 7, 17 // the hours that are always drawn
	heatRow             = 26.0
	heatHead            = 24.0
)

// hours is the range to draw: office hours, widened to every hour with ratings.
func (d Heat) hours() (first, last int, found bool) {
	first, last = heatFirst, heatLast
	for day := range d.Cells {
		for hour, f := range d.Cells[day] {
			if f.standing() != missing {
				first, last, found = min(first, hour), max(last, hour), true
			}
		}
	}
	return first, last, found
}

// shade is one of five steps; the steps are fixed, so that pages can be compared with each other.
func shade(share float64) int {
	for i, limit := range []float64{0.05, 0.10, 0.20, 0.35} {
		if share < limit {
			return i
		}
	}
	return 4
}

// strength is how much of the colour a shade has; the strongest still lets the number be read. See chart.css.
func strength(step int) string { return []string{"0.06", "0.16", "0.28", "0.4", "0.54"}[step] }

func weekday(l language.Language, day int) string {
	return l.Text("chart.weekday_" + strconv.Itoa(day+1))
}

func hourSpan(l language.Language, hour int) string {
	return l.Text("chart.hours", "from", fmt.Sprintf("%02d", hour), "to", fmt.Sprintf("%02d", hour+1))
}

// SVG draws it.
func (d Heat) SVG(l language.Language, id string) template.HTML {
	first, last, found := d.hours()
	if !found {
		return sentence(d.Title, l.Text("chart.none"))
	}
	hidden, most, mostDay, mostHour := false, -1.0, 0, 0
	for day := range d.Cells {
		for hour, f := range d.Cells[day] {
			hidden = hidden || f.standing() == withheld
			if f.standing() == shown && f.tidy().Value > most {
				most, mostDay, mostHour = f.tidy().Value, day, hour
			}
		}
	}
	description := l.Text("chart.heat_hidden")
	if most >= 0 {
		description = l.Text("chart.heat_desc", "day", weekday(l, mostDay), "hour", hourSpan(l, mostHour), "figure", written(l, d.Cells[mostDay][mostHour]))
	}
	rows := last - first + 1
	f := begin(id, d.Title, description, number(heatHead+heatRow*float64(rows), 1), false, "chart-bad", bad)
	hatch := ""
	if hidden {
		f.open("defs")
		hatch = f.hatch()
		f.close("defs")
	}
	for hour := first; hour <= last; hour++ {
		f.words(soft(), l.Text("chart.hour", "hour", strconv.Itoa(hour)), "x", "15%", "y", heatHead+heatRow*float64(hour-first)+17, "text-anchor", "end")
	}
	const label, width = 0.17, 0.83
	for day := range 7 {
		f.open("svg", "x", across(label+width*float64(day)/7), "width", across(width/7-0.006), "overflow", "visible")
		f.words(soft(), l.Text("chart.weekday_short_"+strconv.Itoa(day+1)), "x", "50%", "y", 14, "text-anchor", "middle")
		f.open("g", "class", "chart-cells", "fill", ink, "font-size", 13, "text-anchor", "middle")
		for hour := first; hour <= last; hour++ {
			f.cell(l, d.Cells[day][hour], day, hour, heatHead+heatRow*float64(hour-first), hatch, most > 0 && day == mostDay && hour == mostHour)
		}
		f.close("g")
		f.close("svg")
	}
	notes := []string{l.Text("chart.heat_note"), ""}
	if hidden {
		notes[1] = l.Text("chart.heat_hatch")
	}
	return f.end(notes...)
}

func (f *frame) cell(l language.Language, fig Figure, day, hour int, y float64, hatch string, most bool) {
	attributes := []any{"y", y, "width", "100%", "height", heatRow - 2}
	state := fig.standing()
	if state == missing {
		f.mark("rect", append(attributes, "class", "chart-grid", "fill", "none", "stroke", line, "stroke-opacity", "0.6")...)
		return
	}
	share := fig.tidy().Value
	switch {
	case state == withheld:
		attributes = append(attributes, "fill", hatch)
	case most: // the worst cell is framed and set in bold
		attributes = append(attributes, "fill", "currentColor", "fill-opacity", strength(shade(share)), "class", "chart-ink", "stroke", ink, "stroke-width", "1.5")
	default:
		attributes = append(attributes, "fill", "currentColor", "fill-opacity", strength(shade(share)))
	}
	f.open("rect", attributes...)
	f.leaf("title", named(l, weekday(l, day)+" "+hourSpan(l, hour), written(l, fig)))
	f.close("rect")
	if state == withheld {
		return
	}
	words := []any{"x", "50%", "y", y + 17, "pointer-events", "none"}
	if most {
		words = append(words, "font-weight", "700")
	}
	f.leaf("text", decimal(l, share*100, 0), words...)
}

// Table has a row a drawn hour and a column a day: share and number of ratings in a cell.
func (d Heat) Table(l language.Language) Table {
	t := Table{Caption: d.Title, Head: []string{l.Text("chart.head_hour")}, Figures: 1}
	for day := range 7 {
		t.Head = append(t.Head, weekday(l, day))
	}
	first, last, _ := d.hours()
	for hour := first; hour <= last; hour++ {
		row := []string{hourSpan(l, hour)}
		for day := range 7 {
			f := d.Cells[day][hour]
			switch f.standing() {
			case withheld:
				row = append(row, l.Text("chart.suppressed_short"))
			case missing:
				row = append(row, "–")
			default:
				row = append(row, l.Text("chart.share_n", "share", percent(l, f.tidy().Value), "n", count(l, f.N)))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
