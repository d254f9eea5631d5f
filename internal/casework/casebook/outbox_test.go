package casebook_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/officehours"
)

// wantTold is what an explained case owes, by its id.
func wantTold(id string) []string {
	want := []string{}
	for _, at := range []string{"0/desk", "0/leaders", "1/unit", "1/leaders", "2/unit", "3/leaders"} {
		want = append(want, id+"/"+at)
	}
	slices.Sort(want)
	return want
}

// TestKilledBetweenStateAndTelling leaves everything untold, as a process that is killed right after each write would.
func TestKilledBetweenStateAndTelling(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		k := h.explained(h.open()) // nobody runs that book
		later := h.open()
		if err := later.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if told := h.told(); len(told) > 0 {
			t.Fatalf("told at once, while another process may be telling: %v", told)
		}
		h.pass(time.Minute)
		h.hearsNot(true)
		if err := later.Sweep(ctx); err == nil {
			t.Fatal("nobody could be told, and nobody says so")
		}
		h.hearsNot(false)
		h.pass(15 * time.Minute)
		for range 2 { // the second time there is nothing left
			if err := later.Sweep(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(wantTold(k.ID), h.told()); diff != "" {
			t.Error(diff)
		}
		if now, err := later.Get(ctx, k.ID); err != nil || now.Version != k.Version {
			t.Errorf("telling changed the version: %d, was %d; %v", now.Version, k.Version, err)
		}
		h.apply(later, k, event(casework.Accept), deputy()) // who had it open may still decide
	})
}

// TestRunTells lets a running book tell at once, and strike out later.
func TestRunTells(t *testing.T) {
	h := newHouse(t)
	b := h.open()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { b.Run(ctx) })
	k := h.explained(b)
	for deadline := time.Now().Add(10 * time.Second); len(h.told()) < 6 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	stop()
	running.Wait()
	if diff := cmp.Diff(wantTold(k.ID), h.told()); diff != "" {
		t.Fatal(diff)
	}
	h.pass(time.Minute)
	if err := b.Sweep(t.Context()); err != nil { // this process knows that it told
		t.Fatal(err)
	}
	if err := h.open().Sweep(t.Context()); err != nil { // and another finds nothing owed
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantTold(k.ID), h.told()); diff != "" {
		t.Errorf("told again: %s", diff)
	}
}

func TestMergeMovesRatings(t *testing.T) {
	h := newHouse(t)
	ctx, b := t.Context(), h.open()
	first := h.opened(b, func(n *casebook.New) { n.Ratings = []string{"P/P.A.1/r1"} })
	h.pass(time.Second)
	second := h.opened(b, func(n *casebook.New) { n.Ratings = []string{"P/P.A.1/r1", "P/P.A.1/r2"} })
	merged := h.apply(b, second, casework.Event{Name: casework.Merge, Into: casework.Target{ID: first.ID}}, operator())
	if merged.State != casework.Duplicate || merged.MergedInto != first.ID {
		t.Fatalf("merged: %s into %q", merged.State, merged.MergedInto)
	}
	h.pass(time.Minute)
	for range 2 {
		if err := h.open().Sweep(ctx); err != nil { // twice, by processes that know nothing of each other
			t.Fatal(err)
		}
	}
	now, err := b.Get(ctx, first.ID)
	if diff := cmp.Diff([]string{"P/P.A.1/r1", "P/P.A.1/r2"}, now.Attached); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if _, err := b.Apply(ctx, first.ID, 0, casework.Event{Name: casework.Merge, Into: casework.Target{ID: second.ID}}, "", operator()); err == nil {
		t.Error("merged in a circle")
	}
	if cases, err := b.ByRating(ctx, "P/P.A.1/r2"); err != nil || len(cases) != 2 {
		t.Errorf("a rating is in %d cases, %v", len(cases), err)
	}
}

// TestTimers lets two processes look at the same clocks.
func TestTimers(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		books := []*casebook.Book{h.open(), h.open()}
		for range 20 {
			h.opened(books[0]) // nobody takes them up
		}
		replied := h.explained(books[0])
		replied = h.apply(books[0], replied, event(casework.Accept), deputy())
		replied = h.apply(books[0], replied, event(casework.Reply), operator())
		for range 40 {
			h.days(1)
			var wait sync.WaitGroup
			for _, b := range books {
				wait.Go(func() {
					if err := b.Sweep(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
		}
		page, err := books[0].List(ctx, casebook.Filter{States: []casework.State{casework.Received}, Late: true}, "", 100)
		if err != nil || len(page.Cases) != 20 {
			t.Fatalf("%d late, %v", len(page.Cases), err)
		}
		for _, k := range page.Cases {
			clock, _ := k.Clock(casework.ClockAssign)
			raised := 0
			for _, e := range k.History {
				if e.Event.Name == casework.Escalate && e.Event.Clock == casework.ClockAssign {
					raised++
				}
			}
			if clock.Escalated != 2 || raised != 2 {
				t.Errorf("an unassigned case stands at level %d after %d escalations", clock.Escalated, raised)
			}
		}
		if closed, err := books[0].Get(ctx, replied.ID); err != nil || closed.State != casework.Closed {
			t.Errorf("the citizen said nothing for 40 days, and the case is %s, %v", closed.State, err)
		}
		// receivers know a telling by its id; each reminder and each escalation has one of its own
		first := page.Cases[0].ID
		ids := slices.Compact(slices.DeleteFunc(h.told(), func(id string) bool { return !strings.HasPrefix(id, first+"/") }))
		var reminders, above []string
		for _, id := range ids {
			if strings.Contains(id, "/"+string(deadline.RemindBefore)+"/") || strings.Contains(id, "/"+string(deadline.RemindAfter)+"/") {
				reminders = append(reminders, id)
			}
			if strings.HasSuffix(id, "/above") {
				above = append(above, id)
			}
		}
		rules, counted := h.rules, 0
		for _, name := range []string{casework.ClockAssign, casework.ClockReply} {
			rule, _ := rules.Rule(name)
			counted += len(rule.RemindBefore) + 2*len(rule.RemindAfter)
		}
		if len(reminders) != counted {
			t.Errorf("reminders, want %d: %v", counted, reminders)
		}
		if len(above) < 2 {
			t.Errorf("told above: %v", above)
		}
	})
}

func TestCalendars(t *testing.T) {
	h := newHouse(t)
	ctx, b := t.Context(), h.open()
	sure := h.opened(b)
	if len(sure.Missing) > 0 || sure.Trouble != "" {
		t.Errorf("doubts about 2026: %v %q", sure.Missing, sure.Trouble)
	}
	h.days(37) // 30 December: the reply is due in a year nobody wrote down
	h.mu.Lock()
	h.hours = weekdays(t, 2026)
	h.mu.Unlock()
	doubtful := h.opened(b)
	if !slices.Equal(doubtful.Missing, []int{2027}) {
		t.Errorf("years missing: %v", doubtful.Missing)
	}
	h.mu.Lock()
	h.hours = officehours.Hours{} // offices never open
	h.mu.Unlock()
	broken := h.opened(b)
	if broken.Due != casebook.NoDue || broken.Trouble != "deadline_never_open" {
		t.Errorf("due %s, trouble %q", broken.Due, broken.Trouble)
	}
	h.mu.Lock()
	h.hours = weekdays(t, 2026, 2027, 2028)
	h.mu.Unlock()
	if err := b.Retime(ctx); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{doubtful.ID, broken.ID} {
		k, err := b.Get(ctx, id)
		if err != nil || k.Trouble != "" || len(k.Missing) > 0 || k.Due != "2026-12-31" {
			t.Errorf("after the calendar was put right: due %s, missing %v, trouble %q, %v", k.Due, k.Missing, k.Trouble, err)
		}
	}
}

// TestMergedYesterday lets a commune be merged into another while it has a case.
func TestMergedYesterday(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ctx, b := t.Context(), h.open()
		k := h.opened(b)
		ended := h.apply(b, h.explained(b), event(casework.Accept), deputy())
		ended = h.apply(b, ended, event(casework.Reply), operator())
		ended = h.apply(b, ended, casework.Event{Name: casework.Satisfied}, casework.TheCitizen())
		h.days(1)
		all := units()
		for i, u := range all {
			if u.ID == commune {
				closed, err := u.Close("2026-11-24", other)
				if err != nil {
					t.Fatal(err)
				}
				all[i] = closed
			}
			if u.ID == office || u.ID == culture {
				moved, err := u.Move("2026-11-24", other)
				if err != nil {
					t.Fatal(err)
				}
				all[i] = moved
			}
		}
		h.grow(all...)
		for range 2 { // seen, and then taken to be settled
			if err := b.Sweep(ctx); err != nil {
				t.Fatal(err)
			}
			h.pass(2 * time.Minute)
		}
		for _, of := range []string{other, commune, office, province, ""} {
			page, err := b.List(ctx, casebook.Filter{Unit: of}, "", 10)
			want := 2
			if of == office {
				want = 1
			}
			if err != nil || len(page.Cases) != want {
				t.Errorf("of %q: %d cases, %v", of, len(page.Cases), err)
			}
		}
		// those of the successor take it from here
		desk, chief := actor("mai", "o-mai", casework.Operator, other), actor("tam", "o-tam", casework.Leader, other)
		k, err := b.Get(ctx, k.ID)
		if err != nil {
			t.Fatal(err)
		}
		k = h.apply(b, k, event(casework.Assign), desk)
		k = h.apply(b, k, event(casework.RequestExplanation), chief)
		k = h.apply(b, k, event(casework.Submit), writer())
		if k = h.apply(b, k, event(casework.Accept), chief); k.Number.Unit != commune || ended.Number.Unit != commune {
			t.Error("a number is not for ever the receiving unit's")
		}
		next := h.opened(b, func(n *casebook.New) { n.ID = newID() })
		if next.Number.N != 3 {
			t.Errorf("next number %d", next.Number.N)
		}
	})
}

func TestCollectives(t *testing.T) {
	h := newHouse(t)
	ctx, b := t.Context(), h.open()
	ask := func(of string) casebook.Kept {
		return h.opened(b, func(n *casebook.New) {
			n.Source, n.WithCode = casework.FromFollowUp, false
			n.Collective = &casework.Scope{Unit: of, From: "2026-11-01", To: "2026-11-20"}
		})
	}
	whole, below, beside := ask(commune), ask(office), ask(other)
	for _, c := range []struct {
		unit string
		from string
		want []string
	}{
		{"", "2026-11-10", []string{beside.ID, below.ID, whole.ID}},
		{commune, "2026-11-10", []string{below.ID, whole.ID}},
		{office, "2026-11-10", []string{below.ID, whole.ID}},
		{culture, "2026-11-10", []string{whole.ID}},
		{office, "2026-11-21", nil},
	} {
		got, err := b.Collectives(ctx, c.unit, "2026-11-10", "2026-12-01")
		if c.from > "2026-11-20" {
			got, err = b.Collectives(ctx, c.unit, "2026-11-21", "2026-12-01")
		}
		var ids []string
		for _, k := range got {
			ids = append(ids, k.ID)
		}
		slices.Sort(ids)
		slices.Sort(c.want)
		if diff := cmp.Diff(c.want, ids); err != nil || diff != "" {
			t.Errorf("%q: %v %s", c.unit, err, diff)
		}
	}
}
