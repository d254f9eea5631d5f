package server

import (
	"cmp"
	"context"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/remedy"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// remedyService keeps what offices did about what citizens said.
type remedyService struct {
	pb.UnimplementedRemedyServiceServer
	*application
}

func (s remedyService) PublishRemedy(ctx context.Context, request *pb.PublishRemedyRequest) (*pb.Remedy, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.PublishRemedies); err != nil {
		return nil, err
	}
	tree := s.directory.Tree()
	if !tree.On(tree.Today()).Has(request.GetUnitId()) || !s.within(request.GetUnitId(), identity.Scope(caller)) {
		return nil, fault.New(fault.NotFound, "unit_unknown", "unit", request.GetUnitId())
	}
	draft := remedy.Draft{Unit: request.GetUnitId(), Text: request.GetText(), DoneOn: request.GetDoneOn(), By: caller.Name}
	for _, above := range tree.Ancestors(request.GetUnitId()) {
		draft.Ancestors = append(draft.Ancestors, above.ID)
	}
	published, err := s.remedies.Publish(ctx, draft)
	if err != nil {
		return nil, err
	}
	s.remediesChanged(ctx, published.Unit)
	return published.Proto(), nil
}

func (s remedyService) ListRemedies(ctx context.Context, request *pb.ListRemediesRequest) (*pb.ListRemediesResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.PublishRemedies); err != nil {
		return nil, err
	}
	scope := identity.Scope(caller)
	top := cmp.Or(request.GetUnitId(), scope)
	if !s.within(top, scope) {
		return nil, fault.New(fault.NotFound, "unit_unknown", "unit", top)
	}
	list, next, err := s.remedies.List(ctx, top, store.Cursor(request.GetPageToken()), pageSize(request.GetPageSize()))
	if err != nil {
		return nil, err
	}
	response := &pb.ListRemediesResponse{NextPageToken: string(next)}
	for _, one := range list {
		// A unit that moved away since took its remedies with it.
		if s.within(one.Unit, scope) {
			response.Remedies = append(response.Remedies, one.Proto())
		}
	}
	return response, nil
}

func (s remedyService) WithdrawRemedy(ctx context.Context, request *pb.WithdrawRemedyRequest) (*pb.Remedy, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.PublishRemedies); err != nil {
		return nil, err
	}
	stands, err := s.remedies.Get(ctx, request.GetRemedyId())
	if err != nil {
		return nil, err
	}
	if !s.within(stands.Unit, identity.Scope(caller)) {
		return nil, fault.New(fault.NotFound, "remedy_unknown")
	}
	withdrawn, err := s.remedies.Withdraw(ctx, request.GetRemedyId(), request.GetReason(), caller.Name)
	if err != nil {
		return nil, err
	}
	s.remediesChanged(ctx, withdrawn.Unit)
	return withdrawn.Proto(), nil
}

// remediesChanged tells the devices of a unit, and of those below, that there is something else to show.
func (a *application) remediesChanged(ctx context.Context, unitID string) {
	if err := a.bus.Publish(context.WithoutCancel(ctx), topicRemedies, []byte(unitID)); err != nil {
		a.Logger.WarnContext(ctx, "devices were not told that remedies changed; they look within minutes", "unit", unitID, "error", err)
	}
}
