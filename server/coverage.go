package server

import (
	"cmp"
	"context"
	"iter"
	"time"

	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/casework/coverage"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// openCoverage opens what says how far dissatisfied ratings are answered. It reads the figures' strips and the book of cases.
func (a *application) openCoverage(ctx context.Context) (err error) {
	a.coverage, err = coverage.Open(ctx, a.engine, coverage.Options{
		Strips: a.analysis.Strips, Units: a.directory, Forms: a.directory, Cases: coveredBy{a.casebook}, Now: a.Clock, Logger: a.Logger,
	})
	return err
}

// coveredBy is the book of cases as coverage asks it.
type coveredBy struct{ book *casebook.Book }

func (c coveredBy) Changed(ctx context.Context, since time.Time) iter.Seq2[coverage.Case, error] {
	return func(yield func(coverage.Case, error) bool) {
		for kept, err := range c.book.Changed(ctx, since) {
			if !yield(coverage.Case{Case: kept.Case(), About: kept.About}, err) || err != nil {
				return
			}
		}
	}
}

func (c coveredBy) Get(ctx context.Context, id string) (coverage.Case, bool, error) {
	kept, err := c.book.Get(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return coverage.Case{}, false, nil
	}
	return coverage.Case{Case: kept.Case, About: kept.About}, true, err
}

// coverageService says how far dissatisfied ratings are answered.
type coverageService struct {
	pb.UnimplementedCoverageServiceServer
	*application
}

// may checks an action within the caller's subtree; a unit outside is not there.
func (s coverageService) may(ctx context.Context, action identity.Action, unitID string) error {
	caller := callerOf(ctx)
	if err := caller.Check(action); err != nil {
		return err
	}
	if _, there := s.directory.Tree().Get(unitID); !there || !s.within(unitID, identity.Scope(caller)) {
		return fault.New(fault.NotFound, "unit_unknown", "unit", unitID)
	}
	return nil
}

func (s coverageService) GetCoverage(ctx context.Context, request *pb.GetCoverageRequest) (*pb.GetCoverageResponse, error) {
	if err := s.may(ctx, identity.ReadCoverage, request.GetUnitId()); err != nil {
		return nil, err
	}
	period, err := s.coverage.Period(request.GetFrom(), request.GetTo())
	if err != nil {
		return nil, err
	}
	answer, err := s.coverage.Of(ctx, request.GetUnitId(), period)
	if err != nil {
		return nil, err
	}
	if !callerOf(ctx).May(identity.ReadRatings) {
		answer = answer.Withhold()
	}
	response := &pb.GetCoverageResponse{Coverage: coverageProto(answer.Coverage, answer.Withheld), From: string(period.From), To: string(period.To)}
	if request.GetWithoutChildren() {
		return response, nil
	}
	today := s.directory.Tree().Today()
	for _, child := range answer.Children {
		response.Children = append(response.Children, &pb.UnitCoverage{Unit: child.Unit.Proto(today), Coverage: coverageProto(child.Coverage, child.Withheld)})
	}
	return response, nil
}

func coverageProto(c casework.Coverage, withheld bool) *pb.Coverage {
	share, _ := c.Share()
	n := func(count int) uint32 { return uint32(max(count, 0)) } //nolint:gosec // a count
	return &pb.Coverage{All: n(c.All), Answered: n(c.Answered), InHand: n(c.InHand), Noted: n(c.Noted), SetAside: n(c.SetAside), Untouched: n(c.Untouched), Share: share, Suppressed: withheld}
}

func (s coverageService) ListUncoveredPiles(ctx context.Context, request *pb.ListUncoveredPilesRequest) (*pb.ListUncoveredPilesResponse, error) {
	if err := s.may(ctx, identity.ReadCoverage, request.GetUnitId()); err != nil {
		return nil, err
	}
	period, err := s.coverage.Period(request.GetFrom(), request.GetTo())
	if err != nil {
		return nil, err
	}
	piles, err := s.coverage.Uncovered(ctx, request.GetUnitId(), period, int(cmp.Or(request.GetPageSize(), 50)))
	if err != nil {
		return nil, err
	}
	response := &pb.ListUncoveredPilesResponse{From: string(period.From), To: string(period.To)}
	all := callerOf(ctx).May(identity.ReadRatings)
	for _, pile := range piles {
		if !all && pile.N < coverage.LeastShown {
			continue
		}
		response.Piles = append(response.Piles, &pb.UncoveredPile{
			Scope: scopeProto(&pile.Scope), UnitName: s.unitName(pile.Unit), ReasonText: s.reasonText(pile.Reason, languageOf(ctx)),
			OfficialName: s.officialName(pile.Official), N: uint32(pile.N), //nolint:gosec // a count
		})
	}
	return response, nil
}

func (a *application) reasonText(reason string, in language.Language) string {
	if reason == "" {
		return ""
	}
	return coverage.ReasonText(a.directory.Questionnaires(), reason, in)
}

func (a *application) officialName(id string) string {
	if id == "" {
		return ""
	}
	if official, ok := a.directory.Official(id); ok {
		return official.Name
	}
	return id
}

func (s coverageService) ListUncovered(ctx context.Context, request *pb.ListUncoveredRequest) (*pb.ListUncoveredResponse, error) {
	if err := s.may(ctx, identity.ReadCoverage, request.GetUnitId()); err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadRatings); err != nil {
		return nil, err
	}
	period, err := s.coverage.Period(request.GetFrom(), request.GetTo())
	if err != nil {
		return nil, err
	}
	page, next, err := s.coverage.Ratings(ctx, request.GetUnitId(), period, request.GetPageToken(), int(cmp.Or(request.GetPageSize(), 50)))
	if err != nil {
		return nil, err
	}
	records := make([]string, len(page))
	for i, one := range page {
		records[i] = one.Record
	}
	ratings, err := s.ratingList.Named(ctx, caller, records, languageOf(ctx))
	if err != nil {
		return nil, err
	}
	return &pb.ListUncoveredResponse{Ratings: ratings, NextPageToken: next, From: string(period.From), To: string(period.To)}, nil
}

func (s coverageService) NoteRatings(ctx context.Context, request *pb.NoteRatingsRequest) (*pb.RatingNote, error) {
	if err := s.may(ctx, identity.NoteRatings, request.GetUnitId()); err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	note := coverage.Note{ID: request.GetNoteId(), Unit: request.GetUnitId(), Reason: request.GetReason(), Account: caller.AccountID, By: caller.Name}
	if wanted := request.GetScope(); wanted != nil {
		if err := s.may(ctx, identity.NoteRatings, wanted.GetUnitId()); err != nil {
			return nil, err
		}
		period, err := s.coverage.Period(wanted.GetFrom(), wanted.GetTo())
		if err != nil {
			return nil, err
		}
		note.Unit, note.Scope = wanted.GetUnitId(), scopeOf(wanted)
		note.Scope.From, note.Scope.To = period.From, period.To
		if note.N, err = s.coverage.Count(ctx, *note.Scope); err != nil {
			return nil, err
		}
	}
	if len(request.GetRatingIds()) > 0 {
		var err error
		if note.Ratings, err = s.namedRatings(ctx, caller, request); err != nil {
			return nil, err
		}
		note.N = len(note.Ratings)
	}
	kept, err := s.coverage.AddNote(ctx, note)
	if err != nil {
		return nil, err
	}
	return s.noteProto(ctx, coverage.Listed{Note: kept}), nil
}

// namedRatings finds the ratings a caller names as they were listed to it.
func (s coverageService) namedRatings(ctx context.Context, caller identity.Caller, request *pb.NoteRatingsRequest) ([]coverage.Rated, error) {
	period, err := s.coverage.Period(request.GetFrom(), request.GetTo())
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]bool, len(request.GetRatingIds()))
	for _, id := range request.GetRatingIds() {
		wanted[id] = true
	}
	name := s.ratingList.Namer(caller)
	found, err := s.coverage.Find(ctx, request.GetUnitId(), period, func(recordID string) bool { return wanted[name(recordID)] })
	if err != nil {
		return nil, err
	}
	if len(found) < len(wanted) {
		return nil, fault.New(fault.NotFound, "coverage_rating_unknown")
	}
	return found, nil
}

func (s coverageService) WithdrawRatingNote(ctx context.Context, request *pb.WithdrawRatingNoteRequest) (*pb.RatingNote, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.NoteRatings); err != nil {
		return nil, err
	}
	note, err := s.coverage.GetNote(ctx, request.GetNoteId())
	if err != nil {
		return nil, err
	}
	if !s.within(note.Unit, identity.Scope(caller)) {
		return nil, fault.New(fault.NotFound, "coverage_note_unknown")
	}
	withdrawal, err := s.coverage.WithdrawNote(ctx, note.ID, request.GetReason(), caller.AccountID, caller.Name)
	if err != nil {
		return nil, err
	}
	return s.noteProto(ctx, coverage.Listed{Note: note, Withdrawal: &withdrawal}), nil
}

func (s coverageService) ListRatingNotes(ctx context.Context, request *pb.ListRatingNotesRequest) (*pb.ListRatingNotesResponse, error) {
	if err := s.may(ctx, identity.ReadCoverage, request.GetUnitId()); err != nil {
		return nil, err
	}
	list, next, err := s.coverage.Notes(ctx, request.GetUnitId(), store.Cursor(request.GetPageToken()), int(cmp.Or(request.GetPageSize(), 50)))
	if err != nil {
		return nil, err
	}
	response := &pb.ListRatingNotesResponse{NextPageToken: string(next)}
	scope := identity.Scope(callerOf(ctx))
	for _, one := range list {
		if s.within(one.Unit, scope) { // a unit that moved away since took its notes with it
			response.Notes = append(response.Notes, s.noteProto(ctx, one))
		}
	}
	return response, nil
}

func (s coverageService) noteProto(ctx context.Context, l coverage.Listed) *pb.RatingNote {
	out := &pb.RatingNote{
		Id: l.ID, UnitId: l.Unit, UnitName: s.unitName(l.Unit), Ratings: uint32(len(l.Ratings)), N: uint32(l.N), //nolint:gosec // counts
		Reason: l.Reason, NotedBy: l.By, NotedAt: timestamp(l.At),
	}
	if l.Scope != nil {
		out.Scope, out.ReasonText, out.OfficialName = scopeProto(l.Scope), s.reasonText(l.Scope.Reason, languageOf(ctx)), s.officialName(l.Scope.Official)
	}
	if w := l.Withdrawal; w != nil {
		out.WithdrawnAt, out.WithdrawnBy, out.WithdrawalReason = timestamp(w.At), w.By, w.Reason
	}
	return out
}

func (s coverageService) RequestExplanations(ctx context.Context, request *pb.RequestExplanationsRequest) (*pb.RequestExplanationsResponse, error) {
	if err := callerOf(ctx).Check(identity.NoteRatings); err != nil {
		return nil, err
	}
	for _, one := range request.GetRequests() { // nothing is opened where anything cannot be asked
		if err := s.may(ctx, identity.NoteRatings, one.GetScope().GetUnitId()); err != nil {
			return nil, err
		}
	}
	response := &pb.RequestExplanationsResponse{}
	for _, one := range request.GetRequests() {
		result, err := s.requestExplanation(ctx, one, request.GetTitle())
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			s.Logger.InfoContext(ctx, "a request for explanation was not made", "case", one.GetCaseId(), "error", err)
			result.Problem = status.Convert(statusOf(err, languageOf(ctx))).Message()
		}
		response.Results = append(response.Results, result)
	}
	return response, nil
}

// requestExplanation opens a collective request and asks the unit. Each step finds what an earlier call did, so that one cut off in between
// goes on where it stopped.
func (s coverageService) requestExplanation(ctx context.Context, asked *pb.ExplanationRequest, title string) (*pb.ExplanationRequested, error) {
	result := &pb.ExplanationRequested{CaseId: asked.GetCaseId(), UnitId: asked.GetScope().GetUnitId()}
	period, err := s.coverage.Period(asked.GetScope().GetFrom(), asked.GetScope().GetTo())
	if err != nil {
		return result, err
	}
	if today, _ := localday.Of(s.Clock()); period.To > today {
		return result, fault.New(fault.Invalid, "coverage_future", "to", period.To)
	}
	scope := scopeOf(asked.GetScope())
	scope.From, scope.To = period.From, period.To
	n, err := s.coverage.Count(ctx, *scope)
	if err != nil {
		return result, err
	}
	result.N = uint32(n) //nolint:gosec // a count
	c, err := s.standingRequest(ctx, *scope)
	if err == nil && c.ID == "" {
		c, err = s.openCollective(ctx, asked.GetCaseId(), *scope, title)
	}
	if err != nil {
		return result, err
	}
	result.CaseId = c.ID
	if c.State == casework.Received {
		unit := s.directory.Tree().PlaceToday(scope.Unit)
		actor, err := s.caseActor(ctx, "", c.Receiving)
		if err != nil {
			return result, err
		}
		if _, err = s.casebook.Apply(ctx, c.ID, c.Version, casework.Event{Name: casework.RequestExplanation, Unit: unit}, "", actor); err != nil {
			return result, caseService{application: s.application}.overtaken(ctx, err)
		}
	}
	result.Requested = true
	return result, nil
}

// standingRequest is the request about the very same that is not ended yet, if there is one: asking again, from another page, asks nothing new.
func (s coverageService) standingRequest(ctx context.Context, scope casework.Scope) (casebook.Kept, error) {
	list, err := s.casebook.Collectives(ctx, scope.Unit, scope.From, scope.To)
	if err != nil {
		return casebook.Kept{}, err
	}
	for _, c := range list {
		if c.Collective != nil && *c.Collective == scope && !c.State.Terminal() && c.Route.Kind == "" {
			return c, nil
		}
	}
	return casebook.Kept{}, nil
}

func (s coverageService) openCollective(ctx context.Context, id string, scope casework.Scope, title string) (casebook.Kept, error) {
	caller := callerOf(ctx)
	unit := s.directory.Tree().PlaceToday(scope.Unit)
	receiving := s.office.Receiving(unit)
	if receiving == "" || !s.within(receiving, identity.Scope(caller)) {
		receiving = unit // who orders keeps the book: a leader of an office does not write into that of the unit above
	}
	if title == "" {
		title = coverage.Title(s.unitName(scope.Unit), s.reasonText(scope.Reason, language.Vietnamese), scope.Official, coverage.Period{From: scope.From, To: scope.To})
	}
	opening := casebook.New{
		ID: id, Source: casework.FromFollowUp, Receiving: receiving, About: scope.Unit, Collective: &scope, Title: store.Clip(title, casebook.MaxTitle),
	}
	if scope.Official != "" {
		opening.Officials = []string{scope.Official}
	}
	actor, err := s.caseActor(ctx, "", receiving)
	if err != nil {
		return casebook.Kept{}, err
	}
	c, err := s.casebook.Open(ctx, opening, actor)
	if fault.Is(err, fault.Exists) { // the same request, if only a name in its title changed
		if c, err = s.casebook.Get(ctx, id); err == nil && (c.Collective == nil || *c.Collective != scope) {
			err = fault.New(fault.Exists, "coverage_request_again")
		}
	}
	return c, err
}

func (s coverageService) GetRemedyEffect(ctx context.Context, request *pb.GetRemedyEffectRequest) (*pb.RemedyEffect, error) {
	if err := callerOf(ctx).Check(identity.ReadCoverage); err != nil {
		return nil, err
	}
	c, err := s.readCase(ctx, request.GetCaseId())
	if err != nil {
		return nil, err
	}
	effect, err := s.effect(ctx, c)
	if err == nil && effect == nil {
		err = fault.New(fault.NotFound, "coverage_no_remedy")
	}
	return effect, err
}

// effect is that of a case's accepted remedy; nil where there is none.
func (s coverageService) effect(ctx context.Context, c casebook.Kept) (*pb.RemedyEffect, error) {
	remedy, accepted, ok := acceptedRemedy(c.Case)
	unit := cmp.Or(c.About, c.Assigned)
	if c.Collective != nil {
		unit = c.Collective.Unit
	}
	if !ok || unit == "" || !s.within(unit, identity.Scope(callerOf(ctx))) {
		return nil, nil
	}
	reason, err := s.coverage.ReasonOf(ctx, coverage.Case{Case: c.Case, About: c.About})
	if err != nil {
		return nil, err
	}
	day, _ := localday.Of(accepted)
	effect, err := s.coverage.Effect(ctx, unit, reason, day)
	if err != nil {
		return nil, err
	}
	out := &pb.RemedyEffect{
		CaseId: c.ID, Title: c.Title, Number: s.caseNumber(c.Number), UnitId: unit, UnitName: s.unitName(unit), Reason: reason, ReasonText: s.reasonText(reason, languageOf(ctx)),
		Remedy: remedy, AcceptedOn: string(day), Before: figureProto(effect.Before), After: figureProto(effect.After), Difference: figureProto(effect.Difference),
		DaysLeft: int32(effect.DaysLeft), Verdict: string(effect.Verdict), //nolint:gosec // at most eight weeks
	}
	for _, week := range effect.Weeks {
		out.Weeks = append(out.Weeks, &pb.EffectWeek{From: string(week.From), To: string(week.To), Share: figureProto(week.Share), Over: week.Over})
	}
	return out, nil
}

// acceptedRemedy is what the explanation accepted last says was or will be done, and when it was accepted.
func acceptedRemedy(c casework.Case) (remedy string, at time.Time, ok bool) {
	if !c.Answered() || c.Finding == casework.NotUpheld {
		return "", time.Time{}, false
	}
	for _, entry := range c.History {
		switch entry.Event.Name {
		case casework.Submit:
			if entry.Event.Explanation != nil {
				remedy = entry.Event.Explanation.Remedy
			}
		case casework.Accept:
			at = entry.At
		}
	}
	return remedy, at, remedy != "" && !at.IsZero()
}

// Sizes of a page of effects: each reads sixteen weeks.
const (
	effectsUsual   = 10
	effectsLooked  = 200 // cases looked at for one page
	effectsAtATime = 50
)

func (s coverageService) ListRemedyEffects(ctx context.Context, request *pb.ListRemedyEffectsRequest) (*pb.ListRemedyEffectsResponse, error) {
	if err := s.may(ctx, identity.ReadCoverage, request.GetUnitId()); err != nil {
		return nil, err
	}
	if err := callerOf(ctx).Check(identity.ReadCases); err != nil {
		return nil, err
	}
	size := int(cmp.Or(request.GetPageSize(), effectsUsual))
	response := &pb.ListRemedyEffectsResponse{NextPageToken: request.GetPageToken()}
	for looked := 0; looked < effectsLooked && len(response.GetEffects()) < size; looked += effectsAtATime {
		page, err := s.casebook.List(ctx, casebook.Filter{Unit: request.GetUnitId(), States: []casework.State{casework.Accepted, casework.Replied, casework.Closed}},
			store.Cursor(response.GetNextPageToken()), min(effectsAtATime, size-len(response.GetEffects())))
		if err != nil {
			return nil, err
		}
		for _, c := range page.Cases {
			if !s.visible(callerOf(ctx), c) {
				continue
			}
			effect, err := s.effect(ctx, c)
			if err != nil {
				return nil, err
			}
			if effect != nil {
				response.Effects = append(response.Effects, effect)
			}
		}
		if response.NextPageToken = string(page.Next); page.Next == "" {
			break
		}
	}
	return response, nil
}
