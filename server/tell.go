package server

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/notice"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// happening is something that happened, and who is to hear of it.
type happening struct {
	ID    string // the same whenever it is told; of what happened, not of who is told
	Topic string // such as "case.accept", "action.order", "clock.remind_before", "contest.open"
	Unit  string // where
	Link  string // path of the page
	Args  map[string]string
	At    time.Time
	By    string // account that did it, which knows; "" = it happened by itself
	To    []audience
}

// audience is who is meant, as a row of casework's tables says it.
type audience struct {
	To        casework.Audience
	Unit      string   // it belongs to
	Accounts  []string // authors
	Officials []string // asked, about whom it is, who is to do it
	Level     int      // of TellAbove
	Into      string   // of TellTarget: a case
}

// audienceOf is the audience of an effect; false where the effect tells nobody.
func audienceOf(effect casework.Effect) (audience, bool) {
	return audience{
		To: effect.To, Unit: effect.Unit, Accounts: effect.Accounts, Officials: effect.Officials, Level: effect.Level, Into: effect.Case,
	}, effect.Kind == casework.Tell
}

// accountFinder finds accounts that can sign in; identity.Accounts is one.
type accountFinder interface {
	OfUnit(ctx context.Context, unit string, roles ...pb.Role) ([]identity.Account, error)
	OfOfficial(ctx context.Context, official string) ([]identity.Account, error)
	Heading(ctx context.Context, unit string) ([]identity.Account, error)
	Known(ctx context.Context, id string) (identity.Account, error)
}

// audiences finds the accounts that an audience is.
type audiences struct {
	accounts accountFinder
	tree     func() *unit.Tree
	// standIn answers the account that stands in for another on a day; "" = none.
	standIn func(ctx context.Context, account string, day localday.Day) (string, error)
	// inCharge answers the unit in charge of a case, else the one that received it.
	inCharge func(ctx context.Context, caseID string) (string, error)
}

// audiences finds who is meant, in this installation.
func (a *application) audiences() audiences {
	return audiences{
		accounts: a.accounts, tree: a.directory.Tree,
		standIn: func(ctx context.Context, account string, day localday.Day) (string, error) {
			leave, there, err := a.office.DeputyOf(ctx, account, day)
			if err != nil || !there {
				return "", err
			}
			return leave.Deputy.ID, nil
		},
		inCharge: func(ctx context.Context, caseID string) (string, error) {
			c, err := a.casebook.Get(ctx, caseID)
			return cmp.Or(c.Assigned, c.Receiving), err
		},
	}
}

// told is an account that hears of something, and why.
type told struct {
	identity.Account
	as        casework.Audience
	standsFor string // whom it stands in for, by name; "" = it is told itself
}

// tell keeps notices of what happened for everybody who is to hear of it, and for webhooks. It may be told the same again, and must be until it answers without an error.
func (a *application) tell(ctx context.Context, what happening) error {
	day, _ := localday.Of(a.Clock())
	listeners, err := a.audiences().all(ctx, what.To, what.By, day)
	if err != nil {
		return err
	}
	message := notice.Message{ID: what.ID, Topic: what.Topic, Unit: what.Unit, Link: what.Link, Args: what.Args, At: what.At}
	messages := []notice.Message{message} // of this one only webhooks hear, also where it concerns no account
	for _, listener := range listeners {
		own := message
		own.Account = listener.ID
		own.Args = map[string]string{"audience": string(listener.as)}
		for name, value := range what.Args {
			own.Args[name] = value
		}
		if listener.standsFor != "" {
			own.Args["for"] = listener.standsFor
		}
		messages = append(messages, own)
	}
	return a.notices.Tell(ctx, messages)
}

// all are the accounts of some audiences, each once, for the first reason it has, with those that stand in for them.
func (a audiences) all(ctx context.Context, list []audience, by string, day localday.Day) ([]told, error) {
	var out []told
	heard := func(id string) bool {
		return id == by || slices.ContainsFunc(out, func(t told) bool { return t.ID == id })
	}
	for _, one := range list {
		accounts, err := a.of(ctx, one)
		if err != nil {
			return nil, err
		}
		for _, account := range accounts {
			if !heard(account.ID) {
				out = append(out, told{Account: account, as: one.To})
			}
		}
	}
	for _, one := range slices.Clone(out) {
		deputy, err := a.deputy(ctx, one.ID, day)
		if err != nil {
			return nil, err
		}
		if deputy.ID != "" && !heard(deputy.ID) {
			out = append(out, told{Account: deputy, as: one.as, standsFor: one.Called()})
		}
	}
	return out, nil
}

// deputy is who stands in for an account; the zero account where nobody does.
func (a audiences) deputy(ctx context.Context, account string, day localday.Day) (identity.Account, error) {
	if a.standIn == nil {
		return identity.Account{}, nil
	}
	id, err := a.standIn(ctx, account, day)
	if err != nil || id == "" {
		return identity.Account{}, err
	}
	return a.known(ctx, id)
}

// known is an account that can sign in; the zero account where it cannot.
func (a audiences) known(ctx context.Context, id string) (identity.Account, error) {
	account, err := a.accounts.Known(ctx, id)
	if fault.Is(err, fault.NotFound) || err == nil && !account.DisabledAt.IsZero() {
		return identity.Account{}, nil
	}
	return account, err
}

// of are the accounts of one audience. Citizens have none: they follow their case on the public page.
func (a audiences) of(ctx context.Context, one audience) ([]identity.Account, error) {
	switch one.To {
	case casework.TellDesk:
		return a.nearest(ctx, one.Unit, pb.Role_ROLE_OPERATOR)
	case casework.TellLeaders:
		return a.nearest(ctx, one.Unit, pb.Role_ROLE_LEADER)
	case casework.TellUnit:
		return a.heads(ctx, one.Unit)
	case casework.TellTarget:
		if one.Into != "" && a.inCharge != nil {
			in, err := a.inCharge(ctx, one.Into)
			if err != nil {
				return nil, err
			}
			one.Unit = in
		}
		return a.heads(ctx, one.Unit)
	case casework.TellAsked, casework.TellSubjects, casework.TellOwner:
		var out []identity.Account
		for _, official := range one.Officials {
			found, err := a.accounts.OfOfficial(ctx, official)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
		return out, nil
	case casework.TellAuthor:
		var out []identity.Account
		for _, id := range one.Accounts {
			account, err := a.known(ctx, id)
			if err != nil {
				return nil, err
			}
			if account.ID != "" {
				out = append(out, account)
			}
		}
		return out, nil
	case casework.TellAbove:
		return a.above(ctx, one.Unit, max(one.Level, 1))
	case casework.TellCitizen:
	}
	return nil, nil
}

// way is a unit of today and those above it, nearest first; at its end "", where those are who see everything.
func (a audiences) way(id string) []string {
	tree := a.tree()
	if id != "" && !tree.On(tree.Today()).Has(id) { // it ended: what took its place answers
		id = tree.PlaceToday(id)
	}
	way := []string{}
	if id != "" {
		way = append(way, id)
	}
	for _, above := range tree.Ancestors(id) {
		way = append(way, above.ID)
	}
	return append(way, "")
}

// nearest are the accounts of a role in a unit, else in the nearest unit above it that has any.
func (a audiences) nearest(ctx context.Context, id string, role pb.Role) ([]identity.Account, error) {
	for _, at := range a.way(id) {
		found, err := a.accounts.OfUnit(ctx, at, role)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// heads are who heads a unit, else its leaders, else those of the nearest unit above it that has any.
func (a audiences) heads(ctx context.Context, id string) ([]identity.Account, error) {
	for _, at := range a.way(id) {
		found, err := a.accounts.Heading(ctx, at)
		if err == nil && len(found) == 0 {
			found, err = a.accounts.OfUnit(ctx, at, pb.Role_ROLE_LEADER)
		}
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// above are leaders so many levels above a unit. Levels without leaders are passed by; beyond the top the topmost that are there are told again.
func (a audiences) above(ctx context.Context, id string, level int) ([]identity.Account, error) {
	way := a.way(id)
	start := min(level, len(way)-1)
	for i := start; i < len(way); i++ {
		found, err := a.accounts.OfUnit(ctx, way[i], pb.Role_ROLE_LEADER)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	for i := start - 1; i >= 0; i-- {
		found, err := a.accounts.OfUnit(ctx, way[i], pb.Role_ROLE_LEADER)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}
