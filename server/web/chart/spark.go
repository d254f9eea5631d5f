package chart

import (
	"html/template"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
)

// Spark is the number of ratings a day as tiny bars, to stand beside a name in a list.
type Spark struct {
	Title  string
	From   time.Time // the day of the first bar
	Counts []int
}

const sparkHeight = 24.0

// SVG draws the bars; a day without ratings leaves its place empty.
func (d Spark) SVG(l language.Language, id string) template.HTML {
	most, at, total := 0, 0, 0
	for i, k := range d.Counts {
		if total += max(k, 0); k > most {
			most, at = k, i
		}
	}
	var c canvas
	if most == 0 {
		c.leaf("span", l.Text("chart.none_short"), "class", "chart-empty")
		return c.html()
	}
	id = identifier(id)
	breadth := float64(len(d.Counts) * 4)
	c.open("svg", "class", "chart-spark chart-accent", "color", accent, "role", "img", "aria-labelledby", id+"-t", "aria-describedby", id+"-d",
		"width", 120, "height", sparkHeight, "viewBox", "0 0 "+number(breadth, 0)+" "+number(sparkHeight, 0), "preserveAspectRatio", "none")
	c.leaf("title", full(d.Title), "id", id+"-t")
	c.leaf("desc", l.Text("chart.spark_desc", "days", count(l, len(d.Counts)), "total", count(l, total), "most", count(l, most),
		"day", d.From.AddDate(0, 0, at).Format("02/01/2006")), "id", id+"-d")
	var path strings.Builder
	for i, k := range d.Counts {
		if k <= 0 {
			continue
		}
		height := max(1.5, (sparkHeight-2)*float64(k)/float64(most))
		path.WriteString("M" + number(float64(i)*4+0.5, 1) + " " + number(sparkHeight-1, 1) + "v-" + number(height, 1) + "h3v" + number(height, 1) + "z")
	}
	c.mark("path", "d", path.String(), "fill", "currentColor")
	c.mark("line", "class", "chart-grid", "x2", breadth, "y1", sparkHeight-0.5, "y2", sparkHeight-0.5, "stroke", line, "vector-effect", "non-scaling-stroke")
	c.close("svg")
	return c.html()
}

// Table has a row a day.
func (d Spark) Table(l language.Language) Table {
	t := Table{Caption: d.Title, Head: []string{l.Text("chart.head_day"), l.Text("chart.head_count")}, Figures: 1}
	for i, k := range d.Counts {
		t.Rows = append(t.Rows, []string{d.From.AddDate(0, 0, i).Format("02/01/2006"), count(l, max(k, 0))})
	}
	return t
}
