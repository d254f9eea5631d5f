package figure

import (
	"math"
	"testing"
)

// The first two are the examples of Vietnam's survey guidance, which uses Yamane's formula at e = 5 %.
func TestSampleSize(t *testing.T) {
	for _, c := range []struct {
		name       string
		population uint32
		margin     float64
		want       uint32
	}{
		{"1,000 transactions", 1000, 0.05, 286},
		{"10,000 transactions", 10_000, 0.05, 385},
		{"a whole number is not rounded up", 400, 0.05, 200},
		{"nobody", 0, 0.05, 0},
		{"one", 1, 0.05, 1},
		{"very many", math.MaxUint32, 0.05, 400},
		{"no margin asks everyone", 500, 0, 500},
		{"margin not a number", 500, math.NaN(), 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := SampleSize(c.population, c.margin); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
