package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

const (
	sweepEvery = 30 * time.Second
	takeAfter  = 20 * time.Second // another process may be telling it
	saidBefore = 7                // days for which a reminder is still worth telling
)

// Run keeps the actions until ctx ends: it tells who is to be told, and lets actions do what they do by themselves when their day comes.
func (a *Actions) Run(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := a.Sweep(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "not all that actions do by themselves was done", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Sweep does once everything that Run does again and again, as far as it is due.
func (a *Actions) Sweep(ctx context.Context) error {
	before := a.now().Add(-takeAfter)
	var failures error
	for doc, err := range a.actions.Find(ctx, store.Query{Index: byOwed, From: time.Unix(0, 0).UTC(), To: before}) {
		if err != nil {
			return failed("find what is to be told", err)
		}
		failures = errors.Join(failures, a.pay(ctx, doc.Value.ID))
	}
	today, _ := localday.Of(a.now())
	for doc, err := range a.actions.Find(ctx, store.Query{Index: byNext, From: "", To: string(today.Add(1))}) {
		if err != nil {
			return failed("find actions whose day has come", err)
		}
		failures = errors.Join(failures, a.wake(ctx, doc, today))
	}
	return errors.Join(failures, a.settleContests(ctx, before))
}

// settle tells who is to be told of an action; where that fails the sweep does it.
func (a *Actions) settle(ctx context.Context, id string) {
	if err := a.pay(context.WithoutCancel(ctx), id); err != nil {
		a.log.WarnContext(ctx, "who is to hear of an action is told later", "action", id, "error", err)
	}
}

// pay tells all that stands in an action, and strikes it out.
func (a *Actions) pay(ctx context.Context, id string) error {
	d, _, err := a.get(ctx, id)
	if err != nil || len(d.Owed) == 0 {
		return err
	}
	var list []Telling
	for _, o := range d.Owed {
		entry := d.History[o.N]
		k := d.kept()
		list = append(list, Telling{
			ID: fmt.Sprintf("action/%s/%d", id, o.N), Action: &k, Event: string(entry.Event.Name), By: entry.By.Account,
			To: o.To, Unit: o.Unit, Officials: o.Officials, Level: o.Level, Clock: o.Clock, At: entry.At,
		})
	}
	if err := a.options.Tell(ctx, list); err != nil {
		return err
	}
	paid := d.Owed
	_, err = a.actions.Update(ctx, id, func(now *document) (bool, error) {
		before := len(now.Owed)
		now.Owed = slices.DeleteFunc(now.Owed, func(o owed) bool {
			return slices.ContainsFunc(paid, func(p owed) bool { return p.N == o.N && p.To == o.To })
		})
		if len(now.Owed) == 0 {
			now.Owed, now.OwedAt = nil, time.Time{}
		}
		return len(now.Owed) != before, nil
	})
	return failed("note who was told", err)
}

// wake lets an action do what it does by itself: reminders are told, clocks that are late escalate.
func (a *Actions) wake(ctx context.Context, doc store.Doc[document], today localday.Day) error {
	d := doc.Value
	m, err := a.options.Machine(d.Ordering)
	if err != nil {
		return err
	}
	if list := a.reminders(d, m, today); len(list) > 0 {
		if err := a.options.Tell(ctx, list); err != nil {
			return err // and told with the same ids the next time
		}
	}
	next := d
	events, err := m.WaitingOf(d.Action, a.now())
	if err != nil {
		a.log.WarnContext(ctx, "an action could not do what it does by itself", "action", d.ID, "error", err)
	}
	for _, event := range events {
		action, effects, err := m.ApplyAction(next.Action, event, casework.TheSystem(), a.now())
		if err != nil {
			a.log.WarnContext(ctx, "an action could not escalate", "action", d.ID, "error", err)
			break
		}
		next = a.after(next, action, effects, m)
	}
	a.time(&next, m, today)
	if _, err := a.actions.Replace(ctx, d.ID, next, doc.Version); err != nil {
		if errors.Is(err, store.ErrStale) { // somebody was first
			return nil
		}
		return failed("write an action", err)
	}
	if len(events) > 0 {
		return a.pay(ctx, d.ID)
	}
	return nil
}

// reminders are those of the days since the timer was set, of each clock the last one.
func (a *Actions) reminders(d document, m casework.Machine, today localday.Day) []Telling {
	last := map[string]casework.Reminder{}
	for day := max(d.Next, today.Add(-saidBefore)); day <= today; day = day.Add(1) {
		list, err := m.RemindersOf(d.Action, day)
		if err != nil {
			break
		}
		for _, one := range list {
			last[one.Clock] = one
		}
	}
	var out []Telling
	k := d.kept()
	for clock, reminder := range last {
		to, unit, officials := casework.TellUnit, d.Unit, []string(nil)
		if clock == casework.ClockConfirm {
			to, unit = casework.TellLeaders, d.Ordering
		}
		id := fmt.Sprintf("action/%s/%s/%d/%s/%d", d.ID, clock, len(d.Clocks), reminder.Kind, reminder.Days)
		out = append(out, Telling{ID: id, Action: &k, Reminder: &reminder, To: to, Unit: unit, Officials: officials, Clock: clock, At: a.now()})
		if clock != casework.ClockConfirm && d.Owner != "" {
			out = append(out, Telling{ID: id, Action: &k, Reminder: &reminder, To: casework.TellOwner, Unit: unit, Officials: []string{d.Owner}, Clock: clock, At: a.now()})
		}
	}
	return out
}
