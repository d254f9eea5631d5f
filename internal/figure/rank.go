package figure

import (
	"cmp"
	"math"
	"slices"
)

// Share is K of N ratings.
type Share struct{ K, N uint32 }

// Rank is a place among others, from 1 (the highest share), with the places that the data leave open.
type Rank struct {
	Rank int // by the share itself; equal shares have the best place among them; 0 = no ratings, not ranked
	Low  int // the best place it can hold
	High int // the worst place it can hold
}

// RankIntervals ranks shares, highest first, each with an interval of places such that at 95 % confidence all intervals
// hold the true places at once (where units are truly equal, every place they share). Shares without ratings are not
// ranked and not counted among the others. It takes O(n log n).
//
// Each of the m shares gets an interval at confidence 0.95^(1/m) (Šidák: units are rated independently), so that all
// hold at once at 95 %. Whoever's interval lies wholly above is surely before, wholly below surely after; the places
// between are open. This is the joint region of Klein, Wright and Wieczorek. The pairwise tests of Mogstad, Romano,
// Shaikh and Wilhelm can be somewhat narrower but need a bootstrap over m² pairs (11 million for the communes of
// Vietnam), and a rank that differs between two calls cannot be explained to the unit that holds it. The intervals are
// Clopper and Pearson's, because at the confidence of one among thousands Wilson's do not hold what they promise.
//
// Sources: M. Klein, T. Wright and J. Wieczorek, "A joint confidence region for an overall ranking of populations",
// JRSS C 69 (2020) 589-606; Z. Šidák, "Rectangular confidence regions for the means of multivariate normal
// distributions", JASA 62 (1967) 626-633. Not taken: M. Mogstad, J. P. Romano, A. M. Shaikh and D. Wilhelm,
// "Inference for ranks", Review of Economic Studies 91 (2024) 476-518.
func RankIntervals(shares []Share) []Rank {
	type placed struct {
		at        int // in shares
		low, high float64
	}
	order := make([]placed, 0, len(shares))
	for i, share := range shares {
		if share.N > 0 {
			order = append(order, placed{at: i})
		}
	}
	m := len(order)
	alpha := -math.Expm1(math.Log(0.95) / float64(m)) // 1 - 0.95^(1/m), without losing digits
	lows, highs := make([]float64, m), make([]float64, m)
	for i := range order {
		share := shares[order[i].at]
		order[i].low, order[i].high = ClopperPearson(share.K, share.N, alpha)
		lows[i], highs[i] = order[i].low, order[i].high
	}
	slices.Sort(lows)
	slices.Sort(highs)
	slices.SortFunc(order, func(a, b placed) int { return -compareShares(shares[a.at], shares[b.at]) })
	ranks := make([]Rank, len(shares))
	rank := 0
	for i, p := range order {
		if i == 0 || compareShares(shares[order[i-1].at], shares[p.at]) != 0 {
			rank = i + 1
		}
		below, _ := slices.BinarySearch(highs, p.low) // intervals that end before this one begins
		notAbove, _ := slices.BinarySearchFunc(lows, p.high, func(low, high float64) int {
			if low <= high {
				return -1
			}
			return 1
		})
		ranks[p.at] = Rank{Rank: rank, Low: 1 + m - notAbove, High: m - below}
	}
	return ranks
}

// compareShares compares without rounding. A K above N is taken for N.
func compareShares(a, b Share) int {
	return cmp.Compare(uint64(min(a.K, a.N))*uint64(b.N), uint64(min(b.K, b.N))*uint64(a.N))
}
