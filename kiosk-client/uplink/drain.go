package uplink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/kiosk-client/journal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	// ahead is how many batches are under way while answers are waited for.
	ahead = 4
	// answerTime is how long an answer may take, counted from the last one.
	answerTime = time.Minute
	// lookEvery is how often the queue is looked at though nobody said anything.
	lookEvery = time.Minute
	// heldAtOnce is how many of the held are tried again at once.
	heldAtOnce = 100
)

// drainOn sends what is sealed, as long as the server takes it.
func (u *Uplink) drainOn(ctx context.Context, calls *Calls) error {
	refused := backoff{random: u.options.Random}
	for {
		err := u.drain(ctx, calls)
		pause := lookEvery
		switch {
		case err == nil:
			refused.reset()
		case tooLarge(err):
			if err := u.sendAlone(ctx, calls); err != nil {
				return err
			}
			continue
		case status.Code(err) == codes.ResourceExhausted: // the server has other callers: later
			pause = refused.next()
			u.log.InfoContext(ctx, "the server takes no more ratings for now", "again", pause, "error", err)
		default:
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-u.wake:
		case <-timer.C:
		case <-u.held:
			if err := u.retryHeld(ctx, calls); err != nil {
				timer.Stop()
				return err
			}
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		timer.Stop()
	}
}

// drain sends the queue until it is empty. A token that ended in between is fetched anew, once for each piece of the way.
func (u *Uplink) drain(ctx context.Context, calls *Calls) error {
	refused := uint64(0)
	for {
		first, err := u.pending(ctx, 0)
		if err != nil || len(first.Items) == 0 {
			return err
		}
		token, err := calls.Token(ctx)
		if err != nil {
			return err
		}
		err = u.stream(ctx, calls, token, first)
		if status.Code(err) != codes.Unauthenticated || refused == first.First {
			return err
		}
		refused = first.First
		calls.forget(token)
	}
}

// stream sends the queue from a first batch on in one stream, until it is empty.
func (u *Uplink) stream(ctx context.Context, calls *Calls, token string, first journal.Batch) error {
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stream, err := calls.ratings.StreamRatings(metadata.AppendToOutgoingContext(within, "authorization", "Bearer "+token))
	if err != nil {
		return fmt.Errorf("send ratings: %w", err)
	}
	sent := make(chan journal.Batch, ahead)
	sending := make(chan error, 1)
	go func() {
		defer close(sent)
		sending <- u.sendAll(within, stream, first, sent)
	}()
	slow := time.AfterFunc(answerTime, func() { cancel(status.Error(codes.DeadlineExceeded, "no answer to ratings that were sent")) })
	defer slow.Stop()
	err = u.takeAnswers(within, stream, sent, func() { slow.Reset(answerTime) })
	if cause := context.Cause(within); err != nil && cause != nil && ctx.Err() == nil {
		err = cause
	}
	cancel(err) // ends the sending too; what was under way is sent again
	for range sent {
		continue
	}
	if failed := <-sending; err == nil {
		err = failed
	}
	return err
}

// sendAll sends batch after batch, at most some ahead of the answers.
func (u *Uplink) sendAll(ctx context.Context, stream grpc.BidiStreamingClient[pb.StreamRatingsRequest, pb.StreamRatingsResponse], batch journal.Batch, sent chan<- journal.Batch) error {
	for len(batch.Items) > 0 {
		request, err := u.journal.Request(batch)
		if err != nil {
			return err
		}
		select {
		case sent <- batch:
		case <-ctx.Done():
			return ctx.Err()
		}
		err = stream.Send(&pb.StreamRatingsRequest{Items: request.GetItems(), Seal: request.GetSeal()})
		if errors.Is(err, io.EOF) {
			return nil // the answers tell why
		}
		if err != nil {
			return fmt.Errorf("send ratings: %w", err)
		}
		if batch, err = u.pending(ctx, batch.Last()); err != nil {
			return err
		}
	}
	return stream.CloseSend()
}

// takeAnswers settles each batch once all of it was answered.
func (u *Uplink) takeAnswers(ctx context.Context, stream grpc.BidiStreamingClient[pb.StreamRatingsRequest, pb.StreamRatingsResponse], sent <-chan journal.Batch, alive func()) error {
	for batch := range sent {
		outcomes := make([]*pb.ItemOutcome, 0, len(batch.Items))
		for range batch.Items {
			answer, err := stream.Recv()
			if err != nil {
				if errors.Is(err, io.EOF) {
					err = status.Error(codes.Unavailable, "the stream ended before every rating was answered")
				}
				// What was answered is kept, so that it is not sent again.
				return errors.Join(fmt.Errorf("send ratings: %w", err), u.settle(context.WithoutCancel(ctx), batch, outcomes))
			}
			alive()
			outcomes = append(outcomes, answer.GetOutcome())
		}
		if err := u.settle(context.WithoutCancel(ctx), batch, outcomes); err != nil {
			return err
		}
	}
	return nil
}

// pending reads the next batch to be sent.
func (u *Uplink) pending(ctx context.Context, after uint64) (journal.Batch, error) {
	u.mu.Lock()
	items, bytes := u.batchItems, u.batchBytes
	u.mu.Unlock()
	return u.journal.Pending(ctx, after, items, bytes)
}

// settle keeps what became of the first items of a batch.
func (u *Uplink) settle(ctx context.Context, batch journal.Batch, outcomes []*pb.ItemOutcome) error {
	reasons := make([]string, len(outcomes))
	for i, outcome := range outcomes {
		var err error
		if reasons[i], err = notKept(batch.Items[i], outcome); err != nil {
			return fmt.Errorf("rating %d: %w", batch.First+uint64(i), err)
		}
		if reasons[i] != "" {
			u.log.WarnContext(ctx, "the server could not keep a rating; it stays here and is tried again", "sequence", batch.First+uint64(i), "reason", reasons[i])
		} else if o := outcome.GetOutcome(); o == pb.Outcome_OUTCOME_CONFLICT || o == pb.Outcome_OUTCOME_REJECTED {
			u.log.WarnContext(ctx, "a rating is in the server's quarantine", "sequence", batch.First+uint64(i), "reason", outcome.GetReasonCode(), "quarantine", outcome.GetQuarantineId())
		}
	}
	return u.journal.Settle(ctx, batch.First, reasons, u.serverTime())
}

// notKept answers why the server has not kept an item; empty where it has. What it refused for the seal's sake it
// does not count as arrived, though it keeps it: sealed anew it may pass.
func notKept(item *pb.SealedRating, outcome *pb.ItemOutcome) (string, error) {
	switch outcome.GetOutcome() {
	case pb.Outcome_OUTCOME_STORED, pb.Outcome_OUTCOME_DUPLICATE:
		r := &pb.Rating{}
		if proto.Unmarshal(item.GetRating(), r) != nil || r.GetId() != outcome.GetRatingId() {
			return "", status.Errorf(codes.Internal, "acknowledged as %q", outcome.GetRatingId())
		}
		return "", nil
	case pb.Outcome_OUTCOME_CONFLICT, pb.Outcome_OUTCOME_REJECTED:
		reason := outcome.GetReasonCode()
		if outcome.GetQuarantineId() != "" && !strings.HasPrefix(reason, "seal_") && reason != "chain_broken" {
			return "", nil
		}
		return cmp.Or(reason, "not_kept"), nil
	}
	return "", status.Errorf(codes.Internal, "answered with outcome %v", outcome.GetOutcome())
}

// sendAlone sends the first batch by itself, in halves until the culprit stands alone, which is held; the batches after it are
// smaller.
func (u *Uplink) sendAlone(ctx context.Context, calls *Calls) error {
	batch, err := u.pending(ctx, 0)
	if err != nil || len(batch.Items) == 0 {
		return err
	}
	if n := len(batch.Items); n > 1 {
		u.mu.Lock()
		u.batchItems, u.batchBytes = max(1, n/2), max(1<<10, u.batchBytes/2)
		u.mu.Unlock()
	}
	within, cancel := context.WithTimeout(ctx, 2*answerTime)
	defer cancel()
	outcomes, err := calls.Submit(within, batch)
	if failed := u.settle(context.WithoutCancel(ctx), batch, outcomes); failed != nil {
		return failed
	}
	if tooLarge(err) {
		culprit := batch.First + uint64(len(outcomes))
		u.log.WarnContext(ctx, "a rating is larger than the server takes; it stays here and is tried again", "sequence", culprit)
		return u.journal.Settle(ctx, culprit, []string{"too_large"}, u.serverTime())
	}
	return err
}

// retryHeld tries what came back before, each alone.
func (u *Uplink) retryHeld(ctx context.Context, calls *Calls) error {
	batches, err := u.journal.Held(ctx, 0, heldAtOnce)
	if err != nil {
		return err
	}
	for _, batch := range batches {
		within, cancel := context.WithTimeout(ctx, callTime)
		outcomes, err := calls.Submit(within, batch)
		cancel()
		switch {
		case tooLarge(err):
			continue
		case status.Code(err) == codes.ResourceExhausted:
			return nil
		case err != nil:
			return err
		}
		if err := u.settle(ctx, batch, outcomes); err != nil {
			return err
		}
	}
	return nil
}
