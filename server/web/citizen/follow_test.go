package citizen_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/citizen"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// headOf heads the commune's office: an account of these tests.
const headOf webtest.Who = "trưởng một cửa"

// followed is a case about the commune's office, with its people.
type followed struct {
	t *testing.T
	p *webtest.Program
	*pb.Case
}

func opened(t *testing.T, p *webtest.Program) followed {
	t.Helper()
	_, err := pb.NewIdentityServiceClient(p.Conn(t, webtest.Administrator)).CreateAccount(t.Context(), &pb.CreateAccountRequest{
		Name: string(headOf), Password: webtest.Password, Role: pb.Role_ROLE_HEAD, UnitId: p.CommuneOffice, DisplayName: "Chị Hoa",
	})
	if err != nil && !strings.Contains(err.Error(), "AlreadyExists") {
		t.Fatal(err)
	}
	made, err := pb.NewCaseServiceClient(p.Conn(t, webtest.Leader)).OpenCase(t.Context(), &pb.OpenCaseRequest{
		CaseId: uuid.Must(uuid.NewV7()).String(), ReceivingUnitId: p.Commune, AboutUnitId: p.CommuneOffice, Source: "call", Title: "Chờ lâu ở quầy hai",
		Words: "Tôi là Tèo, chờ ba tiếng.", Contact: &pb.CaseContact{Name: "Nguyễn Văn Tèo", Phone: "0912 345 678"}, OfficialIds: p.CommuneOfficials,
	})
	if err != nil {
		t.Fatal(err)
	}
	return followed{t, p, made}
}

func (f followed) let(who webtest.Who, event *pb.CaseEvent) {
	f.t.Helper()
	if _, err := pb.NewCaseServiceClient(f.p.Conn(f.t, who)).ApplyCaseEvent(f.t.Context(), &pb.ApplyCaseEventRequest{CaseId: f.GetId(), Event: event}); err != nil {
		f.t.Fatalf("%s: %v", event.GetName(), err)
	}
}

// answer brings the case to its reply.
func (f followed) answer(words string) {
	f.let(webtest.Operator, &pb.CaseEvent{Name: "assign", UnitId: f.p.CommuneOffice})
	f.let(webtest.Leader, &pb.CaseEvent{Name: "request_explanation"})
	f.let(headOf, &pb.CaseEvent{Name: "submit", Explanation: &pb.Explanation{
		Cause: "overload", Analysis: "Hôm ấy hai quầy nghỉ, người dân dồn vào một quầy.", Remedy: "Bố trí thêm người trực thay từ tuần sau.", Together: true, Apology: "will", Finding: "upheld",
	}})
	f.let(webtest.Leader, &pb.CaseEvent{Name: "accept", Finding: "upheld"})
	f.let(webtest.Operator, &pb.CaseEvent{Name: "reply", Text: words})
}

// expect checks a page's status and that it says some words and not others ("!" before them).
func expect(t *testing.T, what string, status, want int, body string, words ...string) {
	t.Helper()
	if status != want {
		t.Errorf("%s: answered %d, want %d\n%s", what, status, want, body)
	}
	for _, word := range words {
		absent := strings.HasPrefix(word, "!")
		if strings.Contains(body, strings.TrimPrefix(word, "!")) == absent {
			t.Errorf("%s should say %q:\n%s", what, word, body)
		}
	}
}

// TestFollowingACase goes the way of somebody who has a code, without a script.
func TestFollowingACase(t *testing.T) {
	p := webtest.Start(t, webtest.Change(func(c *server.Config) { c.TrustedProxies = "127.0.0.1" }))
	f := opened(t, p)
	v := visitor{t, p, map[string]string{"X-Forwarded-For": "203.0.113.1"}}
	code := f.GetCode()
	wrong := "1" + code[1:]
	if code[0] == '1' {
		wrong = "2" + code[1:]
	}
	t.Run("the code is typed as people type", func(t *testing.T) {
		wide := strings.Map(func(r rune) rune { return r - '0' + '０' }, code[:4])
		for _, typed := range []string{code, " " + code[:4] + " " + code[4:8] + "." + code[8:], wide + "-" + code[4:], strings.Join(strings.Split(code, ""), "      ")} {
			status, body, header := v.do("POST", "/p?lang=vi", url.Values{"code": {typed}})
			expect(t, "typed "+typed, status, http.StatusSeeOther, body)
			if got := header.Get("Location"); got != "/p/"+code+"?lang=vi" {
				t.Errorf("%q leads to %q", typed, got)
			}
		}
	})
	t.Run("what is wrong with it is told, and it stays", func(t *testing.T) {
		status, body, _ := v.do("POST", "/p?lang=vi", url.Values{"code": {wrong}})
		expect(t, "a wrong digit", status, http.StatusUnprocessableEntity, body, "Số này gõ chưa đúng.", `value="`+wrong+`"`)
		status, body, _ = v.do("POST", "/p?lang=vi", url.Values{"code": {"12345"}})
		expect(t, "too short", status, http.StatusUnprocessableEntity, body, "Mã có 12 chữ số; ở đây có 5.")
		status, body, _ = v.do("POST", "/p?lang=vi", url.Values{"code": {`"><script>alert(1)</script>`}})
		expect(t, "a script", status, http.StatusUnprocessableEntity, body, "!<script>alert")
		status, body, _ = v.do("POST", "/p?lang=vi", url.Values{"code": {""}})
		expect(t, "nothing", status, http.StatusUnprocessableEntity, body, "Xin nhập mã.")
		status, body, _ = v.do("GET", "/p/100000000009?lang=vi", nil)
		if status != http.StatusNotFound && status != http.StatusUnprocessableEntity {
			t.Errorf("a code that no case has: %d %s", status, body)
		}
	})
	t.Run("the page names nobody and is kept nowhere", func(t *testing.T) {
		status, body, header := v.do("GET", "/p/"+code+"?lang=vi", nil)
		expect(t, "the case", status, http.StatusOK, body, "đang phân công", "Sẽ trả lời ông/bà chậm nhất", "noindex", `class="qr"`,
			"!Tèo", "!0912", "!Hoa", "!quầy hai", "!ba tiếng", "!Câu trả lời này")
		if header.Get("Cache-Control") != "no-store" || !strings.Contains(header.Get("X-Robots-Tag"), "noindex") {
			t.Errorf("%v", header)
		}
		_, body, _ = v.do("GET", "/p/"+code+"?lang=en", nil)
		expect(t, "in English", status, http.StatusOK, body, "You will be answered by")
	})
	f.answer("Xin lỗi ông bà.\n<b>Đã thêm người.</b>")
	form := url.Values{"answered": {"no"}, "round": {"1"}, "reason": {"not_done"}, "words": {"Vẫn phải chờ <i>hai tiếng</i>."}}
	t.Run("the reply is read and answered", func(t *testing.T) {
		status, body, _ := v.do("GET", "/p/"+code+"?lang=vi", nil)
		expect(t, "the reply", status, http.StatusOK, body, "&lt;b&gt;Đã thêm người.", "Câu trả lời này đã thoả đáng chưa?", "mở lại một lần")
		status, body, _ = v.do("POST", "/p/"+code+"?lang=vi", url.Values{"answered": {"no"}, "round": {"1"}})
		expect(t, "no reason", status, http.StatusUnprocessableEntity, body, "Xin chọn lý do", "<details open>")
		long := strings.Repeat("chờ ", 1300)
		status, body, _ = v.do("POST", "/p/"+code+"?lang=vi", url.Values{"answered": {"no"}, "round": {"1"}, "words": {long}})
		expect(t, "too many words", status, http.StatusUnprocessableEntity, body, strings.TrimSpace(long))
		for range 2 { // sent twice
			status, body, header := v.do("POST", "/p/"+code+"?lang=vi", form)
			expect(t, "no", status, http.StatusSeeOther, body)
			if got := header.Get("Location"); got != "/p/"+code+"?lang=vi" {
				t.Errorf("leads to %q", got)
			}
		}
		status, body, _ = v.do("GET", "/p/"+code+"?lang=vi", nil)
		expect(t, "after it", status, http.StatusOK, body, "Đã mở lại", "Sẽ trả lời lại", "!hai tiếng", "!Câu trả lời này")
	})
	t.Run("the second time yes ends it, and an old form does nothing", func(t *testing.T) {
		f.answer("Từ thứ hai có ba quầy.")
		status, body, _ := v.do("POST", "/p/"+code+"?lang=vi", form)
		expect(t, "the old form", status, http.StatusSeeOther, body)
		_, body, _ = v.do("GET", "/p/"+code+"?lang=vi", nil)
		expect(t, "still open", http.StatusOK, http.StatusOK, body, "Câu trả lời này đã thoả đáng chưa?", "Từ thứ hai", "đã được mở lại một lần")
		status, body, _ = v.do("POST", "/p/"+code+"?lang=vi", url.Values{"answered": {"yes"}, "round": {"2"}})
		expect(t, "yes", status, http.StatusSeeOther, body)
		_, body, _ = v.do("GET", "/p/"+code+"?lang=vi", nil)
		expect(t, "ended", http.StatusOK, http.StatusOK, body, "Đã kết thúc", "đã thoả đáng", "!Câu trả lời này")
		status, body, _ = v.do("POST", "/p/"+code+"?lang=vi", url.Values{"answered": {"no"}, "round": {"3"}, "words": {"Khoan đã"}})
		expect(t, "too late", status, http.StatusConflict, body, "đã đóng", "Khoan đã")
	})
}

// TestAGuesserWorks: who tries codes is soon asked for work, and the work leads a right code to its case.
func TestAGuesserWorks(t *testing.T) {
	p := webtest.Start(t, webtest.Change(func(c *server.Config) { c.TrustedProxies = "127.0.0.1" }))
	f := opened(t, p)
	v := visitor{t, p, map[string]string{"X-Forwarded-For": "203.0.113.2"}}
	for i := range 20 {
		if status, body, _ := v.do("POST", "/p?lang=vi", url.Values{"code": {"123456789012"}}); status == http.StatusTooManyRequests {
			t.Fatalf("guess %d: %s", i, body)
		}
	}
	status, body, _ := v.do("POST", "/p?lang=vi", url.Values{"code": {f.GetCode()}})
	expect(t, "the next", status, http.StatusTooManyRequests, body, "cần kiểm tra thêm", "!đang phân công", `value="`+f.GetCode()+`"`)
	token := regexp.MustCompile(`data-token="([^"]+)" data-bits="18"`).FindStringSubmatch(body)
	if token == nil {
		t.Fatalf("no work is asked for:\n%s", body)
	}
	work := url.Values{"code": {f.GetCode()}, "work_token": {token[1]}, "proof_of_work": {citizen.Work(token[1], 18)}}
	status, body, header := v.do("POST", "/p?lang=vi", work)
	expect(t, "with work", status, http.StatusSeeOther, body)
	status, body, _ = v.do("GET", header.Get("Location"), nil)
	expect(t, "where it leads", status, http.StatusOK, body, "đang phân công")
	status, _, _ = visitor{t, p, map[string]string{"X-Forwarded-For": "203.0.113.3"}}.do("GET", "/p/"+f.GetCode(), nil)
	if status != http.StatusOK {
		t.Errorf("somebody else is held back: %d", status)
	}
}

// TestACallBackLeadsToItsCase: the page of thanks offers the way to whoever asked to be called back, and to nobody else.
func TestACallBackLeadsToItsCase(t *testing.T) {
	p := webtest.Shared(t)
	v := visitor{t: t, program: p}
	place := p.WardCounters[0]
	form := with(v.open(place), "score", "1", "comment", "Chờ ba tiếng, xin gọi lại.", "call_back", "yes", "phone", "0912345678")
	status, body, header := v.do("POST", "/r/"+place, form)
	expect(t, "sent", status, http.StatusSeeOther, body)
	_, body, _ = v.do("GET", header.Get("Location"), nil)
	link := regexp.MustCompile(`href="(/p/rated[^"]+)"`).FindStringSubmatch(body)
	if link == nil {
		t.Fatalf("no way to the case:\n%s", body)
	}
	at := html.UnescapeString(link[1])
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		status, body, header = v.do("GET", at, nil)
		if status == http.StatusSeeOther {
			break
		}
		expect(t, "not yet", status, http.StatusOK, body, "Ý kiến đang được vào sổ")
		if time.Now().After(deadline) {
			t.Fatal("the rating became no case within a minute")
		}
	}
	status, body, _ = v.do("GET", header.Get("Location"), nil)
	expect(t, "the case", status, http.StatusOK, body, "Mã theo dõi", "!0912", "!ba tiếng")
	status, body, _ = v.do("GET", strings.Replace(at, "rating=0", "rating=1", 1), nil)
	expect(t, "another's rating", status, http.StatusNotFound, body, "không còn dùng được")
	_, body, _ = v.do("GET", "/r/"+place+"/thanks?lang=vi", nil)
	if strings.Contains(body, "/p/rated") {
		t.Error("who asked for nothing is led to a case")
	}
}
