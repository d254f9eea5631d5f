package local

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hailong-vn/hailong/internal/bus"
)

// Feed tells subscribers within this process. A subscriber that does not read holds up nobody.
type Feed struct {
	buffer int
	missed atomic.Uint64

	mu          sync.RWMutex
	subscribers map[string]map[*subscriber]struct{} // by topic
	stop        chan struct{}
	closed      bool
	running     sync.WaitGroup
}

// NewFeed makes a feed that keeps buffer events for a subscriber that is busy.
func NewFeed(buffer int) *Feed {
	return &Feed{buffer: max(buffer, 1), subscribers: map[string]map[*subscriber]struct{}{}, stop: make(chan struct{})}
}

// Subscribe is bus.Feed.
func (f *Feed) Subscribe(ctx context.Context, topics ...string) <-chan bus.Event {
	s := &subscriber{feed: f, heard: make(chan bus.Event), signal: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		close(s.heard)
		return s.heard
	}
	for _, topic := range topics {
		if f.subscribers[topic] == nil {
			f.subscribers[topic] = map[*subscriber]struct{}{}
		}
		f.subscribers[topic][s] = struct{}{}
	}
	f.running.Go(func() {
		s.run(ctx)
		f.forget(s, topics)
		close(s.heard)
	})
	return s.heard
}

// Tell hands an event to all subscribers of topic. body is copied.
func (f *Feed) Tell(topic string, body []byte) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if len(f.subscribers[topic]) == 0 {
		return
	}
	event := bus.Event{Topic: topic, Body: slices.Clone(body)}
	for s := range f.subscribers[topic] {
		s.add(event)
	}
}

// Miss tells all subscribers that they may have missed something.
func (f *Feed) Miss() {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, of := range f.subscribers {
		for s := range of {
			s.miss()
		}
	}
}

// Missed is how often a subscriber was told so.
func (f *Feed) Missed() uint64 { return f.missed.Load() }

// Close closes all subscriptions and waits for their ends.
func (f *Feed) Close() {
	f.mu.Lock()
	if !f.closed {
		f.closed = true
		close(f.stop)
	}
	f.mu.Unlock()
	f.running.Wait()
}

func (f *Feed) forget(s *subscriber, topics []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, topic := range topics {
		delete(f.subscribers[topic], s)
		if len(f.subscribers[topic]) == 0 {
			delete(f.subscribers, topic)
		}
	}
}

// subscriber keeps the newest events until its channel takes them.
type subscriber struct {
	feed   *Feed
	heard  chan bus.Event
	signal chan struct{} // holds one where there is something to hand over

	mu     sync.Mutex
	missed bool
	events []bus.Event
}

func (s *subscriber) add(event bus.Event) {
	s.mu.Lock()
	if len(s.events) >= s.feed.buffer {
		s.events = append(s.events[:0], s.events[1:]...)
		s.missed = true
	}
	s.events = append(s.events, event)
	s.mu.Unlock()
	s.wake()
}

func (s *subscriber) miss() {
	s.mu.Lock()
	s.missed = true
	s.mu.Unlock()
	s.wake()
}

func (s *subscriber) wake() {
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

// next answers the event to hand over: Missed before all that is newer than the loss.
func (s *subscriber) next() (bus.Event, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.missed {
		s.missed = false
		s.feed.missed.Add(1)
		return bus.Event{Missed: true}, true
	}
	if len(s.events) == 0 {
		return bus.Event{}, false
	}
	event := s.events[0]
	s.events = append(s.events[:0], s.events[1:]...)
	return event, true
}

func (s *subscriber) run(ctx context.Context) {
	for {
		event, ok := s.next()
		if !ok {
			select {
			case <-s.signal:
				continue
			case <-ctx.Done():
				return
			case <-s.feed.stop:
				return
			}
		}
		select {
		case s.heard <- event:
		case <-ctx.Done():
			return
		case <-s.feed.stop:
			return
		}
	}
}
