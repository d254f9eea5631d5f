package browser

import (
	"fmt"
	"html"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

const (
	head = `<!doctype html><html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Trang thử</title>` +
		`<link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css"></head><body><main><h1>Trang thử</h1>`
	tail = `</main></body></html>`
)

// pages are what the tests look at.
var pages = map[string]string{
	"/": head + `<form method="post" action="/sent"><p><label for="name">Tên</label> <input id="name" name="name"></p>` +
		`<p><label for="level">Cấp</label> <select id="level" name="level"><option value="1">Tỉnh<option value="2">Xã</select></p>` +
		`<p><label for="day">Ngày</label> <input id="day" type="date" name="day"></p>` +
		`<p><label><input type="checkbox" name="yes" value="có"> Đồng ý</label></p><p><button>Gửi đi</button></p></form><p><a href="/other">Trang khác</a></p>` + tail,
	"/other":   head + `<p id="here">Đây là trang khác</p>` + tail,
	"/scripts": head + `<p id="said"></p><script src="/late.js"></script>` + tail,
	"/inline":  head + `<p style="color: red">Chữ</p><script>document.title = "x"</script>` + tail,
	"/broken":  head + `<script src="/throws.js"></script><img alt="" src="/missing.png">` + tail,
	"/wide":    head + `<div class="wide" id="wide">Rộng</div>` + tail,
	"/scrolls": head + `<div class="scrolls" tabindex="0"><div class="wide">Rộng</div></div>` + tail,
	"/unfair":  head + `<input name="no-label"><p class="pale">Chữ quá nhạt</p>` + tail,
	"/covered": head + `<button id="under">Dưới</button><div class="cover"></div><script src="/uncover.js"></script>` + tail,
	"/shifts":  head + `<p>Một</p><script src="/shifts.js"></script>` + tail,
	"/keys": head + `<form><input aria-label="Tên" autofocus><label><input type="radio" name="r" value="1"> Một</label><label><input type="radio" name="r" value="2"> Hai</label>` +
		`<details><summary>Thêm</summary><a href="/">Ẩn</a></details><a href="/other">Khác</a><button type="button">Nút</button></form>` + tail,
	"/mouse": head + `<a href="/other" class="bare" id="unshown">Khác</a><a href="/" id="skipped">Qua</a><script src="/trap.js"></script>` + tail,
	"/slow":  head + `<script src="/busy.js"></script>` + tail,
}

var files = map[string]string{
	"/style.css": `body{margin:8px;font:16px sans-serif;background:#fff;color:#111}.wide{width:2000px}.scrolls{overflow-x:auto}.pale{color:#ccc}.bare:focus{outline:none}` +
		`.cover{position:fixed;inset:0;background:#eee}@media(prefers-color-scheme:dark){h1{color:#222}}@media print{h1{display:none}}`,
	"/late.js":    `setTimeout(() => { document.getElementById("said").textContent = "Đã xong" }, 150)`,
	"/throws.js":  `console.error("hỏng", 7); throw new Error("đổ vỡ")`,
	"/uncover.js": `setTimeout(() => document.querySelector(".cover").remove(), 150)`,
	"/shifts.js":  `setTimeout(() => { const d = document.createElement("div"); d.style.height = "300px"; document.querySelector("main").prepend(d) }, 150)`,
	"/trap.js":    `document.getElementById("skipped").addEventListener("focus", e => document.getElementById("unshown").focus())`,
	"/busy.js":    `document.addEventListener("DOMContentLoaded", () => setTimeout(() => { const end = performance.now() + 200; while (performance.now() < end); }, 100))`,
}

// site serves the pages under the strictest policy.
func site(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:")
		switch text, file := files[r.URL.Path]; {
		case file && strings.HasSuffix(r.URL.Path, ".css"):
			w.Header().Set("Content-Type", "text/css")
			_, _ = fmt.Fprint(w, text)
		case file:
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = fmt.Fprint(w, text)
		case r.URL.Path == "/sent" && r.Method == http.MethodPost:
			http.SetCookie(w, &http.Cookie{Name: "sent", Value: "1", HttpOnly: true, SameSite: http.SameSiteLaxMode})
			http.Redirect(w, r, "/got?"+url.QueryEscape(r.PostFormValue("name")+"|"+r.PostFormValue("level")+"|"+r.PostFormValue("day")+"|"+r.PostFormValue("yes")), http.StatusSeeOther)
		case r.URL.Path == "/got":
			got, _ := r.Cookie("sent")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = fmt.Fprint(w, head, `<p id="got">`, html.EscapeString(query(r)), `</p><p id="language">`, r.Header.Get("Accept-Language"), `</p><p id="cookie">`, got != nil, "</p>", tail)
		default:
			page, ok := pages[r.URL.Path]
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if !ok {
				w.WriteHeader(http.StatusNotFound)
				page = head + `<p>Không có trang này</p>` + tail
			}
			_, _ = fmt.Fprint(w, page)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func query(r *http.Request) string {
	text, _ := url.QueryUnescape(r.URL.RawQuery)
	return text
}

// fails runs a test of its own beside the real one and answers what it said when it failed.
func fails(t *testing.T, test func(t testing.TB)) string {
	t.Helper()
	inner := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(inner)
	}()
	<-done
	if inner.text == "" {
		t.Error("the test should have failed")
	}
	return inner.text
}

// failing is a test that notes down its failure.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Error(args ...any)                 { f.text += fmt.Sprintln(args...) }
func (f *failing) Errorf(format string, args ...any) { f.text += fmt.Sprintf(format, args...) + "\n" }
func (f *failing) Fatal(args ...any)                 { f.Error(args...); runtime.Goexit() }
func (f *failing) Fatalf(format string, args ...any) { f.Errorf(format, args...); runtime.Goexit() }

func TestFormIsFilledAndSent(t *testing.T) {
	for _, c := range []struct {
		name    string
		options Options
	}{{"with scripts", Options{}}, {"without scripts", Options{NoScript: true}}} {
		t.Run(c.name, func(t *testing.T) {
			at, p := site(t), Open(t).Page(t, c.options)
			if status := p.Go(at + "/"); status != http.StatusOK {
				t.Errorf("status %d", status)
			}
			p.Fill("#name", "thay bằng chữ sau")
			p.Fill("#name", "an")
			p.Fill("#level", "Xã")
			p.Fill("#day", "2026-11-22")
			p.Click(`[name="yes"]`)
			if !p.Checked(`[name="yes"]`) || p.Value("#name") != "an" {
				t.Error("the form is not filled")
			}
			if status := p.Submit("text=Gửi đi"); status != http.StatusOK {
				t.Errorf("after sending: status %d", status)
			}
			if got := p.Text("#got"); got != "an|2|2026-11-22|có" {
				t.Errorf("sent %q", got)
			}
			if got := p.Text("#language"); !strings.HasPrefix(got, "vi") {
				t.Errorf("language %q", got)
			}
			if p.Back(); p.Text("h1") != "Trang thử" || !p.Exists("#name") {
				t.Error("the way back is lost")
			}
			p.CheckConsole()
			p.CheckAccessible()
			p.NoHorizontalScroll()
		})
	}
}

func TestKeyboardAlone(t *testing.T) {
	at, p := site(t), Open(t).Page(t, Options{})
	p.Go(at + "/")
	p.Press("Tab")
	p.Type("Đường 1")
	if got := p.Focused(); got != `input#name ""` {
		t.Errorf("the focus is on %q", got)
	}
	if got := p.Value("#name"); got != "Đường 1" {
		t.Errorf("typed %q", got)
	}
	p.Press("Tab", "Shift+Tab")
	p.PressAndLoad("Enter")
	if !strings.Contains(p.URL(), "/got?") {
		t.Errorf("at %s", p.URL())
	}
	if got := p.Header("content-security-policy"); !strings.Contains(got, "default-src") {
		t.Errorf("policy %q", got)
	}
}

func TestKeyboardReachesEverything(t *testing.T) {
	at, p := site(t), Open(t).Page(t, Options{})
	p.Go(at + "/keys")
	p.CheckKeyboard()
	p.Go(at + "/")
	p.CheckKeyboard()
}

func TestWaitingIsByCondition(t *testing.T) {
	at, p := site(t), Open(t).Page(t, Options{})
	p.Go(at + "/scripts")
	p.WaitText("#said", "Đã xong") // decomposed
	p.Until(`document.readyState === "complete"`)
	p.Go(at + "/covered")
	p.Click("#under")
	p.WaitGone(".cover")
	p.CheckConsole()
}

func TestCookiesAreApart(t *testing.T) {
	at, b := site(t), Open(t)
	one, two := b.Page(t, Options{}), b.Page(t, Options{})
	one.Go(at + "/")
	one.Submit("text=Gửi đi")
	two.Go(at + "/got")
	if one.Text("#cookie") != "true" || two.Text("#cookie") != "false" {
		t.Error("a page has another's cookie")
	}
	if cookies := one.Cookies(); len(cookies) != 1 || !cookies[0].HTTPOnly || cookies[0].SameSite != "Lax" {
		t.Errorf("cookies %v", cookies)
	}
	two.SetCookie(at, "sent", "2")
	if two.Reload(); two.Text("#cookie") != "true" {
		t.Error("the cookie was not kept")
	}
	two.ClearCookies()
	if two.Reload(); two.Text("#cookie") != "false" {
		t.Error("the cookie is still there")
	}
}

func TestWhatGoesWrongIsSeen(t *testing.T) {
	at := site(t)
	for _, c := range []struct {
		name, path string
		check      func(p *Page)
		want       []string
	}{
		{"policy", "/inline", (*Page).CheckConsole, []string{"inline style", "inline script"}},
		{"scripts and files", "/broken", (*Page).CheckConsole, []string{"hỏng 7", "đổ vỡ", "missing.png"}},
		{"too wide", "/wide", (*Page).NoHorizontalScroll, []string{`id="wide"`, "px"}},
		{"mouse only", "/mouse", (*Page).CheckKeyboard, []string{`nothing shows the focus on <a href="/other"`, `does not reach <a href="/" id="skipped"`}},
		{"not for everybody", "/unfair", func(p *Page) { p.CheckAccessible() }, []string{"label", "color-contrast", "Chữ quá nhạt"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			said := fails(t, func(t testing.TB) {
				p := Open(t).Page(t, Options{Width: 320})
				p.Go(at + c.path)
				c.check(p)
			})
			for _, want := range append(c.want, at+c.path) {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in %s", want, said)
				}
			}
		})
	}
}

func TestRightPagesPass(t *testing.T) {
	at := site(t)
	for _, options := range []Options{{Width: 320}, {Scale: 2}, {Dark: true}, {Print: true}, {Reduced: true, Languages: "en"}} {
		p := Open(t).Page(t, options)
		p.Go(at + "/scrolls")
		p.NoHorizontalScroll()
		p.CheckAccessible()
		p.CheckConsole()
		width := map[bool]int{true: 640, false: 1280}[options.Scale == 2]
		if options.Width > 0 {
			width = options.Width
		}
		if got := Eval[int](p, "innerWidth"); got != width {
			t.Errorf("%+v: %d CSS pixels wide, want %d", options, got, width)
		}
		if Eval[bool](p, `matchMedia("(prefers-color-scheme: dark)").matches`) != options.Dark ||
			Eval[bool](p, `matchMedia("(prefers-reduced-motion: reduce)").matches`) != options.Reduced || p.Visible("h1") == options.Print {
			t.Errorf("%+v is not what the page sees", options)
		}
	}
}

func TestRefusedPageIsNoConsoleError(t *testing.T) {
	at, p := site(t), Open(t).Page(t, Options{})
	if status := p.Go(at + "/nowhere"); status != http.StatusNotFound {
		t.Errorf("status %d", status)
	}
	p.CheckConsole()
}

func TestFailureLeavesAPicture(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("HAILONG_SCREENSHOTS", folder)
	at := site(t)
	said := fails(t, func(t testing.TB) {
		p := Open(t).Page(t, Options{Width: 320, Height: 200})
		p.Go(at + "/")
		p.Fill("#level", "Trung ương")
	})
	_, rest, _ := strings.Cut(said, "picture ")
	path, _, _ := strings.Cut(rest, "\n")
	file, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v in %s", err, said)
	}
	defer func() { _ = file.Close() }()
	picture, err := png.Decode(file)
	if err != nil || picture.Bounds().Dx() != 320 || picture.Bounds().Dy() <= 200 {
		t.Errorf("the picture is %v, %v: the whole page is higher than the window", picture.Bounds(), err)
	}
	if !strings.Contains(said, "Trung ương") || !strings.Contains(said, at+"/") || !strings.HasPrefix(path, folder) {
		t.Errorf("said %s", said)
	}
}

func TestOfflineAndBack(t *testing.T) {
	at, p := site(t), Open(t).Page(t, Options{})
	p.Go(at + "/")
	p.Offline(true)
	if Eval[bool](p, "navigator.onLine") || Eval[string](p, `fetch("/other").then(() => "came", () => "failed")`) != "failed" {
		t.Error("the page is not offline")
	}
	p.ForgetConsole()
	p.Offline(false)
	if got := Eval[string](p, `fetch("/other").then(() => "came", () => "failed")`); got != "came" {
		t.Error("the page is still offline")
	}
	p.CheckConsole()
}

func TestFiguresOfAPage(t *testing.T) {
	at, p := site(t), Open(t).Page(t, Options{})
	p.Go(at + "/shifts")
	p.Until(`document.querySelector("main div")`)
	if shift := p.LayoutShift(); shift < 0.01 {
		t.Errorf("the page shifted by %v", shift)
	}
	p.Throttle(2)
	p.Go(at + "/slow")
	p.Until("performance.now() > 1000")
	figures := p.Timings()
	if figures.FirstPaint <= 0 || figures.Load <= 0 || figures.Blocking.Milliseconds() < 100 {
		t.Errorf("%+v: a script ran for 200 ms", figures)
	}
	if shift := p.LayoutShift(); shift != 0 {
		t.Errorf("a still page shifted by %v", shift)
	}
	weight := p.Weight()
	if weight["document"] < 300 || weight["script"] < 100 || weight.Total() < weight["document"]+weight["script"] || weight.Total() > 10_000 {
		t.Errorf("weight %v", weight)
	}
}
