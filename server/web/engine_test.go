package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestEngineDown(t *testing.T) {
	p := webtest.Start(t, webtest.OwnMongoDB())
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	p.SignInPage(t, page, webtest.Leader)
	page.Go(p.HTTP + "/follow-ups")
	const typed = "Gửi lúc hệ thống gián đoạn <&>"
	page.Click("article summary")
	page.Fill("article textarea", typed)
	p.EngineDown(t)
	if status := page.Submit("article button"); status != http.StatusServiceUnavailable {
		t.Fatalf("a form is answered %d", status)
	}
	page.CheckAccessible()
	if text := page.Text("main"); !strings.Contains(text, "Hệ thống tạm thời gián đoạn") || !strings.Contains(text, "vẫn được giữ") || strings.Contains(text, "127.0.0.1") {
		t.Errorf("the page says %q", text)
	}
	if page.Header("Refresh") != "" {
		t.Error("a form would be sent again by itself")
	}
	other := browser.Open(t).Page(t, browser.Options{NoScript: true})
	for _, c := range page.Cookies() {
		other.SetCookie(p.HTTP, c.Name, c.Value)
	}
	if status := other.Go(p.HTTP + "/units/" + p.Commune); status != http.StatusServiceUnavailable || other.Header("Refresh") == "" {
		t.Fatalf("a page is answered %d, Refresh %q", status, other.Header("Refresh"))
	}
	p.EngineUp(t)
	p.Figures(t, p.Commune, 160)
	other.WaitText("h1", "Xã Đồi Nắng") // nobody pressed anything
	page.Submit("text=Gửi lại")
	page.WaitText("[role=status]", "Đã ghi “đã nắm”.")
	page.WaitText(".notes", typed)
}
