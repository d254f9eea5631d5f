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
			if json.Unmarshal(event.Body, &change) != nil || !s.watches(callerOf(now), top, change) {
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

// watches tells whether somebody who watches a subtree is told of a change. An official, who sees only some cases of the unit, is told that
// something changed there and no more than what reading the case would show.
func (s caseService) watches(caller identity.Caller, top string, change casebook.Change) bool {
	scope := identity.Scope(caller)
	return slices.ContainsFunc([]string{change.Receiving, change.Assigned, change.About}, func(unit string) bool {
		return unit != "" && s.within(unit, top) && s.within(unit, scope)
	})
}
