package figure

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// near fails unless got is want to the digits that the source prints.
func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s = %.6g, want %.6g", what, got, want)
	}
}

// Newcombe 1998, Table I: four examples, methods 3 (Wilson's score without continuity correction) and 5 (Clopper-Pearson).
func TestSharesAgainstNewcombe1998(t *testing.T) {
	for _, c := range []struct {
		name                string
		k, n                uint32
		low, high           float64 // method 3
		exactLow, exactHigh float64 // method 5
	}{
		{"81 of 263", 81, 263, 0.2553, 0.3662, 0.2527, 0.3676},
		{"15 of 148", 15, 148, 0.0624, 0.1605, 0.0578, 0.1617},
		{"0 of 20", 0, 20, 0, 0.1611, 0, 0.1684},
		{"1 of 29", 1, 29, 0.0061, 0.1718, 0.0009, 0.1776},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := Wilson(c.k, c.n)
			near(t, "value", w.Value, float64(c.k)/float64(c.n), 1e-15)
			near(t, "low", w.Low, c.low, 0.00005)
			near(t, "high", w.High, c.high, 0.00005)
			if w.Formula != "wilson95" || w.N != c.n || w.Suppressed {
				t.Errorf("got %+v", w)
			}
			low, high := ClopperPearson(c.k, c.n, 0.05)
			near(t, "exact low", low, c.exactLow, 0.00005)
			near(t, "exact high", high, c.exactHigh, 0.00005)
		})
	}
}

func TestWilsonAtTheEdges(t *testing.T) {
	for _, c := range []struct {
		name string
		k, n uint32
		want Figure
	}{
		{"nothing known", 0, 0, Figure{Formula: "wilson95", High: 1}},
		{"more than all of none", 3, 0, Figure{Formula: "wilson95", High: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Wilson(c.k, c.n); got != c.want {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestWilsonProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint32Range(1, math.MaxUint32).Draw(t, "n")
		k := rapid.Uint32Range(0, n).Draw(t, "k")
		w := Wilson(k, n)
		if !(0 <= w.Low && w.Low <= w.Value && w.Value <= w.High && w.High <= 1) {
			t.Fatalf("not in order: %+v", w)
		}
		if (w.Low == 0) != (k == 0) || (w.High == 1) != (k == n) {
			t.Fatalf("ends of the scale only where all agree: %+v", w)
		}
		mirror := Wilson(n-k, n)
		if math.Abs(mirror.Low-(1-w.High)) > 1e-12 || math.Abs(mirror.High-(1-w.Low)) > 1e-12 {
			t.Fatalf("mirror of %+v is %+v", w, mirror)
		}
		if more := Wilson(k+1, n); k < n && !(more.Low >= w.Low && more.High >= w.High) {
			t.Fatalf("more of %d gives less: %+v then %+v", n, w, more)
		}
	})
}

// Given the share, 95 % of Wilson's intervals hold it, on average over shares; single pairs of share and n are known to dip (Brown, Cai and
// DasGupta, Statistical Science 16 (2001) 101-133). A usual p ± 1.96 s fails this at once.
func TestWilsonCoversWhatItPromises(t *testing.T) {
	random := rand.New(rand.NewPCG(1927, 1))
	total, held := 0, 0
	for _, n := range []int{10, 30, 100, 1000} {
		for _, share := range []float64{0.02, 0.05, 0.1, 0.3, 0.5, 0.8, 0.93} {
			const rounds = 2000
			here := 0
			for range rounds {
				w := Wilson(draw(random, n, share), uint32(n))
				if w.Low <= share && share <= w.High {
					here++
				}
			}
			if here < rounds*90/100 {
				t.Errorf("n %d, share %v: held %d of %d", n, share, here, rounds)
			}
			total, held = total+rounds, held+here
		}
	}
	if rate := float64(held) / float64(total); rate < 0.94 || rate > 0.975 {
		t.Errorf("held %.4f, want about 0.95", rate)
	}
}

// Coverage of the exact interval is computed, not drawn: for every share it is at least what was asked for, however far out.
func TestClopperPearsonNeverFallsShort(t *testing.T) {
	for _, alpha := range []float64{0.05, 0.001, 1.5e-5} {
		const n = 30
		var low, high [n + 1]float64
		for k := range low {
			low[k], high[k] = ClopperPearson(uint32(k), n, alpha)
		}
		for i := 1; i < 400; i++ {
			share := float64(i) / 400
			var missed float64
			for k, chance := 0, math.Pow(1-share, n); k <= n; k++ {
				if share < low[k] || high[k] < share {
					missed += chance
				}
				chance *= float64(n-k) / float64(k+1) * share / (1 - share)
			}
			if missed > alpha*(1+1e-6) {
				t.Errorf("alpha %v, share %v: misses %v", alpha, share, missed)
			}
		}
	}
}

func TestBinomialTail(t *testing.T) {
	for _, c := range []struct {
		name  string
		k, n  uint32
		share float64
		want  float64
	}{
		{"8 or more heads of 10 coins", 8, 10, 0.5, 56.0 / 1024},
		{"one six or more in four throws (de Méré)", 1, 4, 1.0 / 6, 671.0 / 1296},
		{"one or more of six sixes in 6 (Newton to Pepys)", 1, 6, 1.0 / 6, 31031.0 / 46656},
		{"two or more sixes in 12 (Newton to Pepys)", 2, 12, 1.0 / 6, 1346704211.0 / 2176782336},
		{"none or more", 0, 10, 0.3, 1},
		{"none or more of none", 0, 0, 0.3, 1},
		{"more than there are", 11, 10, 0.3, 0},
		{"impossible", 1, 10, 0, 0},
		{"certain", 10, 10, 1, 1},
		{"not a number", 1, 10, math.NaN(), 0},
	} {
		t.Run(c.name, func(t *testing.T) { near(t, "tail", BinomialTail(c.k, c.n, c.share), c.want, 1e-12) })
	}
	t.Run("against sums of whole numbers", func(t *testing.T) {
		for _, n := range []int{1, 7, 60, 400} {
			for _, share := range []float64{0.001, 0.07, 0.25, 0.5, 0.97} {
				for k := 0; k <= n; k += 1 + n/23 {
					want := exactTail(k, n, share)
					near(t, "tail", BinomialTail(uint32(k), uint32(n), share), want, 1e-10*want+1e-300)
				}
			}
		}
	})
	t.Run("large numbers", func(t *testing.T) {
		// The median of a binomial with whole n·share is n·share, and the chance of the middle itself is about 1/sqrt(2 pi n p q).
		near(t, "tail", BinomialTail(500_000, 1_000_000, 0.5), 0.5+0.5/math.Sqrt(2*math.Pi*250_000), 1e-6)
	})
}

// exactTail sums P(X >= k) with 200-bit numbers.
func exactTail(k, n int, share float64) float64 {
	float := func() *big.Float { return new(big.Float).SetPrec(200) }
	// powers answers 1, x, x², ... x^n.
	powers := func(x *big.Float) []*big.Float {
		list := []*big.Float{float().SetInt64(1)}
		for i := range n {
			list = append(list, float().Mul(list[i], x))
		}
		return list
	}
	p := float().SetFloat64(share)
	of, others := powers(p), powers(float().Sub(float().SetInt64(1), p))
	sum := float()
	for i := k; i <= n; i++ {
		term := float().SetInt(new(big.Int).Binomial(int64(n), int64(i)))
		sum.Add(sum, term.Mul(term, of[i]).Mul(term, others[n-i]))
	}
	answer, _ := sum.Float64()
	return answer
}

// draw is a binomial number: how often it happens in n times, jumping from one to the next.
func draw(random *rand.Rand, n int, share float64) uint32 {
	if share > 0.5 {
		return uint32(n) - draw(random, n, 1-share)
	}
	for at, k := 0, uint32(0); ; k++ {
		if at += 1 + int(math.Log1p(-random.Float64())/math.Log1p(-share)); at > n {
			return k
		}
	}
}
