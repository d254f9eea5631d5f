package server

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/hotline"
	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s *running) calls() pb.CallServiceClient { return pb.NewCallServiceClient(s.conn) }

// draft is a call about a unit.
func draft(about, kind string) *pb.CallDraft {
	return &pb.CallDraft{Id: uuid.Must(uuid.NewV7()).String(), AboutUnitId: about, Kind: kind, Phone: "0912.345.678", Name: "Bác Bưởi", Summary: "Chờ lâu"}
}

func (s *running) call(ctx context.Context, d *pb.CallDraft) *pb.Call {
	s.t.Helper()
	call, err := s.calls().FinishCall(ctx, &pb.FinishCallRequest{Call: d})
	if err != nil {
		s.t.Fatal(err)
	}
	return call
}

func TestCalls(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		p := newProvince(s.admin(), s)
		one, two := p.as("trực một", pb.Role_ROLE_OPERATOR, p.top), p.as("trực hai", pb.Role_ROLE_OPERATOR, p.mine)
		far, leader := p.as("trực xa", pb.Role_ROLE_OPERATOR, p.sibling), p.as("lãnh đạo", pb.Role_ROLE_LEADER, p.top)

		// Saved as it goes on, by its own operator alone; somebody else finds no such call.
		d := draft(p.office, "")
		saved, err := s.calls().SaveCall(one, &pb.SaveCallRequest{Call: d})
		if err != nil || !saved.GetOpen() || saved.GetPhone() != "0912 345 678" {
			t.Fatalf("%v, %v", saved, err)
		}
		for name, who := range map[string]context.Context{"another operator": two, "an operator elsewhere": far} {
			if _, err := s.calls().SaveCall(who, &pb.SaveCallRequest{Call: d, Version: saved.GetVersion()}); status.Code(err) != codes.NotFound {
				t.Errorf("%s saves it: %v", name, err)
			}
		}
		d.Summary = "Chờ lâu, không ai gọi"
		next, err := s.calls().SaveCall(one, &pb.SaveCallRequest{Call: d, Version: saved.GetVersion()})
		if err != nil {
			t.Fatal(err)
		}
		d.Summary = "Từ thẻ khác"
		if _, err := s.calls().SaveCall(one, &pb.SaveCallRequest{Call: d, Version: saved.GetVersion()}); status.Code(err) != codes.Aborted && status.Code(err) != codes.FailedPrecondition {
			t.Errorf("another tab's save: %v", err)
		}

		// A complaint opens one case, however often it is sent.
		d.Kind, d.Summary = "complaint", "Chờ lâu, không ai gọi"
		opening := &pb.OpenCaseRequest{CaseId: hotline.CaseOf(d.GetId()), AboutUnitId: p.office, Source: "call", Title: "Chờ lâu", Words: d.GetSummary(), CallId: d.GetId(), Contact: &pb.CaseContact{Phone: d.GetPhone()}}
		var first *pb.Call
		for range 2 {
			opened, err := s.cases().OpenCase(one, opening)
			if err != nil {
				t.Fatal(err)
			}
			done, err := s.calls().FinishCall(one, &pb.FinishCallRequest{Call: d, Version: next.GetVersion(), CaseId: opened.GetId()})
			if err != nil || done.GetOpen() || done.GetResult() != hotline.CaseOpened || done.GetCaseId() != opening.GetCaseId() {
				t.Fatalf("finished %v, %v", done, err)
			}
			if first != nil && first.GetVersion() != done.GetVersion() {
				t.Error("finished again, it changed")
			}
			first = done
		}
		if _, err := s.calls().FinishCall(one, &pb.FinishCallRequest{Call: draft(p.office, "question"), CaseId: uuid.NewString()}); status.Code(err) != codes.NotFound {
			t.Errorf("a case that is none: %v", err)
		}

		// Known again by number, with the case; elsewhere only what lies there.
		for name, c := range map[string]struct {
			who          context.Context
			number       string
			calls, cases int
		}{
			"the whole number": {one, "+84 912 345 678", 1, 1}, "four digits": {one, "5678", 1, 1}, "another number": {one, "0987654321", 0, 0}, "elsewhere": {far, "0912345678", 0, 0},
		} {
			found, err := s.calls().FindCaller(c.who, &pb.FindCallerRequest{Number: c.number})
			if err != nil || len(found.GetCalls()) != c.calls || len(found.GetCases()) != c.cases {
				t.Errorf("%s: %v, %v", name, found, err)
			}
		}

		// The log without who called; who called with a reason, in the audit.
		log, err := s.calls().ListCalls(leader, &pb.ListCallsRequest{})
		if err != nil || len(log.GetCalls()) != 1 || log.GetCalls()[0].GetLastFour()+log.GetCalls()[0].GetPhone()+log.GetCalls()[0].GetName() != "" {
			t.Errorf("a leader's log: %v, %v", log, err)
		}
		if _, err := s.calls().RevealCaller(leader, &pb.RevealCallerRequest{CallId: d.GetId(), Reason: "tò mò"}); status.Code(err) != codes.PermissionDenied {
			t.Errorf("a leader reads the number: %v", err)
		}
		if _, err := s.calls().RevealCaller(far, &pb.RevealCallerRequest{CallId: d.GetId(), Reason: "tò mò"}); status.Code(err) != codes.NotFound {
			t.Errorf("an operator elsewhere reads the number: %v", err)
		}
		who, err := s.calls().RevealCaller(one, &pb.RevealCallerRequest{CallId: d.GetId(), Reason: "gọi lại"})
		if err != nil || who.GetPhone() != "0912 345 678" || who.GetName() != "Bác Bưởi" {
			t.Errorf("revealed %v, %v", who, err)
		}
		audited, err := s.operations().ListAudit(p.admin, &pb.ListAuditRequest{Action: "RevealCaller"})
		if err != nil || len(audited.GetEntries()) != 3 || !strings.Contains(audited.GetEntries()[0].GetSubject(), d.GetId()+" · gọi lại") {
			t.Errorf("audited %v, %v", audited, err)
		}
		if _, err := s.calls().EraseCaller(one, &pb.EraseCallerRequest{CallId: d.GetId()}); err != nil {
			t.Fatal(err)
		}
		if who, err = s.calls().RevealCaller(one, &pb.RevealCallerRequest{CallId: d.GetId(), Reason: "gọi lại"}); err != nil || who.GetPhone() != "" {
			t.Errorf("erased, it is %v, %v", who, err)
		}
	})
}

func TestCallBacksOfRatings(t *testing.T) {
	s := start(t, Config{})
	p := newProvince(s.admin(), s)
	operator, far := p.as("trực", pb.Role_ROLE_OPERATOR, p.mine), p.as("trực xa", pb.Role_ROLE_OPERATOR, p.sibling)
	wish := freshRating(p.office, 2)
	private := &pb.Private{Comment: "Xin gọi lại", Contact: &pb.Contact{Name: "Bà Mận", Phone: "0987 654 321", CallBack: true}, ConsentVersion: "1"}
	if _, err := pb.NewRatingServiceClient(s.conn).CreateRating(p.admin, &pb.CreateRatingRequest{Rating: wish, Private: private}); err != nil {
		t.Fatal(err)
	}
	waiting, err := s.calls().ListCallBacks(operator, &pb.ListCallBacksRequest{})
	if err != nil || len(waiting.GetCallBacks()) != 1 || waiting.GetCallBacks()[0].GetComment() != "Xin gọi lại" {
		t.Fatalf("waiting %v, %v", waiting, err)
	}
	id := waiting.GetCallBacks()[0].GetRatingId()
	if elsewhere, err := s.calls().ListCallBacks(far, &pb.ListCallBacksRequest{}); err != nil || len(elsewhere.GetCallBacks()) != 0 {
		t.Errorf("elsewhere %v, %v", elsewhere, err)
	}
	if _, err := s.calls().RevealCaller(far, &pb.RevealCallerRequest{RatingId: id, Reason: "x"}); status.Code(err) != codes.NotFound {
		t.Errorf("read elsewhere: %v", err)
	}
	who, err := s.calls().RevealCaller(operator, &pb.RevealCallerRequest{RatingId: id, Reason: "gọi lại"})
	if err != nil || who.GetPhone() != "0987 654 321" {
		t.Errorf("revealed %v, %v", who, err)
	}
	for i, reached := range []bool{false, true} {
		attempt := &pb.NoteCallBackRequest{RatingId: id, Reached: reached, OutgoingCallId: uuid.Must(uuid.NewV7()).String()}
		for range 2 { // sent twice, it is one attempt and one line
			noted, err := s.calls().NoteCallBack(operator, attempt)
			if err != nil || noted.GetCall().GetDirection() != "out" || noted.GetCall().GetReturnsId() != id {
				t.Fatalf("noted %v, %v", noted, err)
			}
		}
		log, err := s.calls().ListCalls(operator, &pb.ListCallsRequest{})
		if err != nil || len(log.GetCalls()) != i+1 {
			t.Errorf("log %v, %v", log, err)
		}
	}
	if waiting, err = s.calls().ListCallBacks(operator, &pb.ListCallBacksRequest{}); err != nil || len(waiting.GetCallBacks()) != 0 {
		t.Errorf("still waiting: %v, %v", waiting, err)
	}
}

func TestPraiseReachesTheOfficial(t *testing.T) {
	s := start(t, Config{})
	p := newProvince(s.admin(), s)
	operator := p.as("trực", pb.Role_ROLE_OPERATOR, p.top)
	officer, err := s.directory().CreateOfficial(p.admin, &pb.CreateOfficialRequest{Official: &pb.Official{Name: "Cô Hoa", UnitId: p.office}})
	if err != nil {
		t.Fatal(err)
	}
	p.as("cô hoa", pb.Role_ROLE_OFFICIAL, p.office)
	if _, err := p.identity().UpdateAccount(p.admin, &pb.UpdateAccountRequest{AccountId: p.accounts["cô hoa"].GetId(), OfficialId: officer.GetId()}); err != nil {
		t.Fatal(err)
	}
	own := p.signIn("cô hoa", rolePassword)
	other := p.as("người khác", pb.Role_ROLE_OFFICIAL, p.office)
	d := draft(p.office, "praise")
	d.OfficialId, d.Summary = officer.GetId(), "Hướng dẫn tận tình"
	s.call(operator, d)
	praise, err := s.calls().ListPraise(own, &pb.ListPraiseRequest{})
	if err != nil || len(praise.GetPraise()) != 1 || praise.GetPraise()[0].GetText() != "Hướng dẫn tận tình" || praise.GetPraise()[0].GetOfficialName() != "Cô Hoa" {
		t.Errorf("one's own %v, %v", praise, err)
	}
	told, err := s.notices().ListNotices(own, &pb.ListNoticesRequest{})
	if err != nil || len(told.GetNotices()) != 1 || told.GetNotices()[0].GetLink() != "/praise" {
		t.Errorf("told %v, %v", told, err)
	}
	if praise, err = s.calls().ListPraise(other, &pb.ListPraiseRequest{UnitId: p.office, OfficialId: officer.GetId()}); err != nil || len(praise.GetPraise()) != 0 {
		t.Errorf("somebody else's %v, %v", praise, err)
	}
	if _, err := s.calls().GetCall(own, &pb.GetCallRequest{CallId: d.GetId()}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("the call itself: %v", err)
	}
}

func TestExchangeRings(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		p := newProvince(s.admin(), s)
		operator, far := p.as("trực", pb.Role_ROLE_OPERATOR, p.mine), p.as("trực xa", pb.Role_ROLE_OPERATOR, p.sibling)
		if _, err := s.calls().CreateCallHook(operator, &pb.CreateCallHookRequest{Name: "x"}); status.Code(err) != codes.PermissionDenied {
			t.Errorf("an operator makes a hook: %v", err)
		}
		made, err := s.calls().CreateCallHook(p.admin, &pb.CreateCallHookRequest{UnitId: p.mine, Name: "Tổng đài xã"})
		if err != nil {
			t.Fatal(err)
		}
		as := func(token string) context.Context {
			return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
		}
		ring := func(token, line string) error {
			_, err := s.calls().RingCall(as(token), &pb.RingCallRequest{Number: "0912345678", Line: line})
			return err
		}
		rings := func(who context.Context) pb.CallService_WatchRingsClient {
			t.Helper()
			stream, err := s.calls().WatchRings(who, &pb.WatchRingsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if now, err := stream.Recv(); err != nil || len(now.GetRings()) != 0 {
				t.Fatalf("rings before: %v, %v", now, err)
			}
			return stream
		}
		here := rings(operator)
		if _, err := s.calls().SetCallLine(far, &pb.SetCallLineRequest{Line: "101"}); err != nil {
			t.Fatal(err)
		}
		// Somebody of another commune who sits at that line is not told: the hook is not theirs.
		if err := ring(made.GetToken(), "101"); err != nil {
			t.Fatal(err)
		}
		if now, err := here.Recv(); err != nil || len(now.GetRings()) != 1 || now.GetRings()[0].GetNumber() != "0912 345 678" {
			t.Errorf("rings %v, %v", now, err)
		}
		elsewhere, err := s.calls().WatchRings(far, &pb.WatchRingsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if now, err := elsewhere.Recv(); err != nil || len(now.GetRings()) != 0 || now.GetLine() != "101" {
			t.Errorf("elsewhere rings %v, %v", now, err)
		}

		// The token does nothing else.
		if _, err := s.calls().ListCalls(as(made.GetToken()), &pb.ListCallsRequest{}); status.Code(err) != codes.PermissionDenied {
			t.Errorf("a hook reads the log: %v", err)
		}
		if err := ring(made.GetToken()+"x", ""); status.Code(err) != codes.Unauthenticated {
			t.Errorf("a wrong token: %v", err)
		}
		if _, err := s.calls().RingCall(operator, &pb.RingCallRequest{Number: "1"}); status.Code(err) != codes.PermissionDenied {
			t.Errorf("an operator rings: %v", err)
		}
		limited := false
		for range 2 * ringsPerHook.Burst {
			if err := ring(made.GetToken(), ""); status.Code(err) == codes.ResourceExhausted {
				limited = true
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if !limited {
			t.Error("a hook may ring without end")
		}
		for range 2 {
			if gone, err := s.calls().RevokeCallHook(p.admin, &pb.RevokeCallHookRequest{HookId: made.GetHook().GetId()}); err != nil || gone.GetRevokedAt() == nil {
				t.Errorf("revoked %v, %v", gone, err)
			}
		}
		if err := ring(made.GetToken(), ""); status.Code(err) != codes.Unauthenticated {
			t.Errorf("a revoked token: %v", err)
		}
		limited = false
		for range 2 * wrongPerAddress.Burst {
			if status.Code(ring("hlpbx_guess", "")) == codes.ResourceExhausted {
				limited = true
				break
			}
		}
		if !limited {
			t.Error("tokens may be guessed without end")
		}
	})
}

func TestImportCallsTwice(t *testing.T) {
	folder := t.TempDir()
	s := start(t, Config{Data: folder})
	p := newProvince(s.admin(), s)
	operator := p.as("trực", pb.Role_ROLE_OPERATOR, p.mine)
	file := filepath.Join(folder, "cdr.csv")
	text := "calldate,src,dst,billsec,disposition\n2026-03-09 08:00:00,0912345678,101,65,ANSWERED\n2026-03-09 08:10:00,0912345678,101,0,NO ANSWER\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for round, want := range []string{"2 mới ghi, 0 đã có", "0 mới ghi, 2 đã có"} {
		var said bytes.Buffer
		at := &terminal{Language: language.Vietnamese, stdout: &said, stderr: &said}
		if err := at.dispatch(t.Context(), []string{"import", "calls", file, "-unit", "Xã Một", "-data", folder}); err != nil || !strings.Contains(said.String(), want) {
			t.Errorf("round %d: %v, %s", round, err, said.String())
		}
	}
	log, err := s.calls().ListCalls(operator, &pb.ListCallsRequest{})
	if err != nil || len(log.GetCalls()) != 2 || !log.GetCalls()[0].GetImported() || log.GetCalls()[0].GetResult() != hotline.NoAnswer {
		t.Errorf("log %v, %v", log, err)
	}
}
