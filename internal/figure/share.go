package figure

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// z95 is the point of the standard normal distribution with 2.5 % above it.
const z95 = 1.959963984540054

// Wilson is the share k of n with Wilson's score interval at 95 %, without continuity correction. Unlike the usual
// p ± 1.96 s it stays within 0 to 1, is not of zero width at 0 or n, and covers about 95 % on average even where n is 10. Without
// ratings nothing is known: the interval is 0 to 1. A k above n is taken for n.
//
// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927)
// 209-212; it is method 3 in R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in
// Medicine 17 (1998) 857-872.
func Wilson(k, n uint32) Figure {
	figure := Figure{Formula: FormulaWilson, N: n, High: 1}
	if n == 0 {
		return figure
	}
	k = min(k, n)
	size, share := float64(n), float64(k)/float64(n)
	figure.Value = share
	square := z95 * z95
	middle := share + square/(2*size)
	half := z95 * math.Sqrt(share*(1-share)/size+square/(4*size*size))
	// At the ends the algebra gives 0 and 1 exactly; rounding must not.
	if k > 0 {
		figure.Low = (middle - half) / (1 + square/size)
	}
	if k < n {
		figure.High = (middle + half) / (1 + square/size)
	}
	return figure
}

// ClopperPearson is the exact interval for the share k of n that misses with a chance of at most alpha in all, at most
// half of it on either side, whatever the true share. It is wider than Wilson's, and the one to use where a guarantee is
// needed far out in the tails: with n = 30 and an alpha of 1 in 65,000 Wilson's misses shares near 0 or 1 up to 44 times in 1,000.
//
// Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
// Biometrika 26 (1934) 404-413; method 5 in Newcombe 1998.
func ClopperPearson(k, n uint32, alpha float64) (low, high float64) {
	low, high = 0, 1
	k = min(k, n)
	if n == 0 {
		return low, high
	}
	oneEnd := math.Exp(math.Log(alpha/2) / float64(n)) // solves share^n = alpha/2
	switch {
	case k == n:
		low = oneEnd
	case k > 0:
		low = mathext.InvRegIncBeta(float64(k), float64(n-k)+1, alpha/2)
	}
	switch {
	case k == 0:
		high = 1 - oneEnd
	case k < n:
		// The mirror image (share of the others) keeps the small tail small, which inverting at 1 - alpha/2 would round.
		high = 1 - mathext.InvRegIncBeta(float64(n-k), float64(k)+1, alpha/2)
	}
	return low, high
}

// BinomialTail is the chance of k or more of n where each has the chance share: P(X >= k). It is exact, by the identity
// P(X >= k) = I(share; k, n-k+1) with the regularized incomplete beta function.
//
// Source: M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions (1964), 26.5.24.
func BinomialTail(k, n uint32, share float64) float64 {
	switch {
	case k == 0:
		return 1
	case k > n || !(share > 0): // a share that is not a number has no chance either
		return 0
	case share >= 1:
		return 1
	}
	return mathext.RegIncBeta(float64(k), float64(n-k)+1, share)
}
