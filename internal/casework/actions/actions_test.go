package actions_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/actions"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/hailong-vn/hailong/internal/testengine.(*Server).Start.func1"))
}

// house is a store with a clock, and who was told.
type house struct {
	t      *testing.T
	engine store.Engine
	rules  deadline.Rules
	hours  officehours.Hours

	mu   sync.Mutex
	now  time.Time
	told []actions.Telling
	deaf bool
}

func onEngines(t *testing.T, test func(h *house)) {
	run := func(t *testing.T, engine store.Engine) {
		t.Cleanup(func() { _ = engine.Close() })
		h := &house{t: t, engine: engine, now: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)} // a Monday, 09:00 in Vietnam
		var err error
		if h.rules, err = deadline.Defaults(); err != nil {
			t.Fatal(err)
		}
		for weekday := 1; weekday <= 5; weekday++ {
			h.hours.Week = append(h.hours.Week, officehours.Opening{Weekday: weekday, From: 450, To: 1020})
		}
		h.hours.Days = []officehours.Special{{Day: "2026-02-17", Name: "Tết"}, {Day: "2027-02-08", Name: "Tết"}}
		test(h)
	}
	t.Run("sqlite", func(t *testing.T) {
		engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		run(t, engine)
	})
	t.Run("mongodb", func(t *testing.T) {
		uri, database := testengine.MongoDB(t)
		engine, err := mongodb.Open(t.Context(), uri, mongodb.Options{Database: database})
		if err != nil {
			t.Fatal(err)
		}
		run(t, engine)
	})
}

// within: units are "P", "P.A", "P.A.1": the dots tell.
func within(unit, scope string) bool {
	return scope == "" || unit == scope || strings.HasPrefix(unit, scope+".")
}

func above(unit string) []string {
	all := []string{"", unit}
	for i := len(unit) - 1; i > 0; i-- {
		if unit[i] == '.' {
			all = append(all, unit[:i])
		}
	}
	return all
}

// open opens the actions as one more process would.
func (h *house) open() *actions.Actions {
	h.t.Helper()
	a, err := actions.Open(h.t.Context(), h.engine, actions.Options{
		Machine: func(string) (casework.Machine, error) {
			return casework.New(casework.World{Rules: h.rules, Hours: h.hours, Within: within})
		},
		Above: above,
		Due: func(_ string, clocks []casework.Clock) localday.Day {
			for _, clock := range clocks {
				if due, err := clock.Due(h.hours); clock.Running() && err == nil {
					return due.Day
				}
			}
			return ""
		},
		Hold: func(_ context.Context, _ string, files []casework.Attachment) ([]casework.Attachment, error) {
			return files, nil
		},
		Tell: func(_ context.Context, list []actions.Telling) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.deaf {
				return errors.New("nobody listens")
			}
			h.told = append(h.told, list...)
			return nil
		},
		Now: h.clock,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) setDeaf(deaf bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deaf = deaf
}

// heard are the ids told of a topic, each once.
func (h *house) heard(event string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ids []string
	for _, t := range h.told {
		if t.Event == event {
			ids = append(ids, t.ID+" "+string(t.To))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func leader(account string) casework.Actor {
	return casework.Actor{Person: casework.Person{Account: account, Role: casework.Leader, Scope: "P"}}
}

func head(unit string) casework.Actor {
	return casework.Actor{Person: casework.Person{Account: "head of " + unit, Role: casework.Head, Scope: unit, Heads: []string{unit}}}
}

func order(units ...string) actions.New {
	return actions.New{Order: uuid.Must(uuid.NewV7()).String(), Ordering: "P", Units: units, Product: "Niêm yết lại phí và lệ phí", Due: "2026-12-07", Cases: []string{"case-1"}}
}

func TestOrderSeveralUnits(t *testing.T) {
	onEngines(t, func(h *house) {
		a := h.open()
		var units []string
		for i := range 20 {
			units = append(units, "P."+string(rune('A'+i)))
		}
		n := order(units...)
		var callers sync.WaitGroup
		for range 4 {
			callers.Go(func() {
				if list, err := a.Order(h.t.Context(), n, leader("l1")); err != nil || len(list) != 20 {
					h.t.Errorf("%d, %v", len(list), err)
				}
			})
		}
		callers.Wait()
		list, _, err := a.List(h.t.Context(), actions.Filter{Order: n.Order}, "", 100)
		if err != nil || len(list) != 20 {
			h.t.Fatalf("%d actions of one order, %v", len(list), err)
		}
		if told := h.heard("order"); len(told) != 20 {
			h.t.Errorf("told %d times: %v", len(told), told)
		}
		n.Product = "việc khác"
		if _, err := a.Order(h.t.Context(), n, leader("l1")); !fault.Is(err, fault.Exists) {
			h.t.Errorf("another order under the same id: %v", err)
		}
		if _, err := a.Order(h.t.Context(), order("P.A"), head("P.A")); !fault.Is(err, fault.Denied) {
			h.t.Errorf("a head orders: %v", err)
		}
	})
}

func TestLifeOfAnAction(t *testing.T) {
	onEngines(t, func(h *house) {
		a := h.open()
		ordered, err := a.Order(h.t.Context(), order("P.A"), leader("l1"))
		if err != nil {
			h.t.Fatal(err)
		}
		id := ordered[0].ID
		report := casework.ActionEvent{Name: casework.Report, Evidence: casework.Evidence{Text: "Đã niêm yết tại ba quầy, ảnh kèm theo."}}
		reported, err := a.Apply(h.t.Context(), id, ordered[0].Version, report, head("P.A"))
		if err != nil || reported.State != casework.ActionReported {
			h.t.Fatalf("%v, %v", reported, err)
		}
		// Two leaders decide at once on what they both saw: one wins, the other is told.
		results := make(chan error, 2)
		go func() {
			_, err := a.Apply(h.t.Context(), id, reported.Version, casework.ActionEvent{Name: casework.Confirm}, leader("l1"))
			results <- err
		}()
		go func() {
			_, err := h.open().Apply(h.t.Context(), id, reported.Version, casework.ActionEvent{Name: casework.SendBack, Reason: "thiếu một quầy", Due: "2026-12-10"}, leader("l2"))
			results <- err
		}()
		first, second := <-results, <-results
		if (first == nil) == (second == nil) {
			h.t.Fatalf("%v and %v", first, second)
		}
		var changed *actions.ChangedError
		if lost := errors.Join(first, second); !errors.As(lost, &changed) || len(changed.Since) != 1 || !fault.Is(lost, fault.Stale) {
			h.t.Errorf("who came second is told %v", lost)
		}
		stands, err := a.Get(h.t.Context(), id)
		if err != nil {
			h.t.Fatal(err)
		}
		if again, err := casework.ReplayAction(stands.Ordered, stands.History); err != nil || again.State != stands.State {
			h.t.Errorf("replayed: %v, %v", again.State, err)
		}
		for _, unit := range []string{"", "P", "P.A"} {
			open, _, err := a.List(h.t.Context(), actions.Filter{Unit: unit, Ended: stands.State.Terminal()}, "", 10)
			if err != nil || len(open) != 1 {
				h.t.Errorf("of %q: %d, %v", unit, len(open), err)
			}
		}
		if none, _, err := a.List(h.t.Context(), actions.Filter{Unit: "P.B"}, "", 10); err != nil || len(none) != 0 {
			h.t.Errorf("of another unit: %v, %v", none, err)
		}
		if of, _, err := a.List(h.t.Context(), actions.Filter{Case: "case-1"}, "", 10); err != nil || len(of) != 1 {
			h.t.Errorf("of the case: %v, %v", of, err)
		}
	})
}

// A process that dies between writing and telling leaves it to the sweep of another; what is late goes one level up, once.
func TestWhatHappensByItself(t *testing.T) {
	onEngines(t, func(h *house) {
		h.setDeaf(true)
		ordered, err := h.open().Order(h.t.Context(), order("P.A"), leader("l1"))
		if err != nil {
			h.t.Fatal(err)
		}
		h.setDeaf(false)
		h.pass(time.Minute)
		one, two := h.open(), h.open()
		sweep := func() {
			var both sync.WaitGroup
			for _, a := range []*actions.Actions{one, two} {
				both.Go(func() {
					if err := a.Sweep(h.t.Context()); err != nil {
						h.t.Error(err)
					}
				})
			}
			both.Wait()
		}
		sweep()
		if told := h.heard("order"); len(told) != 1 {
			h.t.Errorf("after the sweep told %v", told)
		}
		h.pass(60 * 24 * time.Hour)
		for range 4 {
			sweep()
		}
		stands, err := one.Get(h.t.Context(), ordered[0].ID)
		if err != nil {
			h.t.Fatal(err)
		}
		raised := 0
		for _, e := range stands.History {
			if e.Event.Name == casework.Overdue {
				raised++
			}
		}
		if raised == 0 || len(h.heard("overdue")) != raised {
			h.t.Errorf("escalated %d times, told %v", raised, h.heard("overdue"))
		}
		late, _, err := one.List(h.t.Context(), actions.Filter{Unit: "P", Late: true}, "", 10)
		if err != nil || len(late) != 1 {
			h.t.Errorf("late: %v, %v", late, err)
		}
	})
}

func TestContest(t *testing.T) {
	onEngines(t, func(h *house) {
		a := h.open()
		rated := actions.Rated{Rating: "P/P.A/r1", Official: "o1", Unit: "P.A", Score: 1, Day: "2026-11-20"}
		official := casework.Actor{Person: casework.Person{Account: "a1", Official: "o1", Role: casework.Official, Scope: "P.A"}}
		raised, err := a.Contest(h.t.Context(), rated, "Hôm ấy tôi nghỉ phép.", official)
		if err != nil || raised.State != casework.ContestOpen {
			h.t.Fatalf("%v, %v", raised, err)
		}
		again, err := a.Contest(h.t.Context(), rated, "Lần nữa.", official)
		if err != nil || again.History[0].Reason != raised.History[0].Reason {
			h.t.Errorf("contested twice: %v, %v", again, err)
		}
		colleague := casework.Actor{Person: casework.Person{Account: "a2", Official: "o2", Role: casework.Official, Scope: "P.A"}}
		if _, err := a.Contest(h.t.Context(), actions.Rated{Rating: "P/P.A/r2", Official: "o1", Unit: "P.A", Score: 1}, "vì bạn", colleague); !fault.Is(err, fault.Denied) {
			h.t.Errorf("a colleague contests: %v", err)
		}
		if _, err := a.Decide(h.t.Context(), rated.Rating, casework.ContestUpheld, "đúng là nghỉ", []string{"l1"}, leader("l1")); !fault.Is(err, fault.Denied) {
			h.t.Errorf("who decided on the case decides here: %v", err)
		}
		results := make(chan error, 2)
		for _, to := range []casework.ContestState{casework.ContestUpheld, casework.ContestDismissed} {
			go func() {
				_, err := h.open().Decide(h.t.Context(), rated.Rating, to, "đã xem lịch trực", []string{"l1"}, leader("l2"))
				results <- err
			}()
		}
		if first, second := <-results, <-results; (first == nil) == (second == nil) || !fault.Is(errors.Join(first, second), fault.Stale) {
			h.t.Errorf("two decisions: %v and %v", first, second)
		}
		open, _, err := a.Contests(h.t.Context(), "P", true, "", 10)
		if err != nil || len(open) != 0 {
			h.t.Errorf("still open: %v, %v", open, err)
		}
		of, _, err := a.ContestsOf(h.t.Context(), "o1", "", 10)
		if err != nil || len(of) != 1 || of[0].Score != 1 {
			h.t.Errorf("of the official: %v, %v", of, err)
		}
		if told := len(h.heard("open")) + len(h.heard("upheld")) + len(h.heard("dismissed")); told != 2 {
			h.t.Errorf("told %d times", told)
		}
		if _, err := a.Decide(h.t.Context(), "P/P.A/none", casework.ContestUpheld, "x", nil, leader("l2")); !fault.Is(err, fault.NotFound) {
			h.t.Errorf("an unknown one: %v", err)
		}
	})
}
