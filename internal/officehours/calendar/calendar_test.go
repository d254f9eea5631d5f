package calendar_test

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
	"github.com/hailong-vn/hailong/internal/officehours/calendar"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
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

func TestSeedHoldsAnOrdinaryWeekAndTheHolidaysThatAreCertain(t *testing.T) {
	seed, err := calendar.Seed()
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]bool{
		"2026-11-23 07:30": true, "2026-11-23 12:00": false, "2026-11-23 16:59": true, "2026-11-23 17:00": false, "2026-11-22 09:00": false,
		"2026-02-17 09:00": false, "2025-04-07 09:00": false, "2026-04-27 09:00": false, "2027-04-16 09:00": false, "2026-09-02 09:00": false,
	} {
		moment, err := time.ParseInLocation("2006-01-02 15:04", at, localday.Zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := seed.OpenAt(moment); got != want {
			t.Errorf("at %s offices are open: %v", at, got)
		}
	}
	for _, special := range seed.Days { // a holiday on a Sunday is none: it is made up for
		if weekday := officehours.Weekday(special.Day); weekday > 5 {
			t.Errorf("%s %s is on day %d of its week", special.Day, special.Name, weekday)
		}
	}
	if seed.Missing(2025) || seed.Missing(2026) || !seed.Missing(2027) {
		t.Error("Tết of 2027 is not announced in the seed, and the others are")
	}
}

func TestHoursAreChangedByOneAtATime(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		bus := local.New(local.Options{})
		t.Cleanup(func() { closing(t, bus) })
		open := func() *calendar.Calendar {
			c, err := calendar.Open(t.Context(), engine, calendar.Options{Feed: bus})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			return c
		}
		here, there := open(), open()
		seed, version, err := here.Hours(t.Context())
		if err != nil || len(seed.Week) == 0 || version == "" {
			t.Fatalf("%v %q %v", seed, version, err)
		}
		if _, known, err := there.Hours(t.Context()); err != nil || known != version {
			t.Fatalf("%q %v", known, err)
		}
		always := officehours.Hours{Week: []officehours.Opening{{Weekday: 7, From: 0, To: 1440}}}
		kept, next, err := here.Set(t.Context(), always, version)
		if err != nil || next == version || len(kept.Week) != 1 {
			t.Fatalf("%v %q %v", kept, next, err)
		}
		if now, known, err := here.Hours(t.Context()); err != nil || known != next || len(now.Week) != 1 || len(now.Days) != 0 {
			t.Errorf("%v %q %v", now, known, err)
		}
		if _, _, err := there.Set(t.Context(), seed, version); !fault.Is(err, fault.Stale) || fault.Of(err).Reason != "officehours_changed" {
			t.Errorf("the second of two got %v", err)
		}
		if _, _, err := there.Set(t.Context(), officehours.Hours{Week: []officehours.Opening{{Weekday: 9}}}, ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("a ninth weekday: %v", err)
		}
		if _, last, err := there.Set(t.Context(), seed, ""); err != nil || last == next {
			t.Errorf("without a version: %q %v", last, err)
		}
	})
}

// TestAnotherProcessHearsOfAChange: it forgets what it knew as soon as the bus says so, and not only when its time is over.
func TestAnotherProcessHearsOfAChange(t *testing.T) {
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, engine) })
	bus := local.New(local.Options{})
	t.Cleanup(func() { closing(t, bus) })
	stopped := func() time.Time { return time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC) } // nothing is forgotten by time
	var both [2]*calendar.Calendar
	for i := range both {
		if both[i], err = calendar.Open(t.Context(), engine, calendar.Options{Feed: bus, Now: stopped}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(both[i].Close)
	}
	if open, err := both[1].OpenNow(t.Context()); err != nil || !open { // a Monday, 09:00
		t.Fatal(open, err)
	}
	if _, _, err := both[0].Set(t.Context(), officehours.Hours{}, ""); err != nil {
		t.Fatal(err)
	}
	for {
		open, err := both[1].OpenNow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !open {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal("it never heard")
		case <-time.After(time.Millisecond):
		}
	}
}

func TestAStoreThatIsAwayIsSaid(t *testing.T) {
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	bus := local.New(local.Options{})
	t.Cleanup(func() { closing(t, bus) })
	c, err := calendar.Open(t.Context(), engine, calendar.Options{Feed: bus})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	closing(t, engine)
	var ours *fault.Error
	if _, _, err := c.Hours(t.Context()); !errors.As(err, &ours) || ours.Code != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	if _, err := c.OpenNow(t.Context()); !errors.As(err, &ours) {
		t.Errorf("got %v", err)
	}
}
