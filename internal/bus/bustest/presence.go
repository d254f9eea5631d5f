package bustest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/bus"
)

func here(t *testing.T, b bus.Bus, place string) []string {
	t.Helper()
	people, err := b.Present(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	return people
}

func announce(t *testing.T, b bus.Bus, place, who string, ttl time.Duration) {
	t.Helper()
	if err := b.Announce(t.Context(), place, who, ttl); err != nil {
		t.Fatal(err)
	}
}

func presenceExpires(t *testing.T, open Open) {
	one, other := open(t, Settings{})
	if people := here(t, one, "case/1"); len(people) != 0 {
		t.Errorf("an empty place holds %v", people)
	}
	announce(t, one, "case/1", "chị Lan", time.Minute)
	announce(t, other, "case/1", "anh Dũng", 300*time.Millisecond)
	announce(t, other, "case/2", "cô Đào", time.Minute)
	start := time.Now()
	if diff := cmp.Diff([]string{"anh Dũng", "chị Lan"}, here(t, one, "case/1")); diff != "" && time.Since(start) < 200*time.Millisecond {
		t.Error(diff)
	}
	must(t, "one expired", func() bool { return cmp.Equal(here(t, other, "case/1"), []string{"chị Lan"}) })
	announce(t, one, "case/1", "chị Lan", 50*time.Millisecond) // a shorter time holds too
	must(t, "nobody is left", func() bool { return len(here(t, other, "case/1")) == 0 })
	if diff := cmp.Diff([]string{"cô Đào"}, here(t, one, "case/2")); diff != "" {
		t.Error(diff)
	}
}

func presenceLeave(t *testing.T, open Open) {
	one, other := open(t, Settings{})
	announce(t, one, "p", "a", time.Minute)
	announce(t, one, "p", "a", time.Minute)
	announce(t, one, "p", "b", time.Minute)
	for _, who := range []string{"a", "a", "stranger"} {
		if err := other.Leave(t.Context(), "p", who); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"b"}, here(t, one, "p")); diff != "" {
		t.Error(diff)
	}
}

func presenceBounded(t *testing.T, open Open) {
	one, _ := open(t, Settings{})
	for i := range bus.MaxPresent + 20 {
		announce(t, one, "p", fmt.Sprintf("%03d", i), time.Minute+time.Duration(i)*time.Second)
	}
	people := here(t, one, "p")
	if len(people) != bus.MaxPresent || people[0] != "020" {
		t.Errorf("%d people, first %v", len(people), people[:min(1, len(people))])
	}
}

func presenceInvalid(t *testing.T, open Open) {
	one, _ := open(t, Settings{})
	long := strings.Repeat("x", 1000)
	_, nowhere := one.Present(t.Context(), "")
	for name, err := range map[string]error{
		"nowhere": nowhere, "announced nowhere": one.Announce(t.Context(), "", "a", time.Minute),
		"nobody": one.Announce(t.Context(), "p", "", time.Minute), "long place": one.Announce(t.Context(), long, "a", time.Minute),
		"long name": one.Announce(t.Context(), "p", long, time.Minute), "no time": one.Announce(t.Context(), "p", "a", 0),
		"leaving nowhere": one.Leave(t.Context(), "", "a"),
	} {
		if !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func nonceOnce(t *testing.T, open Open) {
	one, other := open(t, Settings{})
	for round := range 20 {
		key := fmt.Sprintf("nonce-%d", round)
		var first atomic.Int64
		var group sync.WaitGroup
		start := make(chan struct{})
		for g := range 64 {
			b := []bus.Bus{one, other}[g%2]
			group.Go(func() {
				<-start
				ok, err := b.UseOnce(t.Context(), key, time.Minute)
				if err != nil {
					t.Error(err)
				}
				if ok {
					first.Add(1)
				}
			})
		}
		close(start)
		group.Wait()
		if first.Load() != 1 {
			t.Fatalf("%d of 64 were the first", first.Load())
		}
	}
}

func nonceExpires(t *testing.T, open Open) {
	one, other := open(t, Settings{})
	use := func(b bus.Bus) bool {
		ok, err := b.UseOnce(t.Context(), "k", 150*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	start := time.Now()
	if !use(one) {
		t.Fatal("not the first")
	}
	must(t, "it may be used again", func() bool { return use(other) })
	if took := time.Since(start); took < 100*time.Millisecond {
		t.Errorf("forgotten after %v", took)
	}
}

func nonceKeys(t *testing.T, open Open) {
	one, other := open(t, Settings{})
	long := strings.Repeat("x", 10_000)
	for _, key := range []string{"a", "b", "\x00\xff", long, long + "y"} {
		for i, b := range []bus.Bus{one, other, one} {
			ok, err := b.UseOnce(t.Context(), key, time.Minute)
			if err != nil || ok != (i == 0) {
				t.Errorf("use %d of %.10q: %v, %v", i+1, key, ok, err)
			}
		}
	}
}

func nonceInvalid(t *testing.T, open Open) {
	one, _ := open(t, Settings{})
	for name, use := range map[string]func() (bool, error){
		"no key":  func() (bool, error) { return one.UseOnce(t.Context(), "", time.Minute) },
		"no time": func() (bool, error) { return one.UseOnce(t.Context(), "k", 0) },
		"past":    func() (bool, error) { return one.UseOnce(t.Context(), "k", -1) },
	} {
		if ok, err := use(); ok || !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}
