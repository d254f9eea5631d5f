package figure

// Distribution is how a group of ratings spreads over the scores, with the figures that are shown of it.
type Distribution struct {
	N            uint32    // ratings with an overall score
	Counts       [5]uint32 // for scores 1 to 5
	Satisfied    Figure    // share of 4 and 5
	Neutral      Figure    // share of 3
	Dissatisfied Figure    // share of 1 and 2
	Mean         Figure    // mean score
	Flagged      uint32    // ratings in N that carry a doubt; they are counted
	Suppressed   bool      // everything but N is withheld
}

// Distribute makes the distribution of counts for scores 1 to 5, of which flagged carry a doubt.
func Distribute(counts [5]uint32, flagged uint32) Distribution {
	n := counts[0] + counts[1] + counts[2] + counts[3] + counts[4]
	return Distribution{
		N:            n,
		Counts:       counts,
		Satisfied:    Wilson(counts[3]+counts[4], n),
		Neutral:      Wilson(counts[2], n),
		Dissatisfied: Wilson(counts[0]+counts[1], n),
		Mean:         Mean(counts),
		Flagged:      min(flagged, n),
	}
}

// Suppress withholds everything but N where there are ratings but fewer than minimum: from so few, who gave which score
// could be read. An empty distribution has nothing to hide.
func (d Distribution) Suppress(minimum uint32) Distribution {
	if d.N == 0 || d.N >= minimum {
		return d
	}
	return d.hide()
}

func (d Distribution) hide() Distribution {
	return Distribution{
		N:            d.N,
		Satisfied:    d.Satisfied.suppressed(),
		Neutral:      d.Neutral.suppressed(),
		Dissatisfied: d.Dissatisfied.suppressed(),
		Mean:         d.Mean.suppressed(),
		Suppressed:   true,
	}
}
