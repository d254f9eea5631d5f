package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

// sameRecord compares records as they are kept: times to the millisecond, nothing for empty.
var sameRecord = cmp.Options{cmpopts.EquateEmpty(), cmp.Transformer("milliseconds", store.Milliseconds)}

// recorded is when the suite's records were received, unless a test says otherwise.
func recorded() time.Time { return time.Date(2026, 11, 22, 7, 30, 0, 0, time.UTC) }

// record is a rating of a unit, in the cell of a day and hour.
func record(unit, id string, day localday.Day, hour int, score int32) rating.Record {
	counted := rating.Counted{Unit: unit, Day: day, Hour: hour, Channel: 1, Questionnaire: "kiosk", Version: 3}
	return rating.Record{
		ID: rating.RecordID("26", unit, id), Kind: rating.KindRating, Cell: counted.Cell(), Counted: counted,
		ReceivedAt: recorded(), OccurredAt: recorded().Add(-time.Minute), Bytes: []byte("rating " + id), Score: score,
	}
}

func (s suite) ratings() []subtest {
	const day = localday.Day("2026-11-22")
	return []subtest{
		{"append and get", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			full := record("u", "1", day, 14, 4)
			full.ReceivedAt = time.Date(2026, 11, 22, 14, 30, 0, 123_456_789, localday.Zone)
			full.Flags, full.Answers = []string{rating.FlagOld}, []rating.Answer{{Question: "wait", Score: 2, Choices: []string{"long", "very_long"}}, {Question: "text"}}
			full.Counter, full.Official, full.Procedure, full.Revises = "c1", "o1", "1.004194.000.00.00.H26", "0"
			full.Device, full.Sequence, full.Account, full.Source, full.Bytes = "d1", 1<<40, "a1", "tệp", []byte{0, 255, 1}
			appended, err := ratings.Append(t.Context(), []rating.Record{full})
			must(t, err)
			if len(appended) != 1 || !appended[0].Stored || appended[0].Existing != nil {
				t.Errorf("%+v", appended)
			}
			got, err := ratings.Get(t.Context(), full.ID)
			must(t, err)
			if diff := cmp.Diff(full, got, sameRecord); diff != "" {
				t.Error(diff)
			}
			_, err = ratings.Get(t.Context(), full.ID+"x")
			want(t, err, store.ErrNotFound)
		}},
		{"append the same again", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			given := record("u", "1", day, 14, 4)
			for again := range 3 {
				appended, err := ratings.Append(t.Context(), []rating.Record{given})
				must(t, err)
				if again == 0 {
					continue
				}
				if appended[0].Stored || appended[0].Existing == nil {
					t.Fatalf("%+v", appended)
				}
				if diff := cmp.Diff(given, *appended[0].Existing, sameRecord); diff != "" {
					t.Error(diff)
				}
			}
			records, err := ratings.Cell(t.Context(), given.Cell)
			must(t, err)
			if len(records) != 1 {
				t.Errorf("%d records", len(records))
			}
		}},
		{"a conflict is left to the caller", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			first, second := record("u", "1", day, 14, 4), record("u", "1", day, 15, 1)
			_, err := ratings.Append(t.Context(), []rating.Record{first})
			must(t, err)
			appended, err := ratings.Append(t.Context(), []rating.Record{second})
			must(t, err)
			if appended[0].Stored || appended[0].Existing == nil || appended[0].Existing.Score != 4 {
				t.Errorf("%+v", appended)
			}
			got, err := ratings.Get(t.Context(), first.ID)
			must(t, err)
			if diff := cmp.Diff(first, got, sameRecord); diff != "" {
				t.Error(diff)
			}
			if records, err := ratings.Cell(t.Context(), second.Cell); err != nil || len(records) != 0 {
				t.Errorf("the second's cell holds %v, %v", records, err)
			}
		}},
		{"the same id twice in a call", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			var records []rating.Record
			for i := range 40 { // more than any engine writes at once in one piece
				records = append(records, record("u", name("%d", i%10), day, 14, int32(1+i/10)))
			}
			appended, err := ratings.Append(t.Context(), records)
			must(t, err)
			for i, a := range appended {
				switch {
				case a.Stored != (i < 10):
					t.Errorf("item %d: %+v", i, a)
				case !a.Stored && (a.Existing == nil || a.Existing.ID != records[i].ID || a.Existing.Score != 1):
					t.Errorf("item %d met %+v", i, a.Existing)
				}
			}
		}},
		{"old and new in a call", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			var even, all []rating.Record
			for i := range 100 {
				r := record("u", name("%03d", i), day, 14, 3)
				if all = append(all, r); i%2 == 0 {
					even = append(even, r)
				}
			}
			_, err := ratings.Append(t.Context(), even)
			must(t, err)
			appended, err := ratings.Append(t.Context(), all)
			must(t, err)
			for i, a := range appended {
				if a.Stored != (i%2 == 1) || !a.Stored && (a.Existing == nil || a.Existing.ID != all[i].ID) {
					t.Errorf("item %d: %+v", i, a)
				}
			}
		}},
		{"the same ids appended concurrently", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			const callers, count = 32, 60
			var lock sync.Mutex
			stored := map[string]int{} // by id, the caller who was told so
			must(t, together(callers, func(caller int) error {
				random := rand.New(rand.NewPCG(uint64(caller), 7))
				var records []rating.Record
				for _, i := range random.Perm(count) {
					r := record("u", name("%03d", i), day, 14, 3)
					r.Account = name("%d", caller)
					records = append(records, r)
				}
				for part := range slices.Chunk(records, 1+caller) {
					appended, err := ratings.Append(context.Background(), part)
					if err != nil {
						return err
					}
					for i, a := range appended {
						switch {
						case a.Stored:
							lock.Lock()
							other, twice := stored[part[i].ID]
							stored[part[i].ID] = caller
							lock.Unlock()
							if twice {
								return fmt.Errorf("%s was stored by %d and by %d", part[i].ID, other, caller)
							}
						case a.Existing == nil || a.Existing.ID != part[i].ID:
							return fmt.Errorf("%s met %+v", part[i].ID, a.Existing)
						}
					}
				}
				return nil
			}))
			records, err := ratings.Cell(t.Context(), record("u", "", day, 14, 0).Cell)
			must(t, err)
			if len(stored) != count || len(records) != count {
				t.Errorf("%d stored, %d there, of %d", len(stored), len(records), count)
			}
			for _, r := range records {
				if r.Account != name("%d", stored[r.ID]) {
					t.Errorf("%s is that of %s, and %d was told it was stored", r.ID, r.Account, stored[r.ID])
				}
			}
		}},
		{"single records from 64 callers", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			must(t, together(writers, func(caller int) error {
				for n := range 10 {
					r := record("u", name("%d-%d", caller, n), day, n, 5)
					appended, err := ratings.Append(context.Background(), []rating.Record{r})
					if err != nil || !appended[0].Stored {
						return fmt.Errorf("%+v, %w", appended, err)
					}
					if _, err := ratings.Get(context.Background(), r.ID); err != nil { // what is acknowledged is seen
						return err
					}
				}
				return nil
			}))
			total := uint32(0)
			for count, err := range ratings.CellCounts(t.Context(), string(day), string(day)+"~") {
				must(t, err)
				total += count.Count
			}
			if total != writers*10 {
				t.Errorf("%d records", total)
			}
		}},
		{"the same id in two units", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			appended, err := ratings.Append(t.Context(), []rating.Record{record("u", "1", day, 14, 4), record("v", "1", day, 14, 2)})
			must(t, err)
			if !appended[0].Stored || !appended[1].Stored {
				t.Errorf("%+v", appended)
			}
		}},
		{"append nothing", func(t *testing.T) {
			appended, err := s.fresh(t).Ratings().Append(t.Context(), nil)
			must(t, err)
			if len(appended) != 0 {
				t.Error(appended)
			}
		}},
		{"records that are refused", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			good := record("u", "1", day, 14, 4)
			for _, id := range []string{"", "26/u/a\x00", strings.Repeat("x", 513), "26/u/\xff"} {
				bad := good
				bad.ID = id
				_, err := ratings.Append(t.Context(), []rating.Record{good, bad})
				want(t, err, store.ErrInvalid)
			}
			large := record("u", "2", day, 14, 4)
			large.Bytes = make([]byte, 17<<20)
			_, err := ratings.Append(t.Context(), []rating.Record{good, large})
			want(t, err, store.ErrTooLarge)
			_, err = ratings.Get(t.Context(), good.ID) // a refused call stores nothing
			want(t, err, store.ErrNotFound)
		}},
		{"a record of one megabyte", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			large := record("u", "1", day, 14, 4)
			large.Bytes = make([]byte, 1<<20)
			rand.NewChaCha8([32]byte{1}).Read(large.Bytes) //nolint:errcheck // never fails
			_, err := ratings.Append(t.Context(), []rating.Record{large, record("u", "2", day, 14, 4)})
			must(t, err)
			got, err := ratings.Get(t.Context(), large.ID)
			must(t, err)
			if !slices.Equal(got.Bytes, large.Bytes) {
				t.Error("it came back otherwise")
			}
		}},
		{"a cancelled context appends nothing", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			given := record("u", "1", day, 14, 4)
			_, err := ratings.Append(ctx, []rating.Record{given})
			want(t, err, context.Canceled)
			_, err = ratings.Get(t.Context(), given.ID)
			want(t, err, store.ErrNotFound)
		}},
		{"some cells one record after the other", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			sizes := map[int]int{9: 300, 10: 1, 11: 2, 12: 256} // hours of the day; more than a page, and just one
			var records []rating.Record
			var cells []string
			for hour, size := range sizes {
				for i := range size {
					records = append(records, record("u", name("%d-%d", hour, i), day, hour, 3))
				}
				cells = append(cells, record("u", "", day, hour, 3).Cell)
			}
			records = append(records, record("v", "1", day, 9, 3)) // of a cell that is not asked for
			_, err := ratings.Append(t.Context(), records)
			must(t, err)
			counts, ended, last := map[string]int{}, map[string]bool{}, ""
			for got, err := range ratings.Cells(t.Context(), append(cells, record("u", "", day, 13, 3).Cell)) {
				must(t, err)
				if ended[last] = last != ""; got.Cell != last && ended[got.Cell] {
					t.Fatalf("%s is told in pieces", got.Cell)
				}
				last = got.Cell
				counts[got.Cell]++
			}
			for hour, size := range sizes {
				if cell := record("u", "", day, hour, 3).Cell; counts[cell] != size {
					t.Errorf("%d records of %s, want %d", counts[cell], cell, size)
				}
			}
			if len(counts) != len(sizes) {
				t.Errorf("cells %v", counts)
			}
			for _, err := range ratings.Cells(t.Context(), cells) {
				must(t, err)
				break // leaves nothing open
			}
			for got, err := range ratings.Cells(t.Context(), nil) {
				t.Errorf("no cells hold %v, %v", got, err)
			}
		}},
		{"cells and their counts", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			var records []rating.Record
			for _, c := range []struct {
				unit string
				day  localday.Day
				hour int
				n    int
			}{{"u", "2026-11-21", 23, 2}, {"u", "2026-11-22", 0, 3}, {"u", "2026-11-22", 9, 1}, {"u1", "2026-11-22", 9, 4}, {"u", "2026-11-23", 9, 5}} {
				for i := range c.n {
					records = append(records, record(c.unit, name("%s-%d-%d", c.day, c.hour, i), c.day, c.hour, 3))
				}
			}
			annotation := record("u", "doubt", "2026-11-22", 9, 0)
			annotation.Kind, annotation.About, annotation.Doubt = rating.KindAnnotation, "x", "speed"
			_, err := ratings.Append(t.Context(), append(records, annotation))
			must(t, err)
			got := map[string]uint32{}
			var cells []string
			for count, err := range ratings.CellCounts(t.Context(), "2026-11-22/", "2026-11-23/") {
				must(t, err)
				got[count.Cell], cells = count.Count, append(cells, count.Cell)
			}
			wanted := map[string]uint32{"2026-11-22/u/1/kiosk@3/00": 3, "2026-11-22/u/1/kiosk@3/09": 2, "2026-11-22/u1/1/kiosk@3/09": 4}
			if diff := cmp.Diff(wanted, got); diff != "" || !slices.IsSorted(cells) || len(cells) != 3 {
				t.Errorf("%v %s", cells, diff)
			}
			for count, err := range ratings.CellCounts(t.Context(), "2026-11-22/u/1/kiosk@3/00", "2026-11-22/u/1/kiosk@3/09") {
				must(t, err)
				if count.Cell != "2026-11-22/u/1/kiosk@3/00" {
					t.Errorf("beyond its bounds: %v", count)
				}
			}
		}},
		{"scan", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			var records []rating.Record
			for i := range 700 {
				records = append(records, record(name("u%d", i/300), name("%04d", i), day, 14, 3))
			}
			for part := range slices.Chunk(records, 100) {
				_, err := ratings.Append(t.Context(), part)
				must(t, err)
			}
			for _, c := range []struct{ from, to string }{{"", ""}, {records[10].ID, records[600].ID}, {"26/u1/", "26/u2/"}, {records[650].ID, ""}, {records[5].ID, records[6].ID}} {
				var wanted, found []string
				for _, r := range records {
					if c.from < r.ID && (c.to == "" || r.ID < c.to) {
						wanted = append(wanted, r.ID)
					}
				}
				for r, err := range ratings.Scan(t.Context(), c.from, c.to) {
					must(t, err)
					found = append(found, r.ID)
				}
				if diff := cmp.Diff(wanted, found); diff != "" {
					t.Errorf("from %q to %q: %s", c.from, c.to, diff)
				}
			}
		}},
		{"recent", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			for minute := range 60 { // received about in order
				r := record("u", name("%d", minute), day, minute%24, 3)
				r.ReceivedAt = recorded().Add(time.Duration(minute+minute%3*2) * time.Minute)
				_, err := ratings.Append(t.Context(), []rating.Record{r})
				must(t, err)
			}
			for _, since := range []time.Duration{-time.Hour, 0, 39 * time.Minute, 55 * time.Minute, 3 * time.Hour} {
				wanted, found := map[string]bool{}, map[string]bool{}
				for minute := range 60 {
					if time.Duration(minute+minute%3*2)*time.Minute >= since {
						wanted[record("u", "", day, minute%24, 3).Cell] = true
					}
				}
				for cell, err := range ratings.Recent(t.Context(), recorded().Add(since)) {
					must(t, err)
					found[cell] = true
				}
				if diff := cmp.Diff(wanted, found); diff != "" {
					t.Errorf("since %v: %s", since, diff)
				}
			}
		}},
		{"counted again", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			revising := func(r rating.Record, old string, later time.Duration) rating.Record {
				r.Revises, r.ReceivedAt = old, r.ReceivedAt.Add(later)
				return r
			}
			repeating := func(r rating.Record, flags ...string) rating.Record {
				r.Flags = flags
				return r
			}
			annotation := record("u", "i", day, 9, 0)
			annotation.Kind, annotation.About = rating.KindAnnotation, "a"
			records := []rating.Record{
				record("u", "a", day, 9, 1), revising(record("u", "b", day, 9, 2), "a", 1), revising(record("u", "c", day, 9, 3), "b", 2), // only c counts
				record("u", "d", day, 9, 4), revising(record("u", "e", day, 9, 5), "d", 2e9), revising(record("u", "f", day, 9, 2), "d", 1e9), // only e, the last, counts
				record("u", "g", day, 10, 5), revising(record("u", "h", day, 11, 1), "g", 1), // another cell: both count
				repeating(record("u", "j", day, 9, 5), rating.FlagTooSoon, rating.FlagTicketAgain), repeating(record("u", "k", day, 12, 5), rating.FlagTicketAgain), // in no figure
				revising(record("u", "l", day, 9, 4), "j", 1), record("u", "m", day, 9, 5), repeating(revising(record("u", "o", day, 9, 1), "m", 1), rating.FlagTicketAgain), // only l counts
				repeating(record("u", "p", day, 9, 2), rating.FlagTooSoon),                                                          // flagged, and counts
				record("v", "a", day, 9, 5), record("u", "n", day, 9, 0), annotation, revising(record("u", "s", day, 9, 4), "s", 1), // itself: no revision
			}
			_, err := ratings.Append(t.Context(), records)
			must(t, err)
			wanted := []store.CellScores{
				{Cell: "2026-11-22/u/1/kiosk@3/09", Overall: tally.Counts{1, 0, 1, 1, 2, 1}}, {Cell: "2026-11-22/u/1/kiosk@3/10", Overall: tally.Counts{5: 1}},
				{Cell: "2026-11-22/u/1/kiosk@3/11", Overall: tally.Counts{1: 1}}, {Cell: "2026-11-22/v/1/kiosk@3/09", Overall: tally.Counts{5: 1}},
			}
			if diff := cmp.Diff(wanted, countedAgain(t, ratings, "2026-11-22/", "2026-11-23/")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(wanted[1:2], countedAgain(t, ratings, wanted[1].Cell, wanted[2].Cell)); diff != "" {
				t.Error(diff)
			}
		}},
		{"reading what is not there", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			records, err := ratings.Cell(t.Context(), "2026-11-22/u/1/kiosk@3/09")
			must(t, err)
			for _, err := range ratings.Scan(t.Context(), "", "") {
				must(t, errors.Join(err, errors.New("scan found something")))
			}
			for _, err := range ratings.Recent(t.Context(), time.Unix(0, 0)) {
				must(t, errors.Join(err, errors.New("recent found something")))
			}
			if again := countedAgain(t, ratings, "", "~"); len(records)+len(again) != 0 {
				t.Error(records, again)
			}
		}},
	}
}

func countedAgain(t tester, ratings store.Ratings, from, to string) (all []store.CellScores) {
	t.Helper()
	for scores, err := range ratings.CountAgain(context.Background(), from, to) {
		must(t, err)
		all = append(all, scores)
	}
	return all
}
