package figure

import (
	"cmp"
	"slices"
)

// SuppressChannels withholds small parts of a whole, such as the channels of a unit, so that none can be had by
// subtraction. Primary: the whole and every part with fewer than minimum ratings (Distribution.Suppress). Complementary:
// while the whole is shown and something is hidden, the smallest part still shown is hidden too, until at least two
// parts are hidden and together they hold at least minimum ratings; what pooled minus the shown parts tells is then as
// large a group as any that is shown. Pooled must be the sum of the parts; their N stay visible. The arguments are not changed.
//
// A difference can still tell something where everyone hidden answered alike, as any group that is shown can.
//
// Source: A. Hundepool and others, Statistical Disclosure Control (Wiley 2012), chapter 4 on cell suppression.
func SuppressChannels(pooled Distribution, parts []Distribution, minimum uint32) (Distribution, []Distribution) {
	shown := make([]Distribution, len(parts))
	var left []int // parts that are shown so far and hold ratings
	var hidden int
	var within uint64
	for i, part := range parts {
		shown[i] = part.Suppress(minimum)
		switch {
		case shown[i].Suppressed:
			hidden++
			within += uint64(part.N)
		case part.N > 0:
			left = append(left, i)
		}
	}
	pooled = pooled.Suppress(minimum)
	if pooled.Suppressed || hidden == 0 {
		return pooled, shown
	}
	slices.SortStableFunc(left, func(a, b int) int { return cmp.Compare(parts[a].N, parts[b].N) })
	for _, i := range left {
		if hidden >= 2 && within >= uint64(minimum) {
			break
		}
		shown[i] = shown[i].hide()
		hidden++
		within += uint64(parts[i].N)
	}
	return pooled, shown
}
