package bus

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func drawLimit(t *rapid.T) Limit {
	return Limit{
		Rate:  rapid.IntRange(1, 10_000).Draw(t, "rate"),
		Per:   time.Duration(rapid.Int64Range(10, 24*3600*1000).Draw(t, "per ms")) * time.Millisecond,
		Burst: rapid.IntRange(1, 1000).Draw(t, "burst"),
	}
}

// TestLimitHolds: over any span, never more than the burst and what the rate brings in that span.
func TestLimitHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := drawLimit(t)
		if limit.Interval() == 0 {
			t.Skip("this draw is a limit the bus refuses (Limit.Interval is 0); rapid draws another")
		}
		start := int64(1_764_000_000_000_000)
		now, arrival, spent := start, int64(0), 0
		for range 50 {
			now += rapid.Int64Range(0, 3*limit.Interval()).Draw(t, "pause")
			cost := rapid.IntRange(0, limit.Burst).Draw(t, "cost")
			before := arrival
			var decision Decision
			arrival, decision = limit.Take(arrival, now, cost)
			if decision.Allowed {
				spent += cost
			} else {
				if decision.RetryAfter <= 0 || decision.RetryAfter == Never || decision.Remaining >= cost {
					t.Fatalf("denied %d with %+v", cost, decision)
				}
				// Waiting as told is enough, and waiting less is not.
				wait := decision.RetryAfter.Microseconds()
				if _, then := limit.Take(before, now+wait, cost); !then.Allowed {
					t.Fatalf("after waiting %d: %+v", wait, then)
				}
				if _, then := limit.Take(before, now+wait-1, cost); then.Allowed {
					t.Fatalf("allowed one microsecond early")
				}
			}
			if most := int64(limit.Burst) + (now-start)/limit.Interval(); int64(spent) > most {
				t.Fatalf("%d were allowed in %d µs, at most %d", spent, now-start, most)
			}
			if decision.Remaining > 0 {
				if _, more := limit.Take(arrival, now, decision.Remaining); !more.Allowed || more.Remaining != 0 {
					t.Fatalf("%d remain, but then %+v", decision.Remaining, more)
				}
			}
			if decision.Remaining < limit.Burst {
				if _, more := limit.Take(arrival, now, decision.Remaining+1); more.Allowed {
					t.Fatalf("%d remain, but one more was allowed", decision.Remaining)
				}
			}
		}
	})
}

func TestLimitAfterTheClockWasSetBack(t *testing.T) {
	limit := Limit{Rate: 1, Per: time.Minute, Burst: 3}
	now := int64(1_764_000_000_000_000)
	arrival, _ := limit.Take(0, now, 3)
	now -= 24 * 3600 * 1_000_000
	arrival, decision := limit.Take(arrival, now, 1)
	if decision.Allowed || decision.RetryAfter > time.Minute {
		t.Errorf("at once: %+v", decision)
	}
	if _, decision = limit.Take(arrival, now+60_000_000, 1); !decision.Allowed {
		t.Errorf("a minute later: %+v", decision)
	}
}

func TestLimitEdges(t *testing.T) {
	for name, test := range map[string]struct {
		limit    Limit
		interval int64
	}{
		"one a second":      {Limit{1, time.Second, 1}, 1_000_000},
		"rounded up":        {Limit{3, time.Second, 1}, 333_334},
		"the fastest":       {Limit{1_000_000, time.Second, 1_000_000}, 1},
		"too fast":          {Limit{1_000_001, time.Second, 1}, 0},
		"the slowest":       {Limit{1, 10 * 365 * 24 * time.Hour, 1}, 10 * 365 * 24 * 3600 * 1_000_000},
		"too slow":          {Limit{1, 10 * 365 * 24 * time.Hour, 2}, 0},
		"huge burst":        {Limit{1, time.Second, math.MaxInt}, 0},
		"huge rate":         {Limit{math.MaxInt, time.Second, 1}, 0},
		"below microsecond": {Limit{1, time.Nanosecond, 1}, 0},
		"zero":              {},
		"negative":          {Limit{1, -time.Second, 1}, 0},
	} {
		if got := test.limit.Interval(); got != test.interval {
			t.Errorf("%s: %d µs, want %d", name, got, test.interval)
		}
	}
}

func TestShortKey(t *testing.T) {
	short, long := strings.Repeat("a", 128), strings.Repeat("a", 129)
	if ShortKey(short) != short {
		t.Error("a short key was changed")
	}
	if got := ShortKey(long); len(got) != 7+64 || got == ShortKey(long+"a") {
		t.Errorf("a long key became %q", got)
	}
}

func TestCells(t *testing.T) {
	batch := []Delivery{{Hint: Hint{Cells: []string{"b", "a"}}}, {Hint: Hint{Cells: []string{"a", "c"}}}}
	if got := strings.Join(Cells(batch), ""); got != "bac" {
		t.Errorf("got %s", got)
	}
	if Cells(nil) != nil {
		t.Error("cells of nothing")
	}
}
