package ratingimport

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// scorePlan is a column's rules, ready to be used.
type scorePlan struct {
	column  int
	name    string // of the column
	labels  map[string]int32
	ignore  map[string]bool
	skip    bool // an ignored label leaves the row out
	scale   []scaleRange
	reverse bool
}

// numberPattern is a number as people write it, with a point or a comma.
var numberPattern = regexp.MustCompile(`^[+-]?[0-9]{1,9}([.,][0-9]{1,9})?$`)

// scaleRange maps numbers, both ends included, to a score.
type scaleRange struct {
	from, to float64
	score    int32
}

// scored is what a text came to.
type scored struct {
	score   int32  // 1 to 5; 0 = no answer
	skip    bool   // the mapping leaves such rows out
	ignored bool   // the text is one of those that mean no answer
	reason  string // why it is no score; empty = it is
}

// read turns a text into a score, in the order the mapping's documentation gives.
func (p *scorePlan) read(text string) scored {
	folded := fold(text)
	if p.ignore[folded] {
		return scored{skip: p.skip, ignored: true}
	}
	if folded == "" {
		return scored{reason: reasonScoreMissing}
	}
	if score, ok := p.labels[folded]; ok {
		return scored{score: p.turn(score)}
	}
	number, err := strconv.ParseFloat(strings.Replace(folded, ",", ".", 1), 64)
	if err != nil || !numberPattern.MatchString(folded) {
		return scored{reason: reasonLabelUnknown}
	}
	if p.scale != nil {
		for _, r := range p.scale {
			if number >= r.from && number <= r.to {
				return scored{score: p.turn(r.score)}
			}
		}
		return scored{reason: reasonScoreRange}
	}
	if number < 1 || number > 5 || number != math.Trunc(number) {
		return scored{reason: reasonScoreRange}
	}
	return scored{score: p.turn(int32(number))}
}

func (p *scorePlan) turn(score int32) int32 {
	if p.reverse {
		return 6 - score
	}
	return score
}

// parseRange reads "0..2" or "7".
func parseRange(text string) (from, to float64, ok bool) {
	low, high, two := strings.Cut(text, "..")
	if !two {
		high = low
	}
	from, err := strconv.ParseFloat(strings.TrimSpace(low), 64)
	if err != nil {
		return 0, 0, false
	}
	to, err = strconv.ParseFloat(strings.TrimSpace(high), 64)
	return from, to, err == nil && from <= to
}
