package browser

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// finders are the page's side of a selector: all elements it names, and whether people can see one.
const finders = `
const all = selector => !selector.startsWith("text=") ? [...document.querySelectorAll(selector)] :
	[...document.querySelectorAll("a,button,summary,label,input[type=submit],[role=button],[role=tab],[role=menuitem]")].filter(e =>
		(e.innerText || e.value || "").trim().normalize("NFC") === selector.slice(5).normalize("NFC"));
const visible = e => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length > 0;
const words = e => (e.innerText ?? e.textContent ?? "").trim();
`

// with makes an expression of a function body over arguments, with the finders at hand.
func with(body string, args ...any) string {
	encoded := make([]string, len(args))
	for i, arg := range args {
		text, err := json.Marshal(arg)
		if err != nil {
			panic(err) // an argument of this package's own
		}
		encoded[i] = string(text)
	}
	return "((...args) => {" + finders + body + "})(" + strings.Join(encoded, ",") + ")"
}

func run[T any](p *Page, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, Limit)
	defer cancel()
	return evaluate[T](ctx, expression)
}

// evaluate asks the page without the page's content security policy having a say.
func evaluate[T any](ctx context.Context, expression string) (T, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise, func(params *runtime.EvaluateParams) {
		params.AllowUnsafeEvalBlockedByCSP = new(true)
	}))
}

// Eval answers what a JavaScript expression is on the page; a promise is waited for.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	var value T
	p.poll(short(expression), func(ctx context.Context) (_ bool, err error) {
		value, err = evaluate[T](ctx, expression)
		return err == nil, err
	})
	return value
}

func short(expression string) string {
	if len(expression) > 200 {
		return expression[:200] + "…"
	}
	return expression
}

// Until waits until a JavaScript expression is true on the page.
func (p *Page) Until(expression string) {
	p.t.Helper()
	p.poll("wait until "+short(expression), func(ctx context.Context) (bool, error) {
		return evaluate[bool](ctx, "!!("+expression+")")
	})
}

// WaitFor waits until people can see an element.
func (p *Page) WaitFor(selector string) {
	p.t.Helper()
	p.poll("wait for "+selector, func(ctx context.Context) (bool, error) {
		return evaluate[bool](ctx, with("return all(args[0]).some(visible)", selector))
	})
}

// WaitGone waits until nobody can see such an element.
func (p *Page) WaitGone(selector string) {
	p.t.Helper()
	p.poll("wait until gone: "+selector, func(ctx context.Context) (bool, error) {
		return evaluate[bool](ctx, with("return !all(args[0]).some(visible)", selector))
	})
}

// WaitText waits until an element shows the text, in it or as all of it, whether composed or decomposed.
func (p *Page) WaitText(selector, text string) {
	p.t.Helper()
	p.poll("wait for the text "+text+" in "+selector, func(ctx context.Context) (bool, error) {
		return evaluate[bool](ctx, with(`return all(args[0]).some(e => visible(e) && words(e).normalize("NFC").includes(args[1].normalize("NFC")))`, selector, text))
	})
}

// Text waits for the first such element and answers its text as it is shown.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	return *first[string](p, selector, "return all(args[0]).map(words)[0] ?? null")
}

// Texts answers the text of every such element there is now.
func (p *Page) Texts(selector string) []string {
	p.t.Helper()
	return Eval[[]string](p, with("return all(args[0]).map(words)", selector))
}

// Count is how many such elements there are now.
func (p *Page) Count(selector string) int {
	p.t.Helper()
	return Eval[int](p, with("return all(args[0]).length", selector))
}

// Exists tells whether there is such an element now, shown or not.
func (p *Page) Exists(selector string) bool {
	p.t.Helper()
	return p.Count(selector) > 0
}

// Visible tells whether people can see such an element now.
func (p *Page) Visible(selector string) bool {
	p.t.Helper()
	return Eval[bool](p, with("return all(args[0]).some(visible)", selector))
}

// Attribute waits for the first such element and answers its attribute; "" where it has none.
func (p *Page) Attribute(selector, name string) string {
	p.t.Helper()
	return *first[string](p, selector, `const e = all(args[0])[0]; return e ? e.getAttribute(args[1]) ?? "" : null`, name)
}

// Value waits for the first such field and answers what stands in it.
func (p *Page) Value(selector string) string {
	p.t.Helper()
	return *first[string](p, selector, `const e = all(args[0])[0]; return e ? String(e.value ?? "") : null`)
}

// Checked waits for the first such box and tells whether it is ticked.
func (p *Page) Checked(selector string) bool {
	p.t.Helper()
	return *first[bool](p, selector, `const e = all(args[0])[0]; return e ? !!e.checked : null`)
}

// Focused describes the element that has the focus, such as `button#save "Lưu"`; "" where none has.
func (p *Page) Focused() string {
	p.t.Helper()
	return Eval[string](p, with(`const e = document.activeElement;
		if (!e || e === document.body || e === document.documentElement) return "";
		return e.localName + (e.id ? "#" + e.id : e.name ? "[name=" + e.name + "]" : "") + " " + JSON.stringify(words(e).slice(0, 60))`))
}

// first waits until a function body answers something other than null.
func first[T any](p *Page, selector, body string, args ...any) *T {
	p.t.Helper()
	var value *T
	p.poll("wait for "+selector, func(ctx context.Context) (_ bool, err error) {
		value, err = evaluate[*T](ctx, with(body, append([]any{selector}, args...)...))
		return value != nil, err
	})
	return value
}

// Timings are when things happened on the page that is shown.
type Timings struct {
	FirstByte  time.Duration // since the page was asked for
	FirstPaint time.Duration // first contentful paint
	Load       time.Duration // everything the page names was there
	Blocking   time.Duration // total blocking time: what tasks after the first paint took beyond 50 ms each
}
