package bustest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
)

// hear waits for the next event that is not Missed.
func hear(t *testing.T, events <-chan bus.Event) bus.Event {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case event, ok := <-events:
			if !ok {
				t.Fatal("the subscription ended")
			}
			if !event.Missed {
				return event
			}
		case <-limit:
			t.Fatalf("heard nothing in %v", patience)
		}
	}
}

func tell(t *testing.T, b bus.Bus, topic, body string) {
	t.Helper()
	if err := b.Publish(context.Background(), topic, []byte(body)); err != nil {
		t.Fatal(err)
	}
}

func feedFanOut(t *testing.T, open Open) {
	one, other := open(t, Settings{})
	var all []<-chan bus.Event
	for _, b := range []bus.Bus{one, one, other, other} {
		all = append(all, b.Subscribe(t.Context(), "device/42"))
	}
	tell(t, one, "device/42", "thu hồi")
	tell(t, other, "device/42", "")
	for _, events := range all {
		bodies := map[string]bool{}
		for range 2 {
			event := hear(t, events)
			if event.Topic != "device/42" {
				t.Errorf("heard topic %q", event.Topic)
			}
			bodies[string(event.Body)] = true
		}
		if !bodies["thu hồi"] || !bodies[""] {
			t.Errorf("heard %v", bodies)
		}
	}
}

func feedTopics(t *testing.T, open Open) {
	one, other := open(t, Settings{})
	events := other.Subscribe(t.Context(), "a", "b*", "[c]")
	for _, topic := range []string{"aa", "bx", "c", "A", "", "a", "b*", "[c]"} {
		if topic != "" {
			tell(t, one, topic, topic)
		}
	}
	for _, want := range []string{"a", "b*", "[c]"} {
		if event := hear(t, events); event.Topic != want || string(event.Body) != want {
			t.Errorf("heard %q, want %q", event.Topic, want)
		}
	}
}

func feedOrder(t *testing.T, open Open) {
	one, other := open(t, Settings{FeedBuffer: 1000})
	events := other.Subscribe(t.Context(), "unit/1")
	body := []byte("000")
	for i := range 500 {
		copy(body, fmt.Sprintf("%03d", i)) // the publisher may use its bytes again
		if err := one.Publish(t.Context(), "unit/1", body); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 500 {
		if event := hear(t, events); string(event.Body) != fmt.Sprintf("%03d", i) {
			t.Fatalf("heard %s as event %d", event.Body, i)
		}
	}
}

func feedSlow(t *testing.T, open Open) {
	one, other := open(t, Settings{FeedBuffer: 8})
	slow := other.Subscribe(t.Context(), "t")
	const n = 500
	for i := range n {
		tell(t, one, "t", fmt.Sprint(i))
	}
	witness := other.Subscribe(t.Context(), "t")
	must(t, "the last was sent around", func() bool {
		tell(t, one, "t", "end")
		select {
		case event := <-witness:
			return string(event.Body) == "end"
		case <-time.After(10 * time.Millisecond):
			return false
		}
	})
	missed, heard := 0, 0
	limit := time.After(patience)
	for ended := false; !ended; {
		select {
		case event := <-slow:
			switch {
			case event.Missed:
				missed++
			default:
				heard++
				ended = string(event.Body) == "end"
			}
		case <-limit:
			t.Fatal("the newest was lost instead of the oldest")
		}
	}
	if missed == 0 {
		t.Error("was not told that it missed something")
	}
	if heard > 8+2 {
		t.Errorf("heard %d with a buffer of 8", heard)
	}
	if other.Stats().FeedMissed == 0 {
		t.Error("not counted")
	}
}

func feedCancel(t *testing.T, open Open) {
	one, _ := open(t, Settings{})
	ctx, cancel := context.WithCancel(context.Background())
	events := one.Subscribe(ctx, "t")
	cancel()
	must(t, "the channel is closed", func() bool {
		select {
		case _, ok := <-events:
			return !ok
		default:
			return false
		}
	})
}

func feedChurn(t *testing.T, open Open) {
	one, other := open(t, Settings{FeedBuffer: 4})
	keeps := other.Subscribe(t.Context(), "t")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				ctx, cancel := context.WithCancel(context.Background())
				events := other.Subscribe(ctx, "t", "u")
				cancel()
				for event := range events { // until it is closed
					if !event.Missed && event.Topic != "t" {
						t.Errorf("heard %q", event.Topic)
					}
				}
			}
		})
		group.Go(func() {
			for range 50 {
				if err := one.Publish(context.Background(), "t", []byte("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	hear(t, keeps)
}

func feedInvalid(t *testing.T, open Open) {
	one, _ := open(t, Settings{})
	for name, err := range map[string]error{
		"no topic":   one.Publish(t.Context(), "", nil),
		"long topic": one.Publish(t.Context(), strings.Repeat("x", bus.MaxName+1), nil),
		"long body":  one.Publish(t.Context(), "t", make([]byte, bus.MaxBody+1)),
	} {
		if !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := one.Publish(t.Context(), "t", make([]byte, bus.MaxBody)); err != nil {
		t.Errorf("the longest body: %v", err)
	}
}
