package device

import (
	"cmp"
	"slices"
	"time"
)

// MaxSequence is the highest sequence that is followed: a device at ten ratings a second needs 28 million years.
const MaxSequence = 1 << 53

// maxGaps bounds the gaps kept of one device. A sound device has a few.
const maxGaps = 500

// span is a run of sequences, both ends in it.
type span struct{ from, to uint64 }

// arrivals is the set of a device's sequences that arrived, kept as its highest and what is missing below it. Missing
// is in order, apart by at least one sequence that arrived, and below highest.
type arrivals struct {
	highest uint64
	missing []gap
}

// gap is a run of sequences that did not arrive, and when that was first seen.
type gap struct {
	span
	seenAt time.Time
}

// through is the highest sequence up to which all arrived.
func (a *arrivals) through() uint64 {
	if len(a.missing) == 0 {
		return a.highest
	}
	return a.missing[0].from - 1
}

// add takes in that a run arrived, in any order and any number of times; it tells whether that was news. What a run
// leaves out below it is missing since now. Which sequences are missing afterwards does not depend on the order.
func (a *arrivals) add(s span, now time.Time) (news bool) {
	s.from, s.to = max(s.from, 1), min(s.to, MaxSequence)
	if s.from > s.to {
		return false
	}
	highest := a.highest
	if s.from <= highest {
		news = a.fill(s)
	}
	if s.to > highest {
		news = true
		if s.from > highest+1 {
			a.missing = append(a.missing, gap{span{highest + 1, s.from - 1}, now})
		}
		a.highest = s.to
	}
	return news
}

// fill takes a run out of what is missing.
func (a *arrivals) fill(s span) (news bool) {
	first, _ := slices.BinarySearchFunc(a.missing, s.from, func(g gap, from uint64) int { return cmp.Compare(g.to, from) })
	after := first
	var rest []gap
	for ; after < len(a.missing) && a.missing[after].from <= s.to; after++ {
		g := a.missing[after]
		if g.from < s.from {
			rest = append(rest, gap{span{g.from, s.from - 1}, g.seenAt})
		}
		if g.to > s.to {
			rest = append(rest, gap{span{s.to + 1, g.to}, g.seenAt})
		}
	}
	if after == first {
		return false
	}
	a.missing = slices.Replace(a.missing, first, after, rest...)
	return true
}

// narrow joins gaps until at most limit are left, those first between which the least arrived, and among those the
// lowest. What arrived between joined gaps counts as missing from then on, so that a device sends it again, is
// answered DUPLICATE, and it is taken in anew: nothing is ever said to have arrived that did not.
func (a *arrivals) narrow(limit int) {
	if len(a.missing) <= limit {
		return
	}
	// between[i] is the place before gap i+1.
	between := make([]int, len(a.missing)-1)
	for i := range between {
		between[i] = i
	}
	arrived := func(i int) uint64 { return a.missing[i+1].from - a.missing[i].to }
	slices.SortStableFunc(between, func(i, j int) int { return cmp.Compare(arrived(i), arrived(j)) })
	joined := make([]bool, len(a.missing))
	for _, i := range between[:len(a.missing)-limit] {
		joined[i+1] = true
	}
	kept := a.missing[:0]
	for i, g := range a.missing {
		if !joined[i] {
			kept = append(kept, g)
			continue
		}
		last := &kept[len(kept)-1]
		last.to = g.to
		if g.seenAt.Before(last.seenAt) {
			last.seenAt = g.seenAt
		}
	}
	clear(a.missing[len(kept):])
	a.missing = kept
}

// spansOf joins sequences to runs, in order.
func spansOf(sequences []uint64) []span {
	sorted := slices.Sorted(slices.Values(sequences))
	var spans []span
	for _, s := range sorted {
		if n := len(spans); n > 0 && s-spans[n-1].to <= 1 {
			spans[n-1].to = s
			continue
		}
		spans = append(spans, span{s, s})
	}
	return spans
}
