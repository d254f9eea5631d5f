package bustest

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
)

func limitsBurst(t *testing.T, open Open) {
	one, other := open(t, Settings{})
	limit := bus.Limit{Rate: 6, Per: time.Hour, Burst: 3}
	for left := 2; left >= 0; left-- {
		if d := one.Allow(t.Context(), "k", limit, 1); !d.Allowed || d.Remaining != left || d.RetryAfter != 0 {
			t.Fatalf("with %d left: %+v", left, d)
		}
	}
	for _, b := range []bus.Bus{one, other} {
		d := b.Allow(t.Context(), "k", limit, 1)
		if d.Allowed || d.Remaining != 0 || d.RetryAfter <= 9*time.Minute || d.RetryAfter > 10*time.Minute {
			t.Errorf("after the burst: %+v, want a wait of nearly ten minutes", d)
		}
		if d := b.Allow(t.Context(), "k", limit, 2); d.Allowed || d.RetryAfter <= 19*time.Minute {
			t.Errorf("two after the burst: %+v, want a wait of nearly twenty minutes", d)
		}
	}
}

func limitsRefill(t *testing.T, open Open) {
	one, _ := open(t, Settings{})
	const interval = 40 * time.Millisecond
	limit := bus.Limit{Rate: 25, Per: time.Second, Burst: 2}
	start := time.Now()
	allowed := 0
	must(t, "ten were allowed", func() bool {
		d := one.Allow(t.Context(), "k", limit, 1)
		if d.Allowed {
			allowed++
		} else if d.RetryAfter <= 0 || d.RetryAfter > interval {
			t.Errorf("a wait of %v where one comes every %v", d.RetryAfter, interval)
		}
		return allowed >= 10
	})
	if took := time.Since(start); took < 8*interval-interval/4 {
		t.Errorf("ten were allowed in %v", took)
	}
}

func limitsExact(t *testing.T, open Open) {
	one, other := open(t, Settings{})
	limit := bus.Limit{Rate: 1, Per: 24 * time.Hour, Burst: 50}
	var allowed, denied atomic.Int64
	var group sync.WaitGroup
	for g := range 32 {
		b := []bus.Bus{one, other}[g%2]
		group.Go(func() {
			for range 10 {
				if b.Allow(t.Context(), "shared", limit, 1).Allowed {
					allowed.Add(1)
				} else {
					denied.Add(1)
				}
			}
		})
	}
	group.Wait()
	if allowed.Load() != 50 || denied.Load() != 270 {
		t.Errorf("%d allowed and %d denied of 320, want exactly the burst of 50", allowed.Load(), denied.Load())
	}
	if alone := one.Stats().LimitsAlone + other.Stats().LimitsAlone; alone != 0 {
		t.Errorf("%d decisions were made alone", alone)
	}
}

func limitsCost(t *testing.T, open Open) {
	one, _ := open(t, Settings{})
	limit := bus.Limit{Rate: 1, Per: time.Hour, Burst: 10}
	for _, step := range []struct {
		cost, remaining int
		allowed         bool
	}{
		{0, 10, true}, {7, 3, true}, {4, 3, false}, {0, 3, true}, {3, 0, true}, {0, 0, true}, {1, 0, false},
	} {
		if d := one.Allow(t.Context(), "k", limit, step.cost); d.Allowed != step.allowed || d.Remaining != step.remaining {
			t.Errorf("cost %d: %+v, want %+v", step.cost, d, step)
		}
	}
}

func limitsSenseless(t *testing.T, open Open) {
	one, _ := open(t, Settings{})
	good := bus.Limit{Rate: 1, Per: time.Second, Burst: 5}
	for name, d := range map[string]bus.Decision{
		"zero limit":         one.Allow(t.Context(), "k", bus.Limit{}, 1),
		"no rate":            one.Allow(t.Context(), "k", bus.Limit{Per: time.Second, Burst: 1}, 1),
		"negative rate":      one.Allow(t.Context(), "k", bus.Limit{Rate: -1, Per: time.Second, Burst: 1}, 1),
		"no time":            one.Allow(t.Context(), "k", bus.Limit{Rate: 1, Burst: 1}, 1),
		"no burst":           one.Allow(t.Context(), "k", bus.Limit{Rate: 1, Per: time.Second}, 1),
		"too fast":           one.Allow(t.Context(), "k", bus.Limit{Rate: 2_000_001, Per: time.Second, Burst: 1}, 1),
		"a thousand years":   one.Allow(t.Context(), "k", bus.Limit{Rate: 1, Per: 24 * 365 * time.Hour, Burst: 1000}, 1),
		"cost above burst":   one.Allow(t.Context(), "k", good, 6),
		"negative cost":      one.Allow(t.Context(), "k", good, -1),
		"zero limit, cost 0": one.Allow(t.Context(), "k", bus.Limit{}, 0),
	} {
		if d.Allowed || d.RetryAfter != bus.Never {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func limitsKeys(t *testing.T, open Open) {
	one, _ := open(t, Settings{})
	limit := bus.Limit{Rate: 1, Per: time.Hour, Burst: 1}
	long := strings.Repeat("x", 10_000)
	for _, key := range []string{"", "a", "b", "a:b", "quầy 3", "\x00\xff\n", long, long + "y"} {
		if !one.Allow(t.Context(), key, limit, 1).Allowed {
			t.Errorf("key %.20q was used before", key)
		}
		if one.Allow(t.Context(), key, limit, 1).Allowed {
			t.Errorf("key %.20q is not held", key)
		}
	}
}
