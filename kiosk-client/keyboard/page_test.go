package keyboard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/kiosk-client/keyboard"
)

func TestMain(m *testing.M) { browser.Main(m) }

const style = `*{box-sizing:border-box}body{margin:0;font:20px/1.5 "Noto Sans",system-ui,sans-serif;background:#fff;color:#1b2426;min-height:100vh;display:flex;flex-direction:column}` +
	`form{padding:16px;flex:1}textarea,input{width:100%;font:inherit;border:1px solid #77868a;color:inherit;background:inherit}@media(prefers-color-scheme:dark){body{background:#1a2123;color:#e9eeee}}`

// demo serves a page as a kiosk's screen would, under a strict policy: the fields and all kinds of keys.
func demo(t *testing.T, lang language.Language, tones keyboard.Style) string {
	t.Helper()
	page := fmt.Sprintf(`<!doctype html><html lang="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Bàn phím</title>`+
		`<link rel="icon" href="/style.css"><link rel="stylesheet" href="/style.css"><link rel="stylesheet" href="/keyboard/keyboard.css"><script type="module" src="/keyboard/keyboard.js"></script></head><body>`+
		`<main><h1>Góp ý</h1><form action="/sent"><label for="comment">Ý kiến</label><textarea id="comment" name="comment" data-keyboard="text" inputmode="none" maxlength="60" rows="2" autofocus></textarea>`+
		`<label for="phone">Điện thoại</label><input id="phone" name="phone" type="tel" data-keyboard="phone" inputmode="none">`+
		`<label for="code">Mã</label><input id="code" name="code" data-keyboard="plain" inputmode="none"></form></main>%s</body></html>`,
		lang, keyboard.Part(lang, tones, keyboard.Text, keyboard.Phone, keyboard.Plain))
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

func TestLook(t *testing.T) {
	page := browser.Open(t).Page(t, browser.Options{Width: 600, Height: 1024})
	page.Go(demo(t, language.Vietnamese, keyboard.NewStyle))
	for _, size := range []struct {
		width, height int
		scale         float64
	}{{600, 1024, 1}, {1024, 600, 1}, {1920, 1080, 1}, {600, 1024, 2}} {
		page.Resize(size.width, size.height, size.scale)
		page.Fill("#comment", "duong")
		page.Until(`document.querySelectorAll(".kb-strip button:enabled").length === 9`)
		page.CheckAccessible()
		page.ScreenshotTop(fmt.Sprintf("keyboard-%dx%d-%v", size.width, size.height, size.scale))
	}
	page.CheckConsole()
}
