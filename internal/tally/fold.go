package tally

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/hailong-vn/hailong/internal/rating"
)

// Fold counts all records of one hour cell. The answer does not depend on their order, and a record given twice is
// considered once. Seen is the number of records, annotations too, so that it can be held against the store's own
// count; Overall, Flagged, Questions and Choices count the ratings that stand (see standing) and do not repeat a ticket
// (rating.Record.Repeats). A rating is flagged by what intake noted on it (Record.Flags) or by an annotation in the cell about it.
//
// In Questions an answer counts by its score, under 0 where the question was left without score and choice; in Choices
// each choice of an answer counts once. One rating counts at most once a question.
//
// Errors mean damage and are for the log: the cell's address is not one, a record belongs to another cell, two
// records share an id but not their content, a score is beyond 0 to 5. A record of a kind this version does not know counts in Seen only.
func Fold(epoch uint32, cell string, records []rating.Record) (HourCell, error) {
	at, err := rating.ParseCell(cell)
	if err != nil {
		return HourCell{}, fmt.Errorf("fold: %w", err)
	}
	if at.Cell() != cell {
		return HourCell{}, fmt.Errorf("fold: not a cell address as they are written: %q", cell)
	}
	once, err := distinct(records)
	if err != nil {
		return HourCell{}, fmt.Errorf("fold %s: %w", cell, err)
	}
	answer := HourCell{
		Leaf: LeafKey{Unit: at.Unit, Day: at.Day, Channel: at.Channel, Questionnaire: at.Questionnaire, QVersion: at.Version},
		Hour: at.Hour,
		Cell: Cell{Version: Version{Epoch: epoch, Seen: uint32(len(once))}},
	}
	doubted := make(map[string]bool)
	for _, record := range once {
		if record.Cell != cell {
			return HourCell{}, fmt.Errorf("fold %s: record %s belongs to %s", cell, record.ID, record.Cell)
		}
		if record.Kind == rating.KindAnnotation {
			doubted[record.About] = true
		}
	}
	for _, record := range counting(once) {
		if err := answer.Cell.count(record, len(record.Flags) > 0 || doubted[bareID(record)]); err != nil {
			return HourCell{}, fmt.Errorf("fold %s: %w", cell, err)
		}
	}
	return answer, nil
}

// count adds one rating to the cell.
func (c *Cell) count(record *rating.Record, flagged bool) error {
	if !scored(record.Score) {
		return fmt.Errorf("record %s: score %d", record.ID, record.Score)
	}
	c.Overall[record.Score]++
	if flagged {
		c.Flagged[record.Score]++
	}
	for i, answer := range record.Answers {
		if !scored(answer.Score) {
			return fmt.Errorf("record %s: score %d for %s", record.ID, answer.Score, answer.Question)
		}
		if answeredBefore(record.Answers[:i], answer.Question) {
			continue
		}
		if countsByScore(answer) {
			if c.Questions == nil {
				c.Questions = make(map[string]Counts)
			}
			counts := c.Questions[answer.Question]
			counts[answer.Score]++
			c.Questions[answer.Question] = counts
		}
		for k, choice := range answer.Choices {
			if slices.Contains(answer.Choices[:k], choice) {
				continue
			}
			if c.Choices == nil {
				c.Choices = make(map[string]uint32)
			}
			c.Choices[answer.Question+"/"+choice]++
		}
	}
	return nil
}

func scored(score int32) bool { return score >= 0 && score <= 5 }

// countsByScore leaves out questions that were answered by choices alone.
func countsByScore(answer rating.Answer) bool { return answer.Score != 0 || len(answer.Choices) == 0 }

func answeredBefore(earlier []rating.Answer, question string) bool {
	return slices.ContainsFunc(earlier, func(a rating.Answer) bool { return a.Question == question })
}

// distinct keeps one of each record id. The store holds an id once for ever; two contents under one id are damage,
// and to choose between them would make the figure depend on the order of reading.
func distinct(records []rating.Record) ([]*rating.Record, error) {
	byID := make(map[string]*rating.Record, len(records))
	once := make([]*rating.Record, 0, len(records))
	for i := range records {
		record := &records[i]
		first, again := byID[record.ID]
		switch {
		case !again:
			byID[record.ID] = record
			once = append(once, record)
		case !sameCounting(first, record):
			return nil, fmt.Errorf("two records named %s differ", record.ID)
		}
	}
	return once, nil
}

// sameCounting tells whether two copies of a record say the same in all that figures rest on.
func sameCounting(a, b *rating.Record) bool {
	return a.Kind == b.Kind && a.Cell == b.Cell && a.ReceivedAt.Equal(b.ReceivedAt) && a.Score == b.Score &&
		a.Revises == b.Revises && a.About == b.About && a.Counter == b.Counter && a.Official == b.Official && a.Procedure == b.Procedure &&
		(len(a.Flags) > 0) == (len(b.Flags) > 0) && a.Repeats() == b.Repeats() && bytes.Equal(a.Bytes, b.Bytes) &&
		slices.EqualFunc(a.Answers, b.Answers, func(x, y rating.Answer) bool {
			return x.Question == y.Question && x.Score == y.Score && slices.Equal(x.Choices, y.Choices)
		})
}
