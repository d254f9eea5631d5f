package redisbus

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hailong-vn/hailong/internal/bus"
)

// quiet is how long the feed's connection may say nothing before it is asked whether it lives.
const quiet = 3 * time.Second

// live says whether this process hears the feed.
type live struct {
	mu  sync.Mutex
	now bool
	is  chan struct{} // closed while it does
}

func newLive() *live { return &live{is: make(chan struct{})} }

func (l *live) set(now bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now == l.now {
		return
	}
	l.now = now
	if now {
		close(l.is)
	} else {
		l.is = make(chan struct{})
	}
}

func (l *live) channel() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.is
}

// Publish is bus.Feed.
func (b *Bus) Publish(ctx context.Context, topic string, body []byte) error {
	if !bus.ValidName(topic) || len(body) > bus.MaxBody {
		return bus.ErrInvalid
	}
	if b.open.Err() != nil {
		return bus.ErrClosed
	}
	err := bus.Unavailable(errors.New("no answer a moment ago"))
	if b.health.worthTrying() {
		err = b.call(ctx, "publish", func(ctx context.Context) error {
			return b.client.Publish(ctx, b.key("feed", topic), body).Err()
		})
	}
	if err != nil {
		b.feed.Tell(topic, body) // at least those who are here
	}
	return err
}

// Subscribe is bus.Feed. It waits at most the timeout until this process hears the feed; if it does not by then, the
// subscriber is told Missed as soon as it does.
func (b *Bus) Subscribe(ctx context.Context, topics ...string) <-chan bus.Event {
	timer := time.NewTimer(b.options.Timeout)
	defer timer.Stop()
	select {
	case <-b.live.channel():
	case <-ctx.Done():
	case <-b.open.Done():
	case <-timer.C:
	}
	return b.feed.Subscribe(ctx, topics...)
}

// listen hears all topics on one connection and hands them to the subscribers of this process, until the bus is closed.
// One pattern instead of a subscription a topic: nothing to keep in step when subscribers come and go, or Redis does.
func (b *Bus) listen() {
	backoff := firstBackoff
	for b.open.Err() == nil {
		heard := b.hear()
		b.live.set(false)
		if b.open.Err() != nil {
			return
		}
		b.feed.Miss() // again on every attempt: caches do not grow old during an outage
		if heard {
			backoff = firstBackoff
		}
		rest(b.open, backoff)
		backoff = min(2*backoff, lastBackoff)
	}
}

// hear hears the feed as long as one connection lives, and says whether it ever did.
func (b *Bus) hear() (heard bool) {
	ctx, cancel := context.WithCancel(b.open)
	defer cancel()
	listening := b.client.Subscribe(ctx) // connects with the first subscription below
	defer func() { _ = listening.Close() }()
	defer context.AfterFunc(ctx, func() { _ = listening.Close() })() // interrupts a read

	if err := b.call(ctx, "subscribe", func(ctx context.Context) error {
		return listening.PSubscribe(ctx, b.key("feed", "*"))
	}); err != nil {
		return false
	}
	asked := false
	for {
		message, err := listening.ReceiveTimeout(ctx, quiet)
		switch message := message.(type) {
		case *redis.Subscription:
			heard = true
			b.health.good()
			b.feed.Miss() // whatever was published before now
			b.live.set(true)
		case *redis.Message:
			b.feed.Tell(strings.TrimPrefix(message.Channel, b.key("feed", "")), []byte(message.Payload))
		}
		if err == nil {
			asked = false
			continue
		}
		var timeout net.Error
		if heard && !asked && errors.As(err, &timeout) && timeout.Timeout() && listening.Ping(ctx) == nil {
			asked = true
			continue
		}
		if b.open.Err() == nil {
			b.health.bad("feed", err)
		}
		return heard
	}
}
