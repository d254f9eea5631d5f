package server

import (
	"context"
	"slices"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// caseRoles are what roles of accounts are to a case.
func caseRole(role pb.Role) casework.Role {
	switch role {
	case pb.Role_ROLE_ADMINISTRATOR:
		return casework.Administrator
	case pb.Role_ROLE_LEADER:
		return casework.Leader
	case pb.Role_ROLE_HEAD:
		return casework.Head
	case pb.Role_ROLE_OPERATOR:
		return casework.Operator
	case pb.Role_ROLE_OFFICIAL:
		return casework.Official
	case pb.Role_ROLE_INSPECTOR:
		return casework.Inspector
	case pb.Role_ROLE_UNSPECIFIED:
	}
	return ""
}

// caseActor is the caller as casework knows people, standing in for another account where one is named. units are those of the case, so that
// whoever heads what they were merged into is known to head them.
func (a *application) caseActor(ctx context.Context, standingInFor string, units ...string) (casework.Actor, error) {
	caller := callerOf(ctx)
	if caller.Kind == identity.CallerSystem {
		return casework.TheSystem(), nil
	}
	actor := casework.Actor{Person: casework.Person{
		Account: caller.AccountID, Official: caller.OfficialID, Role: caseRole(caller.Role), Scope: caller.UnitID, Heads: a.heads(caller.Heads, units),
	}}
	if standingInFor == "" {
		return actor, nil
	}
	for _, one := range a.standIns(ctx, caller.AccountID, units) {
		if one.Account == standingInFor {
			actor.For = &one
			return actor, nil
		}
	}
	return actor, fault.New(fault.Denied, "cases_stand_in_unknown")
}

// caseActors are all the ways in which the caller may act: in its own right, and for each account it stands in for today.
func (a *application) caseActors(ctx context.Context, units ...string) ([]casework.Actor, error) {
	own, err := a.caseActor(ctx, "", units...)
	if err != nil {
		return nil, err
	}
	actors := []casework.Actor{own}
	for _, one := range a.standIns(ctx, own.Account, units) {
		actor := own
		actor.For = &one
		actors = append(actors, actor)
	}
	return actors, nil
}

// standIns are those on leave for whom an account stands in today. What cannot be read is nobody: less may be done then, never more.
func (a *application) standIns(ctx context.Context, account string, units []string) []casework.StandIn {
	if account == "" {
		return nil
	}
	day, _ := localday.Of(a.Clock())
	list, err := a.office.StandingFor(ctx, account, day)
	if err != nil {
		a.Logger.WarnContext(ctx, "who stands in for whom cannot be read", "error", err)
		return nil
	}
	var out []casework.StandIn
	for _, one := range list {
		on, err := a.accounts.Known(ctx, one.Account.ID)
		if err != nil || !on.DisabledAt.IsZero() {
			continue
		}
		out = append(out, casework.StandIn{
			Person: casework.Person{Account: on.ID, Official: on.OfficialID, Role: caseRole(on.Role), Scope: on.UnitID, Heads: a.heads(on.HeadsUnits(), units)},
			From:   one.From, To: one.Until,
		})
	}
	return out
}

// heads are units somebody heads, and those of the units asked about that were merged into one of them.
func (a *application) heads(units, asked []string) []string {
	if len(units) == 0 {
		return nil
	}
	out := slices.Clone(units)
	for _, id := range asked {
		if slices.Contains(units, a.directory.Tree().PlaceToday(id)) && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}
