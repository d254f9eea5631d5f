package figure

import "math"

// SampleSize is how many people to ask of a population so that a share is known to within ± margin (such as 0.05) at about
// 95 %: n = N / (1 + N e²), rounded up. A margin that is not above 0 asks everyone.
//
// Source: T. Yamane, Statistics: An Introductory Analysis, 2nd ed. (Harper & Row 1967), p. 886.
func SampleSize(population uint32, margin float64) uint32 {
	if !(margin > 0) {
		return population
	}
	size := float64(population)
	// What floating point adds above a whole number must not ask for one person more.
	return uint32(math.Ceil(size/(1+size*margin*margin) - 1e-9))
}
