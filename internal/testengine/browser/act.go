package browser

import (
	"context"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// place is where to click, or why not yet.
type place struct {
	X, Y float64
	Why  string
}

const placeOf = `
const e = all(args[0])[0];
if (!e) return {Why: "there is none"};
if (!visible(e)) return {Why: "it cannot be seen"};
if (e.matches(":disabled")) return {Why: "it is disabled"};
e.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
const r = [...e.getClientRects()].find(r => r.width && r.height);
if (!r) return {Why: "it has no size"};
const X = r.left + r.width / 2, Y = r.top + r.height / 2, top = document.elementFromPoint(X, Y);
if (!top || !(e.contains(top) || top.contains(e) || (top.labels && [...top.labels].includes(e)) || (e.labels && [...e.labels].some(l => l.contains(top)))))
	return {Why: "it is covered by " + (top ? top.outerHTML.slice(0, 120) : "nothing on the screen")};
return {X, Y};`

// Click presses the mouse on the first such element, once people can see it, it stands still and nothing covers it.
func (p *Page) Click(selector string) {
	p.t.Helper()
	var last, now place
	p.poll("click "+selector, func(ctx context.Context) (_ bool, err error) {
		last = now
		if now, err = evaluate[place](ctx, with(placeOf, selector)); err == nil && now.Why != "" {
			err = context.DeadlineExceeded // asked again; said at the end
			return false, fmt.Errorf("%s: %w", now.Why, err)
		}
		return err == nil && now == last, err
	})
	mouse := input.DispatchMouseEventParams{X: now.X, Y: now.Y, Type: chromedp.MouseMoved}
	call(p, input.DispatchMouseEvent, mouse)
	mouse.Button, mouse.ClickCount = input.MouseButtonLeft, 1
	for _, mouse.Type = range []input.DispatchMouseEventType{chromedp.MousePressed, chromedp.MouseReleased} {
		call(p, input.DispatchMouseEvent, mouse)
	}
}

// Fill puts a text into the first such field in place of what stood there, at once, as pasting does: fields and text areas, dates as
// yyyy-mm-dd, and lists by value or by the words of the choice. Boxes are clicked.
func (p *Page) Fill(selector, text string) {
	p.t.Helper()
	switch *first[string](p, selector, fill, text) {
	case "missing choice":
		p.fatal("%s has no choice %q", selector, text)
	case "typed":
		if text == "" {
			p.Press("Backspace")
			return
		}
		call(p, input.InsertText, input.InsertTextParams{Text: text})
	}
}

const fill = `
const e = all(args[0])[0];
if (!e || !visible(e) || e.matches(":disabled")) return null;
const changed = () => { for (const name of ["input", "change"]) e.dispatchEvent(new Event(name, {bubbles: true})); return "done" };
if (e.localName === "select") {
	const choice = [...e.options].find(o => o.value === args[1]) ?? [...e.options].find(o => o.text.trim().normalize("NFC") === args[1].normalize("NFC"));
	if (!choice) return "missing choice";
	e.focus();
	e.value = choice.value;
	return changed();
}
e.focus();
if (document.activeElement !== e) return null;
if (["date", "time", "month", "week", "datetime-local", "color", "range"].includes(e.type)) {
	e.value = args[1];
	return changed();
}
e.select?.();
return "typed";`

// Type types a text where the focus is, key by key.
func (p *Page) Type(text string) {
	p.t.Helper()
	p.keys(text)
}

// Press presses keys one after the other: "Tab", "Enter", "Escape", "Space", "ArrowDown", "Home", "F1", a letter or digit, each
// with "Shift+", "Ctrl+" or "Alt+" before it where wanted.
func (p *Page) Press(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		var held []chromedp.Modifier
		for name, modifier := range map[string]chromedp.Modifier{"Shift+": chromedp.ModifierShift, "Ctrl+": chromedp.ModifierCtrl, "Alt+": chromedp.ModifierAlt} {
			if strings.Contains(key, name) {
				key = strings.Replace(key, name, "", 1)
				held = append(held, modifier)
			}
		}
		text, named := named[key]
		if !named {
			if text = key; len([]rune(key)) != 1 {
				p.fatal("no key is called %q", key)
			}
		}
		p.keys(text, chromedp.KeyModifiers(held...))
	}
}

func (p *Page) keys(text string, options ...chromedp.KeyOption) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Limit)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.KeyEvent(text, options...)); err != nil {
		p.fatal("press %q: %v", text, err)
	}
}

var named = map[string]string{
	"Tab": kb.Tab, "Enter": kb.Enter, "Escape": kb.Escape, "Space": " ", "Backspace": kb.Backspace, "Delete": kb.Delete,
	"ArrowDown": kb.ArrowDown, "ArrowUp": kb.ArrowUp, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
	"Home": kb.Home, "End": kb.End, "PageUp": kb.PageUp, "PageDown": kb.PageDown,
	"F1": kb.F1, "F2": kb.F2, "F3": kb.F3, "F4": kb.F4, "F5": kb.F5, "F6": kb.F6, "F7": kb.F7, "F8": kb.F8, "F9": kb.F9, "F10": kb.F10,
}
