package server

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s *running) caseRules() pb.CaseRulesServiceClient { return pb.NewCaseRulesServiceClient(s.conn) }

func TestCaseRules(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		p := newProvince(s.admin(), s)
		mine := p.as("quản trị xã", pb.Role_ROLE_ADMINISTRATOR, p.mine)
		leader := p.as("lãnh đạo", pb.Role_ROLE_LEADER, p.mine)
		inspector := p.as("thanh tra", pb.Role_ROLE_INSPECTOR, p.top)
		t.Run("rules", func(t *testing.T) { testRules(callers{mine, leader, inspector}, p.at(t)) })
		t.Run("stand-ins", func(t *testing.T) { testStandIns(callers{mine, leader, inspector}, p.at(t)) })
		t.Run("a rating becomes a case", func(t *testing.T) { testRatingBecomesCase(callers{mine, leader, inspector}, p.at(t)) })
	})
}

// callers are an administrator and a leader of a commune, and an inspector of its province.
type callers struct{ mine, leader, inspector context.Context }

func testRules(c callers, p *province) {
	mine, leader, inspector := c.mine, c.leader, c.inspector
	t, rules := p.t, p.caseRules()
	table, err := rules.GetDeadlineRules(leader, &pb.GetDeadlineRulesRequest{UnitId: p.office})
	if err != nil || !table.GetOrigin().GetProductDefault() || len(table.GetRules()) < 10 || table.GetRules()[0].GetDays() == 0 || table.GetVersion() != "0" {
		t.Fatalf("%v, %v", table, err)
	}
	other := strings.Replace(table.GetYaml(), "days: 5", "days: 6", 1)
	for name, c := range map[string]struct {
		who    context.Context
		unit   string
		code   codes.Code
		reason string
	}{
		"a leader":                           {leader, p.mine, codes.PermissionDenied, "action_denied"},
		"an inspector":                       {inspector, p.mine, codes.PermissionDenied, "action_denied"},
		"of a unit beside":                   {mine, p.sibling, codes.NotFound, "unit_unknown"},
		"of the unit above":                  {mine, p.top, codes.NotFound, "unit_unknown"},
		"of everything, by one of a commune": {mine, "", codes.NotFound, "unit_unknown"},
		"of a unit that is nowhere":          {p.admin, "khong-co", codes.NotFound, "unit_unknown"},
	} {
		_, err := rules.SaveDeadlineRules(c.who, &pb.SaveDeadlineRulesRequest{UnitId: c.unit, Yaml: other})
		t.Run("deadlines by or "+name, func(t *testing.T) { wantRefused(t, err, c.code, c.reason) })
		_, err = rules.SaveOpeningRule(c.who, &pb.SaveOpeningRuleRequest{UnitId: c.unit})
		t.Run("opening by or "+name, func(t *testing.T) { wantRefused(t, err, c.code, c.reason) })
	}
	_, err = rules.GetOpeningRule(leader, &pb.GetOpeningRuleRequest{UnitId: p.sibling})
	wantRefused(t, err, codes.NotFound, "unit_unknown")

	bad := strings.Replace(strings.Replace(other, "count: working", "count: hours", 1), "id: verdict", "id: Verdict", 1)
	_, err = rules.SaveDeadlineRules(mine, &pb.SaveDeadlineRulesRequest{UnitId: p.mine, Yaml: bad, CheckOnly: true})
	wantRefusedFirst(t, err)
	var lines []string
	for _, detail := range status.Convert(err).Details() {
		if all, ok := detail.(*errdetails.BadRequest); ok {
			for _, one := range all.GetFieldViolations() {
				lines = append(lines, one.GetReason())
			}
		}
	}
	if !slices.Equal(lines, []string{"deadline_field_count", "deadline_field_id"}) {
		t.Errorf("all faults are told: %q", lines)
	}
	checked, err := rules.SaveDeadlineRules(mine, &pb.SaveDeadlineRulesRequest{UnitId: p.mine, Yaml: other, CheckOnly: true})
	if err != nil || checked.GetYaml() != other || checked.GetVersion() != "0" {
		t.Errorf("checked only: %v, %v", checked, err)
	}
	saved, err := rules.SaveDeadlineRules(mine, &pb.SaveDeadlineRulesRequest{UnitId: p.mine, Yaml: other, Version: "0"})
	if err != nil || !saved.GetOrigin().GetOwn() || saved.GetOrigin().GetDecidedBy() != "quản trị xã" {
		t.Fatalf("%v, %v", saved, err)
	}
	_, err = rules.SaveDeadlineRules(p.admin, &pb.SaveDeadlineRulesRequest{UnitId: p.mine, Yaml: table.GetYaml(), Version: "0"})
	wantRefused(t, err, codes.Aborted, "office_rules_changed")
	below, err := rules.GetDeadlineRules(leader, &pb.GetDeadlineRulesRequest{UnitId: p.office})
	if err != nil || below.GetOrigin().GetUnitId() != p.mine || below.GetOrigin().GetOwn() || below.GetYaml() != other {
		t.Errorf("below it holds too: %v, %v", below.GetOrigin(), err)
	}
	rule := &pb.OpeningRule{Scores: []int32{1}, Channels: []pb.Channel{pb.Channel_CHANNEL_PAPER}, With: "any", RegisterUnitId: p.sibling, EraseContactsAfterDays: 30, CopiedPercent: 50}
	_, err = rules.SaveOpeningRule(mine, &pb.SaveOpeningRuleRequest{UnitId: p.mine, Rule: rule})
	wantRefused(t, err, codes.InvalidArgument, "office_opening_register")
	rule.RegisterUnitId = p.office
	kept, err := rules.SaveOpeningRule(mine, &pb.SaveOpeningRuleRequest{UnitId: p.mine, Rule: rule})
	if err != nil || kept.GetRegisterUnitName() != "Bộ phận một cửa" || kept.GetWith() != "any" {
		t.Errorf("%v, %v", kept, err)
	}
	_, err = rules.ListRuleChanges(leader, &pb.ListRuleChangesRequest{})
	wantRefused(t, err, codes.PermissionDenied, "action_denied")
	for name, who := range map[string]context.Context{"inspector": inspector, "administrator": mine} {
		log, err := rules.ListRuleChanges(who, &pb.ListRuleChangesRequest{})
		if err != nil || len(log.GetChanges()) != 2 || log.GetChanges()[0].GetOpeningAfter().GetWith() != "any" || log.GetChanges()[1].GetDeadlinesAfter() != other || log.GetChanges()[1].GetDeadlinesBefore() != "" {
			t.Errorf("%s reads %v, %v", name, log, err)
		}
	}
	if log, err := rules.ListRuleChanges(inspector, &pb.ListRuleChangesRequest{UnitId: p.sibling}); err != nil || len(log.GetChanges()) != 0 {
		t.Errorf("of a unit beside %v, %v", log, err)
	}
}

func testStandIns(c callers, p *province) {
	mine, leader, inspector := c.mine, c.leader, c.inspector
	t, rules := p.t, p.caseRules()
	p.as("phó chủ tịch", pb.Role_ROLE_LEADER, p.mine)
	colleague := p.as("trưởng phòng", pb.Role_ROLE_HEAD, p.office)
	beside := p.as("chủ tịch xã bên", pb.Role_ROLE_LEADER, p.sibling)
	p.as("tỉnh khác", pb.Role_ROLE_LEADER, p.unit(p.admin, "", "Tỉnh Khác"))
	today, _ := localday.Of(time.Now())
	ask := func(account, deputy string, from, to localday.Day) *pb.SetStandInRequest {
		return &pb.SetStandInRequest{AccountName: account, DeputyName: deputy, From: string(from), To: string(to), Reason: "nghỉ phép"}
	}
	for name, c := range map[string]struct {
		who    context.Context
		ask    *pb.SetStandInRequest
		code   codes.Code
		reason string
	}{
		"for another":            {leader, ask("trưởng phòng", "phó chủ tịch", today, today), codes.PermissionDenied, "office_standin_other"},
		"for oneself":            {leader, ask("", "lãnh đạo", today, today), codes.InvalidArgument, "office_standin_self"},
		"by nobody":              {leader, ask("", "không có ai", today, today), codes.InvalidArgument, "office_standin_account"},
		"by somebody elsewhere":  {leader, ask("", "tỉnh khác", today, today), codes.InvalidArgument, "office_standin_account"},
		"by an administrator":    {leader, ask("", "quản trị xã", today, today), codes.InvalidArgument, "office_standin_role"},
		"for an inspector":       {inspector, ask("", "lãnh đạo", today, today), codes.InvalidArgument, "office_standin_role"},
		"for a colleague beside": {mine, ask("chủ tịch xã bên", "lãnh đạo", today, today), codes.InvalidArgument, "office_standin_account"},
		"by a colleague beside":  {mine, ask("lãnh đạo", "chủ tịch xã bên", today, today), codes.InvalidArgument, "office_standin_account"},
		"yesterday":              {leader, ask("", "phó chủ tịch", today.Add(-1), today), codes.InvalidArgument, "office_standin_past"},
	} {
		_, err := rules.SetStandIn(c.who, c.ask)
		t.Run(name, func(t *testing.T) { wantRefused(t, err, c.code, c.reason) })
	}
	own, err := rules.SetStandIn(leader, ask("", "phó chủ tịch", today, today.Add(3)))
	if err != nil || !own.GetHoldsToday() || !own.GetMayEnd() || own.GetMadeBy() != "lãnh đạo" {
		t.Fatalf("%v, %v", own, err)
	}
	_, err = rules.SetStandIn(mine, ask("lãnh đạo", "trưởng phòng", today.Add(3), today.Add(4)))
	wantRefused(t, err, codes.AlreadyExists, "office_standin_overlap")
	made, err := rules.SetStandIn(mine, ask("lãnh đạo", "trưởng phòng", today.Add(4), today.Add(4)))
	if err != nil || made.GetHoldsToday() {
		t.Fatalf("%v, %v", made, err)
	}
	for name, c := range map[string]struct {
		who  context.Context
		all  bool
		want int
	}{
		"the one on leave": {leader, false, 2}, "the one who stands in": {colleague, false, 1}, "somebody else": {beside, false, 0},
		"an administrator": {mine, true, 2}, "an inspector": {inspector, true, 2},
	} {
		if list, err := rules.ListStandIns(c.who, &pb.ListStandInsRequest{All: c.all}); err != nil || len(list.GetStandIns()) != c.want {
			t.Errorf("%s sees %v, %v", name, list, err)
		}
	}
	_, err = rules.ListStandIns(leader, &pb.ListStandInsRequest{All: true})
	wantRefused(t, err, codes.PermissionDenied, "action_denied")
	_, err = rules.EndStandIn(beside, &pb.EndStandInRequest{StandInId: own.GetId()})
	wantRefused(t, err, codes.NotFound, "office_standin_unknown")
	_, err = rules.EndStandIn(inspector, &pb.EndStandInRequest{StandInId: own.GetId()})
	wantRefused(t, err, codes.NotFound, "office_standin_unknown")
	for name, c := range map[string]struct {
		who context.Context
		id  string
	}{"the one who stands in": {colleague, made.GetId()}, "an administrator": {mine, own.GetId()}} {
		if ended, err := rules.EndStandIn(c.who, &pb.EndStandInRequest{StandInId: c.id}); err != nil || ended.GetHoldsToday() || ended.GetMayEnd() || ended.GetEndedBy() == "" {
			t.Errorf("%s: %v, %v", name, ended, err)
		}
	}
}

func testRatingBecomesCase(c callers, p *province) {
	mine, leader := c.mine, c.leader
	t := p.t
	// The commune keeps one register, and takes up bare taps on paper of score 1.
	for _, one := range []struct {
		score   int32
		private *pb.Private
	}{{1, nil}, {2, nil}, {5, &pb.Private{Comment: "Cảm ơn"}}} {
		r := freshRating(p.office, one.score)
		if outcome, err := p.ratings().CreateRating(p.admin, &pb.CreateRatingRequest{Rating: r, Private: one.private}); err != nil || outcome.GetOutcome() != stored {
			t.Fatalf("%v, %v", outcome, err)
		}
	}
	if _, err := p.caseRules().SaveOpeningRule(mine, &pb.SaveOpeningRuleRequest{UnitId: p.mine}); err != nil { // the default again
		t.Fatal(err)
	}
	r := freshRating(p.office, 2)
	r.Channel = pb.Channel_CHANNEL_HOTLINE
	private := &pb.Private{Comment: "Chờ hai giờ\x07", ConsentVersion: "1", Contact: &pb.Contact{Name: "Trần Văn Bình", Phone: "số nhà bên cạnh", CallBack: true}}
	if outcome, err := p.ratings().CreateRating(p.admin, &pb.CreateRatingRequest{Rating: r, Private: private}); err != nil || outcome.GetOutcome() != stored {
		t.Fatalf("%v, %v", outcome, err)
	}
	var list *pb.ListCasesResponse
	for {
		var err error
		if list, err = p.cases().ListCases(leader, &pb.ListCasesRequest{}); err != nil {
			t.Fatal(err)
		}
		if len(list.GetCases()) >= 2 {
			break
		}
		select {
		case <-t.Context().Done():
			t.Fatal("it never came")
		case <-time.After(5 * time.Millisecond):
		}
	}
	var sources []string
	for _, c := range list.GetCases() {
		sources = append(sources, c.GetSource()+" of "+strings.Join(c.GetRatingIds(), " "))
		switch c.GetSource() {
		case "slip":
			if c.GetReceivingUnitId() != p.office || c.GetAboutUnitId() != p.office {
				t.Errorf("%v", c)
			}
		case "call":
			if !strings.HasSuffix(strings.Join(c.GetRatingIds(), ""), r.GetId()) || !strings.Contains(c.GetTitle(), "Không hài lòng") {
				t.Errorf("%v", c)
			}
		}
	}
	if len(sources) != 2 || !strings.HasPrefix(slices.Min(sources), "call of ") || !strings.HasPrefix(slices.Max(sources), "slip of ") {
		t.Errorf("cases %q", sources)
	}
	if code, _ := p.json(http.MethodGet, "/v1/case-rules/opening?unit_id="+p.mine, "", ""); code != http.StatusUnauthorized {
		t.Errorf("without a session %d", code)
	}
}
