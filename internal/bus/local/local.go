// Package local is the bus of a program that is one process: queue, limits, feed, presence and one-time keys in memory,
// all of it bounded. Limits, Feed and Once stand by themselves too: the shared bus falls back on them.
package local

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
)

// Options are the settings of a local bus. The zero value is good.
type Options struct {
	Now          func() time.Time // the clock; time.Now
	HintIdle     time.Duration    // how long a hint that was not acknowledged rests before it is delivered again; 30 s
	HintBound    int              // cells that may wait; 65,536
	HintAttempts int              // deliveries until a hint is given up; 5
	FeedBuffer   int              // events kept for a slow subscriber; 256
	Keys         int              // limits, places and one-time keys remembered, of each; 200,000
}

func (o Options) filled() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.HintIdle <= 0 {
		o.HintIdle = 30 * time.Second
	}
	if o.HintBound <= 0 {
		o.HintBound = 65_536
	}
	if o.HintAttempts <= 0 {
		o.HintAttempts = 5
	}
	if o.FeedBuffer <= 0 {
		o.FeedBuffer = 256
	}
	if o.Keys <= 0 {
		o.Keys = 200_000
	}
	return o
}

// Bus is the bus within this process.
type Bus struct {
	hints    *hints
	limits   *Limits
	feed     *Feed
	presence *presence
	once     *Once

	open      context.Context // ends with bus.ErrClosed
	end       context.CancelCauseFunc
	mu        sync.Mutex // guards consumers.Add against Close
	consumers sync.WaitGroup
}

var _ bus.Bus = (*Bus)(nil)

// New opens a bus. It starts nothing; Close is still due, for those who wait on it.
func New(options Options) *Bus {
	options = options.filled()
	open, end := context.WithCancelCause(context.Background())
	return &Bus{
		hints:    newHints(options),
		limits:   NewLimits(options.Now, options.Keys),
		feed:     NewFeed(options.FeedBuffer),
		presence: newPresence(options.Now, options.Keys),
		once:     NewOnce(options.Now, options.Keys),
		open:     open,
		end:      end,
	}
}

// Publish is bus.Feed.
func (b *Bus) Publish(_ context.Context, topic string, body []byte) error {
	if !bus.ValidName(topic) || len(body) > bus.MaxBody {
		return bus.ErrInvalid
	}
	if b.open.Err() != nil {
		return bus.ErrClosed
	}
	b.feed.Tell(topic, body)
	return nil
}

// Subscribe is bus.Feed.
func (b *Bus) Subscribe(ctx context.Context, topics ...string) <-chan bus.Event {
	return b.feed.Subscribe(ctx, topics...)
}

// Allow is bus.Limits.
func (b *Bus) Allow(_ context.Context, key string, limit bus.Limit, cost int) bus.Decision {
	return b.limits.Allow(key, limit, cost)
}

// UseOnce is bus.Nonces.
func (b *Bus) UseOnce(_ context.Context, key string, ttl time.Duration) (bool, error) {
	if key == "" || ttl <= 0 {
		return false, bus.ErrInvalid
	}
	if b.open.Err() != nil {
		return false, bus.Unavailable(bus.ErrClosed)
	}
	first, full := b.once.Use(key, ttl)
	if full {
		return false, bus.Unavailable(errors.New("too many one-time keys are remembered"))
	}
	return first, nil
}

// Announce is bus.Presence.
func (b *Bus) Announce(_ context.Context, place, who string, ttl time.Duration) error {
	if !bus.ValidName(place) || !bus.ValidWho(who) || ttl <= 0 {
		return bus.ErrInvalid
	}
	b.presence.announce(place, who, ttl)
	return nil
}

// Leave is bus.Presence.
func (b *Bus) Leave(_ context.Context, place, who string) error {
	if !bus.ValidName(place) || !bus.ValidWho(who) {
		return bus.ErrInvalid
	}
	b.presence.leave(place, who)
	return nil
}

// Present is bus.Presence.
func (b *Bus) Present(_ context.Context, place string) ([]string, error) {
	if !bus.ValidName(place) {
		return nil, bus.ErrInvalid
	}
	return b.presence.list(place), nil
}

// Ping is bus.Bus.
func (b *Bus) Ping(context.Context) error {
	if b.open.Err() != nil {
		return bus.Unavailable(bus.ErrClosed)
	}
	return nil
}

// Stats is bus.Bus.
func (b *Bus) Stats() bus.Stats {
	stats := b.hints.stats()
	stats.FeedMissed = b.feed.Missed()
	return stats
}

// Close is bus.Bus. It waits until every handler has come back.
func (b *Bus) Close() error {
	b.mu.Lock()
	b.end(bus.ErrClosed)
	b.mu.Unlock()
	b.consumers.Wait()
	b.feed.Close()
	return nil
}
