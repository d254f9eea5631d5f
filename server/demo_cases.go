package server

import (
	"context"
	"errors"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/demo"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// fillDemoCases opens the demonstration's cases and lets happen to each what happened. They go through a book of their own, whose
// clock stands where each thing happened and which tells nobody; a case that stands there already is left as it is.
func (a *application) fillDemoCases(ctx context.Context) error {
	now := a.Clock()
	at := now
	options := a.caseOptions
	options.Tell, options.Feed, options.Now = nil, nil, func() time.Time { return at }
	book, err := casebook.Open(ctx, a.engine, options)
	if err != nil {
		return err
	}
	actors, err := a.demoActors(ctx)
	if err != nil {
		return err
	}
	for i, c := range demo.Cases() {
		if _, err := book.Get(ctx, c.ID); err == nil {
			continue
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		at = demoTime(now, c.DaysAgo, i, 0)
		opening := casebook.New{
			ID: c.ID, Source: c.Source, Receiving: c.Receiving, About: c.UnitID, Officials: c.Officials, Title: c.Title, Words: c.Words, Procedure: c.Procedure,
			WithCode: c.Asks == nil,
		}
		if c.Asks != nil {
			today, _ := localday.Of(now)
			opening.Collective = &casework.Scope{Unit: c.UnitID, From: today.Add(-c.Asks.FromDaysAgo), To: today.Add(-c.Asks.ToDaysAgo)}
		}
		if c.Phone != "" {
			opening.Contact = &casebook.Contact{Name: c.Name, Phone: c.Phone}
		}
		kept, err := book.Open(ctx, opening, actors(demo.ByOperator, c.UnitID))
		if err != nil {
			return err
		}
		for j, step := range c.Steps {
			at = demoTime(now, step.DaysAgo, i, j+1)
			event := step.Event
			event.Into.ID = step.Into
			if kept, err = book.Apply(ctx, c.ID, kept.Version, event, step.Words, actors(step.By, c.UnitID)); err != nil {
				return errors.Join(errors.New("demonstration case "+c.ID), err)
			}
		}
	}
	// What its clocks had to say by now was said: nobody begins with a hundred notices.
	at = now
	return book.Sweep(ctx)
}

// demoTime is a time in office hours so many days ago, on the working day before where that was a weekend, never in the future.
func demoTime(now time.Time, daysAgo, which, step int) time.Time {
	today, _ := localday.Of(now)
	opens := today.Add(-daysAgo).Start()
	for opens.Weekday() == time.Saturday || opens.Weekday() == time.Sunday {
		opens = opens.AddDate(0, 0, -1)
	}
	at := opens.Add(8*time.Hour + time.Duration(which*3+step*23)*time.Minute)
	if limit := now.Add(time.Duration(step-60) * time.Second); at.After(limit) {
		return limit
	}
	return at
}

// demoActors answers who of the demonstration does things: its accounts, and for units without one a head of which nobody knows more.
func (a *application) demoActors(ctx context.Context) (func(demo.Actor, string) casework.Actor, error) {
	persons := map[pb.Role]casework.Person{}
	for _, account := range demo.Accounts() {
		known, err := a.accounts.Named(ctx, identity.System(), a.within, account.Name)
		if err != nil {
			return nil, err
		}
		persons[account.Role] = casework.Person{Account: known.ID, Role: caseRole(account.Role), Scope: account.UnitID, Official: account.Official, Heads: known.HeadsUnits()}
	}
	return func(by demo.Actor, unit string) casework.Actor {
		switch by {
		case demo.ByLeader:
			return casework.Actor{Person: persons[pb.Role_ROLE_LEADER]}
		case demo.ByOfficial:
			return casework.Actor{Person: persons[pb.Role_ROLE_OFFICIAL]}
		case demo.ByOperator:
			return casework.Actor{Person: persons[pb.Role_ROLE_OPERATOR]}
		case demo.ByHead:
			if head := persons[pb.Role_ROLE_HEAD]; head.Scope == unit {
				return casework.Actor{Person: head}
			}
			return casework.Actor{Person: casework.Person{Account: "demo-" + unit, Role: casework.Head, Scope: unit, Heads: []string{unit}}}
		case demo.ByCitizen:
		}
		return casework.TheCitizen()
	}, nil
}
