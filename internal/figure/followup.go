package figure

import (
	"cmp"
	"slices"
)

// Compared is a unit's dissatisfied ratings beside those of its parent, the unit itself among them.
type Compared struct{ Unit, Parent Share }

// FollowUp says whether a unit's dissatisfaction is beyond chance.
type FollowUp struct {
	Dissatisfied Figure  // the unit's share
	Parent       Figure  // its parent's share, which it is held against
	P            float64 // chance of at least so many dissatisfied were the unit like its parent
	Q            float64 // the same, adjusted for the number of units looked at
	Beyond       bool    // the unit needs attention
}

// FollowUps looks at many units at once, in their order. A unit is Beyond where the lower end of its Wilson interval is above
// its parent's share and its Q is at most rate: then of all units found, a share of at most rate is there by chance,
// on average. Q is over all units given, found or not: give every unit looked at, and none twice.
//
// P is the exact binomial tail P(X >= k) at the share of the parent as a whole, the unit included. Held against the rest of the
// parent alone, a unit with few siblings would be held against a share that is itself uncertain, and chance would be
// underrated; with the unit included it is overrated a little, the more the larger the unit's part, and so the
// rate of false alarms is kept. It also is the share that a reader sees beside the unit's.
func FollowUps(units []Compared, rate float64) []FollowUp {
	answer := make([]FollowUp, len(units))
	p := make([]float64, len(units))
	for i, unit := range units {
		f := FollowUp{
			Dissatisfied: Wilson(unit.Unit.K, unit.Unit.N),
			Parent:       Wilson(unit.Parent.K, unit.Parent.N),
			P:            1,
		}
		if unit.Unit.N > 0 && unit.Parent.N > 0 {
			f.P = BinomialTail(unit.Unit.K, unit.Unit.N, f.Parent.Value)
		}
		answer[i], p[i] = f, f.P
	}
	for i, q := range BenjaminiHochberg(p) {
		f := &answer[i]
		f.Q = q
		f.Beyond = f.Parent.N > 0 && f.Dissatisfied.Low > f.Parent.Value && q <= rate
	}
	return answer
}

// BenjaminiHochberg turns the p-values of many tests into q-values, in their order: taking every test with q <= rate for
// true makes the expected share of false ones among those taken at most rate. It holds for independent tests and for tests that
// are positively dependent.
//
// Source: Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate: a practical and powerful approach to multiple
// testing", JRSS B 57 (1995) 289-300; positive dependence: Y. Benjamini and D. Yekutieli, Annals of Statistics 29 (2001) 1165-1188.
func BenjaminiHochberg(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[b], p[a]) })
	q := make([]float64, len(p))
	least := 1.0
	for after, i := range order {
		rank := len(p) - after
		least = min(least, p[i]*(float64(len(p))/float64(rank))) // this way round q is never below p
		q[i] = least
	}
	return q
}
