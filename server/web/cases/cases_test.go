package cases_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

// headOf is who heads the commune's office: an account of these tests.
const headOf webtest.Who = "trưởng một cửa xã"

// program is the province with a head of the commune's office.
func program(t *testing.T) *webtest.Program {
	t.Helper()
	p := webtest.Shared(t)
	_, err := pb.NewIdentityServiceClient(p.Conn(t, webtest.Administrator)).CreateAccount(t.Context(), &pb.CreateAccountRequest{
		Name: string(headOf), Password: webtest.Password, Role: pb.Role_ROLE_HEAD, UnitId: p.CommuneOffice, DisplayName: "chị Hoa",
	})
	if err != nil && !strings.Contains(err.Error(), "AlreadyExists") {
		t.Fatal(err)
	}
	return p
}

func client(t *testing.T, p *webtest.Program, who webtest.Who) pb.CaseServiceClient {
	t.Helper()
	return pb.NewCaseServiceClient(p.Conn(t, who))
}

// opened opens a case about the commune's office through the contract.
func opened(t *testing.T, p *webtest.Program, title string) *pb.Case {
	t.Helper()
	made, err := client(t, p, webtest.CommuneLeader).OpenCase(t.Context(), &pb.OpenCaseRequest{
		CaseId: uuid.Must(uuid.NewV7()).String(), ReceivingUnitId: p.Commune, AboutUnitId: p.CommuneOffice, Source: "letter", Title: title,
		Words: webtest.Markup + "\nNói ba lần vẫn bảo chờ.", Contact: &pb.CaseContact{Name: "Bác Minh Hoạ", Phone: "0000 123 456"},
		ProcedureCode: webtest.Procedure, DossierCode: "H99-00042", OfficialIds: p.CommuneOfficials,
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// let lets something happen to a case through the contract.
func let(t *testing.T, p *webtest.Program, who webtest.Who, c *pb.Case, event *pb.CaseEvent) *pb.Case {
	t.Helper()
	after, err := client(t, p, who).ApplyCaseEvent(t.Context(), &pb.ApplyCaseEventRequest{CaseId: c.GetId(), Event: event})
	if err != nil {
		t.Fatalf("%s: %v", event.GetName(), err)
	}
	return after
}

func explanation() *pb.Explanation {
	return &pb.Explanation{
		Cause: "overload", Analysis: "Ngày đầu tuần đông người, một quầy nghỉ nên mọi người chờ quá lâu.", Remedy: "Mở thêm một quầy vào sáng thứ Hai.",
		Together: true, Apology: "will", Finding: "upheld",
	}
}

// says checks an answer's status and that its page says some words.
func says(t *testing.T, answer webtest.Answer, status int, words ...string) {
	t.Helper()
	if answer.Status != status {
		t.Fatalf("answered %d to %s, want %d\n%.6000s", answer.Status, answer.Location(), status, answer.Body)
	}
	for _, want := range words {
		if !strings.Contains(answer.Body, want) {
			t.Errorf("the page does not say %q:\n%.20000s", want, answer.Body)
		}
	}
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

// hidden are the hidden fields of the form with an event.
func hidden(t *testing.T, page, event string) url.Values {
	t.Helper()
	_, form, found := strings.Cut(page, `name="event" value="`+event+`"`)
	if !found {
		t.Fatalf("the page has no form for %s\n%.20000s", event, page)
	}
	form, _, _ = strings.Cut(form, "</form>")
	return url.Values{"event": {event}, "version": {field(form, "version")}}
}

// field is the value of the first such hidden field.
func field(page, name string) string {
	_, rest, _ := strings.Cut(page, `name="`+name+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// TestLife walks a case through its whole life with forms alone, as without a script.
func TestLife(t *testing.T) {
	p := program(t)
	leader, head, second, operator := p.Visitor(t, webtest.Leader), p.Visitor(t, headOf), p.Visitor(t, webtest.CommuneLeader), p.Visitor(t, webtest.Operator)

	form := leader.Get("/cases/new")
	says(t, form, http.StatusOK, "Việc gì?", "Ở đơn vị nào?", "Liên hệ với người dân thế nào?")
	id := field(form.Body, "id")
	sent := url.Values{"id": {id}, "what": {"Chờ ba tiếng không ai gọi, hỏi thì bị mắng. Bác Tư 0912 345 678 kể lại."}, "reach": {"Bác Tư, 0000 912 345"}}
	says(t, leader.Post("/cases/new?form=short", sent), http.StatusUnprocessableEntity, "Xin chọn đơn vị.", "hỏi thì bị mắng", "Bác Tư, 0000 912 345")
	sent.Set("unit_q", "mot cua xa doi")
	says(t, leader.Post("/cases/new?form=short", sent), http.StatusOK, "Bộ phận Một cửa xã Đồi Nắng", "hỏi thì bị mắng", "checked")
	sent.Set("unit_was", "mot cua xa doi")
	sent.Set("unit", p.CommuneOffice)
	answer := leader.Post("/cases/new?form=short", sent)
	if answer.Location() != "/cases/"+id+"?opened=1" {
		t.Fatalf("%d %s\n%s", answer.Status, answer.Location(), answer.Body)
	}
	if again := leader.Post("/cases/new?form=short", sent); again.Location() != answer.Location() {
		t.Errorf("sent twice: %d to %s", again.Status, again.Location())
	}
	at := "/cases/" + id
	page := leader.Get(answer.Location())
	says(t, page, http.StatusOK, "Đã vào sổ", "/p/", "<svg", "Chờ ba tiếng", "Giao đơn vị")
	if title := page.Body[strings.Index(page.Body, "<h1>"):]; strings.Contains(title[:200], "0912 345 678") {
		t.Error("a telephone number stands in the title")
	}

	assign := hidden(t, page.Body, "assign")
	assign.Set("unit", p.CommuneOffice)
	if answer := leader.Post(at+"/events", assign); answer.Location() != at {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}
	page = leader.Get(at)
	says(t, page, http.StatusOK, "Đã giao đơn vị")
	if answer := leader.Post(at+"/events", hidden(t, page.Body, "request_explanation")); answer.Status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}

	says(t, head.Get("/cases"), http.StatusOK, "Viết giải trình", "hỏi thì bị mắng")
	write := head.Get(at + "/explanation")
	says(t, write, http.StatusOK, "Loại nguyên nhân", "Lê Minh Hoạ", "Cả đơn vị")
	draft := url.Values{"version": {field(write.Body, "version")}, "draft": {field(write.Body, "draft")}, "analysis": {"Chưa đủ"}, "do": {"save"}}
	if answer := head.Post(at+"/explanation", draft); answer.Location() != at+"/explanation" {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}
	write = head.Get(at + "/explanation")
	says(t, write, http.StatusOK, "Chưa đủ", "Đã lưu nháp")
	full := url.Values{
		"version": {field(write.Body, "version")}, "draft": {field(write.Body, "draft")}, "do": {"submit"}, "analysis": {"Chưa đủ"},
	}
	says(t, head.Post(at+"/explanation", full), http.StatusUnprocessableEntity, "ít nhất 20 ký tự", "Xin chọn loại nguyên nhân", "Chưa đủ", "Xin ghi cách khắc phục")
	full.Set("cause", "attitude")
	full.Set("analysis", "Công chức trực quầy trả lời cộc lốc vì đông người. <script>alert(1)</script>")
	full.Set("remedy", "Đã nhắc nhở và bố trí thêm người sáng thứ Hai.")
	full["responsible"], full["apology"], full["finding"] = p.CommuneOfficials, []string{"will"}, []string{"upheld"}
	full.Set("do", "attach")
	answer = attached(t, head, at+"/explanation", full, map[string][]byte{"ảnh quầy.png": pictured(t), "báo cáo.pdf": []byte("MZ\x90\x00 this program cannot be run")})
	says(t, answer, http.StatusUnprocessableEntity, "ảnh quầy.png", "báo cáo.pdf", "Đã nhắc nhở")
	full["file"] = []string{strings.ReplaceAll(field(answer.Body, "file"), "&#34;", `"`)}
	full.Set("draft", field(answer.Body, "draft"))
	full.Set("do", "submit")
	if answer := head.Post(at+"/explanation", full); answer.Location() != at {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}

	page = second.Get(at)
	says(t, page, http.StatusOK, "&lt;script&gt;", "ảnh quầy.png", "Chưa nêu nguyên nhân", "Lê Minh Hoạ")
	file := page.Body[strings.Index(page.Body, at+"/files/"):]
	download := second.Get(file[:strings.Index(file, `"`)])
	if download.Body != string(pictured(t)) || download.Header.Get("Content-Type") != "image/png" || !strings.HasPrefix(download.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d %v", download.Status, download.Header)
	}
	back := hidden(t, page.Body, "return")
	back.Set("tap", "too_general")
	if answer := second.Post(at+"/events", back); answer.Status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}
	write = head.Get(at + "/explanation")
	says(t, write, http.StatusOK, "Quá chung chung", "Công chức trực quầy trả lời cộc lốc")
	full.Set("version", field(write.Body, "version"))
	full.Set("draft", "0")
	full.Set("analysis", "Quầy 2 nghỉ ốm không người thay từ 8 giờ, hàng chờ lên 40 người; công chức trả lời cộc lốc.")
	if answer := head.Post(at+"/explanation", full); answer.Location() != at {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}
	page = leader.Get(at)
	says(t, page, http.StatusOK, "Các bản trước (1)")
	accept := hidden(t, page.Body, "accept")
	if !strings.Contains(page.Body, `name="finding" value="upheld" checked`) {
		t.Error("the unit's own finding is not chosen")
	}
	accept.Set("finding", "upheld")
	if answer := leader.Post(at+"/events", accept); answer.Status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}
	page = operator.Get(at)
	reply := hidden(t, page.Body, "reply")
	says(t, operator.Post(at+"/events", reply), http.StatusUnprocessableEntity, "Xin ghi nội dung.")
	reply.Set("text", "Chúng tôi đã xem lại: quầy 2 thiếu người. Nay đã có người thay. Xin lỗi bác.")
	if answer := operator.Post(at+"/events", reply); answer.Status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}
	page = operator.Get(at)
	says(t, page, http.StatusOK, "Đã trả lời người dân", "Nay đã có người thay")
	if answer := operator.Post(at+"/events", hidden(t, page.Body, "satisfied")); answer.Status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}
	says(t, operator.Get(at), http.StatusOK, "Đã kết thúc")
}
