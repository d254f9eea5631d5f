// Package calendar keeps the office hours of an installation: one document, changed by compare-and-swap, remembered by every
// process and forgotten at once when the bus says that it changed. Until somebody changes it, the seed holds.
package calendar

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/officehours"
	"github.com/hailong-vn/hailong/internal/recent"
	"github.com/hailong-vn/hailong/internal/store"
)

//go:embed seed.yaml
var seed []byte

type document struct {
	ID    string            `bson:"_id"`
	N     int64             `bson:"n"` // of changes; its version outside
	Hours officehours.Hours `bson:",inline"`
}

const theOne = "all"

var kind = store.Define[document]("office_hours")

// Kinds lists what is kept in the store.
func Kinds() []store.Kind { return []store.Kind{kind.Kind} }

// Options of a calendar. Feed is required.
type Options struct {
	Feed   bus.Feed
	Logger *slog.Logger     // nil = nothing is logged
	Now    func() time.Time // nil = time.Now
}

// Calendar keeps the hours. Its methods may be called by many goroutines.
type Calendar struct {
	docs     store.Docs[document]
	options  Options
	seed     officehours.Hours
	known    *recent.Values[string, document]
	stop     context.CancelFunc
	listener sync.WaitGroup
}

const (
	// Topic of the feed on which a change is told.
	Topic = "office_hours"
	// keepKnown is how long what is known is believed where the bus says nothing.
	keepKnown = 5 * time.Second
)

// Open opens the calendar of a store. Close ends what it started.
func Open(ctx context.Context, engine store.Engine, options Options) (*Calendar, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	seeded, err := Seed()
	if err != nil {
		return nil, err
	}
	c := &Calendar{options: options, seed: seeded, known: recent.New[string, document](keepKnown, 1, options.Now)}
	if c.docs, err = kind.Open(ctx, engine); err != nil {
		return nil, err
	}
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	events := options.Feed.Subscribe(listening, Topic)
	c.listener.Go(func() {
		for range events {
			c.known.ForgetAll()
		}
	})
	return c, nil
}

// Close ends the listening to the bus.
func (c *Calendar) Close() {
	c.stop()
	c.listener.Wait()
}

// Seed are the hours that hold until somebody changes them.
func Seed() (officehours.Hours, error) {
	var hours officehours.Hours
	if err := yaml.Unmarshal(seed, &hours); err != nil {
		return hours, fmt.Errorf("seed of office hours: %w", err)
	}
	return hours.Check()
}

// Hours answers the hours and their version, a moment old at most. Unavailable where they cannot be read.
func (c *Calendar) Hours(ctx context.Context) (officehours.Hours, string, error) {
	doc, err := c.known.Get(ctx, theOne, c.read)
	if err != nil {
		return officehours.Hours{}, "", told(err)
	}
	return doc.Hours, version(doc.N), nil
}

// OpenNow tells whether offices are open now.
func (c *Calendar) OpenNow(ctx context.Context) (bool, error) {
	hours, _, err := c.Hours(ctx)
	return err == nil && hours.OpenAt(c.options.Now()), err
}

// read answers the document as it stands; the seed, with version 0, where nobody changed it.
func (c *Calendar) read(ctx context.Context) (document, error) {
	doc, _, err := c.docs.Get(ctx, theOne)
	if errors.Is(err, store.ErrNotFound) {
		return document{ID: theOne, Hours: c.seed}, nil
	}
	return doc, err
}

func version(n int64) string { return strconv.FormatInt(n, 10) }

// Set changes the hours where knownVersion is the version that stands, or "" = whatever stands, and answers them as they are kept.
// Stale "officehours_changed"; Invalid as officehours.Hours.Check.
func (c *Calendar) Set(ctx context.Context, hours officehours.Hours, knownVersion string) (officehours.Hours, string, error) {
	hours, err := hours.Check()
	if err != nil {
		return hours, "", err
	}
	n, err := c.write(ctx, hours, knownVersion)
	if err != nil {
		return hours, "", told(err)
	}
	c.known.ForgetAll()
	if err := c.options.Feed.Publish(context.WithoutCancel(ctx), Topic, []byte("changed")); err != nil {
		c.options.Logger.WarnContext(ctx, "other processes were not told that office hours changed; they notice within seconds", "within", keepKnown, "error", err)
	}
	return hours, version(n), nil
}

func (c *Calendar) write(ctx context.Context, hours officehours.Hours, knownVersion string) (int64, error) {
	for {
		doc, at, err := c.docs.Get(ctx, theOne)
		first := errors.Is(err, store.ErrNotFound)
		if err != nil && !first {
			return 0, err
		}
		if knownVersion != "" && knownVersion != version(doc.N) {
			return 0, fault.New(fault.Stale, "officehours_changed")
		}
		next := document{ID: theOne, N: doc.N + 1, Hours: hours}
		if first {
			err = c.docs.Insert(ctx, next)
		} else {
			_, err = c.docs.Replace(ctx, theOne, next, at)
		}
		if !errors.Is(err, store.ErrExists) && !errors.Is(err, store.ErrStale) {
			return next.N, err
		}
	}
}

func told(err error) error { return store.Told(err, "officehours_unavailable") }
