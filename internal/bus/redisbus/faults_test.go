package redisbus

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/testengine"
)

// eventually fails the test unless condition comes to hold.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// leakless checks, after the buses were closed, that nothing of them runs on. The driver's own attempts to dial end
// within a second or two.
func leakless(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		var err error
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			if err = goleak.Find(before); err == nil {
				return
			}
		}
		t.Error(err)
	})
}

// folding is a worker in the background; the cells it got come out of the channel.
func folding(t *testing.T, b *Bus, name string) <-chan string {
	cells := make(chan string, 100_000)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = b.ConsumeHints(ctx, name, func(_ context.Context, batch []bus.Delivery) error {
			for _, cell := range bus.Cells(batch) {
				cells <- cell
			}
			return nil
		})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return cells
}

func arrives(t *testing.T, cells <-chan string, cell string) {
	t.Helper()
	eventually(t, "cell "+cell+" arrived", func() bool {
		for {
			select {
			case got := <-cells:
				if got == cell {
					return true
				}
			default:
				return false
			}
		}
	})
}

func publish(b *Bus, cell string) {
	b.PublishHint(context.Background(), bus.Hint{Cells: []string{cell}})
}

// heardAfterMissed waits for an event that is published again and again, and says whether Missed came before it.
func heardAfterMissed(t *testing.T, from *Bus, events <-chan bus.Event, body string) (missed bool) {
	t.Helper()
	eventually(t, "the feed was heard", func() bool {
		_ = from.Publish(context.Background(), "t", []byte(body))
		for {
			select {
			case event := <-events:
				if event.Missed {
					missed = true
				} else if string(event.Body) == body {
					return true
				}
			case <-time.After(20 * time.Millisecond):
				return false
			}
		}
	})
	return missed
}

var hourly = bus.Limit{Rate: 1, Per: time.Hour, Burst: 5}

func allowed(b *Bus, key string, calls int) (n int) {
	for range calls {
		if b.Allow(context.Background(), key, hourly, 1).Allowed {
			n++
		}
	}
	return n
}

func TestRedisIsNotThereAtStart(t *testing.T) {
	server := testengine.StartRedis(t)
	server.Kill()
	leakless(t)
	one := opened(t, "redis://"+server.Addr, Options{})
	cells := folding(t, one, "w")
	events := one.Subscribe(t.Context(), "t")

	if err := one.Ping(t.Context()); !errors.Is(err, bus.ErrUnavailable) || !fault.Is(err, fault.Unavailable) {
		t.Errorf("ping: %v", err)
	}
	if n := allowed(one, "k", 50); n != 5 {
		t.Errorf("%d of 50 allowed, want the burst of 5", n)
	}
	if one.Stats().LimitsAlone != 50 {
		t.Errorf("%d decisions alone, want 50", one.Stats().LimitsAlone)
	}
	for range 3 {
		if ok, err := one.UseOnce(t.Context(), "nonce", time.Minute); ok || !errors.Is(err, bus.ErrUnavailable) {
			t.Errorf("nonce: %v, %v", ok, err)
		}
	}
	if err := one.Announce(t.Context(), "p", "a", time.Minute); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("announce: %v", err)
	}
	if _, err := one.Present(t.Context(), "p"); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("present: %v", err)
	}
	if err := one.Publish(t.Context(), "t", []byte("here")); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("publish: %v", err)
	}
	for event := range events { // this process hears it nevertheless
		if string(event.Body) == "here" {
			break
		}
	}
	publish(one, "early")

	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	other := opened(t, "redis://"+server.Addr, Options{Timeout: generous})
	eventually(t, "Redis answers", func() bool { return one.Ping(t.Context()) == nil })
	arrives(t, cells, "early")
	if !heardAfterMissed(t, other, events, "from afar") {
		t.Error("was not told that it may have missed something")
	}
	first, err := one.UseOnce(t.Context(), "nonce", time.Minute)
	again, errAgain := other.UseOnce(t.Context(), "nonce", time.Minute)
	if err != nil || errAgain != nil || !first || again {
		t.Errorf("nonce used %v (%v), then %v (%v)", first, err, again, errAgain)
	}
}

func TestRedisLosesItsMemory(t *testing.T) {
	server := testengine.StartRedis(t)
	leakless(t)
	one := opened(t, "redis://"+server.Addr, Options{Timeout: generous})
	other := opened(t, "redis://"+server.Addr, Options{Timeout: generous})
	cells := folding(t, other, "w")
	for round := range 3 {
		publish(one, fmt.Sprintf("cell-%d", round))
		arrives(t, cells, fmt.Sprintf("cell-%d", round))
		if n := allowed(one, "k", 3) + allowed(other, "k", 10); n != 5 {
			t.Errorf("round %d: %d allowed, want 5", round, n)
		}
		if err := one.Announce(t.Context(), "p", "a", time.Minute); err != nil {
			t.Error(err)
		}
		if people, err := other.Present(t.Context(), "p"); err != nil || len(people) != 1 {
			t.Errorf("present: %v, %v", people, err)
		}
		if ok, err := one.UseOnce(t.Context(), "nonce", time.Minute); err != nil || ok != (round == 0) {
			t.Errorf("round %d: a nonce that this process saw is used: %v, %v", round, ok, err)
		}
		for _, command := range []string{"flushall", "script flush"} {
			words := []any{"flushall"}
			if command != "flushall" {
				words = []any{"script", "flush"}
			}
			if err := one.client.Do(t.Context(), words...).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if one.Stats().LimitsAlone+other.Stats().LimitsAlone != 0 {
		t.Error("limits were held alone although Redis was there")
	}
}

func TestRedisIsKilledAndComesBack(t *testing.T) {
	server := testengine.StartRedis(t)
	leakless(t)
	one := opened(t, "redis://"+server.Addr, Options{})
	other := opened(t, "redis://"+server.Addr, Options{})
	cells := folding(t, other, "w")
	events := other.Subscribe(t.Context(), "t")
	for round := range 2 {
		publish(one, fmt.Sprintf("before-%d", round))
		arrives(t, cells, fmt.Sprintf("before-%d", round))
		heardAfterMissed(t, one, events, fmt.Sprintf("before-%d", round))

		server.Kill()
		eventually(t, "the outage was told", func() bool {
			select {
			case event := <-events:
				return event.Missed
			default:
				return false
			}
		})
		for i := range 500 {
			publish(one, fmt.Sprintf("during-%d-%d", round, i))
		}
		if n := allowed(one, fmt.Sprint(round), 20); n != 5 {
			t.Errorf("%d allowed during the outage, want 5", n)
		}
		if ok, err := one.UseOnce(t.Context(), fmt.Sprint(round), time.Minute); ok || err == nil {
			t.Errorf("a nonce during the outage: %v, %v", ok, err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		arrived := map[string]bool{}
		eventually(t, "hints of the outage arrived", func() bool {
			for {
				select {
				case cell := <-cells:
					arrived[cell] = true
				default:
					return len(arrived) == 500
				}
			}
		})
		if !heardAfterMissed(t, one, events, fmt.Sprintf("after-%d", round)) {
			t.Error("after the outage the subscriber was not told Missed")
		}
		eventually(t, "Redis answers", func() bool { return one.Ping(t.Context()) == nil })
	}
	if dropped := one.Stats().HintsDropped; dropped != 0 {
		t.Errorf("%d hints dropped in a short outage", dropped)
	}
}

func TestRedisIsFrozen(t *testing.T) {
	server := testengine.StartRedis(t)
	leakless(t)
	const timeout = 200 * time.Millisecond
	one := opened(t, "redis://"+server.Addr, Options{Timeout: timeout})
	other := opened(t, "redis://"+server.Addr, Options{Timeout: timeout, HintIdle: 500 * time.Millisecond})
	cells := folding(t, other, "w")
	eventually(t, "Redis answers", func() bool { return one.Ping(t.Context()) == nil && other.Ping(t.Context()) == nil })
	if err := server.Freeze(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Thaw() }()

	within := func(what string, limit time.Duration, do func()) {
		t.Helper()
		start := time.Now()
		do()
		if took := time.Since(start); took > limit {
			t.Errorf("%s took %v, more than %v", what, took, limit)
		}
	}
	const patience = 10 * timeout // of a busy machine, and for a second attempt of the driver
	within("the first limit", patience, func() { one.Allow(t.Context(), "k", hourly, 1) })
	within("a thousand limits", time.Second+patience, func() {
		if n := allowed(one, "k", 1000); n > 5 {
			t.Errorf("%d allowed", n)
		}
	})
	within("ten thousand hints", patience, func() {
		for i := range 10_000 {
			publish(one, fmt.Sprint(i))
		}
	})
	within("a nonce", patience, func() {
		if ok, err := one.UseOnce(t.Context(), "n", time.Minute); ok || err == nil {
			t.Errorf("nonce: %v, %v", ok, err)
		}
	})
	within("publishing", patience, func() {
		if err := one.Publish(t.Context(), "t", nil); err == nil {
			t.Error("published to a frozen Redis")
		}
	})
	within("subscribing", patience, func() { one.Subscribe(t.Context(), "t") })
	within("ping with the caller's own limit", patience, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := one.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ping: %v", err)
		}
	})
	third := opened(t, "redis://"+server.Addr, Options{Timeout: timeout})
	within("closing", 20*timeout, func() {
		if err := third.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := server.Thaw(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Redis answers", func() bool { return one.Ping(t.Context()) == nil })
	arrives(t, cells, "9999")
}

func TestClosingWhileRedisIsAwayCountsWhatIsLost(t *testing.T) {
	server := testengine.StartRedis(t)
	server.Kill()
	leakless(t)
	b := opened(t, "redis://"+server.Addr, Options{})
	for i := range 100 {
		publish(b, fmt.Sprint(i))
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if stats := b.Stats(); stats.HintsPublished != 100 || stats.HintsDropped != 100 {
		t.Errorf("%+v, want 100 published and 100 dropped", stats)
	}
}

func TestLongOutageDropsTheOldestHints(t *testing.T) {
	server := testengine.StartRedis(t)
	server.Kill()
	leakless(t)
	b := opened(t, "redis://"+server.Addr, Options{})
	const more = 5_000
	for i := range outboxCells + more {
		publish(b, fmt.Sprint(i))
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	cells := folding(t, b, "w")
	arrived := map[string]bool{}
	eventually(t, "the newest arrived", func() bool {
		for {
			select {
			case cell := <-cells:
				arrived[cell] = true
			default:
				return arrived[fmt.Sprint(outboxCells+more-1)]
			}
		}
	})
	if dropped := b.Stats().HintsDropped; dropped < more-sendEntries*entryCells || dropped > more+sendEntries*entryCells {
		t.Errorf("%d dropped, want about %d", dropped, more)
	}
}
