package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// units is how many units the load is spread over, as in a province of medium size.
const units = 100

// freshRating is a rating as a kiosk gives it, with a reason in every fifth.
func freshRating(n int) *pb.Rating {
	r := &pb.Rating{
		Id: uuid.Must(uuid.NewV7()).String(), UnitId: fmt.Sprintf("bench-%02d", n%units), Channel: pb.Channel_CHANNEL_PAPER,
		QuestionnaireId: "kiosk", QuestionnaireVersion: 1, OverallScore: int32(1 + n%5), OccurredAt: timestamppb.Now(), Language: "vi",
	}
	if n%5 < 2 {
		r.Answers = []*pb.Answer{{QuestionId: "reasons", ChoiceIds: []string{"waiting"}}}
	}
	return r
}

func sealed(r *pb.Rating) *pb.SealedRating {
	encoded, err := proto.Marshal(r)
	if err != nil {
		panic(err)
	}
	return &pb.SealedRating{Rating: encoded}
}

// load sends batches from so many callers for a while, over four connections, and answers ratings a second.
// Everything but OUTCOME_STORED fails the benchmark.
func load(b *testing.B, address, token string, callers, batch int, during time.Duration) float64 {
	b.Helper()
	ctx := metadata.AppendToOutgoingContext(b.Context(), "authorization", "Bearer "+token)
	clients := make([]pb.RatingServiceClient, 4)
	for i := range clients {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		clients[i] = pb.NewRatingServiceClient(conn)
	}
	var stored atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for caller := range callers {
		group.Go(func() {
			client := clients[caller%len(clients)]
			for n := caller; time.Since(start) < during; n += batch {
				request := &pb.SubmitRatingsRequest{Items: make([]*pb.SealedRating, batch)}
				for i := range request.Items {
					request.Items[i] = sealed(freshRating(n + i))
				}
				response, err := client.SubmitRatings(ctx, request)
				if err != nil {
					b.Error(err)
					return
				}
				for _, outcome := range response.GetOutcomes() {
					if outcome.GetOutcome() != pb.Outcome_OUTCOME_STORED {
						b.Errorf("outcome %v", outcome)
						return
					}
				}
				stored.Add(int64(batch))
			}
		})
	}
	group.Wait()
	return float64(stored.Load()) / time.Since(start).Seconds()
}

// documents are records ready to be written, so that the engine is measured and not their making.
func documents(count int) []rating.Record {
	records := make([]rating.Record, count)
	now := time.Now()
	for i := range records {
		r := freshRating(i)
		records[i] = rating.NewRecord("bench", r, sealed(r).GetRating(), rating.Sender{Account: "bench"}, now)
	}
	return records
}

// noop answers the same bytes and stores nothing.
type noop struct {
	pb.UnimplementedRatingServiceServer
}

func (noop) SubmitRatings(_ context.Context, request *pb.SubmitRatingsRequest) (*pb.SubmitRatingsResponse, error) {
	response := &pb.SubmitRatingsResponse{Outcomes: make([]*pb.ItemOutcome, len(request.GetItems()))}
	for i := range response.Outcomes {
		response.Outcomes[i] = &pb.ItemOutcome{RatingId: "0198c0de-0000-7000-8000-000000000000", Outcome: pb.Outcome_OUTCOME_STORED}
	}
	return response, nil
}
