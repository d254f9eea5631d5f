package followup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func onEngines(t *testing.T, test func(t *testing.T, engine store.Engine)) {
	closing := func(t *testing.T, engine store.Engine, err error) store.Engine {
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = engine.Close() })
		return engine
	}
	t.Run("sqlite", func(t *testing.T) {
		engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
		test(t, closing(t, engine, err))
	})
	t.Run("mongodb", func(t *testing.T) {
		uri, database := testengine.MongoDB(t)
		engine, err := mongodb.Open(t.Context(), uri, mongodb.Options{Database: database})
		test(t, closing(t, engine, err))
	})
}

// clock is moved by the test.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func noon() *clock { return &clock{time.Date(2026, 11, 22, 5, 0, 0, 123456789, time.UTC)} }

func note(unit, from, to, reason string) Note {
	return Note{UnitID: unit, From: localday.Day(from), To: localday.Day(to), Reason: reason, AccountID: "a1", NotedBy: "lan"}
}

func TestNotesOfAPeriod(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		clock := noon()
		notes, err := Open(t.Context(), engine, Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []Note{
			note("u", "2026-10-01", "2026-10-31", "tháng mười"), note("u", "2026-11-01", "2026-11-20", "một"), note("u", "2026-11-10", "2026-11-22", "hai"),
			note("v", "2026-11-01", "2026-11-20", "đơn vị khác"), note("u", "2026-09-01", "2026-11-01", "ba"),
		} {
			clock.now = clock.now.Add(time.Minute)
			kept, err := notes.Add(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			if kept.ID == "" || !kept.NotedAt.Equal(store.Milliseconds(clock.now)) || kept.NotedBy != "lan" {
				t.Errorf("kept %+v", kept)
			}
		}
		for _, c := range []struct {
			name     string
			unit     string
			from, to localday.Day
			limit    int
			want     string
		}{
			{"November", "u", "2026-11-01", "2026-11-30", 5, "[ba hai một]"},
			{"its first day", "u", "2026-11-01", "2026-11-01", 5, "[ba một]"},
			{"a day between", "u", "2026-11-05", "2026-11-05", 5, "[một]"},
			{"October's last day", "u", "2026-10-31", "2026-10-31", 5, "[ba tháng mười]"},
			{"the newest", "u", "2026-01-01", "2026-12-31", 2, "[ba hai]"},
			{"before", "u", "2026-01-01", "2026-08-31", 5, "[]"},
			{"after", "u", "2026-11-23", "2027-08-31", 5, "[]"},
			{"another unit", "v", "2026-11-01", "2026-11-30", 5, "[đơn vị khác]"},
			{"no unit", "w", "2026-11-01", "2026-11-30", 5, "[]"},
		} {
			t.Run(c.name, func(t *testing.T) {
				found, err := notes.Of(t.Context(), c.unit, c.from, c.to, c.limit)
				if err != nil {
					t.Fatal(err)
				}
				reasons := []string{}
				for _, n := range found {
					reasons = append(reasons, n.Reason)
				}
				if got := fmt.Sprint(reasons); got != c.want {
					t.Errorf("found %s, want %s", got, c.want)
				}
			})
		}
	})
}

func TestTheSameNoteTwiceIsOne(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		clock := noon()
		notes, err := Open(t.Context(), engine, Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		first, err := notes.Add(t.Context(), note("u", "2026-11-01", "2026-11-20", norm.NFD.String(" đã nắm, chờ đợt tập huấn\n")))
		if err != nil || first.Reason != "đã nắm, chờ đợt tập huấn" || !norm.NFC.IsNormalString(first.Reason) {
			t.Fatalf("kept %+v, %v", first, err)
		}
		clock.now = clock.now.Add(time.Hour)
		again, err := notes.Add(t.Context(), note("u", "2026-11-01", "2026-11-20", "đã nắm, chờ đợt tập huấn"))
		if err != nil || again.ID != first.ID || !again.NotedAt.Equal(first.NotedAt) {
			t.Errorf("again %+v, %v", again, err)
		}
		other := note("u", "2026-11-01", "2026-11-20", "đã nắm, chờ đợt tập huấn")
		other.AccountID = "a2"
		if kept, err := notes.Add(t.Context(), other); err != nil || kept.ID == first.ID {
			t.Errorf("by another account: %+v, %v", kept, err)
		}
		if found, err := notes.Of(t.Context(), "u", "2026-11-01", "2026-11-01", 5); err != nil || len(found) != 2 {
			t.Errorf("found %v, %v", found, err)
		}
	})
}

func TestRefused(t *testing.T) {
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	limits := local.New(local.Options{Now: noon().Now})
	defer func() { _ = limits.Close() }()
	notes, err := Open(t.Context(), engine, Options{Now: noon().Now, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		note   Note
		reason string
	}{
		"no reason":          {note("u", "2026-11-01", "2026-11-20", " \n\t"), "followup_reason_invalid"},
		"too long":           {note("u", "2026-11-01", "2026-11-20", strings.Repeat("ư", MaxReason+1)), "followup_reason_invalid"},
		"control":            {note("u", "2026-11-01", "2026-11-20", "a\x00b"), "followup_reason_invalid"},
		"not UTF-8":          {note("u", "2026-11-01", "2026-11-20", "a\xff"), "followup_reason_invalid"},
		"no day":             {note("u", "2026-11-31", "2026-11-20", "x"), "followup_day_invalid"},
		"no last day":        {note("u", "2026-11-01", "", "x"), "followup_day_invalid"},
		"reversed":           {note("u", "2026-11-20", "2026-11-19", "x"), "followup_period_reversed"},
		"a generation":       {note("u", "1996-11-20", "2026-11-19", "x"), "followup_period_too_long"},
		"not yet":            {note("u", "2026-11-23", "2026-11-24", "x"), "followup_period_future"},
		"longest":            {note("u", "2026-11-01", "2026-11-20", strings.Repeat("ư", MaxReason)), ""},
		"one day, today":     {note("u", "2026-11-22", "2026-11-22", "x"), ""},
		"ten years":          {note("u", "2016-11-22", "2026-11-22", "hai\r\ndòng"), ""},
		"into the future":    {note("u", "2026-11-22", "2026-12-22", "x"), ""},
		"letters, not bytes": {note("u", "2026-11-01", "2026-11-20", norm.NFD.String(strings.Repeat("ệ", MaxReason))), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := notes.Add(t.Context(), c.note)
			if c.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if f := fault.Of(err); f.Reason != c.reason || f.Code != fault.Invalid {
				t.Fatalf("got %v, want %s", err, c.reason)
			}
			wantWords(t, err)
		})
	}
	t.Run("too often", func(t *testing.T) {
		var err error
		for i := 0; err == nil && i < 200; i++ {
			n := note("u", "2026-11-01", "2026-11-20", fmt.Sprint("lần ", i))
			n.AccountID = "vội"
			_, err = notes.Add(t.Context(), n)
		}
		if f := fault.Of(err); f.Reason != "followup_too_often" || f.Code != fault.Exhausted {
			t.Fatalf("got %v", err)
		}
		wantWords(t, err)
	})
}

func wantWords(t *testing.T, err error) {
	t.Helper()
	f := fault.Of(err)
	for _, in := range language.All {
		if text := in.Text("fault."+f.Reason, f.Args...); strings.HasPrefix(text, "fault.") || strings.Contains(text, "{") {
			t.Errorf("%s: %q", in, text)
		}
	}
}

// The engine itself refuses to change or remove a note.
func TestNotesAreOnlyAdded(t *testing.T) {
	if !slices.ContainsFunc(Kinds(), func(k store.Kind) bool { return k.Name == "follow_up_notes" && k.AppendOnly }) {
		t.Error("notes may be changed")
	}
	onEngines(t, func(t *testing.T, engine store.Engine) {
		notes, err := Open(context.Background(), engine, Options{Now: noon().Now})
		if err != nil {
			t.Fatal(err)
		}
		kept, err := notes.Add(t.Context(), note("u", "2026-11-01", "2026-11-20", "x"))
		if err != nil {
			t.Fatal(err)
		}
		_, version, err := notes.notes.Get(t.Context(), kept.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := notes.notes.Replace(t.Context(), kept.ID, kept, version); err == nil {
			t.Error("a note was changed")
		}
		if err := notes.notes.Delete(t.Context(), kept.ID, version); err == nil {
			t.Error("a note was removed")
		}
	})
}
