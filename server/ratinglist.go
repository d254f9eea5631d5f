package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/ratinglist"
	"github.com/hailong-vn/hailong/internal/secret"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// listsPerAccount is how many pages of single ratings an account may read: a person who reads, not a program that copies them all.
var listsPerAccount = bus.Limit{Rate: 120, Per: minute, Burst: 120}

// openRatingList opens the list of single ratings; intake must be open.
func (a *application) openRatingList(keys secret.Keys) (err error) {
	a.ratingList, err = ratinglist.New(ratinglist.Options{
		Ratings: a.engine.Ratings(), Directory: a.directory, Comments: a.intake, Keys: keys, Now: a.Clock, Logger: a.Logger,
	})
	return err
}

func (s ratingService) ListRatings(ctx context.Context, request *pb.ListRatingsRequest) (*pb.ListRatingsResponse, error) {
	caller := callerOf(ctx)
	if err := (analyticsService{application: s.application}).mayRead(ctx, identity.ReadRatings, request.GetUnitId()); err != nil {
		return nil, err
	}
	if decision := s.bus.Allow(ctx, "ratinglist/"+caller.AccountID, listsPerAccount, 1); !decision.Allowed {
		return nil, fault.New(fault.Exhausted, "too_often", "seconds", int(decision.RetryAfter.Seconds())+1)
	}
	page, err := s.ratingList.Page(ctx, caller, request, languageOf(ctx))
	if err != nil {
		return nil, err
	}
	s.Logger.InfoContext(ctx, "ratings listed", "account", caller.AccountID, "unit", request.GetUnitId(), "from", page.GetFrom(), "to", page.GetTo(),
		"searched", request.GetText() != "", "ratings", len(page.GetRatings()))
	return page, nil
}
