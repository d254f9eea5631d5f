package server

import (
	"context"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/audit"
	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/hotline"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/telephone"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// callersPerAccount is how often an account may look for numbers or have one shown: a person who answers calls, not a program that tries
// all numbers there are.
var callersPerAccount = bus.Limit{Rate: 60, Per: minute, Burst: 60}

// callersShown is how many earlier calls and cases a caller is known by.
const callersShown = 10

func (s callService) FindCaller(ctx context.Context, request *pb.FindCallerRequest) (*pb.FindCallerResponse, error) {
	if _, _, err := s.operator(ctx, ""); err != nil {
		return nil, err
	}
	if err := s.allow(ctx, "callers/", callersPerAccount); err != nil {
		return nil, err
	}
	calls, exact, err := s.hotline.FindCaller(ctx, request.GetNumber(), callersShown)
	if err != nil {
		return nil, err
	}
	response := &pb.FindCallerResponse{Exact: exact}
	caller := callerOf(ctx)
	for _, call := range calls {
		if s.sees(caller, call) {
			response.Calls = append(response.Calls, s.proto(ctx, call))
		}
	}
	if exact {
		if number, err := telephone.Parse(request.GetNumber()); err == nil {
			response.Number = number.Shown()
		}
	}
	for _, call := range response.GetCalls() {
		call.Phone, call.Name = "", ""
	}
	page, err := s.casebook.List(ctx, casebook.Filter{Unit: identity.Scope(caller), Phone: request.GetNumber()}, "", callersShown)
	if err != nil {
		return nil, err
	}
	for _, kept := range page.Cases {
		response.Cases = append(response.Cases, s.caseProto(ctx, kept))
	}
	return response, nil
}

// revealed puts into the audit whose number was read, and why.
func (s callService) revealed(ctx context.Context, subject, reason string, err error) {
	caller := callerOf(ctx)
	s.audit.Add(ctx, audit.Entry{
		Account: caller.AccountID, Name: caller.Name, Unit: caller.UnitID, Action: "RevealCaller", Subject: subject + " · " + reason,
		Outcome: outcomeOf(err), Address: caller.Address,
	})
}

func (s callService) RevealCaller(ctx context.Context, request *pb.RevealCallerRequest) (response *pb.RevealCallerResponse, err error) {
	if callerOf(ctx).Kind == identity.CallerAccount {
		defer func() { s.revealed(ctx, request.GetCallId()+request.GetRatingId(), request.GetReason(), err) }()
	}
	if _, _, err := s.operator(ctx, ""); err != nil {
		return nil, err
	}
	if (request.GetCallId() == "") == (request.GetRatingId() == "") {
		return nil, fault.New(fault.Invalid, "hotline_reveal_what")
	}
	if err := s.allow(ctx, "callers/", callersPerAccount); err != nil {
		return nil, err
	}
	if id := request.GetCallId(); id != "" {
		call, err := s.read(ctx, identity.TakeCalls, id)
		if err != nil {
			return nil, err
		}
		if err := s.mayKnowCaller(ctx, call); err != nil {
			return nil, err
		}
		who, err := s.hotline.Who(call)
		return &pb.RevealCallerResponse{Phone: who.Phone, Name: who.Name}, err
	}
	private, err := s.ratingWish(ctx, request.GetRatingId())
	if err != nil {
		return nil, err
	}
	if own := callerOf(ctx).OfficialID; own != "" {
		record, err := s.engine.Ratings().Get(ctx, private.ID)
		if err != nil {
			return nil, store.Told(err, "hotline_unavailable")
		}
		if record.Official == own {
			return nil, fault.New(fault.Denied, "action_denied")
		}
	}
	contact, err := s.intake.Contact(private)
	if err != nil {
		return nil, err
	}
	return &pb.RevealCallerResponse{Phone: contact.GetPhone(), Name: contact.GetName()}, nil
}

// mayKnowCaller is mayKnowWho of a call: an operator who is also an official does not learn who complained of it. Who took the call knows.
func (s callService) mayKnowCaller(ctx context.Context, call hotline.Call) error {
	caller := callerOf(ctx)
	if caller.OfficialID == "" || call.Operator == caller.AccountID {
		return nil
	}
	if call.Official == caller.OfficialID {
		return fault.New(fault.Denied, "action_denied")
	}
	if call.Case == "" {
		return nil
	}
	c, err := s.casebook.Get(ctx, call.Case)
	if err == nil && !s.mayKnowWho(caller, c) {
		err = fault.New(fault.Denied, "action_denied")
	}
	return err
}

// ratingWish reads what was kept beside a rating whose giver asked to be called, within the caller's subtree.
func (s callService) ratingWish(ctx context.Context, recordID string) (intake.Private, error) {
	unknown := fault.New(fault.NotFound, "hotline_rating_unknown")
	private, found, err := s.intake.Private(ctx, recordID)
	switch {
	case err != nil:
		return private, store.Told(err, "hotline_unavailable")
	case !found || !s.within(private.Unit, identity.Scope(callerOf(ctx))):
		return private, unknown
	}
	call, err := s.intake.WantsCall(private)
	if err == nil && !call {
		err = unknown
	}
	return private, err
}

func (s callService) EraseCaller(ctx context.Context, request *pb.EraseCallerRequest) (*pb.EraseCallerResponse, error) {
	if _, err := s.read(ctx, identity.TakeCalls, request.GetCallId()); err != nil {
		return nil, err
	}
	return &pb.EraseCallerResponse{}, s.hotline.EraseCaller(ctx, request.GetCallId())
}

// Where a page of call-backs goes on: among calls at a cursor, or among ratings after a time.
const (
	amongCalls   = "c:"
	amongRatings = "r:"
)

func (s callService) ListCallBacks(ctx context.Context, request *pb.ListCallBacksRequest) (*pb.ListCallBacksResponse, error) {
	_, within, err := s.operator(ctx, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	response, size, token := &pb.ListCallBacksResponse{}, min(sizeOr(request.GetPageSize(), 50), 200), request.GetPageToken()
	if !strings.HasPrefix(token, amongRatings) {
		next, err := s.callsThatWait(ctx, response, within, size, strings.TrimPrefix(token, amongCalls))
		if err != nil || next != "" {
			response.NextPageToken = amongCalls + string(next)
			return response, err
		}
		token = amongRatings
	}
	response.NextPageToken, err = s.ratingsThatWait(ctx, response, within, size, strings.TrimPrefix(token, amongRatings))
	return response, err
}

func (s callService) callsThatWait(ctx context.Context, response *pb.ListCallBacksResponse, within string, size int, after string) (store.Cursor, error) {
	caller := callerOf(ctx)
	calls, next, err := s.hotline.CallBacks(ctx, within, func(c hotline.Call) bool { return s.sees(caller, c) }, store.Cursor(after), size)
	if err != nil {
		return "", err
	}
	today, _ := localday.Of(s.Clock())
	for _, call := range calls {
		response.CallBacks = append(response.CallBacks, &pb.CallBack{
			Call: s.proto(ctx, call), UnitId: call.About, UnitName: s.unitName(call.About), Day: string(call.CallBackOn), Late: call.CallBackOn < today,
			Attempts: attemptProtos(call.CalledBack),
		})
	}
	return next, nil
}

// wishesLookedAt bounds how many wishes one page looks at, where most were fulfilled or are of other units.
const wishesLookedAt = 5_000

// ratingsThatWait adds ratings whose givers asked to be called, the oldest first, and answers where to go on.
func (s callService) ratingsThatWait(ctx context.Context, response *pb.ListCallBacksResponse, within string, size int, after string) (string, error) {
	since := s.hotline.CallBackSince()
	if after != "" {
		at, err := time.Parse(time.RFC3339Nano, after)
		if err != nil {
			return "", fault.New(fault.Invalid, "hotline_page_invalid")
		}
		since = at
	}
	looked := 0
	for private, err := range s.intake.CallsWanted(ctx, since) {
		if err != nil {
			return "", store.Told(err, "hotline_unavailable")
		}
		if looked++; len(response.GetCallBacks()) >= size || looked > wishesLookedAt {
			return amongRatings + private.ReceivedAt.Format(time.RFC3339Nano), nil
		}
		if !s.within(private.Unit, within) {
			continue
		}
		called, err := s.hotline.RatingCalled(ctx, private.ID)
		if err != nil {
			return "", err
		}
		if called.Reached() {
			continue
		}
		day, _ := localday.Of(private.ReceivedAt)
		response.CallBacks = append(response.CallBacks, &pb.CallBack{
			RatingId: private.ID, UnitId: private.Unit, UnitName: s.unitName(private.Unit), Day: string(day), Comment: private.Comment,
			Attempts: attemptProtos(called.Attempts),
		})
	}
	return "", nil
}

func (s callService) NoteCallBack(ctx context.Context, request *pb.NoteCallBackRequest) (*pb.NoteCallBackResponse, error) {
	by, unitID, err := s.operator(ctx, "")
	if err != nil {
		return nil, err
	}
	if (request.GetCallId() == "") == (request.GetRatingId() == "") {
		return nil, fault.New(fault.Invalid, "hotline_reveal_what")
	}
	draft := hotline.Draft{ID: request.GetOutgoingCallId(), Unit: unitID, Direction: hotline.Out, Returns: request.GetCallId() + request.GetRatingId()}
	draft.Kind, draft.Result = hotline.Other, request.GetResult()
	if draft.Result == "" {
		draft.Result = map[bool]string{true: hotline.Answered, false: hotline.NoAnswer}[request.GetReached()]
	}
	// The waiting call is told first: where this process dies before the line in the log, the same attempt sent again adds it.
	if id := request.GetCallId(); id != "" {
		call, err := s.read(ctx, identity.TakeCalls, id)
		if err != nil {
			return nil, err
		}
		if draft.Caller, err = s.hotline.Who(call); err != nil {
			return nil, err
		}
		draft.Kind, draft.About, draft.Official, draft.Unit = call.Kind, call.About, call.Official, call.Unit
		if draft.Kind == "" || draft.Kind == hotline.Praise {
			draft.Kind = hotline.Other
		}
		_, err = s.hotline.CalledBack(ctx, by, id, request.GetReached(), draft.Result, draft.ID)
		if err != nil {
			return nil, err
		}
	} else {
		private, err := s.ratingWish(ctx, request.GetRatingId())
		if err != nil {
			return nil, err
		}
		contact, err := s.intake.Contact(private)
		if err != nil {
			return nil, err
		}
		_, draft.About, _ = rating.SplitRecordID(private.ID)
		draft.Caller = hotline.Caller{Name: contact.GetName(), Phone: contact.GetPhone()}
		if err := s.hotline.CallRatingBack(ctx, by, private.ID, request.GetReached(), draft.Result, draft.ID); err != nil {
			return nil, err
		}
	}
	line, err := s.hotline.Finish(ctx, by, draft, 0, hotline.Finished{})
	if err != nil {
		return nil, err
	}
	return &pb.NoteCallBackResponse{Call: s.proto(ctx, line)}, nil
}
