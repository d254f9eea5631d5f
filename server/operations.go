package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// operationsService shows what could not be stored as it came, and what is missing.
type operationsService struct {
	pb.UnimplementedOperationsServiceServer
	*application
}

func (s operationsService) ListQuarantine(ctx context.Context, request *pb.ListQuarantineRequest) (*pb.ListQuarantineResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ManageQuarantine); err != nil {
		return nil, err
	}
	items, next, err := s.intake.Waiting(ctx, caller, intake.QuarantineQuery{
		Device: request.GetDeviceId(), Released: request.GetIncludeReleased(),
		After: store.Cursor(request.GetPageToken()), Limit: pageSize(request.GetPageSize()),
	})
	if err != nil {
		return nil, err
	}
	response := &pb.ListQuarantineResponse{NextPageToken: string(next)}
	in := languageOf(ctx)
	for _, item := range items {
		response.Items = append(response.Items, quarantinedProto(item, in))
	}
	return response, nil
}

func quarantinedProto(item intake.Quarantined, in language.Language) *pb.QuarantinedItem {
	return &pb.QuarantinedItem{
		Id: item.ID, RatingId: item.Rating, UnitId: item.Unit, DeviceId: item.Caller.DeviceID, AccountId: item.Caller.AccountID,
		Outcome: item.Outcome, ReasonCode: item.Reason, Reason: in.Text("fault."+item.Reason, inWords(in, item.ReasonArgs())...),
		ReceivedAt: timestamp(item.ReceivedAt), Bytes: uint32(item.Size), ReleasedAt: timestamp(item.ReleasedAt), //nolint:gosec // at most a message
		DiscardedAt: timestamp(item.DiscardedAt), DiscardReason: item.DiscardReason,
	}
}

func (s operationsService) GetQuarantined(ctx context.Context, request *pb.GetQuarantinedRequest) (*pb.GetQuarantinedResponse, error) {
	item, err := s.intake.Quarantined(ctx, callerOf(ctx), request.GetQuarantineId())
	if err != nil {
		return nil, err
	}
	rating, private, err := s.intake.Read(ctx, item)
	if err != nil {
		return nil, err
	}
	return &pb.GetQuarantinedResponse{Item: quarantinedProto(item, languageOf(ctx)), Rating: rating, HasPrivate: private}, nil
}

func (s operationsService) DiscardQuarantined(ctx context.Context, request *pb.DiscardQuarantinedRequest) (*pb.QuarantinedItem, error) {
	item, err := s.intake.Discard(ctx, callerOf(ctx), request.GetQuarantineId(), request.GetReason())
	if err != nil {
		return nil, err
	}
	return quarantinedProto(item, languageOf(ctx)), nil
}

func (s operationsService) ReleaseQuarantined(ctx context.Context, request *pb.ReleaseQuarantinedRequest) (*pb.ReleaseQuarantinedResponse, error) {
	outcome, err := s.intake.Release(ctx, callerOf(ctx), request.GetQuarantineId(), request.GetVouch(), languageOf(ctx))
	if err != nil {
		return nil, err
	}
	return &pb.ReleaseQuarantinedResponse{Outcome: outcome}, nil
}

func (s operationsService) ListSequenceGaps(ctx context.Context, request *pb.ListSequenceGapsRequest) (*pb.ListSequenceGapsResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ManageDevices); err != nil {
		return nil, err
	}
	gaps, err := s.devices.Gaps(ctx, request.GetDeviceId())
	if err != nil {
		return nil, err
	}
	response := &pb.ListSequenceGapsResponse{}
	mine := map[string]bool{}
	for _, gap := range gaps {
		shown, known := mine[gap.DeviceID]
		if !known {
			_, err := s.managed(ctx, gap.DeviceID)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return nil, err
			}
			shown = err == nil
			mine[gap.DeviceID] = shown
		}
		if shown {
			response.Gaps = append(response.Gaps, &pb.SequenceGap{
				DeviceId: gap.DeviceID, FirstSequence: gap.First, LastSequence: gap.Last, SeenAt: timestamp(gap.SeenAt),
			})
		}
	}
	return response, nil
}
