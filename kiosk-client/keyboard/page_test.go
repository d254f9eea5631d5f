package keyboard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/kiosk-client/keyboard"
)

func TestMain(m *testing.M) { browser.Main(m) }

const style = `*{box-sizing:border-box}body{margin:0;font:20px/1.5 "Noto Sans",system-ui,sans-serif;background:#fff;color:#1b2426;min-height:100vh;display:flex;flex-direction:column}` +
	`form{padding:16px;flex:1;display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:0 16px;align-content:start}h1{font-size:1.2rem;margin:8px 16px 0}textarea,input{width:100%;font:inherit;border:1px solid #77868a;color:inherit;background:inherit}@media(prefers-color-scheme:dark){body{background:#1a2123;color:#e9eeee}}`

// demo serves a page as a kiosk's screen would, under a strict policy: the fields and all kinds of keys.
func demo(t *testing.T, lang language.Language, tones keyboard.Style) string {
	t.Helper()
	page := fmt.Sprintf(`<!doctype html><html lang="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Bàn phím</title>`+
		`<link rel="icon" href="/style.css"><link rel="stylesheet" href="/style.css"><link rel="stylesheet" href="/keyboard/keyboard.css"><script type="module" src="/keyboard/keyboard.js"></script></head><body>`+
		`<main><h1>Góp ý</h1><form action="/sent"><div><label for="comment">Ý kiến</label><textarea id="comment" name="comment" data-keyboard="text" inputmode="none" maxlength="60" rows="2" autofocus></textarea></div>`+
		`<div><label for="phone">Điện thoại</label><input id="phone" name="phone" type="tel" data-keyboard="phone" inputmode="none"></div>`+
		`<div><label for="code">Mã</label><input id="code" name="code" data-keyboard="plain" inputmode="none"></div>`+
		`<div><label for="pin">PIN</label><input id="pin" name="pin" type="password" autocomplete="off" data-keyboard="number" inputmode="none"></div></form></main>%s</body></html>`,
		lang, keyboard.Part(lang, tones, keyboard.Text, keyboard.Phone, keyboard.Plain, keyboard.Number))
	mux := http.NewServeMux()
	mux.Handle("GET /keyboard/", http.StripPrefix("/keyboard/", http.FileServerFS(keyboard.Assets())))
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		_, _ = fmt.Fprint(w, style)
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, page)
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// tap taps keys one after the other: a letter or sign, or what a key does in angle brackets.
func tap(page *browser.Page, keys ...string) {
	for _, key := range keys {
		selector := `[data-sign="` + key + `"]`
		if does, ok := strings.CutPrefix(key, "<"); ok {
			selector = `[data-does="` + strings.TrimSuffix(does, ">") + `"]`
		}
		if label, ok := strings.CutPrefix(key, "="); ok {
			selector = "text=" + label
		} else {
			selector = ".kb-keys:not([data-off]) " + selector
		}
		page.Click(selector)
	}
}

func tapAll(page *browser.Page, letters string) { tap(page, strings.Split(letters, "")...) }

// TestKeys uses the keys as people do, on one page.
func TestKeys(t *testing.T) {
	page := browser.Open(t).Page(t, browser.Options{Width: 1024, Height: 600})
	page.Go(demo(t, language.Vietnamese, keyboard.NewStyle))
	holds := func(selector, want string) {
		t.Helper()
		if got := browser.Eval[string](page, `document.querySelector("`+selector+`").value`); got != want {
			t.Errorf("%s holds %q, want %q", selector, got, want)
		}
	}
	caret := func(want string) {
		t.Helper()
		got := browser.Eval[string](page, `(f => f.value.slice(0, f.selectionStart) + "|" + f.value.slice(f.selectionEnd))(document.activeElement)`)
		if got != want {
			t.Errorf("the focused field reads %q, want %q", got, want)
		}
	}
	empty := func(selector string) {
		page.Fill(selector, "")
		page.Until(`document.querySelector("` + selector + `").value === ""`)
	}

	page.Until(`document.querySelector(".kb-strip[data-empty]")`)
	tapAll(page, "tieengs")
	tap(page, "<space>")
	tapAll(page, "vieetj")
	caret("Tiếng việt|") // a sentence begins with a capital; the focus and the caret stay
	page.Type("x")
	caret("Tiếng việtx|") // a real keyboard writes what it says
	page.Press("Backspace")
	tap(page, "<left>", "<left>", "<erase>")
	caret("Tiếng v|ệt")
	tapAll(page, "i")
	caret("Tiếng vi|ệt")
	tap(page, "<right>", "<right>", ".", "<space>", "a")
	caret("Tiếng việt. A|")

	empty("#comment")
	tapAll(page, "duong")
	tap(page, "=Dương", "=Đương", "=Đường")
	caret("Đường|")
	tap(page, "<space>")
	tapAll(page, "test")
	page.Click("text=test") // the plain word, offered as every other
	caret("Đường test|")
	tap(page, "<typing>", "<space>")
	tapAll(page, "class")
	tap(page, "<space>")
	tapAll(page, "aass")
	caret("Đường test class aass|")
	tap(page, "<typing>", "<erase>", "<shift>", "<shift>", "<space>")
	tapAll(page, "ddoong")
	tap(page, "<shift>", "<space>", "a", "<shift>", "b", "c")
	caret("Đường test class aas ĐÔNG aBc|")
	tap(page, "<layer>", "q", "p", "x", "<layer>", "<line>", "d")
	caret("Đường test class aas ĐÔNG aBc10=\nD|")

	// Sixty characters and no more, as the field says; a word may still change its marks.
	page.Fill("#comment", strings.Repeat("a", 58)+" d")
	tap(page, "o", "d")
	caret(strings.Repeat("a", 58) + " đ|")
	empty("#comment")

	// Backspace held goes on until it is let go.
	page.Fill("#comment", "một hai ba bốn năm")
	const pointer = `document.querySelector(".kb-keys:not([data-off]) [data-does=erase]").dispatchEvent(new PointerEvent("%s", {bubbles: true, pointerId: 7}))`
	browser.Eval[bool](page, fmt.Sprintf(pointer, "pointerdown"))
	page.Until(`document.querySelector("#comment").value === ""`)
	browser.Eval[bool](page, fmt.Sprintf(pointer, "pointerup"))
	page.Fill("#comment", "còn nguyên")
	browser.Eval[bool](page, `new Promise(done => setTimeout(() => done(true), 250))`) // time for three more, did it go on
	caret("còn nguyên|")
	page.Fill("#comment", "e\u0301 a\u0323\u0302")
	caret("é ậ|") // what was pasted is brought into NFC
	empty("#comment")
	tapAll(page, "mootj")
	caret("Một|")
	browser.Eval[bool](page, `document.activeElement.setSelectionRange(0, 2), true`)
	tap(page, "<erase>")
	caret("|t")

	// A number has its groups, however it is written; the caret stays where it was among the digits.
	tap(page, "<done>")
	page.Until(`document.activeElement.id === "phone"`)
	tapAll(page, "0912345678")
	caret("0912 345 678|")
	tap(page, "<erase>", "<erase>")
	caret("0912 345 6|")
	browser.Eval[bool](page, `document.activeElement.setSelectionRange(6, 6), true`)
	tap(page, "<erase>", "7")
	caret("0912 7|45 6")
	empty("#phone")
	page.Type("02438251234")
	caret("024 3825 1234|")
	empty("#phone")
	page.Fill("#phone", "không có")
	holds("#phone", "không có") // what is no number is left as it is
	tap(page, "5")
	holds("#phone", "không có")

	page.Click("#pin")
	tapAll(page, "0912345")
	tap(page, "<erase>")
	holds("#pin", "091234")

	page.Click("#code")
	tapAll(page, "aass1")
	tap(page, "<shift>", "b", "-")
	caret("aass1B-|")
	browser.Eval[bool](page, `(document.activeElement.readOnly = true)`)
	tap(page, "a")
	holds("#code", "aass1B-")
	browser.Eval[bool](page, `(document.querySelector("#code").readOnly = false, true)`)

	// With a real keyboard one key is reached by Tab, the others by arrows from there.
	page.Click("#comment")
	page.CheckKeyboard()
	empty("#comment")
	browser.Eval[bool](page, `(document.querySelector(".kb-keys:not([data-off]) [data-sign=q]").focus(), true)`)
	page.Press("ArrowDown", "ArrowRight", "Enter", "Space")
	page.Until(`document.activeElement.dataset.sign === "s"`)
	holds("#comment", "Ss")
	if shift := page.LayoutShift(); shift > 0.001 {
		t.Errorf("the page moved by %v while keys were used", shift)
	}

	browser.Eval[bool](page, `(document.addEventListener("keyboard:done", e => { if (e.target.id === "code") { e.preventDefault(); document.title = "đã xong" } }), true)`)
	page.Click("#code")
	tap(page, "<done>")
	page.Until(`document.title === "đã xong"`)
	page.CheckConsole()
	page.Reload()
	page.Click("#pin")
	page.Submit(`.kb-keys:not([data-off]) [data-does="done"]`)
	if !strings.Contains(page.URL(), "/sent?comment=") {
		t.Errorf("after the last field the form was not sent: %s", page.URL())
	}
}

func TestEnglish(t *testing.T) {
	page := browser.Open(t).Page(t, browser.Options{Width: 1024, Height: 600, Dark: true})
	page.Go(demo(t, language.English, keyboard.OldStyle))
	tapAll(page, "boss")
	tap(page, "<space>", "<typing>")
	tapAll(page, "hoaf")
	page.Until(`document.activeElement.value === "Boss hòa"`)
	page.CheckAccessible()
	page.ScreenshotTop("keyboard-dark")
	page.CheckConsole()
}

func TestLook(t *testing.T) {
	page := browser.Open(t).Page(t, browser.Options{Width: 600, Height: 1024})
	page.Go(demo(t, language.Vietnamese, keyboard.NewStyle))
	page.Until(`document.querySelector(".kb-strip[data-empty]")`)
	page.ScreenshotTop("keyboard-empty")
	for _, size := range []struct {
		width, height int
		scale         float64
	}{{600, 1024, 1}, {1024, 600, 1}, {1920, 1080, 1}, {1024, 600, 2}} {
		name := fmt.Sprintf("keyboard-%dx%d-%v", size.width, size.height, size.scale)
		page.Resize(size.width, size.height, size.scale)
		for field, word := range map[string]string{"comment": "Nghieng", "phone": "0912345678", "code": "a1"} {
			page.Fill("#"+field, word)
			page.Until(`document.querySelector(".kb-keys:not([data-off])").dataset.kind === document.activeElement.dataset.keyboard`)
			page.ScreenshotTop(name + "-" + field)
			low := browser.Eval[[]string](page, `[...document.querySelectorAll(".kb-keys:not([data-off]) button")].filter(b => b.checkVisibility({visibilityProperty: true})).flatMap(b => {
				const r = b.getBoundingClientRect(), least = 60 / devicePixelRatio;
				return r.height < least || r.width < Math.min(least, 40 / devicePixelRatio) || b.scrollWidth > b.clientWidth + 1 ? [b.outerHTML.slice(0, 80) + " " + r.width + "x" + r.height] : [];
			})`)
			if len(low) > 0 {
				t.Errorf("%s: keys too small, or too small for their words: %s", name, strings.Join(low, "; "))
			}
		}
		page.CheckAccessible()
		if size.scale == 1 {
			if below := browser.Eval[float64](page, `document.querySelector(".kb").getBoundingClientRect().bottom - innerHeight`); below > 0 {
				t.Errorf("%s: the keys end %v pixels below the screen", name, below)
			}
		}
	}
	page.CheckConsole()
}

func TestDigits(t *testing.T) {
	for shown, want := range map[string]string{"0912 345 678": "0912345678", "+84 912.345-678": "+84912345678", "(024) 3825\u00a01234": "02438251234", "": "", "không": "không"} {
		if got := keyboard.Digits(shown); got != want {
			t.Errorf("Digits(%q) = %q, want %q", shown, got, want)
		}
	}
}

func TestStyleOf(t *testing.T) {
	if keyboard.StyleOf(true) != keyboard.NewStyle || keyboard.StyleOf(false) != keyboard.OldStyle {
		t.Error("the configuration's setting is taken the wrong way round")
	}
}
