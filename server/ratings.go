package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/citizen"
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
	outcomes, err := s.submit(ctx, request.GetItems(), request.GetSeal(), nil)
	if err != nil {
		return nil, err
	}
	return &pb.SubmitRatingsResponse{Outcomes: outcomes}, nil
}

func (s ratingService) submit(ctx context.Context, items []*pb.SealedRating, seal *pb.BatchSeal, after <-chan struct{}) ([]*pb.ItemOutcome, error) {
	caller := callerOf(ctx)
	if caller.Kind == identity.CallerAnonymous {
		return nil, caller.Check(identity.RecordRatings)
	}
	outcomes, err := s.intake.Submit(ctx, caller, intake.Batch{Items: items, Seal: seal, Language: languageOf(ctx), After: after})
	s.metrics.count(outcomes)
	return outcomes, err
}

func (s ratingService) CreateRating(ctx context.Context, request *pb.CreateRatingRequest) (*pb.CreateRatingResponse, error) {
	caller := callerOf(ctx)
	if caller.Kind == identity.CallerAnonymous {
		if err := s.allowCitizen(ctx, caller.Address, request); err != nil {
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

// allowCitizen asks the gate. A place too long to be one is the intake's to refuse; here it must not make long keys.
func (s ratingService) allowCitizen(ctx context.Context, address string, request *pb.CreateRatingRequest) error {
	r := request.GetRating()
	return s.gate.Admit(ctx, citizen.Attempt{
		Address: address, Token: request.GetFormToken(), Proof: request.GetProofOfWork(),
		Form: citizen.Form{Unit: r.GetUnitId()[:min(len(r.GetUnitId()), 64)], Counter: r.GetCounterId(), Rating: r.GetId()},
	})
}
