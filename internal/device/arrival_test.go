package device

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// model is the plainest thing that arrivals could be: a set.
type model map[uint64]bool

func (m model) highest() uint64 {
	var highest uint64
	for s := range m {
		highest = max(highest, s)
	}
	return highest
}

func (m model) missing() []span {
	var missing []span
	highest := m.highest()
	for s := uint64(1); s <= highest; s++ {
		switch n := len(missing); {
		case m[s]:
		case n > 0 && missing[n-1].to == s-1:
			missing[n-1].to = s
		default:
			missing = append(missing, span{s, s})
		}
	}
	return missing
}

func spansIn(a arrivals) []span {
	var spans []span
	for _, g := range a.missing {
		spans = append(spans, g.span)
	}
	return spans
}

var at = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func TestArrivalsAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a arrivals
		m := model{}
		calls := rapid.SliceOfN(rapid.SliceOfN(rapid.Uint64Range(0, 60), 0, 12), 1, 20).Draw(t, "calls")
		for i, call := range calls {
			news, was := false, len(m)
			for _, s := range call {
				if s > 0 {
					m[s] = true
				}
			}
			for _, s := range spansOf(call) {
				news = a.add(s, at.Add(time.Duration(i)*time.Second)) || news
			}
			if news != (len(m) > was) {
				t.Fatalf("call %d %v: news %v, and the set grew from %d to %d", i, call, news, was, len(m))
			}
			missing := m.missing()
			if diff := cmp.Diff(missing, spansIn(a), cmp.AllowUnexported(span{})); diff != "" || a.highest != m.highest() {
				t.Fatalf("after call %d %v highest is %d, want %d; missing %s", i, call, a.highest, m.highest(), diff)
			}
			want := m.highest()
			if len(missing) > 0 {
				want = missing[0].from - 1
			}
			if a.through() != want {
				t.Fatalf("stored through %d, want %d", a.through(), want)
			}
		}
	})
}

func TestAGapKeepsWhenItWasFirstSeen(t *testing.T) {
	var a arrivals
	a.add(span{1, 1}, at)
	a.add(span{10, 10}, at.Add(time.Hour))
	a.add(span{5, 6}, at.Add(2*time.Hour))
	a.add(span{20, 20}, at.Add(3*time.Hour))
	want := []gap{{span{2, 4}, at.Add(time.Hour)}, {span{7, 9}, at.Add(time.Hour)}, {span{11, 19}, at.Add(3 * time.Hour)}}
	if diff := cmp.Diff(want, a.missing, cmp.AllowUnexported(gap{}, span{})); diff != "" {
		t.Error(diff)
	}
}

// However narrow, nothing is said to have arrived that did not, the gaps stay within their bound, and once everything is
// sent again from where it says, nothing is missing.
func TestNarrowedArrivalsNeverClaimTooMuch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a arrivals
		m := model{}
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		for _, s := range rapid.SliceOfN(rapid.Uint64Range(1, 80), 1, 60).Draw(t, "sequences") {
			m[s] = true
			a.add(span{s, s}, at)
			a.narrow(limit)
			if len(a.missing) > limit {
				t.Fatalf("%d gaps, want at most %d", len(a.missing), limit)
			}
			for i, g := range a.missing {
				if g.from > g.to || g.to >= a.highest || i > 0 && g.from <= a.missing[i-1].to+1 {
					t.Fatalf("gaps out of shape: %v below %d", a.missing, a.highest)
				}
			}
			for _, missing := range m.missing() {
				for s := missing.from; s <= missing.to; s++ {
					covered := false
					for _, g := range a.missing {
						covered = covered || g.from <= s && s <= g.to
					}
					if !covered {
						t.Fatalf("%d never came and is not missing: %v", s, a.missing)
					}
				}
			}
		}
		for s := a.through() + 1; s <= m.highest(); s++ {
			a.add(span{s, s}, at)
			a.narrow(limit)
		}
		if len(a.missing) != 0 || a.through() != m.highest() {
			t.Fatalf("after all was sent again: %v missing, through %d of %d", a.missing, a.through(), m.highest())
		}
	})
}

func TestAbsurdSequences(t *testing.T) {
	tests := []struct {
		name  string
		spans []span
		want  arrivals
	}{
		{"zero", []span{{0, 0}}, arrivals{}},
		{"from zero", []span{{0, 3}}, arrivals{highest: 3}},
		{"above the highest", []span{{MaxSequence + 1, math.MaxUint64}}, arrivals{}},
		{"over the highest", []span{{1, math.MaxUint64}}, arrivals{highest: MaxSequence}},
		{"backwards", []span{{9, 3}}, arrivals{}},
		{"a leap", []span{{MaxSequence, MaxSequence}}, arrivals{highest: MaxSequence, missing: []gap{{span{1, MaxSequence - 1}, at}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var a arrivals
			for _, s := range test.spans {
				a.add(s, at)
			}
			if diff := cmp.Diff(test.want, a, cmp.AllowUnexported(arrivals{}, gap{}, span{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSpansOf(t *testing.T) {
	got := spansOf([]uint64{5, 1, 2, 2, math.MaxUint64, 3, math.MaxUint64, math.MaxUint64 - 1, 7, 6})
	want := []span{{1, 3}, {5, 7}, {math.MaxUint64 - 1, math.MaxUint64}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(span{})); diff != "" {
		t.Error(diff)
	}
}
