package local

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/bus/backlog"
)

// hintBatch is how many cells a worker gets at once: enough to spare it round trips, few enough to share.
const hintBatch = 256

// hints is the work queue. A hint in a worker's hands is held by the goroutine that delivers it, which puts it to rest
// when it was not acknowledged.
type hints struct {
	now      func() time.Time
	idle     time.Duration
	bound    int
	attempts int

	mu      sync.Mutex
	waiting *backlog.Cells
	resting []rested // in the order they are due: the idle time is the same for all
	rests   int      // cells in resting
	ids     uint64
	changed chan struct{} // closed and replaced when something came
	counted bus.Stats
}

type rested struct {
	due time.Time
	bus.Delivery
}

func newHints(o Options) *hints {
	return &hints{
		now: o.Now, idle: o.HintIdle, bound: o.HintBound, attempts: o.HintAttempts,
		waiting: backlog.New(o.HintBound), changed: make(chan struct{}),
	}
}

// PublishHint is bus.Hints.
func (b *Bus) PublishHint(_ context.Context, hint bus.Hint) {
	if b.open.Err() != nil {
		b.hints.drop(len(hint.Cells))
		return
	}
	b.hints.add(hint.Cells)
}

// ConsumeHints is bus.Hints. consumer names the worker in the log only.
func (b *Bus) ConsumeHints(ctx context.Context, consumer string, handle func(context.Context, []bus.Delivery) error) error {
	if !bus.ValidName(consumer) {
		return bus.ErrInvalid
	}
	b.mu.Lock()
	if b.open.Err() != nil {
		b.mu.Unlock()
		return bus.ErrClosed
	}
	b.consumers.Add(1)
	b.mu.Unlock()
	defer b.consumers.Done()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(b.open, func() { cancel(bus.ErrClosed) })()
	for {
		batch, err := b.hints.next(ctx)
		if err != nil {
			return err
		}
		b.hints.deliver(ctx, batch, handle)
	}
}

// deliver runs the handler, and puts the batch to rest unless it was acknowledged, even if the handler panics.
func (h *hints) deliver(ctx context.Context, batch []bus.Delivery, handle func(context.Context, []bus.Delivery) error) {
	done := false
	defer func() {
		if !done {
			h.rest(batch)
		}
	}()
	done = handle(ctx, batch) == nil
}

func (h *hints) add(cells []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, cell := range cells {
		if !bus.ValidCell(cell) {
			h.counted.HintsDropped++
			continue
		}
		h.counted.HintsPublished++
		if h.waiting.Add(cell) {
			h.counted.HintsDropped++
		}
	}
	h.wake()
}

func (h *hints) drop(cells int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counted.HintsDropped += uint64(cells)
}

// rest keeps a batch until its idle time is over.
func (h *hints) rest(batch []bus.Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	due := h.now().Add(h.idle)
	for _, delivery := range batch {
		if delivery.Attempt >= h.attempts || h.rests+len(delivery.Cells) > h.bound {
			h.counted.HintsDropped += uint64(len(delivery.Cells))
			continue
		}
		h.rests += len(delivery.Cells)
		h.resting = append(h.resting, rested{due, delivery})
	}
	h.wake()
}

// wake wakes every consumer that waits. The lock is held.
func (h *hints) wake() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// next waits for a batch.
func (h *hints) next(ctx context.Context) ([]bus.Delivery, error) {
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		batch, wait, changed := h.take()
		if len(batch) > 0 {
			return batch, nil
		}
		var due <-chan time.Time
		var timer *time.Timer
		if wait > 0 {
			timer = time.NewTimer(wait)
			due = timer.C
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-due:
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

// take removes what is due, or answers how long the next rest is (0: none) and what tells of a change.
func (h *hints) take() ([]bus.Delivery, time.Duration, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var batch []bus.Delivery
	now := h.now()
	for cells := 0; len(batch) < len(h.resting) && cells < hintBatch && !h.resting[len(batch)].due.After(now); {
		delivery := h.resting[len(batch)].Delivery
		delivery.Attempt++
		cells += len(delivery.Cells)
		batch = append(batch, delivery)
	}
	for _, delivery := range batch {
		h.rests -= len(delivery.Cells)
	}
	h.counted.HintsRedelivered += uint64(len(batch))
	h.resting = slices.Delete(h.resting, 0, len(batch))
	if cells := h.waiting.Take(hintBatch); len(cells) > 0 {
		h.ids++
		batch = append(batch, bus.Delivery{Hint: bus.Hint{Cells: cells}, ID: strconv.FormatUint(h.ids, 10), Attempt: 1})
	}
	if len(batch) > 0 || len(h.resting) == 0 {
		return batch, 0, h.changed
	}
	return nil, max(h.resting[0].due.Sub(now), time.Millisecond), h.changed
}

func (h *hints) stats() bus.Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counted
}
