package figure

import "math"

// Difference is the share of a less the share of b (-1 to 1), where a and b were rated by different people, with Newcombe's
// interval at 95 %. It joins the Wilson intervals of the two shares, and like them it stays within what can be and is not of
// zero width at the ends. Where either has no ratings nothing is known: the value is 0, the interval -1 to 1. A K above N is
// taken for N. N is the ratings of both.
//
// Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
// methods", Statistics in Medicine 17 (1998) 873-890, method 10 (score intervals without continuity correction).
func Difference(a, b Share) Figure {
	figure := Figure{Formula: FormulaNewcombe, N: a.N + b.N, Low: -1, High: 1}
	if a.N == 0 || b.N == 0 {
		return figure
	}
	one, other := Wilson(a.K, a.N), Wilson(b.K, b.N)
	figure.Value = one.Value - other.Value
	figure.Low = max(-1, figure.Value-math.Hypot(one.Value-one.Low, other.High-other.Value))
	figure.High = min(1, figure.Value+math.Hypot(one.High-one.Value, other.Value-other.Low))
	return figure
}

// Differences are what of two distributions may be told: the differences of the shares of satisfied and of dissatisfied, a less
// b. Both are withheld where either distribution is, for from a difference and one side the other could be had.
func Differences(a, b Distribution) (satisfied, dissatisfied Figure) {
	satisfied = Difference(Share{a.Counts[3] + a.Counts[4], a.N}, Share{b.Counts[3] + b.Counts[4], b.N})
	dissatisfied = Difference(Share{a.Counts[0] + a.Counts[1], a.N}, Share{b.Counts[0] + b.Counts[1], b.N})
	if a.Suppressed || b.Suppressed {
		return satisfied.suppressed(), dissatisfied.suppressed()
	}
	return satisfied, dissatisfied
}
