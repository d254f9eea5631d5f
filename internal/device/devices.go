package device

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/recent"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
)

// Options of devices. Keys, Limits, Nonces and Feed are required.
type Options struct {
	Keys   secret.Keys // signs nonces and tokens; the same in every process
	Limits bus.Limits
	Nonces bus.Nonces
	Feed   bus.Feed
	Logger *slog.Logger     // nil = nothing is logged
	Now    func() time.Time // nil = time.Now
}

// Devices keeps the devices. Its methods may be called by many goroutines.
type Devices struct {
	devices  store.Docs[deviceDoc]
	health   store.Docs[healthDoc]
	progress *recorder
	options  Options
	log      *slog.Logger
	now      func() time.Time
	nonces   secret.Signer
	tokens   secret.Signer
	known    *recent.Values[string, deviceDoc]
	seen     sightings
	stop     context.CancelFunc
	listener sync.WaitGroup
}

const (
	// keepKnown is how long what is known of a device is believed where the bus says nothing.
	keepKnown = 5 * time.Second
	maxKnown  = 50_000
	// Topic of the feed: the id of a device that changed.
	Topic = "device"
)

// Open opens the devices of a store. Close ends what it started.
func Open(ctx context.Context, engine store.Engine, options Options) (*Devices, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	d := &Devices{options: options, log: options.Logger, now: options.Now,
		known: recent.New[string, deviceDoc](keepKnown, maxKnown, options.Now)}
	var err error
	if d.nonces, err = options.Keys.Signer("device-nonce"); err != nil {
		return nil, err
	}
	if d.tokens, err = options.Keys.Signer("device-token"); err != nil {
		return nil, err
	}
	if d.devices, err = deviceType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if d.health, err = healthType.Open(ctx, engine); err != nil {
		return nil, err
	}
	docs, err := progressType.Open(ctx, engine)
	if err != nil {
		return nil, err
	}
	d.progress = newRecorder(docs, options.Now)
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop = stop
	events := options.Feed.Subscribe(listening, Topic)
	d.listener.Go(func() {
		for event := range events {
			if event.Missed {
				d.known.ForgetAll()
			} else {
				d.known.Forget(string(event.Body))
			}
		}
	})
	return d, nil
}

// Close ends the listening to the bus and waits for writes under way.
func (d *Devices) Close() {
	d.stop()
	d.listener.Wait()
	d.progress.running.Wait()
}

// recall answers the device as it was a moment ago at most. NotFound "device_unknown".
func (d *Devices) recall(ctx context.Context, id string) (deviceDoc, error) {
	doc, err := d.known.Get(ctx, id, func(ctx context.Context) (deviceDoc, error) {
		doc, _, err := d.devices.Get(ctx, id)
		return doc, err
	})
	return doc, typed("read device", err)
}

// tell makes every process forget the device; where the bus fails, others believe what they know for keepKnown.
func (d *Devices) tell(ctx context.Context, id string) {
	d.known.Forget(id)
	if err := d.options.Feed.Publish(context.WithoutCancel(ctx), Topic, []byte(id)); err != nil {
		d.log.WarnContext(ctx, "other processes were not told that a device changed; they notice within seconds",
			"device", id, "within", keepKnown, "error", err)
	}
}
