package analysis

import (
	"math"
	"strconv"
	"strings"

	"github.com/hailong-vn/hailong/internal/language"
)

// Sentence says in one sentence why the unit needs attention.
func (f FollowUp) Sentence(in language.Language) string {
	key := "analysis.follow_up"
	chance, below := roundedChance(f.P)
	if below {
		key = "analysis.follow_up_below"
	}
	return in.Text(key,
		"share", percent(in, f.Dissatisfied.Value, 1), "n", whole(in, f.Dissatisfied.N),
		"parent", percent(in, f.Parent.Value, 1), "chance", percent(in, chance, decimals(chance)))
}

// roundedChance is a chance as people are told it: below one of a few round numbers, or about so many per cent.
func roundedChance(p float64) (chance float64, below bool) {
	for _, bound := range []float64{0.0001, 0.001, 0.01} {
		if p < bound {
			return bound, true
		}
	}
	return math.Round(p*100) / 100, false
}

func decimals(chance float64) int {
	switch {
	case chance < 0.001:
		return 2
	case chance < 0.01:
		return 1
	}
	return 0
}

// percent writes a share as people of a language do: "32,5 %" in Vietnamese, "32.5%" in English.
func percent(in language.Language, share float64, decimals int) string {
	text := strconv.FormatFloat(share*100, 'f', decimals, 64)
	if in == language.English {
		return text + "%"
	}
	return strings.Replace(text, ".", ",", 1) + " %"
}

// whole writes a whole number with its thousands apart: "1.234" in Vietnamese, "1,234" in English.
func whole(in language.Language, n uint32) string {
	separator := "."
	if in == language.English {
		separator = ","
	}
	text := strconv.FormatUint(uint64(n), 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + separator + text[i:]
	}
	return text
}
