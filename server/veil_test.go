package server

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Who works at the place that is rated sees what was said, and no more: not when to the minute, not what only the citizen holds, not what
// is none of its business yet.
func TestWhatThePlaceThatIsRatedNeverLearns(t *testing.T) {
	p := newCasePeople(t, Config{})
	t.Run("the minute of a rating", func(t *testing.T) { p.neverTheMinute(t) })
	t.Run("the code of the citizen", func(t *testing.T) { p.neverTheCode(t) })
	t.Run("what is not its case yet", func(t *testing.T) { p.neverEarly(t) })
	t.Run("who called, by being an operator too", func(t *testing.T) { p.neverTheCaller(t) })
}

func (p *casePeople) neverTheMinute(t *testing.T) {
	r := freshRating(p.office, 1)
	private := &pb.Private{Comment: "Chờ hai giờ", ConsentVersion: "1", Contact: &pb.Contact{Name: "Bình", Phone: "0912 345 679", CallBack: true}}
	if outcome, err := p.ratings().CreateRating(p.admin, &pb.CreateRatingRequest{Rating: r, Private: private}); err != nil || outcome.GetOutcome() != stored {
		t.Fatalf("%v, %v", outcome, err)
	}
	var c *pb.Case
	for c == nil {
		list, err := p.cases().ListCases(p.leader, &pb.ListCasesRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.GetCases()) > 0 {
			c = list.GetCases()[0]
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the rating never became a case")
		case <-time.After(5 * time.Millisecond):
		}
	}
	c = p.apply(p.leader, t, c, &pb.CaseEvent{Name: "request_explanation", UnitId: p.office})
	for name, who := range map[string]context.Context{"an official": p.official, "the head": p.head} {
		seen, err := p.cases().GetCase(who, &pb.GetCaseRequest{CaseId: c.GetId()})
		if err != nil || len(seen.GetWords()) != 1 || seen.GetWords()[0].GetText() != private.GetComment() {
			t.Fatalf("%s reads %v, %v", name, seen, err)
		}
		if at := seen.GetWords()[0].GetAt().AsTime(); !at.Equal(dayOnly(at)) {
			t.Errorf("%s learns that it was said at %v", name, at)
		}
		if strings.Contains(seen.String(), r.GetId()) {
			t.Errorf("%s learns the rating's id, which begins with its time: %v", name, seen)
		}
		if at := timeOf(t, seen.GetCase().GetId()); !at.Equal(dayOnly(at)) {
			t.Errorf("%s learns from the id of the case that it was at %v", name, at)
		}
	}
	// The same of the line in the log that calls the giver back.
	rating := c.GetRatingIds()[0]
	noted, err := p.calls().NoteCallBack(p.operator, &pb.NoteCallBackRequest{RatingId: rating, Reached: true, OutgoingCallId: uuid.Must(uuid.NewV7()).String()})
	if err != nil || noted.GetCall().GetReturnsId() != rating {
		t.Fatalf("%v, %v", noted, err)
	}
	for _, list := range []context.Context{p.as("trưởng xã", pb.Role_ROLE_HEAD, p.mine)} {
		calls, err := p.calls().ListCalls(list, &pb.ListCallsRequest{})
		if err != nil || len(calls.GetCalls()) != 1 || strings.Contains(calls.String(), r.GetId()) {
			t.Errorf("a head reads %v, %v", calls, err)
		}
	}
}

// timeOf is the time with which an id begins.
func timeOf(t *testing.T, id string) time.Time {
	t.Helper()
	parsed, err := uuid.Parse(id)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(parsed.Time().UnixTime())
}

// neverTheCode: whoever holds the code says for the citizen whether a reply answers.
func (p *casePeople) neverTheCode(t *testing.T) {
	c := p.open(t)
	c = p.apply(p.leader, t, c, &pb.CaseEvent{Name: "request_explanation", UnitId: p.office})
	for name, who := range map[string]context.Context{"an official": p.official, "the one rated": p.rated, "the head": p.head} {
		seen, err := p.cases().GetCase(who, &pb.GetCaseRequest{CaseId: c.GetId()})
		if err != nil || seen.GetCase().GetCode() != "" {
			t.Errorf("%s holds the code: %v, %v", name, seen.GetCase(), err)
		}
	}
	if _, err := p.cases().ListCases(p.official, &pb.ListCasesRequest{}); err != nil {
		t.Error(err)
	}
	if c.GetCode() == "" {
		t.Error("a leader does not see the code")
	}
	own, err := p.cases().OpenCase(p.head, &pb.OpenCaseRequest{ReceivingUnitId: p.office, AboutUnitId: p.office, Source: "book", Title: "Ghi trong sổ góp ý"})
	if err != nil || own.GetCode() == "" {
		t.Errorf("a head who takes an opinion down has no code to tell: %v, %v", own, err)
	}
}

func (p *casePeople) neverEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(p.official)
	defer cancel()
	stream, err := p.cases().WatchCases(ctx, &pb.WatchCasesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	c := p.open(t)
	c = p.apply(p.leader, t, c, &pb.CaseEvent{Name: "request_explanation", UnitId: p.office})
	told, err := stream.Recv()
	if err != nil || told.GetCaseId() != c.GetId() || told.GetVersion() != c.GetVersion() {
		t.Errorf("an official hears %v, %v; its unit was asked with version %d", told, err, c.GetVersion())
	}
}

func (p *casePeople) neverTheCaller(t *testing.T) {
	both := p.as("vừa trực máy vừa tiếp dân", pb.Role_ROLE_OPERATOR, p.mine)
	if _, err := p.identity().UpdateAccount(p.admin, &pb.UpdateAccountRequest{AccountId: p.accounts["vừa trực máy vừa tiếp dân"].GetId(), OfficialId: p.ratedID}); err != nil {
		t.Fatal(err)
	}
	call, err := p.calls().FinishCall(p.operator, &pb.FinishCallRequest{Call: &pb.CallDraft{
		Id: uuid.Must(uuid.NewV7()).String(), Kind: "complaint", Phone: "0912 345 678", Name: "Tèo", AboutUnitId: p.office, OfficialId: p.ratedID, Summary: "thái độ",
	}})
	if err != nil {
		t.Fatal(err)
	}
	asked := &pb.RevealCallerRequest{CallId: call.GetId(), Reason: "gọi lại cho người dân"}
	if _, err := p.calls().RevealCaller(p.operator, asked); err != nil {
		t.Error(err)
	}
	_, err = p.calls().RevealCaller(both, asked)
	wantRefused(t, err, codes.PermissionDenied, "action_denied")
	_, err = p.calls().RevealCaller(p.rated, asked)
	wantRefused(t, err, codes.PermissionDenied, "action_denied")
	audited, err := p.operations().ListAudit(p.admin, &pb.ListAuditRequest{Action: "RevealCaller"})
	if err != nil || len(audited.GetEntries()) != 3 {
		t.Errorf("whoever asks who called is written down, refused or not: %v, %v", audited, err)
	}
}

// A case holds ratings of units its opener has to do with, and nobody fills the audit without an account.
func TestNoCaseOfRatingsElsewhere(t *testing.T) {
	p := newCasePeople(t, Config{})
	beside := freshRating(p.sibling, 1)
	wantOutcome(t, p.submit(p.admin, seal(t, beside))[0], stored, "")
	mine := freshRating(p.office, 5)
	wantOutcome(t, p.submit(p.admin, seal(t, mine))[0], stored, "")
	record := func(r *pb.Rating) string { return p.top + "/" + r.GetUnitId() + "/" + r.GetId() }
	opening := func(ratings ...string) *pb.OpenCaseRequest {
		return &pb.OpenCaseRequest{ReceivingUnitId: p.mine, AboutUnitId: p.office, Source: "rating", Title: "Phiếu không hài lòng", RatingIds: ratings}
	}
	for name, id := range map[string]string{"of the unit beside": record(beside), "that was never given": p.top + "/" + p.office + "/" + uuid.NewString(), "by half its name": mine.GetId()} {
		_, err := p.cases().OpenCase(p.leader, opening(id))
		t.Run("opened with a rating "+name, func(t *testing.T) { wantRefused(t, err, codes.NotFound, "cases_rating_unknown") })
	}
	c, err := p.cases().OpenCase(p.leader, opening(record(mine)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.cases().ApplyCaseEvent(p.leader, &pb.ApplyCaseEventRequest{CaseId: c.GetId(), Version: c.GetVersion(), Event: &pb.CaseEvent{Name: "attach", RatingIds: []string{record(beside)}}})
	wantRefused(t, err, codes.NotFound, "cases_rating_unknown")
	_, err = p.cases().OpenCase(p.leader, &pb.OpenCaseRequest{
		ReceivingUnitId: p.mine, Source: "follow_up", Title: "Giải trình cho xã bên", Collective: &pb.CaseScope{UnitId: p.sibling, From: "2026-01-01", To: "2026-01-31"},
	})
	wantRefused(t, err, codes.NotFound, "unit_unknown")
	_, err = pb.NewActionServiceClient(p.conn).GetContestFigures(p.operator, &pb.GetContestFiguresRequest{OfficialId: p.ratedID})
	wantRefused(t, err, codes.NotFound, "actions_official_unknown")
	if _, err := p.registers().RevealRegister(t.Context(), &pb.RevealRegisterRequest{UnitId: p.mine, Reason: "xem thử"}); err == nil {
		t.Error("nobody reads a register")
	}
	audited, err := p.operations().ListAudit(p.admin, &pb.ListAuditRequest{Action: "RevealRegister"})
	if err != nil || len(audited.GetEntries()) != 0 {
		t.Errorf("who has no account fills the audit: %v, %v", audited, err)
	}
}
