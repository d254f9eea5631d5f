package actions_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// TestLook looks at every page as a leader, a head and an official meet it.
func TestLook(t *testing.T) {
	p := program(t)
	counted(t, p)
	states := map[string]*pb.Action{"ordered": ordered(t, p, "Lắp thêm ghế ngồi chờ "+script)}
	report := func() *pb.ApplyActionEventRequest {
		return &pb.ApplyActionEventRequest{Event: "report", Evidence: "Đã lắp 20 ghế. " + script}
	}
	states["reported"] = let(t, p, headOf, ordered(t, p, "Treo bảng phí"), report())
	states["sent_back"] = let(t, p, webtest.Leader, let(t, p, headOf, ordered(t, p, "Sửa máy gọi số"), report()),
		&pb.ApplyActionEventRequest{Event: "send_back", Reason: "Máy vẫn hỏng.", DueOn: inDays(1)})
	states["confirmed"] = let(t, p, webtest.Leader, let(t, p, headOf, ordered(t, p, "Lập sổ trực"), report()), &pb.ApplyActionEventRequest{Event: "confirm"})
	states["cancelled"] = let(t, p, webtest.Leader, ordered(t, p, "Việc bỏ"), &pb.ApplyActionEventRequest{Event: "cancel", Reason: "Đã có quy định khác."})
	may, err := client(t, p, rated).ListContestable(t.Context(), &pb.ListContestableRequest{})
	if err != nil || len(may.GetRatings()) < 2 {
		t.Fatalf("may be contested: %v, %v", may, err)
	}
	for _, one := range may.GetRatings()[len(may.GetRatings())-2:] {
		if _, err := client(t, p, rated).ContestRating(t.Context(), &pb.ContestRatingRequest{RatingId: one.GetRatingId(), Reason: "Hôm đó tôi không trực. " + script}); err != nil {
			t.Fatal(err)
		}
	}
	all := func(page *browser.Page) {
		browser.Eval[bool](page, `(document.querySelectorAll("details").forEach(d => { d.open = true }), true)`)
	}
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/actions", Name: "actions/list"})
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/actions/new?case=" + opened(t, p).GetId(), Name: "actions/new"})
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/actions/" + states["reported"].GetId(), Name: "actions/reported", Then: all})
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/contests", Name: "actions/contests-leader"})

	// What a head and an official do there: the same parts, looked at once.
	for who, path := range map[webtest.Who]string{headOf: "/actions/" + states["sent_back"].GetId(), rated: "/contests"} {
		page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
		p.GiveSession(t, page, who)
		if status := page.Go(p.HTTP + path); status != http.StatusOK {
			t.Fatalf("%s answered %d", path, status)
		}
		page.NoHorizontalScroll()
		page.CheckAccessible()
		page.CheckConsole()
	}

	// Every other state and list: nothing sticks out of a phone, every rule holds.
	page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
	p.GiveSession(t, page, webtest.Leader)
	paths := []string{"/actions?list=late", "/actions?list=mine", "/actions?list=ended&unit_q=mot+cua", "/actions/new"}
	for _, state := range []string{"ordered", "confirmed", "cancelled"} {
		paths = append(paths, "/actions/"+states[state].GetId())
	}
	for _, path := range paths {
		page := page.In(t)
		if status := page.Go(p.HTTP + path); status != http.StatusOK {
			t.Fatalf("%s answered %d", path, status)
		}
		all(page)
		page.NoHorizontalScroll()
		page.CheckConsole()
		for _, in := range []string{"vi", "en"} {
			for _, who := range []webtest.Who{webtest.Leader, headOf} {
				if who == headOf && path == "/actions/new" {
					continue
				}
				v := p.Visitor(t, who)
				v.SetCookie("hailong_language", in)
				says(t, v.Get(path), http.StatusOK)
			}
		}
	}
}

// TestWalk goes the whole way in a browser: ordered of two units, reported, sent back, reported again and confirmed; contested and decided.
func TestWalk(t *testing.T) {
	p := program(t)
	c := opened(t, p)
	page := browser.Open(t).Page(t, browser.Options{})
	as := func(who webtest.Who, path string) {
		p.GiveSession(t, page, who)
		if status := page.Go(p.HTTP + path); status != http.StatusOK {
			t.Fatalf("%s answered %d to %s", path, status, who)
		}
	}
	done := func(what string, status int) {
		if status != http.StatusOK {
			t.Fatalf("%s: %d\n%s", what, status, page.Text("main"))
		}
	}
	as(webtest.Leader, "/actions/new?case="+c.GetId())
	product := "Phiếu hẹn ghi rõ giờ " + uuid.NewString()[:8] + " " + script
	page.Fill("#product", product)
	page.Fill("#to-q", "mot cua phuong")
	page.WaitText("#to-found", "Bộ phận Một cửa phường Sông Xanh")
	page.Click(`#to-found [value="` + p.WardOffice + `"]`)
	page.Fill("#due", inDays(7))
	done("order", page.Submit(`form.card .actions button`))
	if !strings.Contains(page.URL(), "/actions?order=") || page.Count(".case-rows li") != 2 {
		t.Fatalf("at %s: %s", page.URL(), page.Text("main"))
	}
	list, err := client(t, p, headOf).ListActions(t.Context(), &pb.ListActionsRequest{CaseId: c.GetId()})
	if err != nil || len(list.GetActions()) != 1 {
		t.Fatalf("the head has %v, %v", list, err)
	}
	at := "/actions/" + list.GetActions()[0].GetId()
	for i, evidence := range []string{"Đã in phiếu mới. " + script, "Đã dùng ở cả ba quầy."} {
		as(headOf, at)
		page.Fill(`[name="evidence"]`, evidence)
		done("report", page.Submit(`[id^="do-report"] > form > button:last-child`))
		as(webtest.Leader, at)
		if !strings.Contains(page.Text("main"), evidence) {
			t.Fatalf("the leader does not see the evidence: %s", page.Text("main"))
		}
		if i == 0 {
			page.Click(`[id^="do-send_back"] > summary`)
			page.Fill(`[id^="do-send_back"] [name="reason"]`, "Quầy 3 chưa có.")
			page.Fill(`[id^="do-send_back"] [name="due"]`, inDays(10))
			done("send back", page.Submit(`[id^="do-send_back"] > form > button:last-child`))
			continue
		}
		page.Click(`[id^="do-confirm"] > summary`)
		done("confirm", page.Submit(`[id^="do-confirm"] > form > button:last-child`))
	}
	if got := page.Text("main"); !strings.Contains(got, "Đã xác nhận xong") || !strings.Contains(got, "Quầy 3 chưa có.") {
		t.Errorf("at the end: %s", got)
	}

	as(rated, "/contests")
	page.Click(".act-said li:first-child summary")
	page.Fill(".act-said li:first-child textarea", "Tôi đi tập huấn hôm đó. "+script)
	done("contest", page.Submit(".act-said li:first-child form button"))
	as(webtest.Leader, "/contests")
	mine := `li:has(.case-text):first-child`
	if !strings.Contains(page.Text(mine), "Tôi đi tập huấn hôm đó.") {
		t.Fatalf("the leader sees %s", page.Text("main"))
	}
	page.Click(mine + ` [value="yes"]`)
	page.Fill(mine+" textarea", "Có giấy triệu tập tập huấn.")
	done("decide", page.Submit(mine+" form button"))
	if got := page.Text("main"); !strings.Contains(got, "Có giấy triệu tập tập huấn.") {
		t.Errorf("after the decision: %s", got)
	}
	if title := browser.Eval[string](page, "document.title"); strings.Contains(title, "hỏng") {
		t.Error("a script ran")
	}
	page.CheckConsole()
}
