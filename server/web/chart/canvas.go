package chart

import (
	"fmt"
	"html"
	"html/template"
	"strconv"
	"strings"
)

// canvas writes markup. Everything that goes through it is escaped, so that no caller can forget to.
type canvas struct{ b strings.Builder }

func (c *canvas) html() template.HTML {
	return template.HTML(c.b.String()) //nolint:gosec // every name is ours and every value went through escape
}

// raw appends what another canvas wrote.
func (c *canvas) raw(h template.HTML) { c.b.WriteString(string(h)) }

// open starts an element; attributes are pairs of a name and a value (string, int or float64).
func (c *canvas) open(name string, attributes ...any) {
	c.start(name, attributes)
	c.b.WriteByte('>')
}

func (c *canvas) close(name string) {
	c.b.WriteString("</")
	c.b.WriteString(name)
	c.b.WriteByte('>')
}

// mark writes an element without content.
func (c *canvas) mark(name string, attributes ...any) {
	c.start(name, attributes)
	c.b.WriteString("/>")
}

// leaf writes an element that holds only text.
func (c *canvas) leaf(name, text string, attributes ...any) {
	c.open(name, attributes...)
	c.b.WriteString(escape(text))
	c.close(name)
}

func (c *canvas) start(name string, attributes []any) {
	c.b.WriteByte('<')
	c.b.WriteString(name)
	for i := 0; i+1 < len(attributes); i += 2 {
		var value string
		switch v := attributes[i+1].(type) {
		case string:
			value = escape(v)
		case float64:
			value = number(v, 1)
		case int:
			value = strconv.Itoa(v)
		default:
			value = escape(fmt.Sprint(v))
		}
		c.b.WriteByte(' ')
		c.b.WriteString(attributes[i].(string))
		c.b.WriteString(`="`)
		c.b.WriteString(value)
		c.b.WriteByte('"')
	}
}

// words writes a text element in one of the three voices of the charts.
func (c *canvas) words(v voice, text string, attributes ...any) {
	all := append([]any{"class", v.class, "fill", v.fill, "font-size", v.size}, attributes...)
	if v.weight != "" {
		all = append(all, "font-weight", v.weight)
	}
	c.leaf("text", text, all...)
}

// voice is a way of writing in a chart: class for the style sheet, the rest for a page without one.
type voice struct{ class, fill, size, weight string }

func label() voice  { return voice{"chart-label", ink, "14", ""} }
func strong() voice { return voice{"chart-strong", ink, "14", "600"} }
func figure() voice { return voice{"chart-figure", ink, "13", "600"} }
func soft() voice   { return voice{"chart-soft", inkSoft, "12", ""} }

// The colours where no style sheet is: dark on white, as print wants it.
const (
	ink     = "#1b1f24"
	inkSoft = "#55606b"
	line    = "#c6cdd4"
	paper   = "#ffffff"
	accent  = "#1f5f99"
	bad     = "#a8382c"
	neutral = "#80868c"
	good    = "#2f7d4f"
	band    = "#d3e2f0"
)

// escape makes text safe between tags and within quotes.
func escape(text string) string {
	return html.EscapeString(text)
}

// number writes a length; what is no number becomes zero, so that a drawing never breaks.
func number(v float64, decimals int) string {
	if !finite(v) {
		v = 0
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}

// across is a share of the width.
func across(share float64) string { return number(share*100, 2) + "%" }

// identifier makes what the caller gave fit to be an id and part of a url(#…).
func identifier(id string) string {
	id = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, id)
	if id == "" || id[0] >= '0' && id[0] <= '9' || id[0] == '-' {
		return "chart" + id
	}
	return id
}

// frame is one drawing under way: the box, the svg with its title and description, and notes under it.
type frame struct {
	canvas
	id string
}

// begin opens a drawing. height is an SVG length; class and colour say the colour of its marks, which they take as the
// current colour. A drawing with links inside must not be an image to a screen
// reader, whose parts would be unreachable; it is a group instead.
func begin(id, title, description, height string, links bool, class, colour string, attributes ...any) *frame {
	f := &frame{id: identifier(id)}
	role := "img"
	if links {
		role = "group"
	}
	f.open("div", "class", "chart-frame")
	all := append([]any{"class", "chart-svg " + class, "color", colour, "role", role, "aria-labelledby", f.id + "-t", "aria-describedby", f.id + "-d",
		"width", "100%", "height", height, "font-family", "sans-serif"}, attributes...)
	f.open("svg", all...)
	f.leaf("title", full(title), "id", f.id+"-t")
	f.leaf("desc", description, "id", f.id+"-d")
	return f
}

// end closes the drawing and sets the notes that are not empty under it.
func (f *frame) end(notes ...string) template.HTML {
	f.close("svg")
	for _, note := range notes {
		if note != "" {
			f.leaf("p", note, "class", "chart-note")
		}
	}
	f.close("div")
	return f.html()
}

// sentence stands where there is nothing to draw.
func sentence(title, text string) template.HTML {
	var c canvas
	c.open("div", "class", "chart-frame")
	c.open("p", "class", "chart-empty")
	if title = full(title); title != "" {
		c.b.WriteString(escape(title) + ": ")
	}
	c.b.WriteString(escape(text))
	c.close("p")
	c.close("div")
	return c.html()
}

// hatch defines the pattern of suppressed places and answers how to fill with it.
func (f *frame) hatch() string {
	name := f.id + "-h"
	f.open("pattern", "id", name, "width", 6, "height", 6, "patternUnits", "userSpaceOnUse", "patternTransform", "rotate(45)")
	f.mark("path", "class", "chart-hatch", "d", "M0 0V6", "stroke", neutral, "stroke-width", "1.5", "stroke-opacity", "0.7")
	f.close("pattern")
	return "url(#" + name + ")"
}
