package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/kiosk-client/clock"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestWhatArrivedStaysThirtyDaysAndWhatDidNotForEver(t *testing.T) {
	c := clock.NewManual(morning)
	j := openIn(t, "", c)
	enrol(t, j, "k1")
	fill(t, j, 1500)
	ok(t, j.Acknowledge(t.Context(), 1, 1200, c.Now()))
	prune := func(want int) {
		t.Helper()
		ok(t, j.Prune(t.Context(), c.Now()))
		if rows := rowsOf(t, j); len(rows) != want {
			t.Errorf("%d ratings are left, want %d", len(rows), want)
		}
	}
	c.Pass(29 * 24 * time.Hour)
	prune(1500)
	ok(t, j.Settle(t.Context(), 1201, []string{"", "full", ""}, c.Now()))
	c.Pass(2 * 24 * time.Hour)
	prune(300)
	c.Pass(400 * 24 * time.Hour)
	prune(299) // 1201 has arrived; 1202 is held, and what comes after it waits for it
	if status, err := j.Status(t.Context()); err != nil || status.Queue != 298 || status.AcknowledgedThrough != 1203 {
		t.Errorf("status %+v, %v", status, err)
	}
	// The server's time counts where it is known, not a clock that has lost its battery.
	ok(t, j.Acknowledge(t.Context(), 1202, 1300, c.Now()))
	c.Set(c.Now().AddDate(20, 0, 0))
	ok(t, j.Prune(t.Context(), c.Now().AddDate(-20, 0, 0)))
	if rows := rowsOf(t, j); len(rows) != 297 { // 1202 and 1203 have waited long enough
		t.Errorf("%d are left", len(rows))
	}
}

func TestNearAFullDiskTheOldestThatArrivedGoFirst(t *testing.T) {
	c := clock.NewManual(morning)
	folder := filepath.Join(t.TempDir(), "state")
	j := loose(t, folder, c)
	enrol(t, j, "k1")
	fill(t, j, 3000)
	ok(t, j.Acknowledge(t.Context(), 1, 2500, c.Now()))
	ok(t, j.prune(t.Context(), c.Now(), LowBytes-pruneItems*1024)) // a little is missing
	rows := rowsOf(t, j)
	if len(rows) != 2500 || rows[0].sequence != 501 {
		t.Errorf("%d are left from %d on", len(rows), rows[0].sequence)
	}
	ok(t, j.prune(t.Context(), c.Now(), 1))
	rows = rowsOf(t, j)
	if len(rows) != 500 || rows[0].sequence != 2501 {
		t.Errorf("%d are left from %d on", len(rows), rows[0].sequence)
	}
}

// A full disk refuses a touch with ErrFull and loses nothing of what it has.
func TestAFullDiskIsSaid(t *testing.T) {
	j := loose(t, t.TempDir(), clock.NewManual(morning))
	enrol(t, j, "k1")
	open := begin(t, j, 5)
	limit := func(pages int) {
		t.Helper()
		var now int
		ok(t, j.db.write.conn.QueryRowContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(&now))
	}
	limit(1) // what is there stays, nothing can be added
	full := error(nil)
	for n := 0; full == nil && n < 1000; n++ {
		_, full = j.Begin(t.Context(), start(3))
	}
	if !errors.Is(full, ErrFull) {
		t.Fatalf("a full disk says %v", full)
	}
	status, err := j.Status(t.Context())
	ok(t, err)
	limit(1 << 20)
	ok(t, j.Change(t.Context(), open, Answers{OverallScore: 2}))
	ok(t, j.Seal(t.Context(), open))
	if after, err := j.Status(t.Context()); err != nil || after.Open != status.Open-1 || len(pending(t, j)) != 1 {
		t.Errorf("status %+v, before %+v, %v", after, status, err)
	}
}

func TestDaysAreCountedByTheDayRatingsWereGiven(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 12, 31, 16, 59, 0, 0, time.UTC)) // a minute to midnight in Vietnam
	j := openIn(t, "", c)
	enrol(t, j, "k1")
	late := begin(t, j, 4)
	c.Pass(2 * time.Minute) // and it is sealed in the new year
	ok(t, j.Seal(t.Context(), late))
	ok(t, j.Seal(t.Context(), begin(t, j, 4)))
	c.Set(c.Now().Add(-time.Hour)) // the clock is set back
	ok(t, j.Seal(t.Context(), begin(t, j, 4)))
	status, err := j.Status(t.Context())
	if err != nil || fmt.Sprint(status.Days) != "[{2026-12-31 2} {2027-01-01 1}]" {
		t.Errorf("days %v, %v", status.Days, err)
	}
	if got := pending(t, j); got[2].GetSincePrevious().AsDuration() != 0 || got[1].GetSincePrevious().AsDuration() != 2*time.Minute {
		t.Errorf("since the one before: %v, %v", got[1].GetSincePrevious(), got[2].GetSincePrevious())
	}
	for range 40 {
		c.Pass(24 * time.Hour)
		ok(t, j.Seal(t.Context(), begin(t, j, 4)))
	}
	if status, _ := j.Status(t.Context()); len(status.Days) != 14 || status.Days[13].Day != "2027-02-09" {
		t.Errorf("days %v", status.Days)
	}
}

func TestABatchEndsWhereItsLimitsAre(t *testing.T) {
	j := openIn(t, "", clock.NewManual(morning))
	enrol(t, j, "k1")
	fill(t, j, 100)
	for name, test := range map[string]struct{ items, bytes, want int }{
		"by number": {7, 1 << 20, 7}, "by bytes": {100, 1000, 10}, "one at least": {100, 1, 1}, "all": {1000, 1 << 20, 100},
	} {
		batch, err := j.Pending(t.Context(), 0, test.items, test.bytes)
		if err != nil || len(batch.Items) > test.want || len(batch.Items) == 0 || test.bytes == 1<<20 && len(batch.Items) != test.want {
			t.Errorf("%s: %d items, %v", name, len(batch.Items), err)
		}
	}
	if batch, err := j.Pending(t.Context(), 60, 1000, 1<<20); err != nil || batch.First != 61 || len(batch.Items) != 40 {
		t.Errorf("after 60: from %d, %d, %v", batch.First, len(batch.Items), err)
	}
	if err := j.Acknowledge(t.Context(), 5, 6, time.Time{}); err == nil {
		t.Error("acknowledged past what has not arrived")
	}
	if err := j.Acknowledge(t.Context(), 1, 101, time.Time{}); err == nil {
		t.Error("acknowledged what was never given")
	}
}

// A caller that leaves does not leave half a touch behind, and one that comes too late is told.
func TestALeavingCaller(t *testing.T) {
	j, err := Open(t.Context(), "", Options{Volatile: true})
	ok(t, err)
	enrol(t, j, "k1")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Begin(gone, start(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("begun for nobody: %v", err)
	}
	if status, _ := j.Status(t.Context()); status.Open != 0 {
		t.Errorf("status %+v", status)
	}
	ok(t, j.Close())
	ok(t, j.Close())
	if _, err := j.Begin(t.Context(), start(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("begun after the end: %v", err)
	}
	if _, err := j.Pending(t.Context(), 0, 1, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("read after the end: %v", err)
	}
}

func TestSettingsAreKept(t *testing.T) {
	folder := t.TempDir()
	j := loose(t, folder, clock.NewManual(morning))
	ok(t, j.KeepSetting(t.Context(), "font", []byte("200 %")))
	ok(t, j.KeepConfiguration(t.Context(), &pb.Configuration{Version: "3"}))
	ok(t, j.Close())
	j = loose(t, folder, clock.NewManual(morning))
	value, err := j.Setting(t.Context(), "font")
	if c, failed := j.Configuration(t.Context()); err != nil || failed != nil || string(value) != "200 %" || c.GetVersion() != "3" {
		t.Errorf("%q, %v, %v, %v", value, c, err, failed)
	}
	ok(t, j.KeepSetting(t.Context(), "font", nil))
	if value, err := j.Setting(t.Context(), "font"); err != nil || value != nil {
		t.Errorf("deleted: %q, %v", value, err)
	}
	if data, err := os.ReadFile(filepath.Join(folder, fileName)); err != nil || len(data) == 0 {
		t.Error(err)
	}
}
