package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/casework/office"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s caseRulesService) SetStandIn(ctx context.Context, request *pb.SetStandInRequest) (*pb.StandIn, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.SetStandIns); err != nil {
		return nil, err
	}
	account, finder, err := s.onLeave(ctx, caller, request.GetAccountName())
	if err != nil {
		return nil, err
	}
	// Whoever chooses for oneself may choose any colleague; whether the two may stand in for each other is the office's to say.
	deputy, err := s.accounts.Named(ctx, finder, s.within, request.GetDeputyName())
	if err != nil {
		return nil, standInAccount(err)
	}
	for _, one := range []identity.Account{account, deputy} {
		if !one.DisabledAt.IsZero() {
			return nil, standInAccount(fault.New(fault.NotFound, "account_unknown"))
		}
		if one.Role == pb.Role_ROLE_ADMINISTRATOR || one.Role == pb.Role_ROLE_INSPECTOR {
			return nil, fault.New(fault.Invalid, "office_standin_role")
		}
	}
	made, err := s.office.SetStandIn(ctx, office.Leave{
		Account: somebody(account), Deputy: somebody(deputy), From: localday.Day(request.GetFrom()), To: localday.Day(request.GetTo()),
		Reason: request.GetReason(), By: changedBy(caller),
	})
	if fault.Of(err).Reason == "office_standin_elsewhere" && caller.AccountID == account.ID { // nothing is told of accounts elsewhere
		err = standInAccount(fault.New(fault.NotFound, "account_unknown"))
	}
	if err != nil {
		return nil, err
	}
	return s.standIn(caller, made), nil
}

// onLeave finds the account on leave, and as whom the one that stands in is looked for: for oneself anybody may choose, for others
// administrators may choose among those they govern.
func (s caseRulesService) onLeave(ctx context.Context, caller identity.Caller, name string) (identity.Account, identity.Caller, error) {
	if caller.AccountID != "" {
		own, err := s.accounts.Get(ctx, identity.System(), s.within, caller.AccountID)
		if err != nil {
			return own, caller, err
		}
		if name == "" || name == own.Name {
			return own, identity.System(), nil
		}
	}
	if !caller.May(identity.ManageAccounts) {
		return identity.Account{}, caller, fault.New(fault.Denied, "office_standin_other")
	}
	account, err := s.accounts.Named(ctx, caller, s.within, name)
	return account, caller, standInAccount(err)
}

// standInAccount says of an account that is not there what a form can show.
func standInAccount(err error) error {
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.Invalid, "office_standin_account").Because(err)
	}
	return err
}

func somebody(account identity.Account) office.Somebody {
	return office.Somebody{ID: account.ID, Name: account.Name, Unit: account.UnitID}
}

func (s caseRulesService) EndStandIn(ctx context.Context, request *pb.EndStandInRequest) (*pb.StandIn, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.SetStandIns); err != nil {
		return nil, err
	}
	stands, err := s.office.GetStandIn(ctx, request.GetStandInId())
	if err != nil {
		return nil, err
	}
	if !s.mayEnd(caller, stands) {
		return nil, fault.New(fault.NotFound, "office_standin_unknown")
	}
	ended, err := s.office.EndStandIn(ctx, stands.ID, changedBy(caller))
	if err != nil {
		return nil, err
	}
	return s.standIn(caller, ended), nil
}

func (s caseRulesService) mayEnd(caller identity.Caller, stands office.StandIn) bool {
	own := caller.AccountID != "" && (caller.AccountID == stands.Account.ID || caller.AccountID == stands.Deputy.ID)
	return own || caller.May(identity.ManageAccounts) && s.governs(caller, stands)
}

// governs tells whether the account on leave is within the caller's scope; one of everything is so for callers of everything only.
func (s caseRulesService) governs(caller identity.Caller, stands office.StandIn) bool {
	scope := identity.Scope(caller)
	return scope == "" || stands.Account.Unit != "" && s.within(stands.Account.Unit, scope)
}

func (s caseRulesService) standIn(caller identity.Caller, stands office.StandIn) *pb.StandIn {
	today, _ := localday.Of(s.Clock())
	return &pb.StandIn{
		Id: stands.ID, AccountId: stands.Account.ID, AccountName: stands.Account.Name, DeputyId: stands.Deputy.ID, DeputyName: stands.Deputy.Name,
		From: string(stands.From), To: string(stands.To), Until: string(stands.Until), Reason: stands.Reason,
		MadeBy: stands.MadeBy.Name, MadeAt: timestamp(stands.MadeAt), EndedBy: stands.EndedBy.Name, EndedAt: timestamp(stands.EndedAt),
		HoldsToday: stands.Holds(today), MayEnd: stands.Until >= today && s.mayEnd(caller, stands),
	}
}

func (s caseRulesService) ListStandIns(ctx context.Context, request *pb.ListStandInsRequest) (*pb.ListStandInsResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.SetStandIns); err != nil {
		return nil, err
	}
	response := &pb.ListStandInsResponse{}
	var list []office.StandIn
	var err error
	if request.GetAll() {
		if err := mayAny(caller, identity.ManageAccounts, identity.ReadAudit); err != nil {
			return nil, err
		}
		var next store.Cursor
		list, next, err = s.office.StandIns(ctx, store.Cursor(request.GetPageToken()), pageSize(request.GetPageSize()),
			func(stands office.StandIn) bool { return s.governs(caller, stands) })
		response.NextPageToken = string(next)
	} else {
		list, err = s.office.StandInsOf(ctx, caller.AccountID)
	}
	if err != nil {
		return nil, err
	}
	for _, one := range list {
		response.StandIns = append(response.StandIns, s.standIn(caller, one))
	}
	return response, nil
}
