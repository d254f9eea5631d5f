package cases_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// explainedCase is a case whose explanation waits to be judged.
func explainedCase(t *testing.T, p *webtest.Program, title string) *pb.Case {
	t.Helper()
	c := let(t, p, webtest.Leader, opened(t, p, title), &pb.CaseEvent{Name: "request_explanation", UnitId: p.CommuneOffice})
	return let(t, p, headOf, c, &pb.CaseEvent{Name: "submit", Explanation: explanation()})
}

// TestTwoLeaders: one decides, the other is told what happened and keeps what was typed, whether or not it can still be done.
func TestTwoLeaders(t *testing.T) {
	p := program(t)
	first, second := p.Visitor(t, webtest.Leader), p.Visitor(t, webtest.CommuneLeader)

	c := explainedCase(t, p, "Hai lãnh đạo cùng xem")
	at := "/cases/" + c.GetId()
	page := first.Get(at)
	says(t, second.Get(at), http.StatusOK, "lãnh đạo", "đang mở")
	back, accept := hidden(t, page.Body, "return"), hidden(t, page.Body, "accept")
	accept.Set("finding", "partly")
	if answer := first.Post(at+"/events", accept); answer.Status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}
	back.Set("reasons", "no_cause")
	back.Set("reason", "Chưa thấy nói vì sao quầy nghỉ.")
	late := second.Post(at+"/events", back)
	says(t, late, http.StatusConflict, "lãnh đạo", "Chấp nhận", "Nội dung ông/bà đã gõ", "Chưa thấy nói vì sao quầy nghỉ.")

	// What can still be done stays in its form, on the version that stands now.
	c = opened(t, p, "Hai người cùng giao")
	at = "/cases/" + c.GetId()
	route := hidden(t, second.Get(at).Body, "route")
	let(t, p, webtest.Leader, c, &pb.CaseEvent{Name: "assign", UnitId: p.CommuneOffice})
	for name, value := range map[string]string{"kind": "denunciation", "to": "Thanh tra huyện", "reason": "Nội dung là tố cáo cán bộ."} {
		route.Set(name, value)
	}
	late = second.Post(at+"/events", route)
	says(t, late, http.StatusConflict, "Người khác vừa thay đổi phản ánh này", "Nội dung là tố cáo cán bộ.", "Thanh tra huyện", `value="denunciation" selected`)
	again := hidden(t, late.Body, "route")
	route.Set("version", again.Get("version"))
	if answer := second.Post(at+"/events", route); answer.Status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}
	says(t, second.Get(at), http.StatusOK, "Tố cáo → Thanh tra huyện")

	// The page that is open hears of it.
	says(t, first.Get(at+"/here?version=1"), http.StatusOK, "vừa có thay đổi")
}

// TestTwoTabs: a draft saved in another tab is not written over without a word.
func TestTwoTabs(t *testing.T) {
	p := program(t)
	v := p.Visitor(t, headOf)
	c := let(t, p, webtest.Leader, opened(t, p, "Hai cửa sổ"), &pb.CaseEvent{Name: "request_explanation", UnitId: p.CommuneOffice})
	at := "/cases/" + c.GetId()
	page := v.Get(at + "/explanation")
	draft := func(version, text string) url.Values {
		return url.Values{"version": {field(page.Body, "version")}, "draft": {version}, "analysis": {text}, "do": {"save"}}
	}
	says(t, v.Post(at+"/draft", draft("0", "Bản của cửa sổ thứ nhất")), http.StatusOK, `"version"`, "Đã lưu nháp")
	says(t, v.Post(at+"/draft", draft("0", "Bản của cửa sổ thứ hai")), http.StatusConflict, `"words"`)
	met := v.Post(at+"/explanation", draft("0", "Bản của cửa sổ thứ hai"))
	says(t, met, http.StatusConflict, "Bản của cửa sổ thứ nhất", "Bản của cửa sổ thứ hai", "Bản đã lưu ở nơi khác")
	if answer := v.Post(at+"/explanation", draft(field(met.Body, "draft"), "Bản của cửa sổ thứ hai")); answer.Status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}
	kept, err := client(t, p, headOf).GetDraft(t.Context(), &pb.GetDraftRequest{CaseId: c.GetId()})
	if err != nil || kept.GetExplanation().GetAnalysis() != "Bản của cửa sổ thứ hai" {
		t.Errorf("kept %v, %v", kept, err)
	}

	// It was given to another unit meanwhile: what was typed can be copied.
	let(t, p, webtest.Leader, c, &pb.CaseEvent{Name: "reassign", UnitId: p.Commune, Reason: "Việc của xã."})
	gone := v.Post(at+"/explanation", draft("0", "Chữ đã gõ mà không gửi được nữa"))
	if gone.Status != http.StatusNotFound && gone.Status != http.StatusConflict || !strings.Contains(gone.Body, "Chữ đã gõ mà không gửi được nữa") {
		t.Errorf("%d\n%s", gone.Status, gone.Body)
	}
}

// TestSessionEnds: what was typed waits behind the sign-in, of events and of explanations in parts alike.
func TestSessionEnds(t *testing.T) {
	p := program(t)
	c := let(t, p, webtest.Leader, opened(t, p, "Phiên hết hạn"), &pb.CaseEvent{Name: "request_explanation", UnitId: p.CommuneOffice})
	at := "/cases/" + c.GetId()
	nobody := p.Visitor(t, "")
	form := url.Values{"draft": {"0"}, "analysis": {"Chữ gõ trước khi phiên hết <b>"}, "do": {"submit"}}
	form.Set("version", strconv.FormatInt(c.GetVersion(), 10))
	answer := attached(t, nobody, at+"/explanation", form, map[string][]byte{"anh.png": pictured(t)})
	says(t, answer, http.StatusUnauthorized, "Chữ gõ trước khi phiên hết &lt;b&gt;", "kept.analysis")
	waiting := url.Values{"name": {string(headOf)}, "password": {webtest.Password}, "next": {at + "/explanation"}, "file_left": {"1"}}
	for name, values := range form {
		waiting["kept."+name] = values
	}
	says(t, nobody.Post("/sign-in", waiting), http.StatusOK, "Chữ gõ trước khi phiên hết &lt;b&gt;", `action="`+at+`/explanation"`)
	says(t, nobody.Post(at+"/explanation", form), http.StatusUnprocessableEntity, "Chữ gõ trước khi phiên hết &lt;b&gt;", "Xin chọn loại nguyên nhân")
}

// TestWrongInput: whatever is sent is judged, and what is not one's own is not there.
func TestWrongInput(t *testing.T) {
	p := program(t)
	v := p.Visitor(t, webtest.Operator)
	form := v.Get("/cases/new?form=full&unit=" + p.CommuneOffice)
	says(t, form, http.StatusOK, "Nguồn", "Lời của người dân", "Lê Minh Hoạ")
	good := func() url.Values {
		return url.Values{"id": {field(form.Body, "id")}, "source": {"letter"}, "unit": {p.CommuneOffice}, "title": {"Thư về việc chờ lâu"}, "words": {"Chờ <b>lâu</b>"}, "phone": {"+84 912.345.678"}, "received_on": {"5/3/2026"}}
	}
	for name, change := range map[string]struct{ field, value, words string }{
		"no title": {"title", "", "Xin điền mục này."}, "a number in the title": {"title", "Bà Hai 0912 345 678 phản ánh", "số giống số điện thoại"},
		"no day": {"received_on", "31/02/2026", "Ngày không đúng"}, "a day to come": {"received_on", "1/1/2999", "Ngày không đúng"},
		"too long": {"title", strings.Repeat("dài ", 100), "Nhiều nhất 300 ký tự"}, "a phone that is none": {"phone", "12", "điện thoại"},
		"no unit": {"unit", "", "Xin chọn đơn vị."}, "a unit that is not there": {"unit", "nowhere", "Xin chọn đơn vị."}, "no source": {"source", "kiosk", ""},
	} {
		wrong := good()
		wrong.Set(change.field, change.value)
		answer := v.Post("/cases/new?form=full", wrong)
		if answer.Status != http.StatusUnprocessableEntity || !strings.Contains(answer.Body, change.words) || !strings.Contains(answer.Body, "Chờ &lt;b&gt;lâu&lt;/b&gt;") {
			t.Errorf("%s: %d\n%s", name, answer.Status, answer.Body)
		}
	}
	made := v.Post("/cases/new?form=full", good())
	if made.Status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", made.Status, made.Body)
	}
	other := good()
	other.Set("title", "Nội dung khác")
	says(t, v.Post("/cases/new?form=full", other), http.StatusUnprocessableEntity, "đã được gửi trước đó", "Nội dung khác")
	at, _, _ := strings.Cut(made.Location(), "?")
	says(t, v.Post(at+"/events", url.Values{"event": {"accept"}, "finding": {"upheld"}}), http.StatusConflict, "có thể người khác vừa xử lý")
	says(t, v.Post(at+"/events", url.Values{"event": {"no_such"}}), http.StatusConflict)
	says(t, v.Get(at+"/files/none"), http.StatusNotFound)
	says(t, v.Get("/cases?page=%00x"), http.StatusUnprocessableEntity)
	says(t, v.Get("/cases?from=nonsense"), http.StatusUnprocessableEntity)
	says(t, v.Get("/cases?text=thu+ve+viec"), http.StatusOK, "Thư về việc chờ lâu")
	number := v.Get(at)
	shown := number.Body[strings.Index(number.Body, `<span class="case-number">`)+len(`<span class="case-number">`):]
	shown, _, _ = strings.Cut(shown, "<")
	says(t, v.Get("/cases?text="+url.QueryEscape(shown)), http.StatusOK, "Thư về việc chờ lâu")
	says(t, v.Get("/cases?unit_q=khong+co+o+dau"), http.StatusOK, "Không tìm thấy đơn vị nào")
	says(t, v.Get("/cases?unit=nowhere"), http.StatusNotFound)
}

// TestStandIn: who stands in for a leader sees what may be done in the other's place, and the history says so.
func TestStandIn(t *testing.T) {
	p := program(t)
	today, _ := localday.Of(time.Now())
	_, err := pb.NewCaseRulesServiceClient(p.Conn(t, webtest.Leader)).SetStandIn(t.Context(), &pb.SetStandInRequest{
		DeputyName: string(webtest.Operator), From: string(today), To: string(today.Add(1)), Reason: "Đi công tác",
	})
	if err != nil {
		t.Fatal(err)
	}
	c := explainedCase(t, p, "Làm thay lãnh đạo")
	at := "/cases/" + c.GetId()
	v := p.Visitor(t, webtest.Operator)
	page := v.Get(at)
	says(t, page, http.StatusOK, "Chấp nhận (thay lãnh đạo)")
	accept := hidden(t, page.Body, "accept")
	_, form, _ := strings.Cut(page.Body, `name="event" value="accept"`)
	accept.Set("for", field(form, "for"))
	accept.Set("finding", "not")
	if answer := v.Post(at+"/events", accept); answer.Status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}
	says(t, v.Get(at), http.StatusOK, "thay lãnh đạo", "Phản ánh không đúng")
}

// TestLargeFile: a file beyond the limit is told by its name, and nothing typed is lost.
func TestLargeFile(t *testing.T) {
	p := program(t)
	c := let(t, p, webtest.Leader, opened(t, p, "Tệp quá lớn"), &pb.CaseEvent{Name: "request_explanation", UnitId: p.CommuneOffice})
	large := append(pictured(t), make([]byte, 11<<20)...)
	form := url.Values{"draft": {"0"}, "analysis": {"Chữ đã gõ cùng tệp lớn"}, "do": {"attach"}}
	answer := attached(t, p.Visitor(t, headOf), "/cases/"+c.GetId()+"/explanation", form, map[string][]byte{"lớn quá.png": large, "vừa.png": pictured(t)})
	says(t, answer, http.StatusUnprocessableEntity, "lớn quá.png", "10 MB", "Chữ đã gõ cùng tệp lớn", "vừa.png</a>")
	if strings.Contains(answer.Body, "lớn quá.png</a>") {
		t.Error("the large file was taken")
	}
}
