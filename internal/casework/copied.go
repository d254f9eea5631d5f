package casework

import (
	"hash/fnv"
	"iter"
	"slices"
	"strings"

	"github.com/hailong-vn/hailong/internal/searchtext"
)

// Shingles are the runs of words of a text, as numbers in order, each once. They may be kept: the same text gives the same numbers
// on every machine, composed or decomposed, with or without diacritics.
type Shingles []uint64

// run is how many words a shingle has. Vietnamese writes syllables apart, so four of them are two or three words of the language:
// long enough that set phrases of the office ("kính gửi ông bà") are not all there is.
const run = 4

// LikeEnough is the share from which an explanation should be shown beside the earlier one. It is a default and blocks nothing.
const LikeEnough = 0.6

// ShinglesOf makes them. A text shorter than a run is one shingle; one without a word has none.
func ShinglesOf(text string) Shingles {
	words := searchtext.Words(text)
	if len(words) == 0 {
		return nil
	}
	var out Shingles
	for i := range max(1, len(words)-run+1) {
		h := fnv.New64a()
		_, _ = h.Write([]byte(strings.Join(words[i:min(i+run, len(words))], " "))) // never fails
		out = append(out, h.Sum64())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Like is the Jaccard share of two texts: shingles they have in common of all they have, 0 to 1; 0 where either has none.
func (s Shingles) Like(other Shingles) float64 {
	common, i, j := 0, 0, 0
	for i < len(s) && j < len(other) {
		switch {
		case s[i] == other[j]:
			common, i, j = common+1, i+1, j+1
		case s[i] < other[j]:
			i++
		default:
			j++
		}
	}
	if common == 0 {
		return 0
	}
	return float64(common) / float64(len(s)+len(other)-common)
}

// Alike is an earlier explanation and how much of it is the same.
type Alike struct {
	ID    string
	Share float64 // Jaccard, 0 to 1
}

// MostAlike finds, of earlier explanations by id, the one a text is most like; of equals the first. False where none has anything in
// common with it.
func MostAlike(text string, earlier iter.Seq2[string, Shingles]) (Alike, bool) {
	mine := ShinglesOf(text)
	var best Alike
	for id, theirs := range earlier {
		if share := mine.Like(theirs); share > best.Share {
			best = Alike{ID: id, Share: share}
		}
	}
	return best, best.Share > 0
}
