package notices_test

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/mail"
	"regexp"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// TestPages shares one program, which takes longest.
func TestPages(t *testing.T) {
	p, box := start(t)
	t.Run("notices", func(t *testing.T) { testNotices(t, p, box) })
	t.Run("webhooks", func(t *testing.T) { testWebhooks(t, p) })
}

func testNotices(t *testing.T, p *webtest.Program, box *postbox) {
	leader := p.Visitor(t, chief)
	if body := answered(t, leader.Get("/notices"), http.StatusOK); !strings.Contains(body, "Chưa có thông báo nào") {
		t.Error(body)
	}
	const title = `Chờ lâu <b>"ở" quầy</b> & 'hai'`
	opened := happens(t, p, title)
	body := toldOf(t, leader, "("+title+")")
	if strings.Contains(body, "<b>") || !strings.Contains(body, `>1 thông báo chưa đọc<`) {
		t.Error(body)
	}
	t.Run("not to whoever did it, nor to strangers", func(t *testing.T) {
		for _, who := range []webtest.Who{clerk, keeper, webtest.Official} {
			if body := answered(t, p.Visitor(t, who).Get("/notices"), http.StatusOK); !strings.Contains(body, "Chưa có thông báo nào") {
				t.Errorf("%s is told", who)
			}
		}
	})
	t.Run("for everybody", func(t *testing.T) {
		p.Look(t, webtest.View{Who: chief, Path: "/notices", Name: "notices/notices"})
	})
	t.Run("one press opens and marks it", func(t *testing.T) {
		page := browser.Open(t).Page(t, browser.Options{NoScript: true})
		p.GiveSession(t, page, chief)
		page.Go(p.HTTP + "/notices?lang=vi")
		page.Follow(".bell") // it leads here
		if status := page.Submit(".told button"); status != http.StatusOK || page.URL() != p.HTTP+"/cases/"+opened.GetId() {
			t.Errorf("%d at %s", status, page.URL())
		}
		if text := page.Text(".bell"); strings.TrimSpace(text) != "Thông báo" {
			t.Errorf("the bell says %q", text)
		}
		page.CheckConsole()
	})
	t.Run("all at once, but not what came since", func(t *testing.T) {
		happens(t, p, "Việc thứ hai")
		body := toldOf(t, leader, "Việc thứ hai")
		happens(t, p, "Việc thứ ba")
		toldOf(t, leader, "Việc thứ ba")
		answer := leader.Post("/notices", form("until", hidden(t, body, "until"), "unread", "1"))
		if answered(t, answer, http.StatusSeeOther); answer.Location() != "/notices?unread=1" {
			t.Errorf("then at %s", answer.Location())
		}
		left := answered(t, leader.Get("/notices?unread=1"), http.StatusOK)
		if strings.Contains(left, "Việc thứ hai") || !strings.Contains(left, "Việc thứ ba") {
			t.Error(left)
		}
	})
	t.Run("a form that leads elsewhere stays here", func(t *testing.T) {
		if answer := leader.Post("/notices", form("id", "none", "to", "https://elsewhere.example/")); answer.Location() != "/" {
			t.Errorf("it leads to %s", answer.Location())
		}
	})
	t.Run("by e-mail where that was chosen", func(t *testing.T) { testMail(t, p, box, leader) })
}

// plain is the text of a mail.
func plain(t *testing.T, raw string) string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_, about, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(m.Body, about["boundary"]).NextPart()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(part)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func testMail(t *testing.T, p *webtest.Program, box *postbox, leader *webtest.Visitor) {
	const settings = "/notices/settings"
	for name, typed := range map[string]string{"nothing": "", "no address": "lan@", "two": "a@xa.gov.vn, b@xa.gov.vn"} {
		body := answered(t, leader.Post(settings+"/email", form("email", typed)), http.StatusUnprocessableEntity)
		if !strings.Contains(body, `value="`+typed+`"`) || !strings.Contains(body, "email-error") {
			t.Errorf("%s: %s", name, body)
		}
	}
	answered(t, leader.Post(settings+"/email", form("email", "chutich@xa.gov.vn")), http.StatusSeeOther)
	code := regexp.MustCompile(`(?m)^    (\d{6})$`).FindStringSubmatch(plain(t, box.next(t)))
	if code == nil {
		t.Fatal("the mail has no code")
	}
	p.Look(t, webtest.View{Who: chief, Path: settings, Name: "notices/settings"})
	wrong := "000000"
	if code[1] == wrong {
		wrong = "000001"
	}
	if body := answered(t, leader.Post(settings+"/code", form("code", wrong)), http.StatusUnprocessableEntity); !strings.Contains(body, `value="`+wrong+`"`) || !strings.Contains(body, "code-error") {
		t.Error(body)
	}
	answered(t, leader.Post(settings+"/code", form("code", code[1])), http.StatusSeeOther)
	if body := answered(t, leader.Get(settings), http.StatusOK); !strings.Contains(body, "Thông báo được gửi tới: chutich@xa.gov.vn") {
		t.Error(body)
	}
	answered(t, leader.Post(settings, form("language", "vi", "group", "không có")), http.StatusUnprocessableEntity)
	answered(t, leader.Post(settings, form("language", "en", "group", "tasks", "group", "late")), http.StatusSeeOther)
	body := answered(t, leader.Get(settings), http.StatusOK)
	for _, chosen := range []string{`value="tasks" checked`, `value="late" checked`, `value="en" checked`} {
		if !strings.Contains(body, chosen) {
			t.Errorf("%s is not kept", chosen)
		}
	}
	opened := happens(t, p, "Việc gửi qua thư")
	text := plain(t, box.next(t))
	for _, want := range []string{"(Việc gửi qua thư) at", "https://hailong.example.vn/cases/" + opened.GetId(), "https://hailong.example.vn/notices/settings"} {
		if !strings.Contains(text, want) {
			t.Errorf("the mail lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "Tôi chờ rất lâu") {
		t.Error("the mail holds the citizen's words")
	}
	admin := p.Visitor(t, keeper)
	log := answered(t, admin.Get("/admin/deliveries"), http.StatusOK)
	if !strings.Contains(log, "case.open") || strings.Contains(log, "chutich@xa.gov.vn") {
		t.Error(log)
	}
	answered(t, leader.Post(settings+"/remove", form()), http.StatusSeeOther)
	if body := answered(t, leader.Get(settings), http.StatusOK); strings.Contains(body, "chutich@xa.gov.vn") {
		t.Error("the address is not forgotten")
	}
}
