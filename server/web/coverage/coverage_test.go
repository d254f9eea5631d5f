package coverage_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

func TestLook(t *testing.T) {
	p := webtest.Shared(t)
	for _, view := range []webtest.View{
		{Who: webtest.Leader, Path: "/coverage", Name: "coverage"},
		{Who: webtest.CommuneLeader, Path: "/coverage/ratings", Name: "coverage-ratings"},
	} {
		p.Look(t, view)
	}
}

var value = regexp.MustCompile(`name="only" value="([^"]+)"`)

// dissatisfied is how many of the province's ratings have one or two points.
func dissatisfied(p *webtest.Program, units ...string) uint32 {
	n := uint32(0)
	for _, given := range p.Given {
		for _, unit := range units {
			if given.GetUnitId() == unit && (given.GetOverallScore() == 1 || given.GetOverallScore() == 2) {
				n++
			}
		}
	}
	return n
}

// From the page to the case that its unit explains, and back: what was nobody's is in hand; a note is kept and taken back.
func TestFromPileToCase(t *testing.T) {
	p := webtest.Start(t)
	v := p.Visitor(t, webtest.Leader)
	client := pb.NewCoverageServiceClient(p.Conn(t, webtest.Leader))
	page := "/coverage?unit=" + p.Top + "&from=" + ago(90)
	of := func() *pb.Coverage {
		t.Helper()
		answer, err := client.GetCoverage(t.Context(), &pb.GetCoverageRequest{UnitId: p.Top, From: ago(90)})
		if err != nil {
			t.Fatal(err)
		}
		return answer.GetCoverage()
	}
	said := uint32(0) // ratings with words become cases by themselves, one after the other
	for _, given := range p.Given {
		if score := given.GetOverallScore(); given.Comment != "" && (score == 1 || score == 2) {
			said++
		}
	}
	before := of()
	for deadline := time.Now().Add(30 * time.Second); before.GetInHand() < said && time.Now().Before(deadline); before = of() {
		time.Sleep(20 * time.Millisecond)
	}
	if want := dissatisfied(p, p.Ward, p.WardOffice, p.Commune, p.CommuneOffice, p.Quiet); before.GetAll() != want || before.GetUntouched()+before.GetInHand() != want { // some became cases by themselves
		t.Fatalf("%v, %d were given", before, want)
	}
	piles, err := client.ListUncoveredPiles(t.Context(), &pb.ListUncoveredPilesRequest{UnitId: p.Top, From: ago(90)})
	if err != nil || len(piles.GetPiles()) == 0 {
		t.Fatal(piles, err)
	}
	largest := piles.GetPiles()[0]
	found := value.FindStringSubmatch(v.Get(page).Body)
	if found == nil || !strings.Contains(found[1], largest.GetScope().GetUnitId()) {
		t.Fatalf("the page offers %v, the largest pile is %v", found, largest)
	}

	// Nothing ticked is said; a button pressed twice asks once.
	if answer := v.Post("/coverage/requests", url.Values{"unit": {p.Top}}); answer.Status != http.StatusUnprocessableEntity || !strings.Contains(answer.Body, "Xin chọn ít nhất một nhóm") {
		t.Errorf("nothing ticked is answered %d", answer.Status)
	}
	for range 2 {
		answer := v.Post("/coverage/requests", url.Values{"unit": {p.Top}, "from": {ago(90)}, "only": {found[1]}})
		if answer.Status != http.StatusSeeOther || !strings.HasPrefix(answer.Location(), "/coverage") {
			t.Fatalf("answered %d %s\n%.3000s", answer.Status, answer.Location(), answer.Body)
		}
	}
	after := of()
	if after.GetInHand() != before.GetInHand()+largest.GetN() || after.GetUntouched() != before.GetUntouched()-largest.GetN() {
		t.Errorf("%v after %v and a pile of %d", after, before, largest.GetN())
	}
	id := strings.Split(found[1], "|")[0]
	opened, err := pb.NewCaseServiceClient(p.Conn(t, webtest.Leader)).GetCase(t.Context(), &pb.GetCaseRequest{CaseId: id})
	if err != nil || opened.GetCase().GetState() != "explanation_requested" || opened.GetCase().GetAssignedUnitId() != largest.GetScope().GetUnitId() {
		t.Errorf("the case: %v %v", opened.GetCase(), err)
	}
	// The unit explains, the leader accepts: the effect is drawn, and nothing is claimed before the eight weeks are over.
	version := opened.GetCase().GetVersion()
	for _, step := range []struct {
		who   webtest.Who
		event *pb.CaseEvent
	}{
		{webtest.CommuneLeader, &pb.CaseEvent{Name: "submit", Explanation: &pb.Explanation{
			Cause: string(casework.Causes()[0]), Analysis: "Sáng thứ hai chỉ có một quầy mở, người dân phải chờ hơn một giờ.", Remedy: "Mở thêm một quầy vào sáng thứ hai.", Together: true, Apology: "will", Finding: "upheld",
		}}},
		{webtest.Leader, &pb.CaseEvent{Name: "accept", Finding: "upheld"}},
	} {
		done, err := pb.NewCaseServiceClient(p.Conn(t, step.who)).ApplyCaseEvent(t.Context(), &pb.ApplyCaseEventRequest{CaseId: id, Version: version, Event: step.event})
		if err != nil {
			t.Fatalf("%s: %v", step.event.GetName(), err)
		}
		version = done.GetVersion()
	}
	if now := of(); now.GetAnswered() < largest.GetN() { // and those of the period that are in cases of their own
		t.Errorf("%v after the explanation of %d was accepted", now, largest.GetN())
	}
	for _, path := range []string{"/coverage/effects?unit=" + p.Top, "/coverage/effects/" + id} {
		answer := v.Get(path)
		for _, says := range []string{"Mở thêm một quầy vào sáng thứ hai.", "Chưa đủ tám tuần: còn 57 ngày", "<svg", "Xem bảng số liệu"} {
			if answer.Status != http.StatusOK || !strings.Contains(answer.Body, says) {
				t.Errorf("%s, %d, does not say %q", path, answer.Status, says)
			}
		}
	}

	// Asked again from another page, with an id of its own, it is the same request.
	again, err := client.RequestExplanations(t.Context(), &pb.RequestExplanationsRequest{Requests: []*pb.ExplanationRequest{{CaseId: "01999999-0000-7000-8000-000000000001", Scope: largest.GetScope()}}})
	if err != nil || again.GetResults()[0].GetCaseId() != id || !again.GetResults()[0].GetRequested() {
		t.Errorf("asked again: %v %v", again, err)
	}

	// What is left is noted, with a reason, and taken back.
	piles, err = client.ListUncoveredPiles(t.Context(), &pb.ListUncoveredPilesRequest{UnitId: p.Top, From: ago(90)})
	if err != nil || len(piles.GetPiles()) == 0 {
		t.Fatal(piles, err)
	}
	left := piles.GetPiles()[0].GetScope()
	form := url.Values{"unit": {left.GetUnitId()}, "from": {left.GetFrom()}, "to": {left.GetTo()}, "reason": {left.GetReason()}, "official": {left.GetOfficialId()}, "note": {"01999999-0000-7000-8000-000000000002"}}
	if answer := v.Get("/coverage/note?" + form.Encode()); answer.Status != http.StatusOK {
		t.Errorf("the form of a note is answered %d", answer.Status)
	}
	if answer := v.Post("/coverage/note", form); answer.Status != http.StatusUnprocessableEntity || !strings.Contains(answer.Body, "Xin ghi lý do") {
		t.Errorf("without a reason answered %d", answer.Status)
	}
	form.Set("why", `Máy lấy số hỏng cả buổi <script>`)
	for range 2 {
		if answer := v.Post("/coverage/note", form); answer.Status != http.StatusSeeOther {
			t.Fatalf("a note is answered %d\n%.3000s", answer.Status, answer.Body)
		}
	}
	noted := of()
	if noted.GetNoted() != piles.GetPiles()[0].GetN() {
		t.Errorf("%v after a note of %d", noted, piles.GetPiles()[0].GetN())
	}
	if list := v.Get("/coverage/notes?unit=" + p.Top).Body; !strings.Contains(list, "hỏng cả buổi &lt;script&gt;") {
		t.Errorf("the note is not listed:\n%.3000s", list)
	}
	withdraw := "/coverage/notes/01999999-0000-7000-8000-000000000002/withdraw"
	if answer := v.Post(withdraw, url.Values{"unit": {p.Top}}); answer.Status != http.StatusUnprocessableEntity {
		t.Errorf("withdrawn without a reason: %d", answer.Status)
	}
	if answer := v.Post(withdraw, url.Values{"unit": {p.Top}, "why": {"Ghi nhầm đơn vị"}}); answer.Status != http.StatusSeeOther {
		t.Errorf("withdrawn: %d", answer.Status)
	}
	if now := of(); now.GetNoted() != 0 || now.GetUntouched() != after.GetUntouched() {
		t.Errorf("%v after the note was taken back", now)
	}

	// Of single ratings, as the list names them.
	ratings, err := client.ListUncovered(t.Context(), &pb.ListUncoveredRequest{UnitId: p.Top, From: ago(90), PageSize: 200})
	if err != nil || len(ratings.GetRatings()) == 0 {
		t.Fatal(ratings, err)
	}
	for i, one := range ratings.GetRatings() {
		if i > 0 && one.GetComment() != "" && ratings.GetRatings()[i-1].GetComment() == "" && !ratings.GetRatings()[i-1].GetCallBack() {
			t.Error("words do not come first")
		}
	}
	single := url.Values{"unit": {p.Top}, "from": {ago(90)}, "to": {ago(0)}, "rating": {ratings.GetRatings()[0].GetId()}, "note": {"01999999-0000-7000-8000-000000000003"}, "why": {"Đã gọi lại"}}
	if answer := v.Post("/coverage/note", single); answer.Status != http.StatusSeeOther {
		t.Errorf("a note of one rating is answered %d\n%.3000s", answer.Status, answer.Body)
	}
	if now := of(); now.GetNoted() != 1 {
		t.Errorf("%v after one rating was noted", now)
	}

	// Follow-ups ask with one press.
	follow := value.FindStringSubmatch(v.Get("/follow-ups?unit=" + p.Top).Body)
	if follow == nil {
		t.Fatal("follow-ups offer no request")
	}
	if answer := v.Post("/coverage/requests", url.Values{"unit": {p.Top}, "only": {follow[1]}, "back": {"/follow-ups"}}); answer.Status != http.StatusSeeOther || answer.Location() != "/follow-ups" {
		t.Errorf("a follow-up's request is answered %d %s", answer.Status, answer.Location())
	}

	for path, who := range map[string]webtest.Who{"/coverage": webtest.Official, "/coverage/ratings": webtest.Operator, "/coverage?unit=" + p.Ward: webtest.CommuneLeader, "/coverage/effects/nothing": webtest.Leader} {
		if answer := p.Visitor(t, who).Get(path); answer.Status != http.StatusNotFound {
			t.Errorf("%s gets %s answered %d", who, path, answer.Status)
		}
	}
	for _, path := range []string{"/coverage/effects", "/coverage?from=hôm+nay", "/coverage?from=1950-01-01", "/coverage/ratings?page=!!!"} {
		want := http.StatusUnprocessableEntity
		if path == "/coverage/effects" {
			want = http.StatusOK
		}
		if answer := v.Get(path); answer.Status != want {
			t.Errorf("%s is answered %d", path, answer.Status)
		}
	}
}

func ago(days int) string {
	today, _ := localday.Of(time.Now())
	return string(today.Add(-days))
}
