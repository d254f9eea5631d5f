package server

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// caseNumber is a place in the register as people read it: with the unit's official code, or where it has none its id.
func (a *application) caseNumber(n casework.Number) *pb.CaseNumber {
	if n == (casework.Number{}) {
		return nil
	}
	return &pb.CaseNumber{UnitId: n.Unit, Year: int32(n.Year), N: int32(n.N), Shown: a.shownNumber(n)} //nolint:gosec // both are bounded far below
}

func (a *application) shownNumber(n casework.Number) string {
	code := n.Unit
	if u, ok := a.directory.Tree().Get(n.Unit); ok {
		code = cmp.Or(u.Near(a.directory.Tree().Today()).Code, n.Unit)
	}
	return n.Shown(code)
}

// caseProto is a case as the contract has it.
func (a *application) caseProto(ctx context.Context, c casebook.Kept) *pb.Case {
	out := &pb.Case{
		Id: c.ID, Version: int64(c.Version), Number: a.caseNumber(c.Number), Code: string(c.Code), Source: string(c.Source), State: string(c.State), Title: c.Title,
		ReceivingUnitId: c.Receiving, AboutUnitId: c.About, AssignedUnitId: c.Assigned, OfficialIds: c.Case.About, AskedOfficialIds: c.Asked, RatingIds: c.Attached,
		Collective: scopeProto(c.Collective), Finding: string(c.Finding), Returns: int32(c.Returns), Reopened: c.Reopened, MergedInto: c.MergedInto, //nolint:gosec // at most casework.MaxReturns
		OpenedAt: timestamp(c.OpenedAt), ChangedAt: timestamp(c.ChangedAt), ProcedureCode: c.Procedure, DossierCode: c.Dossier, CallId: c.Call, ResultMissing: c.ResultMissing(),
		Names: &pb.CaseUnitNames{Receiving: a.unitName(c.Receiving), About: a.unitName(c.About), Assigned: a.unitName(c.Assigned)},
	}
	if c.Route.Kind != "" {
		out.Route = routeProto(c.Route)
	}
	out.Clocks = a.clocks(ctx, c.Clocks)
	a.veil(callerOf(ctx), c.Case, out)
	return out
}

// unitLevel tells whether a caller works at the place that is rated: who sees opinions, never who gave them nor when to the minute.
func unitLevel(caller identity.Caller) bool {
	return caller.Role == pb.Role_ROLE_OFFICIAL || caller.Role == pb.Role_ROLE_HEAD
}

// veilsTime tells whether a caller learns only the day of what was said when a case was opened.
func veilsTime(caller identity.Caller, c casework.Case) bool {
	return unitLevel(caller) && len(c.Attached) > 0
}

// holdsCode tells whether a caller may know the citizen's code. Whoever holds it speaks for the citizen on the public page, so at the place
// that is rated only a head who took the opinion down does, to tell it.
func holdsCode(caller identity.Caller, c casework.Case) bool {
	return !unitLevel(caller) || caller.Role == pb.Role_ROLE_HEAD && len(c.History) > 0 && c.History[0].By.Account == caller.AccountID
}

// veil leaves only the day of a case that a rating opened seconds after it was given, and names its ratings by names that mean nothing
// elsewhere, for callers at the place that is rated. They do not hold the citizen's code either.
func (a *application) veil(caller identity.Caller, c casework.Case, out *pb.Case) {
	if !unitLevel(caller) {
		return
	}
	if !holdsCode(caller, c) {
		out.Code = ""
	}
	name := a.ratingList.Opaque(caller)
	out.RatingIds = nil
	for _, id := range c.Attached {
		out.RatingIds = append(out.RatingIds, name(id))
	}
	if len(c.Attached) == 0 {
		return
	}
	out.OpenedAt = timestamp(dayOnly(c.OpenedAt))
	if len(c.History) == 1 {
		out.ChangedAt = out.OpenedAt
	}
}

// dayOnly is the beginning of the local day of an instant.
func dayOnly(at time.Time) time.Time {
	day, _ := localday.Of(at)
	return day.Start()
}

// clocks are those that run, the most urgent first; those that stand still last.
func (a *application) clocks(ctx context.Context, all []casework.Clock) []*pb.CaseClock {
	hours := a.officeHours(ctx)
	today, in := a.directory.Tree().Today(), languageOf(ctx)
	var out []*pb.CaseClock
	for _, clock := range all {
		if !clock.Running() {
			continue
		}
		one := &pb.CaseClock{
			Name: clock.Name, StartedOn: string(clock.Start), Count: string(clock.Term.Count), Suspended: clock.Suspended(), Extended: clock.Extended(),
			Days: int32(clock.Term.Days + clock.Extension.Days), Escalated: int32(clock.Escalated), //nolint:gosec // at most deadline.MaxDays
		}
		due, err := clock.Due(hours)
		if err == nil {
			err = due.Warning()
		}
		if err != nil {
			one.Warning = faultWords(in, err)
		}
		if due.Day != "" {
			late := today > due.Day && clock.Name != casework.ClockVerdict // there the citizen is waited for
			one.DueOn, one.Late = string(due.Day), late
			one.Left = int32(left(hours, today, due.Day, clock.Term.Count)) //nolint:gosec // days between two days
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b *pb.CaseClock) int {
		if (a.GetDueOn() == "") != (b.GetDueOn() == "") {
			return -cmp.Compare(a.GetDueOn(), b.GetDueOn())
		}
		return cmp.Compare(a.GetDueOn(), b.GetDueOn())
	})
	return out
}

// left counts the days left as the clock counts them; negative where it is late.
func left(hours officehours.Hours, today, due localday.Day, count deadline.Count) int {
	if today > due {
		return -deadline.Between(hours, due, today, count)
	}
	return deadline.Between(hours, today, due, count)
}

// faultWords are the words of an error for a person.
func faultWords(in language.Language, err error) string {
	of := fault.Of(err)
	return in.Text("fault."+of.Reason, of.Args...)
}

func scopeProto(s *casework.Scope) *pb.CaseScope {
	if s == nil {
		return nil
	}
	return &pb.CaseScope{UnitId: s.Unit, From: string(s.From), To: string(s.To), Reason: s.Reason, OfficialId: s.Official}
}

func scopeOf(s *pb.CaseScope) *casework.Scope {
	if s == nil {
		return nil
	}
	return &casework.Scope{Unit: s.GetUnitId(), From: localday.Day(s.GetFrom()), To: localday.Day(s.GetTo()), Reason: s.GetReason(), Official: s.GetOfficialId()}
}

func routeProto(r casework.Route) *pb.CaseRoute {
	return &pb.CaseRoute{Kind: string(r.Kind), To: r.To, HandedOver: r.HandedOver, TakenUp: r.TakenUp}
}

func explanationProto(x *casework.Explanation) *pb.Explanation {
	if x == nil {
		return nil
	}
	out := &pb.Explanation{
		Cause: string(x.Cause), Analysis: x.Analysis, Remedy: x.Remedy, ResponsibleIds: x.Responsible, Together: x.Together,
		Apology: string(x.Apology), Finding: string(x.Finding),
	}
	for _, file := range x.Attachments {
		out.Attachments = append(out.Attachments, attachmentProto(file))
	}
	return out
}

func explanationOf(x *pb.Explanation) *casework.Explanation {
	if x == nil {
		return nil
	}
	out := &casework.Explanation{
		Cause: casework.Cause(x.GetCause()), Analysis: x.GetAnalysis(), Remedy: x.GetRemedy(), Responsible: x.GetResponsibleIds(), Together: x.GetTogether(),
		Apology: casework.Apology(x.GetApology()), Finding: casework.Finding(x.GetFinding()),
	}
	for _, file := range x.GetAttachments() {
		out.Attachments = append(out.Attachments, casework.Attachment{ID: file.GetId(), Name: file.GetName(), Type: file.GetType(), Size: file.GetSize()})
	}
	return out
}

func attachmentProto(file casework.Attachment) *pb.Attachment {
	return &pb.Attachment{Id: file.ID, Name: file.Name, Type: file.Type, Size: file.Size}
}

// eventOf reads an event but for the case it is to be merged into, which must be looked up.
func eventOf(e *pb.CaseEvent) casework.Event {
	out := casework.Event{
		Name: casework.Name(e.GetName()), Unit: e.GetUnitId(), Officials: e.GetOfficialIds(), Reason: e.GetReason(), Explanation: explanationOf(e.GetExplanation()),
		Finding: casework.Finding(e.GetFinding()), Text: e.GetText(), Document: e.GetDocument(), Ratings: e.GetRatingIds(), Clock: e.GetClock(), Days: int(e.GetDays()),
		Route: casework.Route{Kind: casework.RouteKind(e.GetRoute().GetKind()), To: e.GetRoute().GetTo()},
	}
	for _, reason := range e.GetReasons() {
		out.Reasons = append(out.Reasons, casework.Reason(reason))
	}
	return out
}

// history is what happened to a case, with what people are called today.
func (s caseService) history(ctx context.Context, c casework.Case) []*pb.CaseEntry {
	called := s.called(ctx)
	var out []*pb.CaseEntry
	veiled := veilsTime(callerOf(ctx), c)
	name := s.ratingList.Opaque(callerOf(ctx))
	for i, e := range c.History {
		ev := e.Event
		entry := &pb.CaseEntry{
			At: timestamp(e.At), By: called(e.By.Account), Role: string(e.By.Role), StandingInFor: called(e.By.For), AccountId: e.By.Account, From: string(e.From), To: string(e.To),
			Event: string(ev.Name), UnitId: e.Unit, NewUnitId: ev.Unit, OfficialIds: ev.Officials, Reason: ev.Reason, Finding: string(ev.Finding), Text: ev.Text,
			Document: ev.Document, MergedInto: ev.Into.ID, RatingIds: ev.Ratings, Clock: ev.Clock, Days: int32(ev.Days), //nolint:gosec // at most deadline.MaxDays
			Explanation: explanationProto(ev.Explanation), HasWords: ev.Private != "",
		}
		if ev.Route.Kind != "" {
			entry.Route = routeProto(ev.Route)
		}
		if veiled && (i == 0 || len(ev.Ratings) > 0) {
			entry.At, entry.RatingIds = timestamp(dayOnly(e.At)), nil
			for _, id := range ev.Ratings {
				entry.RatingIds = append(entry.RatingIds, name(id))
			}
		}
		for _, reason := range ev.Reasons {
			entry.Reasons = append(entry.Reasons, string(reason))
		}
		out = append(out, entry)
	}
	return out
}

// called answers what accounts are called, each looked up once.
func (s caseService) called(ctx context.Context) func(account string) string {
	known := map[string]string{"": ""}
	return func(id string) string {
		name, ok := known[id]
		if !ok {
			if account, err := s.accounts.Known(ctx, id); err == nil {
				name = account.Called()
			}
			known[id] = name
		}
		return name
	}
}
