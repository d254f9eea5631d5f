package ratinglist_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/ratinglist"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// counting counts what is read of the ratings.
type counting struct {
	store.Ratings
	ranges, cells, records int
}

func (c *counting) CellCounts(ctx context.Context, from, to string) iter.Seq2[store.CellCount, error] {
	c.ranges++
	return counted(c.Ratings.CellCounts(ctx, from, to), &c.cells)
}

func (c *counting) Cells(ctx context.Context, cells []string) iter.Seq2[rating.Record, error] {
	return counted(c.Ratings.Cells(ctx, cells), &c.records)
}

func counted[T any](sequence iter.Seq2[T, error], n *int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for value, err := range sequence {
			*n++
			if !yield(value, err) {
				return
			}
		}
	}
}

// A page costs about as many reads as it holds ratings, however many there are beside them.
func TestCostOfAPage(t *testing.T) {
	onEngines(t, func(h *house) {
		const offices, days = 200, 60
		var records []rating.Record
		for i := range offices {
			h.unit(fmt.Sprintf("o%03d", i), "b", "office", fmt.Sprintf("Văn phòng %d", i))
		}
		put := func(unit string, day, hour, n int, score int32) {
			c := rating.Counted{Unit: unit, Day: today.Add(-day), Hour: hour, Channel: paper, Questionnaire: "kiosk", Version: 1}
			for i := range n {
				records = append(records, rating.Record{
					ID: rating.RecordID("p", unit, fmt.Sprintf("%s-%d-%d-%d", unit, day, hour, i)), Kind: rating.KindRating, Cell: c.Cell(), Counted: c,
					ReceivedAt: noon(), OccurredAt: noon(), Score: score,
				})
			}
		}
		for day := range days {
			for i := range offices {
				put(fmt.Sprintf("o%03d", i), day, 7+(day+i)%10, 1, int32(1+i%5)) //nolint:gosec // 1 to 5
			}
		}
		put("a1", 0, 9, 10_000, 1) // one busy hour
		for len(records) > 0 {
			n := min(len(records), 1000)
			_, err := h.engine.Ratings().Append(h.Context(), records[:n])
			h.check(err)
			records = records[n:]
		}
		for name, c := range map[string]struct {
			request                       *pb.ListRatingsRequest
			ratings                       int
			ranges, cells, records, calls int // at most; calls for the whole list
		}{
			"a commune of many offices": {&pb.ListRatingsRequest{UnitId: "b"}, 50, 1, 201, 250, 1},
			"one office of many":        {&pb.ListRatingsRequest{UnitId: "o007"}, 31, 31, 31, 62, 1},
			"a score in five":           {&pb.ListRatingsRequest{UnitId: "b", Scores: []int32{3}}, 50, 3, 900, 450, 1},
			"a score nobody gave":       {&pb.ListRatingsRequest{UnitId: "b", Scores: []int32{0}}, 0, 40, 6_300, 4_000, 2},
			"ten years of nothing":      {&pb.ListRatingsRequest{UnitId: "a", From: "2016-11-23", To: "2026-08-01"}, 0, 1_000, 0, 0, 8},
			"one busy hour":             {&pb.ListRatingsRequest{UnitId: "a1"}, 50, 1, 1, 10_000, 1},
		} {
			h.Run(name, func(t *testing.T) {
				read := &counting{Ratings: h.engine.Ratings()}
				list, err := ratinglist.New(ratinglist.Options{
					Ratings: read, Directory: h.directory, Comments: h.intake, Keys: h.keys, Now: noon, Logger: slog.New(slog.DiscardHandler),
				})
				h.check(err)
				began := time.Now()
				page := h.page(list, c.request)
				t.Logf("%d ratings of %d ranges, %d cells, %d records in %s", len(page.GetRatings()), read.ranges, read.cells, read.records, time.Since(began))
				if len(page.GetRatings()) != c.ratings || read.ranges > c.ranges || read.cells > c.cells || read.records > c.records {
					t.Errorf("want %d ratings of at most %d ranges, %d cells, %d records", c.ratings, c.ranges, c.cells, c.records)
				}
				if c.ratings == 0 {
					if _, calls := h.all(list, leader(""), c.request, nil); calls > c.calls {
						t.Errorf("nothing is found in %d calls, want %d", calls, c.calls)
					}
				}
			})
		}
	})
}
