package caserules_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

// says checks an answer's status and that its page says some words.
func says(t *testing.T, answer webtest.Answer, status int, words ...string) {
	t.Helper()
	if answer.Status != status {
		t.Fatalf("answered %d to %s, want %d\n%s", answer.Status, answer.Location(), status, answer.Body)
	}
	for _, want := range words {
		if !strings.Contains(answer.Body, want) {
			t.Errorf("the page does not say %q:\n%s", want, answer.Body)
		}
	}
}

// TestPages goes through the forms as people do, right and wrong, and then looks at every page as it stands.
func TestPages(t *testing.T) {
	p := webtest.Start(t)
	rules := pb.NewCaseRulesServiceClient(p.Conn(t, webtest.Administrator))
	commune := "?unit=" + p.Commune
	today, _ := localday.Of(time.Now())

	t.Run("who sees what", func(t *testing.T) {
		says(t, p.Visitor(t, webtest.Leader).Get("/admin/case-rules"), http.StatusOK, "không phải quy định pháp luật", "5 ngày làm việc", "15 ngày<")
		if body := p.Visitor(t, webtest.Leader).Get("/admin/case-rules").Body; strings.Contains(body, "/admin/case-rules/deadlines") {
			t.Error("a leader is shown how to change what only administrators do")
		}
		says(t, p.Visitor(t, webtest.Leader).Get("/admin/case-rules/deadlines"), http.StatusNotFound)
		says(t, p.Visitor(t, webtest.Leader).Get("/admin/case-rules/changes"), http.StatusNotFound)
		says(t, p.Visitor(t, webtest.CommuneAdministrator).Get("/admin/case-rules?unit="+p.Ward), http.StatusNotFound)
		says(t, p.Visitor(t, webtest.Administrator).Get("/admin"), http.StatusOK, `href="/admin/case-rules"`)
		says(t, p.Visitor(t, webtest.Leader).Get("/account"), http.StatusOK, `href="/stand-ins"`)
		says(t, p.Visitor(t, webtest.Administrator).Get("/admin/case-rules?q=phuong+song+xanh"), http.StatusOK, "?unit="+p.Ward)
		says(t, p.Visitor(t, webtest.Administrator).Get("/admin/case-rules?q=khong+co+o+dau"), http.StatusOK, "Không tìm thấy đơn vị nào")
	})

	t.Run("deadlines", func(t *testing.T) {
		v := p.Visitor(t, webtest.CommuneAdministrator)
		table, err := rules.GetDeadlineRules(t.Context(), &pb.GetDeadlineRulesRequest{UnitId: p.Commune})
		if err != nil {
			t.Fatal(err)
		}
		form := func(text, do string) url.Values {
			return url.Values{"unit": {p.Commune}, "version": {"0"}, "yaml": {strings.ReplaceAll(text, "\n", "\r\n")}, "do": {do}}
		}
		bad := strings.Replace(table.GetYaml(), "days: 5\n    count: working", "days: năm\n    count: <b>giờ</b>", 1)
		says(t, v.Post("/admin/case-rules/deadlines", form(bad, "save")), http.StatusUnprocessableEntity, "Bảng có 2 lỗi", "days: năm", "&lt;b&gt;giờ&lt;/b&gt;", `name="yaml"`)
		says(t, v.Post("/admin/case-rules/deadlines", form(" ", "save")), http.StatusUnprocessableEntity, "Xin điền mục này")
		good := strings.Replace(table.GetYaml(), "days: 5\n    count: working", "days: 8\n    count: working", 1)
		says(t, v.Post("/admin/case-rules/deadlines", form(good, "check")), http.StatusOK, "chưa lưu", "8 ngày làm việc")
		if answer := v.Post("/admin/case-rules/deadlines", form(good, "save")); answer.Location() != "/admin/case-rules"+commune {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		says(t, v.Get("/admin/case-rules"+commune), http.StatusOK, "Đã lưu quy định", "8 ngày làm việc", "Đơn vị này tự quy định")
		says(t, v.Get("/admin/case-rules?unit="+p.CommuneOffice), http.StatusOK, "8 ngày làm việc", "Theo quy định của")

		// Somebody else saved meanwhile: what was typed stays, what stands is shown, and saving again is a decision.
		late := strings.Replace(good, "days: 8", "days: 9", 1)
		says(t, v.Post("/admin/case-rules/deadlines", form(late, "save")), http.StatusUnprocessableEntity, "vừa được quản trị xã thay đổi", "days: 9", "Quy định đang có", `name="version" value="1"`)
		again := form(late, "save")
		again.Set("version", "1")
		if answer := v.Post("/admin/case-rules/deadlines", again); answer.Status != http.StatusSeeOther {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		if answer := p.Visitor(t, webtest.Administrator).Post("/admin/case-rules/deadlines", url.Values{"unit": {p.Commune}, "do": {"inherit"}}); answer.Status != http.StatusSeeOther {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		says(t, v.Get("/admin/case-rules/changes"), http.StatusOK, "days: 9", "Bỏ quy định riêng", "admin")
	})

	t.Run("which ratings become cases", func(t *testing.T) {
		v := p.Visitor(t, webtest.CommuneAdministrator)
		form := url.Values{"unit": {p.Commune}, "version": {"0"}, "score": {"1", "3"}, "channel": {"1", "4"}, "with": {"any"}, "register": {"-"}, "erase": {"30"}, "copied": {"55"}}
		with := func(field, value string) url.Values {
			other := url.Values{}
			for key, values := range form {
				other[key] = values
			}
			other.Set(field, value)
			return other
		}
		says(t, v.Post("/admin/case-rules/opening", with("erase", "ba mươi")), http.StatusUnprocessableEntity, "số nguyên", "ba mươi")
		says(t, v.Post("/admin/case-rules/opening", with("erase", "0")), http.StatusUnprocessableEntity, "phải từ 1 đến")
		says(t, v.Post("/admin/case-rules/opening", with("register_q", "mot cua")), http.StatusOK, `value="`+p.CommuneOffice+`"`, `value="55"`)
		says(t, v.Post("/admin/case-rules/opening", with("register", p.WardOffice)), http.StatusUnprocessableEntity, "Không có đơn vị giữ sổ")
		if answer := v.Post("/admin/case-rules/opening", with("register", p.CommuneOffice)); answer.Status != http.StatusSeeOther {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		says(t, v.Get("/admin/case-rules"), http.StatusOK, "Bình thường", "Không cần gì thêm", "30 ngày", "55 %")
		says(t, v.Post("/admin/case-rules/opening", form), http.StatusUnprocessableEntity, "vừa được", "Quy định đang có")
		says(t, v.Get("/admin/case-rules/opening"), http.StatusOK, `value="`+p.CommuneOffice+`" checked`)
		says(t, v.Get("/admin/case-rules/changes"), http.StatusOK, "Không cần gì thêm")
	})

	t.Run("stand-ins", func(t *testing.T) {
		v := p.Visitor(t, webtest.Leader)
		form := url.Values{"deputy": {string(webtest.CommuneLeader)}, "from": {string(today)}, "to": {string(today.Add(2))}, "reason": {"nghỉ <i>phép</i>"}}
		says(t, v.Get("/stand-ins"), http.StatusOK, `value="`+string(today)+`"`)
		says(t, v.Post("/stand-ins", url.Values{"reason": {"đi họp"}}), http.StatusUnprocessableEntity, "Xin điền mục này", "đi họp")
		nobody := url.Values{"deputy": {"không có ai"}, "from": form["from"], "to": form["to"], "reason": {"đi họp"}}
		says(t, v.Post("/stand-ins", nobody), http.StatusUnprocessableEntity, "Xin kiểm tra lại tên đăng nhập", "đi họp", "không có ai")
		if answer := v.Post("/stand-ins", form); answer.Location() != "/stand-ins" {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		says(t, v.Get("/stand-ins"), http.StatusOK, "Đang thay", "nghỉ &lt;i&gt;phép&lt;/i&gt;")
		admin := p.Visitor(t, webtest.Administrator)
		says(t, admin.Post("/stand-ins", url.Values{"account": {string(webtest.Official)}, "deputy": {string(webtest.Leader)}, "from": form["from"], "to": form["to"]}), http.StatusUnprocessableEntity, "không thể thay thế nối tiếp")
		later := url.Values{"account": {string(webtest.Official)}, "deputy": {string(webtest.Operator)}, "from": {string(today.Add(5))}, "to": {string(today.Add(9))}}
		if answer := admin.Post("/stand-ins", later); answer.Location() != "/stand-ins" {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		list, err := rules.ListStandIns(t.Context(), &pb.ListStandInsRequest{All: true})
		if err != nil || len(list.GetStandIns()) != 2 {
			t.Fatalf("%v, %v", list, err)
		}
		end := "/stand-ins/" + list.GetStandIns()[0].GetId() + "/end"
		says(t, v.Get(end), http.StatusNotFound)
		says(t, v.Post(end, nil), http.StatusNotFound)
		says(t, admin.Get(end), http.StatusOK, "Kết thúc từ hôm nay?")
		if answer := admin.Post(end, nil); answer.Location() != "/stand-ins" {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		says(t, admin.Get("/stand-ins"), http.StatusOK, "Đã kết thúc sớm")
	})

	p.Look(t, webtest.View{Who: webtest.CommuneAdministrator, Path: "/admin/case-rules", Name: "case-rules"})
	p.Look(t, webtest.View{Who: webtest.Administrator, Path: "/stand-ins", Name: "stand-ins"})
	page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
	p.GiveSession(t, page, webtest.Administrator)
	for name, path := range map[string]string{
		"deadlines": "/admin/case-rules/deadlines", "opening": "/admin/case-rules/opening" + commune, "changes": "/admin/case-rules/changes",
	} { // made of the same parts as the others
		page.Go(p.HTTP + path)
		page.Screenshot("case-rules-" + name)
		page.NoHorizontalScroll()
		page.CheckAccessible()
		page.CheckKeyboard()
		page.CheckConsole()
	}
}
