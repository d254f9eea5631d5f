package server

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/analysis"
	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/actions"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Ratings may be contested for so many days after the one for which they count, and so many are listed.
const (
	contestWithin = 30
	maxContested  = 100
)

// A rating is named by a token that only this installation can read: its record id tells to the second when it was given.
const contestedPurpose = "contested-rating"

func (s actionService) nameRating(recordID string) (string, error) {
	sealed, err := s.keys.Seal([]byte(recordID), []byte(contestedPurpose))
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

func (s actionService) ratingNamed(token string) (string, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		var recordID []byte
		if recordID, err = s.keys.Open(sealed, []byte(contestedPurpose)); err == nil {
			return string(recordID), nil
		}
	}
	return "", fault.New(fault.NotFound, "actions_rating_unknown")
}

// rated reads a rating as a contest knows it. NotFound "actions_rating_unknown" where no figure counts it.
func (s actionService) rated(ctx context.Context, recordID string) (actions.Rated, rating.Record, error) {
	unknown := fault.New(fault.NotFound, "actions_rating_unknown")
	record, err := s.engine.Ratings().Get(ctx, recordID)
	if errors.Is(err, store.ErrNotFound) {
		return actions.Rated{}, record, unknown
	}
	if err != nil {
		return actions.Rated{}, record, store.Told(err, "actions_unavailable")
	}
	records, err := s.engine.Ratings().Cell(ctx, record.Cell)
	if err != nil {
		return actions.Rated{}, record, store.Told(err, "actions_unavailable")
	}
	counting, err := tally.Counting(record.Cell, records)
	if err != nil || !slices.ContainsFunc(counting, func(r *rating.Record) bool { return r.ID == recordID }) {
		return actions.Rated{}, record, unknown
	}
	return actions.Rated{Rating: recordID, Official: record.Official, Unit: record.Counted.Unit, Score: int(record.Score), Day: record.Counted.Day}, record, nil
}

func (s actionService) ListContestable(ctx context.Context, _ *pb.ListContestableRequest) (*pb.ListContestableResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ContestRatings); err != nil {
		return nil, err
	}
	response := &pb.ListContestableResponse{}
	official, ok := s.directory.Official(caller.OfficialID)
	if !ok {
		return response, nil
	}
	today := s.directory.Tree().Today()
	since := today.Add(-contestWithin)
	home := s.directory.Tree().Home(official.UnitID)
	from, to := recordsOf(home, official.UnitID, s.Clock().AddDate(0, 0, -contestWithin-1))
	var ids []string
	for record, err := range s.engine.Ratings().Scan(ctx, from, to) {
		if err != nil {
			return nil, store.Told(err, "actions_unavailable")
		}
		if record.Official == official.ID && (record.Score == 1 || record.Score == 2) && record.Counted.Day >= since && record.About == "" {
			ids = append(ids, record.ID)
		}
	}
	slices.Reverse(ids)
	for _, id := range ids {
		if len(response.Ratings) == maxContested {
			break
		}
		rated, _, err := s.rated(ctx, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if _, err := s.actions.GetContest(ctx, id); err == nil {
			continue
		} else if !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		shown, err := s.contested(ctx, rated)
		if err != nil {
			return nil, err
		}
		response.Ratings = append(response.Ratings, shown)
	}
	return response, nil
}

// recordsOf is the range of record ids of a unit from a time on: ids begin with the time at which they were made.
func recordsOf(home, unit string, since time.Time) (from, to string) {
	var first uuid.UUID
	millis := since.UnixMilli()
	for i := range 6 {
		first[i] = byte(millis >> (8 * (5 - i))) //nolint:gosec // one byte at a time
	}
	return rating.RecordID(home, unit, first.String()), rating.RecordID(home, unit, "g") // after every hexadecimal digit
}

// contested is a rating without who gave it, nor when to the minute.
func (s actionService) contested(ctx context.Context, rated actions.Rated) (*pb.ContestedRating, error) {
	name, err := s.nameRating(rated.Rating)
	if err != nil {
		return nil, err
	}
	out := &pb.ContestedRating{
		RatingId: name, On: string(rated.Day), OverallScore: int32(rated.Score), UnitId: rated.Unit, Until: string(rated.Day.Add(contestWithin)), //nolint:gosec // 1 to 5
	}
	listed, err := s.ratingList.Named(ctx, identity.System(), []string{rated.Rating}, languageOf(ctx))
	if err != nil {
		return nil, err
	}
	for _, one := range listed {
		out.Comment = one.GetComment()
		for _, answer := range one.GetAnswers() {
			out.Reasons = append(out.Reasons, answer.GetChoices()...)
		}
	}
	return out, nil
}

func (s actionService) ContestRating(ctx context.Context, request *pb.ContestRatingRequest) (*pb.Contest, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ContestRatings); err != nil {
		return nil, err
	}
	id, err := s.ratingNamed(request.GetRatingId())
	if err != nil {
		return nil, err
	}
	rated, _, err := s.rated(ctx, id)
	if err != nil {
		return nil, err
	}
	if caller.OfficialID == "" || rated.Official != caller.OfficialID {
		return nil, fault.New(fault.NotFound, "actions_rating_unknown")
	}
	if rated.Score != 1 && rated.Score != 2 {
		return nil, fault.New(fault.Invalid, "actions_contest_score")
	}
	if until := rated.Day.Add(contestWithin); s.directory.Tree().Today() > until {
		return nil, fault.New(fault.Invalid, "actions_contest_late", "until", until)
	}
	actor, err := s.caseActor(ctx, "")
	if err != nil {
		return nil, err
	}
	contest, err := s.actions.Contest(ctx, rated, request.GetReason(), actor)
	if err != nil {
		return nil, err
	}
	return s.contestProto(ctx, contest)
}

// readContest answers a contest that the caller may see. Officials see their own.
func (s actionService) readContest(ctx context.Context, token string) (actions.KeptContest, error) {
	id, err := s.ratingNamed(token)
	if err != nil {
		return actions.KeptContest{}, err
	}
	contest, err := s.actions.GetContest(ctx, id)
	if err == nil && !s.seesContest(callerOf(ctx), contest) {
		err = fault.New(fault.NotFound, "actions_contest_unknown")
	}
	return contest, err
}

func (s actionService) seesContest(caller identity.Caller, contest actions.KeptContest) bool {
	if caller.May(identity.DecideContests) || caller.Role == pb.Role_ROLE_INSPECTOR {
		return s.within(contest.Unit, identity.Scope(caller))
	}
	return caller.OfficialID != "" && caller.OfficialID == contest.Official
}

func (s actionService) DecideContest(ctx context.Context, request *pb.DecideContestRequest) (*pb.Contest, error) {
	if err := callerOf(ctx).Check(identity.DecideContests); err != nil {
		return nil, err
	}
	contest, err := s.readContest(ctx, request.GetRatingId())
	if err != nil {
		return nil, err
	}
	before, err := s.involved(ctx, contest.Rating)
	if err != nil {
		return nil, err
	}
	actor, err := s.caseActor(ctx, request.GetForAccountId(), contest.Unit)
	if err != nil {
		return nil, err
	}
	to := casework.ContestDismissed
	if request.GetUpheld() {
		to = casework.ContestUpheld
	}
	decided, err := s.actions.Decide(ctx, contest.Rating, to, request.GetReason(), before, actor)
	if err != nil {
		return nil, err
	}
	return s.contestProto(ctx, decided)
}

// involved are the accounts that recorded a rating or decided on a case that holds it.
func (s actionService) involved(ctx context.Context, recordID string) ([]string, error) {
	_, record, err := s.rated(ctx, recordID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	var out []string
	if record.Account != "" {
		out = append(out, record.Account)
	}
	held, err := s.casebook.ByRating(ctx, recordID)
	if err != nil {
		return nil, err
	}
	for _, c := range held {
		for _, e := range c.History {
			if e.Event.Name == casework.Accept || e.Event.Name == casework.Return {
				out = append(out, e.By.Account, e.By.For)
			}
		}
	}
	return slices.DeleteFunc(out, func(id string) bool { return id == "" }), nil
}

func (s actionService) DropContest(ctx context.Context, request *pb.DropContestRequest) (*pb.Contest, error) {
	if err := callerOf(ctx).Check(identity.ContestRatings); err != nil {
		return nil, err
	}
	contest, err := s.readContest(ctx, request.GetRatingId())
	if err != nil {
		return nil, err
	}
	actor, err := s.caseActor(ctx, "")
	if err != nil {
		return nil, err
	}
	dropped, err := s.actions.Drop(ctx, contest.Rating, request.GetReason(), actor)
	if err != nil {
		return nil, err
	}
	return s.contestProto(ctx, dropped)
}

func (s actionService) ListContests(ctx context.Context, request *pb.ListContestsRequest) (*pb.ListContestsResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadCases); err != nil {
		return nil, err
	}
	top, err := caseService{application: s.application}.top(caller, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	after, size := store.Cursor(request.GetPageToken()), pageSize(request.GetPageSize())
	var list []actions.KeptContest
	var next store.Cursor
	switch {
	case caller.May(identity.DecideContests) || caller.Role == pb.Role_ROLE_INSPECTOR:
		list, next, err = s.actions.Contests(ctx, top, request.GetOpenOnly(), after, size)
	case caller.OfficialID != "":
		list, next, err = s.actions.ContestsOf(ctx, caller.OfficialID, after, size)
	}
	if err != nil {
		return nil, err
	}
	response := &pb.ListContestsResponse{NextPageToken: string(next)}
	for _, one := range list {
		if !s.seesContest(caller, one) || request.GetOpenOnly() && one.State != casework.ContestOpen {
			continue
		}
		contest, err := s.contestProto(ctx, one)
		if err != nil {
			return nil, err
		}
		response.Contests = append(response.Contests, contest)
	}
	return response, nil
}

// contestProto is a contest as the contract has it.
func (s actionService) contestProto(ctx context.Context, k actions.KeptContest) (*pb.Contest, error) {
	shown, err := s.contested(ctx, actions.Rated{Rating: k.Rating, Official: k.Official, Unit: k.Unit, Score: k.Score, Day: k.Day})
	if err != nil {
		return nil, err
	}
	first, last := k.History[0], k.History[len(k.History)-1]
	out := &pb.Contest{
		RatingId: shown.GetRatingId(), OfficialId: k.Official, UnitId: k.Unit, UnitName: s.unitName(k.Unit), State: string(k.State), Reason: first.Reason,
		RaisedAt: timestamp(first.At), Rating: shown,
	}
	if official, ok := s.directory.Official(k.Official); ok {
		out.OfficialName = official.Name
	}
	caller := callerOf(ctx)
	if k.State != casework.ContestOpen {
		out.Decision, out.DecidedBy = last.Reason, caseService{application: s.application}.called(ctx)(last.By.Account)
		return out, nil
	}
	if running := s.clocks(ctx, []casework.Clock{k.Clock}); len(running) > 0 {
		out.Clock = running[0]
	}
	switch {
	case caller.OfficialID != "" && caller.OfficialID == k.Official:
		out.Choices = []string{"drop"}
	case caller.May(identity.DecideContests):
		out.Choices = []string{"decide"}
	}
	return out, nil
}

// GetContestFigures answers an official's scores over the months that a period touches, as the figures have them, and beside them without
// those whose contest was upheld.
func (s actionService) GetContestFigures(ctx context.Context, request *pb.GetContestFiguresRequest) (*pb.GetContestFiguresResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadCases); err != nil {
		return nil, err
	}
	official, ok := s.directory.Official(cmp.Or(request.GetOfficialId(), caller.OfficialID))
	own := ok && official.ID == caller.OfficialID
	if !ok || !own && (!caller.May(identity.ReadOfficials) || !caller.May(identity.ReadFigures) || !s.within(official.UnitID, identity.Scope(caller))) {
		return nil, fault.New(fault.NotFound, "actions_official_unknown")
	}
	today := s.directory.Tree().Today()
	facets, err := s.analysis.Facets(ctx, analysis.Query{
		Unit: official.UnitID, From: cmp.Or(request.GetFrom(), string(today[:4])+"-01-01"), To: cmp.Or(request.GetTo(), string(today)),
	}, pb.FacetKind_FACET_KIND_OFFICIAL)
	if err != nil {
		return nil, err
	}
	response := &pb.GetContestFiguresResponse{OfficialId: official.ID, From: string(facets.Period.From), To: string(facets.Period.To), Suppressed: true}
	at := slices.IndexFunc(facets.Facets, func(one analysis.Facet) bool { return one.ID == official.ID })
	if at < 0 || facets.Facets[at].Distribution.Suppressed {
		return response, nil
	}
	contested, err := s.upheld(ctx, official.ID, facets.Period)
	if err != nil {
		return nil, err
	}
	all, without, err := casework.BothFigures(facets.Facets[at].Distribution.Counts, contested)
	if err != nil { // figures that are being folded anew may lack one for a moment
		return nil, fault.New(fault.Unavailable, "actions_figures_behind").Because(err)
	}
	response.Suppressed, response.Given, response.WithoutContested = false, all[:], without[:]
	response.Upheld = uint32(len(contested)) //nolint:gosec // few
	return response, nil
}

// upheld are the scores of an official's ratings of a period whose contests were upheld.
func (s actionService) upheld(ctx context.Context, official string, period analysis.Period) ([]int, error) {
	var scores []int
	for after := store.Cursor(""); ; {
		list, next, err := s.actions.ContestsOf(ctx, official, after, 500)
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			if one.State == casework.ContestUpheld && period.From <= one.Day && one.Day <= period.To {
				scores = append(scores, one.Score)
			}
		}
		if after = next; next == "" {
			return scores, nil
		}
	}
}
