package officehours_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
)

var office = officehours.Hours{
	Week: []officehours.Opening{{Weekday: 1, From: 780, To: 1020}, {Weekday: 1, From: 450, To: 690}, {Weekday: 6, From: 450, To: 1440}},
	Days: []officehours.Special{{Day: "2026-11-30", Name: "Nghỉ"}, {Day: "2026-11-24", Name: "Làm bù", OpenAs: 1}, {Day: "2027-02-08", Name: "Tết"}},
}

func checked(t testing.TB, h officehours.Hours) officehours.Hours {
	t.Helper()
	h, err := h.Check()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestOpenAt(t *testing.T) {
	h := checked(t, office)
	for at, want := range map[string]bool{
		"2026-11-23 07:29": false, "2026-11-23 07:30": true, "2026-11-23 11:29": true, "2026-11-23 11:30": false, "2026-11-23 13:00": true, "2026-11-23 17:00": false,
		"2026-11-24 07:30": true, "2026-11-25 08:00": false, // a make-up day; a Wednesday
		"2026-11-28 23:59": true, "2026-11-29 00:00": false, // until midnight
		"2026-11-30 08:00": false, // a holiday on a Monday
	} {
		moment, err := time.ParseInLocation("2006-01-02 15:04", at, localday.Zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.OpenAt(moment.UTC()); got != want {
			t.Errorf("at %s open is %v", at, got)
		}
	}
	if !h.OpenOn("2026-11-24") || h.OpenOn("2026-11-30") || h.OpenOn("2026-11-25") {
		t.Error("working days are wrong")
	}
}

func TestMissing(t *testing.T) {
	h := checked(t, office)
	if h.Missing(2027) || !h.Missing(2026) || !h.Missing(2028) {
		t.Error("a year is there where Tết is")
	}
	open := checked(t, officehours.Hours{Days: []officehours.Special{{Day: "2027-02-08", Name: "Làm bù", OpenAs: 1}, {Day: "2027-01-01", Name: "Tết Dương lịch"}}})
	if !open.Missing(2027) {
		t.Error("New Year and a make-up day are no Tết")
	}
}

func TestCheck(t *testing.T) {
	day := func(day, name string, as int) officehours.Hours {
		return officehours.Hours{Days: []officehours.Special{{Day: localday.Day(day), Name: name, OpenAs: as}}}
	}
	week := func(openings ...officehours.Opening) officehours.Hours { return officehours.Hours{Week: openings} }
	for name, c := range map[string]struct {
		hours officehours.Hours
		want  string
	}{
		"never open":          {officehours.Hours{}, ""},
		"meet":                {week(officehours.Opening{Weekday: 1, From: 0, To: 60}, officehours.Opening{Weekday: 1, From: 60, To: 1440}), ""},
		"overlap":             {week(officehours.Opening{Weekday: 1, From: 0, To: 61}, officehours.Opening{Weekday: 1, From: 60, To: 1440}), "officehours_overlap"},
		"weekday 0":           {week(officehours.Opening{From: 0, To: 61}), "officehours_weekday"},
		"turned":              {week(officehours.Opening{Weekday: 1, From: 60, To: 60}), "officehours_minutes"},
		"beyond midnight":     {week(officehours.Opening{Weekday: 1, From: 60, To: 1441}), "officehours_minutes"},
		"no such day":         {day("2026-02-29", "Nghỉ", 0), "officehours_day"},
		"no name":             {day("2026-02-28", "  ", 0), "officehours_name"},
		"a name of two lines": {day("2026-02-28", "a\nb", 0), "officehours_name"},
		"open as nothing":     {day("2026-02-28", "Nghỉ", 8), "officehours_open_as"},
		"twice":               {officehours.Hours{Days: []officehours.Special{{Day: "2026-02-28", Name: "a"}, {Day: "2026-02-28", Name: "b"}}}, "officehours_day_twice"},
		"too many":            {officehours.Hours{Days: make([]officehours.Special, officehours.MaxDays+1)}, "officehours_many"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.hours.Check()
			if c.want == "" && err != nil || c.want != "" && (!fault.Is(err, fault.Invalid) || fault.Of(err).Reason != c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestOpenAtIsOneOfTheDay: at each minute OpenAt says what the day's openings say, and what the contract shows is what was kept.
func TestOpenAtIsOneOfTheDay(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var drawn officehours.Hours
		for weekday := 1; weekday <= 7; weekday++ {
			at := 0
			for range rapid.IntRange(0, 3).Draw(r, "openings") {
				from := at + rapid.IntRange(0, 300).Draw(r, "pause")
				to := from + rapid.IntRange(1, 300).Draw(r, "length")
				if to > 1440 {
					break
				}
				drawn.Week, at = append(drawn.Week, officehours.Opening{Weekday: weekday, From: from, To: to}), to
			}
		}
		monday := localday.Day("2026-11-23")
		for n := range 14 {
			if rapid.Bool().Draw(r, "special") {
				drawn.Days = append(drawn.Days, officehours.Special{Day: monday.Add(n), Name: "x", OpenAs: rapid.IntRange(0, 7).Draw(r, "as")})
			}
		}
		h, err := drawn.Check()
		if err != nil {
			r.Fatal(err)
		}
		minute := rapid.IntRange(0, 14*1440-1).Draw(r, "minute")
		day, of := monday.Add(minute/1440), minute%1440
		want := false
		weekday := minute/1440%7 + 1
		for _, special := range drawn.Days {
			if special.Day == day {
				weekday = special.OpenAs
			}
		}
		for _, o := range drawn.Week {
			want = want || o.Weekday == weekday && o.From <= of && of < o.To
		}
		if got := h.OpenAt(monday.Start().Add(time.Duration(minute) * time.Minute)); got != want {
			r.Fatalf("%s, minute %d: open is %v", day, of, got)
		}
		if diff := cmp.Diff(h, officehours.Of(h.Proto("1"))); diff != "" {
			r.Fatal(diff)
		}
	})
}
