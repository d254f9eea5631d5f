package local

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/bus"
)

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)} }

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestLimitsForgetWhatIsPast(t *testing.T) {
	clock := newClock()
	limits := NewLimits(clock.read, 1_000_000)
	limit := bus.Limit{Rate: 1, Per: time.Second, Burst: 1}
	most := 0
	for i := range 200_000 { // a hundred new callers a second, each once
		limits.Allow(fmt.Sprint(i), limit, 1)
		clock.pass(10 * time.Millisecond)
		most = max(most, limits.Len())
	}
	if most > 400 {
		t.Errorf("%d keys were remembered where 100 matter", most)
	}
}

func TestLimitsAreBoundedUnderAFlood(t *testing.T) {
	clock := newClock()
	limits := NewLimits(clock.read, 1000)
	limit := bus.Limit{Rate: 1, Per: time.Hour, Burst: 10}
	for range 10 {
		limits.Allow("guessing a password", limit, 1)
	}
	for i := range 100_000 {
		limits.Allow(fmt.Sprint(i), limit, 1)
	}
	if limits.Len() > 1000 {
		t.Errorf("%d keys under a bound of 1,000", limits.Len())
	}
	if limits.Allow("guessing a password", limit, 1).Allowed {
		t.Error("a flood of other keys freed the one that had used its limit up")
	}
}

func TestLimitsAfterTheClockWasSetBack(t *testing.T) {
	clock := newClock()
	limits := NewLimits(clock.read, 10)
	limit := bus.Limit{Rate: 1, Per: time.Minute, Burst: 2}
	limits.Allow("k", limit, 2)
	clock.pass(-24 * time.Hour)
	if limits.Allow("k", limit, 1).Allowed {
		t.Error("free at once")
	}
	clock.pass(time.Minute)
	if !limits.Allow("k", limit, 1).Allowed {
		t.Error("locked out until the clock has caught up")
	}
}

func TestOnceNeverForgetsBeforeItsTime(t *testing.T) {
	clock := newClock()
	b := New(Options{Now: clock.read, Keys: 3})
	use := func(key string, ttl time.Duration) (bool, error) { return b.UseOnce(t.Context(), key, ttl) }
	for i, ttl := range []time.Duration{time.Minute, time.Second, time.Hour} {
		if ok, err := use(fmt.Sprint(i), ttl); !ok || err != nil {
			t.Fatalf("%d: %v, %v", i, ok, err)
		}
	}
	if ok, err := use("3", time.Minute); ok || !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("where there is no room: %v, %v", ok, err)
	}
	if ok, err := use("1", time.Minute); ok || err != nil {
		t.Errorf("a used key where there is no room: %v, %v", ok, err)
	}
	clock.pass(time.Second)
	if ok, err := use("3", time.Minute); !ok || err != nil {
		t.Errorf("where there is room again: %v, %v", ok, err)
	}
	for _, key := range []string{"0", "2", "3"} {
		if ok, err := use(key, time.Minute); ok || err != nil {
			t.Errorf("%s again: %v, %v", key, ok, err)
		}
	}
}

func TestOnceForgotten(t *testing.T) {
	clock := newClock()
	once := NewOnce(clock.read, 10)
	once.Use("k", time.Minute)
	once.Forget("k")
	clock.pass(time.Second)
	if first, _ := once.Use("k", time.Hour); !first {
		t.Error("a use that was taken back counts")
	}
	clock.pass(2 * time.Minute) // the time of the use that was taken back is over
	if first, _ := once.Use("k", time.Hour); first {
		t.Error("the end of the use that was taken back ended the other")
	}
}

func TestPlacesAreBounded(t *testing.T) {
	clock := newClock()
	b := New(Options{Now: clock.read, Keys: 100})
	for i := range 10_000 {
		if err := b.Announce(t.Context(), fmt.Sprint(i), "a", time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.presence.places.len(); n > 100 {
		t.Errorf("%d places under a bound of 100", n)
	}
	clock.pass(time.Minute)
	if people, err := b.Present(t.Context(), "9999"); err != nil || len(people) != 0 {
		t.Errorf("present after their time: %v, %v", people, err)
	}
}

func TestHintRestsForItsIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Options{HintIdle: 30 * time.Second, HintAttempts: 3})
		start := time.Now()
		var at []time.Duration
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = b.ConsumeHints(ctx, "w", func(context.Context, []bus.Delivery) error {
				at = append(at, time.Since(start))
				return errors.New("no")
			})
		}()
		b.PublishHint(ctx, bus.Hint{Cells: []string{"x"}})
		time.Sleep(10 * time.Minute)
		cancel()
		<-done
		if len(at) != 3 || at[0] != 0 || at[1] != 30*time.Second || at[2] != time.Minute {
			t.Errorf("delivered at %v", at)
		}
		if stats := b.Stats(); stats.HintsDropped != 1 || stats.HintsRedelivered != 2 {
			t.Errorf("%+v", stats)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestHintOfAHandlerThatPanicsIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Options{})
		b.PublishHint(t.Context(), bus.Hint{Cells: []string{"x"}})
		func() {
			defer func() { _ = recover() }()
			_ = b.ConsumeHints(t.Context(), "w", func(context.Context, []bus.Delivery) error { panic("oh") })
		}()
		ctx, cancel := context.WithCancel(t.Context())
		_ = b.ConsumeHints(ctx, "w", func(_ context.Context, batch []bus.Delivery) error {
			if bus.Cells(batch)[0] != "x" || batch[0].Attempt != 2 {
				t.Errorf("got %+v", batch)
			}
			cancel()
			return nil
		})
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkAllow(b *testing.B) {
	limits := NewLimits(time.Now, 200_000)
	limit := bus.Limit{Rate: 10, Per: time.Second, Burst: 10}
	keys := make([]string, 100_000)
	for i := range keys {
		keys[i] = fmt.Sprint(i)
	}
	i := 0
	for b.Loop() {
		limits.Allow(keys[i%len(keys)], limit, 1)
		i++
	}
}

// TestTable compares with a map; a look round everything shows every row, and two remove all that is to be
// removed.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, model := newTable[int](), map[string]int{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			key := fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "key"))
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				value := rapid.Int().Draw(t, "value")
				table.set(key, value)
				model[key] = value
			case 2:
				table.remove(key)
				delete(model, key)
			default:
				odd := rapid.Bool().Draw(t, "odd")
				seen := map[string]bool{}
				table.look(100, func(key string, _ int) { seen[key] = true })
				if len(seen) != len(model) {
					t.Fatalf("looked at %v of %d rows", seen, len(model))
				}
				for range 2 {
					table.look(100, func(key string, value int) {
						if (value%2 == 0) != odd {
							table.remove(key)
							delete(model, key)
						}
					})
				}
				for key, value := range model {
					if (value%2 == 0) != odd {
						t.Fatalf("%s was never looked at", key)
					}
				}
			}
			if table.len() != len(model) {
				t.Fatalf("%d rows, want %d", table.len(), len(model))
			}
			for key, want := range model {
				if got, known := table.get(key); !known || got != want {
					t.Fatalf("%s is %d (%v), want %d", key, got, known, want)
				}
			}
		}
	})
}
