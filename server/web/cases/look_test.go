package cases_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// stood makes a case in every state, by its name.
func stood(t *testing.T, p *webtest.Program) map[string]*pb.Case {
	t.Helper()
	leader, second, operator := webtest.Leader, webtest.CommuneLeader, webtest.Operator
	all := map[string]*pb.Case{}
	to := map[string]func() *pb.Case{}
	to["received"] = func() *pb.Case {
		return opened(t, p, `Chờ lâu <script>document.title="hỏng"</script> & "hết" ở quầy 1`)
	}
	to["assigned"] = func() *pb.Case {
		return let(t, p, leader, to["received"](), &pb.CaseEvent{Name: "assign", UnitId: p.CommuneOffice})
	}
	to["explanation_requested"] = func() *pb.Case {
		return let(t, p, leader, to["assigned"](), &pb.CaseEvent{Name: "request_explanation"})
	}
	to["explained"] = func() *pb.Case {
		return let(t, p, headOf, to["explanation_requested"](), &pb.CaseEvent{Name: "submit", Explanation: explanation()})
	}
	to["returned"] = func() *pb.Case {
		return let(t, p, second, to["explained"](), &pb.CaseEvent{Name: "return", Reasons: []string{"too_general", "other"}, Reason: "Xin nêu rõ quầy nào."})
	}
	to["accepted"] = func() *pb.Case {
		return let(t, p, leader, to["explained"](), &pb.CaseEvent{Name: "accept", Finding: "partly"})
	}
	to["replied"] = func() *pb.Case {
		return let(t, p, operator, to["accepted"](), &pb.CaseEvent{Name: "reply", Text: "Đã mở thêm quầy. Xin lỗi ông bà."})
	}
	to["reopened"] = func() *pb.Case {
		return let(t, p, operator, to["replied"](), &pb.CaseEvent{Name: "reopen", Reasons: []string{"not_done", "said"}, Words: "Vẫn chưa thấy quầy nào mở."})
	}
	to["closed"] = func() *pb.Case { return let(t, p, operator, to["replied"](), &pb.CaseEvent{Name: "satisfied"}) }
	to["out_of_scope"] = func() *pb.Case {
		return let(t, p, leader, to["received"](), &pb.CaseEvent{Name: "route", Reason: "Là khiếu nại quyết định.", Route: &pb.CaseRoute{Kind: "complaint", To: "Ban Tiếp công dân tỉnh"}})
	}
	to["duplicate"] = func() *pb.Case {
		earlier := to["received"]()
		return let(t, p, leader, to["received"](), &pb.CaseEvent{Name: "merge", IntoCaseId: earlier.GetId()})
	}
	to["withdrawn"] = func() *pb.Case {
		return let(t, p, operator, to["received"](), &pb.CaseEvent{Name: "withdraw", Reason: "Người dân gọi lại xin rút."})
	}
	for state, make := range to {
		all[state] = make()
		if got := all[state].GetState(); got != state {
			t.Fatalf("a case is %s instead of %s", got, state)
		}
	}
	return all
}

// TestLook looks at every page as a leader, a head, an operator and an official meet it.
func TestLook(t *testing.T) {
	p := program(t)
	all := stood(t, p)
	earlier := let(t, p, headOf, let(t, p, webtest.Leader, all["assigned"], &pb.CaseEvent{Name: "request_explanation"}), &pb.CaseEvent{Name: "submit", Explanation: explanation()})
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/cases", Name: "cases/desk"})
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/cases/" + earlier.GetId(), Name: "cases/explained"})

	// The plainer pages, on a phone.
	for who, paths := range map[webtest.Who][]string{
		headOf:                  {"/cases/" + all["returned"].GetId() + "/explanation"},
		webtest.CommuneLeader:   {"/cases/new"},
		webtest.CommuneOperator: {"/cases/new?unit=" + p.CommuneOffice, "/cases?list=all&text=khong+co+dau&state=replied"},
	} {
		page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
		p.GiveSession(t, page, who)
		for _, path := range paths {
			if status := page.Go(p.HTTP + path); status != http.StatusOK {
				t.Errorf("%s is answered %d", path, status)
			}
			page.NoHorizontalScroll()
			page.CheckAccessible()
			page.CheckConsole()
		}
	}

	// Every state, as who has most to do in it: nothing sticks out of a phone, nothing is cut, every rule holds.
	page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
	p.GiveSession(t, page, webtest.Leader)
	for state, c := range all {
		t.Run(state, func(t *testing.T) {
			page := page.In(t)
			if status := page.Go(p.HTTP + "/cases/" + c.GetId()); status != http.StatusOK {
				t.Fatalf("answered %d", status)
			}
			browser.Eval[bool](page, `(document.querySelectorAll("details").forEach(d => { d.open = true }), true)`)
			page.NoHorizontalScroll()
			if state == "received" || state == "replied" { // the forms of all others are like theirs
				page.CheckAccessible()
			}
			page.CheckConsole()
			for _, in := range []string{"vi", "en"} {
				for _, who := range []webtest.Who{webtest.Leader, webtest.Operator, headOf} {
					if who == headOf && c.GetAssignedUnitId() == "" {
						continue // it is not with the unit
					}
					v := p.Visitor(t, who)
					v.SetCookie("hailong_language", in)
					answer := v.Get("/cases/" + c.GetId())
					says(t, answer, http.StatusOK, c.GetNumber().GetShown())
					for _, raw := range []string{"casespage.", "casework.", "deadline.", "fault.", "<script>document", "%!"} {
						if at := strings.Index(answer.Body, raw); at >= 0 {
							t.Errorf("%s, %s: the page says %q", who, in, answer.Body[max(0, at-60):at+60])
						}
					}
				}
			}
		})
	}
}

// TestOthersWords: who spoke is nowhere on the page, and is shown for a reason alone.
func TestOthersWords(t *testing.T) {
	p := program(t)
	c := opened(t, p, "Chờ lâu ở quầy 1")
	at := "/cases/" + c.GetId()
	for _, who := range []webtest.Who{webtest.Leader, webtest.Operator, headOf} {
		answer := p.Visitor(t, who).Get(at)
		if strings.Contains(answer.Body, "Bác Minh Hoạ") || strings.Contains(answer.Body, "123 456") {
			t.Errorf("%s sees who spoke", who)
		}
	}
	v := p.Visitor(t, webtest.Operator)
	says(t, v.Post(at+"/contact", map[string][]string{"reason": {""}}), http.StatusUnprocessableEntity, "Xem cách liên hệ")
	shown := v.Post(at+"/contact", map[string][]string{"reason": {"Gọi lại hỏi thêm ngày giờ"}})
	says(t, shown, http.StatusOK, "Bác Minh Hoạ", "123 456")
	if strings.Contains(shown.Body, "Lê Minh Hoạ") {
		t.Error("the official's name stands beside the person's")
	}
	says(t, p.Visitor(t, headOf).Post(at+"/contact", map[string][]string{"reason": {"muốn biết"}}), http.StatusNotFound)
	says(t, p.Visitor(t, webtest.Administrator).Get("/cases"), http.StatusNotFound)
	says(t, p.Visitor(t, webtest.Official).Get(at), http.StatusNotFound)
	says(t, v.Get("/cases/"+uuid.NewString()), http.StatusNotFound)
}
