package documents_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

// opened is a case of the commune with an accepted explanation. Its title has markup in it.
func opened(t *testing.T, p *webtest.Program) *pb.Case {
	t.Helper()
	c, err := pb.NewCaseServiceClient(p.Conn(t, webtest.CommuneLeader)).OpenCase(t.Context(), &pb.OpenCaseRequest{
		CaseId: uuid.Must(uuid.NewV7()).String(), ReceivingUnitId: p.Commune, AboutUnitId: p.CommuneOffice, Source: "letter",
		Title: `Chờ lâu <script>document.title="hỏng"</script> ở quầy 1`, Words: webtest.Markup,
		Contact: &pb.CaseContact{Name: "Bác Minh Hoạ", Phone: "0912 345 678", Address: "thôn Hai"}, DossierCode: "H99-00042",
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func says(t *testing.T, answer webtest.Answer, status int, words ...string) {
	t.Helper()
	if answer.Status != status {
		t.Fatalf("answered %d to %s, want %d\n%.6000s", answer.Status, answer.Location(), status, answer.Body)
	}
	for _, want := range words {
		if !strings.Contains(answer.Body, want) {
			t.Errorf("the page does not say %q:\n%.9000s", want, answer.Body)
		}
	}
	for _, raw := range []string{"documentspage.", "document.kind", "fault.", "<script>document", "%!"} {
		if strings.Contains(answer.Header.Get("Content-Type"), "html") && strings.Contains(answer.Body, raw) {
			t.Errorf("the page says %q", raw)
		}
	}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// formOf is a form with what is hidden in it, as a browser would send it.
func formOf(body string) url.Values {
	form := url.Values{}
	for _, found := range hidden.FindAllStringSubmatch(body, -1) {
		form.Set(found[1], found[2])
	}
	return form
}

func TestAPaperFromTheCaseToTheRegister(t *testing.T) {
	p := webtest.Shared(t)
	c := opened(t, p)
	v := p.Visitor(t, webtest.CommuneLeader)
	at := "/cases/" + c.GetId() + "/documents"
	says(t, v.Get(at), http.StatusOK, "Chưa có văn bản nào", "Soạn văn bản", "&lt;script&gt;")
	says(t, v.Get(at+"/new"), http.StatusOK, "Thông báo kết quả", "Báo cáo giải trình", "Xã Đồi Nắng")
	page := v.Get(at + "/new?kind=apology&unit=" + p.Commune)
	says(t, page, http.StatusOK, "Ủy ban nhân dân xã Đồi Nắng", "chờ lâu &lt;script&gt;", "Ban hành, cấp số")
	if strings.Contains(page.Body, "Bác Minh Hoạ") {
		t.Error("the citizen's name stands there without a reason")
	}
	form := formOf(page.Body)
	for name, value := range map[string]string{
		"v.issuer": "Ủy ban nhân dân xã Đồi Nắng", "v.organ": "UBND", "v.place": "Đồi Nắng", "v.case_title": "chờ lâu", "v.case_day": "01/02/2026",
		"v.remedy": "Mở thêm quầy", "authority": "TM. ỦY BAN NHÂN DÂN", "position": "CHỦ TỊCH",
	} {
		form.Set(name, value)
	}
	t.Run("what is missing is told beside it, and what was typed stays", func(t *testing.T) {
		form.Set("do", "issue")
		answer := v.Post(at+"/new", form)
		says(t, answer, http.StatusUnprocessableEntity, "Mở thêm quầy", `id="v.analysis-error"`, `id="signer-error"`)
	})
	form.Set("v.analysis", "Một quầy nghỉ mà không ai trực thay.")
	form.Set("signer", "Lê Thị Mai")
	t.Run("who spoke, for a reason", func(t *testing.T) {
		form.Set("do", "reveal")
		says(t, v.Post(at+"/new", form), http.StatusUnprocessableEntity, `id="reveal_reason-error"`)
		form.Set("reveal_reason", "gửi thư xin lỗi")
		says(t, v.Post(at+"/new", form), http.StatusOK, "Bác Minh Hoạ", "thôn Hai", "Một quầy nghỉ mà không ai trực thay.", "Lê Thị Mai")
		form.Set("v.citizen_name", "Bác Minh Hoạ")
		form.Set("v.citizen_address", "thôn Hai")
	})
	t.Run("looked at before", func(t *testing.T) {
		for format, begin := range map[string]string{"pdf": "%PDF", "docx": "PK"} {
			form.Set("format", format)
			answer := v.Post(at+"/preview", form)
			if says(t, answer, http.StatusOK); !strings.HasPrefix(answer.Body, begin) || answer.Header.Get("Cache-Control") != "private, no-store" {
				t.Errorf("%s: %.40q, %v", format, answer.Body, answer.Header)
			}
		}
	})
	form.Set("do", "issue")
	answer := v.Post(at+"/new", form)
	says(t, answer, http.StatusSeeOther)
	paper := answer.Location()
	if again := v.Post(at+"/new", form); again.Location() != paper {
		t.Errorf("sent twice it is another paper: %s, %s", again.Location(), paper)
	}
	form.Set("v.remedy", "Khác")
	says(t, v.Post(at+"/new", form), http.StatusUnprocessableEntity, "đã được dùng cho văn bản số")
	read := v.Get(paper)
	says(t, read, http.StatusOK, "TXL-UBND", "Còn hiệu lực", "Có tên người dân", "Lê Thị Mai", "Hủy văn bản")
	if strings.Contains(read.Body, "Bác Minh Hoạ") {
		t.Error("the paper's page names the citizen without a reason")
	}
	t.Run("its file", func(t *testing.T) {
		if answer := v.Get(paper + "/file/pdf"); answer.Status != http.StatusSeeOther || !strings.HasPrefix(answer.Location(), paper+"?file=") {
			t.Errorf("%d %s", answer.Status, answer.Location())
		}
		says(t, v.Post(paper+"/file/pdf", url.Values{"reason": {" "}}), http.StatusUnprocessableEntity, `id="reason-error"`)
		file := v.Post(paper+"/file/pdf", url.Values{"reason": {"in để ký"}})
		if says(t, file, http.StatusOK); !strings.HasPrefix(file.Body, "%PDF") || !strings.Contains(file.Header.Get("Content-Disposition"), "TXL-UBND.pdf") {
			t.Errorf("%v", file.Header)
		}
		says(t, v.Post(paper, url.Values{"reason": {"xem lại tên"}}), http.StatusOK, "Bác Minh Hoạ")
		says(t, v.Get(paper+"/file/exe"), http.StatusNotFound)
	})
	t.Run("whoever may not", func(t *testing.T) {
		says(t, p.Visitor(t, webtest.Official).Get(paper), http.StatusNotFound)
		says(t, p.Visitor(t, webtest.Official).Get(at+"/new"), http.StatusNotFound)
		says(t, p.Visitor(t, webtest.Administrator).Get("/documents"), http.StatusNotFound)
	})
	says(t, v.Get(at), http.StatusOK, "TXL-UBND", "Thư xin lỗi")
	says(t, v.Get("/documents"), http.StatusOK, "Sổ văn bản đã ban hành", "TXL-UBND", "Xã Đồi Nắng")
	says(t, p.Visitor(t, webtest.Leader).Get("/documents?q=doi+nang"), http.StatusOK, "Đồi Nắng")
	t.Run("void", func(t *testing.T) {
		says(t, v.Get(paper+"/cancel"), http.StatusOK, "không cấp lại")
		says(t, v.Post(paper+"/cancel", url.Values{"reason": {""}}), http.StatusUnprocessableEntity, `id="reason-error"`)
		says(t, v.Post(paper+"/cancel", url.Values{"reason": {"sai ngày"}}), http.StatusSeeOther)
		page := v.Get(paper)
		says(t, page, http.StatusOK, "Đã hủy", "sai ngày", "Ban hành bản thay thế")
		says(t, v.Get(at+"/new?kind=apology&unit="+p.Commune+"&replaces="+strings.TrimPrefix(paper, "/documents/")), http.StatusOK, "thay cho văn bản đã hủy", `value="Đồi Nắng"`, `value="Lê Thị Mai"`)
	})
	t.Run("looks", func(t *testing.T) {
		p.Look(t, webtest.View{Who: webtest.CommuneLeader, Path: at + "/new?kind=correction_order&unit=" + p.Commune, Name: "documents/compose"})
		page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
		p.GiveSession(t, page, webtest.CommuneLeader)
		for name, path := range map[string]string{"case": at, "kinds": at + "/new", "paper": paper, "register": "/documents"} {
			page.Go(p.HTTP + path)
			page.NoHorizontalScroll()
			page.CheckAccessible()
			page.CheckConsole()
			page.Screenshot("documents/" + name)
		}
	})
}

func TestTemplates(t *testing.T) {
	p := webtest.Shared(t)
	v := p.Visitor(t, webtest.CommuneAdministrator)
	const at = "/admin/templates"
	edit := at + "/transfer?unit=" + p.Commune
	says(t, v.Get("/admin"), http.StatusOK, "Mẫu văn bản")
	says(t, v.Get(at), http.StatusOK, "Xã Đồi Nắng", "Phiếu chuyển", "Mẫu có sẵn của phần mềm")
	says(t, v.Get(edit), http.StatusOK, "PHIẾU CHUYỂN", "{{.case_title}}", "Khi lưu, đơn vị có mẫu riêng")
	const good = "series: PC\r\nbody:\r\n  - text: \"Chuyển {{.case_title}}\"\r\n"
	t.Run("wrong", func(t *testing.T) {
		answer := v.Post(edit, url.Values{"source": {"series: PC\nbody:\n  - text: \"{{.nguoi}}\"\n  - text: \"{{.viec}}\"\n"}, "seen": {"0"}, "do": {"save"}})
		says(t, answer, http.StatusUnprocessableEntity, "Mẫu có 2 chỗ cần sửa", "Dòng 3", "Dòng 4", "nguoi", "{{.viec}}")
		says(t, v.Post(edit, url.Values{"source": {" "}, "seen": {"0"}}), http.StatusUnprocessableEntity)
	})
	t.Run("looked at", func(t *testing.T) {
		answer := v.Post(at+"/transfer/preview?unit="+p.Commune, url.Values{"source": {good}, "format": {"pdf"}})
		if says(t, answer, http.StatusOK); !strings.HasPrefix(answer.Body, "%PDF") {
			t.Errorf("%.40q", answer.Body)
		}
		says(t, v.Post(edit, url.Values{"source": {good}, "seen": {"0"}, "do": {"check"}}), http.StatusOK, "Chưa lưu")
	})
	t.Run("saved, changed by two, given up", func(t *testing.T) {
		says(t, v.Post(edit, url.Values{"source": {good}, "seen": {"0"}, "note": {"cho gọn"}, "do": {"save"}}), http.StatusSeeOther)
		says(t, v.Get(edit), http.StatusOK, "cho gọn", "Bản 1", "Bỏ mẫu riêng")
		other := v.Post(edit, url.Values{"source": {good + "size: 13\n"}, "seen": {"0"}, "do": {"save"}})
		says(t, other, http.StatusUnprocessableEntity, "quản trị xã vừa lưu mẫu này", "size: 13", `name="seen" value="1"`)
		says(t, v.Post(edit, url.Values{"source": {good + "size: 13\n"}, "seen": {"1"}, "do": {"save"}}), http.StatusSeeOther)
		old := v.Get(edit + "&version=1")
		if says(t, old, http.StatusOK, "Đang hiện bản 1 cũ"); strings.Contains(old.Body, "size: 13") {
			t.Error("it is not the old one's text")
		}
		says(t, v.Get(at+"/transfer/inherit?unit="+p.Commune), http.StatusOK, "dùng lại mẫu của cấp trên")
		p.Look(t, webtest.View{Who: webtest.CommuneAdministrator, Path: edit, Name: "documents/template"})
		says(t, v.Post(at+"/transfer/inherit?unit="+p.Commune, url.Values{"seen": {"2"}}), http.StatusSeeOther)
		says(t, v.Get(edit), http.StatusOK, "PHIẾU CHUYỂN", "Bản 3: dùng lại mẫu kế thừa")
	})
	says(t, v.Get(at+"/transfer?unit="+p.Ward), http.StatusNotFound)
	says(t, v.Get(at+"/khong-co?unit="+p.Commune), http.StatusBadRequest)
	says(t, p.Visitor(t, webtest.Leader).Get(at), http.StatusNotFound)
}
