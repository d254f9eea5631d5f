package redisbus

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/testengine"
)

// TestLuaCountsLikeGo runs the script with a clock of the test's beside bus.Limit.Take, over the same calls.
func TestLuaCountsLikeGo(t *testing.T) {
	b := opened(t, "redis://"+testengine.Redis(t), Options{Timeout: generous})
	// Keys do not expire here: Redis would do it by its own clock.
	script := redis.NewScript(`
local server = redis
local redis = {call = function(command, key, value)
  if command == 'SET' then return server.call('SET', key, value) end
  return server.call(command, key)
end}
local now = tonumber(ARGV[4])` + takeRest)
	limits := []bus.Limit{
		{Rate: 1, Per: time.Second, Burst: 1}, {Rate: 7, Per: time.Second, Burst: 3}, {Rate: 1000, Per: time.Minute, Burst: 500},
		{Rate: 1_000_000, Per: time.Second, Burst: 1_000_000}, {Rate: 1, Per: 24 * time.Hour, Burst: 3650}, {Rate: 3, Per: time.Hour, Burst: 10},
	}
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		key := fmt.Sprint(round)
		limit := rapid.SampledFrom(limits).Draw(t, "limit")
		now := rapid.Int64Range(1_700_000_000_000_000, 9_000_000_000_000_000/2).Draw(t, "start")
		var arrival int64
		for range rapid.IntRange(1, 12).Draw(t, "calls") {
			if rapid.IntRange(0, 9).Draw(t, "narrower") == 0 {
				limit = rapid.SampledFrom(limits).Draw(t, "other limit")
			}
			now += rapid.Int64Range(-limit.Interval(), 2*limit.Interval()).Draw(t, "pause") // clocks are set back too
			cost := rapid.IntRange(0, limit.Burst).Draw(t, "cost")
			var want bus.Decision
			arrival, want = limit.Take(arrival, now, cost)
			got, err := b.allow(context.Background(), script, key, limit, cost, now)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Fatalf("%+v, cost %d: Lua %+v, Go %+v", limit, cost, got, want)
			}
		}
	})
}

func TestKeysOfStrangersDoNotOpenALimit(t *testing.T) {
	b := opened(t, "redis://"+testengine.Redis(t), Options{Timeout: generous})
	for name, spoil := range map[string]func(key string) error{
		"no number": func(key string) error { return b.client.Set(t.Context(), key, "abc", 0).Err() },
		"far ahead": func(key string) error { return b.client.Set(t.Context(), key, "9e15", 0).Err() },
		"a list":    func(key string) error { return b.client.LPush(t.Context(), key, "x").Err() },
		"infinite":  func(key string) error { return b.client.Set(t.Context(), key, "inf", 0).Err() },
		"nan":       func(key string) error { return b.client.Set(t.Context(), key, "nan", 0).Err() },
	} {
		if err := spoil("hailong:limit:" + name); err != nil {
			t.Fatal(err)
		}
		if n := allowed(b, name, 20); n > 5 {
			t.Errorf("%s: %d allowed, more than the burst", name, n)
		}
	}
}

func BenchmarkAllow(b *testing.B) {
	addr := testengine.Redis(b)
	one, err := Open("redis://"+addr, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = one.Close() }()
	limit := bus.Limit{Rate: 1000, Per: time.Second, Burst: 1000}
	b.SetParallelism(8)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			one.Allow(context.Background(), "k", limit, 1)
		}
	})
}

func BenchmarkPublishHint(b *testing.B) {
	addr := testengine.Redis(b)
	one, err := Open("redis://"+addr, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = one.Close() }()
	cells := make([]string, 5000)
	for i := range cells {
		cells[i] = fmt.Sprintf("2026-11-22/UNIT-%d/1/kiosk@3/14", i)
	}
	i := 0
	for b.Loop() {
		one.PublishHint(context.Background(), bus.Hint{Cells: cells[i%5000 : i%5000+1]})
		i++
	}
}
