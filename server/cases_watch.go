package server

import (
	"context"
	"encoding/json"
	"slices"

	"google.golang.org/grpc"

	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s caseService) WatchCases(request *pb.WatchCasesRequest, stream grpc.ServerStreamingServer[pb.WatchCasesResponse]) error {
	ctx := stream.Context()
	if err := callerOf(ctx).Check(identity.ReadCases); err != nil {
		return err
	}
	top, err := s.top(callerOf(ctx), request.GetUnitId())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(s.ending, cancel) // a server that stops does not wait for its watchers
	defer stop()
	if err := stream.Send(&pb.WatchCasesResponse{}); err != nil { // what came before is to be read
		return err
	}
	for event := range s.bus.Subscribe(ctx, casebook.Topic) {
		// Whose session ended while it watched must see no more: the token is looked at again.
		now, err := s.withCaller(stream.Context())
		if err != nil {
			return err
		}
		if err := callerOf(now).Check(identity.ReadCases); err != nil {
			return err
		}
		response := &pb.WatchCasesResponse{}
		if !event.Missed {
			var change casebook.Change
			if json.Unmarshal(event.Body, &change) != nil || !s.watches(now, top, change) {
				continue
			}
			response.CaseId, response.Version = change.Case, int64(change.Version)
		}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
	if s.ending.Err() != nil {
		return fault.New(fault.Unavailable, "server_stopping")
	}
	return stream.Context().Err()
}

// watches tells whether somebody who watches a subtree is told of a change. Who works at the place that is rated is told of cases it may
// read, and not before the unit is in charge: else a watcher would learn the very second at which somebody complained.
func (s caseService) watches(ctx context.Context, top string, change casebook.Change) bool {
	caller := callerOf(ctx)
	scope := identity.Scope(caller)
	within := func(unit string) bool { return unit != "" && s.within(unit, top) && s.within(unit, scope) }
	if unitLevel(caller) {
		if !within(change.Assigned) && (caller.Role == pb.Role_ROLE_OFFICIAL || !within(change.Receiving)) {
			return false
		}
		c, err := s.casebook.Get(ctx, change.Case)
		return err == nil && s.visible(caller, c)
	}
	return slices.ContainsFunc([]string{change.Receiving, change.Assigned, change.About}, within)
}
