package analysis

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
)

type watched struct {
	events  chan bus.Event
	emitted chan Summary
	ended   chan error
	stop    context.CancelFunc
}

func watch(t *testing.T, a *Analysis, unit string) watched {
	ctx, cancel := context.WithCancel(context.Background())
	w := watched{make(chan bus.Event, 10), make(chan Summary, 10), make(chan error, 1), cancel}
	go func() {
		w.ended <- a.Watch(ctx, unit, w.events, func(s Summary) error {
			w.emitted <- s
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-w.ended:
		case <-time.After(10 * time.Second):
			t.Error("the watch did not end")
		}
	})
	return w
}

func (w watched) next(t *testing.T) Summary {
	t.Helper()
	select {
	case s := <-w.emitted:
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was emitted")
		return Summary{}
	}
}

func (w watched) changed(units ...string) {
	for _, body := range EncodeChanged(units) {
		w.events <- bus.Event{Topic: Topic, Body: body}
	}
}

// No two summaries may differ by fewer than five ratings, in any channel.
func TestWatchTellsOfGroupsOnly(t *testing.T) {
	engine := open(t)
	r := newRatings(t, engine)
	r.add("O", "2025-09-01", kiosk, "short", 0, 0, 0, 0, 7)
	a := New(Config{Engine: engine, Units: merged(t, "2025-09-01"), Clock: at("2025-09-01")})
	w := watch(t, a, "D")
	if got := w.next(t); got.Pooled.N != 7 || got.Period != (Period{"2025-09-01", "2025-09-01"}) {
		t.Fatalf("first %+v", got)
	}
	r.add("O", "2025-09-01", kiosk, "short", 4)
	w.changed("O")
	r.add("O", "2025-09-01", web, "short", 0, 4) // eight new ones, but four a channel
	w.changed("O")
	time.Sleep(2 * watchAtMost)
	r.add("O", "2025-09-01", kiosk, "short", 1)
	w.changed("O")
	got := w.next(t)
	if got.Pooled.Counts != [5]uint32{5, 0, 0, 0, 7} || len(got.Channels) != 1 {
		t.Errorf("then %v in %d channels", got.Pooled.Counts, len(got.Channels))
	}
	r.add("O", "2025-09-01", web, "short", 0, 1)
	w.changed("O")
	if got := w.next(t); got.Pooled.Counts != [5]uint32{5, 5, 0, 0, 7} || len(got.Channels) != 2 {
		t.Errorf("at last %v in %d channels", got.Pooled.Counts, len(got.Channels))
	}
	// Another unit's figures are nothing to it; what was missed may be anything.
	r.add("O", "2025-09-01", kiosk, "short", 9)
	w.changed("C")
	select {
	case s := <-w.emitted:
		t.Errorf("another unit's change emitted %v", s.Pooled.Counts)
	case <-time.After(2 * watchAtMost):
	}
	w.events <- bus.Event{Missed: true}
	if got := w.next(t); got.Pooled.N != 26 {
		t.Errorf("after something was missed: n %d", got.Pooled.N)
	}
}

func TestWatchEnds(t *testing.T) {
	a := example(t)
	w := watch(t, a, "P")
	w.next(t)
	close(w.events)
	err := <-w.ended
	w.ended <- nil
	if got := fault.Of(err); got.Code != fault.Unavailable || got.Reason != "watch_ended" {
		t.Errorf("a closed feed: %v", err)
	}
	broken := errors.New("the stream broke")
	if err := a.Watch(context.Background(), "P", nil, func(Summary) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("emit's error became %v", err)
	}
	if err := a.Watch(context.Background(), "Q", nil, nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown unit: %v", err)
	}
}

func TestChangedBodies(t *testing.T) {
	var units []string
	for range 3000 {
		units = append(units, strings.Repeat("u", 60))
	}
	var back []string
	for _, body := range EncodeChanged(units) {
		if len(body) > bus.MaxBody {
			t.Errorf("a body of %d bytes", len(body))
		}
		back = append(back, DecodeChanged(body)...)
	}
	if !slices.Equal(units, back) {
		t.Errorf("%d units came back of %d", len(back), len(units))
	}
	if got := DecodeChanged(nil); got != nil {
		t.Errorf("nothing became %v", got)
	}
}
