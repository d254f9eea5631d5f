// Package redisbus is the bus shared by many processes over one Redis (7.0 or newer): hints in a stream with a consumer
// group, limits in Lua, the feed by publish and subscribe, presence in sorted sets, one-time keys by SET NX.
//
// Redis may be away when the bus is opened, restart, lose all its memory or answer slowly: nothing here fails for
// good, every call ends within Options.Timeout, and the bus finds back by itself.
package redisbus

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/fault"
)

// Options are the settings of a shared bus. The zero value is good.
type Options struct {
	Prefix       string           // put before every key and channel, so that systems may share a Redis; "hailong:"
	Timeout      time.Duration    // until a call is given up; 500 ms
	HintIdle     time.Duration    // how long a hint that was not acknowledged rests before another worker gets it; 30 s
	HintBound    int              // about how many entries of up to 64 cells the stream keeps; 10,000
	HintAttempts int              // deliveries until a hint is given up; 5
	FeedBuffer   int              // events kept for a slow subscriber; 256
	Keys         int              // keys each process remembers by itself; 200,000
	Now          func() time.Time // the clock of this process, for what it keeps by itself; time.Now
	Log          *slog.Logger     // slog.Default()
}

func (o Options) filled() Options {
	if o.Prefix == "" {
		o.Prefix = "hailong:"
	}
	if o.Timeout <= 0 {
		o.Timeout = 500 * time.Millisecond
	}
	if o.HintIdle <= 0 {
		o.HintIdle = 30 * time.Second
	}
	if o.HintBound <= 0 {
		o.HintBound = 10_000
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
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Bus is this process's end of the shared bus.
type Bus struct {
	options Options
	client  *redis.Client
	feed    *local.Feed   // subscribers of this process
	limits  *local.Limits // while Redis is away
	once    *local.Once   // what this process saw used, should Redis forget
	outbox  *outbox
	live    *live
	health  *health

	open    context.Context // ends with bus.ErrClosed
	end     context.CancelCauseFunc
	mu      sync.Mutex // guards running.Add against Close
	running sync.WaitGroup
	closing sync.Once
}

var _ bus.Bus = (*Bus)(nil)

// prefixes holds no sign that means something in a pattern of PSUBSCRIBE.
var prefixes = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)

// Open opens the bus at a URL redis://, rediss:// or unix://, as go-redis reads it. It does not wait for Redis, which may
// come later; Ping tells. A *fault.Error where the URL or the prefix cannot be read; it does not repeat them, because
// there may be a password in them.
func Open(url string, options Options) (*Bus, error) {
	options = options.filled()
	if !prefixes.MatchString(options.Prefix) {
		return nil, fault.New(fault.Invalid, "redis_prefix")
	}
	settings, err := redis.ParseURL(url)
	if err != nil {
		return nil, fault.New(fault.Invalid, "redis_url")
	}
	// The driver writes its own lines past slog, several a second while Redis is away. What it says comes back as
	// an error too, and is logged here, once a minute.
	logging.Disable()

	b := &Bus{
		options: options,
		client:  redis.NewClient(tuned(settings, options)),
		feed:    local.NewFeed(options.FeedBuffer),
		limits:  local.NewLimits(options.Now, options.Keys),
		once:    local.NewOnce(options.Now, options.Keys),
		outbox:  newOutbox(),
		live:    newLive(),
		health:  newHealth(options.Now, options.Log),
	}
	b.open, b.end = context.WithCancelCause(context.Background())
	b.running.Go(b.publishHints)
	b.running.Go(b.listen)
	return b, nil
}

// tuned sets what a bus needs over what the URL says: short waits, no handshakes that only newer servers know.
func tuned(settings *redis.Options, options Options) *redis.Options {
	settings.Protocol = 2
	settings.DisableIdentity = true
	settings.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	settings.ContextTimeoutEnabled = true
	settings.DialTimeout = options.Timeout
	settings.ReadTimeout = options.Timeout
	settings.WriteTimeout = options.Timeout
	settings.PoolTimeout = options.Timeout
	settings.DialerRetries = 1
	settings.MaxRetries = 1 // a connection that died while it lay in the pool
	settings.MinRetryBackoff = time.Millisecond
	settings.MaxRetryBackoff = 10 * time.Millisecond
	return settings
}

// call runs one call to Redis within the timeout and keeps the books on Redis's health. A nil reply is no failure.
func (b *Bus) call(ctx context.Context, what string, do func(context.Context) error) error {
	if b.open.Err() != nil {
		return bus.Unavailable(bus.ErrClosed)
	}
	limited, cancel := context.WithTimeout(ctx, b.options.Timeout)
	defer cancel()
	err := do(limited)
	switch {
	case err == nil || errors.Is(err, redis.Nil):
		b.health.good()
		return err
	case ctx.Err() != nil: // the caller's own end says nothing of Redis
		return bus.Unavailable(context.Cause(ctx))
	default:
		b.health.bad(what, err)
		return bus.Unavailable(err)
	}
}

// key is a key or channel of this system. One key a call, so that a Redis cluster could serve them.
func (b *Bus) key(kind, name string) string { return b.options.Prefix + kind + ":" + name }

// Ping is bus.Bus.
func (b *Bus) Ping(ctx context.Context) error {
	return b.call(ctx, "ping", func(ctx context.Context) error { return b.client.Ping(ctx).Err() })
}

// Stats is bus.Bus.
func (b *Bus) Stats() bus.Stats {
	stats := b.health.stats()
	stats.FeedMissed = b.feed.Missed()
	return stats
}

// closeLimit is how long Close waits for handlers that do not come back.
const closeLimit = 10 * time.Second

// Close is bus.Bus.
func (b *Bus) Close() error {
	var err error
	b.closing.Do(func() {
		b.mu.Lock()
		b.end(bus.ErrClosed)
		b.mu.Unlock()
		ended := make(chan struct{})
		go func() {
			b.running.Wait()
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(closeLimit):
			b.options.Log.Warn("the bus is closed while a worker still holds hints; they will be delivered again")
		}
		b.feed.Close()
		err = b.client.Close()
	})
	return err
}
