package web_test

import (
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// form makes a form of names and values.
func form(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}

// endSession ends a page's session as the server sees it; the browser keeps its cookie.
func endSession(t *testing.T, p *webtest.Program, page *browser.Page) {
	t.Helper()
	for _, c := range page.Cookies() {
		if c.Name == "hailong_session" {
			v := p.Visitor(t, "")
			v.SetCookie(c.Name, c.Value)
			v.Post("/sign-out", form())
			return
		}
	}
	t.Fatal("the page has no session")
}

func TestWhatWasTypedSurvivesTheSignIn(t *testing.T) {
	p := webtest.Start(t)
	page := browser.Open(t).Page(t, browser.Options{})
	p.SignInPage(t, page, webtest.Leader)
	page.Go(p.HTTP + "/follow-ups")
	at := page.URL()
	const first, marked = "Đã nắm; sẽ làm việc với xã", `<b>"quoted" & 'single'</b>`
	typed := first + "\n" + marked + "\n" + webtest.Decomposed()
	page.Click("article details summary")
	page.Fill("article textarea", typed)
	endSession(t, p, page)
	if status := page.Submit("article details button"); status != http.StatusUnauthorized {
		t.Errorf("answered %d", status)
	}
	if text := page.Text("main"); !strings.Contains(text, "Phiên đăng nhập đã kết thúc") || !strings.Contains(text, "Nội dung đã nhập vẫn được giữ") {
		t.Errorf("the page says %q", text)
	}
	page.CheckAccessible()
	page.Fill("#name", "lãnh đạo")
	page.Fill("#password", "nhầm mất rồi")
	if status := page.Submit("main button"); status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong password is answered %d", status)
	}
	page.Fill("#password", webtest.Password)
	if status := page.Submit("main button"); status != http.StatusOK {
		t.Errorf("the right password is answered %d", status)
	}
	page.CheckAccessible()
	if status := page.Submit("text=Gửi ngay"); status != http.StatusOK || !strings.HasPrefix(page.URL(), at) {
		t.Errorf("then %d at %s, not %s", status, page.URL(), at)
	}
	page.WaitText("[role=status]", "Đã ghi “đã nắm”.")
	page.WaitText(".notes", marked)
	page.WaitText(".notes", webtest.Decomposed())
	if notes := page.Count(".notes li"); notes != 1 {
		t.Errorf("%d notes", notes)
	}
	page.CheckConsole()
}

func TestPasswordsAreNotKept(t *testing.T) {
	p := webtest.Shared(t)
	v := p.Visitor(t, "")
	answer := v.Post("/password", form("current_password", "bí mật cũ", "new_password", "bí mật mới", "again_password", "bí mật mới"))
	if answer.Status != http.StatusUnauthorized || strings.Contains(answer.Body, "bí mật") {
		t.Errorf("answered %d\n%s", answer.Status, answer.Body)
	}
}

func TestAButtonPressedTooLateLeadsHome(t *testing.T) {
	p := webtest.Shared(t)
	v := p.Visitor(t, "")
	answer := v.Post("/account/sign-out-everywhere", form())
	if answer.Status != http.StatusUnauthorized || !strings.Contains(answer.Body, `name="next" value="/"`) {
		t.Errorf("answered %d\n%s", answer.Status, answer.Body)
	}
	if strings.Contains(answer.Body, `href="/account/sign-out-everywhere`) {
		t.Errorf("the other language leads to a page that is not there:\n%s", answer.Body)
	}
}

func TestFormsFromElsewhereAreRefused(t *testing.T) {
	p := webtest.Shared(t)
	for name, c := range map[string]struct {
		headers map[string]string
		refused bool
	}{
		"another site":          {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, true},
		"a neighbour":           {map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "http://evil.127.0.0.1"}, true},
		"an old browser":        {map[string]string{"Origin": "https://evil.example"}, true},
		"nowhere":               {map[string]string{"Origin": "null"}, true},
		"another port":          {map[string]string{"Origin": "http://127.0.0.1:1"}, true},
		"ourselves":             {map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": p.HTTP}, false},
		"ourselves, an old one": {map[string]string{"Origin": p.HTTP}, false},
		"typed":                 {map[string]string{"Sec-Fetch-Site": "none"}, false},
		"a program":             {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := p.Visitor(t, webtest.CommuneLeader)
			for key, value := range c.headers {
				v.Header.Set(key, value)
			}
			answer := v.Post("/account/sign-out-everywhere", form("x", "giữ <b>"))
			v.Header = http.Header{}
			after := v.Get("/account").Status
			if !c.refused {
				if answer.Status != http.StatusSeeOther {
					t.Errorf("answered %d", answer.Status)
				}
				return
			}
			if answer.Status != http.StatusForbidden || after != http.StatusOK {
				t.Errorf("answered %d, then %d", answer.Status, after)
			}
			if !strings.Contains(answer.Body, `<html lang="vi">`) || !strings.Contains(answer.Body, "đến từ một trang web khác") || answer.Header.Get("Content-Security-Policy") != strict {
				t.Errorf("the page is\n%s", answer.Body)
			}
			if strings.Contains(answer.Body, "giữ") || strings.Contains(answer.Body, "Gửi lại") {
				t.Errorf("what was sent from elsewhere is offered to be sent again:\n%s", answer.Body)
			}
		})
	}
}

func TestPagesThatFail(t *testing.T) {
	p := webtest.Shared(t)
	v := p.Visitor(t, webtest.Leader)
	for name, c := range map[string]struct {
		method, path string
		form         url.Values
		status       int
		says         string
	}{
		"unknown":                  {"GET", "/không/có", nil, 404, "Không tìm thấy trang này"},
		"unknown unit":             {"GET", "/units/0192-nowhere", nil, 404, "Không tìm thấy trang này"},
		"not for a leader":         {"GET", "/admin/health", nil, 404, "Không tìm thấy trang này"},
		"a form that is too large": {"POST", "/follow-ups/" + p.Commune + "/note", form("reason", strings.Repeat("x", 300<<10)), 413, "Nội dung quá lớn"},
		"no text in a path":        {"GET", "/units/%ff%fe", nil, 404, "Không tìm thấy trang này"},
		"a zero in a path":         {"GET", "/units/%00", nil, 404, "Không tìm thấy trang này"},
		"no text in a form":        {"POST", "/follow-ups/" + p.Commune + "/note", form("reason", "\xff\xfe"), 400, "Không đọc được biểu mẫu"},
		"no text in a query":       {"GET", "/units?q=a%ff%fe", nil, 200, "Chọn đơn vị"},
		"a broken query":           {"GET", "/units?q=%zz;a=b&%", nil, 200, ""},
		"a zero in a query":        {"GET", "/units?q=a%00b", nil, 200, "Chọn đơn vị"},
		"a very long query":        {"GET", "/units?q=" + strings.Repeat("a", 20_000), nil, 0, ""},
		"a way out of a folder":    {"GET", "/assets/../../etc/passwd", nil, 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			answer := v.Do(v.Request(c.method, c.path, c.form))
			for range 2 { // as browsers follow
				if at := answer.Location(); strings.HasPrefix(at, "/") {
					answer = v.Get(at)
				}
			}
			if answer.Status != c.status && c.status != 0 || answer.Status >= 500 {
				t.Errorf("answered %d, want %d\n%s", answer.Status, c.status, answer.Body)
			}
			if !strings.Contains(answer.Body, c.says) || len(answer.Body) > 200_000 {
				t.Errorf("the page of %d bytes says\n%.2000s", len(answer.Body), answer.Body)
			}
		})
	}
}

func TestZippedAndPlainAreTheSame(t *testing.T) {
	p := webtest.Shared(t)
	v := p.Visitor(t, webtest.Leader)
	for _, at := range []string{"/account", "/units/" + p.Quiet, "/follow-ups.csv", "/nowhere", asset(t, v, "site.css"), asset(t, v, "htmx.min.js"), asset(t, v, "woff2")} {
		plain := v.Get(at)
		v.Header.Set("Accept-Encoding", "gzip, deflate, br")
		zipped := v.Get(at)
		v.Header.Del("Accept-Encoding")
		body := zipped.Body
		switch encoding := zipped.Header.Get("Content-Encoding"); {
		case encoding == "gzip":
			reader, err := gzip.NewReader(strings.NewReader(zipped.Body))
			if err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			all, err := io.ReadAll(reader)
			if err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			body = string(all)
			if len(zipped.Body) >= len(all) {
				t.Errorf("%s gains nothing: %d of %d bytes", at, len(zipped.Body), len(all))
			}
			if zipped.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: Vary %q", at, zipped.Header.Get("Vary"))
			}
		case !strings.HasSuffix(at, ".woff2"):
			t.Errorf("%s is not zipped but %q", at, encoding)
		}
		if fresh.ReplaceAllString(body, "") != fresh.ReplaceAllString(plain.Body, "") || zipped.Status != plain.Status || zipped.Header.Get("Content-Type") != plain.Header.Get("Content-Type") {
			t.Errorf("%s: %d and %d, %d and %d bytes", at, plain.Status, zipped.Status, len(plain.Body), len(body))
		}
		if plain.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s is encoded unasked", at)
		}
	}
}

// fresh is the minute through which figures count everything: it moves between two looks.
var fresh = regexp.MustCompile(`nhận đến [0-9/ :]+`)

// asset is the address of an asset that a page or its sheet names.
func asset(t *testing.T, v *webtest.Visitor, name string) string {
	t.Helper()
	page := v.Get("/account").Body
	found := regexp.MustCompile(`/assets/[0-9a-f]+/[a-z.-]*`).FindAllString(page, -1)
	found = append(found, regexp.MustCompile(`/assets/[0-9a-f]+/[a-z.0-9-]*woff2`).FindAllString(v.Get(found[0]).Body, -1)...)
	for _, at := range found {
		if strings.HasSuffix(at, name) {
			return at
		}
	}
	t.Fatalf("no %s in %v", name, found)
	return ""
}

func TestLanguage(t *testing.T) {
	p := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{NoScript: true, Languages: "en-US,en"})
	p.GiveSession(t, page, webtest.Leader)
	page.Go(p.HTTP + "/units/" + p.Ward + "?from=2026-01-01&with=year")
	if got := page.Attribute("html", "lang"); got != "vi" {
		t.Errorf("an English browser gets %q: offices of Vietnam have such", got)
	}
	page.Follow("text=English")
	if got := page.Attribute("html", "lang"); got != "en" || !strings.Contains(page.URL(), "from=2026-01-01") || !strings.Contains(page.URL(), "with=year") {
		t.Errorf("language %q at %s", got, page.URL())
	}
	page.Go(p.HTTP + "/account")
	if got := page.Text("h1"); got != "My account" {
		t.Errorf("the next page says %q", got)
	}
	page.Follow("text=Tiếng Việt")
	if got := page.Text("h1"); got != "Tài khoản của tôi" {
		t.Errorf("back in Vietnamese the page says %q", got)
	}
	for _, c := range page.Cookies() {
		if c.Name == "hailong_language" && (!c.HTTPOnly || c.SameSite != "Lax" || !c.Lasting) {
			t.Errorf("the cookie is %+v", c)
		}
	}
}

func TestHostileHeaders(t *testing.T) {
	p := webtest.Shared(t)
	long := strings.Repeat("vi,", 3000)
	for name, c := range map[string]struct{ header, value string }{
		"languages without end": {"Accept-Language", long},
		"no language":           {"Accept-Language", ";q=zz,,,;q=-1;;*"},
		"a path for a language": {"Cookie", "hailong_language=../../en"},
		"an unknown language":   {"Cookie", "hailong_language=xx"},
		"markup as notice":      {"Cookie", "hailong_notice=%3Cscript%3Ealert(1)%3C%2Fscript%3E"},
		"a long notice":         {"Cookie", "hailong_notice=" + strings.Repeat("x", 4000)},
		"no text as notice":     {"Cookie", "hailong_notice=%ff%zz"},
		"a made-up session":     {"Cookie", "hailong_session=" + strings.Repeat("A", 5000)},
		"signs as session":      {"Cookie", `hailong_session=Bearer !#$%&'()*+-./:<=>?@[]^_{|}~`},
		"a thousand cookies":    {"Cookie", strings.Repeat("a=b; ", 1000)},
		"another host":          {"X-Forwarded-Host", "evil.example"},
		"an address of markup":  {"X-Forwarded-For", "<script>alert(1)</script>"},
	} {
		t.Run(name, func(t *testing.T) {
			v := p.Visitor(t, "")
			v.Header.Set(c.header, c.value)
			for _, at := range []string{"/sign-in", "/units"} {
				answer := v.Get(at)
				if answer.Status != http.StatusOK && answer.Status != http.StatusUnauthorized {
					t.Errorf("%s is answered %d\n%s", at, answer.Status, answer.Body)
				}
				if !strings.Contains(answer.Body, `<html lang="vi">`) || strings.Contains(answer.Body, "<script>") || strings.Contains(answer.Body, "evil.example") {
					t.Errorf("%s says\n%s", at, answer.Body)
				}
			}
		})
	}
	if answer := p.Visitor(t, "").Get("/sign-in?lang=xx&lang=en"); !strings.Contains(answer.Body, `<html lang="vi">`) || answer.Cookie("hailong_language") != nil {
		t.Errorf("an unknown language is answered in\n%s", answer.Body)
	}
}

func TestTwoTabs(t *testing.T) {
	p := webtest.Shared(t)
	one := browser.Open(t).Page(t, browser.Options{})
	p.SignInPage(t, one, webtest.CommuneLeader)
	session := ""
	for _, c := range one.Cookies() {
		if c.Name == "hailong_session" {
			session = c.Value
		}
	}
	two := p.Visitor(t, "") // the same cookies, another tab
	two.SetCookie("hailong_session", session)
	one.Go(p.HTTP + "/password")
	if answer := two.Get("/account?lang=en"); !strings.Contains(answer.Body, "My account") {
		t.Errorf("the other tab says\n%s", answer.Body)
	}
	if answer := two.Post("/sign-out", form()); answer.Status != http.StatusSeeOther {
		t.Errorf("answered %d", answer.Status)
	}
	one.Fill("#current_password", webtest.Password)
	one.Fill("#new_password", "mật khẩu mới toanh")
	one.Fill("#again_password", "mật khẩu mới toanh")
	if status := one.Submit("text=Lưu"); status != http.StatusUnauthorized {
		t.Errorf("a tab whose session ended in another is answered %d", status)
	}
	one.Fill("#name", string(webtest.CommuneLeader))
	one.Fill("#password", webtest.Password)
	if status := one.Submit("main button"); status != http.StatusOK || !strings.HasSuffix(one.URL(), "/password") {
		t.Errorf("after signing in again: %d at %s", status, one.URL())
	}
	if value := one.Value("#new_password"); value != "" {
		t.Errorf("the page holds %q", value)
	}
}

// TestFormsOverPlainHTTP signs in over an office's own network without TLS. There browsers tell a form's origin only as far as our
// policy of referrers lets them, and say no more of where it comes from.
func TestFormsOverPlainHTTP(t *testing.T) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		network, ok := address.(*net.IPNet)
		if !ok || network.IP.IsLoopback() || network.IP.To4() == nil {
			continue
		}
		p := webtest.Start(t, webtest.Bare(), webtest.Change(func(c *server.Config) { c.HTTP = net.JoinHostPort(network.IP.String(), "0") }))
		page := browser.Open(t).Page(t, browser.Options{NoScript: true})
		p.SignInPage(t, page, webtest.Administrator)
		if status := page.Submit("text=Đăng xuất"); status != http.StatusOK || !strings.HasSuffix(page.URL(), "/sign-in") {
			t.Errorf("signing out is answered %d at %s", status, page.URL())
		}
		return
	}
	t.Skip("this machine has no network but its own")
}
