package server

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/officehours"
	"github.com/hailong-vn/hailong/internal/secret"
)

// openCasebook opens the book of cases, which goes by what offices decided and tells who is to be told.
func (a *application) openCasebook(ctx context.Context, keys secret.Keys) (err error) {
	a.caseOptions = casebook.Options{
		Keys: keys, Tree: a.directory.Tree, Rules: a.office.Rules, Hours: func(string) officehours.Hours { return a.officeHours(context.Background()) },
		Tell: a.tellOfCases, Feed: a.bus, Logger: a.Logger, Now: a.Clock,
		ContactDays: func(receiving string) int { return a.office.Opening(receiving).EraseContacts },
	}
	a.casebook, err = casebook.Open(ctx, a.engine, a.caseOptions)
	return err
}

// officeHours are the hours by which deadlines count. Where they cannot be read the last ones known hold, and without any the seed:
// an opinion is taken up all the same, and clocks are counted anew when they are looked at.
func (a *application) officeHours(ctx context.Context) officehours.Hours {
	hours, _, err := a.hours.Hours(ctx)
	if err != nil {
		a.Logger.WarnContext(ctx, "office hours cannot be read", "error", err)
		if last := a.lastHours.Load(); last != nil {
			return *last
		}
		return hours
	}
	a.lastHours.Store(&hours)
	return hours
}

// tellOfCases tells whoever is to hear of what happened to cases.
func (a *application) tellOfCases(ctx context.Context, tellings []casebook.Telling) error {
	var happened []happening
	for _, t := range tellings {
		what := a.happeningOf(ctx, t)
		if last := len(happened) - 1; last >= 0 && happened[last].ID == what.ID { // the same for others: nobody is told twice
			happened[last].To = append(happened[last].To, what.To...)
			continue
		}
		happened = append(happened, what)
	}
	var failed error
	for _, what := range happened {
		failed = errors.Join(failed, a.tell(ctx, what))
	}
	return failed
}

// happeningOf is a telling in the words of notices. It holds no personal data: a number, a title in the office's own words, units, days.
func (a *application) happeningOf(ctx context.Context, t casebook.Telling) happening {
	unit := cmp.Or(t.Case.Assigned, t.Case.Receiving)
	out := happening{
		ID: strings.TrimSuffix(t.ID, "/"+string(t.To)), Unit: unit, Link: "/cases/" + t.Case.ID, At: t.At,
		To: []audience{{To: t.To, Unit: t.Unit, Accounts: t.Accounts, Officials: t.Officials, Level: t.Level, Into: t.Into}},
		Args: map[string]string{
			"number": a.shownNumber(t.Case.Number), "title": t.Case.Title, "unit": a.unitName(unit), "state": string(t.Case.State), "case": t.Case.ID,
		},
	}
	due := t.Due
	if due == "" && t.Case.Due != casebook.NoDue {
		due = t.Case.Due
	}
	if due != "" {
		out.Args["due"] = string(due)
	}
	switch {
	case t.Reminder != nil:
		out.Topic = "clock." + string(t.Reminder.Kind)
		out.Args["clock"], out.Args["days"] = t.Reminder.Clock, strconv.Itoa(t.Reminder.Days)
	case t.Entry != nil:
		out.Topic, out.By = "case."+string(t.Entry.Event.Name), t.Entry.By.Account
		if t.Entry.Event.Name == casework.Escalate {
			out.Args["clock"], out.Args["level"] = cmp.Or(t.Clock, t.Entry.Event.Clock), strconv.Itoa(t.Level)
		}
	}
	return out
}

// retime counts the clocks of all cases anew after deadlines or the calendar changed. It may take a while, and is done each day anyway.
func (a *application) retime(ctx context.Context) {
	go func() {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		stop := context.AfterFunc(a.ending, cancel)
		defer stop()
		if err := a.casebook.Retime(ctx); err != nil && ctx.Err() == nil {
			a.Logger.WarnContext(ctx, "clocks are counted anew within a day, not now", "error", err)
		}
	}()
}
