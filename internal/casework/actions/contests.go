package actions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// KeptContest is a contest as it stands, with what of its rating counts.
type KeptContest struct {
	casework.Contest `bson:",inline"`
	Score            int          `bson:"score"` // of the rating
	Day              localday.Day `bson:"day"`   // for which the rating counts
}

type contestDoc struct {
	KeptContest `bson:",inline"`
	Above       []string  `bson:"above"`
	Open        bool      `bson:"open"`
	RaisedAt    time.Time `bson:"raised_at"`
	OwedAt      time.Time `bson:"owed_at,omitempty"` // since when somebody is to be told of the last entry
}

const (
	byUnit     = "unit"
	byOfficial = "official"
)

var contestType = store.Define[contestDoc]("contests",
	store.Index{Name: byUnit, Fields: []string{"above", "open", "raised_at"}, Multi: true},
	store.Index{Name: byOfficial, Fields: []string{"official", "raised_at"}},
	store.Index{Name: byOwed, Fields: []string{"owed_at"}},
)

// Rated is what of a rating a contest needs to know.
type Rated struct {
	Rating   string // record id
	Official string
	Unit     string
	Score    int
	Day      localday.Day
}

// GetContest reads a contest by its rating. NotFound "actions_contest_unknown".
func (a *Actions) GetContest(ctx context.Context, rating string) (KeptContest, error) {
	d, _, err := a.contests.Get(ctx, rating)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return KeptContest{}, fault.New(fault.NotFound, "actions_contest_unknown")
	}
	return d.KeptContest, failed("read a contest", err)
}

// Contest raises one. The same official again answers the one that stands, whatever came of it: a rating is contested once. Faults of
// casework.Machine.Contest.
func (a *Actions) Contest(ctx context.Context, rated Rated, reason string, by casework.Actor) (KeptContest, error) {
	m, err := a.options.Machine(rated.Unit)
	if err != nil {
		return KeptContest{}, err
	}
	contest, err := m.Contest(rated.Rating, rated.Official, rated.Unit, reason, by, a.now())
	if err != nil {
		return KeptContest{}, err
	}
	d := contestDoc{
		KeptContest: KeptContest{Contest: contest, Score: rated.Score, Day: rated.Day}, Above: a.options.Above(rated.Unit), Open: true,
		RaisedAt: contest.History[0].At, OwedAt: contest.History[0].At,
	}
	if err := a.contests.Insert(ctx, d); errors.Is(err, store.ErrExists) {
		return a.GetContest(ctx, rated.Rating)
	} else if err != nil {
		return KeptContest{}, failed("raise a contest", err)
	}
	a.settleContest(ctx, rated.Rating)
	return d.KeptContest, nil
}

// Decide upholds or dismisses a contest; before are the accounts that had to do with the rating. Faults of casework.Machine.DecideContest.
func (a *Actions) Decide(ctx context.Context, rating string, to casework.ContestState, reason string, before []string, by casework.Actor) (KeptContest, error) {
	return a.changeContest(ctx, rating, func(m casework.Machine, k casework.Contest) (casework.Contest, error) {
		return m.DecideContest(k, to, reason, before, by, a.now())
	})
}

// Drop lets a contest be. Faults of casework.Machine.DropContest.
func (a *Actions) Drop(ctx context.Context, rating, reason string, by casework.Actor) (KeptContest, error) {
	return a.changeContest(ctx, rating, func(m casework.Machine, k casework.Contest) (casework.Contest, error) {
		return m.DropContest(k, reason, by, a.now())
	})
}

// changeContest is a compare-and-swap: who comes second is told that it is decided (Stale "casework_not_now").
func (a *Actions) changeContest(ctx context.Context, rating string, change func(casework.Machine, casework.Contest) (casework.Contest, error)) (KeptContest, error) {
	d, err := a.contests.Update(ctx, rating, func(d *contestDoc) (bool, error) {
		m, err := a.options.Machine(d.Unit)
		if err != nil {
			return false, err
		}
		if d.Contest, err = change(m, d.Contest); err != nil {
			return false, err
		}
		d.Open, d.OwedAt = d.State == casework.ContestOpen, d.History[len(d.History)-1].At
		return true, nil
	})
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return KeptContest{}, fault.New(fault.NotFound, "actions_contest_unknown")
	}
	if err != nil {
		return KeptContest{}, failed("write a contest", err)
	}
	a.settleContest(ctx, rating)
	return d.KeptContest, nil
}

// Contests answers a page of a subtree, of what is open or of what is not, newest first. Invalid "actions_page".
func (a *Actions) Contests(ctx context.Context, unit string, open bool, after store.Cursor, limit int) ([]KeptContest, store.Cursor, error) {
	return a.contestPage(ctx, store.Query{Index: byUnit, Equal: []any{unit, open}, After: after, Desc: true}, limit)
}

// ContestsOf answers a page of an official's own, newest first. Invalid "actions_page".
func (a *Actions) ContestsOf(ctx context.Context, official string, after store.Cursor, limit int) ([]KeptContest, store.Cursor, error) {
	return a.contestPage(ctx, store.Query{Index: byOfficial, Equal: []any{official}, After: after, Desc: true}, limit)
}

func (a *Actions) contestPage(ctx context.Context, query store.Query, limit int) ([]KeptContest, store.Cursor, error) {
	list, next, err := a.contests.Page(ctx, query, limit)
	if errors.Is(err, store.ErrInvalid) {
		return nil, "", fault.New(fault.Invalid, "actions_page").Because(err)
	}
	var out []KeptContest
	for _, d := range list {
		out = append(out, d.KeptContest)
	}
	return out, next, failed("list contests", err)
}

// settleContest tells of the last entry of a contest: leaders that one was raised, the official what came of it.
func (a *Actions) settleContest(ctx context.Context, rating string) {
	if err := a.payContest(context.WithoutCancel(ctx), rating); err != nil {
		a.log.WarnContext(ctx, "who is to hear of a contest is told later", "error", err)
	}
}

func (a *Actions) payContest(ctx context.Context, rating string) error {
	d, _, err := a.contests.Get(ctx, rating)
	if err != nil || d.OwedAt.IsZero() {
		return err
	}
	last := d.History[len(d.History)-1]
	to, officials := casework.TellLeaders, []string(nil)
	if last.To == casework.ContestUpheld || last.To == casework.ContestDismissed {
		to, officials = casework.TellSubjects, []string{d.Official}
	}
	telling := Telling{
		ID: fmt.Sprintf("contest/%s/%d", rating, len(d.History)-1), Contest: &d.KeptContest, Event: string(last.To), By: last.By.Account,
		To: to, Unit: d.Unit, Officials: officials, At: last.At,
	}
	if err := a.options.Tell(ctx, []Telling{telling}); err != nil {
		return err
	}
	n := len(d.History)
	_, err = a.contests.Update(ctx, rating, func(now *contestDoc) (bool, error) {
		if len(now.History) != n {
			return false, nil
		}
		now.OwedAt = time.Time{}
		return true, nil
	})
	return failed("note who was told", err)
}

func (a *Actions) settleContests(ctx context.Context, before time.Time) error {
	var failures error
	for doc, err := range a.contests.Find(ctx, store.Query{Index: byOwed, From: time.Unix(0, 0).UTC(), To: before}) {
		if err != nil {
			return failed("find contests of which is to be told", err)
		}
		failures = errors.Join(failures, a.payContest(ctx, doc.Value.Rating))
	}
	return failures
}
