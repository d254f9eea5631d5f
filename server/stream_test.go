package server

import (
	"context"
	"fmt"
	"testing"
	"time"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Batches of a stream are settled a few at once, and what hangs on an earlier one finds it settled: a ticket belongs to who came first, and
// a correction finds what it corrects.
func TestAStreamKeepsTheOrderOfWhatHangsOnOrder(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		ctx, cancel := context.WithTimeout(s.admin(), time.Minute)
		defer cancel()
		unit := s.unit(ctx, "", "Xã Thử")
		stream, err := s.ratings().StreamRatings(ctx)
		if err != nil {
			t.Fatal(err)
		}
		const batches, tickets = 30, 6
		var last *pb.Rating // of the ratings that are corrected again and again
		sent := 0
		for batch := range batches {
			request := &pb.StreamRatingsRequest{}
			for ticket := range tickets {
				r := freshRating(unit, 1)
				r.Channel, r.TicketCode = pb.Channel_CHANNEL_WEB, fmt.Sprint("A", ticket)
				if batch == 0 {
					r.OverallScore = 5
				}
				request.Items = append(request.Items, seal(t, r))
			}
			corrected := freshRating(unit, 4)
			if last != nil {
				corrected.Revises, corrected.RevisionReason = last.GetId(), "gõ nhầm"
			}
			last = corrected
			request.Items = append(request.Items, seal(t, corrected))
			sent += len(request.GetItems())
			if err := stream.Send(request); err != nil {
				t.Fatal(err)
			}
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		for i := range sent {
			response, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if response.GetOutcome().GetOutcome() != stored {
				t.Fatalf("item %d: %v", i, response.GetOutcome())
			}
		}
		counts := s.summary(ctx, unit, tickets+1).GetPooled().GetCounts()
		if fmt.Sprint(counts) != fmt.Sprint([]uint32{0, 0, 0, 1, tickets}) {
			t.Errorf("counted by score: %v", counts)
		}
	})
}
