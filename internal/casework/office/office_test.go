package office_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/office"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/hailong-vn/hailong/internal/testengine.(*Server).Start.func1"))
}

func onEngines(t *testing.T, test func(t *testing.T, engine store.Engine)) {
	t.Run("sqlite", func(t *testing.T) { test(t, embedded(t)) })
	t.Run("mongodb", func(t *testing.T) {
		engine, err := mongodb.Open(t.Context(), testengine.WithDatabase(testengine.MongoDB(t)), mongodb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closing(t, engine) })
		test(t, engine)
	})
}

func embedded(t testing.TB) store.Engine {
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, engine) })
	return engine
}

func closing(t testing.TB, what interface{ Close() error }) {
	if err := what.Close(); err != nil {
		t.Error(err)
	}
}

// monday is 08:00 of a Monday in Vietnam.
var monday = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)

// tree is a province with two communes, one of which took in a third, and an office below the first; and another province.
func tree(t testing.TB) *unit.Tree {
	t.Helper()
	of := func(id, parent, level string) unit.Unit {
		return unit.New(id, "tinh", "", unit.Words{Name: strings.ToUpper(id), Level: level, ParentID: parent})
	}
	old, err := of("xa-cu", "tinh", "commune").Close("2026-03-02", "xa-1")
	if err != nil {
		t.Fatal(err)
	}
	built, err := unit.Build([]unit.Unit{
		of("tinh", "", "province"), of("xa-1", "tinh", "commune"), of("xa-2", "tinh", "commune"), of("mot-cua", "xa-1", "office"), old,
		of("tinh-khac", "", "province"), of("xa-khac", "tinh-khac", "commune"),
	}, "2026-03-02")
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// house is a store with processes that know each other.
type house struct {
	t      testing.TB
	engine store.Engine
	bus    *local.Bus
	now    atomic.Pointer[time.Time]
	tree   *unit.Tree
}

func newHouse(t testing.TB, engine store.Engine) *house {
	h := &house{t: t, engine: engine, bus: local.New(local.Options{}), tree: tree(t)}
	t.Cleanup(func() { closing(t, h.bus) })
	h.at(monday)
	return h
}

func (h *house) at(now time.Time) { h.now.Store(&now) }

func (h *house) open() *office.Office {
	h.t.Helper()
	o, err := office.Open(h.t.Context(), h.engine, office.Options{
		Feed: h.bus, Tree: func() *unit.Tree { return h.tree }, Now: func() time.Time { return *h.now.Load() }, PollEvery: time.Hour,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(o.Close)
	return o
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Reason
}

var lan, ha = office.By{Account: "a-lan", Name: "lan"}, office.By{Account: "a-ha", Name: "hà"}

// explainDays is the product's table with another term for explanations.
func explainDays(t testing.TB, days int) string {
	t.Helper()
	defaults, err := deadline.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	head, tail, found := strings.Cut(defaults.YAML(), "titles: {vi: Giải trình nội bộ")
	if !found {
		t.Fatal("the table has no step for explanations")
	}
	return head + "titles: {vi: Giải trình nội bộ" + strings.Replace(tail, "days: 5", fmt.Sprintf("days: %d", days), 1)
}

func termOf(rules deadline.Rules) int {
	rule, _ := rules.Rule(casework.ClockExplain)
	return rule.Term.Days
}

func TestRulesAreInheritedDownTheTree(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		h := newHouse(t, engine)
		o := h.open()
		wants := func(step string, days map[string]int) {
			t.Helper()
			for unitID, want := range days {
				if got := termOf(o.Rules(unitID)); got != want {
					t.Errorf("%s: %s has %d days, want %d", step, unitID, got, want)
				}
			}
		}
		save := func(unitID, text string) {
			t.Helper()
			if _, err := o.SaveDeadlines(t.Context(), unitID, text, "", lan); err != nil {
				t.Fatal(err)
			}
		}
		wants("defaults", map[string]int{"": 5, "mot-cua": 5, "nobody": 5})
		if table := o.Table("mot-cua"); !table.Default || table.Own || table.Version != "0" {
			t.Errorf("the defaults are told as %+v", table)
		}
		save("", explainDays(t, 6))
		save("tinh", explainDays(t, 7))
		save("xa-1", explainDays(t, 8))
		wants("decided at three places", map[string]int{"": 6, "nobody": 6, "xa-khac": 6, "tinh": 7, "xa-2": 7, "xa-1": 8, "mot-cua": 8, "xa-cu": 8})
		if table := o.Table("mot-cua"); table.Default || table.Own || table.Unit != "xa-1" || table.Made.By != lan || table.Version != "0" {
			t.Errorf("the table of an office below is told as from %q by %v", table.Unit, table.Made.By)
		}
		save("xa-cu", explainDays(t, 30)) // it ended: what took its place decides
		wants("of a unit that was merged", map[string]int{"xa-cu": 8})
		save("xa-1", "")
		wants("taken back", map[string]int{"xa-1": 7, "mot-cua": 7, "xa-cu": 7})
		save("tinh", " \n")
		save("", "")
		wants("all taken back", map[string]int{"": 5, "tinh": 5, "mot-cua": 5})
		again := h.open()
		if got := termOf(again.Rules("xa-cu")); got != 5 {
			t.Errorf("another process reads %d", got)
		}
	})
}

func TestASecondWriterIsTold(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		h := newHouse(t, engine)
		here, there := h.open(), h.open()
		first, err := here.SaveDeadlines(t.Context(), "tinh", explainDays(t, 6), "0", lan)
		if err != nil {
			t.Fatal(err)
		}
		_, err = there.SaveDeadlines(t.Context(), "tinh", explainDays(t, 9), "0", ha)
		if !fault.Is(err, fault.Stale) || reason(err) != "office_rules_changed" || !strings.Contains(err.Error(), "lan") {
			t.Errorf("the second got %v", err)
		}
		if again, err := here.SaveDeadlines(t.Context(), "tinh", explainDays(t, 6), "0", lan); err != nil || again.Version != first.Version {
			t.Errorf("the same again: %v, version %s, was %s", err, again.Version, first.Version)
		}
		if table, err := there.SaveDeadlines(t.Context(), "tinh", explainDays(t, 9), first.Version, ha); err != nil || termOf(table.Rules) != 9 {
			t.Errorf("with the version that stands: %v", err)
		}
	})
}

func TestManyWritersLeaveALogWithoutGaps(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		h := newHouse(t, engine)
		writers := []*office.Office{h.open(), h.open(), h.open()}
		const each = 8
		var group sync.WaitGroup
		for w, o := range writers {
			group.Go(func() {
				for i := range each {
					rule := office.DefaultOpening()
					rule.EraseContacts = 100*(w+1) + i
					if _, err := o.SaveOpening(t.Context(), "tinh", &rule, "", lan); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		changes, next, err := writers[0].Changes(t.Context(), "", 100, func(office.Change) bool { return true })
		if err != nil || next != "" || len(changes) != each*len(writers) {
			t.Fatalf("%d changes, %v", len(changes), err)
		}
		for i, c := range changes {
			n := int64(len(changes) - i)
			if c.N != n || c.Before != n-1 || c.Was.N != n-1 || n > 1 && c.Was.Opening.EraseContacts != changes[i+1].Opening.EraseContacts {
				t.Errorf("change %d is numbered %d after %d", n, c.N, c.Was.N)
			}
		}
		last := changes[0].Opening.EraseContacts
		if got := h.open().Opening("xa-1").EraseContacts; got != last {
			t.Errorf("%d stands, the log ends with %d", got, last)
		}
	})
}

func TestATableWithFaultsIsRefusedWithAllOfThem(t *testing.T) {
	o := newHouse(t, embedded(t)).open()
	for name, c := range map[string]struct {
		text    string
		reasons []string
	}{
		"no yaml":         {"rules: [", []string{"deadline_text_yaml"}},
		"two wrong lines": {strings.Replace(strings.Replace(explainDays(t, 5), "days: 1\n", "days: -1\n", 1), "count: working", "count: hours", 1), []string{"deadline_field_number", "deadline_field_count"}},
		"a step missing":  {strings.Replace(explainDays(t, 5), "id: verdict", "id: something_else", 1), []string{"office_deadline_missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := o.SaveDeadlines(t.Context(), "tinh", c.text, "", lan)
			var faults fault.Faults
			if !errors.As(err, &faults) || len(faults) != len(c.reasons) {
				t.Fatalf("got %v", err)
			}
			for i, f := range faults {
				if f.Reason != c.reasons[i] {
					t.Errorf("fault %d is %s, want %s", i, f.Reason, c.reasons[i])
				}
			}
			if o.Table("tinh").Own {
				t.Error("it was kept")
			}
		})
	}
}

func TestTheOpeningRule(t *testing.T) {
	h := newHouse(t, embedded(t))
	o := h.open()
	t.Run("the default", func(t *testing.T) {
		rule := o.Opening("mot-cua")
		if !rule.Default || !rule.Opens(1, pb.Channel_CHANNEL_PAPER) || !rule.Opens(2, pb.Channel_CHANNEL_KIOSK) || rule.Opens(3, pb.Channel_CHANNEL_KIOSK) || rule.Opens(0, pb.Channel_CHANNEL_KIOSK) {
			t.Errorf("%+v", rule)
		}
		if rule.Wants(false, false) || !rule.Wants(true, false) || !rule.Wants(false, true) {
			t.Error("a comment or the wish to be called back, either is enough and one is needed")
		}
		for unitID, want := range map[string]string{"mot-cua": "mot-cua", "xa-cu": "xa-1", "nobody": "nobody"} {
			if got := o.Receiving(unitID); got != want {
				t.Errorf("opinions about %s are received by %s, want %s", unitID, got, want)
			}
		}
	})
	t.Run("with", func(t *testing.T) {
		for with, want := range map[office.With][4]bool{ // nothing, comment, call-back, both
			office.Anything: {true, true, true, true}, office.Comment: {false, true, false, true}, office.CallBack: {false, false, true, true},
			office.Either: {false, true, true, true}, office.Both: {false, false, false, true},
		} {
			rule := office.Opening{With: with}
			if got := [4]bool{rule.Wants(false, false), rule.Wants(true, false), rule.Wants(false, true), rule.Wants(true, true)}; got != want {
				t.Errorf("%s: %v", with, got)
			}
		}
	})
	t.Run("faults", func(t *testing.T) {
		bad := office.Opening{Scores: []int32{0}, Channels: []pb.Channel{99}, With: "x", Register: "xa-cu", EraseContacts: 0, Copied: 101}
		_, err := o.SaveOpening(t.Context(), "tinh", &bad, "", lan)
		var faults fault.Faults
		if !errors.As(err, &faults) || len(faults) != 6 {
			t.Errorf("%v", err)
		}
	})
	t.Run("one register for a subtree", func(t *testing.T) {
		rule := office.DefaultOpening()
		rule.Scores, rule.Register = []int32{2, 1, 2}, "mot-cua"
		saved, err := o.SaveOpening(t.Context(), "xa-1", &rule, "0", lan)
		if err != nil || len(saved.Scores) != 2 || !saved.Own {
			t.Fatalf("%+v, %v", saved, err)
		}
		for unitID, want := range map[string]string{"xa-1": "mot-cua", "mot-cua": "mot-cua", "xa-cu": "mot-cua", "xa-2": "xa-2"} {
			if got := o.Receiving(unitID); got != want {
				t.Errorf("opinions about %s are received by %s, want %s", unitID, got, want)
			}
		}
	})
	t.Run("which rule stood when", func(t *testing.T) {
		h.at(monday.Add(time.Hour))
		rule := office.DefaultOpening()
		rule.With = office.Anything
		if _, err := o.SaveOpening(t.Context(), "xa-2", &rule, "", lan); err != nil {
			t.Fatal(err)
		}
		h.at(monday.Add(2 * time.Hour))
		if _, err := o.SaveOpening(t.Context(), "xa-2", nil, "", ha); err != nil {
			t.Fatal(err)
		}
		for at, want := range map[time.Duration]office.With{0: office.Either, time.Hour: office.Anything, 119 * time.Minute: office.Anything, 2 * time.Hour: office.Either} {
			if got := o.OpeningAt("xa-2", monday.Add(at)).With; got != want {
				t.Errorf("after %s it is %s, want %s", at, got, want)
			}
		}
		if o.Opening("xa-2").Own {
			t.Error("what is decided above holds again")
		}
	})
}

// TestAnotherProcessHearsOfAChange: by the bus, without waiting for its time to look.
func TestAnotherProcessHearsOfAChange(t *testing.T) {
	h := newHouse(t, embedded(t))
	here, there := h.open(), h.open()
	if _, err := here.SaveDeadlines(t.Context(), "tinh", explainDays(t, 9), "", lan); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return termOf(there.Rules("mot-cua")) == 9 })
	s, err := here.SetStandIn(t.Context(), leave("a", "b", "2026-03-02", "2026-03-03"))
	if err != nil {
		t.Fatal(err)
	}
	if list, err := there.StandingFor(t.Context(), "b", "2026-03-02"); err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	if _, err := here.EndStandIn(t.Context(), s.ID, lan); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		list, err := there.StandingFor(t.Context(), "b", "2026-03-02")
		return err == nil && len(list) == 0
	})
}

func await(t *testing.T, so func() bool) {
	t.Helper()
	for !so() {
		select {
		case <-t.Context().Done():
			t.Fatal("it never heard")
		case <-time.After(time.Millisecond):
		}
	}
}

func leave(account, deputy string, from, to localday.Day) office.Leave {
	who := func(id string) office.Somebody { return office.Somebody{ID: id, Name: id, Unit: "xa-1"} }
	return office.Leave{Account: who(account), Deputy: who(deputy), From: from, To: to, By: lan}
}

func TestStandIns(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		o := newHouse(t, engine).open()
		first, err := o.SetStandIn(t.Context(), leave("lan", "hà", "2026-03-05", "2026-03-10"))
		if err != nil {
			t.Fatal(err)
		}
		change := func(l office.Leave, change func(*office.Leave)) office.Leave { change(&l); return l }
		for _, c := range []struct {
			name   string
			leave  office.Leave
			reason string
		}{
			{"the same again", leave("lan", "hà", "2026-03-05", "2026-03-10"), ""},
			{"for oneself", leave("lan", "lan", "2026-04-05", "2026-04-10"), "office_standin_self"},
			{"from yesterday", leave("an", "bình", "2026-03-01", "2026-03-10"), "office_standin_past"},
			{"backwards", leave("an", "bình", "2026-03-05", "2026-03-04"), "office_standin_days"},
			{"no day", leave("an", "bình", "2026-02-30", "2026-03-04"), "office_standin_days"},
			{"366 days", leave("an", "bình", "2026-03-02", "2027-03-02"), ""},
			{"367 days", leave("cúc", "dũng", "2026-03-02", "2027-03-03"), "office_standin_long"},
			{"a reason that cannot be shown", change(leave("cúc", "dũng", "2026-03-02", "2026-03-03"), func(l *office.Leave) { l.Reason = "nghỉ\x00" }), "office_standin_reason"},
			{"from another province", change(leave("cúc", "dũng", "2026-03-02", "2026-03-03"), func(l *office.Leave) { l.Deputy.Unit = "xa-khac" }), "office_standin_elsewhere"},
			{"from a commune beside", change(leave("cúc", "dũng", "2026-03-02", "2026-03-03"), func(l *office.Leave) { l.Deputy.Unit = "xa-2" }), ""},
			{"from everywhere", change(leave("cúc", "dũng", "2026-03-04", "2026-03-04"), func(l *office.Leave) { l.Deputy.Unit = "" }), ""},
			{"a second deputy on its last day", leave("lan", "mai", "2026-03-10", "2026-03-12"), "office_standin_overlap"},
			{"a second deputy afterwards", leave("lan", "mai", "2026-03-11", "2026-03-12"), ""},
			{"the deputy goes on leave too", leave("hà", "mai", "2026-03-10", "2026-03-10"), "office_standin_chain"},
			{"a deputy who is on leave", leave("mai", "lan", "2026-03-01", "2026-03-06"), "office_standin_past"},
			{"a deputy who is on leave, from today", leave("oanh", "lan", "2026-03-02", "2026-03-06"), "office_standin_chain"},
			{"a deputy of two", leave("mai", "hà", "2026-03-05", "2026-03-10"), ""},
		} {
			t.Run(c.name, func(t *testing.T) {
				if _, err := o.SetStandIn(t.Context(), c.leave); reason(err) != c.reason {
					t.Errorf("got %v, want %q", err, c.reason)
				}
			})
		}
		standing := func(account string, day localday.Day, want int) {
			t.Helper()
			list, err := o.StandingFor(t.Context(), account, day)
			if err != nil || len(list) != want {
				t.Errorf("%s stands in on %s for %d, %v; want %d", account, day, len(list), err, want)
			}
		}
		standing("hà", "2026-03-04", 0)
		standing("hà", "2026-03-05", 2)
		standing("hà", "2026-03-10", 2)
		standing("hà", "2026-03-11", 0)
		standing("hà", "2026-02-01", 0)
		if deputy, found, err := o.DeputyOf(t.Context(), "lan", "2026-03-06"); err != nil || !found || deputy.Deputy.ID != "hà" {
			t.Errorf("%v stands in for lan, %v", deputy, err)
		}
		ended, err := o.EndStandIn(t.Context(), first.ID, ha)
		if err != nil || ended.EndedBy != ha || ended.Until != "2026-03-01" || ended.To != "2026-03-10" {
			t.Errorf("ended as %+v, %v", ended, err)
		}
		if again, err := o.EndStandIn(t.Context(), first.ID, lan); err != nil || again.EndedBy != ha {
			t.Errorf("ended again by %v, %v", again.EndedBy, err)
		}
		standing("hà", "2026-03-05", 1)
		if _, err := o.SetStandIn(t.Context(), leave("lan", "an", "2026-03-05", "2026-03-10")); reason(err) != "office_standin_chain" {
			t.Errorf("a deputy who is away all year: %v", err)
		}
		if _, err := o.SetStandIn(t.Context(), leave("lan", "mai", "2026-03-03", "2026-03-04")); err != nil {
			t.Errorf("days that are free again: %v", err)
		}
		if _, err := o.EndStandIn(t.Context(), "không có", lan); reason(err) != "office_standin_unknown" {
			t.Errorf("one that is not there: %v", err)
		}
		mine, err := o.StandInsOf(t.Context(), "lan")
		if err != nil || len(mine) != 3 {
			t.Errorf("lan's are %v, %v", mine, err)
		}
	})
}

// TestNoTwoStandInsMeet: whatever people do at once, nobody has two deputies on a day, and no deputy is away.
func TestNoTwoStandInsMeet(t *testing.T) {
	days := []localday.Day{"2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"}
	people := []string{"a", "b", "c", "d"}
	engine := embedded(t)
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		h := newHouse(t, engine)
		o := h.open()
		name := func(who string) string { return fmt.Sprintf("%s-%d", who, round) }
		var group sync.WaitGroup
		for range rapid.IntRange(2, 5).Draw(r, "wishes") {
			from := rapid.IntRange(0, len(days)-1).Draw(r, "from")
			wish := leave(name(rapid.SampledFrom(people).Draw(r, "who")), name(rapid.SampledFrom(people).Draw(r, "deputy")),
				days[from], days[rapid.IntRange(from, len(days)-1).Draw(r, "to")])
			end := rapid.Bool().Draw(r, "ends")
			group.Go(func() {
				s, err := o.SetStandIn(t.Context(), wish)
				if err == nil && end {
					_, err = o.EndStandIn(t.Context(), s.ID, lan)
				}
				if err != nil && fault.Of(err).Code != fault.Exists && fault.Of(err).Code != fault.Invalid {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for _, day := range days {
			deputies := map[string]int{}
			away := map[string]bool{}
			for _, who := range people {
				list, err := o.StandingFor(t.Context(), name(who), day)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range list {
					deputies[s.Account.ID]++
					away[s.Account.ID] = true
				}
			}
			for who, n := range deputies {
				if n > 1 {
					r.Fatalf("%s has %d deputies on %s", who, n, day)
				}
			}
			for _, who := range people {
				if list, _ := o.StandingFor(t.Context(), name(who), day); len(list) > 0 && away[name(who)] {
					r.Fatalf("%s stands in on %s and is away", who, day)
				}
			}
		}
	})
}

func TestAStoreThatIsAwayIsSaid(t *testing.T) {
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := newHouse(t, engine).open()
	closing(t, engine)
	calls := map[string]func(context.Context) error{
		"deadlines": func(ctx context.Context) error { _, err := o.SaveDeadlines(ctx, "tinh", "", "", lan); return err },
		"stand-in": func(ctx context.Context) error {
			_, err := o.SetStandIn(ctx, leave("a", "b", "2026-03-02", "2026-03-02"))
			return err
		},
		"standing for": func(ctx context.Context) error { _, err := o.StandingFor(ctx, "a", "2026-03-02"); return err },
		"changes": func(ctx context.Context) error {
			_, _, err := o.Changes(ctx, "", 10, func(office.Change) bool { return true })
			return err
		},
	}
	for name, call := range calls {
		if err := call(t.Context()); !fault.Is(err, fault.Unavailable) || reason(err) != "office_unavailable" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if termOf(o.Rules("mot-cua")) != 5 {
		t.Error("what is known holds on")
	}
}
