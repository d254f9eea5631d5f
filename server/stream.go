package server

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	// streamAhead is how many batches of a stream are under way at once, so that one is judged while another is written: with one at a time
	// a device drains its queue at less than half of what the engine can take.
	streamAhead = 4
	// largeBatch, in bytes of ratings, is under way alone: what a stream may hold in memory stays what one message may.
	largeBatch = 1 << 20
)

// underWay is a batch of a stream that was read.
type underWay struct {
	settled  chan struct{} // closed at the end; the rest may be looked at then
	outcomes []*pb.ItemOutcome
	err      error
}

// StreamRatings settles a few batches at once and answers them in order. It reads no further than that while its answers are not
// taken by the transport: a client that never reads stops its own stream, and nothing else. Batches whose items hang on what
// came before (corrections, tickets) wait for it.
func (s ratingService) StreamRatings(stream grpc.BidiStreamingServer[pb.StreamRatingsRequest, pb.StreamRatingsResponse]) error {
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	batches := make(chan *underWay, streamAhead-1) // and the one whose answer is awaited
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		for batch := range batches {
			if err := answer(ctx, stream, batch); err != nil {
				cancel(err)
				return
			}
		}
		cancel(io.EOF)
	})
	read := func() error {
		defer close(batches)
		before := &underWay{settled: make(chan struct{})}
		close(before.settled)
		for {
			request, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			// A stream may outlive its caller's right to it: the token is looked at again, from memory.
			called, err := s.withCaller(ctx)
			if err != nil {
				return err
			}
			if sizeOf(request) > largeBatch {
				<-before.settled
			}
			batch, after := &underWay{settled: make(chan struct{})}, before.settled
			select {
			case batches <- batch:
			case <-ctx.Done():
				return nil
			}
			running.Go(func() {
				defer close(batch.settled)
				defer func() {
					if p := recover(); p != nil {
						batch.err = s.panicked(called, p)
					}
				}()
				batch.outcomes, batch.err = s.submit(called, request.GetItems(), request.GetSeal(), after)
			})
			before = batch
		}
	}
	err := read()
	if err != nil {
		cancel(err)
	}
	<-ctx.Done()
	if why := context.Cause(ctx); !errors.Is(why, io.EOF) {
		return why
	}
	return err
}

// answer sends a batch's outcomes once it is settled.
func answer(ctx context.Context, stream grpc.BidiStreamingServer[pb.StreamRatingsRequest, pb.StreamRatingsResponse], batch *underWay) error {
	select {
	case <-batch.settled:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if batch.err != nil {
		return batch.err
	}
	for _, outcome := range batch.outcomes {
		if err := stream.Send(&pb.StreamRatingsResponse{Outcome: outcome}); err != nil {
			return err
		}
	}
	return nil
}

func sizeOf(request *pb.StreamRatingsRequest) int {
	size := 0
	for _, item := range request.GetItems() {
		size += len(item.GetRating())
	}
	return size
}
