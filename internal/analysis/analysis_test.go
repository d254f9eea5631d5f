package analysis

import (
	"context"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	atTime  = pb.TreeView_TREE_VIEW_AS_AT_TIME
	asToday = pb.TreeView_TREE_VIEW_AS_TODAY
)

func TestSummary(t *testing.T) {
	a := example(t)
	type channels map[pb.Channel][5]uint32
	all := Query{From: "2025-06-01", To: "2025-08-31"}
	with := func(unit string, change func(*Query)) Query {
		q := all
		q.Unit = unit
		if change != nil {
			change(&q)
		}
		return q
	}
	for name, c := range map[string]struct {
		query  Query
		pooled [5]uint32
		apart  channels
		forms  []string
	}{
		"the province, as at the time": {with("P", nil), [5]uint32{34, 2, 7, 18, 26},
			channels{kiosk: {34, 0, 0, 10, 26}, web: {0, 2, 0, 8, 0}, paper: {0, 0, 7, 0, 0}}, []string{"short@1", "sipas@1"}},
		"the province, as today": {with("P", func(q *Query) { q.Tree = asToday }), [5]uint32{34, 2, 7, 18, 26},
			channels{kiosk: {34, 0, 0, 10, 26}, web: {0, 2, 0, 8, 0}, paper: {0, 0, 7, 0, 0}}, []string{"short@1", "sipas@1"}},
		"a merged commune has what it had": {with("A", nil), [5]uint32{4, 0, 0, 0, 6}, channels{kiosk: {4, 0, 0, 0, 6}}, []string{"short@1"}},
		"its successor, as at the time":    {with("C", nil), [5]uint32{0, 0, 0, 0, 20}, channels{kiosk: {0, 0, 0, 0, 20}}, []string{"short@1"}},
		"its successor, as today": {with("C", func(q *Query) { q.Tree = asToday }), [5]uint32{4, 2, 0, 8, 26},
			channels{kiosk: {4, 0, 0, 0, 26}, web: {0, 2, 0, 8, 0}}, []string{"short@1"}},
		"with the office below": {with("D", nil), [5]uint32{30, 0, 7, 10, 0}, channels{kiosk: {30, 0, 0, 10, 0}, paper: {0, 0, 7, 0, 0}}, []string{"short@1", "sipas@1"}},
		"one questionnaire":     {with("D", func(q *Query) { q.Questionnaire = "sipas" }), [5]uint32{0, 0, 7, 0, 0}, channels{paper: {0, 0, 7, 0, 0}}, []string{"sipas@1"}},
		"one channel":           {with("P", func(q *Query) { q.Channels = []pb.Channel{web} }), [5]uint32{0, 2, 0, 8, 0}, channels{web: {0, 2, 0, 8, 0}}, []string{"short@1"}},
		"the last day counts":   {with("P", func(q *Query) { q.To = "2025-06-30" }), [5]uint32{4, 2, 0, 8, 6}, channels{kiosk: {4, 0, 0, 0, 6}, web: {0, 2, 0, 8, 0}}, []string{"short@1"}},
		"the first day counts":  {with("P", func(q *Query) { q.From, q.To = "2025-07-01", "2025-07-31" }), [5]uint32{0, 0, 0, 0, 20}, channels{kiosk: {0, 0, 0, 0, 20}}, []string{"short@1"}},
		"the future is empty":   {with("P", func(q *Query) { q.From, q.To = "2030-01-01", "2031-01-01" }), [5]uint32{}, channels{}, nil},
		"over new year":         {with("P", func(q *Query) { q.From, q.To = "2024-01-01", "2026-12-31" }), [5]uint32{34, 2, 7, 18, 26}, channels{kiosk: {34, 0, 0, 10, 26}, web: {0, 2, 0, 8, 0}, paper: {0, 0, 7, 0, 0}}, []string{"short@1", "sipas@1"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := a.Summary(context.Background(), c.query)
			if err != nil {
				t.Fatal(err)
			}
			if got.Pooled.Counts != c.pooled {
				t.Errorf("pooled %v, want %v", got.Pooled.Counts, c.pooled)
			}
			apart := channels{}
			for i, channel := range got.Channels {
				apart[channel.Channel] = channel.Distribution.Counts
				if i > 0 && got.Channels[i-1].Channel >= channel.Channel {
					t.Errorf("channels out of order: %v", got.Channels)
				}
			}
			if diff := cmp.Diff(c.apart, apart); diff != "" {
				t.Errorf("channels (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.forms, got.Questionnaires, cmp.Transformer("nil", func(s []string) []string { return append([]string{}, s...) })); diff != "" {
				t.Errorf("questionnaires (-want +got):\n%s", diff)
			}
			if got.FreshThrough.IsZero() || got.Period.From != localday.Day(c.query.From) {
				t.Errorf("period %v, fresh through %v", got.Period, got.FreshThrough)
			}
		})
	}
}

func TestFiguresByHand(t *testing.T) {
	a := example(t)
	got, err := a.Summary(context.Background(), Query{Unit: "C", From: "2025-07-01", To: "2025-07-31"})
	if err != nil {
		t.Fatal(err)
	}
	// 20 of 20: Wilson's lower end is n/(n+z²) = 20/(20+3.841459).
	if s := got.Pooled.Satisfied; s.Value != 1 || math.Abs(s.Low-0.838875) > 1e-6 || s.High != 1 || s.N != 20 || s.Formula != figure.FormulaWilson {
		t.Errorf("satisfied %+v", s)
	}
}

func TestDefaults(t *testing.T) {
	a := example(t)
	got, err := a.Summary(context.Background(), Query{Unit: "P"})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Period{"2025-08-02", "2025-09-01"}); got.Period != want || got.Pooled.N != 47 {
		t.Errorf("period %v with n %d, want %v with 47", got.Period, got.Pooled.N, want)
	}
	trend, err := a.Trend(context.Background(), Query{Unit: "P"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if first, last := trend.Points[0].Period, trend.Points[len(trend.Points)-1].Period; len(trend.Points) != 13 ||
		first != (Period{"2024-09-01", "2024-09-30"}) || last != (Period{"2025-09-01", "2025-09-01"}) {
		t.Errorf("%d points, first %v, last %v", len(trend.Points), first, last)
	}
}

func TestBadQueries(t *testing.T) {
	a := example(t)
	for name, c := range map[string]struct {
		query  Query
		code   fault.Code
		reason string
	}{
		"reversed":         {Query{Unit: "P", From: "2025-02-01", To: "2025-01-31"}, fault.Invalid, "period_reversed"},
		"too long":         {Query{Unit: "P", From: "2005-08-31", To: "2025-09-01"}, fault.Invalid, "period_too_long"},
		"no such day":      {Query{Unit: "P", From: "2025-02-30"}, fault.Invalid, "period_day_invalid"},
		"a time":           {Query{Unit: "P", To: "2025-02-03T10:00:00Z"}, fault.Invalid, "period_day_invalid"},
		"another format":   {Query{Unit: "P", To: "3/2/2025"}, fault.Invalid, "period_day_invalid"},
		"the year 0":       {Query{Unit: "P", To: "0000-01-01"}, fault.Invalid, "period_day_invalid"},
		"reversed by now":  {Query{Unit: "P", From: "2030-01-01"}, fault.Invalid, "period_reversed"},
		"unknown unit":     {Query{Unit: "Q"}, fault.NotFound, "unit_unknown"},
		"no unit":          {Query{}, fault.NotFound, "unit_unknown"},
		"no such channel":  {Query{Unit: "P", Channels: []pb.Channel{99}}, fault.Invalid, "channel_invalid"},
		"channel not said": {Query{Unit: "P", Channels: []pb.Channel{0}}, fault.Invalid, "channel_invalid"},
		"no such tree":     {Query{Unit: "P", Tree: 9}, fault.Invalid, "tree_view_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			_, summary := a.Summary(ctx, c.query)
			_, trend := a.Trend(ctx, c.query, 0)
			_, rank := a.Rank(ctx, c.query, "", 0)
			_, followUps := a.FollowUps(ctx, c.query)
			for call, err := range map[string]error{"Summary": summary, "Trend": trend, "Rank": rank, "FollowUps": followUps} {
				if got := fault.Of(err); err == nil || got.Code != c.code || got.Reason != c.reason {
					t.Errorf("%s answered %v, want %s %s", call, err, c.code, c.reason)
				}
			}
		})
	}
	if _, err := a.Trend(context.Background(), Query{Unit: "P"}, 9); fault.Of(err).Reason != "step_invalid" {
		t.Errorf("an unknown step: %v", err)
	}
	if _, err := a.Summary(context.Background(), Query{Unit: "P", From: "2005-09-01", To: "2025-09-01"}); err != nil {
		t.Errorf("twenty years: %v", err)
	}
}

func TestSmallCells(t *testing.T) {
	engine := open(t)
	r := newRatings(t, engine)
	r.add("D", "2025-08-10", kiosk, "short", 0, 0, 0, 0, 50)
	r.add("D", "2025-08-10", web, "short", 0, 0, 0, 8, 0)
	r.add("D", "2025-08-10", paper, "short", 2, 0, 0, 0, 0)
	r.add("O", "2025-08-11", paper, "short", 0, 1, 0, 0, 0)
	a := New(Config{Engine: engine, Units: merged(t, "2025-09-01"), Clock: at("2025-09-01")})
	ctx := context.Background()
	got, err := a.Summary(ctx, Query{Unit: "P"})
	if err != nil {
		t.Fatal(err)
	}
	hidden := map[pb.Channel]bool{}
	for _, channel := range got.Channels {
		hidden[channel.Channel] = channel.Distribution.Suppressed
	}
	// Three on paper are withheld; pooled less the others would tell them, so the smallest other channel is too.
	if diff := cmp.Diff(map[pb.Channel]bool{kiosk: false, web: true, paper: true}, hidden); diff != "" || got.Pooled.Suppressed {
		t.Errorf("withheld (-want +got):\n%s", diff)
	}
	got, err = a.Summary(ctx, Query{Unit: "O"})
	if err != nil || !got.Pooled.Suppressed || got.Pooled.N != 1 || got.Pooled.Counts != [5]uint32{} || !got.Pooled.Satisfied.Suppressed {
		t.Errorf("one rating: %+v, %v", got.Pooled, err)
	}
	trend, err := a.Trend(ctx, Query{Unit: "P", From: "2025-08-09", To: "2025-08-12"}, pb.Step_STEP_DAY)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, true, true, false} {
		if trend.Points[i].Distribution.Suppressed != want {
			t.Errorf("day %d: withheld %v, want %v", i, !want, want)
		}
	}
}

func TestTrendSteps(t *testing.T) {
	a := example(t)
	for name, c := range map[string]struct {
		step pb.Step
		want map[localday.Day]uint32 // by first day of the step, where there are any
		n    int
	}{
		"day":   {pb.Step_STEP_DAY, map[localday.Day]uint32{"2025-06-15": 10, "2025-06-30": 10, "2025-07-01": 20, "2025-08-10": 47}, 92},
		"week":  {pb.Step_STEP_WEEK, map[localday.Day]uint32{"2025-06-09": 10, "2025-06-30": 30, "2025-08-04": 47}, 14},
		"month": {pb.Step_STEP_MONTH, map[localday.Day]uint32{"2025-06-01": 20, "2025-07-01": 20, "2025-08-01": 47}, 3},
		"year":  {pb.Step_STEP_YEAR, map[localday.Day]uint32{"2025-06-01": 87}, 1},
		"none":  {pb.Step_STEP_UNSPECIFIED, map[localday.Day]uint32{"2025-06-01": 20, "2025-07-01": 20, "2025-08-01": 47}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			trend, err := a.Trend(context.Background(), Query{Unit: "P", From: "2025-06-01", To: "2025-08-31"}, c.step)
			if err != nil {
				t.Fatal(err)
			}
			got := map[localday.Day]uint32{}
			next := localday.Day("2025-06-01")
			for _, point := range trend.Points {
				if point.Period.From != next {
					t.Errorf("a step begins on %s, want %s", point.Period.From, next)
				}
				next = point.Period.To.Add(1)
				if point.Distribution.N > 0 {
					got[point.Period.From] = point.Distribution.N
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || len(trend.Points) != c.n || next != "2025-09-01" {
				t.Errorf("%d steps, want %d (-want +got):\n%s", len(trend.Points), c.n, diff)
			}
		})
	}
}

func TestRank(t *testing.T) {
	a := example(t)
	type place struct {
		Unit string
		N    uint32
		Rank int
	}
	for name, c := range map[string]struct {
		query   Query
		level   string
		minimum uint32
		want    []place
	}{
		"children as at the time, those that ended too": {Query{Unit: "P"}, "", 5,
			[]place{{"C", 20, 1}, {"B", 10, 2}, {"A", 10, 3}, {"D", 47, 4}}},
		"children as today":         {Query{Unit: "P", Tree: asToday}, "", 5, []place{{"C", 40, 1}, {"D", 47, 2}}},
		"thirty by default":         {Query{Unit: "P"}, "", 0, []place{{"D", 47, 1}, {"A", 10, 0}, {"B", 10, 0}, {"C", 20, 0}}},
		"a level further down":      {Query{Unit: "P"}, "office", 5, []place{{"O", 40, 1}}},
		"a level that is not there": {Query{Unit: "P"}, "ward", 5, []place{}},
		"nothing below":             {Query{Unit: "O"}, "", 5, []place{}},
	} {
		t.Run(name, func(t *testing.T) {
			ranking, err := a.Rank(context.Background(), c.query, c.level, c.minimum)
			if err != nil {
				t.Fatal(err)
			}
			got := []place{}
			for _, ranked := range ranking.Units {
				got = append(got, place{ranked.Unit.ID, ranked.Distribution.N, ranked.Rank.Rank})
				if r := ranked.Rank; r.Rank > 0 && (r.Low > r.Rank || r.High < r.Rank) {
					t.Errorf("%s: rank %+v lies outside its interval", ranked.Unit.ID, r)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
