package chart

import "math"

// axis is a scale between two whole hundredths with a tick every step. Hundredths are whole numbers, so that ticks
// are exact.
type axis struct{ from, to, step int }

// narrowest is the smallest span of an axis of shares, in hundredths: a wobble of two points must not fill the page.
const narrowest = 20

// whole is the axis from 0 to 100 %.
func whole() axis { return axis{0, 100, 25} }

// shareAxis holds every figure with its interval. It begins at 0 where that costs little, and never spans less than
// narrowest.
func shareAxis(figures ...[]Figure) axis {
	low, high := math.Inf(1), math.Inf(-1)
	for _, list := range figures {
		for _, f := range list {
			if f.standing() == shown {
				f = f.tidy()
				low, high = min(low, f.Low*100), max(high, f.High*100)
			}
		}
	}
	if low > high {
		return whole()
	}
	if missing := narrowest - (high - low); missing > 0 {
		low, high = low-missing/2, high+missing/2
	}
	if low < 0 {
		low, high = 0, high-low
	}
	if high > 100 {
		low, high = low-(high-100), 100
	}
	if low < 25 || low < (high-low)/2 {
		low = 0
	}
	return round(max(low, 0), min(high, 100), 0, 100)
}

// pointAxis holds differences (-1..1) on both sides of zero alike, at least five points each way.
func pointAxis(values ...float64) axis {
	reach := 5.0
	for _, v := range values {
		if finite(v) {
			reach = max(reach, math.Abs(v)*100)
		}
	}
	reach = min(reach, 100)
	for _, step := range []int{2, 5, 10, 20, 25} {
		if to := int(math.Ceil(reach/float64(step)-1e-9)) * step; to/step <= 3 {
			return axis{-to, to, step}
		}
	}
	return axis{-100, 100, 50}
}

func round(low, high float64, least, most int) axis {
	for _, step := range []int{1, 2, 5, 10, 20, 25} {
		from := int(math.Floor(low/float64(step)+1e-9)) * step
		to := int(math.Ceil(high/float64(step)-1e-9)) * step
		if (to-from)/step <= 5 || step == 25 {
			return axis{max(from, least), min(max(to, from+step), most), step}
		}
	}
	return axis{least, most, 25}
}

// at is where a share stands on the axis, 0 at its beginning and 1 at its end; beyond them it stays at the edge.
func (a axis) at(share float64) float64 {
	return clamp((share*100-float64(a.from))/float64(a.to-a.from), 0, 1)
}

// ticks are the places of the labels, as shares.
func (a axis) ticks() []float64 {
	var ticks []float64
	for t := a.from; t <= a.to; t += a.step {
		ticks = append(ticks, float64(t)/100)
	}
	return ticks
}
