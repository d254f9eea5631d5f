package ratingimport

import (
	"testing"

	"pgregory.net/rapid"
)

func TestSeenIsAMapUpToItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := rapid.IntRange(0, 3000).Draw(t, "bound")
		s, want := newSeen(bound, true), map[uint64]uint64{}
		full := false
		step := rapid.Uint64().Draw(t, "step") | 1
		for i := range rapid.Uint64Range(0, 4000).Draw(t, "puts") {
			key, value := max(i/2*step, 1), i // every key twice
			before, found := s.put(key, value)
			if known, ok := want[key]; ok != found || known != before {
				t.Fatalf("%d: %d %v, want %d %v", key, before, found, known, ok)
			}
			if !found && len(want) < bound {
				want[key] = value
			} else if !found {
				full = true
			}
		}
		if s.full != full || s.count != len(want) {
			t.Fatalf("%d of %d, full %v", s.count, len(want), s.full)
		}
	})
}

func TestSummarySaysWhereComparingEnded(t *testing.T) {
	text := "t,u,s,c\n"
	for range 3 {
		text += "2026-03-02 08:00,A,5,a\n2026-03-02 08:01,A,5,b\n2026-03-02 08:02,A,5,c\n"
	}
	for bound, want := range map[int][3]int64{100: {9, 6, 1}, 2: {2, 4, 0}, -1: {0, 0, 0}} {
		got, _, _, err := runText(t, text, Options{ExamineMax: bound})
		all := int64(0)
		if got.ExaminedAll {
			all = 1
		}
		if err != nil || [3]int64{got.Examined, got.Identical, all} != want {
			t.Errorf("bound %d: examined %d, identical %d, all %v, %v", bound, got.Examined, got.Identical, got.ExaminedAll, err)
		}
	}
}
