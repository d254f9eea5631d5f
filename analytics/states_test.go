package analytics

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/analysis"
	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

func TestEpochsOnlyRise(t *testing.T) {
	engine := open(t)
	ctx := context.Background()
	states, err := openStates(ctx, engine)
	if err != nil {
		t.Fatal(err)
	}
	if epoch, err := states.epoch(ctx); err != nil || epoch.Epoch != firstEpoch {
		t.Errorf("at first epoch %d, %v", epoch.Epoch, err)
	}
	// Many workers that saw the same trouble begin one epoch.
	var raising sync.WaitGroup
	for range 8 {
		raising.Go(func() {
			if epoch, err := states.raiseEpoch(ctx, 1, time.Now(), "trouble"); err != nil || epoch != 2 {
				t.Errorf("raised to %d, %v", epoch, err)
			}
		})
	}
	raising.Wait()
	for _, c := range []struct{ above, want uint32 }{{1, 2}, {2, 3}, {7, 8}, {3, 8}} {
		if epoch, err := states.raiseEpoch(ctx, c.above, time.Now(), "trouble"); err != nil || epoch != c.want {
			t.Errorf("above %d: %d, want %d; %v", c.above, epoch, c.want, err)
		}
	}
}

func TestFreshnessIsMonotone(t *testing.T) {
	engine := open(t)
	ctx := context.Background()
	states, err := openStates(ctx, engine)
	if err != nil {
		t.Fatal(err)
	}
	read, err := FreshReader(ctx, engine)
	if err != nil {
		t.Fatal(err)
	}
	if fresh, err := read(ctx); err != nil || !fresh.IsZero() {
		t.Errorf("at first %v, %v", fresh, err)
	}
	noon := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name           string
		through, ahead time.Time
		want           time.Time
	}{
		{"the first", noon, noon.Add(2 * time.Minute), noon},
		{"later", noon.Add(time.Second), noon.Add(2 * time.Minute), noon.Add(time.Second)},
		{"earlier", noon, noon.Add(2 * time.Minute), noon.Add(time.Second)},
		{"by a clock a year ahead", noon.AddDate(1, 0, 0), noon.AddDate(1, 0, 1), noon.AddDate(1, 0, 0)},
		{"taken back by the others", noon.Add(time.Minute), noon.Add(3 * time.Minute), noon.Add(time.Minute)},
	} {
		got, err := states.freshThrough(ctx, c.through, c.ahead)
		if err != nil || !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v; %v", c.name, got, c.want, err)
		}
		if fresh, err := read(ctx); err != nil || !fresh.Equal(c.want) {
			t.Errorf("%s: read %v, want %v; %v", c.name, fresh, c.want, err)
		}
	}
}

func TestOneWorkerSweepsEverything(t *testing.T) {
	engine := open(t)
	ctx := context.Background()
	states, err := openStates(ctx, engine)
	if err != nil {
		t.Fatal(err)
	}
	night := time.Date(2026, 11, 22, 19, 0, 0, 0, time.UTC)
	epoch := uint32(1)
	claim := func(now time.Time) bool {
		claimed, err := states.claimAll(ctx, epoch, now, night, now.Add(-allDead))
		if err != nil {
			t.Fatal(err)
		}
		return claimed
	}
	var claims atomic.Int32
	var claiming sync.WaitGroup
	for range 8 {
		claiming.Go(func() {
			if claim(night.Add(time.Second)) {
				claims.Add(1)
			}
		})
	}
	claiming.Wait()
	if claims.Load() != 1 {
		t.Fatalf("%d workers claimed it", claims.Load())
	}
	started := night.Add(time.Second)
	if ours, err := states.aliveAll(ctx, started, night.Add(time.Minute)); err != nil || !ours {
		t.Errorf("still alive: %v, %v", ours, err)
	}
	if claim(night.Add(2 * time.Minute)) {
		t.Error("claimed though somebody is at it")
	}
	taken := night.Add(4 * time.Minute)
	if !claim(taken) {
		t.Error("not claimed though whoever was at it is gone")
	}
	if ours, err := states.aliveAll(ctx, started, taken); err != nil || ours {
		t.Errorf("the first one goes on: %v, %v", ours, err)
	}
	if err := states.completeAll(ctx, epoch, started, taken); err != nil {
		t.Fatal(err)
	}
	if claim(taken.Add(time.Second)) {
		t.Error("the first one's end counted for the second")
	}
	if err := states.completeAll(ctx, epoch, taken, taken.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if claim(taken.Add(time.Hour)) {
		t.Error("claimed twice a night")
	}
	epoch = 2 // raised within the very millisecond in which that sweep began
	if !claim(taken) {
		t.Error("not claimed under a new epoch")
	}
	if err := states.completeAll(ctx, 1, taken, taken); err != nil { // it had read the epoch before
		t.Fatal(err)
	}
	if !claim(taken) {
		t.Error("a sweep under the old epoch counted for the new one")
	}
}

func TestLastNightly(t *testing.T) {
	for name, c := range map[string]struct{ now, want string }{
		"before two": {"2026-11-22T18:59:59Z", "2026-11-21T19:00:00Z"},
		"at two":     {"2026-11-22T19:00:00Z", "2026-11-22T19:00:00Z"},
		"at noon":    {"2026-11-23T05:00:00Z", "2026-11-22T19:00:00Z"},
	} {
		now, _ := time.Parse(time.RFC3339, c.now)
		want, _ := time.Parse(time.RFC3339, c.want)
		if got := lastNightly(now, 2*time.Hour); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestMonths(t *testing.T) {
	engine := open(t)
	var want []string
	for _, day := range []string{"1900-01-31", "1999-12-31", "2000-01-01", "2026-02-28", "2026-03-01", "2999-12-31"} {
		appendAll(t, engine, rated(at("U00", localday.Day(day), 9, 1), 5))
		want = append(want, day[:7])
	}
	// A month of which only figures are left counts too.
	gone := rated(at("U00", "1987-06-05", 9, 1), 5)
	hour, err := tally.Fold(1, gone.Cell, []rating.Record{gone})
	if err != nil {
		t.Fatal(err)
	}
	raise(t, engine, hour)
	want = slices.Insert(want, 1, "1987-06")
	var got []string
	for month, err := range months(context.Background(), engine, oldestFirst) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, month)
	}
	if !slices.Equal(got, want) {
		t.Errorf("oldest first %v, want %v", got, want)
	}
	got = nil
	for month, err := range months(context.Background(), engine, newestFirst) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, month)
	}
	slices.Reverse(want)
	if !slices.Equal(got, want) {
		t.Errorf("newest first %v, want %v", got, want)
	}
}

// Hints come by the bus, and the feed tells what has new figures.
func TestHintsAndFeed(t *testing.T) {
	engine := open(t)
	shared := local.New(local.Options{})
	t.Cleanup(func() {
		if err := shared.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events := shared.Subscribe(ctx, analysis.Topic)
	start(t, Config{Engine: engine, Hints: shared, Feed: shared, SweepEvery: time.Hour})
	record := rated(at("U00", "2026-03-20", 9, 1), 5)
	shared.PublishHint(ctx, bus.Hint{Cells: appendAll(t, engine, record)})
	select {
	case event := <-events:
		if got := analysis.DecodeChanged(event.Body); !slices.Equal(got, []string{"U00"}) {
			t.Errorf("told of %v", got)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was told")
	}
	wantFigures(t, engine, 1)
}

// A busy month never stands still under the reading; its facet is cut a minute back, late and not wrong.
func TestAFacetThatNeverStandsStill(t *testing.T) {
	engine := open(t)
	ctx := context.Background()
	counted := at("U00", "2026-03-20", 9, 1)
	old, recent := rated(counted, 5), rated(counted, 1)
	old.ReceivedAt = store.Milliseconds(time.Now().Add(-2 * settleMargin))
	if _, err := engine.Ratings().Append(ctx, []rating.Record{old, recent}); err != nil {
		t.Fatal(err)
	}
	busy := faulty{Engine: engine, read: func() { appendAll(t, engine, rated(counted, 3)) }}
	key := tally.FacetKey{Unit: "U00", Month: "2026-03"}
	counts, _, err := monthCounts(ctx, busy.Ratings(), key)
	if err != nil {
		t.Fatal(err)
	}
	facet, err := readFacet(ctx, busy.Ratings(), 1, key, counts, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if facet.Seen != 1 || facet.Procedures["1.001"] != (tally.Counts{0, 0, 0, 0, 0, 1}) {
		t.Errorf("facet %+v", facet)
	}
}
