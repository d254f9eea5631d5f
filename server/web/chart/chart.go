// Package chart draws the figures of the leader's pages as SVG on the server: pure functions from plain values to
// markup, without JavaScript, style attributes or style elements, so that the strictest content policy holds.
//
// Every drawing says the same thing three times: as marks, as words (a title and a description that a screen reader
// speaks), and as a table of the very same figures. Nothing is told by colour alone.
//
// A drawing fills the width it is given. Lengths across are percentages and letters keep their size, so that a chart
// is as readable on a screen of 320 px as on a wide one; it never shrinks its text the way a scaled picture would.
// Notes stand under the drawing as ordinary paragraphs, because those wrap.
package chart

import (
	_ "embed" // the style sheet
	"fmt"
	"html/template"
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/hailong-vn/hailong/internal/language"
)

// Styles is the style sheet of the charts; the site appends it to its own. It speaks the site's custom properties
// --ink, --ink-soft, --line, --paper, --accent, --bad, --neutral, --good and --band. Without it the presentation
// attributes of each mark still give a readable drawing on white paper.
//
//go:embed chart.css
var Styles string

// Drawing is a chart with its companion table.
type Drawing interface {
	// SVG draws the chart. The id must be unique on the page; titles, patterns and the like derive their ids from it.
	SVG(l language.Language, id string) template.HTML
	// Table gives the figures behind the drawing.
	Table(l language.Language) Table
}

// blockSize is room for most blocks, in bytes.
const blockSize = 16 << 10

// Block is a drawing as a page shows it: the chart, and its table behind a disclosure that works without scripts.
func Block(l language.Language, id string, d Drawing) template.HTML {
	var c canvas
	c.b.Grow(blockSize)
	c.open("div", "class", "chart")
	c.raw(d.SVG(l, id))
	c.open("details", "class", "chart-data")
	c.leaf("summary", l.Text("chart.table_show"))
	c.raw(d.Table(l).HTML())
	c.close("details")
	c.close("div")
	return c.html()
}

// Blocks are the blocks of a page by name, which is each one's id. They are drawn by all processors at once: what a leader waits for is
// the longest, not their sum.
func Blocks(l language.Language, drawings map[string]Drawing) map[string]template.HTML {
	type block struct {
		name string
		html template.HTML
	}
	names, done := make(chan string, len(drawings)), make(chan block, len(drawings))
	for name := range drawings {
		names <- name
	}
	close(names)
	var failed atomic.Value
	var drawing sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(drawings)) {
		drawing.Go(func() {
			defer func() { // a panic belongs to the request that asked
				if p := recover(); p != nil {
					failed.Store(fmt.Sprintf("%v\n%s", p, debug.Stack()))
				}
			}()
			for name := range names {
				done <- block{name, Block(l, name, drawings[name])}
			}
		})
	}
	drawing.Wait()
	if p := failed.Load(); p != nil {
		panic(p)
	}
	close(done)
	drawn := make(map[string]template.HTML, len(drawings))
	for one := range done {
		drawn[one.name] = one.html
	}
	return drawn
}

// Figure is a share (0..1) with its 95 % interval and the number of ratings it rests on. A suppressed figure rests on
// too few to be shown; whatever numbers it still carries are never drawn or written.
type Figure struct {
	Value, Low, High float64
	N                int
	Suppressed       bool
}

type standing int

const (
	shown    standing = iota // a figure to draw
	withheld                 // too few ratings
	missing                  // no ratings, or numbers that are none
)

func (f Figure) standing() standing {
	switch {
	case f.Suppressed:
		return withheld
	case f.N <= 0 || !finite(f.Value):
		return missing
	}
	return shown
}

// tidy gives a figure within 0..1 whose interval holds its value; an interval that is no number is left out by
// closing it on the value.
func (f Figure) tidy() Figure {
	f.Value = clamp(f.Value, 0, 1)
	if !finite(f.Low) || !finite(f.High) {
		f.Low, f.High = f.Value, f.Value
	}
	f.Low = clamp(f.Low, 0, f.Value)
	f.High = clamp(f.High, f.Value, 1)
	return f
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func clamp(v, low, high float64) float64 {
	if !(v >= low) {
		return low
	}
	return min(v, high)
}
