// Package office keeps what an office decides about its casework: how long each step may take, which ratings become cases by
// themselves, who keeps the register, and who stands in for whom during leave. Rules are decided for a unit and hold for all
// units below it until one of those decides for itself; where nobody did, the product's own defaults hold.
//
// Changes of rules are a log that only grows. Each takes the number after the last one it has seen, so of two people who change
// at once one wins and the other is told; and what stands is what the log says, so nothing can be lost between the two. Every
// process has all rules in memory, reads what it lacks as soon as the bus tells it, and within seconds where the bus does not.
package office

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/recent"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
)

// Options of an office. Feed and Tree are required.
type Options struct {
	Feed   bus.Feed
	Tree   func() *unit.Tree
	Logger *slog.Logger     // nil = nothing is logged
	Now    func() time.Time // nil = time.Now
	// PollEvery is how often changes made elsewhere are looked for, where the bus says nothing; 0 = 5 s.
	PollEvery time.Duration
}

// Office knows the rules. Its methods may be called by many goroutines. Who may call them is for the caller to check.
type Office struct {
	options  Options
	changes  store.Docs[Change]
	standIns store.Docs[StandIn]
	defaults deadline.Rules

	reading sync.Mutex // held while the log is read on
	state   atomic.Pointer[state]

	standing *recent.Values[string, []StandIn] // by account
	stop     context.CancelFunc
	running  sync.WaitGroup
}

const (
	topicRules    = "case_rules" // of the feed: rules changed
	topicStandIns = "stand_ins"  // of the feed: the id of an account whose stand-ins changed

	keepKnown = 5 * time.Second
	maxKnown  = 10_000
)

// Kinds lists what is kept in the store.
func Kinds() []store.Kind { return []store.Kind{changesKind.Kind, standInsKind.Kind} }

// Open reads all rules. Close ends what it started.
func Open(ctx context.Context, engine store.Engine, options Options) (*Office, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.PollEvery == 0 {
		options.PollEvery = keepKnown
	}
	o := &Office{options: options, standing: recent.New[string, []StandIn](keepKnown, maxKnown, options.Now)}
	var err error
	if o.defaults, err = deadline.Defaults(); err != nil {
		return nil, err
	}
	if o.changes, err = changesKind.Open(ctx, engine); err != nil {
		return nil, err
	}
	if o.standIns, err = standInsKind.Open(ctx, engine); err != nil {
		return nil, err
	}
	o.state.Store(&state{})
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	o.stop = stop
	events := options.Feed.Subscribe(listening, topicRules, topicStandIns) // before reading: what comes meanwhile is heard
	if err := o.refresh(ctx); err != nil {
		stop()
		return nil, told(err)
	}
	o.running.Go(func() { o.listen(listening, events) })
	return o, nil
}

// Close ends the listening to the bus.
func (o *Office) Close() {
	o.stop()
	o.running.Wait()
}

func (o *Office) listen(ctx context.Context, events <-chan bus.Event) {
	ticker := time.NewTicker(o.options.PollEvery)
	defer ticker.Stop()
	away := false
	for {
		select {
		case event, open := <-events:
			switch {
			case !open:
				return
			case event.Missed:
				o.standing.ForgetAll()
			case event.Topic == topicStandIns:
				o.standing.Forget(string(event.Body))
				continue
			}
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		err := o.refresh(ctx)
		if err != nil && ctx.Err() == nil && !away {
			o.options.Logger.WarnContext(ctx, "rules of casework cannot be read; those known hold on", "error", err)
		}
		away = err != nil
	}
}

func (o *Office) publish(ctx context.Context, topic, body string) {
	if err := o.options.Feed.Publish(context.WithoutCancel(ctx), topic, []byte(body)); err != nil {
		o.options.Logger.WarnContext(ctx, "other processes were not told of a change; they notice within seconds", "topic", topic, "error", err)
	}
}

// ways lists whose decision holds for a unit, the nearest first and "" (everything) last. A unit that ended follows the one that
// took its place; one without heir follows those it was below.
func (o *Office) ways(unitID string) []string {
	if unitID == "" {
		return []string{""}
	}
	tree := o.options.Tree()
	place := tree.PlaceToday(unitID)
	if place == "" { // a unit nobody knows
		return []string{unitID, ""}
	}
	ways := []string{place}
	above := tree.Ancestors(place)
	if u, ok := tree.Get(place); ok && len(above) == 0 && u.End() != "" {
		above = tree.AncestorsOn(place, u.End().Add(-1))
	}
	for _, one := range above {
		ways = append(ways, one.ID)
	}
	return append(ways, "")
}

func told(err error) error { return store.Told(err, "office_unavailable") }

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }
