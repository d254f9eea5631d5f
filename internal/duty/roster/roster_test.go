package roster_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/duty"
	"github.com/hailong-vn/hailong/internal/duty/roster"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/hailong-vn/hailong/internal/testengine.(*Server).Start.func1"))
}

func onEngines(t *testing.T, test func(t *testing.T, engine store.Engine)) {
	t.Run("sqlite", func(t *testing.T) {
		engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closing(t, engine) })
		test(t, engine)
	})
	t.Run("mongodb", func(t *testing.T) {
		uri, database := testengine.MongoDB(t)
		engine, err := mongodb.Open(t.Context(), uri, mongodb.Options{Database: database})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closing(t, engine) })
		test(t, engine)
	})
}

func closing(t testing.TB, what interface{ Close() error }) {
	if err := what.Close(); err != nil {
		t.Error(err)
	}
}

// clock is set by the test; each look at it is a millisecond later, so that what was set last can be told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

func (c *clock) set(t testing.TB, text string) {
	t.Helper()
	moment, err := time.ParseInLocation("2006-01-02 15:04", text, localday.Zone)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = moment
}

func open(t *testing.T, engine store.Engine) (*roster.Roster, *clock) {
	t.Helper()
	bus := local.New(local.Options{})
	t.Cleanup(func() { closing(t, bus) })
	at := &clock{}
	at.set(t, "2026-11-23 08:00") // a Monday
	r, err := roster.Open(t.Context(), engine, roster.Options{Feed: bus, Now: at.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r, at
}

func set(t *testing.T, r *roster.Roster, d *pb.Duty) *pb.Duty {
	t.Helper()
	made, err := r.Set(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func onDuty(t *testing.T, r *roster.Roster, at *clock, unit, counter string) string {
	t.Helper()
	duties, err := r.Of(t.Context(), unit)
	if err != nil {
		t.Fatal(err)
	}
	return duty.OnDuty(duties, unit, counter, at.Now())
}

func TestADayAtACounter(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		r, at := open(t, engine)
		week := set(t, r, &pb.Duty{UnitId: "u", CounterId: "c", OfficialId: "lan", Weekdays: []int32{5, 1}, FromMinute: 450, ToMinute: 690})
		if week.GetId() == "" || week.GetSetAt() == nil || week.GetNow() || week.GetValidTo() != "" {
			t.Errorf("kept as %v", week)
		}
		if got := onDuty(t, r, at, "u", "c"); got != "lan" {
			t.Errorf("by the schedule: %q", got)
		}
		first := set(t, r, &pb.Duty{UnitId: "u", CounterId: "c", OfficialId: "hùng", Now: true})
		if first.GetFromMinute() != 480 || first.GetValidFrom() != "2026-11-23" || first.GetValidTo() != "2026-11-23" {
			t.Errorf("for now: %v", first)
		}
		if got := onDuty(t, r, at, "u", "c"); got != "hùng" {
			t.Errorf("set for now: %q", got)
		}
		// Tapped again and again, there is one line for now.
		for range 5 {
			set(t, r, &pb.Duty{UnitId: "u", CounterId: "c", OfficialId: "mai", Now: true, ToMinute: 600})
		}
		other := set(t, r, &pb.Duty{UnitId: "u", CounterId: "d", OfficialId: "hùng", Now: true})
		duties, err := r.Of(t.Context(), "u")
		if err != nil || len(duties) != 3 {
			t.Errorf("%d lines, %v: %v", len(duties), err, duties)
		}
		if got := onDuty(t, r, at, "u", "c"); got != "mai" {
			t.Errorf("set last: %q", got)
		}
		at.set(t, "2026-11-23 10:00") // until 10:00, then by the schedule again
		if got := onDuty(t, r, at, "u", "c"); got != "lan" {
			t.Errorf("after its end: %q", got)
		}
		at.set(t, "2026-11-24 08:00") // a Tuesday: what was set for now is over, and is not listed any more
		if got := onDuty(t, r, at, "u", "d"); got != "" {
			t.Errorf("the day after: %q", got)
		}
		if ended, err := r.End(t.Context(), week.GetId()); err != nil || ended.GetOfficialId() != "lan" {
			t.Errorf("%v %v", ended, err)
		}
		if _, err := r.End(t.Context(), week.GetId()); !fault.Is(err, fault.NotFound) || fault.Of(err).Reason != "duty_unknown" {
			t.Errorf("ended twice: %v", err)
		}
		if duties, err := r.Of(t.Context(), "u"); err != nil || len(duties) != 0 {
			t.Errorf("left: %v %v", duties, err)
		}
		if _, err := r.Get(t.Context(), other.GetId()); err != nil {
			t.Errorf("what is over is kept: %v", err)
		}
	})
}

func TestALineTakesItsPlace(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		r, at := open(t, engine)
		made := set(t, r, &pb.Duty{Id: "one", UnitId: "u", CounterId: "c", OfficialId: "lan"})
		changed := set(t, r, &pb.Duty{Id: made.GetId(), UnitId: "u", CounterId: "c", OfficialId: "mai", ValidTo: "2026-12-31"})
		if got := onDuty(t, r, at, "u", "c"); got != "mai" || changed.GetValidTo() != "2026-12-31" {
			t.Errorf("%q %v", got, changed)
		}
		if _, err := r.Set(t.Context(), &pb.Duty{Id: "one", UnitId: "v", OfficialId: "lan"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("another unit's line was taken: %v", err)
		}
		for name, c := range map[string]struct {
			duty *pb.Duty
			want string
		}{
			"over":             {&pb.Duty{UnitId: "u", OfficialId: "lan", ValidTo: "2026-11-22"}, "duty_over"},
			"now, in the past": {&pb.Duty{UnitId: "u", OfficialId: "lan", Now: true, ToMinute: 450}, "duty_minutes"},
			"turned":           {&pb.Duty{UnitId: "u", OfficialId: "lan", FromMinute: 9, ToMinute: 3}, "duty_minutes"},
		} {
			if _, err := r.Set(t.Context(), c.duty); !fault.Is(err, fault.Invalid) || fault.Of(err).Reason != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestListsOfASubtree(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		r, _ := open(t, engine)
		var want []string
		for unit := range 3 {
			for line := range 4 {
				d := set(t, r, &pb.Duty{Id: fmt.Sprintf("%d-%d", unit, line), UnitId: fmt.Sprint("u", unit), CounterId: fmt.Sprint("c", line/2), OfficialId: "lan"})
				if unit > 0 {
					want = append(want, d.GetId())
				}
			}
		}
		below := func(unit string) bool { return unit != "u0" }
		for _, size := range []int{1, 3, 100} {
			var got []string
			for token := ""; ; {
				page, next, err := r.List(t.Context(), "top", false, below, size, token)
				if err != nil || len(page) > size {
					t.Fatal(len(page), err)
				}
				for _, d := range page {
					got = append(got, d.GetId())
				}
				if token = next; next == "" {
					break
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pages of %d: %s", size, diff)
			}
		}
		if alone, _, err := r.List(t.Context(), "u0", true, func(string) bool { return true }, 100, ""); err != nil || len(alone) != 4 {
			t.Errorf("one unit alone: %d %v", len(alone), err)
		}
		if _, _, err := r.List(t.Context(), "", false, below, 10, "%%"); !fault.Is(err, fault.Invalid) {
			t.Errorf("a token that is none: %v", err)
		}
		if of, err := r.Of(t.Context(), "u2", "u1", "u2"); err != nil || len(of) != 8 || of[0].GetUnitId() != "u1" {
			t.Errorf("two units: %v %v", of, err)
		}
	})
}

// TestTwoAtOnce: whatever two receptions tap at the same time, one official is on duty in the end, and everybody sees the same one.
func TestTwoAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		r, at := open(t, engine)
		var group sync.WaitGroup
		for n := range 8 {
			group.Go(func() {
				if _, err := r.Set(t.Context(), &pb.Duty{UnitId: "u", CounterId: "c", OfficialId: fmt.Sprint(n), Now: true}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		last := set(t, r, &pb.Duty{UnitId: "u", CounterId: "c", OfficialId: "lan", Now: true})
		duties, err := r.Of(t.Context(), "u")
		if err != nil || len(duties) != 1 || duties[0].GetId() != last.GetId() || onDuty(t, r, at, "u", "c") != "lan" {
			t.Errorf("left: %v %v", duties, err)
		}
	})
}

func TestAUnitHasSoManyLines(t *testing.T) {
	if testing.Short() {
		t.Skip("500 lines, one after the other; run without -short")
	}
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, engine) })
	r, _ := open(t, engine)
	for n := range roster.MaxOfUnit {
		set(t, r, &pb.Duty{Id: fmt.Sprint(n), UnitId: "u", OfficialId: "lan"})
	}
	if _, err := r.Set(t.Context(), &pb.Duty{UnitId: "u", OfficialId: "lan"}); !fault.Is(err, fault.Invalid) || fault.Of(err).Reason != "duty_many" {
		t.Errorf("one more: %v", err)
	}
	set(t, r, &pb.Duty{Id: "7", UnitId: "u", OfficialId: "mai"}) // in the place of one that stands
	set(t, r, &pb.Duty{UnitId: "v", OfficialId: "mai"})
}
