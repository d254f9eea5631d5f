package redisbus

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/testengine"
)

func TestAnotherWorkerTakesOverFromAProcessThatDied(t *testing.T) {
	addr := testengine.Redis(t)
	b := opened(t, "redis://"+addr, Options{Timeout: generous, HintIdle: 200 * time.Millisecond})
	if err := b.client.XGroupCreateMkStream(t.Context(), "hailong:hints", group, "0").Err(); err != nil {
		t.Fatal(err)
	}
	const n = 40 // more than one look for abandoned hints finds
	for i := range n {
		publish(b, fmt.Sprint(i))
		eventually(t, "it is in Redis", func() bool { return b.client.XLen(t.Context(), "hailong:hints").Val() == int64(i+1) })
	}
	ghost, err := b.client.XReadGroup(t.Context(), &redis.XReadGroupArgs{
		Group: group, Consumer: "ghost", Streams: []string{"hailong:hints", ">"}, Count: 1000,
	}).Result()
	if err != nil || len(ghost[0].Messages) != n {
		t.Fatalf("the ghost read %v, %v", ghost, err)
	}
	cells := folding(t, b, "heir")
	arrived := map[string]bool{}
	eventually(t, "the heir has all", func() bool {
		select {
		case cell := <-cells:
			arrived[cell] = true
		default:
		}
		return len(arrived) == n
	})
	eventually(t, "the stream is empty", func() bool { return b.client.XLen(t.Context(), "hailong:hints").Val() == 0 })
	if redelivered := b.Stats().HintsRedelivered; redelivered != n {
		t.Errorf("%d redelivered, want %d", redelivered, n)
	}
}

func TestConsumersOfProcessesThatAreGoneAreRemoved(t *testing.T) {
	addr := testengine.Redis(t)
	b := opened(t, "redis://"+addr, Options{Timeout: generous})
	b.client.XGroupCreateMkStream(t.Context(), "hailong:hints", group, "0")
	b.client.XGroupCreateConsumer(t.Context(), "hailong:hints", group, "gone")
	b.client.XAdd(t.Context(), &redis.XAddArgs{Stream: "hailong:hints", Values: []any{field, "x"}})
	b.client.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: group, Consumer: "holds", Streams: []string{"hailong:hints", ">"}})
	run := func(idle time.Duration) int {
		n, err := retire.Run(t.Context(), b.client, []string{"hailong:hints"}, group, idle.Milliseconds()).Int()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := run(retireIdle); n != 0 {
		t.Errorf("%d removed before their time", n)
	}
	if n := run(0); n != 1 {
		t.Errorf("%d removed, want the one that holds nothing", n)
	}
	left := b.client.XInfoConsumers(t.Context(), "hailong:hints", group).Val()
	if len(left) != 1 || left[0].Name != "holds" || left[0].Pending != 1 {
		t.Errorf("left: %+v", left)
	}
	b.client.FlushAll(t.Context())
	if n := run(0); n != 0 {
		t.Errorf("%d removed from a stream that is not there", n)
	}
}

func TestEntriesOfStrangersAreRemoved(t *testing.T) {
	addr := testengine.Redis(t)
	b := opened(t, "redis://"+addr, Options{Timeout: generous})
	for _, values := range [][]any{{"other", "x"}, {field, ""}, {field, "\n\n"}, {field, "good\n" + string(make([]byte, 600))}} {
		if err := b.client.XAdd(t.Context(), &redis.XAddArgs{Stream: "hailong:hints", Values: values}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	arrives(t, folding(t, b, "w"), "good")
	eventually(t, "the stream is empty", func() bool { return b.client.XLen(t.Context(), "hailong:hints").Val() == 0 })
	if dropped := b.Stats().HintsDropped; dropped != 3 {
		t.Errorf("%d dropped, want 3", dropped)
	}
}

func TestTheStreamStaysSmall(t *testing.T) {
	addr := testengine.Redis(t)
	b := opened(t, "redis://"+addr, Options{Timeout: generous, HintBound: 50})
	for i := range 100_000 {
		publish(b, fmt.Sprint(i))
	}
	eventually(t, "all were sent", func() bool { b.outbox.mu.Lock(); defer b.outbox.mu.Unlock(); return b.outbox.cells.Len() == 0 })
	if n := b.client.XLen(t.Context(), "hailong:hints").Val(); n > 200 {
		t.Errorf("%d entries under a bound of about 50", n)
	}
}

func TestEverythingElseExpires(t *testing.T) {
	addr := testengine.Redis(t)
	b := opened(t, "redis://"+addr, Options{Timeout: generous})
	b.Allow(t.Context(), "k", bus.Limit{Rate: 10, Per: time.Minute, Burst: 10}, 10)
	_, _ = b.UseOnce(t.Context(), "k", time.Minute)
	_, _ = b.UseOnce(t.Context(), "short", time.Nanosecond)
	_ = b.Announce(t.Context(), "p", "a", 2*time.Minute)
	_ = b.Announce(t.Context(), "p", "b", time.Minute)
	_ = b.Leave(t.Context(), "p", "nobody")
	for key, most := range map[string]time.Duration{
		"hailong:limit:k": time.Minute, "hailong:once:k": time.Minute, "hailong:place:p": 2 * time.Minute,
	} {
		ttl := b.client.PTTL(t.Context(), key).Val()
		if ttl <= most/2 || ttl > most {
			t.Errorf("%s expires in %v, want %v at most", key, ttl, most)
		}
	}
}

func TestSystemsOnOneRedisAreApart(t *testing.T) {
	addr := testengine.Redis(t)
	a := opened(t, "redis://"+addr, Options{Timeout: generous, Prefix: "a:"})
	b := opened(t, "redis://"+addr, Options{Timeout: generous, Prefix: "b:"})
	events := b.Subscribe(t.Context(), "t")
	if err := a.Publish(t.Context(), "t", []byte("a")); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), "t", []byte("b")); err != nil {
		t.Fatal(err)
	}
	for event := range events {
		if event.Missed {
			continue
		}
		if string(event.Body) != "b" {
			t.Errorf("heard %q", event.Body)
		}
		break
	}
	if n := allowed(a, "k", 9) + allowed(b, "k", 9); n != 10 {
		t.Errorf("%d allowed, want 5 each", n)
	}
	first, _ := a.UseOnce(t.Context(), "n", time.Minute)
	second, _ := b.UseOnce(t.Context(), "n", time.Minute)
	if !first || !second {
		t.Error("a nonce of one system was used in the other")
	}
	publish(a, "a")
	publish(b, "b")
	arrives(t, folding(t, b, "w"), "b")
}

func TestOpenRefusesSettings(t *testing.T) {
	for name, options := range map[string]Options{
		"stars": {Prefix: "a*"}, "space": {Prefix: "a b"}, "long": {Prefix: fmt.Sprintf("%065d", 1)},
	} {
		if _, err := Open("redis://127.0.0.1:1", options); !isInvalid(err, "redis_prefix") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errors.Unwrap(bus.Unavailable(errors.New("x"))); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}
