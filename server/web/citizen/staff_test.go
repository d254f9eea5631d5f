package citizen_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestRemedies(t *testing.T) {
	program := webtest.Start(t)
	page := browser.Open(t).Page(t, browser.Options{})
	program.GiveSession(t, page, webtest.CommuneLeader)
	citizen := visitor{t: t, program: program}
	shown := func(words string) bool {
		_, body, _ := citizen.do("GET", "/r/"+program.CommuneCounters[0]+"/thanks", nil)
		return strings.Contains(body, words)
	}
	page.Go(program.HTTP + "/remedies")
	page.Fill(`[name="text"]`, "Thêm 10 ghế <b>chờ</b>")
	if status := page.Submit(`section form[method="post"] [type="submit"]`); status != http.StatusOK {
		t.Fatalf("answered %d", status)
	}
	page.WaitText(".said", "Đã đăng")
	page.WaitText(".remedy-text", "Thêm 10 ghế <b>chờ</b>")
	page.Screenshot("remedies-published-desk-vi")
	page.CheckAccessible()
	if !shown("Thêm 10 ghế &lt;b&gt;chờ&lt;/b&gt;") {
		t.Error("citizens do not see it, or not as text")
	}
	thanks := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
	thanks.Go(program.HTTP + "/r/" + program.CommuneCounters[0] + "/thanks")
	thanks.Screenshot("citizen-thanks-remedies-phone-vi")
	thanks.CheckAccessible()

	t.Run("what is wrong is said, and kept", func(t *testing.T) {
		v := visitor{t: t, program: program, headers: map[string]string{"Cookie": "hailong_session=" + program.SignIn(t, webtest.CommuneLeader)}}
		for _, c := range []struct{ name, text, day, unit, says string }{
			{"nothing", " ", "", program.Commune, "Xin ghi việc đã làm"},
			{"too long", strings.Repeat("ế", 501), "", program.Commune, "dài 501 ký tự"},
			{"tomorrow's", "Thêm quạt", "2999-01-01", program.Commune, "không thể ở tương lai"},
			{"another's unit", "Thêm quạt", "", program.Ward, ""},
		} {
			form := map[string][]string{"text": {c.text}, "done_on": {c.day}, "unit": {c.unit}}
			code, body, _ := v.do("POST", "/remedies", form)
			want := http.StatusUnprocessableEntity
			if c.says == "" {
				want = http.StatusNotFound
			}
			if code != want || !strings.Contains(body, c.says) || want == http.StatusUnprocessableEntity && !strings.Contains(body, ">"+strings.TrimSpace(c.text)+"</textarea>") {
				t.Errorf("%s: %d %s", c.name, code, body)
			}
		}
	})
	page.Click("summary")
	page.Fill(`.remedy [name="reason"]`, "Ghi nhầm đơn vị")
	page.Submit(".remedy .danger")
	page.WaitText(".said", "Đã rút lại")
	page.WaitText(".remedy .badge", "Đã rút lại")
	if shown("Thêm 10 ghế") {
		t.Error("citizens still see it")
	}
	t.Run("who may not publish sees no such page", func(t *testing.T) {
		v := visitor{t: t, program: program, headers: map[string]string{"Cookie": "hailong_session=" + program.SignIn(t, webtest.Operator)}}
		if code, _, _ := v.do("GET", "/remedies", nil); code != http.StatusNotFound {
			t.Errorf("answered %d", code)
		}
	})
}

func TestPoster(t *testing.T) {
	program := webtest.Shared(t)
	as := func(who webtest.Who) visitor {
		v := visitor{t: t, program: program}
		if who != "" {
			v.headers = map[string]string{"Cookie": "hailong_session=" + program.SignIn(t, who)}
		}
		return v
	}
	for _, c := range []struct {
		name string
		who  webtest.Who
		path string
		code int
	}{
		{"a poster", webtest.Leader, program.WardOffice + "/poster.pdf", 200},
		{"a card of a counter", webtest.Leader, program.WardOffice + "/poster.pdf?size=a6&counter=" + program.WardCounters[1], 200},
		{"four of them, in two languages", webtest.Operator, program.WardOffice + "/poster.pdf?size=a4x4&second=en", 200},
		{"another office's counter", webtest.Leader, program.WardOffice + "/poster.pdf?counter=" + program.CommuneCounters[0], 404},
		{"a size that is none", webtest.Leader, program.WardOffice + "/poster.pdf?size=a0", 404},
		{"another's unit", webtest.CommuneLeader, program.WardOffice + "/poster.pdf", 404},
		{"nobody", "", program.WardOffice + "/poster.pdf", 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := as(c.who)
			v.t = t
			code, body, header := v.do("GET", "/units/"+c.path, nil)
			if code != c.code || (c.code == 200) != (header.Get("Content-Type") == "application/pdf" && strings.HasPrefix(body, "%PDF-")) {
				t.Errorf("%d %s, want %d", code, header.Get("Content-Type"), c.code)
			}
		})
	}
}
