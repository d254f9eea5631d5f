package figure

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// Table of Student's distribution as printed in NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2 (0.975 column).
func TestStudentAgainstNIST(t *testing.T) {
	for degrees, want := range map[uint64]float64{
		1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 10: 2.228, 20: 2.086, 30: 2.042, 60: 2.000, 100: 1.984,
	} {
		near(t, "t", studentT95(degrees), want, 0.0005)
	}
	near(t, "t of 194 degrees (NIST 1.3.5.2)", studentT95(194), 1.9723, 0.00005)
	near(t, "t of 1,000 degrees", studentT95(1000), 1.9623, 0.00005)
	near(t, "t of 999,999 degrees", studentT95(999_999), 1.959966, 0.0000005)
	near(t, "t where the two formulas meet (29)", studentT95(29), 2.0452296, 0.0000001)
	near(t, "t where the two formulas meet (30)", studentT95(30), 2.0422725, 0.0000001)
	near(t, "t of very many", studentT95(5_000_000), 1.959964, 0.000001)
}

func TestMean(t *testing.T) {
	for _, c := range []struct {
		name             string
		counts           [5]uint32
		value, low, high float64
	}{
		{"nothing", [5]uint32{}, 0, 1, 5},
		{"one person", [5]uint32{0, 1}, 2, 1, 5},
		// 1, 2, 3, 4, 5: s² = 2.5, t of 4 degrees 2.77645, half width 2.77645 · sqrt(2.5 / 5) = 1.96324
		{"one of each", [5]uint32{1, 1, 1, 1, 1}, 3, 1.03676, 4.96324},
		// mean 4, squares about it 10·3² + 10·1² + 40·1² = 140, t of 99 degrees 1.98422 · sqrt(140 / 99 / 100) = 0.23596
		{"a hundred", [5]uint32{10, 0, 10, 40, 40}, 4, 3.76404, 4.23596},
		{"cut to the scale", [5]uint32{1, 0, 0, 0, 1}, 3, 1, 5},
		// 1 - 0.025^(1/20) = 0.168433 of people may differ
		{"twenty agree", [5]uint32{0, 0, 0, 0, 20}, 5, 5 - 4*0.168433, 5},
		{"two agree in the middle", [5]uint32{0, 0, 2}, 3, 3 - 2*0.841886, 3 + 2*0.841886},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Mean(c.counts)
			near(t, "value", m.Value, c.value, 1e-12)
			near(t, "low", m.Low, c.low, 0.00001)
			near(t, "high", m.High, c.high, 0.00001)
			if m.Formula != "mean_t95" || m.Suppressed {
				t.Errorf("got %+v", m)
			}
		})
	}
}

func TestMeanStaysOnTheScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := drawCounts(t, 1<<28)
		m := Mean(counts)
		if m.N > 0 && !(1 <= m.Low && m.Low <= m.Value && m.Value <= m.High && m.High <= 5) {
			t.Fatalf("not in order: %+v", m)
		}
		if m.N > 1 && m.Low == m.High {
			t.Fatalf("certainty from %d people: %+v", m.N, m)
		}
	})
}

func TestMeanCoversWhatItPromises(t *testing.T) {
	random := rand.New(rand.NewPCG(1908, 1))
	shares := [5]float64{0.08, 0.07, 0.15, 0.4, 0.3}
	truth := 0.0
	for i, share := range shares {
		truth += share * float64(i+1)
	}
	const rounds = 4000
	for _, n := range []int{15, 60, 300} {
		held := 0
		for range rounds {
			var counts [5]uint32
			for range n {
				at, x := 0, random.Float64()
				for at < 4 && x >= shares[at] {
					x -= shares[at]
					at++
				}
				counts[at]++
			}
			if m := Mean(counts); m.Low <= truth && truth <= m.High {
				held++
			}
		}
		if rate := float64(held) / rounds; math.Abs(rate-0.95) > 0.02 {
			t.Errorf("n %d: held %.4f", n, rate)
		}
	}
}

func drawCounts(t *rapid.T, most uint32) (counts [5]uint32) {
	for i := range counts {
		if rapid.Bool().Draw(t, "some") {
			counts[i] = rapid.Uint32Range(0, most).Draw(t, "count")
		}
	}
	return counts
}
