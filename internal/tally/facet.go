package tally

import (
	"strconv"
	"strings"

	"github.com/hailong-vn/hailong/internal/rating"
)

// FacetKey names a facet document: one unit and month (yyyy-mm).
type FacetKey struct {
	Unit  string
	Month string
}

// ID is the facet's document id, unit first: a unit's months are one range.
func (k FacetKey) ID() string { return k.Unit + "/" + k.Month }

// Facet counts a unit's month by counter, by procedure, by official and by question, each for itself and never crossed: crossed
// they would fall into cells of one rating, from which who rated whom could be read. The Epoch of its Version is a FacetEpoch.
type Facet struct {
	Key FacetKey
	Version
	Counters   map[string]Counts // by counter id
	Procedures map[string]Counts // by procedure code
	Officials  map[string]Counts // by official id
	Questions  map[string]Counts // by "questionnaire@version/question"
}

// facetFormat tells what facets hold. Raise it with every kind of count that is added: then every facet that stands is older than
// what the same records fold to now, the sweep finds it stale and folds it again, and no worker of an older program, which
// would leave the new counts out, can put its own in place.
//
//	0: procedures, officials, questions
//	1: counters too
const facetFormat = 1

// The format stands above the epoch: 2^24 restores are more than will ever be.
const (
	formatShift = 24
	epochMask   = 1<<formatShift - 1
)

// FacetEpoch is the Epoch of facets that are folded under an epoch now: newer than the epoch before, and than every facet of
// an older format.
func FacetEpoch(epoch uint32) uint32 { return facetFormat<<formatShift | epoch&epochMask }

// FoldedUnder is the epoch the facet was folded under.
func (f Facet) FoldedUnder() uint32 { return f.Epoch & epochMask }

// Outdated tells whether a facet lacks counts that are folded now, because it was folded before they were added.
func (f Facet) Outdated() bool { return f.Epoch>>formatShift < facetFormat }

// FoldFacet counts the records of a unit's month, of all its cells, by overall score for counters, procedures and officials and by
// the answer's score for questions. Ratings stand or fall within their cell exactly as in Fold, and
// answers count as in Cell.Questions. Records of other units or months are left aside and do not count in Seen; the order does not matter.
//
// A damaged record, for which Fold answers an error, counts in Seen only, so that one of them does not hold up a month.
func FoldFacet(epoch uint32, key FacetKey, records []rating.Record) Facet {
	facet := Facet{Key: key, Version: Version{Epoch: FacetEpoch(epoch)},
		Counters: map[string]Counts{}, Procedures: map[string]Counts{}, Officials: map[string]Counts{}, Questions: map[string]Counts{}}
	cells := make(map[string]map[string][]*rating.Record) // by cell, then by record id
	for i := range records {
		record := &records[i]
		if record.Counted.Unit != key.Unit || !strings.HasPrefix(string(record.Counted.Day), key.Month+"-") {
			continue
		}
		byID := cells[record.Cell]
		if byID == nil {
			byID = make(map[string][]*rating.Record)
			cells[record.Cell] = byID
		}
		byID[record.ID] = append(byID[record.ID], record)
	}
	for _, byID := range cells {
		facet.Seen += uint32(len(byID))
		sound := make([]*rating.Record, 0, len(byID))
		for _, copies := range byID {
			if soundCopies(copies) {
				sound = append(sound, copies[0])
			}
		}
		for _, record := range counting(sound) {
			facet.count(record)
		}
	}
	return facet
}

// soundCopies tells whether all copies of a record agree and can be counted.
func soundCopies(copies []*rating.Record) bool {
	for _, record := range copies {
		if !sameCounting(copies[0], record) || !scored(record.Score) {
			return false
		}
		for _, answer := range record.Answers {
			if !scored(answer.Score) {
				return false
			}
		}
	}
	return true
}

func (f *Facet) count(record *rating.Record) {
	tick := func(of map[string]Counts, key string, score int32) {
		counts := of[key]
		counts[score]++
		of[key] = counts
	}
	if record.Counter != "" {
		tick(f.Counters, record.Counter, record.Score)
	}
	if record.Procedure != "" {
		tick(f.Procedures, record.Procedure, record.Score)
	}
	if record.Official != "" {
		tick(f.Officials, record.Official, record.Score)
	}
	form := record.Counted.Questionnaire + "@" + strconv.Itoa(int(record.Counted.Version)) + "/"
	for i, answer := range record.Answers {
		if countsByScore(answer) && !answeredBefore(record.Answers[:i], answer.Question) {
			tick(f.Questions, form+answer.Question, answer.Score)
		}
	}
}
