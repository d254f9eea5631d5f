package directory_test

import (
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

func TestCountersAndOfficialsChangeAndEnd(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		ctx := t.Context()
		d := open(t, engine)
		create(t, d, "p", province("01"))
		one, err := d.CreateCounter(ctx, directory.Counter{UnitID: "p", Code: "1", Name: "Quầy 1"})
		if err != nil {
			t.Fatal(err)
		}
		two, err := d.CreateCounter(ctx, directory.Counter{UnitID: "p", Code: "2", Name: "Quầy 2"})
		if err != nil {
			t.Fatal(err)
		}
		changed, err := d.ChangeCounter(ctx, directory.Counter{ID: one.ID, UnitID: "p", Code: "1A", Name: norm.NFD.String("Quầy Đất đai")})
		if err != nil || changed.Code != "1A" || changed.Name != "Quầy Đất đai" || changed.UnitID != "p" {
			t.Fatalf("changed to %+v, %v", changed, err)
		}
		before := d.Revision()
		if same, err := d.ChangeCounter(ctx, changed); err != nil || same != changed || d.Revision() != before {
			t.Errorf("the same again: %+v, %v, revision %d of %d", same, err, d.Revision(), before)
		}
		for name, c := range map[string]struct {
			counter directory.Counter
			code    fault.Code
			reason  string
		}{
			"a sign in use": {directory.Counter{ID: one.ID, Code: "2", Name: "Quầy"}, fault.Exists, "directory_counter_code_taken"},
			"another unit":  {directory.Counter{ID: one.ID, UnitID: "q", Code: "1", Name: "Quầy"}, fault.Invalid, "directory_unit_fixed"},
			"no name":       {directory.Counter{ID: one.ID, Code: "1"}, fault.Invalid, "directory_text_invalid"},
			"no counter":    {directory.Counter{ID: "nobody", Code: "1", Name: "Quầy"}, fault.NotFound, "directory_counter_missing"},
		} {
			_, err := d.ChangeCounter(ctx, c.counter)
			t.Log(name)
			wantFault(t, err, c.code, c.reason)
		}
		closed, err := d.CloseCounter(ctx, two.ID)
		if err != nil || closed.Open() || !closed.ClosedAt.Equal(noon) {
			t.Fatalf("closed %+v, %v", closed, err)
		}
		before = d.Revision()
		if again, err := d.CloseCounter(ctx, two.ID); err != nil || !again.ClosedAt.Equal(closed.ClosedAt) || d.Revision() != before {
			t.Errorf("closed again: %+v, %v", again, err)
		}
		_, err = d.ChangeCounter(ctx, directory.Counter{ID: two.ID, Code: "2", Name: "Quầy khác"})
		wantFault(t, err, fault.Invalid, "directory_counter_closed")
		_, err = d.CloseCounter(ctx, "nobody")
		wantFault(t, err, fault.NotFound, "directory_counter_missing")
		// The sign of a closed counter may be used again, by a new one and by a change.
		if _, err := d.CreateCounter(ctx, directory.Counter{UnitID: "p", Code: "2", Name: "Quầy 2 mới"}); err != nil {
			t.Error(err)
		}

		official, err := d.CreateOfficial(ctx, directory.Official{UnitID: "p", Name: "Lê Minh Hoạ", Position: "Công chức"})
		if err != nil {
			t.Fatal(err)
		}
		promoted, err := d.ChangeOfficial(ctx, directory.Official{ID: official.ID, UnitID: "p", Name: "Lê Minh Hoạ", Position: "Phó Chánh Văn phòng"})
		if err != nil || promoted.Position != "Phó Chánh Văn phòng" {
			t.Errorf("%+v, %v", promoted, err)
		}
		_, err = d.ChangeOfficial(ctx, directory.Official{ID: official.ID, UnitID: "q", Name: "Lê Minh Hoạ"})
		wantFault(t, err, fault.Invalid, "directory_unit_fixed")
		left, err := d.CloseOfficial(ctx, official.ID)
		if err != nil || !left.ClosedAt.Equal(noon) {
			t.Errorf("%+v, %v", left, err)
		}
		_, err = d.ChangeOfficial(ctx, promoted)
		wantFault(t, err, fault.Invalid, "directory_official_closed")
		_, err = d.CloseOfficial(ctx, "nobody")
		wantFault(t, err, fault.NotFound, "directory_official_missing")

		// Another process, opened afresh, sees the same.
		other := open(t, engine)
		if got, ok := other.Counter(two.ID); !ok || got.Open() || !got.ClosedAt.Equal(noon) {
			t.Errorf("afresh: %+v", got)
		}
		if got, ok := other.Official(official.ID); !ok || !got.ClosedAt.Equal(noon) || got.Position != promoted.Position {
			t.Errorf("afresh: %+v", got)
		}
		if list, _, err := other.ListCounters("p", directory.Page{}); err != nil || len(list) != 3 {
			t.Errorf("afresh: %v, %v", list, err)
		}
	})
}

func TestCounterServesUntilItsLastDay(t *testing.T) {
	late := time.Date(2026, 1, 1, 16, 30, 0, 0, time.UTC) // 23:30 in Vietnam
	for name, c := range map[string]struct {
		counter directory.Counter
		day     localday.Day
		want    bool
	}{
		"open":              {directory.Counter{}, "2030-01-01", true},
		"the day before":    {directory.Counter{ClosedAt: late}, "2025-12-31", true},
		"its last day":      {directory.Counter{ClosedAt: late}, "2026-01-01", true},
		"the day after":     {directory.Counter{ClosedAt: late}, "2026-01-02", false},
		"after midnight":    {directory.Counter{ClosedAt: late.Add(time.Hour)}, "2026-01-02", true},
		"long before":       {directory.Counter{ClosedAt: late}, "2001-01-01", true},
		"years afterwards":  {directory.Counter{ClosedAt: late}, "2031-01-01", false},
		"the very next one": {directory.Counter{ClosedAt: late.Add(time.Hour)}, "2026-01-03", false},
	} {
		if got := c.counter.ServesOn(c.day); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
