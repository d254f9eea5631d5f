package chart

import (
	"html/template"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
)

// TrendPoint is a share on a day, or in the month of that day. Points stand at equal steps in the order given; a step
// without ratings is a point with N = 0, so that it leaves a gap instead of a line that was never measured.
type TrendPoint struct {
	Day    time.Time
	Figure Figure
}

// Trend is a share over time with its interval as a band. Before is another period, laid under the first step by step
// and drawn apart: dashed, with hollow points and without a band.
type Trend struct {
	Title            string
	Name, BeforeName string // "Tháng 11/2026"; shown only where there are two series
	Points, Before   []TrendPoint
	Monthly          bool // labels are MM/yyyy instead of dd/MM
	Tone             Tone
}

const (
	trendHeight  = 180.0
	trendSpoken  = 120 // more points than this are drawn without a tooltip each; the table has them all
	trendDotted  = 62  // more points than this are drawn as a line only
	trendBreadth = 1000.0
)

func (d Trend) day(p TrendPoint) string {
	if d.Monthly {
		return p.Day.Format("01/2006")
	}
	return p.Day.Format("02/01/2006")
}

// runs are the stretches of shown points, as half-open ranges of indexes.
func runs(points []TrendPoint, want standing) [][2]int {
	var all [][2]int
	for i := 0; i < len(points); {
		if points[i].Figure.standing() != want {
			i++
			continue
		}
		j := i
		for j < len(points) && points[j].Figure.standing() == want {
			j++
		}
		all = append(all, [2]int{i, j})
		i = j
	}
	return all
}

func figuresOf(points []TrendPoint) []Figure {
	figures := make([]Figure, len(points))
	for i, p := range points {
		figures[i] = p.Figure
	}
	return figures
}

// SVG draws it.
func (d Trend) SVG(l language.Language, id string) template.HTML {
	mine, other := runs(d.Points, shown), runs(d.Before, shown)
	if len(mine)+len(other) == 0 {
		if len(runs(d.Points, withheld)) > 0 {
			return sentence(d.Title, l.Text("chart.suppressed"))
		}
		return sentence(d.Title, l.Text("chart.none"))
	}
	// Only what is drawn decides the axis: the other period has no band.
	others := figuresOf(d.Before)
	for i := range others {
		others[i].Low, others[i].High = others[i].Value, others[i].Value
	}
	p := plot{axis: shareAxis(figuresOf(d.Points), others), steps: max(len(d.Points), len(d.Before))}
	top := 44.0
	if len(d.Before) > 0 {
		top = 88
	}
	class, colour := d.Tone.paint()
	f := begin(id, d.Title, d.describe(l, mine), number(top+trendHeight+24, 1), false, class, colour)
	hidden := runs(d.Points, withheld)
	hatch := ""
	if len(hidden) > 0 {
		f.open("defs")
		hatch = f.hatch()
		f.close("defs")
	}
	f.heading(l, d, mine)

	// The labels of the axis stand on its lines at the left, where the plot has not yet begun.
	f.open("svg", "y", top, "height", trendHeight, "overflow", "visible")
	for _, tick := range p.axis.ticks() {
		y := p.y(tick)
		f.mark("line", "class", "chart-grid", "x2", "100%", "y1", y, "y2", y, "stroke", line)
		f.words(soft(), percentWhole(l, tick), "y", y-4)
	}
	f.close("svg")
	f.open("svg", "x", "12%", "y", top, "width", "88%", "height", trendHeight, "overflow", "visible")
	f.dates(d, p)

	// Lines and band stretch with the drawing; their strokes do not.
	f.open("svg", "viewBox", "0 0 "+number(trendBreadth, 0)+" "+number(trendHeight, 0), "width", "100%", "height", trendHeight, "preserveAspectRatio", "none")
	for _, run := range mine {
		f.mark("path", "class", "chart-band", "d", p.band(d.Points, run), "fill", band)
	}
	f.paths(p, d.Before, other, "chart-still", inkSoft, "2 5")
	f.paths(p, d.Points, mine, class, colour, "none")
	f.close("svg")

	for _, run := range hidden {
		f.open("rect", "class", "chart-hidden", "x", across(float64(run[0])/float64(p.steps)), "y", trendHeight-8,
			"width", across(float64(run[1]-run[0])/float64(p.steps)), "height", 8, "fill", hatch)
		f.leaf("title", d.day(d.Points[run[0]])+": "+l.Text("chart.suppressed"))
		f.close("rect")
	}
	f.dots(l, d, p, d.Before, other, true)
	f.dots(l, d, p, d.Points, mine, false)
	f.close("svg")

	gaps := ""
	if len(mine) > 1 || len(hidden) > 0 || len(runs(d.Points, missing)) > 0 {
		gaps = l.Text("chart.trend_gaps")
	}
	return f.end(l.Text("chart.trend_note"), gaps, axisNote(l, p.axis))
}

func (d Trend) describe(l language.Language, mine [][2]int) string {
	if len(mine) == 0 {
		return named(l, d.Name, l.Text("chart.none"))
	}
	first := d.Points[mine[0][0]]
	end := d.Points[mine[len(mine)-1][1]-1]
	low, high := first, first
	for _, run := range mine {
		for _, p := range d.Points[run[0]:run[1]] {
			if p.Figure.Value < low.Figure.Value {
				low = p
			}
			if p.Figure.Value > high.Figure.Value {
				high = p
			}
		}
	}
	at := func(p TrendPoint) string { return d.day(p) + " " + percent(l, p.Figure.tidy().Value) }
	return l.Text("chart.trend_desc", "first", at(first), "last", at(end), "low", at(low), "high", at(high))
}

// plot turns steps and shares into places.
type plot struct {
	axis  axis
	steps int
}

// x is the middle of a step, 0..1.
func (p plot) x(step int) float64      { return (float64(step) + 0.5) / float64(max(p.steps, 1)) }
func (p plot) y(share float64) float64 { return trendHeight * (1 - p.axis.at(share)) }

func (p plot) place(step int, share float64) string {
	return number(p.x(step)*trendBreadth, 1) + " " + number(p.y(share), 1)
}

func (p plot) line(points []TrendPoint, run [2]int) string {
	var b strings.Builder
	for i := run[0]; i < run[1]; i++ {
		b.WriteString(lead(i == run[0]))
		b.WriteString(p.place(i, points[i].Figure.tidy().Value))
	}
	return b.String()
}

// band goes along the upper ends and back along the lower ones; a lone point gets a narrow one.
func (p plot) band(points []TrendPoint, run [2]int) string {
	var b strings.Builder
	if run[1]-run[0] == 1 {
		f := points[run[0]].Figure.tidy()
		half := min(trendBreadth/float64(p.steps)/4, 6)
		x := p.x(run[0]) * trendBreadth
		return "M" + number(x-half, 1) + " " + number(p.y(f.High), 1) + "H" + number(x+half, 1) + "V" + number(p.y(f.Low), 1) + "H" + number(x-half, 1) + "Z"
	}
	for i := run[0]; i < run[1]; i++ {
		b.WriteString(lead(i == run[0]))
		b.WriteString(p.place(i, points[i].Figure.tidy().High))
	}
	for i := run[1] - 1; i >= run[0]; i-- {
		b.WriteString("L")
		b.WriteString(p.place(i, points[i].Figure.tidy().Low))
	}
	return b.String() + "Z"
}

func lead(first bool) string {
	if first {
		return "M"
	}
	return "L"
}

func (f *frame) paths(p plot, points []TrendPoint, all [][2]int, class, colour, dashes string) {
	f.open("g", "class", class, "color", colour, "fill", "none", "stroke", "currentColor", "stroke-width", 2,
		"stroke-linejoin", "round", "stroke-linecap", "round", "stroke-dasharray", dashes)
	for _, run := range all {
		if run[1]-run[0] > 1 {
			f.mark("path", "d", p.line(points, run), "vector-effect", "non-scaling-stroke")
		}
	}
	f.close("g")
}

// dots are the points, each with its words. A long series is drawn as a line and its points are only places to point
// at; a very long one has only those points that have no neighbour, which no line would show.
func (f *frame) dots(l language.Language, d Trend, p plot, points []TrendPoint, all [][2]int, hollow bool) {
	if hollow {
		f.open("g", "class", "chart-still chart-hollow", "color", inkSoft, "fill", paper, "stroke", "currentColor", "stroke-width", "1.5")
	} else {
		f.open("g", "fill", "currentColor")
	}
	for _, run := range all {
		alone := run[1]-run[0] == 1
		for i := run[0]; i < run[1]; i++ {
			if p.steps > trendSpoken && !alone {
				break
			}
			fig := points[i].Figure.tidy()
			attributes := []any{"cx", across(p.x(i)), "cy", p.y(fig.Value), "r", 3}
			if p.steps > trendDotted && !alone {
				attributes = append(attributes, "fill", "none", "stroke", "none", "pointer-events", "all")
			}
			f.open("circle", attributes...)
			f.leaf("title", d.day(points[i])+": "+written(l, fig))
			f.close("circle")
		}
	}
	f.close("g")
}

// dates labels at most five steps.
func (f *frame) dates(d Trend, p plot) {
	points := d.Points
	if len(points) == 0 {
		points = d.Before
	}
	if len(points) == 0 {
		return
	}
	layout, most := "02/01", 5
	if d.Monthly || points[len(points)-1].Day.Sub(points[0].Day) > 300*24*time.Hour {
		layout, most = "01/2006", 3
	}
	var steps []int
	for i, point := range points {
		if layout == "02/01" || d.Monthly || point.Day.Day() == 1 { // a long series of days is labelled where months begin
			steps = append(steps, i)
		}
	}
	stride := max(1, (len(steps)+most-1)/most)
	if layout == "02/01" && stride > 3 && stride < 7 {
		stride = 7
	}
	for n := 0; n < len(steps); n += stride {
		i := steps[n]
		x := across(p.x(i))
		f.mark("line", "class", "chart-grid", "x1", x, "x2", x, "y1", trendHeight, "y2", trendHeight+5, "stroke", line)
		f.words(soft(), points[i].Day.Format(layout), "x", x, "y", trendHeight+19, "text-anchor", dateAnchor(p.x(i), len(layout)))
	}
}

// dateAnchor keeps a date of a known length within the drawing; left of the plot there is room enough.
func dateAnchor(at float64, letters int) string {
	if at > 1-0.008*float64(letters) {
		return "end"
	}
	return "middle"
}

// heading says the newest share and, where there are two series, which line is which.
func (f *frame) heading(l language.Language, d Trend, mine [][2]int) {
	y := 14
	if len(mine) > 0 {
		end := d.Points[mine[len(mine)-1][1]-1]
		f.words(figure(), l.Text("chart.latest", "day", d.day(end), "share", percent(l, end.Figure.tidy().Value)), "y", y)
	}
	if len(d.Before) == 0 {
		return
	}
	for i, name := range []string{d.Name, d.BeforeName} {
		y += 22
		attributes := []any{"stroke", "currentColor", "stroke-width", 2, "stroke-linecap", "round"}
		fill := "currentColor"
		if i == 1 {
			attributes = append(attributes, "class", "chart-still chart-hollow", "color", inkSoft, "stroke-dasharray", "2 5")
			fill = paper
		}
		f.open("g", attributes...)
		f.mark("line", "x1", 1, "x2", 27, "y1", y-4, "y2", y-4)
		f.mark("circle", "cx", 14, "cy", y-4, "r", 3, "fill", fill, "stroke-width", "1.5", "stroke-dasharray", "none")
		f.close("g")
		f.words(soft(), fit(name, 12, 205), "x", 36, "y", y)
	}
}

// Table has a row a step; the other period stands beside it.
func (d Trend) Table(l language.Language) Table {
	first := l.Text("chart.head_day")
	if d.Monthly {
		first = l.Text("chart.head_month")
	}
	t := Table{Caption: d.Title, Head: figureHead(l, first), Figures: 1}
	if len(d.Before) > 0 {
		t.Head = append(figureHead(l, d.Name+": "+first), figureHead(l, d.BeforeName+": "+first)...)
	}
	empty := make([]string, 5)
	for i := range max(len(d.Points), len(d.Before)) {
		row := empty
		if i < len(d.Points) {
			row = figureCells(l, d.day(d.Points[i]), d.Points[i].Figure)
		}
		if len(d.Before) > 0 {
			second := empty
			if i < len(d.Before) {
				second = figureCells(l, d.day(d.Before[i]), d.Before[i].Figure)
			}
			row = append(row[:len(row):len(row)], second...)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
