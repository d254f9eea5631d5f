package casework_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/localday"
)

func holding(id string, state casework.State, finding casework.Finding, ratings ...string) casework.Case {
	return casework.Case{Opening: casework.Opening{ID: id}, State: state, Finding: finding, Attached: ratings}
}

func TestCover(t *testing.T) {
	slow := casework.Traits{Unit: office, Day: "2026-11-10", Reasons: []string{"rude", "slow"}}
	turned := casework.Traits{Unit: office, Day: "2026-11-10", Reasons: []string{"slow", "rude", "slow"}} // the same
	hoa := casework.Traits{Unit: culture, Day: "2026-11-11", Official: "o-hoa"}
	groups := []casework.Group{{Traits: slow, N: 6}, {Traits: turned, N: 4}, {Traits: hoa, N: 5}}
	collective := func(finding casework.Finding, scope casework.Scope) casework.Case {
		c := holding("k", casework.ExplanationRequested, finding)
		c.Collective = &scope
		return c
	}
	routed := holding("c4", casework.OutOfScope, "", "r1")
	routed.Route = casework.Route{Kind: casework.Complaint}
	merged := holding("c5", casework.Duplicate, "", "r1")
	merged.MergedInto = "c1"
	all := casework.Scope{Unit: commune, From: "2026-11-01", To: "2026-11-30"}
	var seven []casework.Held
	var ids []string
	for i := range 7 {
		seven, ids = append(seven, casework.Held{Rating: fmt.Sprint(i), Traits: slow}), append(ids, fmt.Sprint(i))
	}
	for name, c := range map[string]struct {
		held  []casework.Held
		cases []casework.Case
		notes []casework.Note
		want  casework.Coverage
	}{
		"nobody did anything":                        {nil, nil, nil, casework.Coverage{All: 15, Untouched: 15}},
		"one is answered":                            {[]casework.Held{{"r1", slow}}, []casework.Case{holding("c1", casework.Replied, casework.NotUpheld, "r1")}, nil, casework.Coverage{All: 15, Answered: 1, Untouched: 14}},
		"one is in two cases":                        {[]casework.Held{{"r1", turned}, {"r1", slow}}, []casework.Case{holding("c1", casework.Received, "", "r1"), holding("c2", casework.Closed, casework.Upheld, "r1")}, nil, casework.Coverage{All: 15, Answered: 1, Untouched: 14}},
		"more than one group has of the same traits": {seven, []casework.Case{holding("c1", casework.Closed, casework.Upheld, ids...)}, nil, casework.Coverage{All: 15, Answered: 7, Untouched: 8}},
		"one was merged":                             {[]casework.Held{{"r1", slow}}, []casework.Case{merged, holding("c1", casework.Accepted, casework.Upheld)}, nil, casework.Coverage{All: 15, Answered: 1, Untouched: 14}},
		"one was merged, its case waits":             {[]casework.Held{{"r1", slow}}, []casework.Case{merged, holding("c1", casework.Explained, "")}, nil, casework.Coverage{All: 15, InHand: 1, Untouched: 14}},
		"one is routed":                              {[]casework.Held{{"r1", slow}}, []casework.Case{routed}, nil, casework.Coverage{All: 15, SetAside: 1, Untouched: 14}},
		"one is withdrawn and noted":                 {[]casework.Held{{"r1", slow}}, []casework.Case{holding("c1", casework.Withdrawn, "", "r1")}, []casework.Note{{Ratings: []string{"r1"}}}, casework.Coverage{All: 15, Noted: 1, Untouched: 14}},
		"a request of a reason":                      {nil, []casework.Case{collective("", casework.Scope{Unit: office, From: "2026-11-10", To: "2026-11-10", Reason: "slow"})}, nil, casework.Coverage{All: 15, InHand: 10, Untouched: 5}},
		"one of an official, answered":               {nil, []casework.Case{collective(casework.Partly, casework.Scope{Unit: commune, From: "2026-11-01", To: "2026-11-30", Official: "o-hoa"})}, nil, casework.Coverage{All: 15, Answered: 5, Untouched: 10}},
		"one that ended the day before":              {nil, []casework.Case{collective(casework.Partly, casework.Scope{Unit: commune, From: "2026-11-01", To: "2026-11-09"})}, nil, casework.Coverage{All: 15, Untouched: 15}},
		"everything is noted, one waits":             {[]casework.Held{{"r1", hoa}}, []casework.Case{holding("c1", casework.Reopened, "", "r1")}, []casework.Note{{Scope: &all}}, casework.Coverage{All: 15, InHand: 1, Noted: 14}},
		"a request beside single cases":              {[]casework.Held{{"r1", slow}, {"r2", hoa}}, []casework.Case{collective("", all), holding("c1", casework.Closed, casework.Upheld, "r1", "r2")}, nil, casework.Coverage{All: 15, Answered: 2, InHand: 13}},
		"held but not counted":                       {[]casework.Held{{"r1", casework.Traits{Unit: other, Day: "2026-11-10"}}}, []casework.Case{holding("c1", casework.Closed, casework.Upheld, "r1")}, nil, casework.Coverage{All: 15, Untouched: 15, Strange: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, casework.Cover(groups, c.held, c.cases, c.notes, within)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, ok := casework.Cover(nil, nil, nil, nil, nil).Share(); ok {
		t.Error("a share of nothing")
	}
	if share, ok := (casework.Coverage{All: 8, Answered: 2}).Share(); !ok || math.Abs(share-0.25) > 1e-12 {
		t.Errorf("share %v", share)
	}
}

// TestCoverIsThatOfSingleRatings: counted by groups it is what one gets by looking at each rating.
func TestCoverIsThatOfSingleRatings(t *testing.T) {
	units, officials, reasons := []string{office, culture, other}, []string{"", "a", "b"}, []string{"x", "y"}
	rapid.Check(t, func(r *rapid.T) {
		pick := func(list []string, name string) string { return rapid.SampledFrom(list).Draw(r, name) }
		day := func() localday.Day {
			return localday.Day("2026-11-01").Add(rapid.IntRange(0, 3).Draw(r, "day"))
		}
		type rating struct {
			id string
			casework.Traits
		}
		var ratings []rating
		var groups []casework.Group
		for i := range rapid.IntRange(0, 25).Draw(r, "ratings") {
			one := rating{fmt.Sprint(i), casework.Traits{Unit: pick(units, "unit"), Day: day(), Official: pick(officials, "official")}}
			for _, reason := range reasons {
				if rapid.Bool().Draw(r, "reason") {
					one.Reasons = append(one.Reasons, reason)
				}
			}
			ratings, groups = append(ratings, one), append(groups, casework.Group{Traits: one.Traits, N: 1})
		}
		var cases []casework.Case
		var held []casework.Held
		hold := func(n int) []string {
			var ids []string
			for range min(n, len(ratings)) {
				one := rapid.SampledFrom(ratings).Draw(r, "held")
				ids, held = append(ids, one.id), append(held, casework.Held{Rating: one.id, Traits: one.Traits})
			}
			return ids
		}
		scope := func() casework.Scope {
			from := day()
			return casework.Scope{Unit: pick([]string{commune, office, other}, "of"), From: from, To: from.Add(rapid.IntRange(0, 2).Draw(r, "long")), Reason: pick([]string{"", "x"}, "why"), Official: pick(officials, "who")}
		}
		for i := range rapid.IntRange(0, 5).Draw(r, "cases") {
			state := rapid.SampledFrom([]casework.State{casework.Received, casework.Closed, casework.Withdrawn}).Draw(r, "state")
			c := holding(fmt.Sprint("c", i), state, "", hold(rapid.IntRange(0, 3).Draw(r, "holds"))...)
			if state == casework.Closed {
				c.Finding = casework.Upheld
			}
			if rapid.Bool().Draw(r, "collective") {
				s := scope()
				c.Collective = &s
			}
			cases = append(cases, c)
		}
		notes := []casework.Note{{Ratings: hold(2)}}
		if rapid.Bool().Draw(r, "note") {
			s := scope()
			notes = append(notes, casework.Note{Scope: &s})
		}
		var want casework.Coverage
		for _, one := range ratings {
			matches := func(s *casework.Scope) bool {
				return s != nil && s.From <= one.Day && one.Day <= s.To && within(one.Unit, s.Unit) && (s.Official == "" || s.Official == one.Official) && (s.Reason == "" || slices.Contains(one.Reasons, s.Reason))
			}
			best := 0
			for _, c := range cases {
				if slices.Contains(c.Attached, one.id) || matches(c.Collective) {
					best = max(best, map[casework.State]int{casework.Received: 3, casework.Closed: 4, casework.Withdrawn: 1}[c.State])
				}
			}
			for _, n := range notes {
				if slices.Contains(n.Ratings, one.id) || matches(n.Scope) {
					best = max(best, 2)
				}
			}
			want.All++
			*[]*int{&want.Untouched, &want.SetAside, &want.Noted, &want.InHand, &want.Answered}[best]++
		}
		got := casework.Cover(groups, held, cases, notes, within)
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatal(diff)
		}
		if got.All != got.Answered+got.InHand+got.Noted+got.SetAside+got.Untouched {
			r.Fatalf("%+v does not add up", got)
		}
	})
}

func TestRoot(t *testing.T) {
	into := map[string]string{"a": "b", "b": "c", "x": "z", "y": "x", "z": "y", "v": "x"}
	for id, want := range map[string]string{"a": "c", "c": "c", "x": "x", "z": "x", "v": "x"} {
		if got := casework.Root(id, func(id string) string { return into[id] }); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}
