package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// parted is a province in which one commune is surely worse: its office has a counter, an official and a procedure.
type parted struct {
	*province
	counter, official, procedure string
	leader                       context.Context // of the worse commune
	today                        string
}

func TestPartsOfFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits half a minute for months to be counted; the long form runs it")
	}
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		p := newParted(t, newProvince(s.admin(), s))
		t.Run("reasons", func(t *testing.T) { testReasons(p.at(t)) })
		t.Run("hours", func(t *testing.T) { testHours(p.at(t)) })
		t.Run("comparison", func(t *testing.T) { testComparison(p.at(t)) })
		t.Run("notes", func(t *testing.T) { testNotes(p.at(t)) })
		t.Run("who may", func(t *testing.T) { testWhoMayReadParts(p.at(t)) })
		t.Run("periods", func(t *testing.T) { testPeriods(p.at(t)) })
		t.Run("facets", func(t *testing.T) { testFacets(p.at(t)) })
	})
}

func (p *parted) at(t *testing.T) *parted {
	other := *p
	other.province = p.province.at(t)
	return &other
}

func newParted(t *testing.T, p *province) *parted {
	t.Helper()
	counter, err := p.directory().CreateCounter(p.admin, &pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: p.office, Code: "1", Name: "Quầy 1: Hộ tịch"}})
	if err != nil {
		t.Fatal(err)
	}
	official, err := p.directory().CreateOfficial(p.admin, &pb.CreateOfficialRequest{Official: &pb.Official{UnitId: p.office, Name: "Trần Thị Bình"}})
	if err != nil {
		t.Fatal(err)
	}
	procedure, err := p.directory().CreateProcedure(p.admin, &pb.CreateProcedureRequest{Procedure: &pb.Procedure{Code: "1.000894", Name: "Đăng ký kết hôn"}})
	if err != nil {
		t.Fatal(err)
	}
	today, _ := localday.Of(time.Now())
	q := &parted{province: p, counter: counter.GetId(), official: official.GetId(), procedure: procedure.GetCode(), today: string(today)}
	var items []*pb.SealedRating
	give := func(n int, unit string, score int32, change func(*pb.Rating)) {
		for range n {
			r := freshRating(unit, score)
			change(r)
			items = append(items, seal(t, r))
		}
	}
	give(100, p.sibling, 5, func(*pb.Rating) {})
	give(3, p.sibling, 1, func(r *pb.Rating) { r.Channel = pb.Channel_CHANNEL_HOTLINE; r.Answers = why("late") })
	give(30, p.office, 1, func(r *pb.Rating) {
		r.CounterId, r.OfficialId, r.ProcedureCode = q.counter, q.official, q.procedure
		r.Answers = why("waiting", "attitude")
	})
	give(10, p.office, 4, func(r *pb.Rating) { r.CounterId, r.OfficialId = q.counter, q.official })
	for _, outcome := range p.submit(p.admin, items...) {
		wantOutcome(t, outcome, stored, "")
	}
	p.summary(p.admin, p.top, uint32(len(items))) //nolint:gosec // a few
	q.leader = p.as("lãnh đạo xã", pb.Role_ROLE_LEADER, p.mine)
	return q
}

func why(choices ...string) []*pb.Answer {
	return []*pb.Answer{{QuestionId: "reasons", ChoiceIds: choices}}
}

func testReasons(p *parted) {
	for name, c := range map[string]struct {
		unit string
		by   context.Context
		want []string
	}{
		"the province": {p.top, p.admin, []string{"attitude 30 of 143", "waiting 30 of 143", "late 3 of 143"}},
		"the commune":  {p.mine, p.leader, []string{"attitude 30 of 40", "waiting 30 of 40"}},
	} {
		p.t.Run(name, func(t *testing.T) {
			got, err := p.analytics().ListReasons(c.by, &pb.ListReasonsRequest{UnitId: c.unit})
			if err != nil {
				t.Fatal(err)
			}
			var reasons []string
			for _, r := range got.GetReasons() {
				reasons = append(reasons, fmt.Sprintf("%s %d of %d", r.GetChoiceId(), r.GetCount(), r.GetShare().GetN()))
			}
			if !slices.Equal(reasons, c.want) || got.GetFreshThrough() == nil || got.GetTo() != p.today {
				t.Errorf("got %q until %s, want %q", reasons, got.GetTo(), c.want)
			}
			first := got.GetReasons()[0]
			if first.GetLabel() != "Attitude of staff" || !strings.HasPrefix(first.GetQuestion(), "What were you") || first.GetQuestionId() != "reasons" {
				t.Errorf("in English: %v", first)
			}
		})
	}
	small, err := p.analytics().ListReasons(p.admin, &pb.ListReasonsRequest{UnitId: p.sibling, Channels: []pb.Channel{pb.Channel_CHANNEL_HOTLINE}})
	if err != nil || len(small.GetReasons()) != 7 {
		p.t.Fatal(small, err)
	}
	for _, r := range small.GetReasons() { // every choice there is, and which of them were taken is not told
		if r.GetCount() != 0 || !r.GetShare().GetSuppressed() || r.GetShare().GetN() != 3 || r.GetShare().GetValue() != 0 || r.GetLabel() == "" {
			p.t.Errorf("of three ratings: %v", r)
		}
	}
	session, err := p.identity().CreateSession(p.t.Context(), &pb.CreateSessionRequest{Name: "lãnh đạo xã", Password: rolePassword})
	if err != nil {
		p.t.Fatal(err)
	}
	code, answer := p.json("GET", "/v1/units/"+p.mine+"/reasons?from="+p.today, session.GetToken(), "")
	if list, _ := answer["reasons"].([]any); code != http.StatusOK || len(list) != 2 {
		p.t.Errorf("JSON: %d %v", code, answer)
	}
}

func testHours(p *parted) {
	got, err := p.analytics().GetHours(p.leader, &pb.GetHoursRequest{UnitId: p.mine})
	if err != nil {
		p.t.Fatal(err)
	}
	now, hour := localday.Of(time.Now())
	var n uint32
	for _, h := range got.GetHours() { // the hour may have turned meanwhile
		n += h.GetN()
		if weekday := int32(now.Start().Weekday()); h.GetWeekday()%7 != weekday || h.GetHour() > int32(hour) || h.GetHour() < int32(hour)-1 { //nolint:gosec // small
			p.t.Errorf("%v at %s, %d o'clock", h, now, hour)
		}
	}
	if n != 40 || len(got.GetHours()) == 1 && got.GetHours()[0].GetDissatisfied().GetValue() != 0.75 {
		p.t.Errorf("hours %v", got.GetHours())
	}
}

func testComparison(p *parted) {
	got, err := p.analytics().ComparePeriods(p.leader, &pb.ComparePeriodsRequest{UnitId: p.mine, From: p.today})
	if err != nil {
		p.t.Fatal(err)
	}
	yesterday := string(localday.Day(p.today).Add(-1))
	if d := got.GetDissatisfiedDifference(); got.GetOther().GetFrom() != yesterday || got.GetOther().GetTo() != yesterday || got.GetPeriod().GetDistribution().GetN() != 40 ||
		d.GetN() != 40 || d.GetValue() != 0 || d.GetLow() != -1 || d.GetHigh() != 1 || d.GetFormula() != "newcombe95" || got.GetDifferentQuestionnaires() {
		p.t.Errorf("against a day without ratings: %v", got)
	}
	_, err = p.analytics().ComparePeriods(p.leader, &pb.ComparePeriodsRequest{UnitId: p.mine, From: p.today, OtherFrom: p.today, OtherTo: p.today})
	wantRefused(p.t, err, codes.InvalidArgument, "analysis_periods_overlap")
}

func testNotes(p *parted) {
	followUp := func(ctx context.Context, from string) *pb.FollowUp {
		got, err := p.analytics().ListFollowUps(ctx, &pb.ListFollowUpsRequest{UnitId: p.top, From: from})
		if err != nil {
			p.t.Fatal(err)
		}
		for _, f := range got.GetFollowUps() {
			if f.GetUnit().GetId() == p.mine {
				return f
			}
		}
		p.t.Fatalf("no follow-up of the worse commune: %v", got)
		return nil
	}
	if notes := followUp(p.admin, "").GetNotes(); len(notes) != 0 {
		p.t.Errorf("before: %v", notes)
	}
	week := string(localday.Day(p.today).Add(-7))
	for i := range 7 {
		note, err := p.analytics().NoteFollowUp(p.leader, &pb.NoteFollowUpRequest{UnitId: p.mine, From: week, To: p.today, Reason: fmt.Sprintf("  đã nắm, lần %d ", i)})
		if err != nil {
			p.t.Fatal(err)
		}
		if note.GetId() == "" || note.GetNotedBy() != "lãnh đạo xã" || note.GetReason() != fmt.Sprintf("đã nắm, lần %d", i) || note.GetNotedAt() == nil || note.GetUnitId() != p.mine {
			p.t.Errorf("noted %v", note)
		}
		time.Sleep(2 * time.Millisecond) // times are kept to the millisecond, and tell which is newest
	}
	earlier := string(localday.Day(p.today).Add(-9))
	if _, err := p.analytics().NoteFollowUp(p.leader, &pb.NoteFollowUpRequest{UnitId: p.mine, From: earlier, To: earlier, Reason: "trước đó"}); err != nil {
		p.t.Fatal(err)
	}
	tell := func(f *pb.FollowUp) (reasons []string) {
		for _, note := range f.GetNotes() {
			reasons = append(reasons, strings.TrimPrefix(note.GetReason(), "đã nắm, lần "))
		}
		return reasons
	}
	if got := tell(followUp(p.admin, "")); !slices.Equal(got, []string{"trước đó", "6", "5", "4", "3"}) {
		p.t.Errorf("over a month: %q", got)
	}
	if got := tell(followUp(p.admin, p.today)); !slices.Equal(got, []string{"6", "5", "4", "3", "2"}) {
		p.t.Errorf("today: %q", got)
	}
	for name, c := range map[string]struct {
		request *pb.NoteFollowUpRequest
		reason  string
	}{
		"blank":    {&pb.NoteFollowUpRequest{UnitId: p.mine, From: week, To: p.today, Reason: "   "}, "followup_reason_invalid"},
		"reversed": {&pb.NoteFollowUpRequest{UnitId: p.mine, From: p.today, To: week, Reason: "x"}, "followup_period_reversed"},
		"future":   {&pb.NoteFollowUpRequest{UnitId: p.mine, From: "2990-01-01", To: "2990-01-02", Reason: "x"}, "followup_period_future"},
		"no day":   {&pb.NoteFollowUpRequest{UnitId: p.mine, From: "2026-02-30", To: "2026-03-02", Reason: "x"}, "followup_day_invalid"},
	} {
		p.t.Run(name, func(t *testing.T) {
			_, err := p.analytics().NoteFollowUp(p.leader, c.request)
			wantRefused(t, err, codes.InvalidArgument, c.reason)
		})
	}
	_, err := p.analytics().NoteFollowUp(p.admin, &pb.NoteFollowUpRequest{UnitId: "khong-co", From: week, To: p.today, Reason: "x"})
	wantRefused(p.t, err, codes.NotFound, "unit_unknown")
}

// parts makes every call that answers parts of a unit's figures.
func (p *parted) parts(ctx context.Context, unit string) map[string]error {
	errs := map[string]error{}
	_, errs["reasons"] = p.analytics().ListReasons(ctx, &pb.ListReasonsRequest{UnitId: unit})
	_, errs["hours"] = p.analytics().GetHours(ctx, &pb.GetHoursRequest{UnitId: unit})
	_, errs["comparison"] = p.analytics().ComparePeriods(ctx, &pb.ComparePeriodsRequest{UnitId: unit})
	for _, kind := range []pb.FacetKind{pb.FacetKind_FACET_KIND_COUNTER, pb.FacetKind_FACET_KIND_PROCEDURE, pb.FacetKind_FACET_KIND_QUESTION, pb.FacetKind_FACET_KIND_OFFICIAL} {
		_, errs[kind.String()] = p.analytics().ListFacets(ctx, &pb.ListFacetsRequest{UnitId: unit, Kind: kind})
	}
	_, errs["note"] = p.analytics().NoteFollowUp(ctx, &pb.NoteFollowUpRequest{UnitId: unit, From: p.today, To: p.today, Reason: "đã nắm"})
	return errs
}

func testWhoMayReadParts(p *parted) {
	for _, unit := range []string{p.mine, p.office} {
		for call, err := range p.parts(p.leader, unit) {
			if err != nil {
				p.t.Errorf("%s of its own: %v", call, err)
			}
		}
	}
	for name, unit := range map[string]string{"a sibling": p.sibling, "above": p.top, "no unit": "khong-co"} {
		for call, err := range p.parts(p.leader, unit) {
			p.t.Run(name+", "+call, func(t *testing.T) { wantRefused(t, err, codes.NotFound, "unit_unknown") })
		}
	}
	official := p.as("cán bộ một cửa", pb.Role_ROLE_OFFICIAL, p.office)
	for call, err := range p.parts(official, p.office) {
		if call == "note" || call == pb.FacetKind_FACET_KIND_OFFICIAL.String() {
			p.t.Run("an official, "+call, func(t *testing.T) { wantRefused(t, err, codes.PermissionDenied, "action_denied") })
		} else if err != nil {
			p.t.Errorf("an official, %s: %v", call, err)
		}
	}
	operator := p.as("trực tổng đài", pb.Role_ROLE_OPERATOR, p.mine) // may read officials, and no figures
	for call, err := range p.parts(operator, p.office) {
		p.t.Run("an operator, "+call, func(t *testing.T) { wantRefused(t, err, codes.PermissionDenied, "action_denied") })
	}
	for call, err := range p.parts(p.t.Context(), p.office) {
		p.t.Run("nobody, "+call, func(t *testing.T) { wantRefused(t, err, codes.Unauthenticated, "sign_in_needed") })
	}
}

func testPeriods(p *parted) {
	ask := func(unit, from, to string) map[string]error {
		errs := map[string]error{}
		reasons, err := p.analytics().ListReasons(p.leader, &pb.ListReasonsRequest{UnitId: unit, From: from, To: to})
		errs["reasons"] = err
		hours, err := p.analytics().GetHours(p.leader, &pb.GetHoursRequest{UnitId: unit, From: from, To: to})
		errs["hours"] = err
		facets, err := p.analytics().ListFacets(p.leader, &pb.ListFacetsRequest{UnitId: unit, From: from, To: to, Kind: pb.FacetKind_FACET_KIND_COUNTER})
		errs["facets"] = err
		comparison, err := p.analytics().ComparePeriods(p.leader, &pb.ComparePeriodsRequest{UnitId: unit, From: from, To: to})
		errs["comparison"] = err
		if from != "" && from > p.today && len(reasons.GetReasons())+len(hours.GetHours())+len(facets.GetFacets()) > 0 {
			p.t.Errorf("the future has figures: %v %v %v", reasons, hours, facets)
		}
		if from != "" && from > p.today && comparison.GetPeriod().GetDistribution().GetN() > 0 {
			p.t.Errorf("the future has ratings: %v", comparison)
		}
		return errs
	}
	for name, c := range map[string]struct{ unit, from, to, reason string }{
		"future":         {p.mine, "2990-01-01", "2990-12-31", ""},
		"one day":        {p.mine, p.today, p.today, ""},
		"ten years":      {p.mine, string(localday.Day(p.today).Add(-3650)), p.today, ""},
		"a unit without": {p.unitWithout(), "", "", ""},
		"reversed":       {p.mine, p.today, string(localday.Day(p.today).Add(-1)), "period_reversed"},
		"not a day":      {p.mine, "hôm nay", "", "period_day_invalid"},
		"thirty years":   {p.mine, string(localday.Day(p.today).Add(-11_000)), "", "period_too_long"},
	} {
		for call, err := range ask(c.unit, c.from, c.to) {
			p.t.Run(name+", "+call, func(t *testing.T) {
				if c.reason != "" {
					wantRefused(t, err, codes.InvalidArgument, c.reason)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// unitWithout is a unit below the commune that nobody rated.
func (p *parted) unitWithout() string {
	return p.unit(p.admin, p.mine, "Tổ chưa có phiếu")
}

func testFacets(p *parted) {
	list := func(ctx context.Context, unit string, kind pb.FacetKind) *pb.ListFacetsResponse {
		got, err := p.analytics().ListFacets(ctx, &pb.ListFacetsRequest{UnitId: unit, Kind: kind, From: p.today})
		if err != nil {
			p.t.Fatal(err)
		}
		return got
	}
	for deadline := time.Now().Add(time.Minute); len(list(p.admin, p.top, pb.FacetKind_FACET_KIND_COUNTER).GetFacets()) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatal("facets were not folded within a minute")
		}
	}
	for name, c := range map[string]struct {
		kind           pb.FacetKind
		id, name, unit string
		counts         string
	}{
		"counters":   {pb.FacetKind_FACET_KIND_COUNTER, p.counter, "Quầy 1: Hộ tịch", p.office, "[30 0 0 10 0]"},
		"officials":  {pb.FacetKind_FACET_KIND_OFFICIAL, p.official, "Trần Thị Bình", p.office, "[30 0 0 10 0]"},
		"procedures": {pb.FacetKind_FACET_KIND_PROCEDURE, p.procedure, "Đăng ký kết hôn", "", "[30 0 0 0 0]"},
	} {
		p.t.Run(name, func(t *testing.T) {
			got := list(p.leader, p.mine, c.kind)
			month := localday.Day(p.today).Month()
			if len(got.GetFacets()) != 1 || got.GetFrom() != month+"-01" || !strings.HasPrefix(got.GetTo(), month) || got.GetFreshThrough() == nil {
				t.Fatal(got)
			}
			f := got.GetFacets()[0]
			if f.GetId() != c.id || f.GetName() != c.name || f.GetUnitId() != c.unit || fmt.Sprint(f.GetDistribution().GetCounts()) != c.counts {
				t.Errorf("got %v", f)
			}
		})
	}
	if got := list(p.admin, p.sibling, pb.FacetKind_FACET_KIND_COUNTER); len(got.GetFacets()) != 0 {
		p.t.Errorf("of another commune: %v", got)
	}
	_, err := p.analytics().ListFacets(p.leader, &pb.ListFacetsRequest{UnitId: p.mine})
	if err == nil {
		p.t.Error("no kind was asked for, and one answered")
	}
}
