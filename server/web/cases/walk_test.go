package cases_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// TestWalk is a case from a leader's telephone to its end in a browser: searched for as it is typed, saved as it is typed, decided with
// a thumb and with keys.
func TestWalk(t *testing.T) {
	p := program(t)
	open := func(who webtest.Who, options browser.Options) *browser.Page {
		page := browser.Open(t).Page(t, options)
		p.GiveSession(t, page, who)
		return page
	}
	phone := open(webtest.Leader, browser.Options{Width: 360, Height: 740})
	phone.Go(p.HTTP + "/cases")
	phone.Follow("text=Tiếp nhận phản ánh")
	phone.WaitFor("#where-q[data-htmx-powered]")
	phone.Fill("#what", `Bàn hướng dẫn không có người <img src=x onerror=alert(1)>`)
	phone.Click("#where-q")
	phone.Type("mot cua xa doi")
	phone.WaitText("#where-found", "Bộ phận Một cửa xã Đồi Nắng")
	phone.Until(`document.querySelector("#where-found input:checked")?.closest("label").innerText.includes("xã Đồi Nắng")`)
	phone.Fill("#reach", "Bác Tư 0000 111 222")
	if status := phone.Submit(`form.card .actions button`); status != http.StatusOK {
		t.Fatalf("answered %d: %s", status, phone.Text("main"))
	}
	phone.WaitText(".case-opened", "Đã vào sổ")
	if code := phone.Text(".case-opened .code"); len(code) != 14 {
		t.Errorf("the code is %q", code)
	}
	phone.NoHorizontalScroll()
	phone.CheckConsole()
	at := strings.TrimSuffix(phone.URL(), "?opened=1")
	phone.Submit(`form:has([name="event"][value="assign"]) [data-go]`)
	phone.WaitText(".said", "Giao đơn vị")
	phone.Submit(`form:has([name="event"][value="request_explanation"]) [data-go]`)
	phone.WaitText(".said", "Yêu cầu giải trình")

	head := open(headOf, browser.Options{})
	head.Go(at + "/explanation")
	head.Click("#analysis")
	head.Type("Người trực bàn hướng dẫn nghỉ phép, ")
	head.WaitText("[data-saved]", "Đã lưu nháp")
	other := open(headOf, browser.Options{})
	other.Go(at + "/explanation")
	if got := other.Value("#analysis"); !strings.HasPrefix(got, "Người trực bàn hướng dẫn") {
		t.Errorf("the other tab begins with %q", got)
	}
	head.Type("không ai thay từ đầu giờ sáng. ")
	head.Until(`document.querySelector("[name=draft]").value !== "` + other.Value("[name=draft]") + `"`)
	other.Fill("#remedy", "Sẽ có người thay.")
	other.WaitFor("[data-conflict]")
	other.ForgetConsole() // the refusal is what is tried
	head.Fill("#cause", "absence")
	head.Fill("#remedy", "Từ nay mỗi bàn có người thay.")
	head.Click(`[name="together"]`)
	head.Click("#apology-1")
	head.Click("#finding-0")
	head.Submit(`.case-explain .actions button[value="submit"]`)
	head.WaitText(".said", "Gửi giải trình")
	head.CheckConsole()

	// With keys: T opens the return and stands on its first reason, the next Enter returns.
	second := open(webtest.CommuneLeader, browser.Options{})
	second.Go(at)
	second.WaitFor("[data-letters-help]")
	second.Press("t")
	second.Until(`document.activeElement.value === "no_cause"`)
	if status := second.PressAndLoad("Enter"); status != http.StatusOK {
		t.Errorf("answered %d", status)
	}
	second.WaitText(".said", "Trả lại")
	second.CheckConsole()

	head.Go(at + "/explanation")
	head.Fill("#analysis", "Người trực nghỉ phép từ 7 giờ 30, lịch trực thay chưa có nên không ai ngồi bàn hướng dẫn cả buổi sáng.")
	head.Submit(`.case-explain .actions button[value="submit"]`)
	head.WaitText(".said", "Gửi giải trình")

	// C stands on the button, C again presses it; switched off, letters do nothing.
	decides := open(webtest.Leader, browser.Options{})
	decides.Go(at)
	decides.WaitFor("[data-letters-help]")
	decides.Click("[data-letters]")
	decides.Press("c")
	if strings.Contains(decides.Focused(), "Chấp nhận") {
		t.Error("letters that were switched off still do something")
	}
	decides.Click("[data-letters]")
	decides.Press("c")
	decides.Until(`document.activeElement.matches("[data-go]")`)
	decides.Screenshot("cases/walk-decide")
	decides.PressAndLoad("c")
	decides.WaitText(".said", "Chấp nhận")

	operator := open(webtest.Operator, browser.Options{NoScript: true})
	operator.Go(at)
	operator.Fill(`form:has([name="event"][value="reply"]) textarea`, "Đã có người thay ở bàn hướng dẫn. Xin lỗi bác.")
	operator.Submit(`form:has([name="event"][value="reply"]) button[data-go]`)
	operator.WaitText(".case-steps", "Đã có người thay ở bàn hướng dẫn.")
	operator.CheckConsole()

	answer, err := client(t, p, webtest.Leader).GetCase(t.Context(), &pb.GetCaseRequest{CaseId: at[strings.LastIndex(at, "/")+1:]})
	if err != nil || answer.GetCase().GetState() != "replied" || answer.GetCase().GetReturns() != 1 || answer.GetCase().GetSource() != "leader" {
		t.Errorf("%v, %v", answer.GetCase(), err)
	}
}
