package actions_test

import (
	"bytes"
	"html"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

// Accounts of these tests: the head of the commune's office, and the official who is rated there.
const (
	headOf webtest.Who = "trưởng một cửa xã"
	rated  webtest.Who = "công chức một cửa xã"
)

// program is the province with both of them.
func program(t *testing.T) *webtest.Program {
	t.Helper()
	p := webtest.Shared(t)
	identity := pb.NewIdentityServiceClient(p.Conn(t, webtest.Administrator))
	for _, account := range []*pb.CreateAccountRequest{
		{Name: string(headOf), Role: pb.Role_ROLE_HEAD, UnitId: p.CommuneOffice, DisplayName: "chị Hoa"},
		{Name: string(rated), Role: pb.Role_ROLE_OFFICIAL, UnitId: p.CommuneOffice, OfficialId: p.CommuneOfficials[0]},
	} {
		account.Password = webtest.Password
		if _, err := identity.CreateAccount(t.Context(), account); err != nil && !strings.Contains(err.Error(), "AlreadyExists") {
			t.Fatal(err)
		}
	}
	return p
}

func client(t *testing.T, p *webtest.Program, who webtest.Who) pb.ActionServiceClient {
	t.Helper()
	return pb.NewActionServiceClient(p.Conn(t, who))
}

// inDays is the local day so many days from now.
func inDays(n int) string {
	today, _ := localday.Of(time.Now())
	return string(today.Add(n))
}

// script is what does harm in a field that is not escaped.
const script = `<script>document.title="hỏng"</script><img src=x onerror=alert(1)> & "hết"`

// ordered orders an action of the commune's office through the contract.
func ordered(t *testing.T, p *webtest.Program, product string) *pb.Action {
	t.Helper()
	made, err := client(t, p, webtest.Leader).OrderActions(t.Context(), &pb.OrderActionsRequest{
		OrderId: uuid.Must(uuid.NewV7()).String(), UnitIds: []string{p.CommuneOffice}, Product: product, DueOn: inDays(20),
	})
	if err != nil {
		t.Fatal(err)
	}
	return made.GetActions()[0]
}

// let lets something happen to an action through the contract.
func let(t *testing.T, p *webtest.Program, who webtest.Who, a *pb.Action, request *pb.ApplyActionEventRequest) *pb.Action {
	t.Helper()
	request.ActionId = a.GetId()
	after, err := client(t, p, who).ApplyActionEvent(t.Context(), request)
	if err != nil {
		t.Fatalf("%s: %v", request.GetEvent(), err)
	}
	return after
}

// opened opens a case about the commune's office.
func opened(t *testing.T, p *webtest.Program) *pb.Case {
	t.Helper()
	made, err := pb.NewCaseServiceClient(p.Conn(t, webtest.Leader)).OpenCase(t.Context(), &pb.OpenCaseRequest{
		CaseId: uuid.Must(uuid.NewV7()).String(), ReceivingUnitId: p.Commune, AboutUnitId: p.CommuneOffice, Source: "letter", Title: "Thu phí không niêm yết " + script, Words: "Thu 2.000 đồng một trang.",
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// says checks an answer's status and that its page says some words.
func says(t *testing.T, answer webtest.Answer, status int, words ...string) {
	t.Helper()
	if answer.Status != status {
		t.Fatalf("answered %d to %s, want %d\n%.6000s", answer.Status, answer.Location(), status, answer.Body)
	}
	for _, raw := range []string{"actionspage.", "casespage.", "casework.", "deadline.", "fault.", "<script>document", "<img src=x", "%!"} {
		if at := strings.Index(answer.Body, raw); at >= 0 {
			t.Errorf("the page says %q", answer.Body[max(0, at-60):min(at+60, len(answer.Body))])
		}
	}
	for _, want := range words {
		if !strings.Contains(answer.Body, want) {
			t.Errorf("the page does not say %q:\n%.20000s", want, answer.Body)
		}
	}
}

// leads checks that an answer leads on, and answers where to.
func leads(t *testing.T, answer webtest.Answer) string {
	t.Helper()
	if answer.Status != http.StatusSeeOther {
		t.Fatalf("answered %d\n%.20000s", answer.Status, answer.Body)
	}
	return answer.Location()
}

// formOf are the hidden fields of the form with an event.
func formOf(t *testing.T, page, event string) url.Values {
	t.Helper()
	_, form, found := strings.Cut(page, `name="event" value="`+event+`"`)
	if !found {
		t.Fatalf("the page has no form for %s\n%.20000s", event, page)
	}
	form, _, _ = strings.Cut(form, "</form>")
	return url.Values{"event": {event}, "version": {field(form, "version")}}
}

// field is the value of the first such field.
func field(page, name string) string {
	_, rest, _ := strings.Cut(page, `name="`+name+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(value)
}

// attached sends a form with files, by their names.
func attached(t *testing.T, v *webtest.Visitor, path string, form url.Values, files map[string][]byte) webtest.Answer {
	t.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for name, values := range form {
		for _, value := range values {
			_ = parts.WriteField(name, value)
		}
	}
	for name, content := range files {
		file, err := parts.CreateFormFile("files", name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = file.Write(content)
	}
	if err := parts.Close(); err != nil {
		t.Fatal(err)
	}
	request := v.Request(http.MethodPost, path, nil)
	request.Body, request.ContentLength = io.NopCloser(&body), int64(body.Len())
	request.Header.Set("Content-Type", parts.FormDataContentType())
	return v.Do(request)
}

func picture(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestOrder: one form orders of two units, once however often it is sent, and loses nothing that was typed.
func TestOrder(t *testing.T) {
	p := program(t)
	v := p.Visitor(t, webtest.Leader)
	c := opened(t, p)
	page := v.Get("/actions/new?case=" + c.GetId())
	says(t, page, http.StatusOK, "Làm xong thì có gì?", c.GetNumber().GetShown(), "Bộ phận Một cửa xã Đồi Nắng", "Lê Minh Hoạ")
	sent := url.Values{"order": {field(page.Body, "order")}, "case": {c.GetId()}, "product": {"Bảng phí ở mọi quầy " + script}, "due": {"31/13/2026"}}
	says(t, v.Post("/actions/new", sent), http.StatusUnprocessableEntity, "Xin chọn ít nhất một đơn vị.", "Xin ghi ngày như", "Bảng phí ở mọi quầy &lt;script&gt;")
	sent.Set("unit", p.CommuneOffice)
	sent.Set("unit_q", "song xanh") // two units: none is chosen for whoever searched
	says(t, v.Post("/actions/new", sent), http.StatusOK, "Bảng phí ở mọi quầy", "Phường Sông Xanh", `value="`+p.CommuneOffice+`" checked`)
	sent["unit"], sent["unit_was"] = []string{p.CommuneOffice, p.WardOffice}, []string{"song xanh"}
	sent.Set("due", inDays(-1))
	sent.Set("owner", p.CommuneOfficials[0])
	says(t, v.Post("/actions/new", sent), http.StatusUnprocessableEntity, "Chỉ nêu một người làm khi giao cho một đơn vị.", "không được ở quá khứ")
	sent.Del("owner")
	sent.Set("due", inDays(9))
	to := leads(t, v.Post("/actions/new", sent))
	if again := leads(t, v.Post("/actions/new", sent)); again != to {
		t.Errorf("sent twice: to %s, then to %s", to, again)
	}
	says(t, v.Get(to), http.StatusOK, "Các việc được giao cùng lúc", "Bộ phận Một cửa xã Đồi Nắng", "Bộ phận Một cửa phường Sông Xanh", "còn 9 ngày")
	list, err := client(t, p, webtest.Leader).ListActions(t.Context(), &pb.ListActionsRequest{CaseId: c.GetId()})
	if err != nil || len(list.GetActions()) != 2 {
		t.Fatalf("ordered %v, %v", list, err)
	}
	sent.Set("product", "Việc khác")
	other := v.Post("/actions/new", sent)
	says(t, other, http.StatusUnprocessableEntity, "đã được gửi với nội dung khác", "Việc khác")
	if field(other.Body, "order") == sent.Get("order") {
		t.Error("the form cannot be sent any more")
	}
	says(t, v.Get("/actions?case="+c.GetId()), http.StatusOK, "Bảng phí ở mọi quầy", "/actions/new?case="+c.GetId())

	// One unit, and the official who is to do it.
	one := url.Values{"order": {uuid.Must(uuid.NewV7()).String()}, "product": {"Sửa máy gọi số"}, "due": {inDays(3)}, "unit": {p.CommuneOffice}, "owner": {p.WardOfficials[0]}}
	says(t, v.Post("/actions/new", one), http.StatusUnprocessableEntity, "Sửa máy gọi số", "không thuộc đơn vị")
	one.Set("owner", p.CommuneOfficials[0])
	says(t, v.Get(leads(t, v.Post("/actions/new", one))), http.StatusOK, "Sửa máy gọi số", "Lê Minh Hoạ", "Đã giao việc")

	for _, who := range []webtest.Who{headOf, webtest.Operator, rated} {
		if got := p.Visitor(t, who).Get("/actions/new").Status; got != http.StatusNotFound {
			t.Errorf("%s may order: %d", who, got)
		}
	}
}

// TestReport: evidence comes with files of its own; a disguised one is refused and keeps nothing else from being kept.
func TestReport(t *testing.T) {
	p := program(t)
	a := ordered(t, p, "Treo bảng phí "+script)
	at := "/actions/" + a.GetId()
	head, leader := p.Visitor(t, headOf), p.Visitor(t, webtest.Leader)
	says(t, head.Get("/actions?list=mine"), http.StatusOK, "Treo bảng phí")
	page := head.Get(at)
	says(t, page, http.StatusOK, "Báo đã làm xong", "Minh chứng")
	if strings.Contains(page.Body, "Bỏ việc này") {
		t.Error("the unit may cancel what was ordered of it")
	}
	report := formOf(t, page.Body, "report")
	says(t, head.Post(at+"/events", report), http.StatusUnprocessableEntity, "Xin ghi")
	report.Set("evidence", "Đã treo ở ba quầy. "+script)
	refused := attached(t, head, at+"/events", report, map[string][]byte{"ảnh.png": picture(t), "báo cáo.pdf": []byte("MZ\x90\x00 this program cannot be run")})
	says(t, refused, http.StatusUnprocessableEntity, "ảnh.png", "báo cáo.pdf", "Đã treo ở ba quầy.")
	report["file"] = []string{field(refused.Body, "file")}
	leads(t, head.Post(at+"/events", report))

	page = leader.Get(at)
	says(t, page, http.StatusOK, "Đã treo ở ba quầy. &lt;script&gt;", "ảnh.png", "Xác nhận đã xong", "Yêu cầu làm tiếp", "chị Hoa")
	_, file, _ := strings.Cut(page.Body, at+"/files/")
	file, _, _ = strings.Cut(file, `"`)
	download := leader.Get(at + "/files/" + file)
	if download.Body != string(picture(t)) || download.Header.Get("Content-Type") != "image/png" || !strings.HasPrefix(download.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d %v", download.Status, download.Header)
	}
	if got := p.Visitor(t, webtest.Official).Get(at + "/files/" + file).Status; got != http.StatusNotFound {
		t.Errorf("somebody outside may read the file: %d", got)
	}
	if got := leader.Get("/actions/" + ordered(t, p, "Khác").GetId() + "/files/" + file).Status; got != http.StatusNotFound {
		t.Errorf("a file is found at another action: %d", got)
	}

	back := formOf(t, page.Body, "send_back")
	says(t, leader.Post(at+"/events", back), http.StatusUnprocessableEntity, "Xin ghi")
	back.Set("reason", "Quầy 2 chưa có bảng.")
	back.Set("due", "")
	says(t, leader.Post(at+"/events", back), http.StatusUnprocessableEntity, "Quầy 2 chưa có bảng.")
	back.Set("due", inDays(5))
	leads(t, leader.Post(at+"/events", back))
	says(t, head.Get(at), http.StatusOK, "Quầy 2 chưa có bảng.", "Chưa đạt, làm tiếp", "Báo đã làm xong")
	let(t, p, headOf, a, &pb.ApplyActionEventRequest{Event: "report", Evidence: "Đã đủ ba quầy."})
	leads(t, leader.Post(at+"/events", formOf(t, leader.Get(at).Body, "confirm")))
	says(t, leader.Get(at), http.StatusOK, "Đã xác nhận xong")
	says(t, leader.Get("/actions?list=ended"), http.StatusOK, "Treo bảng phí")
}

// TestTwoLeaders: one is first, the other is told and keeps what was typed, whether or not it can still be done.
func TestTwoLeaders(t *testing.T) {
	p := program(t)
	first, second := p.Visitor(t, webtest.Leader), p.Visitor(t, webtest.Leader)
	a := ordered(t, p, "Hai người cùng xem")
	at := "/actions/" + a.GetId()
	page := first.Get(at)
	due, cancel, hand := formOf(t, page.Body, "change_due"), formOf(t, page.Body, "cancel"), formOf(t, page.Body, "hand_on")
	due.Set("due", inDays(30))
	due.Set("reason", "Chờ kinh phí.")
	leads(t, first.Post(at+"/events", due))
	hand.Set("unit", p.Commune)
	hand.Set("reason", "Việc của cả xã. "+script)
	late := second.Post(at+"/events", hand)
	says(t, late, http.StatusConflict, "lãnh đạo", "Đổi ngày phải xong", "Việc của cả xã. &lt;script&gt;", "Người khác vừa thay đổi việc này")
	hand.Set("version", formOf(t, late.Body, "hand_on").Get("version"))
	leads(t, second.Post(at+"/events", hand))
	says(t, second.Get(at), http.StatusOK, "Xã Đồi Nắng", "Việc của cả xã.")

	cancel.Set("reason", "Không cần nữa vì đã làm.")
	now := formOf(t, first.Get(at).Body, "cancel")
	now.Set("reason", "Bỏ trước.")
	leads(t, first.Post(at+"/events", now))
	says(t, second.Post(at+"/events", cancel), http.StatusConflict, "Nội dung ông/bà đã gõ", "Không cần nữa vì đã làm.")
}

// TestStandIn: what is done for somebody on leave says for whom.
func TestStandIn(t *testing.T) {
	p := program(t)
	a := ordered(t, p, "Việc làm thay")
	if _, err := pb.NewCaseRulesServiceClient(p.Conn(t, webtest.Leader)).SetStandIn(t.Context(), &pb.SetStandInRequest{
		DeputyName: string(headOf), From: inDays(0), To: inDays(0), Reason: "nghỉ phép",
	}); err != nil {
		t.Fatal(err)
	}
	v := p.Visitor(t, headOf)
	page := v.Get("/actions/" + a.GetId())
	says(t, page, http.StatusOK, "Bỏ việc này (thay ")
	cancel := formOf(t, page.Body, "cancel")
	_, form, _ := strings.Cut(page.Body, `name="event" value="cancel"`)
	cancel.Set("for", field(form, "for"))
	cancel.Set("reason", "Làm thay lãnh đạo.")
	leads(t, v.Post("/actions/"+a.GetId()+"/events", cancel))
	says(t, v.Get("/actions/"+a.GetId()), http.StatusOK, "thay lãnh đạo", "Đã bỏ")
}

// counted waits until the figures by official hold what was given.
func counted(t *testing.T, p *webtest.Program) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		both, err := client(t, p, rated).GetContestFigures(t.Context(), &pb.GetContestFiguresRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if !both.GetSuppressed() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the figures were not folded within a minute")
		}
	}
}

// TestContest: an official contests, the one decides, and both figures stand beside each other.
func TestContest(t *testing.T) {
	p := program(t)
	counted(t, p)
	v, leader := p.Visitor(t, rated), p.Visitor(t, webtest.Leader)
	page := v.Get("/contests")
	says(t, page, http.StatusOK, "Lượt ông/bà có thể đề nghị xem xét", "Hai số liệu của ông/bà", "Như người dân chấm", "<svg")
	says(t, leader.Get("/actions"), http.StatusOK, `href="/contests"`)
	sent := url.Values{"rating": {field(page.Body, "rating")}, "key": {field(page.Body, "key")}, "kind": {"raise"}}
	says(t, v.Post("/contests", sent), http.StatusUnprocessableEntity, "Xin ghi lý do.")
	sent.Set("reason", "Hôm đó tôi nghỉ phép. "+script)
	sent.Set("rating", "sai")
	says(t, v.Post("/contests", sent), http.StatusUnprocessableEntity, "Hôm đó tôi nghỉ phép. &lt;script&gt;", "Không có lượt đánh giá này")
	sent.Set("rating", field(page.Body, "rating"))
	if to := leads(t, v.Post("/contests", sent)); to != "/contests" {
		t.Errorf("leads to %s", to)
	}
	says(t, v.Get("/contests"), http.StatusOK, "Hôm đó tôi nghỉ phép.", "Cán bộ đề nghị xem lại", "Rút đề nghị")

	page = leader.Get("/contests")
	says(t, page, http.StatusOK, "Hôm đó tôi nghỉ phép.", "Chờ quyết định", "Lê Minh Hoạ", "Hai số liệu của Lê Minh Hoạ")
	decide := url.Values{"rating": {field(page.Body, "rating")}, "key": {field(page.Body, "key")}, "kind": {"decide"}, "reason": {"Đúng, hôm đó nghỉ phép."}}
	says(t, leader.Post("/contests/decide", decide), http.StatusUnprocessableEntity, "Xin chọn đồng ý", "Đúng, hôm đó nghỉ phép.")
	decide.Set("upheld", "yes")
	leads(t, leader.Post("/contests/decide", decide))
	late := leader.Post("/contests/decide", decide)
	says(t, late, http.StatusConflict, "Nội dung ông/bà đã gõ", "Đúng, hôm đó nghỉ phép.")
	says(t, v.Get("/contests"), http.StatusOK, "Đồng ý với cán bộ", "Đúng, hôm đó nghỉ phép.", "số đề nghị được đồng ý: 1")

	// Another, which the official lets be.
	page = v.Get("/contests")
	sent.Set("rating", field(page.Body, "rating"))
	sent.Set("reason", "Nhầm người.")
	leads(t, v.Post("/contests", sent))
	page = v.Get("/contests")
	_, form, _ := strings.Cut(page.Body, `action="/contests/drop"`)
	drop := url.Values{"rating": {field(form, "rating")}, "key": {field(form, "key")}, "kind": {"drop"}, "reason": {"Tôi xem lại thấy không cần."}}
	leads(t, v.Post("/contests/drop", drop))
	says(t, v.Get("/contests"), http.StatusOK, "Cán bộ rút đề nghị")

	if got := p.Visitor(t, webtest.Operator).Get("/contests").Status; got != http.StatusNotFound {
		t.Errorf("an operator sees contests: %d", got)
	}
	says(t, p.Visitor(t, webtest.Official).Get("/contests"), http.StatusOK, "chưa được gắn")
}
