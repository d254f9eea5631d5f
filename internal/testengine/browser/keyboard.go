package browser

import "strings"

// CheckKeyboard fails the test where what can be used with a mouse cannot be reached with the Tab key, or where nothing shows
// that it has the focus. Of a group of radio buttons one is enough: arrows move within it.
func (p *Page) CheckKeyboard() {
	p.t.Helper()
	Eval[bool](p, `(document.activeElement?.blur(), true)`)
	count := Eval[int](p, with(reachable+"return list.length"))
	reached, unseen := map[int]bool{}, map[string]bool{}
	for range 4*count + 10 { // dates have several parts; and once more around, for pages that begin elsewhere than at the top
		if len(reached) == count {
			break
		}
		p.Press("Tab")
		at := Eval[struct {
			At    int
			Shown bool
			What  string
		}](p, with(reachable+focused))
		if at.At < 0 {
			continue
		}
		reached[at.At] = true
		if !at.Shown {
			unseen[at.What] = true
		}
	}
	var problems []string
	for i, what := range Eval[[]string](p, with(reachable+"return list.map(describe)")) {
		if !reached[i] {
			problems = append(problems, "the Tab key does not reach "+what)
		}
	}
	for what := range unseen {
		problems = append(problems, "nothing shows the focus on "+what)
	}
	if len(problems) > 0 {
		p.t.Errorf("the page cannot be used with a keyboard:\n  %s\n  at %s", strings.Join(problems, "\n  "), p.URL())
	}
}

// reachable lists what a mouse can use, without the members of a radio group that the Tab key passes over.
const reachable = `
const describe = e => e.cloneNode(false).outerHTML.slice(0, 160) + " " + words(e).slice(0, 40);
const radios = e => [...document.querySelectorAll("input[type=radio]")].filter(o => o.name === e.name && o.form === e.form && visible(o) && !o.disabled);
const list = [...document.querySelectorAll("a[href],button,input,select,textarea,summary,[tabindex]")].filter(e =>
	visible(e) && !e.matches(":disabled") && e.type !== "hidden" && e.tabIndex >= 0 && !e.closest("[inert]") &&
	(e.type !== "radio" || (radios(e).find(o => o.checked) ?? radios(e)[0]) === e));
`

// focused tells which of them has the focus. A group of radio buttons entered backwards counts as its first. The focus shows as an
// outline or a shadow, on the element, its label or what stands beside it; dates and times show it on their parts.
const focused = `
let e = document.activeElement;
const shows = e => { const s = e && getComputedStyle(e); return !!s && (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== "none") };
const Shown = ["date", "time", "datetime-local", "month", "week"].includes(e.type) || [e, ...(e.labels ?? []), e.nextElementSibling, e.parentElement].some(shows);
if (e.type === "radio" && !list.includes(e)) e = list.find(o => o.type === "radio" && o.name === e.name && o.form === e.form) ?? e;
return {At: list.indexOf(e), Shown, What: describe(e)};`
