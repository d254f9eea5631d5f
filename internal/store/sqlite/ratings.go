package sqlite

import (
	"context"
	"fmt"
	"strings"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// ratings is the append-only store of ratings and annotations.
type ratings struct{ e *Engine }

// Ratings is the append-only store.
func (e *Engine) Ratings() store.Ratings { return ratings{e} }

// insertRows is how many records one statement inserts where that many wait.
const insertRows = 16

// ratingRow is a record ready to be written.
type ratingRow struct {
	id, cell, kind string
	received       int64
	score          int32
	revises        any // NULL where it revises nothing
	repeats        bool
	body           []byte
}

func readRating(record *rating.Record) (ratingRow, error) {
	if err := store.CheckID(record.ID); err != nil {
		return ratingRow{}, err
	}
	body, err := bson.Marshal(record)
	if err != nil {
		return ratingRow{}, fmt.Errorf("%w: encode %s: %w", store.ErrInvalid, record.ID, err)
	}
	if len(body) > store.MaxBodyBytes {
		return ratingRow{}, store.ErrTooLarge
	}
	row := ratingRow{id: record.ID, cell: record.Cell, kind: string(record.Kind), received: record.ReceivedAt.UnixMilli(), score: record.Score,
		repeats: record.Repeats(), body: body}
	if record.Revises != "" {
		row.revises = record.Revises
	}
	return row, nil
}

// Append adds records by id. When ctx ends while the write is under way it may yet land.
func (r ratings) Append(ctx context.Context, records []rating.Record) ([]store.Appended, error) {
	if len(records) == 0 {
		return nil, nil
	}
	rows, weight := make([]ratingRow, len(records)), 0
	for i := range records {
		var err error
		if rows[i], err = readRating(&records[i]); err != nil {
			return nil, err
		}
		weight += len(rows[i].body)
	}
	var answers []store.Appended
	err := r.e.writer.do(ctx, weight, func(t *tx) (err error) {
		answers, err = t.appendRatings(rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answers, nil
}

// appendRatings gives each record a seq of its own, so that where a statement inserted fewer rows than it was given, the seqs tell which.
func (t *tx) appendRatings(rows []ratingRow) ([]store.Appended, error) {
	answers := make([]store.Appended, len(rows))
	seq, err := t.lastSeq()
	if err != nil {
		return nil, err
	}
	first := seq + 1
	for at := 0; at < len(rows); {
		n := 1
		if len(rows)-at >= insertRows {
			n = insertRows
		}
		args := make([]any, 0, 9*n)
		for _, row := range rows[at : at+n] {
			seq++
			args = append(args, seq, row.id, row.cell, row.received, row.kind, row.score, row.revises, row.repeats, row.body)
		}
		t.w.seq = seq
		added, err := t.exec(insertRatings(n), args...)
		if err != nil {
			return nil, err
		}
		if added == int64(n) {
			for i := range n {
				answers[at+i].Stored = true
			}
		} else if err := t.findStored(rows[at:at+n], first+int64(at), answers[at:at+n]); err != nil {
			return nil, err
		}
		at += n
	}
	return answers, nil
}

// findStored tells which of some rows are in the table under the seqs they were given, and reads what the others met.
func (t *tx) findStored(rows []ratingRow, first int64, answers []store.Appended) error {
	for i, row := range rows {
		var seq int64
		var body []byte
		found, err := t.row("SELECT seq, body FROM ratings WHERE id = ?", []any{row.id}, &seq, &body)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("%s was neither stored nor found", row.id)
		}
		if seq == first+int64(i) {
			answers[i].Stored = true
			continue
		}
		record, err := decodeRating(body)
		if err != nil {
			return err
		}
		answers[i].Existing = &record
	}
	return nil
}

// lastSeq is the largest seq given out; another process may have moved it before this transaction.
func (t *tx) lastSeq() (int64, error) {
	if t.seqKnown {
		return t.w.seq, nil
	}
	var last int64
	if _, err := t.row("SELECT coalesce(max(seq), 0) FROM ratings", nil, &last); err != nil {
		return 0, err
	}
	t.w.seq, t.seqKnown = last, true
	return last, nil
}

var (
	insertOneRating   = insertSQL(1)
	insertManyRatings = insertSQL(insertRows)
)

func insertRatings(n int) string {
	if n == 1 {
		return insertOneRating
	}
	return insertManyRatings
}

func insertSQL(n int) string {
	return "INSERT INTO ratings (seq, id, cell, received, kind, score, revises, repeats, body) VALUES " +
		strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?, ?, ?, ?), ", n), ", ") + " ON CONFLICT (id) DO NOTHING"
}

func decodeRating(body []byte) (record rating.Record, err error) {
	if err := bson.Unmarshal(body, &record); err != nil {
		return record, fmt.Errorf("decode a rating: %w", err)
	}
	return record, nil
}

// Get reads one record.
func (r ratings) Get(ctx context.Context, recordID string) (rating.Record, error) {
	var body []byte
	found, err := r.e.row(ctx, "SELECT body FROM ratings WHERE id = ?", []any{recordID}, &body)
	if err != nil {
		return rating.Record{}, err
	}
	if !found {
		return rating.Record{}, store.ErrNotFound
	}
	return decodeRating(body)
}
