package figure

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Benjamini and Hochberg 1995, section 3.2: p-values of 15 endpoints of a trial (Neuhaus and others 1992). At 0.05 their
// procedure rejects the first four, Bonferroni's three.
func TestBenjaminiHochberg1995(t *testing.T) {
	p := []float64{
		0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
	}
	q := BenjaminiHochberg(p)
	for i := range q {
		if (q[i] <= 0.05) != (i < 4) {
			t.Errorf("p %v: q %v", p[i], q[i])
		}
	}
	// q by hand: the least of p(j)·15/j for j from i on.
	near(t, "q1", q[0], 0.0015, 1e-12)
	near(t, "q2", q[1], 0.0030, 1e-12)
	near(t, "q4", q[3], 0.035625, 1e-12)
	near(t, "q6, by the seventh", q[5], 0.0298*15/7, 1e-12)
	near(t, "q15", q[14], 1, 1e-12)
}

func TestBenjaminiHochbergProperties(t *testing.T) {
	if got := BenjaminiHochberg(nil); len(got) != 0 {
		t.Errorf("none: %v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 40).Draw(t, "p")
		given := slices.Clone(p)
		q := BenjaminiHochberg(p)
		if !slices.Equal(p, given) {
			t.Fatal("arguments changed")
		}
		// The step-up procedure as the paper states it: the largest k with p(k) <= k/m·rate, and all up to it.
		rate := rapid.Float64Range(0.001, 0.999).Draw(t, "rate")
		sorted := slices.Sorted(slices.Values(p))
		limit := -1.0
		for k, value := range sorted {
			if value*(float64(len(p))/float64(k+1)) <= rate {
				limit = value
			}
		}
		for i := range p {
			if (q[i] <= rate) != (p[i] <= limit) {
				t.Fatalf("p %v, limit %v, q %v, rate %v", p[i], limit, q[i], rate)
			}
			if q[i] < p[i] || q[i] > 1 {
				t.Fatalf("p %v, q %v", p[i], q[i])
			}
		}
	})
}

func TestFollowUps(t *testing.T) {
	parent := Share{K: 100, N: 1000}
	for _, c := range []struct {
		name   string
		unit   Compared
		beyond bool
	}{
		{"like its parent", Compared{Share{10, 100}, parent}, false},
		{"far worse", Compared{Share{40, 100}, parent}, true},
		{"far better", Compared{Share{0, 200}, parent}, false},
		{"all of few", Compared{Share{2, 2}, parent}, false},
		{"no ratings", Compared{Share{0, 0}, parent}, false},
		{"only child", Compared{Share{100, 1000}, parent}, false},
		{"nobody dissatisfied anywhere", Compared{Share{0, 50}, Share{0, 900}}, false},
		{"everyone dissatisfied everywhere", Compared{Share{50, 50}, Share{900, 900}}, false},
		{"parent unknown", Compared{Share{5, 5}, Share{}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Nineteen others that are like their parent are looked at too.
			units := slices.Repeat([]Compared{{Share{10, 100}, parent}}, 20)
			units[7] = c.unit
			got := FollowUps(units, 0.05)
			if len(got) != 20 || got[7].Beyond != c.beyond {
				t.Errorf("got %+v", got[7])
			}
			if got[7].Dissatisfied != Wilson(c.unit.Unit.K, c.unit.Unit.N) || got[7].Parent != Wilson(c.unit.Parent.K, c.unit.Parent.N) {
				t.Errorf("got %+v", got[7])
			}
		})
	}
	t.Run("p is the binomial tail, q over all", func(t *testing.T) {
		got := FollowUps([]Compared{{Share{8, 10}, Share{50, 100}}, {Share{0, 10}, Share{50, 100}}}, 0.05)
		near(t, "p", got[0].P, 56.0/1024, 1e-12)
		near(t, "q", got[0].Q, 2*56.0/1024, 1e-12)
		near(t, "p of the other", got[1].P, 1, 1e-12)
	})
}

// In provinces where some communes are worse and the rest are alike, the share of false ones among those found is at most
// the rate, on average, and most of the worse are found. Testing each at 5 % by itself fails this.
func TestFalseDiscoveriesAreKept(t *testing.T) {
	for _, c := range []struct {
		name        string
		worse       int
		smallParent bool
	}{{"none is worse", 0, false}, {"few are worse", 6, false}, {"many are worse", 40, false}, {"parents of four children", 6, true}} {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1995, 1))
			const worlds, units, rate = 400, 120, 0.05
			var falseShare, found float64
			for range worlds {
				compared := make([]Compared, units)
				family := units
				if c.smallParent {
					family = 4
				}
				for i := range compared {
					n, share := 40+random.IntN(300), 0.08
					if i%family == 0 && i/family < c.worse || !c.smallParent && i < c.worse {
						share = 0.22
					}
					compared[i].Unit = Share{K: draw(random, n, share), N: uint32(n)}
				}
				for i := 0; i < units; i += family {
					var parent Share
					for _, unit := range compared[i : i+family] {
						parent.K += unit.Unit.K
						parent.N += unit.Unit.N
					}
					for k := range family {
						compared[i+k].Parent = parent
					}
				}
				right, wrong := 0.0, 0.0
				for i, f := range FollowUps(compared, rate) {
					worse := i%family == 0 && i/family < c.worse || !c.smallParent && i < c.worse
					switch {
					case f.Beyond && worse:
						right++
					case f.Beyond:
						wrong++
					}
				}
				if wrong > 0 {
					falseShare += wrong / (right + wrong)
				}
				found += right
			}
			falseShare /= worlds
			t.Logf("false among found %.4f, found %.1f of %d", falseShare, found/worlds, c.worse)
			// A standard error over 400 worlds with nothing to find is 0.011.
			if falseShare > rate+0.02 {
				t.Errorf("false among found: %.4f", falseShare)
			}
			if c.worse > 0 && !c.smallParent && found/worlds < 0.5*float64(c.worse) {
				t.Errorf("found only %.1f of %d", found/worlds, c.worse)
			}
		})
	}
}
