package ratingimport

import (
	"cmp"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Bounds of what a summary names one by one; what is beyond is only counted, under beyond.
const (
	maxUnits  = 10_000
	maxLabels = 1_000
	beyond    = "…"
)

// Summary says what a run found. It covers the whole file, also where the run went on after a crash.
type Summary struct {
	Source    string `json:"source"`     // the source's name in ids
	DryRun    bool   `json:"dry_run"`    // nothing was submitted
	Rows      int64  `json:"rows"`       // all rows but the header and blank ones
	Blank     int64  `json:"blank"`      // rows in which nothing stands
	Skipped   int64  `json:"skipped"`    // rows that the mapping leaves out (ignored: skip)
	Ready     int64  `json:"ready"`      // rows that became a rating, whatever then became of it
	Stored    int64  `json:"stored"`     // new ratings
	Duplicate int64  `json:"duplicate"`  // stored before, or a row with the same identity and content stands above
	Conflict  int64  `json:"conflict"`   // other content is stored under this identity
	Rejected  int64  `json:"rejected"`   // refused by intake, now in quarantine
	Errors    int64  `json:"errors"`     // rows that could not be read or mean nothing under the mapping
	ResumedAt int64  `json:"resumed_at"` // the line after which the run went on; 0 = from the start

	ErrorKinds    map[string]int64       `json:"error_kinds"`    // faults by reason; a row may have several
	Scores        Scores                 `json:"scores"`         // ready rows by overall score
	Units         map[string]*UnitScores `json:"units"`          // by unit id
	Labels        map[string]int64       `json:"labels"`         // ignored labels, "column: label"
	UnknownLabels map[string]int64       `json:"unknown_labels"` // "column: label"
	UnknownUnits  map[string]int64       `json:"unknown_units"`
	UnseenColumns []string               `json:"unseen_columns,omitempty"` // columns of the mapping that no JSON object has
	First         time.Time              `json:"first"`                    // earliest time of a ready row
	Last          time.Time              `json:"last"`                     // latest

	// Rows compared with each other, as far as memory was allowed. A run that went on after a crash compares nothing.
	Examined     int64 `json:"examined"`      // rows that were compared
	ExaminedAll  bool  `json:"examined_all"`  // no row was left out
	Identical    int64 `json:"identical"`     // rows that stand above to the letter
	SameIdentity int64 `json:"same_identity"` // ready rows whose identity and content stand above: DUPLICATE
	OtherContent int64 `json:"other_content"` // ready rows whose identity stands above with other content: CONFLICT
}

// Scores counts by overall score: [0] not asked, [1] to [5].
type Scores [6]int64

// UnitScores is one unit's share.
type UnitScores struct {
	Ready  Scores `json:"ready"`
	Stored Scores `json:"stored"` // of them, newly stored
}

func newSummary(source string, dryRun bool) *Summary {
	s := &Summary{Source: source, DryRun: dryRun}
	s.complete()
	return s
}

// complete makes the maps that are missing, as they are after decoding an empty summary.
func (s *Summary) complete() {
	for _, counts := range []*map[string]int64{&s.ErrorKinds, &s.Labels, &s.UnknownLabels, &s.UnknownUnits} {
		if *counts == nil {
			*counts = map[string]int64{}
		}
	}
	if s.Units == nil {
		s.Units = map[string]*UnitScores{}
	}
}

// count adds one under a name, as long as there are not too many names.
func count(counts map[string]int64, name string) {
	if _, ok := counts[name]; !ok && len(counts) >= maxLabels {
		name = beyond
	}
	counts[name]++
}

func (s *Summary) unit(id string) *UnitScores {
	scores, ok := s.Units[id]
	if !ok && len(s.Units) >= maxUnits {
		id = beyond
		scores, ok = s.Units[id]
	}
	if !ok {
		scores = &UnitScores{}
		s.Units[id] = scores
	}
	return scores
}

// ready counts a row that became a rating.
func (s *Summary) ready(e entry) {
	s.Ready++
	s.Scores[e.score]++
	s.unit(e.unit).Ready[e.score]++
	if s.First.IsZero() || e.occurred.Before(s.First) {
		s.First = e.occurred
	}
	if e.occurred.After(s.Last) {
		s.Last = e.occurred
	}
}

// fault counts one thing wrong.
func (s *Summary) fault(f rowFault) {
	count(s.ErrorKinds, f.reason)
	switch f.reason {
	case reasonLabelUnknown, reasonChoice, reasonChannel:
		count(s.UnknownLabels, f.column+": "+store.Clip(tidy(f.value), maxValue))
	case reasonUnitUnknown:
		count(s.UnknownUnits, store.Clip(tidy(f.value), maxValue))
	}
}

// outcome counts what became of an item and answers a fault where it was not accepted.
func (s *Summary) outcome(e entry, o *pb.ItemOutcome) (rowFault, bool) {
	switch o.GetOutcome() {
	case pb.Outcome_OUTCOME_STORED:
		s.Stored++
		s.unit(e.unit).Stored[e.score]++
		return rowFault{}, false
	case pb.Outcome_OUTCOME_DUPLICATE:
		s.Duplicate++
		return rowFault{}, false
	case pb.Outcome_OUTCOME_CONFLICT:
		s.Conflict++
		return rowFault{line: e.line, reason: reasonConflict, value: o.GetRatingId()}, true
	default:
		s.Rejected++
		reason := o.GetReasonCode()
		if reason == "" {
			reason = reasonRejected
		}
		return rowFault{line: e.line, reason: reason, value: o.GetRatingId(), words: o.GetReason()}, true
	}
}

// byLine orders faults by line, keeping those of a line as they were found.
func byLine(faults []rowFault) []rowFault {
	slices.SortStableFunc(faults, func(a, b rowFault) int { return cmp.Compare(a.line, b.line) })
	return faults
}
