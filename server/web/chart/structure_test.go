package chart

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/language"
)

// sane is a figure as statistics give it.
func sane() *rapid.Generator[Figure] {
	return rapid.Custom(func(t *rapid.T) Figure {
		n := rapid.IntRange(1, 100_000).Draw(t, "n")
		f := wilson(rapid.IntRange(0, n).Draw(t, "k"), n)
		f.Suppressed = false
		return f
	})
}

func circles(n *node) []*node { return n.every(elements("circle")) }

func TestRankingKeepsTheOrderOfShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var units []Ranked
		for i, f := range rapid.SliceOfN(sane(), 1, 60).Draw(t, "figures") {
			units = append(units, Ranked{Name: fmt.Sprint(i), Figure: f})
		}
		root := parse(t, Ranking{Units: units}.SVG(language.Vietnamese, "r"))
		dots := circles(root)
		if len(dots) != len(units) {
			t.Fatalf("%d dots for %d units", len(dots), len(units))
		}
		whiskers := root.every(func(n *node) bool { return n.name == "line" && n.attributes["stroke-opacity"] == "0.45" })
		for i := range units {
			at := hundredths(t, dots[i].attributes["cx"])
			low, high := hundredths(t, whiskers[i].attributes["x1"]), hundredths(t, whiskers[i].attributes["x2"])
			if low > at || at > high {
				t.Fatalf("the dot at %v is outside its interval %v–%v", at, low, high)
			}
			for j := range i {
				other := hundredths(t, dots[j].attributes["cx"])
				if (units[i].Figure.Value-units[j].Figure.Value)*(at-other) < 0 {
					t.Fatalf("%v stands at %v, %v at %v", units[i].Figure.Value, at, units[j].Figure.Value, other)
				}
			}
		}
	})
}

func TestTrendStandsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var points []TrendPoint
		for i, f := range rapid.SliceOfN(sane(), 1, trendSpoken).Draw(t, "figures") {
			points = append(points, TrendPoint{time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC), f})
		}
		dots := circles(parse(t, Trend{Points: points}.SVG(language.Vietnamese, "r")))
		if len(dots) != len(points) {
			t.Fatalf("%d dots for %d points", len(dots), len(points))
		}
		for i := 1; i < len(dots); i++ {
			if hundredths(t, dots[i].attributes["cx"]) <= hundredths(t, dots[i-1].attributes["cx"]) {
				t.Fatalf("point %d is not right of the one before", i)
			}
			var y [2]float64
			for k := range y {
				if _, err := fmt.Sscan(dots[i-1+k].attributes["cy"], &y[k]); err != nil || y[k] < 0 || y[k] > trendHeight {
					t.Fatalf("y %q", dots[i-1+k].attributes["cy"])
				}
			}
			if (points[i].Figure.Value-points[i-1].Figure.Value)*(y[1]-y[0]) > 0 { // up is less
				t.Fatalf("%v above %v stands below it", points[i].Figure.Value, points[i-1].Figure.Value)
			}
		}
	})
}

func TestTrendLeavesGaps(t *testing.T) {
	f := Figure{0.8, 0.7, 0.9, 50, false}
	day := func(i int, f Figure) TrendPoint { return TrendPoint{time.Date(2026, 11, i, 0, 0, 0, 0, time.UTC), f} }
	hidden := Figure{0.1234, 0.1, 0.2, 3, true}
	lines := func(n *node) int {
		return len(n.every(func(n *node) bool { return n.name == "path" && n.attributes["vector-effect"] != "" }))
	}
	for _, c := range []struct {
		name        string
		points      []TrendPoint
		lines, dots int
		hatched     int
	}{
		{"one point", []TrendPoint{day(1, f)}, 0, 1, 0},
		{"whole", []TrendPoint{day(1, f), day(2, f), day(3, f)}, 1, 3, 0},
		{"none between", []TrendPoint{day(1, f), day(2, f), day(3, Figure{}), day(4, f), day(5, f)}, 2, 4, 0},
		{"hidden between", []TrendPoint{day(1, f), day(2, hidden), day(3, hidden), day(4, f), day(5, f)}, 1, 3, 1},
		{"hidden at both ends", []TrendPoint{day(1, hidden), day(2, f), day(3, hidden)}, 0, 1, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := sound(t, Trend{Points: c.points}.SVG(language.Vietnamese, "r"))
			hatched := len(root.every(func(n *node) bool { return n.attributes["class"] == "chart-hidden" }))
			if lines(root) != c.lines || len(circles(root)) != c.dots || hatched != c.hatched {
				t.Errorf("%d lines, %d dots, %d hatched; want %d, %d, %d", lines(root), len(circles(root)), hatched, c.lines, c.dots, c.hatched)
			}
		})
	}
}

func TestLongTrendStaysSmall(t *testing.T) {
	var points []TrendPoint
	for i := range 400 {
		points = append(points, TrendPoint{time.Date(2025, 11, 1+i, 0, 0, 0, 0, time.UTC), wilson(60+i%30, 100)})
	}
	svg := Trend{Points: points, Before: points}.SVG(language.Vietnamese, "r")
	sound(t, svg)
	if len(svg) > 25_000 {
		t.Errorf("%d bytes", len(svg))
	}
}

// TestWhatIsHiddenStaysHidden looks for the numbers of a suppressed figure anywhere in drawing and table.
func TestWhatIsHiddenStaysHidden(t *testing.T) {
	hidden := Figure{Value: 0.7654, Low: 0.6543, High: 0.8765, N: 3219, Suppressed: true}
	open := Figure{Value: 0.5, Low: 0.4, High: 0.6, N: 100}
	for _, d := range []Drawing{
		Interval{"a", hidden, Good},
		Distribution{Title: "a", Counts: [5]int{0, 0, 7654, 3219, 765}, Suppressed: true},
		Channels{Title: "a", Channels: []Channel{{"b", open}, {"c", hidden}}, Pooled: hidden},
		Trend{Title: "a", Points: []TrendPoint{{time.Time{}, open}, {time.Time{}, hidden}}, Before: []TrendPoint{{time.Time{}, hidden}}},
		Ranking{Title: "a", Units: []Ranked{{"b", "", open, false}, {"c", "", hidden, true}}, Parent: hidden, ParentName: "p"},
		Reasons{Title: "a", Reasons: []Reason{{"b", 3219, ""}}, N: 7654, Suppressed: true},
		Heat{Title: "a", Cells: [7][24]Figure{{8: open, 9: hidden}}},
		Difference{"a", 0.2654, 0.1, 0.3, hidden, open, Good},
		Difference{"a", 0.2654, 0.1, 0.3, open, hidden, Good},
	} {
		for _, l := range language.All {
			text := string(Block(l, "x", d))
			for _, number := range []string{"76,5", "76.5", "77", "65,4", "65.4", "87,7", "87.7", "3.219", "3,219", "3219", "7654", "7.654", "7,654", "26,5", "26.5", "765"} {
				if strings.Contains(text, number) {
					t.Errorf("%T tells %s: %s", d, number, text)
				}
			}
			if !strings.Contains(text, l.Text("chart.suppressed")) && !strings.Contains(text, l.Text("chart.suppressed_short")) {
				t.Errorf("%T does not say that figures are hidden", d)
			}
		}
	}
}

func TestEmptyIsASentence(t *testing.T) {
	for _, d := range []Drawing{Interval{}, Distribution{}, Channels{}, Trend{}, Trend{Points: make([]TrendPoint, 30)}, Ranking{}, Reasons{}, Reasons{Reasons: make([]Reason, 3)}, Heat{}, Difference{}, Spark{}, Spark{Counts: make([]int, 30)}} {
		svg := string(d.SVG(language.Vietnamese, "x"))
		sound(t, Block(language.Vietnamese, "x", d))
		if strings.Contains(svg, "<svg") || !strings.Contains(svg, "hưa") && !strings.Contains(svg, "Không có") {
			t.Errorf("%T: %s", d, svg)
		}
	}
}

func TestPooledStandsLastAndApart(t *testing.T) {
	f := Figure{0.5, 0.4, 0.6, 100, false}
	d := Channels{Title: "Kênh", Channels: []Channel{{"Quầy", f}, {"Web", f}}, Pooled: f}
	rows := parse(t, d.SVG(language.Vietnamese, "x")).every(func(n *node) bool { return n.attributes["class"] == "chart-row" })
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, row := range rows {
		diamond := len(row.every(elements("path"))) == 1
		rule := len(row.every(func(n *node) bool { return n.attributes["class"] == "chart-rule" })) == 1
		if last := i == 2; diamond != last || rule != last {
			t.Errorf("row %d: diamond %v, set apart %v", i, diamond, rule)
		}
	}
	table := d.Table(language.Vietnamese).Rows
	if table[2][0] != "Gộp các kênh" {
		t.Errorf("the table ends with %q", table[2])
	}
}

func TestShareAxis(t *testing.T) {
	one := func(low, high float64) []Figure { return []Figure{{(low + high) / 2, low, high, 10, false}} }
	for _, c := range []struct {
		name      string
		low, high float64
		want      axis
	}{
		{"all", 0, 1, axis{0, 100, 20}},
		{"low shares begin at 0", 0.02, 0.11, axis{0, 20, 5}},
		{"a little above begins at 0", 0.2, 0.6, axis{0, 60, 20}},
		{"high shares", 0.81, 0.84, axis{70, 95, 5}},
		{"at the end", 0.99, 1, axis{80, 100, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := shareAxis(one(c.low, c.high)); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		figures := rapid.SliceOfN(anyFigure(), 0, 20).Draw(t, "figures")
		a := shareAxis(figures)
		if a.from < 0 || a.to > 100 || a.to-a.from < narrowest || len(a.ticks()) > 6 || (a.to-a.from)%a.step != 0 {
			t.Fatalf("%v", a)
		}
		for _, f := range figures {
			if f.standing() == shown {
				if f = f.tidy(); f.Low*100 < float64(a.from)-1e-6 || f.High*100 > float64(a.to)+1e-6 {
					t.Fatalf("%v does not hold %v", a, f)
				}
			}
		}
	})
}

func TestPointAxisIsEvenAboutZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := anyFloat().Draw(t, "v"), anyFloat().Draw(t, "w")
		a := pointAxis(v, w)
		ticks := a.ticks()
		if a.from != -a.to || a.to < 5 || a.to > 100 || len(ticks)%2 != 1 || ticks[len(ticks)/2] != 0 {
			t.Fatalf("%v: %v", a, ticks)
		}
	})
}

func TestAxisThatDoesNotBeginAtZeroSaysSo(t *testing.T) {
	f := Figure{0.82, 0.81, 0.84, 1000, false}
	for _, d := range []Drawing{Trend{Points: []TrendPoint{{time.Time{}, f}, {time.Time{}, f}}}, Ranking{Units: []Ranked{{"a", "", f, false}}}} {
		if text := string(d.SVG(language.Vietnamese, "x")); !strings.Contains(text, "Trục bắt đầu từ 70\u00a0%, không phải từ 0.") {
			t.Errorf("%T: %s", d, text)
		}
	}
}

func TestDifferenceSaysWhatMayBeSaid(t *testing.T) {
	f := Figure{0.5, 0.4, 0.6, 100, false}
	for _, c := range []struct {
		name             string
		value, low, high float64
		tone             Tone
		want             Verdict
		words, class     string
	}{
		{"up is good", 0.032, 0.011, 0.053, Good, Up, "Tăng 3,2 điểm phần trăm (khoảng tin cậy 95\u00a0%: +1,1 đến +5,3).", "chart-good"},
		{"up is bad", 0.032, 0.011, 0.053, Bad, Up, "Tăng 3,2", "chart-bad"},
		{"down is bad", -0.032, -0.053, -0.011, Good, Down, "Giảm 3,2 điểm phần trăm (khoảng tin cậy 95\u00a0%: −5,3 đến −1,1).", "chart-bad"},
		{"unsure", -0.006, -0.031, 0.019, Good, Unsure, "chưa đủ để nói là khác nhau", "chart-still"},
		{"touches zero", 0.01, 0, 0.02, Good, Unsure, "chưa đủ để nói là khác nhau", "chart-still"},
		{"nothing moved", 0, -0.01, 0.01, Good, Unsure, "Chênh lệch 0,0", "chart-still"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Difference{"Hài lòng", c.value, c.low, c.high, f, f, c.tone}
			svg := string(d.SVG(language.Vietnamese, "x"))
			if d.Verdict() != c.want || !strings.Contains(svg, c.words) || !strings.Contains(svg, `class="chart-svg `+c.class+`"`) {
				t.Errorf("verdict %v: %s", d.Verdict(), svg)
			}
		})
	}
}

func TestHeatWidensToWhereRatingsAre(t *testing.T) {
	f := Figure{0.5, 0.4, 0.6, 100, false}
	for _, c := range []struct {
		name  string
		hours []int
		rows  int
	}{{"office", []int{9}, 11}, {"early", []int{5}, 13}, {"late", []int{22}, 16}, {"all day", []int{0, 23}, 24}} {
		t.Run(c.name, func(t *testing.T) {
			var d Heat
			for _, hour := range c.hours {
				d.Cells[2][hour] = f
			}
			cells := sound(t, d.SVG(language.Vietnamese, "x")).every(elements("rect"))
			if len(cells) != 7*c.rows || len(d.Table(language.Vietnamese).Rows) != c.rows {
				t.Errorf("%d cells, %d rows; want %d rows", len(cells), len(d.Table(language.Vietnamese).Rows), c.rows)
			}
		})
	}
}

func TestWords(t *testing.T) {
	f := Figure{0.824, 0.801, 0.845, 1203, false}
	if got := written(language.Vietnamese, f); got != "82,4\u00a0% (80,1–84,5), n = 1.203" {
		t.Errorf("%q", got)
	}
	if got := written(language.English, f); got != "82.4% (80.1–84.5), n = 1,203" {
		t.Errorf("%q", got)
	}
	if got := decimal(language.Vietnamese, -0.04, 1); got != "0,0" {
		t.Errorf("%q", got)
	}
}

func TestTableAlignsFigures(t *testing.T) {
	root := parse(t, Interval{"Hài lòng", Figure{0.824, 0.801, 0.845, 1203, false}, Good}.Table(language.Vietnamese).HTML())
	numbers := root.every(func(n *node) bool { return n.name == "td" && n.attributes["class"] == "number" })
	heads := root.every(func(n *node) bool { return n.name == "th" && n.attributes["scope"] == "col" })
	if len(numbers) != 4 || len(heads) != 5 || len(root.every(func(n *node) bool { return n.attributes["scope"] == "row" })) != 1 {
		t.Errorf("%d figures, %d headings", len(numbers), len(heads))
	}
}
