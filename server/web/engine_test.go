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
	admin := browser.Open(t).Page(t, browser.Options{NoScript: true})
	p.GiveSession(t, admin, webtest.Administrator)
	const typed = "Gửi lúc hệ thống gián đoạn <&>"
	page.Click("article details summary")
	page.Fill("article textarea", typed)
	p.EngineDown(t)
	if status := page.Submit("article details button"); status != http.StatusServiceUnavailable {
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
	// A session is remembered for some seconds: so long the parts are shown, and then what can be told of them.
	status := admin.Go(p.HTTP + "/admin/health")
	for ; status == http.StatusOK; status = admin.Go(p.HTTP + "/admin/health") {
		if text := admin.Text("main"); !strings.Contains(text, "MongoDB không trả lời") {
			t.Fatalf("the health of the system is %s", text)
		}
	}
	if text := admin.Text("main"); status != http.StatusServiceUnavailable || admin.Header("Refresh") == "" || !strings.Contains(text, "Kho dữ liệu không trả lời") || !strings.Contains(text, "/readyz") {
		t.Errorf("the health of the system is answered %d: %s", status, text)
	}
	admin.CheckAccessible()
	admin.Screenshot("health-away")
	p.EngineUp(t)
	p.Figures(t, p.Commune, 160)
	other.WaitText("h1", "Xã Đồi Nắng") // nobody pressed anything
	admin.WaitText("main", "MongoDB ghi được")
	page.Submit("text=Gửi lại")
	page.WaitText("[role=status]", "Đã ghi “đã nắm”.")
	page.WaitText(".notes", typed)
}
