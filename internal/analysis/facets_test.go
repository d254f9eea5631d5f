package analysis

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	counters   = pb.FacetKind_FACET_KIND_COUNTER
	procedures = pb.FacetKind_FACET_KIND_PROCEDURE
	officials  = pb.FacetKind_FACET_KIND_OFFICIAL
	questions  = pb.FacetKind_FACET_KIND_QUESTION
)

// served says where, by whom and for what.
func served(counter, official, procedure string) func(*rating.Record) {
	return func(r *rating.Record) { r.Counter, r.Official, r.Procedure = counter, official, procedure }
}

// counted is the merged province with ratings at counters.
func counted(t testing.TB, today localday.Day) *Analysis {
	t.Helper()
	engine := open(t)
	keep(t, engine,
		times(10, given("O", "2025-08-11", 9, kiosk, "short", 5, served("o1", "binh", "1.001"), scored("overall", 5), scored("clean", 4))),
		times(6, given("O", "2025-08-31", 9, kiosk, "short", 1, served("o1", "chi", "1.002"), scored("overall", 1))),
		times(7, given("O", "2025-08-12", 9, web, "short", 3, served("o2", "chi", "1.001"))),
		times(2, given("O", "2025-08-12", 10, kiosk, "short", 1, served("o3", "an", "1.001"), scored("clean", 1))),
		times(20, given("D", "2025-08-14", 8, paper, "sipas", 3, scored("q1", 2))),
		times(8, given("C", "2025-07-20", 8, kiosk, "short", 4, served("c1", "dung", "1.001"))),
		times(9, given("A", "2025-06-15", 9, kiosk, "short", 1, served("a1", "dung", "1.001"))),
	)
	return New(Config{Engine: engine, Units: merged(t, today), Clock: at(today), Forms: published(t, short(1, ""), short(2, " (mới)"))})
}

func told(facets []Facet) string {
	var all []string
	for _, f := range facets {
		counts := strings.Trim(fmt.Sprint(f.Distribution.Counts), "[]")
		if f.Distribution.Suppressed {
			counts = "withheld"
		}
		all = append(all, fmt.Sprintf("%s %d: %s", f.ID, f.Distribution.N, counts))
	}
	return strings.Join(all, ", ")
}

func TestFacets(t *testing.T) {
	a := counted(t, "2025-09-01")
	for name, c := range map[string]struct {
		unit     string
		kind     pb.FacetKind
		from, to string
		tree     pb.TreeView
		want     string
	}{
		// The two at o3 are withheld, and the seven at o2 with them, or the whole less the rest would tell.
		"counters":   {"O", counters, "2025-08-11", "2025-08-11", 0, "o1 16: 6 0 0 0 10, o2 7: withheld, o3 2: withheld"},
		"procedures": {"O", procedures, "2025-08-01", "2025-08-31", 0, "1.001 19: 2 0 7 0 10, 1.002 6: 6 0 0 0 0"},
		"officials":  {"O", officials, "2025-08-01", "2025-08-31", 0, "chi 13: 6 0 7 0 0, binh 10: withheld, an 2: withheld"},
		// With what is rated at no counter (twenty on paper) enough is hidden.
		"what has no counter counts":   {"D", counters, "2025-08-01", "2025-08-31", 0, "o1 16: 6 0 0 0 10, o2 7: withheld, o3 2: withheld"},
		"questions":                    {"D", questions, "2025-08-01", "2025-08-31", 0, "sipas/q1 20: 0 20 0 0 0, short/overall 16: 6 0 0 0 10, short/clean 12: 2 0 0 10 0"},
		"of several months":            {"P", officials, "2025-06-30", "2025-08-01", 0, "dung 17: 9 0 0 8 0, chi 13: 6 0 7 0 0, binh 10: withheld, an 2: withheld"},
		"of one month":                 {"P", officials, "2025-07-31", "2025-07-31", 0, "dung 8: 0 0 0 8 0"},
		"a merged unit's":              {"A", officials, "2025-06-01", "2025-06-30", 0, "dung 9: 9 0 0 0 0"},
		"its successor's":              {"C", officials, "2025-06-01", "2025-07-31", 0, "dung 8: 0 0 0 8 0"},
		"its successor's, as today":    {"C", officials, "2025-06-01", "2025-07-31", asToday, "dung 17: 9 0 0 8 0"},
		"a unit without ratings":       {"B", counters, "2025-06-01", "2025-06-30", 0, ""},
		"a month without ratings":      {"P", counters, "2025-05-01", "2025-05-31", 0, ""},
		"the future":                   {"P", counters, "2030-05-01", "2030-05-31", 0, ""},
		"ten years":                    {"P", counters, "2015-09-01", "2025-09-01", 0, "o1 16: 6 0 0 0 10, a1 9: 9 0 0 0 0, c1 8: 0 0 0 8 0, o2 7: withheld, o3 2: withheld"},
		"a unit that is far too small": {"O", counters, "2025-07-01", "2025-07-31", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := a.Facets(context.Background(), Query{Unit: c.unit, From: c.from, To: c.to, Tree: c.tree}, c.kind)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, told(got.Facets)); diff != "" {
				t.Errorf("facets (-want +got):\n%s", diff)
			}
			if got.Period.From[8:] != "01" || got.Period.To.Add(1)[8:] != "01" || got.Period.From > localday.Day(c.from) || got.Period.To < localday.Day(c.to) {
				t.Errorf("period %v is not of whole months", got.Period)
			}
		})
	}
	t.Run("words", func(t *testing.T) {
		got, err := a.Facets(context.Background(), Query{Unit: "D", From: "2025-08-01", To: "2025-08-31"}, questions)
		if err != nil {
			t.Fatal(err)
		}
		if text := questionnaire.Says(got.Facets[2].Says, "en"); text != "Clean?" {
			t.Errorf("%s says %q", got.Facets[2].ID, text)
		}
	})
	t.Run("no kind", func(t *testing.T) {
		_, err := a.Facets(context.Background(), Query{Unit: "D"}, 0)
		if f := fault.Of(err); f.Reason != "analysis_facet_invalid" {
			t.Error(err)
		}
	})
}

// A unit that moves in the middle of a month counts for that month where it stood at its end, and once; one that ends in the
// middle, where it stood last.
func TestAMonthInWhichAUnitMoves(t *testing.T) {
	move := func(u unit.Unit, day localday.Day, parent string) unit.Unit {
		words := u.Near(day).Words
		words.ParentID = parent
		u, err := u.Change(day, words)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	ends, err := commune("E", "P", "Xã E").Close("2025-07-16", "M")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := unit.Build([]unit.Unit{
		unit.New("P", "P", "", unit.Words{Code: "P", Name: "Tỉnh P", Level: "province"}),
		unit.New("Q", "Q", "", unit.Words{Code: "Q", Name: "Tỉnh Q", Level: "province"}),
		move(commune("M", "P", "Xã M"), "2025-07-16", "Q"), ends, commune("S", "P", "Xã S"),
	}, "2025-09-01")
	if err != nil {
		t.Fatal(err)
	}
	engine := open(t)
	for _, month := range []localday.Day{"2025-06-10", "2025-07-10", "2025-08-10"} {
		keep(t, engine,
			times(10, given("M", month, 9, kiosk, "short", 5, served("m", "", ""))),
			times(20, given("S", month, 9, kiosk, "short", 5, served("s", "", ""))))
	}
	keep(t, engine, times(30, given("E", "2025-07-10", 9, kiosk, "short", 5, served("e", "", ""))))
	a := New(Config{Engine: engine, Units: &grove{tree}, Clock: at("2025-09-01")})
	for _, c := range []struct{ unit, from, to, want string }{
		{"P", "2025-06-01", "2025-06-30", "s 20: 0 0 0 0 20, m 10: 0 0 0 0 10"},
		{"P", "2025-07-01", "2025-07-31", "e 30: 0 0 0 0 30, s 20: 0 0 0 0 20"},
		{"P", "2025-08-01", "2025-08-31", "s 20: 0 0 0 0 20"},
		{"P", "2025-06-01", "2025-08-31", "s 60: 0 0 0 0 60, e 30: 0 0 0 0 30, m 10: 0 0 0 0 10"},
		{"Q", "2025-06-01", "2025-08-31", "m 20: 0 0 0 0 20"},
		{"M", "2025-06-01", "2025-08-31", "m 30: 0 0 0 0 30"},
	} {
		t.Run(c.unit+" "+c.from, func(t *testing.T) {
			got, err := a.Facets(context.Background(), Query{Unit: c.unit, From: c.from, To: c.to}, counters)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, told(got.Facets)); diff != "" {
				t.Errorf("facets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	a := counted(t, "2025-09-01")
	for name, c := range map[string]struct {
		query               Query
		otherFrom, otherTo  string
		period, other       Period
		n                   uint32
		satisfied           float64
		withheld, different bool
	}{
		// 18 of 53 against 0 of 9.
		"two months": {Query{Unit: "P", From: "2025-07-01", To: "2025-08-31"}, "2025-06-01", "2025-06-30",
			Period{"2025-07-01", "2025-08-31"}, Period{"2025-06-01", "2025-06-30"}, 62, 18.0 / 53, false, true},
		"just before": {Query{Unit: "P", From: "2025-07-02", To: "2025-07-31"}, "", "",
			Period{"2025-07-02", "2025-07-31"}, Period{"2025-06-02", "2025-07-01"}, 17, 1, false, false},
		"one day": {Query{Unit: "P", From: "2025-08-11", To: "2025-08-11"}, "", "",
			Period{"2025-08-11", "2025-08-11"}, Period{"2025-08-10", "2025-08-10"}, 10, 0, false, false},
		"the same length before another end": {Query{Unit: "P", From: "2025-08-01", To: "2025-08-31"}, "", "2025-07-20",
			Period{"2025-08-01", "2025-08-31"}, Period{"2025-06-20", "2025-07-20"}, 53, 10.0/45 - 1, false, true},
		"with one after": {Query{Unit: "P", From: "2025-06-01", To: "2025-06-30"}, "2025-07-01", "2025-07-31",
			Period{"2025-06-01", "2025-06-30"}, Period{"2025-07-01", "2025-07-31"}, 17, -1, false, false},
		"day against day": {Query{Unit: "O", From: "2025-08-11", To: "2025-08-11"}, "2025-08-12", "2025-08-12",
			Period{"2025-08-11", "2025-08-11"}, Period{"2025-08-12", "2025-08-12"}, 19, 1, false, false},
		"withheld": {Query{Unit: "O", From: "2025-08-11", To: "2025-08-11", Channels: []pb.Channel{kiosk}}, "2025-08-12", "2025-08-12",
			Period{"2025-08-11", "2025-08-11"}, Period{"2025-08-12", "2025-08-12"}, 12, 0, true, false},
		"without ratings": {Query{Unit: "B", From: "2025-08-11", To: "2025-08-11"}, "2024-08-12", "2024-08-12",
			Period{"2025-08-11", "2025-08-11"}, Period{"2024-08-12", "2024-08-12"}, 0, 0, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := a.Compare(context.Background(), c.query, c.otherFrom, c.otherTo)
			if err != nil {
				t.Fatal(err)
			}
			if got.Period.Period != c.period || got.Other.Period != c.other || got.DifferentForms != c.different {
				t.Errorf("%v against %v, different %v", got.Period.Period, got.Other.Period, got.DifferentForms)
			}
			if s := got.Satisfied; s.N != c.n || s.Suppressed != c.withheld || got.Dissatisfied.Suppressed != c.withheld || !near(s.Value, c.satisfied) || s.Low > s.Value || s.High < s.Value {
				t.Errorf("satisfied %+v, want n %d, %.4f", s, c.n, c.satisfied)
			}
		})
	}
	for name, c := range map[string]struct {
		query              Query
		otherFrom, otherTo string
		reason             string
	}{
		"the same":        {Query{Unit: "P", From: "2025-08-01", To: "2025-08-31"}, "2025-08-01", "2025-08-31", "analysis_periods_overlap"},
		"a day of both":   {Query{Unit: "P", From: "2025-08-01", To: "2025-08-31"}, "2025-07-01", "2025-08-01", "analysis_periods_overlap"},
		"within":          {Query{Unit: "P", From: "2025-08-01", To: "2025-08-31"}, "2025-08-10", "2025-08-11", "analysis_periods_overlap"},
		"reversed":        {Query{Unit: "P", From: "2025-08-01", To: "2025-08-31"}, "2025-07-10", "2025-07-09", "period_reversed"},
		"itself reversed": {Query{Unit: "P", From: "2025-08-01", To: "2025-07-31"}, "", "", "period_reversed"},
		"no day":          {Query{Unit: "P", From: "2025-08-01", To: "2025-08-31"}, "2025-02-29", "", "period_day_invalid"},
		"no unit":         {Query{Unit: "X"}, "", "", "unit_unknown"},
		"too long":        {Query{Unit: "P", From: "2025-08-01", To: "2025-08-31"}, "1990-01-01", "2025-07-01", "period_too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Compare(context.Background(), c.query, c.otherFrom, c.otherTo)
			if f := fault.Of(err); f.Reason != c.reason {
				t.Errorf("got %v, want %s", err, c.reason)
			}
		})
	}
}

func near(got, want float64) bool { return got-want < 0.0001 && want-got < 0.0001 }
