package chart

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/language"
)

// node is a parsed element.
type node struct {
	name       string
	attributes map[string]string
	text       string
	children   []*node
}

// parse reads markup strictly and fails the test if it is not well-formed.
func parse(t require, markup template.HTML) *node {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader("<root>" + string(markup) + "</root>"))
	root := &node{}
	stack := []*node{root}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v in %s", err, markup)
		}
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: token.Name.Local, attributes: map[string]string{}}
			for _, a := range token.Attr {
				if _, twice := n.attributes[a.Name.Local]; twice {
					t.Fatalf("attribute %s stands twice on %s in %s", a.Name.Local, n.name, markup)
				}
				n.attributes[a.Name.Local] = a.Value
			}
			top := stack[len(stack)-1]
			top.children = append(top.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			stack[len(stack)-1].text += string(token)
		}
	}
	return root.children[0]
}

type require interface {
	Helper()
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

func (n *node) walk(visit func(*node)) {
	visit(n)
	for _, child := range n.children {
		child.walk(visit)
	}
}

// every gives the elements that match.
func (n *node) every(match func(*node) bool) []*node {
	var found []*node
	n.walk(func(n *node) {
		if match(n) {
			found = append(found, n)
		}
	})
	return found
}

func elements(name string) func(*node) bool { return func(n *node) bool { return n.name == name } }

func (n *node) allText() string {
	var b strings.Builder
	n.walk(func(n *node) { b.WriteString(n.text + "\n") })
	return b.String()
}

var allowed = strings.Fields("root div svg title desc defs g line rect circle path text use pattern a p span table caption thead tbody tr th td details summary")

// sound checks what holds of every drawing: well-formed, no style, no script, no numbers that are none, unique ids,
// references that lead somewhere, a name and a description, letters of at least 12 px.
func sound(t require, markup template.HTML) *node {
	t.Helper()
	if !utf8.ValidString(string(markup)) {
		t.Fatalf("not UTF-8: %q", markup)
	}
	root := parse(t, markup)
	ids := map[string]bool{}
	root.walk(func(n *node) {
		if !strings.Contains(" "+strings.Join(allowed, " ")+" ", " "+n.name+" ") {
			t.Errorf("unexpected element %q", n.name)
		}
		for name, value := range n.attributes {
			if name == "style" || strings.HasPrefix(name, "on") {
				t.Errorf("%s carries %s=%q", n.name, name, value)
			}
			if name != "href" && name != "id" && (strings.Contains(value, "NaN") || strings.Contains(value, "Inf")) {
				t.Errorf("%s %s=%q", n.name, name, value)
			}
			if name == "href" && n.name == "a" && !strings.ContainsAny(value[:1], "/?#") {
				t.Errorf("link to %q", value)
			}
		}
		if id, ok := n.attributes["id"]; ok {
			if ids[id] {
				t.Errorf("id %q stands twice", id)
			}
			ids[id] = true
		}
		if size, err := strconv.ParseFloat(n.attributes["font-size"], 64); err == nil && size < 12 {
			t.Errorf("letters of %v px", size)
		}
	})
	root.walk(func(n *node) {
		for _, name := range []string{"aria-labelledby", "aria-describedby"} {
			if id, ok := n.attributes[name]; ok && !ids[id] {
				t.Errorf("%s leads to %q, which is not there", name, id)
			}
		}
		for _, name := range []string{"href", "fill"} {
			id, ok := strings.CutPrefix(n.attributes[name], "#")
			if name == "fill" {
				id, ok = strings.CutPrefix(strings.TrimSuffix(n.attributes[name], ")"), "url(#")
			}
			if ok && n.name != "a" && !ids[id] {
				t.Errorf("%s of %s leads to %q, which is not there", name, n.name, id)
			}
		}
		if role := n.attributes["role"]; role != "" && (n.attributes["aria-labelledby"] == "" || n.attributes["aria-describedby"] == "") {
			t.Errorf("a drawing without name or description")
		}
	})
	links := len(root.every(func(n *node) bool { return n.name == "a" }))
	images := len(root.every(func(n *node) bool { return n.attributes["role"] == "img" }))
	if links > 0 && images > 0 {
		t.Errorf("links inside an image cannot be reached")
	}
	if links == 0 && images == 0 && len(root.every(elements("svg"))) > 0 {
		t.Errorf("a drawing that is no image to a screen reader")
	}
	return root
}

// hundredths reads "12.5%".
func hundredths(t require, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !strings.HasSuffix(text, "%") {
		t.Fatalf("%q is no percentage", text)
	}
	return v
}

func TestDemonstrationIsSound(t *testing.T) {
	for _, l := range language.All {
		for _, d := range demonstration() {
			t.Run(string(l)+"/"+d.name, func(t *testing.T) {
				root := sound(t, Block(l, d.name, d.Drawing))
				if strings.Contains(root.allText(), "chart.") {
					t.Error("a text without words")
				}
			})
		}
	}
}

// hostile are texts that have broken pages before.
func hostile() []string {
	return []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onload='x`, `]]>`, `&amp;&#0;`, "a\x00b\x07c\u0085d", "\xff\xfe broken",
		strings.Repeat("Nguyễn Thị Hường ", 20), strings.Repeat("Nguyễn Thị Hường ", 5000), strings.Repeat("W", 300),
		"مرحبا بالعالم", "abc \u202egnp.exe", "a\u200bb\u2060c\ufeffd", "Z" + strings.Repeat("\u0301", 200), "e\u0302\u0301", "👨‍👩‍👧‍👦🇻🇳🇻🇳👍🏽", "\u200d\u200d", "", "   \n\t ",
		"\ufffe\uffff", "{name} {words}",
	}
}

func TestHostileTextStaysText(t *testing.T) {
	figure := Figure{0.5, 0.4, 0.6, 100, false}
	for i, text := range hostile() {
		for _, d := range []Drawing{
			Interval{text, figure, Good},
			Distribution{Title: text, Counts: [5]int{1, 2, 3, 4, 5}},
			Channels{Title: text, Channels: []Channel{{text, figure}}, Pooled: figure},
			Trend{Title: text, Name: text, BeforeName: text, Points: []TrendPoint{{time.Time{}, figure}}, Before: []TrendPoint{{time.Time{}, figure}}},
			Ranking{Title: text, ParentName: text, Parent: figure, Units: []Ranked{{text, "/units/" + text, figure, true}, {text, text, figure, false}, {text, "javascript:alert(1)", figure, false}, {text, "//evil.example/", figure, false}}},
			Reasons{Title: text, N: 3, Reasons: []Reason{{text, 3, `/ratings?a="b"`}}},
			Heat{Title: text, Cells: [7][24]Figure{{3: figure}}},
			Difference{text, 0.1, 0.05, 0.15, figure, figure, Good},
			Spark{Title: text, Counts: []int{1, 2}},
		} {
			t.Run(fmt.Sprintf("%d/%T", i, d), func(t *testing.T) {
				root := sound(t, Block(language.Vietnamese, text, d))
				for _, n := range root.every(elements("text")) {
					if len(clusters(n.text)) > 100 || strings.ContainsFunc(n.text, func(r rune) bool { return r >= 0x202a && r <= 0x202e || r == 0x200b || r < ' ' }) {
						t.Errorf("drawn: %q", n.text)
					}
				}
				for _, a := range root.every(elements("a")) {
					if href := a.attributes["href"]; strings.Contains(href, "evil") || strings.Contains(href, "script:") {
						t.Errorf("link to %q", href)
					}
				}
			})
		}
	}
}

func TestTheWholeNameIsInTheTitle(t *testing.T) {
	name := strings.TrimSpace(strings.Repeat("Trung tâm Phục vụ hành chính công ", 8))
	root := parse(t, Ranking{Units: []Ranked{{name, "/units/1", Figure{0.5, 0.4, 0.6, 100, false}, false}}}.SVG(language.Vietnamese, "x"))
	if len(root.every(func(n *node) bool { return n.name == "title" && strings.HasPrefix(n.text, name+":") })) != 1 {
		t.Error("no title holds the whole name")
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		name, text string
		width      float64
		end        string
		middle     string
	}{
		{"short stays", "Xã Sóc Sơn", 200, "Xã Sóc Sơn", "Xã Sóc Sơn"},
		{"composed", "Xa\u0303 So\u0301c So\u031bn", 200, "Xã Sóc Sơn", "Xã Sóc Sơn"},
		{"cut", "Trung tâm Phục vụ hành chính công phường Tây Hồ", 160, "Trung tâm Phục vụ h…", "Trung…phường Tây Hồ"},
		{"nothing fits", "Hà Nội", 10, "…", "…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fit(c.text, 14, c.width); got != c.end {
				t.Errorf("end: %q, want %q", got, c.end)
			}
			if got := fitMiddle(clusters(clean(c.text)), 14, c.width); got != c.middle {
				t.Errorf("middle: %q, want %q", got, c.middle)
			}
		})
	}
}

func TestFitNeverCutsLettersNorGrowsWide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom(hostile()),
			rapid.StringOfN(rapid.SampledFrom([]rune("aWiệ\u0301\u0323đ 👍🏽🇻🇳\u200d")), 0, 60, -1)).Draw(t, "text")
		width := rapid.Float64Range(20, 300).Draw(t, "width")
		whole := clusters(clean(text))
		for _, got := range []string{fit(text, 14, width), fitMiddle(clusters(clean(text)), 14, width)} {
			head, tail, cut := strings.Cut(got, ellipsis)
			if !cut || strings.Contains(text, ellipsis) {
				continue
			}
			if pixels(got, 14) > width+0.001 {
				t.Fatalf("%q takes %v of %v px", got, pixels(got, 14), width)
			}
			// What is left is clusters from both ends, whole.
			for i, part := range clusters(head) {
				if whole[i] != part {
					t.Fatalf("%q is cut within a letter of %q", got, text)
				}
			}
			ends := clusters(tail)
			for i := range ends {
				if want := whole[len(whole)-len(ends)+i]; ends[i] != want {
					t.Fatalf("%q ends within a letter of %q", got, text)
				}
			}
		}
	})
}

// anyFloat is numbers as they come, and as they should not.
func anyFloat() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64(), rapid.SampledFrom([]float64{0, 1, -1, 2, math.NaN(), math.Inf(1), math.Inf(-1)}))
}

func anyFigure() *rapid.Generator[Figure] {
	return rapid.Custom(func(t *rapid.T) Figure {
		return Figure{anyFloat().Draw(t, "value"), anyFloat().Draw(t, "low"), anyFloat().Draw(t, "high"), rapid.IntRange(-2, 2_000_000).Draw(t, "n"), rapid.Float64Range(0, 1).Draw(t, "hide") < 0.2}
	})
}

func TestAnyInputGivesASoundDrawing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		figure := anyFigure()
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom(hostile()))
		tone := Tone(rapid.IntRange(0, 4).Draw(t, "tone"))
		l := rapid.SampledFrom(language.All).Draw(t, "language")
		points := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) TrendPoint {
			return TrendPoint{time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "day"), 0).UTC(), figure.Draw(t, "figure")}
		}), 0, rapid.SampledFrom([]int{1, 5, 70}).Draw(t, "most"))
		var d Drawing
		switch rapid.IntRange(0, 8).Draw(t, "chart") {
		case 0:
			d = Interval{text.Draw(t, "label"), figure.Draw(t, "figure"), tone}
		case 1:
			d = Distribution{text.Draw(t, "title"), [5]int(rapid.SliceOfN(rapid.IntRange(-1, 1_000_000), 5, 5).Draw(t, "counts")), rapid.Bool().Draw(t, "hide")}
		case 2:
			d = Channels{text.Draw(t, "title"), rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Channel { return Channel{text.Draw(t, "name"), figure.Draw(t, "figure")} }), 0, 6).Draw(t, "channels"), figure.Draw(t, "pooled"), tone}
		case 3:
			d = Trend{text.Draw(t, "title"), text.Draw(t, "name"), text.Draw(t, "before"), points.Draw(t, "points"), points.Draw(t, "earlier"), rapid.Bool().Draw(t, "monthly"), tone}
		case 4:
			d = Ranking{text.Draw(t, "title"), rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Ranked {
				return Ranked{text.Draw(t, "name"), text.Draw(t, "href"), figure.Draw(t, "figure"), rapid.Bool().Draw(t, "follow")}
			}), 0, 70).Draw(t, "units"), figure.Draw(t, "parent"), text.Draw(t, "parent name"), tone}
		case 5:
			d = Reasons{text.Draw(t, "title"), rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Reason {
				return Reason{text.Draw(t, "label"), rapid.IntRange(-1, 1000).Draw(t, "count"), text.Draw(t, "href")}
			}), 0, 20).Draw(t, "reasons"), rapid.IntRange(-1, 1000).Draw(t, "n"), rapid.Bool().Draw(t, "hide")}
		case 6:
			var heat Heat
			heat.Title = text.Draw(t, "title")
			for range rapid.IntRange(0, 30).Draw(t, "cells") {
				heat.Cells[rapid.IntRange(0, 6).Draw(t, "day")][rapid.IntRange(0, 23).Draw(t, "hour")] = figure.Draw(t, "cell")
			}
			d = heat
		case 7:
			d = Difference{text.Draw(t, "label"), anyFloat().Draw(t, "value"), anyFloat().Draw(t, "low"), anyFloat().Draw(t, "high"), figure.Draw(t, "now"), figure.Draw(t, "before"), tone}
		case 8:
			d = Spark{text.Draw(t, "title"), time.Unix(0, 0), rapid.SliceOfN(rapid.IntRange(-1, 1000), 0, 400).Draw(t, "counts")}
		}
		root := sound(t, Block(l, text.Draw(t, "id"), d))
		if len(root.every(func(n *node) bool { return n.name == "svg" || n.attributes["class"] == "chart-empty" })) == 0 {
			t.Fatalf("neither a drawing nor a sentence")
		}
		table := d.Table(l)
		for _, row := range table.Rows {
			if len(row) != len(table.Head) {
				t.Fatalf("a row of %d cells under %d headings", len(row), len(table.Head))
			}
		}
		// Every place across stands within the drawing.
		root.walk(func(n *node) {
			for _, name := range []string{"x", "x1", "x2", "cx"} {
				if v := n.attributes[name]; strings.HasSuffix(v, "%") {
					if at := hundredths(t, v); at < 0 || at > 100 {
						t.Fatalf("%s %s=%s", n.name, name, v)
					}
				}
			}
		})
	})
}

type broken struct{}

func (broken) SVG(language.Language, string) template.HTML { panic("broken") }
func (broken) Table(language.Language) Table               { return Table{} }

// Blocks drawn at once are those drawn one by one, and one that breaks breaks its own request.
func TestBlocksAtOnce(t *testing.T) {
	drawings := map[string]Drawing{}
	for i := range 20 {
		drawings["d"+strconv.Itoa(i)] = Interval{Label: "Hài lòng", Figure: Figure{Value: float64(i) / 20, High: 1, N: 40}}
	}
	drawn := Blocks(language.Vietnamese, drawings)
	if len(drawn) != len(drawings) {
		t.Errorf("%d of %d were drawn", len(drawn), len(drawings))
	}
	for name, d := range drawings {
		if drawn[name] != Block(language.Vietnamese, name, d) {
			t.Errorf("%s is another one", name)
		}
	}
	if none := Blocks(language.Vietnamese, nil); len(none) != 0 {
		t.Errorf("nothing is drawn as %v", none)
	}
	defer func() {
		if recover() == nil {
			t.Error("nobody was told of the one that broke")
		}
	}()
	drawings["broken"] = broken{}
	Blocks(language.Vietnamese, drawings)
}
