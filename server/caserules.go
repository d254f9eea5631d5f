package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/casework/office"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// caseRulesService keeps what an office decides about its casework.
type caseRulesService struct {
	pb.UnimplementedCaseRulesServiceServer
	*application
}

// openOffice opens the rules of casework.
func (a *application) openOffice(ctx context.Context) (err error) {
	a.office, err = office.Open(ctx, a.engine, office.Options{Feed: a.bus, Tree: a.directory.Tree, Logger: a.Logger, Now: a.Clock})
	if err == nil {
		a.closers = append(a.closers, closing(a.office.Close))
	}
	return err
}

// mayAny is Check of the first action, where the caller may none of them.
func mayAny(caller identity.Caller, actions ...identity.Action) error {
	for _, action := range actions {
		if caller.May(action) {
			return nil
		}
	}
	return caller.Check(actions[0])
}

// ruled checks that a unit's rules are the caller's to see or to change: outside of the caller's scope it is not there. Rules for everything
// are for accounts of everything.
func (s caseRulesService) ruled(ctx context.Context, unitID string, actions ...identity.Action) (identity.Caller, error) {
	caller := callerOf(ctx)
	if err := mayAny(caller, actions...); err != nil {
		return caller, err
	}
	if unitID == "" && identity.Scope(caller) == "" {
		return caller, nil
	}
	if _, there := s.directory.Tree().Get(unitID); !there || !s.within(unitID, identity.Scope(caller)) {
		return caller, fault.New(fault.NotFound, "unit_unknown", "unit", unitID)
	}
	return caller, nil
}

func changedBy(caller identity.Caller) office.By {
	return office.By{Account: caller.AccountID, Name: caller.Name}
}

// unitNameFor is a unit's name today; "" where the caller may not see it.
func (a *application) unitNameFor(caller identity.Caller, unitID string) string {
	tree := a.directory.Tree()
	u, there := tree.Get(unitID)
	if !there || !a.within(unitID, identity.Scope(caller)) {
		return ""
	}
	return u.Near(tree.Today()).Name
}

func (s caseRulesService) origin(caller identity.Caller, unitID string, product, own bool, made office.Change) *pb.RuleOrigin {
	return &pb.RuleOrigin{
		ProductDefault: product, Own: own, UnitId: unitID, UnitName: s.unitNameFor(caller, unitID), DecidedAt: timestamp(made.At), DecidedBy: made.By.Name,
	}
}

func (s caseRulesService) GetDeadlineRules(ctx context.Context, request *pb.GetDeadlineRulesRequest) (*pb.DeadlineRules, error) {
	caller, err := s.ruled(ctx, request.GetUnitId(), identity.ReadCases, identity.ChangeCaseRules)
	if err != nil {
		return nil, err
	}
	return s.table(caller, request.GetUnitId(), s.office.Table(request.GetUnitId())), nil
}

func (s caseRulesService) table(caller identity.Caller, unitID string, table office.Table) *pb.DeadlineRules {
	return &pb.DeadlineRules{
		UnitId: unitID, Origin: s.origin(caller, table.Unit, table.Default, table.Own, table.Made), Version: table.Version,
		Yaml: table.YAML(), Rules: deadlineRules(table.Rules),
	}
}

func deadlineRules(rules deadline.Rules) []*pb.DeadlineRule {
	var out []*pb.DeadlineRule
	for _, rule := range rules.All() {
		one := &pb.DeadlineRule{
			Id: rule.ID, Days: count32(rule.Term.Days), Count: string(rule.Term.Count), ExtensionDays: count32(rule.Extension), Suspends: rule.Suspends,
			RemindBeforeDays: counts32(rule.RemindBefore), RemindAfterDays: counts32(rule.RemindAfter), EscalateAfterDays: counts32(rule.EscalateAfter),
			NotLaw: rule.NotLaw, Source: rule.Source, Note: rule.Note,
		}
		for _, in := range []string{"vi", "en"} {
			if title := rule.Titles[in]; title != "" {
				one.Titles = append(one.Titles, &pb.LocalText{Language: in, Text: title})
			}
		}
		out = append(out, one)
	}
	return out
}

// count32 is a number of days, which package deadline keeps small.
func count32(n int) int32 { return int32(min(n, 1<<30)) } //nolint:gosec // bounded just here

func counts32(list []int) []int32 {
	out := make([]int32, 0, len(list))
	for _, n := range list {
		out = append(out, count32(n))
	}
	return out
}

func (s caseRulesService) SaveDeadlineRules(ctx context.Context, request *pb.SaveDeadlineRulesRequest) (*pb.DeadlineRules, error) {
	caller, err := s.ruled(ctx, request.GetUnitId(), identity.ChangeCaseRules)
	if err != nil {
		return nil, err
	}
	if request.GetCheckOnly() {
		rules, err := office.CheckDeadlines(request.GetYaml())
		if err != nil {
			return nil, everyFault(ctx, err)
		}
		checked := s.office.Table(request.GetUnitId())
		checked.Rules = rules
		return s.table(caller, request.GetUnitId(), checked), nil
	}
	table, err := s.office.SaveDeadlines(ctx, request.GetUnitId(), request.GetYaml(), request.GetVersion(), changedBy(caller))
	if err != nil {
		return nil, everyFault(ctx, err)
	}
	s.retime(ctx)
	return s.table(caller, request.GetUnitId(), table), nil
}

func (s caseRulesService) GetOpeningRule(ctx context.Context, request *pb.GetOpeningRuleRequest) (*pb.OpeningRule, error) {
	caller, err := s.ruled(ctx, request.GetUnitId(), identity.ReadCases, identity.ChangeCaseRules)
	if err != nil {
		return nil, err
	}
	return s.opening(caller, request.GetUnitId(), s.office.Opening(request.GetUnitId())), nil
}

func (s caseRulesService) opening(caller identity.Caller, unitID string, rule office.Ruled) *pb.OpeningRule {
	out := s.openingOf(caller, unitID, rule.Opening)
	out.Origin, out.Version = s.origin(caller, rule.Unit, rule.Default, rule.Own, rule.Made), rule.Version
	return out
}

func (s caseRulesService) openingOf(caller identity.Caller, unitID string, rule office.Opening) *pb.OpeningRule {
	return &pb.OpeningRule{
		UnitId: unitID, Scores: rule.Scores, Channels: rule.Channels, With: string(rule.With), RegisterUnitId: rule.Register,
		RegisterUnitName: s.unitNameFor(caller, rule.Register), EraseContactsAfterDays: count32(rule.EraseContacts), CopiedPercent: count32(rule.Copied),
	}
}

func (s caseRulesService) SaveOpeningRule(ctx context.Context, request *pb.SaveOpeningRuleRequest) (*pb.OpeningRule, error) {
	caller, err := s.ruled(ctx, request.GetUnitId(), identity.ChangeCaseRules)
	if err != nil {
		return nil, err
	}
	var wanted *office.Opening
	if rule := request.GetRule(); rule != nil {
		wanted = &office.Opening{
			Scores: rule.GetScores(), Channels: rule.GetChannels(), With: office.With(rule.GetWith()), Register: rule.GetRegisterUnitId(),
			EraseContacts: int(rule.GetEraseContactsAfterDays()), Copied: int(rule.GetCopiedPercent()),
		}
		if wanted.Register != "" && !s.within(wanted.Register, identity.Scope(caller)) {
			return nil, everyFault(ctx, fault.Faults{fault.New(fault.Invalid, "office_opening_register", "field", "register_unit_id")})
		}
	}
	rule, err := s.office.SaveOpening(ctx, request.GetUnitId(), wanted, request.GetVersion(), changedBy(caller))
	if err != nil {
		return nil, everyFault(ctx, err)
	}
	return s.opening(caller, request.GetUnitId(), rule), nil
}

func (s caseRulesService) ListRuleChanges(ctx context.Context, request *pb.ListRuleChangesRequest) (*pb.ListRuleChangesResponse, error) {
	caller := callerOf(ctx)
	if err := mayAny(caller, identity.ReadAudit, identity.ChangeCaseRules); err != nil {
		return nil, err
	}
	top := identity.Scope(caller)
	if request.GetUnitId() != "" {
		if !s.within(request.GetUnitId(), top) {
			return nil, fault.New(fault.NotFound, "unit_unknown", "unit", request.GetUnitId())
		}
		top = request.GetUnitId()
	}
	changes, next, err := s.office.Changes(ctx, store.Cursor(request.GetPageToken()), pageSize(request.GetPageSize()), func(c office.Change) bool {
		return top == "" || c.Unit != "" && s.within(c.Unit, top)
	})
	if err != nil {
		return nil, err
	}
	response := &pb.ListRuleChangesResponse{NextPageToken: string(next)}
	for _, c := range changes {
		one := &pb.RuleChange{
			Number: c.N, At: timestamp(c.At), AccountId: c.By.Account, AccountName: c.By.Name, UnitId: c.Unit, UnitName: s.unitNameFor(caller, c.Unit),
			What: string(c.What), DeadlinesBefore: c.Was.Deadlines, DeadlinesAfter: c.Deadlines,
		}
		if c.Opening != nil {
			one.OpeningAfter = s.openingOf(caller, c.Unit, *c.Opening)
		}
		if c.Was.Opening != nil {
			one.OpeningBefore = s.openingOf(caller, c.Unit, *c.Was.Opening)
		}
		response.Changes = append(response.Changes, one)
	}
	return response, nil
}
