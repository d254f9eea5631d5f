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

func cellOf(i int) string { return fmt.Sprintf("2026-11-22/U%05d/1/kiosk@3/14", i) }

func publish(b bus.Bus, from, to int) {
	for i := from; i < to; i++ {
		b.PublishHint(context.Background(), bus.Hint{Cells: []string{cellOf(i)}})
	}
}

func hintsOnce(t *testing.T, open Open) {
	one, other := open(t, Settings{HintIdle: time.Minute})
	got := newGot()
	for i, b := range []bus.Bus{one, other, other} {
		name := fmt.Sprintf("worker-%d", i)
		work(t, b, name, func(_ context.Context, batch []bus.Delivery) error {
			got.add(name, batch)
			for _, delivery := range batch {
				if delivery.Attempt != 1 || delivery.ID == "" {
					t.Errorf("delivery %q is attempt %d", delivery.ID, delivery.Attempt)
				}
			}
			return nil
		})
	}
	const n = 3000
	publish(one, 0, n/2)
	publish(other, n/2, n)
	must(t, "every cell arrived", func() bool { return got.distinct() == n })
	if twice := got.twice(); len(twice) > 0 {
		t.Errorf("%d cells went to more than one worker: %v", len(twice), twice[0])
	}
}

func hintsEarly(t *testing.T, open Open) {
	one, other := open(t, Settings{})
	one.PublishHint(context.Background(), bus.Hint{Cells: []string{cellOf(1), cellOf(2), cellOf(1)}})
	got := newGot()
	work(t, other, "late", func(_ context.Context, batch []bus.Delivery) error {
		got.add("late", batch)
		return nil
	})
	must(t, "both cells arrived", func() bool { return got.distinct() == 2 })
}

func hintsAgain(t *testing.T, open Open) {
	one, other := open(t, Settings{HintIdle: 200 * time.Millisecond})
	failed := make(chan struct{})
	var once sync.Once
	stop := work(t, one, "failing", func(context.Context, []bus.Delivery) error {
		once.Do(func() { close(failed) })
		return errors.New("the engine is away")
	})
	publish(one, 0, 1)
	<-failed
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("consuming ended with %v", err)
	}
	got := newGot()
	again := 0
	work(t, other, "other", func(_ context.Context, batch []bus.Delivery) error {
		for _, delivery := range batch {
			again = max(again, delivery.Attempt)
		}
		got.add("other", batch)
		return nil
	})
	must(t, "the hint came to the other", func() bool { return got.count(cellOf(0)) > 0 })
	if again < 2 {
		t.Errorf("the second delivery calls itself attempt %d", again)
	}
	must(t, "it was counted", func() bool { return one.Stats().HintsRedelivered+other.Stats().HintsRedelivered > 0 })
}

func hintsLeft(t *testing.T, open Open) {
	one, other := open(t, Settings{HintIdle: 200 * time.Millisecond})
	holding := make(chan struct{})
	stop := work(t, one, "dying", func(ctx context.Context, _ []bus.Delivery) error {
		close(holding)
		<-ctx.Done()
		return ctx.Err()
	})
	publish(one, 0, 3)
	<-holding
	_ = stop()
	got := newGot()
	work(t, other, "heir", func(_ context.Context, batch []bus.Delivery) error {
		got.add("heir", batch)
		return nil
	})
	must(t, "the heir has all", func() bool { return got.distinct() == 3 })
}

func hintsPoison(t *testing.T, open Open) {
	one, other := open(t, Settings{HintIdle: 50 * time.Millisecond, HintAttempts: 3})
	var mu sync.Mutex
	attempts := map[int]int{}
	refuse := func(_ context.Context, batch []bus.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		for _, delivery := range batch {
			attempts[delivery.Attempt]++
		}
		return errors.New("cannot fold this")
	}
	work(t, one, "a", refuse)
	work(t, other, "b", refuse)
	publish(one, 0, 1)
	must(t, "the hint was given up", func() bool { return one.Stats().HintsDropped+other.Stats().HintsDropped > 0 })
	mu.Lock()
	defer mu.Unlock()
	if len(attempts) != 3 || attempts[1] != 1 || attempts[3] != 1 {
		t.Errorf("deliveries by attempt: %v, want 1, 2 and 3 once each", attempts)
	}
}

func hintsBounded(t *testing.T, open Open) {
	one, other := open(t, Settings{HintBound: 20})
	const n = 150_000
	start := time.Now()
	publish(one, 0, n)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("%d hints took %v", n, took)
	}
	got := newGot()
	work(t, other, "w", func(_ context.Context, batch []bus.Delivery) error {
		got.add("w", batch)
		return nil
	})
	must(t, "the newest arrived", func() bool { return got.count(cellOf(n-1)) > 0 })
	if got.distinct() >= n {
		t.Errorf("all %d cells were kept under a bound of 20", n)
	}
}

func hintsMalformed(t *testing.T, open Open) {
	one, other := open(t, Settings{})
	bad := []string{"", "a\nb", strings.Repeat("x", bus.MaxName+1)}
	one.PublishHint(context.Background(), bus.Hint{Cells: append(bad, cellOf(7))})
	one.PublishHint(context.Background(), bus.Hint{})
	got := newGot()
	work(t, other, "w", func(_ context.Context, batch []bus.Delivery) error {
		got.add("w", batch)
		return nil
	})
	must(t, "the good cell arrived", func() bool { return got.count(cellOf(7)) == 1 })
	if got.distinct() != 1 {
		t.Errorf("%d cells arrived", got.distinct())
	}
	if dropped := one.Stats().HintsDropped; dropped != 3 {
		t.Errorf("%d dropped, want 3", dropped)
	}
	if err := one.ConsumeHints(context.Background(), "", nil); !errors.Is(err, bus.ErrInvalid) {
		t.Errorf("a worker without a name: %v", err)
	}
}

func hintsCancel(t *testing.T, open Open) {
	one, _ := open(t, Settings{})
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- one.ConsumeHints(ctx, "w", func(context.Context, []bus.Delivery) error { return nil })
	}()
	cancel(cause)
	select {
	case err := <-ended:
		if !errors.Is(err, cause) {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("consuming does not end")
	}
}

func hintsBusy(t *testing.T, open Open) {
	one, other := open(t, Settings{})
	got := newGot()
	for i, b := range []bus.Bus{one, other} {
		name := fmt.Sprintf("w%d", i)
		work(t, b, name, func(_ context.Context, batch []bus.Delivery) error {
			got.add(name, batch)
			return nil
		})
	}
	// The same few cells again and again, as one busy counter makes them: each must come once more after it was
	// last published.
	var group sync.WaitGroup
	for g := range 8 {
		b := []bus.Bus{one, other}[g%2]
		group.Go(func() {
			for i := range 500 {
				b.PublishHint(context.Background(), bus.Hint{Cells: []string{cellOf(i % 5), cellOf(100 + g)}})
			}
		})
	}
	group.Wait()
	must(t, "all cells arrived", func() bool { return got.distinct() == 13 })
	before := got.count(cellOf(0))
	publish(one, 0, 1)
	must(t, "the cell came once more", func() bool { return got.count(cellOf(0)) > before })
}
