package server

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/actions"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// actionService sees corrective actions and contests through.
type actionService struct {
	pb.UnimplementedActionServiceServer
	*application
}

// openActions opens corrective actions and contests, by the tables, files and units of the book of cases.
func (a *application) openActions(ctx context.Context) (err error) {
	a.actions, err = actions.Open(ctx, a.engine, actions.Options{
		Machine: a.casebook.Machine, Above: a.casebook.Above, Due: a.mostUrgent, Hold: a.casebook.HoldAttachments, Tell: a.tellOfActions, Logger: a.Logger, Now: a.Clock,
	})
	return err
}

// mostUrgent is the first day on which a clock that runs is due; "" where none does or no day can be found.
func (a *application) mostUrgent(_ string, clocks []casework.Clock) localday.Day {
	hours := a.officeHours(context.Background())
	first := localday.Day("")
	for _, clock := range clocks {
		if !clock.Running() {
			continue
		}
		if due, err := clock.Due(hours); err == nil && due.Day != "" && (first == "" || due.Day < first) {
			first = due.Day
		}
	}
	return first
}

// tellOfActions tells whoever is to hear of what happened to actions and contests.
func (a *application) tellOfActions(ctx context.Context, tellings []actions.Telling) error {
	var happened []happening
	for _, t := range tellings {
		what := a.happeningOfAction(t)
		if last := len(happened) - 1; last >= 0 && happened[last].ID == what.ID {
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

func (a *application) happeningOfAction(t actions.Telling) happening {
	out := happening{ID: t.ID, At: t.At, By: t.By, To: []audience{{To: t.To, Unit: t.Unit, Officials: t.Officials, Level: t.Level}}, Args: map[string]string{}}
	if t.Contest != nil {
		out.Topic, out.Unit, out.Link = "contest."+t.Event, t.Contest.Unit, "/contests"
		out.Args["unit"] = a.unitName(t.Contest.Unit)
		return out
	}
	out.Unit, out.Link = t.Action.Unit, "/actions/"+t.Action.ID
	out.Args["title"], out.Args["unit"], out.Args["due"] = t.Action.Product, a.unitName(t.Action.Unit), string(t.Action.Due)
	if t.Reminder != nil {
		out.Topic = "clock." + string(t.Reminder.Kind)
		out.Args["clock"], out.Args["days"] = t.Reminder.Clock, strconv.Itoa(t.Reminder.Days)
		return out
	}
	out.Topic = "action." + t.Event
	if t.Clock != "" {
		out.Args["clock"], out.Args["level"] = t.Clock, strconv.Itoa(t.Level)
	}
	return out
}

// readAction answers an action that the caller may see: of the subtree, or of one it stands in for.
func (s actionService) readAction(ctx context.Context, id string) (actions.Kept, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadCases); err != nil {
		return actions.Kept{}, err
	}
	action, err := s.actions.Get(ctx, id)
	if err != nil {
		return action, err
	}
	if !s.seesAction(caller, action) && !slices.ContainsFunc(s.standIns(ctx, caller.AccountID, nil), func(one casework.StandIn) bool {
		return s.within(action.Unit, one.Scope) || s.within(action.Ordering, one.Scope)
	}) {
		return actions.Kept{}, fault.New(fault.NotFound, "actions_unknown")
	}
	return action, nil
}

func (a *application) seesAction(caller identity.Caller, action actions.Kept) bool {
	scope := identity.Scope(caller)
	return a.within(action.Unit, scope) || a.within(action.Ordering, scope)
}

func (s actionService) OrderActions(ctx context.Context, request *pb.OrderActionsRequest) (*pb.OrderActionsResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.OrderActions); err != nil {
		return nil, err
	}
	ordering := cmp.Or(request.GetOrderingUnitId(), identity.Scope(caller))
	if ordering == "" && len(request.GetUnitIds()) > 0 { // whoever stands above all orders as the topmost unit
		above := s.directory.Tree().Ancestors(request.GetUnitIds()[0])
		if ordering = request.GetUnitIds()[0]; len(above) > 0 {
			ordering = above[len(above)-1].ID
		}
	}
	for _, unit := range append([]string{ordering}, request.GetUnitIds()...) {
		if _, there := s.directory.Tree().Get(unit); !there || !s.within(unit, identity.Scope(caller)) {
			return nil, fault.New(fault.NotFound, "unit_unknown", "unit", unit)
		}
	}
	if err := s.official(request.GetOwnerId(), request.GetUnitIds()...); err != nil {
		return nil, err
	}
	for _, id := range request.GetCaseIds() {
		if _, err := s.readCase(ctx, id); err != nil {
			return nil, err
		}
	}
	actor, err := s.caseActor(ctx, request.GetForAccountId(), append([]string{ordering}, request.GetUnitIds()...)...)
	if err != nil {
		return nil, err
	}
	ordered, err := s.actions.Order(ctx, actions.New{
		Order: request.GetOrderId(), Ordering: ordering, Units: request.GetUnitIds(), Owner: request.GetOwnerId(), Product: request.GetProduct(),
		Due: localday.Day(request.GetDueOn()), Cases: request.GetCaseIds(),
	}, actor)
	if err != nil {
		return nil, err
	}
	response := &pb.OrderActionsResponse{}
	for _, one := range ordered {
		response.Actions = append(response.Actions, s.actionProto(ctx, one))
	}
	return response, nil
}

// official makes sure that an official, where one is named, belongs to one of the units or below it.
func (s actionService) official(id string, units ...string) error {
	if id == "" {
		return nil
	}
	official, ok := s.directory.Official(id)
	if !ok || !slices.ContainsFunc(units, func(unit string) bool { return s.within(official.UnitID, unit) }) {
		return fault.New(fault.Invalid, "actions_owner_elsewhere")
	}
	return nil
}

func (s actionService) GetAction(ctx context.Context, request *pb.GetActionRequest) (*pb.GetActionResponse, error) {
	action, err := s.readAction(ctx, request.GetActionId())
	if err != nil {
		return nil, err
	}
	response := &pb.GetActionResponse{Action: s.actionProto(ctx, action)}
	called := caseService{application: s.application}.called(ctx)
	for _, e := range action.History {
		response.History = append(response.History, &pb.ActionEntry{
			At: timestamp(e.At), By: called(e.By.Account), Role: string(e.By.Role), StandingInFor: called(e.By.For), From: string(e.From), To: string(e.To),
			Event: string(e.Event.Name), Reason: e.Event.Reason, Evidence: e.Event.Evidence.Text, DueOn: string(e.Event.Due), UnitId: e.Event.Unit, OwnerId: e.Event.Owner,
		})
	}
	if response.Choices, err = s.choices(ctx, action); err != nil {
		return nil, err
	}
	for _, id := range action.Cases {
		if c, err := s.readCase(ctx, id); err == nil {
			response.Cases = append(response.Cases, s.caseProto(ctx, c))
		}
	}
	return response, nil
}

// choices are what the caller may do with an action now, in its own right before that of others.
func (s actionService) choices(ctx context.Context, action actions.Kept) ([]*pb.CaseChoice, error) {
	if !callerOf(ctx).May(identity.ActOnCases) {
		return nil, nil
	}
	machine, err := s.casebook.Machine(action.Ordering)
	if err != nil {
		return nil, err
	}
	actors, err := s.caseActors(ctx, action.Unit, action.Ordering)
	if err != nil {
		return nil, err
	}
	called := caseService{application: s.application}.called(ctx)
	var out []*pb.CaseChoice
	for _, actor := range actors {
		for _, row := range machine.ActionChoices(action.Action, actor, s.Clock()) {
			if slices.ContainsFunc(out, func(known *pb.CaseChoice) bool { return known.GetEvent() == string(row.Event) }) {
				continue
			}
			choice := &pb.CaseChoice{Event: string(row.Event), To: string(row.To)}
			for _, need := range row.Needs {
				choice.Needs = append(choice.Needs, string(need))
			}
			if actor.For != nil {
				choice.ForAccountId, choice.ForName = actor.For.Account, called(actor.For.Account)
			}
			out = append(out, choice)
		}
	}
	return out, nil
}

func (s actionService) ListActions(ctx context.Context, request *pb.ListActionsRequest) (*pb.ListActionsResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadCases); err != nil {
		return nil, err
	}
	top, err := caseService{application: s.application}.top(caller, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	list, next, err := s.actions.List(ctx, actions.Filter{
		Unit: top, Ended: request.GetList() == "ended", Late: request.GetList() == "late", Case: request.GetCaseId(), Order: request.GetOrderId(),
	}, store.Cursor(request.GetPageToken()), pageSize(request.GetPageSize()))
	if err != nil {
		return nil, err
	}
	response := &pb.ListActionsResponse{NextPageToken: string(next)}
	for _, one := range list {
		if !s.seesAction(caller, one) || request.GetList() == "mine" && !s.waitsForMe(ctx, one) {
			continue
		}
		response.Actions = append(response.Actions, s.actionProto(ctx, one))
	}
	return response, nil
}

// waitsForMe tells whether an action waits for the caller: to be reported by whoever is to do it, to be confirmed by whoever ordered it.
func (s actionService) waitsForMe(ctx context.Context, action actions.Kept) bool {
	choices, err := s.choices(ctx, action)
	if err != nil {
		return false
	}
	caller := callerOf(ctx)
	return slices.ContainsFunc(choices, func(choice *pb.CaseChoice) bool {
		switch choice.GetEvent() {
		case string(casework.Confirm):
			return true
		case string(casework.Report):
			return caller.Role != pb.Role_ROLE_LEADER && (action.Owner == "" || action.Owner == caller.OfficialID || caller.Role == pb.Role_ROLE_HEAD)
		}
		return false
	})
}

func (s actionService) ApplyActionEvent(ctx context.Context, request *pb.ApplyActionEventRequest) (*pb.Action, error) {
	if err := callerOf(ctx).Check(identity.ActOnCases); err != nil {
		return nil, err
	}
	action, err := s.readAction(ctx, request.GetActionId())
	if err != nil {
		return nil, err
	}
	event := casework.ActionEvent{
		Name: casework.Name(request.GetEvent()), Unit: request.GetUnitId(), Owner: request.GetOwnerId(), Due: localday.Day(request.GetDueOn()), Reason: request.GetReason(),
		Evidence: casework.Evidence{Text: request.GetEvidence()},
	}
	for _, file := range request.GetAttachments() {
		event.Evidence.Attachments = append(event.Evidence.Attachments, casework.Attachment{ID: file.GetId(), Name: file.GetName(), Type: file.GetType(), Size: file.GetSize()})
	}
	switch event.Name {
	case casework.Order, casework.Overdue:
		return nil, fault.New(fault.Denied, "casework_denied", "event", event.Name)
	case casework.HandOn:
		if _, there := s.directory.Tree().Get(event.Unit); !there || !s.within(event.Unit, action.Ordering) {
			return nil, fault.New(fault.NotFound, "unit_unknown", "unit", event.Unit)
		}
		if err := s.official(event.Owner, event.Unit); err != nil {
			return nil, err
		}
	}
	actor, err := s.caseActor(ctx, request.GetForAccountId(), action.Unit, action.Ordering)
	if err != nil {
		return nil, err
	}
	after, err := s.actions.Apply(ctx, action.ID, store.Version(request.GetVersion()), event, actor)
	var changed *actions.ChangedError
	if errors.As(err, &changed) && len(changed.Since) > 0 {
		in, last := languageOf(ctx), changed.Since[len(changed.Since)-1]
		return nil, fault.New(fault.Stale, "cases_changed", "who", caseService{application: s.application}.called(ctx)(last.By.Account),
			"event", in.Text("casework.event."+string(last.Event.Name)), "state", in.Text("casework.state."+string(changed.Now.State))).Because(err)
	}
	if err != nil {
		return nil, err
	}
	return s.actionProto(ctx, after), nil
}

// actionProto is an action as the contract has it.
func (a *application) actionProto(ctx context.Context, k actions.Kept) *pb.Action {
	out := &pb.Action{
		Id: k.ID, Version: int64(k.Version), State: string(k.State), Product: k.Product, OrderingUnitId: k.Ordering, UnitId: k.Unit, OwnerId: k.Owner,
		DueOn: string(k.Due), CaseIds: k.Cases, OrderId: k.Order, Evidence: k.Evidence.Text, Clocks: a.clocks(ctx, k.Clocks),
		OrderingUnitName: a.unitName(k.Ordering), UnitName: a.unitName(k.Unit), Late: k.Late(a.directory.Tree().Today()), ChangedAt: timestamp(k.ChangedAt),
	}
	if len(k.History) > 0 {
		out.OrderedAt = timestamp(k.History[0].At)
	}
	if official, ok := a.directory.Official(k.Owner); ok {
		out.OwnerName = official.Name
	}
	for _, file := range k.Evidence.Attachments {
		out.Attachments = append(out.Attachments, attachmentProto(file))
	}
	return out
}
