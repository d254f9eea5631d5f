package server

import (
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// What an administrator changes later: counters and officials that end, the history of a unit, accounts that come back.
func TestChangesAndEnds(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		var clock shiftedClock
		config.Clock = clock.now
		s := start(t, config)
		p := newProvince(s.admin(), s)
		t.Run("who may", func(t *testing.T) { testWhoMayChange(p.at(t)) })
		t.Run("history", func(t *testing.T) { testHistory(p.at(t)) })
		t.Run("accounts", func(t *testing.T) { testAccountComesBack(p.at(t)) })
		t.Run("closed counter", func(t *testing.T) { testClosedCounter(p.at(t), &clock) })
	})
}

func (p *province) counter(unit, code string) *pb.Counter {
	p.t.Helper()
	made, err := p.directory().CreateCounter(p.admin, &pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: unit, Code: code, Name: "Quầy " + code}})
	if err != nil {
		p.t.Fatal(err)
	}
	return made
}

func testWhoMayChange(p *province) {
	mine := p.as("quản trị xã một", pb.Role_ROLE_ADMINISTRATOR, p.mine)
	leader := p.as("lãnh đạo xã một", pb.Role_ROLE_LEADER, p.mine)
	counter, foreign := p.counter(p.office, "7"), p.counter(p.sibling, "7")
	official := func(unit string) *pb.Official {
		made, err := p.directory().CreateOfficial(p.admin, &pb.CreateOfficialRequest{Official: &pb.Official{UnitId: unit, Name: "Lê Minh Hoạ"}})
		if err != nil {
			p.t.Fatal(err)
		}
		return made
	}
	served, beside := official(p.office), official(p.sibling)
	counter.Name, served.Position = "Quầy 7: Đất đai", "Công chức"
	if changed, err := p.directory().ChangeCounter(mine, &pb.ChangeCounterRequest{Counter: counter}); err != nil || changed.GetName() != counter.GetName() {
		p.t.Errorf("%v, %v", changed, err)
	}
	if changed, err := p.directory().ChangeOfficial(mine, &pb.ChangeOfficialRequest{Official: served}); err != nil || changed.GetPosition() != "Công chức" {
		p.t.Errorf("%v, %v", changed, err)
	}
	_, change := p.directory().ChangeCounter(mine, &pb.ChangeCounterRequest{Counter: foreign})
	_, end := p.directory().CloseCounter(mine, &pb.CloseCounterRequest{CounterId: foreign.GetId()})
	_, nowhere := p.directory().CloseCounter(mine, &pb.CloseCounterRequest{CounterId: "khong-co"})
	for _, err := range []error{change, end, nowhere} {
		wantRefused(p.t, err, codes.NotFound, "directory_counter_missing")
	}
	_, change = p.directory().ChangeOfficial(mine, &pb.ChangeOfficialRequest{Official: beside})
	_, end = p.directory().CloseOfficial(mine, &pb.CloseOfficialRequest{OfficialId: beside.GetId()})
	for _, err := range []error{change, end} {
		wantRefused(p.t, err, codes.NotFound, "directory_official_missing")
	}
	_, change = p.directory().ChangeCounter(leader, &pb.ChangeCounterRequest{Counter: counter})
	_, end = p.directory().CloseOfficial(leader, &pb.CloseOfficialRequest{OfficialId: served.GetId()})
	for _, err := range []error{change, end} {
		wantRefused(p.t, err, codes.PermissionDenied, "action_denied")
	}
	left, err := p.directory().CloseOfficial(mine, &pb.CloseOfficialRequest{OfficialId: served.GetId()})
	if err != nil || left.GetClosedAt() == nil {
		p.t.Errorf("%v, %v", left, err)
	}
	_, change = p.directory().ListUnitVersions(mine, &pb.ListUnitVersionsRequest{UnitId: p.sibling})
	wantRefused(p.t, change, codes.NotFound, "unit_unknown")
}

func testHistory(p *province) {
	first, err := p.directory().GetUnit(p.admin, &pb.GetUnitRequest{UnitId: p.sibling})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.directory().ChangeUnit(p.admin, &pb.ChangeUnitRequest{Unit: &pb.Unit{
		Id: p.sibling, ParentId: p.top, Name: "Phường Hai", Level: first.GetLevel(), ValidFrom: "2026-07-01",
	}}); err != nil {
		p.t.Fatal(err)
	}
	history, err := p.directory().ListUnitVersions(p.admin, &pb.ListUnitVersionsRequest{UnitId: p.sibling})
	if err != nil || len(history.GetVersions()) != 2 {
		p.t.Fatalf("%v, %v", history, err)
	}
	before, after := history.GetVersions()[0], history.GetVersions()[1]
	if before.GetName() != "Xã Hai" || before.GetValidTo() != "2026-07-01" || after.GetName() != "Phường Hai" || after.GetValidFrom() != "2026-07-01" || after.GetValidTo() != "" {
		p.t.Errorf("%v, then %v", before, after)
	}
}

func testAccountComesBack(p *province) {
	mine := p.as("quản trị xã một nữa", pb.Role_ROLE_ADMINISTRATOR, p.mine)
	before := p.as("cán bộ đi rồi về", pb.Role_ROLE_OFFICIAL, p.office)
	id := p.accounts["cán bộ đi rồi về"].GetId()
	_, err := p.identity().EnableAccount(mine, &pb.EnableAccountRequest{AccountId: id})
	wantRefused(p.t, err, codes.InvalidArgument, "account_enabled")
	reset, err := p.identity().ResetPassword(mine, &pb.ResetPasswordRequest{AccountId: id})
	if err != nil || reset.GetOneTimePassword() == "" || reset.GetAccount().GetId() != id {
		p.t.Fatalf("%v, %v", reset, err)
	}
	_, err = p.directory().ListUnits(before, &pb.ListUnitsRequest{})
	wantRefused(p.t, err, codes.Unauthenticated, "session_ended")
	now := p.signIn("cán bộ đi rồi về", reset.GetOneTimePassword())
	_, err = p.directory().ListUnits(now, &pb.ListUnitsRequest{})
	wantRefused(p.t, err, codes.PermissionDenied, "password_must_change")
	if _, err := p.identity().DisableAccount(mine, &pb.DisableAccountRequest{AccountId: id}); err != nil {
		p.t.Fatal(err)
	}
	_, err = p.identity().ResetPassword(mine, &pb.ResetPasswordRequest{AccountId: id})
	wantRefused(p.t, err, codes.InvalidArgument, "account_disabled")
	back, err := p.identity().EnableAccount(mine, &pb.EnableAccountRequest{AccountId: id})
	if err != nil || back.GetAccount().GetDisabledAt() != nil || back.GetOneTimePassword() == reset.GetOneTimePassword() {
		p.t.Fatalf("%v, %v", back, err)
	}
	session, err := p.identity().GetSession(p.signIn("cán bộ đi rồi về", back.GetOneTimePassword()), &pb.GetSessionRequest{})
	if err != nil || !session.GetMustChangePassword() {
		p.t.Errorf("%v, %v", session, err)
	}
	p.as("người của xã bên", pb.Role_ROLE_OFFICIAL, p.sibling)
	foreign := p.accounts["người của xã bên"].GetId()
	_, err = p.identity().ResetPassword(mine, &pb.ResetPasswordRequest{AccountId: foreign})
	wantRefused(p.t, err, codes.NotFound, "account_unknown")
	_, err = p.identity().EnableAccount(mine, &pb.EnableAccountRequest{AccountId: foreign})
	wantRefused(p.t, err, codes.NotFound, "account_unknown")
	_, err = p.identity().ResetPassword(mine, &pb.ResetPasswordRequest{AccountId: p.accounts["quản trị xã một nữa"].GetId()})
	wantRefused(p.t, err, codes.PermissionDenied, "account_own")
}

func testClosedCounter(p *province, clock *shiftedClock) {
	counter := p.counter(p.office, "9")
	at := func(occurred time.Time) *pb.SealedRating {
		r := freshRating(p.office, 4)
		r.CounterId, r.OccurredAt = counter.GetId(), timestamppb.New(occurred)
		return seal(p.t, r)
	}
	wantOutcome(p.t, p.submit(p.admin, at(clock.now()))[0], stored, "")
	if _, err := pb.NewCitizenServiceClient(p.conn).GetForm(p.t.Context(), &pb.GetFormRequest{Place: counter.GetId()}); err != nil {
		p.t.Fatal(err)
	}
	closed, err := p.directory().CloseCounter(p.admin, &pb.CloseCounterRequest{CounterId: counter.GetId()})
	if err != nil || closed.GetClosedAt() == nil {
		p.t.Fatalf("%v, %v", closed, err)
	}
	_, err = pb.NewCitizenServiceClient(p.conn).GetForm(p.t.Context(), &pb.GetFormRequest{Place: counter.GetId()})
	wantRefused(p.t, err, codes.NotFound, "citizen_place_unknown")
	_, err = p.directory().CreateDevice(p.admin, &pb.CreateDeviceRequest{Name: "Kiosk", Bindings: []*pb.DeviceBinding{{UnitId: p.office, CounterId: counter.GetId()}}})
	wantRefused(p.t, err, codes.InvalidArgument, "directory_counter_closed")
	listed, err := p.directory().ListCounters(p.admin, &pb.ListCountersRequest{UnitId: p.office})
	if err != nil || len(listed.GetCounters()) == 0 || listed.GetCounters()[len(listed.GetCounters())-1].GetClosedAt() == nil {
		p.t.Errorf("listed %v, %v", listed.GetCounters(), err)
	}
	// What was given while it was open counts however late it comes; what is dated later does not.
	given := clock.now()
	clock.forward(26 * time.Hour)
	p.admin = p.running.admin()
	wantOutcome(p.t, p.submit(p.admin, at(given))[0], stored, "")
	late := p.submit(p.admin, at(clock.now()))[0]
	wantOutcome(p.t, late, rejected, "counter_closed")
	released, err := p.operations().ReleaseQuarantined(p.admin, &pb.ReleaseQuarantinedRequest{QuarantineId: late.GetQuarantineId()})
	if err != nil || released.GetOutcome().GetOutcome() != stored {
		p.t.Errorf("released: %v, %v", released, err)
	}
}

// Everything that is wrong with a questionnaire is told at once, each by its line.
func TestEveryFaultOfAQuestionnaireIsTold(t *testing.T) {
	s := start(t, Config{})
	_, err := s.directory().PublishQuestionnaire(s.admin(), &pb.PublishQuestionnaireRequest{Yaml: "id: thử nghiệm\nversion: 0\nquestions: []\n"})
	wantRefusedFirst(t, err)
	lines := map[string]bool{}
	for _, detail := range status.Convert(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, violation := range bad.GetFieldViolations() {
				lines[violation.GetField()] = true
				if violation.GetDescription() == "" || violation.GetReason() == "" {
					t.Errorf("%v has no words", violation)
				}
			}
		}
	}
	for _, line := range []string{"1", "2", "3"} {
		if !lines[line] {
			t.Errorf("nothing is told of line %s: %v", line, err)
		}
	}
}

func wantRefusedFirst(t *testing.T, err error) {
	t.Helper()
	if status.Code(err) != codes.InvalidArgument || status.Convert(err).Message() == "" {
		t.Fatalf("%v", err)
	}
}
