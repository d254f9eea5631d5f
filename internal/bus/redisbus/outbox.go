package redisbus

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/bus/backlog"
)

const (
	stream       = "hints"
	group        = "workers"
	field        = "cells" // of an entry: cells with line breaks between them
	entryCells   = 64      // cells in one entry: what one worker folds in a breath
	sendEntries  = 16      // entries in one round trip
	outboxCells  = 65_536  // cells that may wait while Redis is away: 4 MB or so
	firstBackoff = 50 * time.Millisecond
	lastBackoff  = 3 * time.Second
)

// outbox holds what was published until it is in Redis, so that intake never waits for the network. The slower Redis
// is, the more cells join in one entry.
type outbox struct {
	mu    sync.Mutex
	cells *backlog.Cells
	wake  chan struct{} // holds one where there is something to send
}

func newOutbox() *outbox {
	return &outbox{cells: backlog.New(outboxCells), wake: make(chan struct{}, 1)}
}

func (o *outbox) take(n int) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cells.Take(n)
}

func (o *outbox) giveBack(cells []string) (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cells.Return(cells)
}

// PublishHint is bus.Hints.
func (b *Bus) PublishHint(_ context.Context, hint bus.Hint) {
	if b.open.Err() != nil {
		b.dropped(len(hint.Cells))
		return
	}
	published, dropped := 0, 0
	b.outbox.mu.Lock()
	for _, cell := range hint.Cells {
		if !bus.ValidCell(cell) {
			dropped++
			continue
		}
		published++
		if b.outbox.cells.Add(cell) {
			dropped++
		}
	}
	b.outbox.mu.Unlock()
	b.health.published.Add(uint64(published))
	b.dropped(dropped)
	select {
	case b.outbox.wake <- struct{}{}:
	default:
	}
}

func (b *Bus) dropped(cells int) {
	if cells > 0 {
		b.health.dropped.Add(uint64(cells))
		b.health.warn("hints were dropped; the sweep will find their cells", "hints", nil)
	}
}

// publishHints empties the outbox until the bus is closed, and once more then.
func (b *Bus) publishHints() {
	backoff := firstBackoff
	for {
		select {
		case <-b.open.Done():
			b.lastHints()
			return
		case <-b.outbox.wake:
		}
		for b.open.Err() == nil {
			cells := b.outbox.take(sendEntries * entryCells)
			if len(cells) == 0 {
				backoff = firstBackoff
				break
			}
			if err := b.call(b.open, "hints", func(ctx context.Context) error { return b.send(ctx, cells) }); err == nil {
				backoff = firstBackoff
				continue
			}
			b.dropped(b.outbox.giveBack(cells))
			rest(b.open, backoff)
			backoff = min(2*backoff, lastBackoff)
		}
	}
}

// lastHints gives what waits at closing one chance.
func (b *Bus) lastHints() {
	ctx, cancel := context.WithTimeout(context.Background(), b.options.Timeout)
	defer cancel()
	for {
		cells := b.outbox.take(sendEntries * entryCells)
		if len(cells) == 0 {
			return
		}
		if err := b.send(ctx, cells); err != nil {
			b.dropped(len(cells) + len(b.outbox.take(outboxCells)))
			return
		}
	}
}

// send adds cells to the stream in one round trip. Some may be in it although an error is answered; they come twice
// then, which harms nobody.
func (b *Bus) send(ctx context.Context, cells []string) error {
	_, err := b.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for len(cells) > 0 {
			n := min(entryCells, len(cells))
			pipe.XAdd(ctx, &redis.XAddArgs{
				Stream: b.options.Prefix + stream, MaxLen: int64(b.options.HintBound), Approx: true,
				Values: []any{field, strings.Join(cells[:n], "\n")},
			})
			cells = cells[n:]
		}
		return nil
	})
	return err
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, duration time.Duration) {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
