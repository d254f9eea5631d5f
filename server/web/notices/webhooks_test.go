package notices_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func testWebhooks(t *testing.T, p *webtest.Program) {
	address, heard, answer := receiver(t)
	admin := p.Visitor(t, keeper)
	next := func() string {
		t.Helper()
		select {
		case body := <-heard:
			return body
		case <-time.After(30 * time.Second):
			t.Fatal("nothing was sent")
			return ""
		}
	}
	t.Run("what was typed is not lost", func(t *testing.T) {
		id := hidden(t, answered(t, admin.Get("/admin/webhooks/new"), http.StatusOK), "id")
		for name, url := range map[string]string{"inside": "https://10.1.2.3/nhan", "plain": "http://8.8.8.8/nhan", "none": "", "no address": "cổng"} {
			body := answered(t, admin.Post("/admin/webhooks/new", form("id", id, "unit", p.Empty, "name", "Cổng <b>", "url", url, "topic", "case.*")), http.StatusUnprocessableEntity)
			if !strings.Contains(body, `value="Cổng &lt;b&gt;"`) || !strings.Contains(body, `value="`+url+`"`) || !strings.Contains(body, `role="alert"`) || !strings.Contains(body, `value="case.*" checked`) {
				t.Errorf("%s: %s", name, body)
			}
		}
		if body := answered(t, admin.Post("/admin/webhooks/new", form("id", id, "unit", p.Ward, "name", "x", "url", "https://8.8.8.8", "topic", "case.*")), http.StatusUnprocessableEntity); !strings.Contains(body, `role="alert"`) {
			t.Errorf("a unit of somebody else: %s", body)
		}
	})
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	p.GiveSession(t, page, keeper)
	page.Go(p.HTTP + "/admin/webhooks/new?lang=vi")
	page.Fill("#q", "moi lap")
	page.Submit("[role=search] button")
	page.Follow(".name")
	page.WaitText("dl.pairs", "Xã Mới Lập")
	page.Go(p.HTTP + "/admin/webhooks/new")
	page.Fill("#name", "Cổng tỉnh")
	page.Fill("#url", address)
	if status := page.Submit("form[method=post].card [type=submit]"); status != http.StatusOK {
		t.Fatalf("answered %d: %s", status, page.Text("main"))
	}
	if secret := page.Text(".secret"); !strings.HasPrefix(secret, "whsec_") {
		t.Errorf("the secret is %q", secret)
	}
	page.Reload()
	if page.Exists(".secret") {
		t.Error("the secret is shown twice")
	}
	hook := strings.TrimPrefix(page.URL(), p.HTTP)
	page.Submit(`[name=do][value=test]`)
	page.WaitText("[role=status]", "Nơi nhận đã trả lời tốt")
	if body := next(); !strings.Contains(body, `"type":"webhook.test"`) {
		t.Error(body)
	}
	opened := happens(t, p, "Chờ lâu ở quầy hai")
	if body := next(); !strings.Contains(body, `"type":"case.open"`) || !strings.Contains(body, opened.GetId()) || strings.Contains(body, "Tôi chờ rất lâu") {
		t.Error(body)
	}
	t.Run("a receiver that fails, in the log, and tried again by hand", func(t *testing.T) {
		answer(http.StatusInternalServerError)
		happens(t, p, "Nơi nhận hỏng")
		next()
		var log string
		for range 1500 {
			if log = answered(t, admin.Get(hook), http.StatusOK); strings.Contains(log, "trả lời 500") {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if !strings.Contains(log, "Nơi nhận báo lỗi") || !strings.Contains(log, "Đang chờ gửi") {
			t.Fatal(log)
		}
		answer(http.StatusOK)
		answered(t, admin.Post(hook, form("do", "retry", "delivery", hidden(t, log, "delivery"))), http.StatusSeeOther)
		if body := next(); !strings.Contains(body, "Nơi nhận hỏng") {
			t.Error(body)
		}
	})
	t.Run("for everybody", func(t *testing.T) {
		p.Look(t, webtest.View{Who: keeper, Path: hook, Name: "notices/webhook"})
		page := page.In(t)
		page.Emulate(browser.Options{Width: 320})
		for name, path := range map[string]string{"webhooks": "/admin/webhooks", "webhook-new": "/admin/webhooks/new?q=xa", "deliveries": "/admin/deliveries", "webhook-remove": hook + "/remove"} {
			if status := page.Go(p.HTTP + path); status != http.StatusOK {
				t.Errorf("%s is answered %d", path, status)
			}
			page.NoHorizontalScroll()
			page.CheckAccessible()
			page.Screenshot("notices/" + name)
		}
		page.CheckConsole()
	})
	t.Run("paused, changed, rotated, removed", func(t *testing.T) {
		answered(t, admin.Post(hook, form("do", "pause")), http.StatusSeeOther)
		if body := answered(t, admin.Get(hook), http.StatusOK); !strings.Contains(body, "Cho chạy tiếp") {
			t.Error(body)
		}
		answered(t, admin.Post(hook, form("do", "resume")), http.StatusSeeOther)
		answered(t, admin.Post(hook+"/change", form("name", "Tên khác", "url", address+"/khac", "topic", "case.*", "topic", "clock.*")), http.StatusSeeOther)
		if body := answered(t, admin.Get(hook), http.StatusOK); !strings.Contains(body, "Tên khác") || !strings.Contains(body, address+"/khac") {
			t.Error(body)
		}
		answered(t, admin.Post(hook+"/change", form("name", "", "url", address)), http.StatusUnprocessableEntity)
		answered(t, admin.Get(hook+"/rotate"), http.StatusOK)
		answered(t, admin.Post(hook+"/rotate", form()), http.StatusSeeOther)
		if body := answered(t, admin.Get(hook), http.StatusOK); !strings.Contains(body, "whsec_") || !strings.Contains(body, "Khóa cũ còn ký đến") {
			t.Error(body)
		}
		for _, who := range []webtest.Who{chief, clerk} {
			answered(t, p.Visitor(t, who).Get(hook), http.StatusNotFound)
		}
		answered(t, admin.Post(hook+"/remove", form()), http.StatusSeeOther)
		answered(t, admin.Get(hook), http.StatusNotFound)
	})
	t.Run("another's", func(t *testing.T) {
		top := p.Visitor(t, webtest.Administrator)
		id := hidden(t, answered(t, top.Get("/admin/webhooks/new"), http.StatusOK), "id")
		made := top.Post("/admin/webhooks/new", form("id", id, "name", "Toàn tỉnh", "url", address, "topic", "case.*"))
		answered(t, made, http.StatusSeeOther)
		for _, path := range []string{"", "/change", "/rotate", "/remove"} {
			answered(t, admin.Get(made.Location()+path), http.StatusNotFound)
		}
		for path, form := range map[string]string{"": "test", "/rotate": "", "/remove": ""} {
			answered(t, admin.Post(made.Location()+path, map[string][]string{"do": {form}}), http.StatusNotFound)
		}
		if body := answered(t, admin.Get("/admin/webhooks"), http.StatusOK); strings.Contains(body, "Toàn tỉnh") {
			t.Error("it is listed")
		}
	})
}
