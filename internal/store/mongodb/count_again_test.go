package mongodb

import (
	"fmt"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/tally"
	"pgregory.net/rapid"
)

// TestReplacedAgreesWithTheFold holds what is left out here against what the fold counts: chains, several revisions of
// one rating, rings, revisions of what is not in the cell.
func TestReplacedAgreesWithTheFold(t *testing.T) {
	at := rating.Counted{Unit: "u", Day: "2026-11-22", Hour: 9, Channel: 1, Questionnaire: "kiosk", Version: 3}
	start := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		var records []rating.Record
		var claims []claim
		var all tally.Counts
		for i := range rapid.IntRange(0, 9).Draw(t, "ratings") {
			record := rating.Record{
				ID: rating.RecordID("26", "u", fmt.Sprint(i)), Kind: rating.KindRating, Cell: at.Cell(), Counted: at,
				ReceivedAt: start.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "minute")) * time.Minute),
				Score:      int32(rapid.IntRange(0, 5).Draw(t, "score")),
			}
			if revises := rapid.IntRange(-6, 10).Draw(t, "revises"); revises >= 0 {
				record.Revises = fmt.Sprint(revises)
			}
			if rapid.IntRange(0, 3).Draw(t, "ticket") == 0 {
				record.Flags = []string{rating.FlagTooSoon, rating.FlagTicketAgain}
			}
			records = append(records, record)
			if !record.Repeats() {
				all[record.Score]++
			}
			c := claim{id: fmt.Sprint(i), record: record.ID, revises: record.Revises, received: record.ReceivedAt.UnixMilli(), score: record.Score, repeats: record.Repeats()}
			if c.revises == c.id {
				c.revises = ""
			}
			claims = append(claims, c)
		}
		folded, err := tally.Fold(0, at.Cell(), records)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range replaced(claims) {
			if !c.repeats {
				all[c.score]--
			}
		}
		if all != folded.Cell.Overall {
			t.Fatalf("counted %v, folded %v", all, folded.Cell.Overall)
		}
	})
}
