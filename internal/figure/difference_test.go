package figure

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// Newcombe 1998 (differences), Table II: the eight examples, method 10.
func TestDifferencesAgainstNewcombe1998(t *testing.T) {
	for _, c := range []struct {
		name      string
		a, b      Share
		low, high float64
	}{
		{"(a) 56/70 - 48/80", Share{56, 70}, Share{48, 80}, 0.0524, 0.3339},
		{"(b) 9/10 - 3/10", Share{9, 10}, Share{3, 10}, 0.1705, 0.8090},
		{"(c) 6/7 - 2/7", Share{6, 7}, Share{2, 7}, 0.0582, 0.8062},
		{"(d) 5/56 - 0/29", Share{5, 56}, Share{0, 29}, -0.0381, 0.1926},
		{"(e) 0/10 - 0/20", Share{0, 10}, Share{0, 20}, -0.1611, 0.2775},
		{"(f) 0/10 - 0/10", Share{0, 10}, Share{0, 10}, -0.2775, 0.2775},
		{"(g) 10/10 - 0/20", Share{10, 10}, Share{0, 20}, 0.6791, 1},
		{"(h) 10/10 - 0/10", Share{10, 10}, Share{0, 10}, 0.6075, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Difference(c.a, c.b)
			near(t, "value", d.Value, float64(c.a.K)/float64(c.a.N)-float64(c.b.K)/float64(c.b.N), 1e-15)
			near(t, "low", d.Low, c.low, 0.00005)
			near(t, "high", d.High, c.high, 0.00005)
			if d.Formula != "newcombe95" || d.N != c.a.N+c.b.N || d.Suppressed {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func TestDifferenceWithoutRatings(t *testing.T) {
	want := Figure{Formula: "newcombe95", N: 7, Low: -1, High: 1}
	for name, got := range map[string]Figure{
		"none before": Difference(Share{3, 7}, Share{0, 0}), "none after": Difference(Share{0, 0}, Share{3, 7}),
	} {
		if got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func drawShare(t *rapid.T, name string) Share {
	n := rapid.Uint32Range(0, 5000).Draw(t, name+" n")
	return Share{rapid.Uint32Range(0, n+1).Draw(t, name+" k"), n}
}

func TestDifferenceProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawShare(t, "a"), drawShare(t, "b")
		d, back := Difference(a, b), Difference(b, a)
		if !(-1 <= d.Low && d.Low <= d.Value && d.Value <= d.High && d.High <= 1) {
			t.Fatalf("%v less %v: %+v", a, b, d)
		}
		if d.Value != -back.Value || d.Low != -back.High || d.High != -back.Low {
			t.Fatalf("%v less %v: %+v, the other way round %+v", a, b, d, back)
		}
		if d.Low == d.High {
			t.Fatalf("%v less %v: an interval of no width: %+v", a, b, d)
		}
		// More ratings of the same shares know at least as much.
		if wide := Difference(Share{min(a.K, a.N) * 10, a.N * 10}, Share{min(b.K, b.N) * 10, b.N * 10}); wide.High-wide.Low > d.High-d.Low+1e-12 {
			t.Fatalf("ten times %v and %v: %+v after %+v", a, b, wide, d)
		}
	})
}

// How often the interval holds the true difference, by drawing: near 95 % on average over shares and sizes, as the paper finds.
func TestDifferenceCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 1998)) //nolint:gosec // a test that repeats
	draw := func(n uint32, share float64) (k uint32) {
		for range n {
			if random.Float64() < share {
				k++
			}
		}
		return k
	}
	held, all := 0, 0
	for range 20_000 {
		na, nb := 10+random.Uint32N(90), 10+random.Uint32N(90)
		pa, pb := random.Float64(), random.Float64()
		d := Difference(Share{draw(na, pa), na}, Share{draw(nb, pb), nb})
		if all++; d.Low <= pa-pb && pa-pb <= d.High {
			held++
		}
	}
	if rate := float64(held) / float64(all); math.Abs(rate-0.95) > 0.01 {
		t.Errorf("the interval holds the truth %.1f %% of the time", rate*100)
	}
}

func TestDifferencesAreWithheld(t *testing.T) {
	large, small := Distribute([5]uint32{2, 3, 5, 10, 20}, 0), Distribute([5]uint32{0, 0, 0, 1, 1}, 0)
	satisfied, dissatisfied := Differences(large, large)
	if satisfied.Value != 0 || satisfied.N != 80 || dissatisfied.Suppressed || satisfied.Low >= 0 {
		t.Errorf("of the same: %+v, %+v", satisfied, dissatisfied)
	}
	for name, sides := range map[string][2]Distribution{"after": {large, small.Suppress(5)}, "before": {small.Suppress(5), large}} {
		satisfied, dissatisfied := Differences(sides[0], sides[1])
		if want := (Figure{Formula: "newcombe95", N: 42, Suppressed: true}); satisfied != want || dissatisfied != want {
			t.Errorf("withheld %s: %+v, %+v", name, satisfied, dissatisfied)
		}
	}
}
