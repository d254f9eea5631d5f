package figure

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestDistribute(t *testing.T) {
	d := Distribute([5]uint32{5, 10, 15, 30, 40}, 7)
	want := Distribution{
		N: 100, Counts: [5]uint32{5, 10, 15, 30, 40}, Flagged: 7,
		Satisfied: Wilson(70, 100), Neutral: Wilson(15, 100), Dissatisfied: Wilson(15, 100), Mean: Mean([5]uint32{5, 10, 15, 30, 40}),
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	if d := Distribute([5]uint32{0, 1}, 9); d.Flagged != 1 {
		t.Errorf("more doubts than ratings: %d", d.Flagged)
	}
}

func TestSuppress(t *testing.T) {
	for _, c := range []struct {
		name   string
		counts [5]uint32
		hidden bool
	}{
		{"none", [5]uint32{}, false},
		{"one", [5]uint32{1}, true},
		{"four", [5]uint32{1, 1, 1, 0, 1}, true},
		{"five", [5]uint32{1, 1, 1, 1, 1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			full := Distribute(c.counts, 1)
			got := full.Suppress(5)
			if !c.hidden {
				if diff := cmp.Diff(full, got); diff != "" {
					t.Error(diff)
				}
				return
			}
			hidden := func(formula string) Figure { return Figure{Formula: formula, N: full.N, Suppressed: true} }
			want := Distribution{
				N: full.N, Suppressed: true,
				Satisfied: hidden("wilson95"), Neutral: hidden("wilson95"), Dissatisfied: hidden("wilson95"), Mean: hidden("mean_t95"),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSuppressChannels(t *testing.T) {
	of := func(n uint32) [5]uint32 { return [5]uint32{0, 0, n / 2, n - n/2, 0} }
	for _, c := range []struct {
		name   string
		parts  []uint32
		hidden []bool
		pooled bool
	}{
		{"all large", []uint32{10, 20, 30}, []bool{false, false, false}, false},
		{"one small takes the next smallest along", []uint32{3, 50, 20}, []bool{true, false, true}, false},
		{"two small that are enough together", []uint32{3, 4, 50}, []bool{true, true, false}, false},
		{"two small that are too few together", []uint32{1, 1, 50}, []bool{true, true, true}, false},
		{"empty parts hide nothing", []uint32{3, 0, 50}, []bool{true, false, true}, false},
		{"the only part", []uint32{3, 0}, []bool{true, false}, true},
		{"all of them few", []uint32{1, 2, 1}, []bool{true, true, true}, true},
		{"equal sizes: the first", []uint32{20, 3, 20}, []bool{true, true, false}, false},
		{"nothing", []uint32{0, 0}, []bool{false, false}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var parts []Distribution
			var total [5]uint32
			for _, n := range c.parts {
				parts = append(parts, Distribute(of(n), 0))
				for i, k := range of(n) {
					total[i] += k
				}
			}
			pooled, shown := SuppressChannels(Distribute(total, 0), parts, 5)
			if pooled.Suppressed != c.pooled {
				t.Errorf("pooled suppressed: %v", pooled.Suppressed)
			}
			for i, part := range shown {
				if part.Suppressed != c.hidden[i] {
					t.Errorf("part %d of %v suppressed: %v", i, c.parts, part.Suppressed)
				}
			}
		})
	}
}

// Whoever has the answer knows the pooled counts and those of the parts shown. What is left after subtraction must be
// nothing, or a group of at least the minimum made of two parts or more: no hidden part is known, and no small group.
func TestNothingHiddenCanBeSubtracted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minimum := rapid.Uint32Range(0, 12).Draw(t, "minimum")
		size := rapid.IntRange(0, 6).Draw(t, "parts")
		var parts []Distribution
		var total [5]uint32
		for range size {
			counts := drawCounts(t, 6)
			parts = append(parts, Distribute(counts, 0))
			for i, n := range counts {
				total[i] += n
			}
		}
		before := append([]Distribution(nil), parts...)
		pooled, shown := SuppressChannels(Distribute(total, 0), parts, minimum)
		if diff := cmp.Diff(before, parts); diff != "" {
			t.Fatal("arguments changed: " + diff)
		}
		hidden, left := 0, total
		for i, part := range shown {
			if part.N != parts[i].N {
				t.Fatalf("n is not hidden: %d", part.N)
			}
			if part.Suppressed {
				if part.Counts != [5]uint32{} || part.Satisfied.Value != 0 || part.Mean.High != 0 || part.Flagged != 0 {
					t.Fatalf("hidden part tells: %+v", part)
				}
				hidden++
				continue
			}
			if part.N > 0 && part.N < minimum {
				t.Fatalf("small part shown: %+v", part)
			}
			for k := range left {
				left[k] -= part.Counts[k]
			}
		}
		if pooled.Suppressed {
			for _, part := range shown {
				if part.N > 0 && !part.Suppressed {
					t.Fatalf("part larger than the whole: %+v", part)
				}
			}
			return
		}
		if rest := left[0] + left[1] + left[2] + left[3] + left[4]; hidden > 0 && (hidden < 2 || rest < minimum) {
			t.Fatalf("%d hidden, %d ratings left by subtraction, minimum %d", hidden, rest, minimum)
		}
	})
}
