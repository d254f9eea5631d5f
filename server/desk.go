package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/desk"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// deskService is for operators who type paper slips.
type deskService struct {
	pb.UnimplementedDeskServiceServer
	*application
}

// typist checks that the caller may type slips of the unit ("" = of any unit of its subtree).
func (s deskService) typist(ctx context.Context, unitID string) (desk.Typist, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.TypeSlips); err != nil {
		return desk.Typist{}, err
	}
	if unitID != "" && !s.within(unitID, identity.Scope(caller)) {
		return desk.Typist{}, fault.New(fault.NotFound, "unit_unknown", "unit", unitID)
	}
	return desk.Typist{ID: caller.AccountID, Name: caller.Name}, nil
}

// typistOf checks that the caller may type into the batch; one outside its subtree is not there for it.
func (s deskService) typistOf(ctx context.Context, batchID string) (desk.Typist, error) {
	by, err := s.typist(ctx, "")
	if err != nil {
		return by, err
	}
	unitID, err := s.desk.UnitOf(ctx, batchID)
	if err == nil && !s.within(unitID, identity.Scope(callerOf(ctx))) {
		err = fault.New(fault.NotFound, "desk_batch_unknown")
	}
	return by, err
}

func (s deskService) proto(batch desk.Batch) *pb.Batch {
	tree, name := s.directory.Tree(), batch.UnitID
	if u, ok := tree.Get(batch.UnitID); ok {
		name = u.Near(tree.Today()).Name
	}
	return batch.Proto(name)
}

func (s deskService) OpenBatch(ctx context.Context, request *pb.OpenBatchRequest) (*pb.Batch, error) {
	by, err := s.typist(ctx, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	batch, err := s.desk.OpenBatch(ctx, by, request)
	if err != nil {
		return nil, err
	}
	return s.proto(batch), nil
}

func (s deskService) ListBatches(ctx context.Context, request *pb.ListBatchesRequest) (*pb.ListBatchesResponse, error) {
	if _, err := s.typist(ctx, request.GetUnitId()); err != nil {
		return nil, err
	}
	within, size := request.GetUnitId(), int(request.GetPageSize())
	if within == "" {
		within = identity.Scope(callerOf(ctx))
	}
	if size == 0 {
		size = 100
	}
	batches, next, err := s.desk.List(ctx, within, request.GetOpenOnly(), size, request.GetPageToken(), func(unitID string) bool {
		return s.within(unitID, within)
	})
	if err != nil {
		return nil, err
	}
	response := &pb.ListBatchesResponse{NextPageToken: next}
	for _, batch := range batches {
		response.Batches = append(response.Batches, s.proto(batch))
	}
	return response, nil
}

func (s deskService) GetBatch(ctx context.Context, request *pb.GetBatchRequest) (*pb.GetBatchResponse, error) {
	if _, err := s.typistOf(ctx, request.GetBatchId()); err != nil {
		return nil, err
	}
	batch, err := s.desk.Batch(ctx, request.GetBatchId())
	if err != nil {
		return nil, err
	}
	slips, err := s.desk.Last(ctx, request.GetBatchId())
	if err != nil {
		return nil, err
	}
	return &pb.GetBatchResponse{Batch: s.proto(batch), Slips: slips}, nil
}

func (s deskService) EnterSlip(ctx context.Context, request *pb.EnterSlipRequest) (*pb.EnterSlipResponse, error) {
	by, err := s.typistOf(ctx, request.GetBatchId())
	if err != nil {
		return nil, err
	}
	in := languageOf(ctx)
	entered, err := s.desk.Enter(ctx, by, request, in)
	if err != nil {
		return nil, err
	}
	outcome := &pb.ItemOutcome{Outcome: entered.Outcome, RatingId: entered.Slip.GetRatingId()}
	if entered.Why != nil {
		outcome.ReasonCode, outcome.Reason = entered.Why.Reason, in.Text("fault."+entered.Why.Reason, entered.Why.Args...)
	}
	s.metrics.count([]*pb.ItemOutcome{outcome})
	return &pb.EnterSlipResponse{Outcome: outcome, Slip: entered.Slip, Batch: s.proto(entered.Batch)}, nil
}

func (s deskService) CloseBatch(ctx context.Context, request *pb.CloseBatchRequest) (*pb.Batch, error) {
	by, err := s.typistOf(ctx, request.GetBatchId())
	if err != nil {
		return nil, err
	}
	batch, err := s.desk.Close(ctx, by, request.GetBatchId(), request.GetDifferenceReason())
	if err != nil {
		return nil, err
	}
	return s.proto(batch), nil
}
