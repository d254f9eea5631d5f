package identity

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/passhash"
	"github.com/hailong-vn/hailong/internal/recent"
	"github.com/hailong-vn/hailong/internal/store"
)

// Options of accounts. Limits and Feed are required.
type Options struct {
	Limits bus.Limits
	Feed   bus.Feed
	Logger *slog.Logger     // nil = nothing is logged
	Now    func() time.Time // nil = time.Now
	// Idle ends a session that nobody used for so long; 0 = 4 hours.
	Idle time.Duration
	// Absolute ends a session so long after sign-in, whatever happens; 0 = 12 hours.
	Absolute time.Duration
}

// Accounts keeps who can sign in and who is signed in. Its methods may be called by many goroutines.
type Accounts struct {
	accounts store.Docs[accountDoc]
	sessions store.Docs[sessionDoc]
	options  Options
	log      *slog.Logger
	now      func() time.Time
	hasher   *hasher
	live     *recent.Values[string, liveSession] // by session id
	stop     context.CancelFunc
	listener sync.WaitGroup
}

const (
	// keepLive is how long what is known of a session is believed where the bus says nothing.
	keepLive = 5 * time.Second
	maxLive  = 20_000
	// topic of the feed: "account/ID" or "session/ID" when sessions ended.
	topic = "identity"
)

// Open opens the accounts of a store. Close ends what it started.
func Open(ctx context.Context, engine store.Engine, options Options) (*Accounts, error) {
	return open(ctx, engine, options, passhash.OWASP())
}

func open(ctx context.Context, engine store.Engine, options Options, cost cost) (*Accounts, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Idle <= 0 {
		options.Idle = 4 * time.Hour
	}
	if options.Absolute <= 0 {
		options.Absolute = 12 * time.Hour
	}
	a := &Accounts{options: options, log: options.Logger, now: options.Now, hasher: newHasher(cost),
		live: recent.New[string, liveSession](keepLive, maxLive, options.Now)}
	var err error
	if a.accounts, err = accountType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if a.sessions, err = sessionType.Open(ctx, engine); err != nil {
		return nil, err
	}
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	events := options.Feed.Subscribe(listening, topic)
	a.listener.Go(func() {
		for event := range events {
			a.hear(event)
		}
	})
	return a, nil
}

// Close ends the listening to the bus.
func (a *Accounts) Close() {
	a.stop()
	a.listener.Wait()
}

func (a *Accounts) hear(event bus.Event) {
	if event.Missed {
		a.live.ForgetAll()
		return
	}
	switch kind, id, _ := strings.Cut(string(event.Body), "/"); kind {
	case "account":
		a.forgetAccount(id)
	case "session":
		a.live.Forget(id)
	}
}

func (a *Accounts) forgetAccount(id string) {
	a.live.ForgetWhere(func(session liveSession) bool { return session.doc.Account == id })
}

// tell makes every process forget; where the bus fails, others believe what they know for keepLive.
func (a *Accounts) tell(ctx context.Context, kind, id string) {
	if kind == "account" {
		a.forgetAccount(id)
	} else {
		a.live.Forget(id)
	}
	if err := a.options.Feed.Publish(context.WithoutCancel(ctx), topic, []byte(kind+"/"+id)); err != nil {
		a.log.WarnContext(ctx, "other processes were not told that sessions ended; they notice within seconds",
			"within", keepLive, "error", err)
	}
}
