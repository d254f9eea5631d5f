package server

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// ratingService is the way in for ratings.
type ratingService struct {
	pb.UnimplementedRatingServiceServer
	*application
}

func (s ratingService) SubmitRatings(ctx context.Context, request *pb.SubmitRatingsRequest) (*pb.SubmitRatingsResponse, error) {
	outcomes, err := s.submit(ctx, request.GetItems(), request.GetSeal())
	if err != nil {
		return nil, err
	}
	return &pb.SubmitRatingsResponse{Outcomes: outcomes}, nil
}

func (s ratingService) submit(ctx context.Context, items []*pb.SealedRating, seal *pb.BatchSeal) ([]*pb.ItemOutcome, error) {
	caller := callerOf(ctx)
	if caller.Kind == identity.CallerAnonymous {
		return nil, caller.Check(identity.RecordRatings)
	}
	outcomes, err := s.intake.Submit(ctx, caller, intake.Batch{Items: items, Seal: seal, Language: languageOf(ctx)})
	s.metrics.count(outcomes)
	return outcomes, err
}

// StreamRatings reads the next batch only when the last one's answers were taken by the transport: a client that never
// reads stops its own stream, and nothing else.
func (s ratingService) StreamRatings(stream grpc.BidiStreamingServer[pb.StreamRatingsRequest, pb.StreamRatingsResponse]) error {
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// A stream may outlive its caller's right to it: the token is looked at again, from memory.
		ctx, err := s.withCaller(stream.Context())
		if err != nil {
			return err
		}
		outcomes, err := s.submit(ctx, request.GetItems(), request.GetSeal())
		if err != nil {
			return err
		}
		for _, outcome := range outcomes {
			if err := stream.Send(&pb.StreamRatingsResponse{Outcome: outcome}); err != nil {
				return err
			}
		}
	}
}

func (s ratingService) CreateRating(ctx context.Context, request *pb.CreateRatingRequest) (*pb.CreateRatingResponse, error) {
	caller := callerOf(ctx)
	if caller.Kind == identity.CallerAnonymous {
		if err := s.allowCitizen(ctx, caller.Address, request.GetRating().GetUnitId()); err != nil {
			return nil, err
		}
	}
	outcome, err := s.intake.Create(ctx, caller, request.GetRating(), request.GetPrivate(), languageOf(ctx))
	if err != nil {
		return nil, err
	}
	s.metrics.count([]*pb.ItemOutcome{outcome})
	return &pb.CreateRatingResponse{
		Outcome: outcome.GetOutcome(), Reason: outcome.GetReason(), ReasonCode: outcome.GetReasonCode(),
		RatingId: outcome.GetRatingId(), QuarantineId: outcome.GetQuarantineId(),
	}, nil
}

// What citizens without an account may send: generous to an office behind one address, hard on a script.
var (
	citizenPerAddress = bus.Limit{Rate: 60, Per: minute, Burst: 120}
	citizenPerUnit    = bus.Limit{Rate: 120, Per: minute, Burst: 600}
)

func (s ratingService) allowCitizen(ctx context.Context, address, unit string) error {
	if len(unit) > 64 {
		unit = unit[:64]
	}
	for _, budget := range []struct {
		key   string
		limit bus.Limit
	}{{"web/address/" + address, citizenPerAddress}, {"web/unit/" + unit, citizenPerUnit}} {
		if decision := s.bus.Allow(ctx, budget.key, budget.limit, 1); !decision.Allowed {
			return fault.New(fault.Exhausted, "too_often", "seconds", int(decision.RetryAfter.Seconds())+1)
		}
	}
	return nil
}
