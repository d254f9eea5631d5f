// Package figure holds the formulas: every number that Hailong shows about ratings comes from here, with the n it rests on,
// an interval and the formula's name. All of it is pure; each formula names its source and is tested against
// the source's own worked example.
//
// Satisfied is a score of 4 or 5, neutral 3, dissatisfied 1 or 2. Shares run from 0 to 1, means from 1 to 5.
// Intervals are at 95 % confidence unless it says otherwise.
package figure

// Names of formulas, as figures carry them.
const (
	FormulaWilson   = "wilson95"   // a share with Wilson's interval: see Wilson
	FormulaMean     = "mean_t95"   // a mean score with Student's interval: see Mean
	FormulaNewcombe = "newcombe95" // a difference of two shares with Newcombe's interval: see Difference
)

// Figure is a number with its uncertainty.
type Figure struct {
	Formula    string  // which formula made it
	N          uint32  // ratings it rests on
	Value      float64 // a share (0 to 1), a mean (1 to 5) or a difference (-1 to 1); 0 where N is 0 or Suppressed
	Low        float64 // lower end of the interval
	High       float64 // upper end of the interval
	Suppressed bool    // N is too small to be shown without showing who rated; Value, Low and High are 0
}

// suppressed is the figure with nothing left but its formula and n.
func (f Figure) suppressed() Figure { return Figure{Formula: f.Formula, N: f.N, Suppressed: true} }
