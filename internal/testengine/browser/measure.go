package browser

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// Weight is how many bytes were transferred, headers too, by kind: "document", "stylesheet", "script", "font", "image", "fetch" …
type Weight map[string]int

// Total is all of it.
func (w Weight) Total() int {
	total := 0
	for bytes := range maps.Values(w) {
		total += bytes
	}
	return total
}

// Weight waits until nothing is under way any more but streams of events, and answers what the page that is shown has cost. A
// page newly opened by the test has nothing in its cache.
func (p *Page) Weight() (weight Weight) {
	p.t.Helper()
	p.poll("wait until the page has fetched everything", func(context.Context) (ok bool, _ error) {
		weight, ok = p.seen.transferred()
		return ok, nil
	})
	return weight
}

// Timings waits until the page has been painted and answers when. Throttle before Go for a slow machine's figures.
func (p *Page) Timings() Timings {
	p.t.Helper()
	var found struct{ FirstByte, FirstPaint, Load, Blocking float64 }
	p.poll("wait until the page is painted", func(ctx context.Context) (_ bool, err error) {
		found, err = evaluate[struct{ FirstByte, FirstPaint, Load, Blocking float64 }](ctx, timings)
		return found.FirstPaint > 0 && found.Load > 0, err
	})
	since := func(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
	return Timings{FirstByte: since(found.FirstByte), FirstPaint: since(found.FirstPaint), Load: since(found.Load), Blocking: since(found.Blocking)}
}

// entries reads what the browser noted down, from the page's beginning.
const entries = `const entries = type => { const o = new PerformanceObserver(() => {}); o.observe({type, buffered: true}); const list = o.takeRecords(); o.disconnect(); return list; };`

const timings = `(() => {` + entries + `
const page = performance.getEntriesByType("navigation")[0];
const FirstPaint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
const Blocking = entries("longtask").filter(t => t.startTime + t.duration > FirstPaint).reduce((sum, t) => sum + Math.max(0, t.duration - 50), 0);
return {FirstByte: page?.responseStart ?? 0, FirstPaint, Load: page?.loadEventEnd ?? 0, Blocking};
})()`

// LayoutShift is the cumulative layout shift since the page was opened: the worst window of at most five seconds, without what
// follows a person's own input within half a second.
func (p *Page) LayoutShift() float64 {
	p.t.Helper()
	return Eval[float64](p, `(() => {`+entries+`
let worst = 0, sum = 0, from = 0, last = 0;
for (const shift of entries("layout-shift")) {
	if (shift.hadRecentInput) continue;
	if (!sum || shift.startTime - last > 1000 || shift.startTime - from > 5000) { sum = 0; from = shift.startTime; }
	sum += shift.value;
	last = shift.startTime;
	worst = Math.max(worst, sum);
}
return worst;
})()`)
}

// NoHorizontalScroll fails the test where the page is wider than the window at its present size, and names what sticks out.
func (p *Page) NoHorizontalScroll() {
	p.t.Helper()
	if wide := Eval[[]string](p, with(tooWide)); len(wide) > 0 {
		slices.Sort(wide)
		p.t.Errorf("the page is wider than its window:\n  %s\n  at %s", strings.Join(wide, "\n  "), p.URL())
	}
}

const tooWide = `
const root = document.documentElement, width = root.clientWidth;
if (root.scrollWidth <= width) return [];
const scrolls = e => e && e !== document.body && e !== root && (getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
const out = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 0.5 && !scrolls(e.parentElement))
	.filter((e, _, list) => ![...e.children].some(c => list.includes(c))).slice(0, 10)
	.map(e => Math.round(e.getBoundingClientRect().right) + " px: " + e.cloneNode(false).outerHTML.slice(0, 160) + words(e).slice(0, 60));
return ["window " + width + " px, page " + root.scrollWidth + " px", ...out];`
