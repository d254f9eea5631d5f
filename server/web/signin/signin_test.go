package signin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

const wrong = "Tên đăng nhập hoặc mật khẩu không đúng."

// form makes a form of names and values.
func form(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}

func TestWrongPasswordKeepsTheName(t *testing.T) {
	p := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	page.Go(p.HTTP + "/sign-in")
	page.Fill("#name", "lãnh đạo")
	page.Fill("#password", "không phải mật khẩu này")
	if status := page.Submit("text=Đăng nhập"); status != http.StatusUnprocessableEntity {
		t.Errorf("answered %d", status)
	}
	if got := page.Text("[role=alert]"); got != wrong {
		t.Errorf("said %q", got)
	}
	if name, password := page.Value("#name"), page.Value("#password"); name != "lãnh đạo" || password != "" {
		t.Errorf("the form holds %q and %q", name, password)
	}
	page.CheckAccessible()
	page.Fill("#password", webtest.Password)
	if status := page.Submit("text=Đăng nhập"); status != http.StatusOK || !strings.HasSuffix(page.URL(), "/cases") {
		t.Errorf("then %d at %s", status, page.URL())
	}
	page.CheckConsole()
}

func TestWhatCannotSignIn(t *testing.T) {
	p := webtest.Shared(t)
	for name, c := range map[string]struct{ name, password, message string }{
		"nobody of that name":   {"không ai", webtest.Password, wrong},
		"no password":           {"admin", "", "Xin điền cả tên đăng nhập và mật khẩu."},
		"no name":               {"", webtest.Password, "Xin điền cả tên đăng nhập và mật khẩu."},
		"spaces":                {"   ", "   ", "Xin điền cả tên đăng nhập và mật khẩu."},
		"a name that cannot be": {strings.Repeat("a", 90) + "\x00<b>", "x", ""},
		"markup":                {`"><script>alert(1)</script>`, "x", wrong},
		"a very long password":  {"admin", strings.Repeat("x", 100_000), ""},
		"another Unicode form":  {"admin", "mật khẩu ", wrong},
	} {
		t.Run(name, func(t *testing.T) {
			v := p.Visitor(t, "")
			answer := v.Post("/sign-in", form("name", c.name, "password", c.password))
			if answer.Status != http.StatusUnprocessableEntity || !strings.Contains(answer.Body, c.message) {
				t.Errorf("answered %d:\n%s", answer.Status, answer.Body)
			}
			if answer.Cookie("hailong_session") != nil || strings.Contains(answer.Body, "<script>alert") || len(answer.Body) > 20_000 {
				t.Errorf("answered with %v and %d bytes", answer.Header["Set-Cookie"], len(answer.Body))
			}
		})
	}
}

// behindProxy starts a program with an administrator, that believes what a proxy on this machine says of its visitors.
func behindProxy(t *testing.T) *webtest.Program {
	t.Helper()
	return webtest.Start(t, webtest.Bare(), webtest.Change(func(c *server.Config) { c.TrustedProxies = "127.0.0.1" }))
}

// from is a visitor at an address.
func from(t *testing.T, p *webtest.Program, address string) *webtest.Visitor {
	t.Helper()
	v := p.Visitor(t, "")
	v.Header.Set("X-Forwarded-For", address)
	return v
}

func TestGuessingLocksNobodyElseOut(t *testing.T) {
	p := behindProxy(t)
	office := from(t, p, "198.51.100.7")
	right, guess := form("name", "admin", "password", webtest.Password), form("name", "admin", "password", "đoán mò")
	if answer := office.Post("/sign-in", right); answer.Status != http.StatusSeeOther {
		t.Fatalf("answered %d", answer.Status)
	}
	locked := 0
	for i := range 34 { // from so many addresses that the name itself is guarded where it never signed in
		guesser := from(t, p, fmt.Sprintf("203.0.113.%d", i%4))
		answer := guesser.Post("/sign-in", guess)
		switch answer.Status {
		case http.StatusUnprocessableEntity:
		case http.StatusTooManyRequests:
			locked++
			if !strings.Contains(answer.Body, "Đã nhập sai quá nhiều lần") || !strings.Contains(answer.Body, `value="admin"`) {
				t.Errorf("locked out with\n%s", answer.Body)
			}
		default:
			t.Fatalf("guess %d was answered %d", i, answer.Status)
		}
	}
	if locked == 0 {
		t.Error("guessing goes on for ever")
	}
	if answer := from(t, p, "203.0.113.1").Post("/sign-in", right); answer.Status != http.StatusTooManyRequests {
		t.Errorf("a guesser's next try is answered %d, though it may be the right password", answer.Status)
	}
	if answer := from(t, p, "198.51.100.7").Post("/sign-in", right); answer.Status != http.StatusSeeOther {
		t.Errorf("the person at the office is locked out: %d\n%s", answer.Status, answer.Body)
	}
	if answer := office.Get("/account"); answer.Status != http.StatusOK {
		t.Errorf("who is signed in is answered %d", answer.Status)
	}
}

func TestSignOut(t *testing.T) {
	p := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{})
	token := p.SignIn(t, webtest.CommuneLeader)
	page.SetCookie(p.HTTP, "hailong_session", token)
	page.Go(p.HTTP + "/account")
	if status := page.Submit("text=Đăng xuất"); status != http.StatusOK || !strings.HasSuffix(page.URL(), "/sign-in") {
		t.Errorf("answered %d at %s", status, page.URL())
	}
	page.Back()
	page.WaitFor("#password") // and nothing of the account
	if page.Exists("text=chủ tịch xã") {
		t.Error("the back button shows the account after signing out")
	}
	copied := p.Visitor(t, "")
	copied.SetCookie("hailong_session", token)
	if answer := copied.Get("/account"); answer.Status != http.StatusUnauthorized || strings.Contains(answer.Body, "chủ tịch xã") {
		t.Errorf("the session lives on: %d", answer.Status)
	}
	if answer := copied.Post("/sign-out", form()); answer.Status != http.StatusSeeOther {
		t.Errorf("signing out twice is answered %d", answer.Status)
	}
	page.CheckConsole()
}

func TestSignOutEverywhere(t *testing.T) {
	p := webtest.Shared(t)
	here := browser.Open(t).Page(t, browser.Options{NoScript: true})
	p.SignInPage(t, here, webtest.CommuneOperator)
	there, other := p.Visitor(t, webtest.CommuneOperator), p.Visitor(t, webtest.Operator)
	if answer := there.Get("/account"); answer.Status != http.StatusOK {
		t.Fatalf("answered %d", answer.Status)
	}
	here.Go(p.HTTP + "/account")
	here.Submit("text=Đăng xuất ở mọi nơi")
	if got := here.Text("[role=status]"); got != "Đã đăng xuất ở mọi nơi." {
		t.Errorf("said %q", got)
	}
	if answer := there.Get("/account"); answer.Status != http.StatusUnauthorized || !strings.Contains(answer.Body, "Phiên đăng nhập đã kết thúc") {
		t.Errorf("the other browser is answered %d\n%s", answer.Status, answer.Body)
	}
	if answer := other.Get("/account"); answer.Status != http.StatusOK {
		t.Errorf("another account is answered %d", answer.Status)
	}
	here.Reload()
	if here.Exists("[role=status]") {
		t.Error("it is said twice")
	}
}

func TestChangeOfPassword(t *testing.T) {
	p := webtest.Start(t, webtest.Bare())
	const wanted = "một câu dài dễ nhớ"
	elsewhere, here := p.Visitor(t, webtest.Administrator), p.Visitor(t, webtest.Administrator)
	for _, c := range []struct{ name, current, wanted, again, message string }{
		{"short", webtest.Password, "ngắn", "ngắn", "Mật khẩu phải có ít nhất 10 ký tự."},
		{"nine letters of several bytes", webtest.Password, "ưởếộẫựẩểỗ", "ưởếộẫựẩểỗ", "Mật khẩu phải có ít nhất 10 ký tự."},
		{"typed differently", webtest.Password, wanted, wanted + "!", "Hai lần nhập mật khẩu mới không giống nhau."},
		{"wrong", "không phải mật khẩu này", wanted, wanted, "Mật khẩu hiện tại không đúng."},
		{"the same", webtest.Password, webtest.Password, webtest.Password, "Mật khẩu mới phải khác mật khẩu hiện tại."},
	} {
		answer := here.Post("/password", form("current_password", c.current, "new_password", c.wanted, "again_password", c.again))
		if answer.Status != http.StatusUnprocessableEntity || !strings.Contains(answer.Body, c.message) {
			t.Errorf("%s: answered %d\n%s", c.name, answer.Status, answer.Body)
		}
		if strings.Contains(answer.Body, c.wanted) {
			t.Errorf("%s: the page holds the password", c.name)
		}
	}
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	p.GiveSession(t, page, webtest.Administrator)
	page.Go(p.HTTP + "/password")
	page.Fill("#current_password", webtest.Password)
	page.Fill("#new_password", wanted)
	page.Fill("#again_password", wanted)
	page.Submit("text=Lưu")
	if got := page.Text("[role=status]"); !strings.HasPrefix(got, "Đã đổi mật khẩu.") {
		t.Errorf("said %q", got)
	}
	if status := page.Go(p.HTTP + "/account"); status != http.StatusOK {
		t.Errorf("this browser is answered %d", status)
	}
	if answer := elsewhere.Get("/account"); answer.Status != http.StatusUnauthorized {
		t.Errorf("another browser is answered %d", answer.Status)
	}
	fresh := p.Visitor(t, "")
	if answer := fresh.Post("/sign-in", form("name", "admin", "password", webtest.Password)); answer.Status != http.StatusUnprocessableEntity {
		t.Errorf("the old password is answered %d", answer.Status)
	}
	if answer := fresh.Post("/sign-in", form("name", "admin", "password", wanted)); answer.Status != http.StatusSeeOther {
		t.Errorf("the new password is answered %d", answer.Status)
	}
}
