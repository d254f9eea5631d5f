package figure

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Mean is the mean score of the counts for scores 1 to 5, with Student's t interval at 95 %, cut to 1 to 5. With one rating or
// none nothing is known of how people differ: the interval is 1 to 5.
//
// Where all n ratings agree Student's interval would have no width and claim certainty from two people. There the interval
// allows for a share 1 - 0.025^(1/n) of people who differ (Clopper and Pearson's bound for none of n), all of them at
// the far end of the scale.
//
// Source: Student, "The probable error of a mean", Biometrika 6 (1908) 1-25.
func Mean(counts [5]uint32) Figure {
	var n, sum uint64
	agree := 0
	for i, count := range counts {
		n += uint64(count)
		sum += uint64(count) * uint64(i+1)
		if count > 0 {
			agree++
		}
	}
	figure := Figure{Formula: FormulaMean, N: uint32(n), Low: 1, High: 5}
	if n == 0 {
		return figure
	}
	size := float64(n)
	mean := float64(sum) / size
	figure.Value = mean
	if n == 1 {
		return figure
	}
	if agree == 1 {
		_, others := ClopperPearson(0, uint32(n), 0.05)
		figure.Low, figure.High = mean-others*(mean-1), mean+others*(5-mean)
		return figure
	}
	var squares float64
	for i, count := range counts {
		off := float64(i+1) - mean
		squares += float64(count) * off * off
	}
	half := studentT95(n-1) * math.Sqrt(squares/(size-1)/size)
	figure.Low, figure.High = max(1, mean-half), min(5, mean+half)
	return figure
}

// studentT95 is the point of Student's distribution with 2.5 % above it. From 30 degrees on it is Fisher and Cornish's expansion
// about the normal point (Abramowitz and Stegun 26.7.5), right to seven digits there and far faster. Below, the square
// of t over degrees + t² follows a beta distribution (26.7.1), which is inverted.
func studentT95(degrees uint64) float64 {
	d := float64(degrees)
	if degrees >= 30 {
		const (
			z  = z95
			z2 = z * z
			g1 = z * (z2 + 1) / 4
			g2 = z * ((5*z2+16)*z2 + 3) / 96
			g3 = z * (((3*z2+19)*z2+17)*z2 - 15) / 384
			g4 = z * ((((79*z2+776)*z2+1482)*z2-1920)*z2 - 945) / 92160
		)
		return z + (g1+(g2+(g3+g4/d)/d)/d)/d
	}
	x := mathext.InvRegIncBeta(0.5, d/2, 0.95)
	return math.Sqrt(d * x / (1 - x))
}
