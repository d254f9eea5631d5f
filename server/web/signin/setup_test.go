package signin_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// firstRun starts a program as somebody does for the first time, and reads the one-time password from the terminal.
func firstRun(t *testing.T) (*webtest.Program, string) {
	t.Helper()
	p := webtest.Start(t, webtest.Bare(), webtest.Change(func(c *server.Config) { c.AdminPassword = "" }))
	if found := regexp.MustCompile(`mật khẩu dùng một lần: (\S+)\.`).FindStringSubmatch(p.Log()); found != nil {
		return p, found[1]
	}
	t.Fatalf("no one-time password in\n%s", p.Log())
	return nil, ""
}

func TestFirstSetUp(t *testing.T) {
	p, oneTime := firstRun(t)
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	page.Go(p.HTTP)
	page.Follow("text=Thiết lập ban đầu")
	page.CheckAccessible()
	const lasting = "mật khẩu của riêng tôi"
	fill := func(oneTime, wanted, again string) int {
		page.Fill("#one_time_password", oneTime)
		page.Fill("#new_password", wanted)
		page.Fill("#again_password", again)
		return page.Submit("text=Bắt đầu")
	}
	for _, c := range []struct{ name, oneTime, wanted, again, message string }{
		{"wrong", "không phải", lasting, lasting, wrong},
		{"short", oneTime, "ngắn", "ngắn", "ít nhất 10 ký tự"},
		{"different", oneTime, lasting, lasting + "?", "không giống nhau"},
	} {
		if status := fill(c.oneTime, c.wanted, c.again); status != http.StatusUnprocessableEntity || !strings.Contains(page.Text("[role=alert]"), c.message) {
			t.Errorf("%s: answered %d, said %q", c.name, status, page.Text("[role=alert]"))
		}
	}
	late := p.Visitor(t, "") // somebody else who opened the page before
	if status := fill(oneTime, lasting, lasting); status != http.StatusOK {
		t.Errorf("answered %d at %s", status, page.URL())
	}
	if at := strings.TrimPrefix(page.URL(), p.HTTP); !strings.HasPrefix(at, "/admin") {
		t.Errorf("set-up ends at %s", at)
	}
	if got := page.Text("[role=status]"); got != "Đã thiết lập tài khoản quản trị." {
		t.Errorf("said %q", got)
	}
	answer := late.Post("/set-up", form("one_time_password", oneTime, "new_password", lasting+"2", "again_password", lasting+"2"))
	if answer.Status != http.StatusSeeOther || answer.Location() != "/sign-in" {
		t.Errorf("set-up again is answered %d to %s", answer.Status, answer.Location())
	}
	if answer := late.Get("/sign-in"); strings.Contains(answer.Body, "/set-up") {
		t.Error("the sign-in page still offers the set-up")
	}
	if answer := late.Post("/sign-in", form("name", "admin", "password", oneTime)); answer.Status != http.StatusUnprocessableEntity {
		t.Errorf("the one-time password is answered %d", answer.Status)
	}
	if answer := late.Post("/sign-in", form("name", "admin", "password", lasting)); answer.Status != http.StatusSeeOther {
		t.Errorf("the lasting password is answered %d", answer.Status)
	}
	page.CheckConsole()
}

func TestWhoHasAOneTimePasswordChangesItFirst(t *testing.T) {
	p, oneTime := firstRun(t)
	v := p.Visitor(t, "")
	if answer := v.Post("/sign-in", form("name", "admin", "password", oneTime)); answer.Status != http.StatusSeeOther {
		t.Fatalf("answered %d", answer.Status)
	}
	for _, path := range []string{"/account", "/units", "/follow-ups", "/desk"} {
		if answer := v.Get(path); answer.Status != http.StatusSeeOther || answer.Location() != "/password" {
			t.Errorf("%s is answered %d to %s", path, answer.Status, answer.Location())
		}
	}
	answer := v.Get("/password")
	if answer.Status != http.StatusOK || !strings.Contains(answer.Body, "Xin đổi mật khẩu trước khi tiếp tục.") || strings.Contains(answer.Body, `class="menu"`) {
		t.Errorf("answered %d\n%s", answer.Status, answer.Body)
	}
}
