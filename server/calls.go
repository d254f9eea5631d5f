package server

import (
	"cmp"
	"context"
	"slices"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/hotline"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/notice"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// callService is the hotline.
type callService struct {
	pb.UnimplementedCallServiceServer
	*application
}

// newCallsPerAccount bounds how many new calls an account may begin: a busy operator, not a program that fills the log.
var newCallsPerAccount = bus.Limit{Rate: 60, Per: minute, Burst: 120}

// savesPerAccount is a save each second in several tabs.
var savesPerAccount = bus.Limit{Rate: 600, Per: minute, Burst: 600}

// operator checks that the caller takes calls, and in the unit ("" = the top of its subtree), which is answered.
func (s callService) operator(ctx context.Context, unitID string) (hotline.Operator, string, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.TakeCalls); err != nil {
		return hotline.Operator{}, "", err
	}
	unitID, err := s.unitOf(caller, unitID)
	return hotline.Operator{Account: caller.AccountID, Name: cmp.Or(caller.Display, caller.Name)}, unitID, err
}

// unitOf is a unit within the caller's subtree; "" = its top.
func (s callService) unitOf(caller identity.Caller, unitID string) (string, error) {
	scope := identity.Scope(caller)
	if unitID == "" {
		return scope, nil
	}
	if _, known := s.directory.Tree().Get(unitID); !known || !s.within(unitID, scope) {
		return "", fault.New(fault.NotFound, "unit_unknown", "unit", unitID)
	}
	return unitID, nil
}

// read answers a call that the caller may read; one outside its subtree is not there for it.
func (s callService) read(ctx context.Context, action identity.Action, id string) (hotline.Call, error) {
	caller := callerOf(ctx)
	if err := caller.Check(action); err != nil {
		return hotline.Call{}, err
	}
	call, err := s.hotline.Get(ctx, id)
	if err == nil && !s.sees(caller, call) {
		err = fault.New(fault.NotFound, "hotline_call_unknown")
	}
	return call, err
}

// sees tells whether a call lies within the caller's subtree; its own are always its own.
func (s callService) sees(caller identity.Caller, call hotline.Call) bool {
	scope := identity.Scope(caller)
	return scope == "" || caller.AccountID != "" && call.Operator == caller.AccountID || call.Unit != "" && s.within(call.Unit, scope)
}

// draft reads what is written down, and checks what it names.
func (s callService) draft(ctx context.Context, asked *pb.CallDraft) (hotline.Draft, error) {
	_, unitID, err := s.operator(ctx, asked.GetUnitId())
	if err != nil {
		return hotline.Draft{}, err
	}
	d := hotline.Draft{
		ID: asked.GetId(), Unit: unitID, Direction: hotline.Direction(asked.GetDirection()),
		Caller:  hotline.Caller{Name: asked.GetName(), Phone: asked.GetPhone()},
		Returns: cmp.Or(asked.GetReturnsCallId(), asked.GetReturnsRatingId()),
		Written: hotline.Written{
			Kind: hotline.Kind(asked.GetKind()), About: asked.GetAboutUnitId(), Official: asked.GetOfficialId(), Summary: asked.GetSummary(),
			Result: asked.GetResult(), CallBackOn: localday.Day(asked.GetCallBackOn()),
		},
	}
	if asked.GetStartedAt() != nil {
		d.Started = asked.GetStartedAt().AsTime()
	}
	return d, s.namesOfficial(asked.GetOfficialId())
}

func (s callService) namesOfficial(id string) error {
	if _, known := s.directory.Official(id); id != "" && !known {
		return fault.New(fault.NotFound, "official_unknown", "official", id)
	}
	return nil
}

func (s callService) allow(ctx context.Context, what string, limit bus.Limit) error {
	if decision := s.bus.Allow(ctx, what+callerOf(ctx).AccountID, limit, 1); !decision.Allowed {
		return fault.New(fault.Exhausted, "too_often", "seconds", int(decision.RetryAfter.Seconds())+1)
	}
	return nil
}

func (s callService) SaveCall(ctx context.Context, request *pb.SaveCallRequest) (*pb.Call, error) {
	by, _, err := s.operator(ctx, "")
	if err != nil {
		return nil, err
	}
	draft, err := s.draft(ctx, request.GetCall())
	if err != nil {
		return nil, err
	}
	if err := s.allow(ctx, "calls/save/", savesPerAccount); err != nil {
		return nil, err
	}
	if request.GetVersion() == 0 {
		if err := s.allow(ctx, "calls/new/", newCallsPerAccount); err != nil {
			return nil, err
		}
	}
	call, err := s.hotline.Save(ctx, by, draft, store.Version(request.GetVersion()))
	if err != nil {
		return nil, err
	}
	return s.proto(ctx, call), nil
}

func (s callService) FinishCall(ctx context.Context, request *pb.FinishCallRequest) (*pb.Call, error) {
	by, _, err := s.operator(ctx, "")
	if err != nil {
		return nil, err
	}
	draft, err := s.draft(ctx, request.GetCall())
	if err != nil {
		return nil, err
	}
	if id := request.GetCaseId(); id != "" {
		if _, err := s.readCase(ctx, id); err != nil {
			return nil, err
		}
	}
	call, err := s.hotline.Finish(ctx, by, draft, store.Version(request.GetVersion()), hotline.Finished{Case: request.GetCaseId(), Rating: request.GetRatingId()})
	if err != nil {
		return nil, err
	}
	s.tellPraised(ctx, call)
	return s.proto(ctx, call), nil
}

// tellPraised tells an official who was praised, once. The praise stands on a page too, so a call is not held up where nobody can be told.
func (s callService) tellPraised(ctx context.Context, call hotline.Call) {
	if call.Kind != hotline.Praise || call.Official == "" || call.Open {
		return
	}
	accounts, err := s.accounts.OfOfficial(ctx, call.Official)
	var messages []notice.Message
	for _, account := range accounts {
		messages = append(messages, notice.Message{
			ID: "call/" + call.ID + "/praise", Account: account.ID, Topic: "call.praise", Unit: cmp.Or(call.About, call.Unit), Link: "/praise", At: call.EndedAt,
		})
	}
	if err == nil && len(messages) > 0 {
		err = s.notices.Tell(ctx, messages)
	}
	if err != nil {
		s.Logger.WarnContext(ctx, "an official was not told of praise", "call", call.ID, "error", err)
	}
}

func (s callService) CorrectCall(ctx context.Context, request *pb.CorrectCallRequest) (*pb.Call, error) {
	by, _, err := s.operator(ctx, "")
	if err != nil {
		return nil, err
	}
	if _, err := s.read(ctx, identity.TakeCalls, request.GetCallId()); err != nil {
		return nil, err
	}
	if err := s.namesOfficial(request.GetOfficialId()); err != nil {
		return nil, err
	}
	var who *hotline.Caller
	if request.GetPhone() != "" {
		who = &hotline.Caller{Phone: request.GetPhone()}
	}
	call, err := s.hotline.Correct(ctx, by, request.GetCallId(), store.Version(request.GetVersion()), hotline.Written{
		Kind: hotline.Kind(request.GetKind()), About: request.GetAboutUnitId(), Official: request.GetOfficialId(), Summary: request.GetSummary(),
		Result: request.GetResult(), CallBackOn: localday.Day(request.GetCallBackOn()),
	}, who, request.GetReason())
	if err != nil {
		return nil, err
	}
	s.tellPraised(ctx, call)
	return s.proto(ctx, call), nil
}

func (s callService) GetCall(ctx context.Context, request *pb.GetCallRequest) (*pb.Call, error) {
	call, err := s.read(ctx, identity.ReadCalls, request.GetCallId())
	if err != nil {
		return nil, err
	}
	return s.proto(ctx, call), nil
}

func (s callService) ListCalls(ctx context.Context, request *pb.ListCallsRequest) (*pb.ListCallsResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadCalls); err != nil {
		return nil, err
	}
	within, err := s.unitOf(caller, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	f := hotline.Filter{
		Within: within, Kind: hotline.Kind(request.GetKind()), Operator: request.GetOperatorId(), Case: request.GetCaseId(), Open: request.GetUnfinished(),
		Show: func(c hotline.Call) bool {
			return s.sees(caller, c) && (request.GetUnitId() == "" || c.Unit != "" && s.within(c.Unit, within))
		},
	}
	if f.Operator == "me" || f.Open {
		f.Operator = caller.AccountID
	}
	for _, day := range []struct {
		text string
		to   *localday.Day
	}{{request.GetFrom(), &f.From}, {request.GetTo(), &f.To}} {
		if day.text == "" {
			continue
		}
		if *day.to, err = localday.Parse(day.text); err != nil {
			return nil, fault.New(fault.Invalid, "day_invalid", "day", day.text)
		}
	}
	calls, next, err := s.hotline.List(ctx, f, store.Cursor(request.GetPageToken()), sizeOr(request.GetPageSize(), 50))
	if err != nil {
		return nil, err
	}
	return &pb.ListCallsResponse{Calls: s.protos(ctx, calls), NextPageToken: string(next)}, nil
}

// sizeOr is the size of a page where the caller names none.
func sizeOr(asked int32, usual int) int {
	if asked <= 0 {
		return usual
	}
	return int(asked)
}

func (s callService) protos(ctx context.Context, calls []hotline.Call) []*pb.Call {
	list := make([]*pb.Call, 0, len(calls))
	for _, c := range calls {
		list = append(list, s.proto(ctx, c))
	}
	return list
}

func (s callService) officialName(caller identity.Caller, id string) string {
	if official, ok := s.directory.Official(id); ok && (caller.May(identity.ReadOfficials) || caller.OfficialID == id) {
		return official.Name
	}
	return ""
}

// proto is a call as the caller may see it: who called is for its own operator while it goes on, the last digits for who takes calls.
func (s callService) proto(ctx context.Context, c hotline.Call) *pb.Call {
	caller := callerOf(ctx)
	call := &pb.Call{
		Id: c.ID, Version: int64(c.Version), UnitId: c.Unit, UnitName: s.unitName(c.Unit), OperatorId: c.Operator, OperatorName: c.OperatorName,
		Direction: string(c.Direction), StartedAt: timestamp(c.StartedAt), EndedAt: timestamp(c.EndedAt), Open: c.Open, Kind: string(c.Kind),
		AboutUnitId: c.About, AboutUnitName: s.unitName(c.About), OfficialId: c.Official, OfficialName: s.officialName(caller, c.Official),
		Summary: c.Summary, Result: c.Result, CallBackOn: string(c.CallBackOn), Waits: c.Waits(), CaseId: c.Case, RatingId: c.Rating,
		HasCaller: c.Sealed != nil, Imported: c.Imported, Erased: c.Erased, ReturnsId: c.Returns, Attempts: attemptProtos(c.CalledBack),
	}
	for _, h := range c.History {
		call.Corrections = append(call.Corrections, &pb.CallCorrection{
			At: timestamp(h.At), By: h.ByName, Reason: h.Reason, Kind: string(h.Before.Kind), AboutUnitId: h.Before.About,
			OfficialId: h.Before.Official, Summary: h.Before.Summary, Result: h.Before.Result, Caller: h.Caller,
		})
	}
	if unitLevel(caller) {
		call.RatingId, call.ReturnsId = s.veiled(caller, call.GetRatingId()), s.veiled(caller, call.GetReturnsId())
	}
	if !caller.May(identity.TakeCalls) {
		return call
	}
	call.LastFour = s.hotline.LastFour(c)
	if c.Open && c.Operator == caller.AccountID && caller.AccountID != "" {
		if who, err := s.hotline.Who(c); err == nil {
			call.Phone, call.Name = who.Phone, who.Name
		} else {
			s.Logger.WarnContext(ctx, "who called cannot be read", "call", c.ID, "error", err)
		}
	}
	return call
}

// veiled is an id as who works at the place that is rated may see it: that of a rating begins with the time at which it was given.
func (s callService) veiled(caller identity.Caller, id string) string {
	if _, unit, _ := rating.SplitRecordID(id); unit == "" {
		return id
	}
	return s.ratingList.Opaque(caller)(id)
}

func attemptProtos(attempts []hotline.Attempt) []*pb.CallAttempt {
	var list []*pb.CallAttempt
	for _, a := range attempts {
		list = append(list, &pb.CallAttempt{At: timestamp(a.At), By: a.ByName, Reached: a.Reached, Result: a.Result, CallId: a.Call})
	}
	return list
}

func (s callService) ListPraise(ctx context.Context, request *pb.ListPraiseRequest) (*pb.ListPraiseResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadPraise); err != nil {
		return nil, err
	}
	official := request.GetOfficialId()
	within, err := s.unitOf(caller, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	show := func(c hotline.Call) bool {
		if official != "" && c.Official != official {
			return false
		}
		scope := identity.Scope(caller)
		return scope == "" || c.About != "" && s.within(c.About, scope) || s.sees(caller, c)
	}
	if caller.Kind == identity.CallerAccount && !slices.Contains([]pb.Role{pb.Role_ROLE_LEADER, pb.Role_ROLE_HEAD, pb.Role_ROLE_OPERATOR, pb.Role_ROLE_INSPECTOR}, caller.Role) {
		// An official reads one's own, wherever it was earned.
		if official = caller.OfficialID; official == "" {
			return &pb.ListPraiseResponse{}, nil
		}
		show = func(hotline.Call) bool { return true }
	}
	praise, next, err := s.hotline.ListPraise(ctx, official, within, show, store.Cursor(request.GetPageToken()), min(sizeOr(request.GetPageSize(), 50), 200))
	if err != nil {
		return nil, err
	}
	response := &pb.ListPraiseResponse{NextPageToken: string(next)}
	for _, p := range praise {
		response.Praise = append(response.Praise, &pb.PraiseLine{
			Id: p.ID, Day: string(p.On), UnitId: p.Unit, UnitName: s.unitName(p.Unit), OfficialId: p.Official,
			OfficialName: s.officialName(caller, p.Official), Text: p.Text,
		})
	}
	return response, nil
}
