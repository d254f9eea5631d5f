package server

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/casework/actions"
	"github.com/hailong-vn/hailong/internal/demo"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
)

// fillDemoActions orders the demonstration's corrective actions and lets happen to each what happened, as fillDemoCases does: where the
// clock stood then, telling nobody. One that stands there already is left as it is.
func (a *application) fillDemoActions(ctx context.Context) error {
	now := a.Clock()
	at := now
	kept, err := a.silentActions(ctx, func() time.Time { return at })
	if err != nil {
		return err
	}
	actors, err := a.demoActors(ctx)
	if err != nil {
		return err
	}
	today, _ := localday.Of(now)
	for i, one := range demo.CorrectiveActions() {
		id := uuid.NewSHA1(uuid.MustParse(one.Order), []byte(one.UnitID)).String()
		if _, err := kept.Get(ctx, id); err == nil {
			continue
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		at = demoTime(now, one.DaysAgo, i, 0)
		order := actions.New{Order: one.Order, Ordering: demo.ProvinceID, Units: []string{one.UnitID}, Product: one.Product, Due: today.Add(one.DueIn)}
		if one.Case != "" {
			order.Cases = []string{one.Case}
		}
		if _, err := kept.Order(ctx, order, actors(demo.ByLeader, one.UnitID)); err != nil {
			return errors.Join(errors.New("demonstration action "+one.Product), err)
		}
		for j, step := range one.Steps {
			at = demoTime(now, step.DaysAgo, i, j+1)
			event := step.Event
			if step.DueIn != 0 {
				event.Due = today.Add(step.DueIn)
			}
			if _, err := kept.Apply(ctx, id, 0, event, actors(step.By, one.UnitID)); err != nil {
				return errors.Join(errors.New("demonstration action "+one.Product), err)
			}
		}
	}
	return nil
}

// silentActions are the same actions with a clock of their own, which tell nobody.
func (a *application) silentActions(ctx context.Context, clock func() time.Time) (*actions.Actions, error) {
	return actions.Open(ctx, a.engine, actions.Options{
		Machine: a.casebook.Machine, Above: a.casebook.Above, Due: a.mostUrgent, Hold: a.casebook.HoldAttachments, Logger: a.Logger, Now: clock,
		Tell: func(context.Context, []actions.Telling) error { return nil },
	})
}

// fillDemoContest lets the demonstration's official contest the latest dissatisfied rating that may be, where none was contested yet.
func (a *application) fillDemoContest(ctx context.Context) error {
	accounts := demo.Accounts()
	who := accounts[slices.IndexFunc(accounts, func(one demo.Account) bool { return one.Official != "" })]
	if had, _, err := a.actions.ContestsOf(ctx, who.Official, "", 1); err != nil || len(had) > 0 {
		return err
	}
	now := a.Clock()
	home := a.directory.Tree().Home(who.UnitID)
	from, to := recordsOf(home, who.UnitID, now.AddDate(0, 0, -contestWithin))
	var latest actions.Rated
	for record, err := range a.engine.Ratings().Scan(ctx, from, to) {
		if err != nil {
			return err
		}
		if record.Official == who.Official && (record.Score == 1 || record.Score == 2) && record.About == "" {
			rated, _, err := actionService{application: a}.rated(ctx, record.ID)
			if err == nil && rated.Day >= latest.Day {
				latest = rated
			}
		}
	}
	if latest.Rating == "" {
		return nil // nobody was dissatisfied lately
	}
	kept, err := a.silentActions(ctx, a.Clock)
	if err != nil {
		return err
	}
	actors, err := a.demoActors(ctx)
	if err != nil {
		return err
	}
	_, err = kept.Contest(ctx, latest, demo.ContestReason, actors(demo.ByOfficial, who.UnitID))
	if fault.Is(err, fault.Exists) || fault.Is(err, fault.Stale) {
		err = nil // another process fills the same store
	}
	return err
}
