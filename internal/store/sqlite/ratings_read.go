package sqlite

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
)

const (
	cellPage   = 2000 // cells a statement reads
	recentPage = 2000 // records a statement looks back over
	// Records are appended about in the order in which they were received: one that was received this much before what is
	// looked for ends the search.
	recentDisorder = 15 * time.Minute
)

// Cell reads all records of a cell.
func (r ratings) Cell(ctx context.Context, cell string) (records []rating.Record, err error) {
	err = r.e.rows(ctx, "SELECT body FROM ratings WHERE cell = ? ORDER BY seq", []any{cell}, func(rows *sql.Rows) error {
		record, err := scanRating(rows)
		records = append(records, record)
		return err
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// Cells reads the records of some cells, cell by cell.
func (r ratings) Cells(ctx context.Context, cells []string) iter.Seq2[rating.Record, error] {
	return func(yield func(rating.Record, error) bool) {
		for _, cell := range cells {
			for record, err := range r.records(ctx, cell) {
				if !yield(record, err) || err != nil {
					return
				}
			}
		}
	}
}

// records reads a cell in pages, in the order in which its records were appended.
func (r ratings) records(ctx context.Context, cell string) iter.Seq2[rating.Record, error] {
	return pages(int64(0), func(after int64) (page []rating.Record, last int64, more bool, err error) {
		query := "SELECT seq, body FROM ratings WHERE cell = ? AND seq > ? ORDER BY seq LIMIT ?"
		err = r.e.rows(ctx, query, []any{cell, after, pageRows}, func(rows *sql.Rows) error {
			var body sql.RawBytes
			if err := rows.Scan(&last, &body); err != nil {
				return err
			}
			record, err := decodeRating(body)
			page = append(page, record)
			return err
		})
		return page, last, err == nil && len(page) == pageRows, err
	})
}

func scanRating(rows *sql.Rows) (record rating.Record, err error) {
	var body sql.RawBytes
	if err := rows.Scan(&body); err != nil {
		return record, err
	}
	return decodeRating(body)
}

// CellCounts counts records by cell.
func (r ratings) CellCounts(ctx context.Context, from, to string) iter.Seq2[store.CellCount, error] {
	return pages(from, func(from string) (page []store.CellCount, next string, more bool, err error) {
		query := "SELECT cell, count(*) FROM ratings WHERE cell >= ? AND cell < ? GROUP BY cell ORDER BY cell LIMIT ?"
		err = r.e.rows(ctx, query, []any{from, to, cellPage}, func(rows *sql.Rows) error {
			var count store.CellCount
			err := rows.Scan(&count.Cell, &count.Count)
			page = append(page, count)
			return err
		})
		if err != nil || len(page) < cellPage {
			return page, "", false, err
		}
		return page, idAfter(page[len(page)-1].Cell), true, nil
	})
}

// Recent names the cells of records received lately, newest first.
func (r ratings) Recent(ctx context.Context, since time.Time) iter.Seq2[string, error] {
	from, stop := since.UnixMilli(), since.Add(-recentDisorder).UnixMilli()
	return pages(int64(1)<<62, func(before int64) (page []string, next int64, more bool, err error) {
		read, old, last := 0, false, ""
		query := "SELECT seq, cell, received FROM ratings WHERE seq < ? ORDER BY seq DESC LIMIT ?"
		err = r.e.rows(ctx, query, []any{before, recentPage}, func(rows *sql.Rows) error {
			var cell string
			var received int64
			if err := rows.Scan(&next, &cell, &received); err != nil {
				return err
			}
			read++
			old = old || received < stop
			if received >= from && cell != last {
				page, last = append(page, cell), cell
			}
			return nil
		})
		return page, next, err == nil && read == recentPage && !old, err
	})
}

// Scan reads records in the order of their ids.
func (r ratings) Scan(ctx context.Context, from, to string) iter.Seq2[rating.Record, error] {
	if to == "" {
		to = lastID
	}
	return pages(from, func(from string) (page []rating.Record, next string, more bool, err error) {
		query := "SELECT body FROM ratings WHERE id > ? AND id < ? ORDER BY id LIMIT ?"
		err = r.e.rows(ctx, query, []any{from, to, pageRows}, func(rows *sql.Rows) error {
			record, err := scanRating(rows)
			page = append(page, record)
			return err
		})
		if err != nil || len(page) < pageRows {
			return page, "", false, err
		}
		return page, page[len(page)-1].ID, true, nil
	})
}

// countAgain counts ratings that no other of their cell revises, and of those that revise the same one only the last; those that
// repeat a ticket take the place of others and do not count.
const countAgain = `
SELECT r.cell, r.score, count(*)
FROM ratings r
WHERE r.cell >= ? AND r.cell < ? AND r.kind = 'rating' AND r.repeats = 0
AND NOT EXISTS (
	SELECT 1 FROM ratings o
	WHERE o.cell = r.cell AND o.revises IS NOT NULL AND o.kind = 'rating' AND o.revises = r.bare AND o.bare <> r.bare
)
AND (r.revises IS NULL OR r.revises = r.bare OR NOT EXISTS (
	SELECT 1 FROM ratings o
	WHERE o.cell = r.cell AND o.revises IS NOT NULL AND o.kind = 'rating' AND o.revises = r.revises AND o.bare <> o.revises
	AND (o.received, o.bare) > (r.received, r.bare)
))
GROUP BY r.cell, r.score
ORDER BY r.cell, r.score`

// CountAgain counts the overall scores of ratings by cell, in SQL.
func (r ratings) CountAgain(ctx context.Context, from, to string) iter.Seq2[store.CellScores, error] {
	return pages(from, func(from string) (page []store.CellScores, next string, more bool, err error) {
		cells, err := r.e.strings(ctx, "SELECT DISTINCT cell FROM ratings WHERE cell >= ? AND cell < ? ORDER BY cell LIMIT ?", from, to, cellPage)
		if err != nil || len(cells) == 0 {
			return nil, "", false, err
		}
		next = idAfter(cells[len(cells)-1])
		err = r.e.rows(ctx, countAgain, []any{from, next}, func(rows *sql.Rows) error {
			var cell string
			var score int
			var count uint32
			if err := rows.Scan(&cell, &score, &count); err != nil {
				return err
			}
			if len(page) == 0 || page[len(page)-1].Cell != cell {
				page = append(page, store.CellScores{Cell: cell})
			}
			if scores := &page[len(page)-1].Overall; score >= 0 && score < len(scores) {
				scores[score] += count
			}
			return nil
		})
		return page, next, err == nil && len(cells) == cellPage, err
	})
}
