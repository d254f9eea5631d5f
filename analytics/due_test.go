package analytics

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// hands is a clock that a test moves.
type hands struct{ now time.Time }

func (h *hands) clock() time.Time { return h.now }

func (h *hands) pass(d time.Duration) { h.now = h.now.Add(d) }

func TestDue(t *testing.T) {
	h := &hands{time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	d := newDue(h.clock, 50*time.Millisecond, 10, time.Minute)
	taken := func(want ...string) {
		t.Helper()
		got, _ := d.take(100)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("due %v, want %v", got, want)
		}
	}
	d.touch("a", "b", "a")
	taken()
	h.pass(49 * time.Millisecond)
	d.touch("a") // more touches do not put it off
	taken()
	h.pass(time.Millisecond)
	taken("a", "b")
	d.touch("a") // while under way
	h.pass(time.Hour)
	taken()
	d.folded("b", 0, nil)
	d.folded("a", 0, nil)
	h.pass(50 * time.Millisecond)
	taken("a")

	d.folded("a", 2*time.Second, nil) // costly: ten times as long
	d.touch("a", "b")
	h.pass(19 * time.Second)
	taken("b")
	d.folded("b", 0, nil)
	h.pass(time.Second)
	taken("a")
	d.folded("a", time.Hour, nil) // but no longer than the bound, or the fold itself
	d.touch("a")
	h.pass(time.Hour - time.Second)
	taken()
	h.pass(time.Second)
	taken("a")
	d.folded("a", 0, nil)

	d.touch("bad")
	h.pass(time.Second)
	taken("bad")
	broken := errors.New("broken")
	for i, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		if got := d.folded("bad", 0, broken); got != i+1 || d.failing() != 1 {
			t.Errorf("failed %d times, %d failing; want %d, 1", got, d.failing(), i+1)
		}
		h.pass(wait - time.Millisecond)
		taken()
		h.pass(time.Millisecond)
		taken("bad")
	}
	d.folded("bad", 0, nil)
	if d.failing() != 0 || d.waiting() != 0 {
		t.Errorf("%d failing, %d waiting", d.failing(), d.waiting())
	}

	d.touch("swept", "touched since")
	began := h.now
	h.pass(time.Millisecond)
	d.touch("touched since")
	d.sweptUp("swept", began)
	d.sweptUp("touched since", began)
	d.sweptUp("never due", began)
	h.pass(time.Second)
	taken("touched since")
	d.failed("new")
	d.failed("new")
	if d.failing() != 1 {
		t.Errorf("%d failing", d.failing())
	}
	h.pass(time.Minute)
	taken("new")
}

func TestDueTakesTheOldestFirst(t *testing.T) {
	h := &hands{time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	d := newDue(h.clock, time.Millisecond, 10, time.Minute)
	for _, key := range []string{"c", "a", "b"} {
		d.touch(key)
		h.pass(time.Second)
	}
	for _, want := range []string{"c", "a", "b"} {
		if got, _ := d.take(1); !slices.Equal(got, []string{want}) {
			t.Errorf("took %v, want %s", got, want)
		}
	}
}
