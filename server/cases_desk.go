package server

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// awaited are the events that take a case on from a state: what somebody is waited for.
func awaited(state casework.State) []casework.Name {
	switch state { //nolint:exhaustive // in the others nobody of the office is waited for
	case casework.Received, casework.Reopened:
		return []casework.Name{casework.Assign, casework.RequestExplanation}
	case casework.Assigned:
		return []casework.Name{casework.RequestExplanation}
	case casework.ExplanationRequested, casework.Returned:
		return []casework.Name{casework.Submit}
	case casework.Explained:
		return []casework.Name{casework.Accept}
	case casework.Accepted:
		return []casework.Name{casework.File, casework.Reply}
	case casework.OutOfScope:
		return []casework.Name{casework.HandOver, casework.TakenUp, casework.RouteResult}
	}
	return nil
}

// awaitedOf are the states in which a role is waited for.
func awaitedOf(role casework.Role) []casework.State {
	switch role { //nolint:exhaustive // the others are never waited for
	case casework.Leader:
		return []casework.State{casework.Received, casework.Reopened, casework.Assigned, casework.Explained, casework.Accepted, casework.ExplanationRequested, casework.Returned}
	case casework.Head, casework.Official:
		return []casework.State{casework.ExplanationRequested, casework.Returned}
	case casework.Operator:
		return []casework.State{casework.Received, casework.Reopened, casework.Accepted, casework.OutOfScope}
	}
	return nil
}

// waitsFor is the event for which a case waits for one of the actors; "" = for none of them. A leader is waited for to explain only for a
// unit of its own.
func (s caseService) waitsFor(c casebook.Kept, machine casework.Machine, actors []casework.Actor) casework.Name {
	for _, actor := range actors {
		person := actor.Person
		if actor.For != nil {
			person = actor.For.Person
		}
		if !slices.Contains(awaitedOf(person.Role), c.State) {
			continue
		}
		rows := machine.Choices(c.Case, actor, s.Clock())
		for _, name := range awaited(c.State) {
			if name == casework.Submit && person.Role == casework.Leader && !slices.Contains(person.Heads, c.Assigned) ||
				name == casework.Reply && person.Role == casework.Leader {
				continue
			}
			if slices.ContainsFunc(rows, func(row casework.Row) bool { return row.Event == name }) {
				return name
			}
		}
	}
	return ""
}

// top is the subtree a caller asks about: the one named, or all of its own. NotFound "unit_unknown".
func (s caseService) top(caller identity.Caller, asked string) (string, error) {
	if asked == "" {
		return identity.Scope(caller), nil
	}
	if !s.within(asked, identity.Scope(caller)) {
		return "", fault.New(fault.NotFound, "unit_unknown", "unit", asked)
	}
	return asked, nil
}

// How many cases are looked at to find those that wait for somebody, and how many are counted.
const (
	lookedAt     = 500
	countedLate  = 1000
	shownWaiting = 3
	shownLate    = 10
	countedMine  = 100
)

// mine lists what waits for the caller, the most urgent first, at most limit; the cursor goes on after the last one looked at.
func (s caseService) mine(ctx context.Context, top string, after store.Cursor, limit int) ([]*pb.WaitingCase, store.Cursor, error) {
	own, err := s.caseActors(ctx)
	if err != nil {
		return nil, "", err
	}
	var states []casework.State
	for _, actor := range own {
		role := actor.Role
		if actor.For != nil {
			role = actor.For.Role
		}
		for _, state := range awaitedOf(role) {
			if !slices.Contains(states, state) {
				states = append(states, state)
			}
		}
	}
	if len(states) == 0 {
		return nil, "", nil
	}
	caller := callerOf(ctx)
	machines := map[string]casework.Machine{}
	var out []*pb.WaitingCase
	page, err := s.casebook.List(ctx, casebook.Filter{Unit: top, States: states}, after, lookedAt)
	if err != nil {
		return nil, "", err
	}
	for _, c := range page.Cases {
		if !s.visible(caller, c) && len(own) == 1 {
			continue
		}
		machine, known := machines[c.Receiving]
		if !known {
			if machine, err = s.casebook.Machine(c.Receiving); err != nil {
				return nil, "", err
			}
			machines[c.Receiving] = machine
		}
		actors, err := s.caseActors(ctx, c.Assigned, c.Receiving)
		if err != nil {
			return nil, "", err
		}
		if event := s.waitsFor(c, machine, actors); event != "" {
			out = append(out, &pb.WaitingCase{Case: s.caseProto(ctx, c), Event: string(event)})
			if len(out) == limit {
				break
			}
		}
	}
	return out, page.Next, nil
}

func (s caseService) GetCaseDesk(ctx context.Context, request *pb.GetCaseDeskRequest) (*pb.GetCaseDeskResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadCases); err != nil {
		return nil, err
	}
	top, err := s.top(caller, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	mine, _, err := s.mine(ctx, top, "", countedMine)
	if err != nil {
		return nil, err
	}
	response := &pb.GetCaseDeskResponse{Waiting: mine[:min(len(mine), shownWaiting)], WaitingCount: int32(len(mine))} //nolint:gosec // at most countedMine
	for _, one := range []struct {
		filter casebook.Filter
		count  *int32
	}{
		{casebook.Filter{Unit: top, Late: true}, &response.LateCount},
		{casebook.Filter{Unit: top, ResultMissing: true}, &response.ResultMissingCount},
		{casebook.Filter{Unit: top, Waiting: true}, &response.OpenCount},
	} {
		page, err := s.casebook.List(ctx, one.filter, "", countedLate)
		if err != nil {
			return nil, err
		}
		list := slices.DeleteFunc(page.Cases, func(c casebook.Kept) bool { return !s.visible(caller, c) })
		*one.count = int32(len(list)) //nolint:gosec // at most countedLate
		if one.filter.Late {
			for _, c := range list[:min(len(list), shownLate)] {
				response.Late = append(response.Late, s.caseProto(ctx, c))
			}
		}
	}
	return response, nil
}

func (s caseService) ListCases(ctx context.Context, request *pb.ListCasesRequest) (*pb.ListCasesResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadCases); err != nil {
		return nil, err
	}
	top, err := s.top(caller, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	after, size := store.Cursor(request.GetPageToken()), pageSize(request.GetPageSize())
	response := &pb.ListCasesResponse{}
	if request.GetList() == "mine" {
		mine, next, err := s.mine(ctx, top, after, size)
		if err != nil {
			return nil, err
		}
		for _, one := range mine {
			response.Cases = append(response.Cases, one.GetCase())
		}
		response.NextPageToken = string(next)
		return response, nil
	}
	if rating := request.GetRatingId(); rating != "" {
		held, err := s.casebook.ByRating(ctx, rating)
		if err != nil {
			return nil, err
		}
		for _, c := range held {
			if s.visible(caller, c) {
				response.Cases = append(response.Cases, s.caseProto(ctx, c))
			}
		}
		return response, nil
	}
	filter, err := s.caseFilter(ctx, request, top)
	if err != nil {
		return nil, err
	}
	page, err := s.casebook.List(ctx, filter, after, size)
	if err != nil {
		return nil, err
	}
	response.NextPageToken = string(page.Next)
	for _, c := range page.Cases {
		if s.visible(caller, c) || s.visibleForOthers(ctx, caller, c) {
			response.Cases = append(response.Cases, s.caseProto(ctx, c))
		}
	}
	return response, nil
}

// caseFilter is what a caller asks for. Text that is a citizen's code or a number of the register asks for that case alone. Invalid "cases_states".
func (s caseService) caseFilter(ctx context.Context, request *pb.ListCasesRequest, top string) (casebook.Filter, error) {
	f := casebook.Filter{Unit: top, Source: casework.Source(request.GetSource()), From: localday.Day(request.GetFrom()), To: localday.Day(request.GetTo())}
	switch request.GetList() {
	case "late":
		f.Late = true
	case "result_missing":
		f.ResultMissing = true
	case "", "open":
		f.Waiting = true
	}
	for _, state := range request.GetStates() {
		if !slices.Contains(casework.States(), casework.State(state)) {
			return f, fault.New(fault.Invalid, "cases_state_unknown", "state", state)
		}
		f.States = append(f.States, casework.State(state))
	}
	if len(f.States) > 0 && f.Waiting && request.GetList() == "" {
		f.Waiting = false
	}
	for _, day := range []localday.Day{f.From, f.To} {
		if day != "" {
			if _, err := localday.Parse(string(day)); err != nil {
				return f, fault.New(fault.Invalid, "cases_day_invalid")
			}
		}
	}
	text := strings.TrimSpace(request.GetText())
	if number, ok := s.numberOf(text); ok {
		return casebook.Filter{Number: number, Unit: top}, nil
	}
	if code, err := casework.ParseCode(text); err == nil {
		if found, err := s.casebook.ByCode(ctx, string(code)); err == nil {
			return casebook.Filter{Number: found.Number, Unit: top}, nil
		}
	}
	f.Text = text
	return f, nil
}

// shownNumber as people type it: 12/2026/code-of-the-unit.
var typedNumber = regexp.MustCompile(`^(\d{1,9})/(\d{4})/(\S{1,100})$`)

func (s caseService) numberOf(text string) (casework.Number, bool) {
	parts := typedNumber.FindStringSubmatch(text)
	if parts == nil {
		return casework.Number{}, false
	}
	unit, ok := unitResolver{s.directory}.ResolveUnit(parts[3])
	if !ok {
		return casework.Number{}, false
	}
	n, _ := strconv.Atoi(parts[1]) // digits, few
	year, _ := strconv.Atoi(parts[2])
	return casework.Number{Unit: unit, Year: year, N: n}, true
}
