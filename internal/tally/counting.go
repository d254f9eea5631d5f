package tally

import (
	"fmt"

	"github.com/hailong-vn/hailong/internal/rating"
)

// Counting answers which ratings of one hour cell are in its figures: those that Fold counts, in the order given, each once. Errors mean
// damage, as those of Fold.
func Counting(cell string, records []rating.Record) ([]*rating.Record, error) {
	once, err := distinct(records)
	if err != nil {
		return nil, fmt.Errorf("counting in %s: %w", cell, err)
	}
	for _, record := range once {
		if record.Cell != cell {
			return nil, fmt.Errorf("counting in %s: record %s belongs to %s", cell, record.ID, record.Cell)
		}
		if !scored(record.Score) {
			return nil, fmt.Errorf("counting in %s: record %s: score %d", cell, record.ID, record.Score)
		}
	}
	return counting(once), nil
}
