package server

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/hotline"
	"github.com/hailong-vn/hailong/internal/identity"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// What telephone exchanges may do: tell of as many calls as a large one has, and guess no token.
var (
	ringsPerHook     = bus.Limit{Rate: 600, Per: minute, Burst: 120}
	wrongPerAddress  = bus.Limit{Rate: 10, Per: minute, Burst: 20}
	ringsLookedAgain = 15 * time.Second // by an open page, where the bus lost what rang
)

// authenticateExchange finds out which telephone exchange holds a token.
func (a *application) authenticateExchange(ctx context.Context, token string) (identity.Caller, error) {
	from := "hooks/wrong/" + address(ctx)
	if a.bus.Allow(ctx, from, wrongPerAddress, 0).Remaining == 0 {
		return identity.Caller{}, fault.New(fault.Exhausted, "hotline_hook_often", "seconds", int(wrongPerAddress.Per.Seconds())/wrongPerAddress.Rate)
	}
	hook, err := a.hotline.AuthenticateHook(ctx, token)
	if err != nil {
		if fault.Is(err, fault.Unauthenticated) {
			a.bus.Allow(ctx, from, wrongPerAddress, 1)
		}
		return identity.Caller{}, err
	}
	return identity.Caller{Kind: identity.CallerExchange, Name: hook.Name, UnitID: hook.Unit, HookID: hook.ID}, nil
}

func (s callService) RingCall(ctx context.Context, request *pb.RingCallRequest) (*pb.RingCallResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.RingCalls); err != nil {
		return nil, err
	}
	if caller.Kind != identity.CallerExchange {
		return nil, fault.New(fault.Denied, "action_denied")
	}
	if decision := s.bus.Allow(ctx, "hooks/"+caller.HookID, ringsPerHook, 1); !decision.Allowed {
		return nil, fault.New(fault.Exhausted, "hotline_hook_often", "seconds", int(decision.RetryAfter.Seconds())+1)
	}
	hook, err := s.hotline.Hook(ctx, caller.HookID)
	if err != nil {
		return nil, err
	}
	account := ""
	if name := strings.TrimSpace(request.GetOperator()); name != "" {
		if known, err := s.accounts.Named(ctx, identity.System(), s.within, name); err == nil {
			account = known.ID
		}
	}
	ring, err := s.hotline.Ringing(ctx, hook, request.GetNumber(), request.GetLine(), account, func(id string) bool { return s.takesCallsOf(ctx, id, hook.Unit) })
	if err != nil {
		return nil, err
	}
	return &pb.RingCallResponse{RingId: ring.ID}, nil
}

// takesCallsOf tells whether an account takes calls of a unit: a hook rings nowhere else.
func (s callService) takesCallsOf(ctx context.Context, accountID, unitID string) bool {
	account, err := s.accounts.Known(ctx, accountID)
	if err != nil || !account.DisabledAt.IsZero() || account.Role != pb.Role_ROLE_OPERATOR {
		return false
	}
	return account.UnitID == "" || s.within(unitID, account.UnitID) || s.within(account.UnitID, unitID)
}

func (s callService) WatchRings(_ *pb.WatchRingsRequest, stream grpc.ServerStreamingServer[pb.WatchRingsResponse]) error {
	if _, _, err := s.operator(stream.Context(), ""); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	stop := context.AfterFunc(s.ending, cancel) // a server that stops does not wait for its watchers
	defer stop()
	heard := s.hotline.Watch(ctx) // first, so that nothing falls between
	again := time.NewTicker(ringsLookedAgain)
	defer again.Stop()
	var last string
	for first := true; ; first = false {
		// Whose session ended while it watched must see no more: the token is looked at again.
		now, err := s.withCaller(stream.Context())
		if err != nil {
			return err
		}
		if _, _, err := s.operator(now, ""); err != nil {
			return err
		}
		response, shown, err := s.rings(now)
		if err != nil {
			return err
		}
		if first || shown != last {
			if err := stream.Send(response); err != nil {
				return err
			}
			last = shown
		}
		select {
		case <-ctx.Done():
			if s.ending.Err() != nil {
				return fault.New(fault.Unavailable, "server_stopping")
			}
			return ctx.Err()
		case _, open := <-heard:
			if !open {
				return ctx.Err()
			}
		case <-again.C:
		}
	}
}

// rings answers what rings for the caller now, and a text that is another when that changed.
func (s callService) rings(ctx context.Context) (*pb.WatchRingsResponse, string, error) {
	caller := callerOf(ctx)
	rings, err := s.hotline.Rings(ctx, caller.AccountID, identity.Scope(caller))
	if err != nil {
		return nil, "", err
	}
	response := &pb.WatchRingsResponse{}
	if response.Line, err = s.hotline.Seat(ctx, caller.AccountID); err != nil {
		return nil, "", err
	}
	shown := response.GetLine()
	for _, ring := range rings {
		response.Rings = append(response.Rings, &pb.Ring{Id: ring.ID, Number: ring.Number, Line: ring.Line, At: timestamp(ring.At)})
		shown += " " + ring.ID
	}
	return response, shown, nil
}

func (s callService) SetCallLine(ctx context.Context, request *pb.SetCallLineRequest) (*pb.SetCallLineResponse, error) {
	by, _, err := s.operator(ctx, "")
	if err != nil {
		return nil, err
	}
	return &pb.SetCallLineResponse{}, s.hotline.Sit(ctx, by.Account, request.GetLine())
}

// exchanges checks that the caller decides which telephone exchanges tell of calls of a unit.
func (s callService) exchanges(ctx context.Context, unitID string) (hotline.Operator, string, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ManageCallHooks); err != nil {
		return hotline.Operator{}, "", err
	}
	unitID, err := s.unitOf(caller, unitID)
	return hotline.Operator{Account: caller.AccountID, Name: caller.Name}, unitID, err
}

func (s callService) CreateCallHook(ctx context.Context, request *pb.CreateCallHookRequest) (*pb.CreateCallHookResponse, error) {
	by, unitID, err := s.exchanges(ctx, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	hook, token, err := s.hotline.CreateHook(ctx, by, unitID, request.GetName())
	if err != nil {
		return nil, err
	}
	return &pb.CreateCallHookResponse{Hook: s.hookProto(hook), Token: token}, nil
}

func (s callService) ListCallHooks(ctx context.Context, _ *pb.ListCallHooksRequest) (*pb.ListCallHooksResponse, error) {
	if _, _, err := s.exchanges(ctx, ""); err != nil {
		return nil, err
	}
	hooks, err := s.hotline.Hooks(ctx)
	if err != nil {
		return nil, err
	}
	response, scope := &pb.ListCallHooksResponse{}, identity.Scope(callerOf(ctx))
	for _, hook := range hooks {
		if scope == "" || hook.Unit != "" && s.within(hook.Unit, scope) {
			response.Hooks = append(response.Hooks, s.hookProto(hook))
		}
	}
	return response, nil
}

func (s callService) RevokeCallHook(ctx context.Context, request *pb.RevokeCallHookRequest) (*pb.CallHook, error) {
	if _, _, err := s.exchanges(ctx, ""); err != nil {
		return nil, err
	}
	hook, err := s.hotline.Hook(ctx, request.GetHookId())
	if err != nil {
		return nil, err
	}
	if scope := identity.Scope(callerOf(ctx)); scope != "" && (hook.Unit == "" || !s.within(hook.Unit, scope)) {
		return nil, fault.New(fault.NotFound, "hotline_hook_unknown")
	}
	if err := s.hotline.RevokeHook(ctx, hook.ID); err != nil {
		return nil, err
	}
	if hook, err = s.hotline.Hook(ctx, hook.ID); err != nil {
		return nil, err
	}
	return s.hookProto(hook), nil
}

func (s callService) hookProto(hook hotline.Hook) *pb.CallHook {
	return &pb.CallHook{Id: hook.ID, UnitId: hook.Unit, UnitName: s.unitName(hook.Unit), Name: hook.Name, MadeAt: timestamp(hook.MadeAt), RevokedAt: timestamp(hook.RevokedAt)}
}

func (s callService) ListSnippets(ctx context.Context, request *pb.ListSnippetsRequest) (*pb.ListSnippetsResponse, error) {
	_, unitID, err := s.operator(ctx, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	snippets, err := s.hotline.Snippets(ctx, unitID)
	if err != nil {
		return nil, err
	}
	response := &pb.ListSnippetsResponse{}
	for _, snippet := range snippets {
		response.Snippets = append(response.Snippets, snippetProto(snippet))
	}
	return response, nil
}

func snippetProto(s hotline.Snippet) *pb.Snippet {
	return &pb.Snippet{UnitId: s.Unit, Key: s.Key, Text: s.Text}
}

func (s callService) SetSnippet(ctx context.Context, request *pb.SetSnippetRequest) (*pb.Snippet, error) {
	by, unitID, err := s.operator(ctx, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	snippet, err := s.hotline.SetSnippet(ctx, by, unitID, request.GetKey(), request.GetText())
	if err != nil {
		return nil, err
	}
	return snippetProto(snippet), nil
}

func (s callService) RemoveSnippet(ctx context.Context, request *pb.RemoveSnippetRequest) (*pb.RemoveSnippetResponse, error) {
	_, unitID, err := s.operator(ctx, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	return &pb.RemoveSnippetResponse{}, s.hotline.RemoveSnippet(ctx, unitID, request.GetKey())
}
