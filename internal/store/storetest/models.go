package storetest

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"pgregory.net/rapid"
)

func (s suite) models() []subtest {
	return []subtest{
		{"documents", func(t *testing.T) {
			docs := notes(t, s.fresh(t), modelIndexes()...)
			rapid.Check(t, func(r *rapid.T) {
				m := &model{docs: docs, notes: map[string]note{}, versions: map[string]store.Version{}}
				m.clear(r)
				r.Repeat(map[string]func(*rapid.T){"insert": m.insert, "replace": m.replace, "delete": m.delete, "find": m.find, "get": m.get})
				m.findAll(r)
			})
		}},
		{"ratings", func(t *testing.T) {
			ratings := s.fresh(t).Ratings()
			check := 0
			rapid.Check(t, func(r *rapid.T) {
				check++
				checkRatings(r, ratings, name("m%d", check), localday.Day("2020-01-01").Add(check))
			})
		}},
		{"cells raised in any order end at the largest", func(t *testing.T) {
			rollups := s.fresh(t).Rollups()
			check := 0
			rapid.Check(t, func(r *rapid.T) {
				check++
				checkRaise(r, rollups, name("m%d", check))
			})
		}},
		{"strips and facets raised in any order end at the largest", func(t *testing.T) {
			rollups := s.fresh(t).Rollups()
			check := 0
			rapid.Check(t, func(r *rapid.T) {
				check++
				checkStrips(r, rollups, name("m%d", check))
			})
		}},
	}
}

// received draws when a record was received: engines may rely on records arriving about in order.
func received(r *rapid.T) time.Time {
	return recorded().Add(time.Duration(rapid.IntRange(0, 10*60*1000).Draw(r, "received")) * time.Millisecond)
}

func checkRatings(r *rapid.T, ratings store.Ratings, unit string, day localday.Day) {
	var records []rating.Record
	for i := range rapid.IntRange(1, 30).Draw(r, "records") {
		one := record(unit, name("%02d", i), day, rapid.IntRange(0, 2).Draw(r, "hour"), rapid.Int32Range(0, 5).Draw(r, "score"))
		one.ReceivedAt = received(r)
		one.Flags = rapid.SampledFrom([][]string{nil, nil, {rating.FlagTooSoon}, {rating.FlagTicketAgain}, {rating.FlagTooSoon, rating.FlagTicketAgain}}).Draw(r, "flags")
		switch kind := rapid.IntRange(0, 5).Draw(r, "kind"); {
		case kind == 0:
			one.Kind, one.Score, one.About = rating.KindAnnotation, 0, "00"
		case kind <= 2 && i > 0: // one that is there already, so there are chains and forks, but no rings
			one.Revises = name("%02d", rapid.IntRange(0, i).Draw(r, "revises"))
		}
		records = append(records, one)
	}
	sent := append(slices.Clone(records), rapid.SliceOfN(rapid.SampledFrom(records), 0, 10).Draw(r, "again")...)
	sent = rapid.Permutation(sent).Draw(r, "sent")
	stored := map[string]int{}
	for part := range slices.Chunk(sent, rapid.IntRange(1, 20).Draw(r, "batch")) {
		appended, err := ratings.Append(context.Background(), part)
		must(r, err)
		for i, a := range appended {
			if a.Stored {
				stored[part[i].ID]++
			} else if diff := cmp.Diff(part[i], *a.Existing, sameRecord); diff != "" {
				r.Fatal(diff)
			}
		}
	}
	cells := map[string][]rating.Record{}
	for _, one := range records {
		if stored[one.ID] != 1 {
			r.Fatalf("%s was stored %d times", one.ID, stored[one.ID])
		}
		cells[one.Cell] = append(cells[one.Cell], one)
	}
	from, to := string(day)+"/", string(day)+"0"
	var counted, again []store.CellScores
	for count, err := range ratings.CellCounts(context.Background(), from, to) {
		must(r, err)
		got, err := ratings.Cell(context.Background(), count.Cell)
		must(r, err)
		slices.SortFunc(got, func(a, b rating.Record) int { return cmpStrings(a.ID, b.ID) })
		if diff := cmp.Diff(cells[count.Cell], got, sameRecord); diff != "" || int(count.Count) != len(got) {
			r.Fatalf("%s counts %d: %s", count.Cell, count.Count, diff)
		}
		folded, err := tally.Fold(0, count.Cell, got)
		must(r, err)
		if folded.Cell.Overall != (tally.Counts{}) {
			counted = append(counted, store.CellScores{Cell: count.Cell, Overall: folded.Cell.Overall})
		}
		delete(cells, count.Cell)
	}
	if len(cells) > 0 {
		r.Fatalf("not counted: %v", cells)
	}
	for scores, err := range ratings.CountAgain(context.Background(), from, to) {
		must(r, err)
		again = append(again, scores)
	}
	if diff := cmp.Diff(counted, again); diff != "" {
		r.Fatalf("folded and counted again: %s", diff)
	}
	checkScan(r, ratings, unit, records)
	checkRecent(r, ratings, unit, records)
}

func checkScan(r *rapid.T, ratings store.Ratings, unit string, records []rating.Record) {
	from, to := rapid.SampledFrom(records).Draw(r, "scan from").ID, rapid.SampledFrom(records).Draw(r, "scan to").ID
	if rapid.Bool().Draw(r, "scan all") {
		from, to = rating.RecordID("26", unit, ""), rating.RecordID("26", unit, "~")
	}
	var wanted, found []string
	for _, one := range records {
		if from < one.ID && one.ID < to {
			wanted = append(wanted, one.ID)
		}
	}
	for one, err := range ratings.Scan(context.Background(), from, to) {
		must(r, err)
		found = append(found, one.ID)
	}
	if diff := cmp.Diff(wanted, found); diff != "" {
		r.Fatalf("scan from %s to %s: %s", from, to, diff)
	}
}

func checkRecent(r *rapid.T, ratings store.Ratings, unit string, records []rating.Record) {
	since := received(r)
	wanted, found := map[string]bool{}, map[string]bool{}
	for _, one := range records {
		if !one.ReceivedAt.Before(since) {
			wanted[one.Cell] = true
		}
	}
	for cell, err := range ratings.Recent(context.Background(), since) {
		must(r, err)
		if counted, err := rating.ParseCell(cell); err != nil || counted.Unit == unit {
			found[cell] = true
		}
	}
	if diff := cmp.Diff(wanted, found); diff != "" {
		r.Fatalf("since %v: %s", since, diff)
	}
}

// split deals writes out to workers.
func split[T any](r *rapid.T, writes []T) [][]T {
	parts := make([][]T, rapid.IntRange(1, 4).Draw(r, "workers"))
	for i, write := range rapid.Permutation(writes).Draw(r, "order") {
		parts[i%len(parts)] = append(parts[i%len(parts)], write)
	}
	return parts
}

func checkRaise(r *rapid.T, rollups store.Rollups, unit string) {
	const day = localday.Day("2026-11-22")
	var writes []tally.HourCell
	wanted := map[tally.LeafKey]map[int]tally.Cell{}
	for range rapid.IntRange(1, 24).Draw(r, "writes") {
		key := leafKey(unit, day, pb.Channel(rapid.IntRange(1, 2).Draw(r, "channel")))
		cell := hourCell(key, rapid.IntRange(0, 2).Draw(r, "hour"), rapid.Uint32Range(0, 2).Draw(r, "epoch"), rapid.Uint32Range(1, 9).Draw(r, "seen"))
		writes = append(writes, cell)
		if wanted[key] == nil {
			wanted[key] = map[int]tally.Cell{}
		}
		if wanted[key][cell.Hour].Less(cell.Cell.Version) {
			wanted[key][cell.Hour] = cell.Cell
		}
	}
	parts := split(r, writes)
	batch := rapid.IntRange(1, 4).Draw(r, "batch")
	var done atomic.Int32
	must(r, together(len(parts)+1, func(i int) error {
		if i == len(parts) {
			last := map[string]tally.Version{}
			for int(done.Load()) < len(parts) {
				if err := watch(rollups, unit, day, last); err != nil {
					return err
				}
			}
			return watch(rollups, unit, day, last)
		}
		defer done.Add(1)
		for part := range slices.Chunk(parts[i], batch) {
			if err := rollups.Raise(context.Background(), part); err != nil {
				return err
			}
		}
		return nil
	}))
	found := map[tally.LeafKey]map[int]tally.Cell{}
	for _, leaf := range leaves(r, rollups, unit, day, day) {
		found[leaf.Key] = leaf.Hours
	}
	if diff := cmp.Diff(wanted, found); diff != "" {
		r.Fatal(diff)
	}
}

func checkStrips(r *rapid.T, rollups store.Rollups, unit string) {
	key := tally.StripKey{Year: 2026, Unit: unit, Questionnaire: "kiosk", QVersion: 3}
	facetKey := tally.FacetKey{Unit: unit, Month: "2026-11"}
	type write struct {
		strip tally.Strip
		facet tally.Facet
	}
	var writes []write
	wanted, most := tally.Strip{Key: key}, tally.Facet{}
	for range rapid.IntRange(1, 12).Draw(r, "writes") {
		slots := map[tally.SlotKey]tally.Slot{}
		for range rapid.IntRange(1, 3).Draw(r, "slots") {
			version := tally.Version{Epoch: rapid.Uint32Range(0, 1).Draw(r, "epoch"), Seen: rapid.Uint32Range(1, 9).Draw(r, "seen")}
			slots[tally.SlotKey{Day: rapid.IntRange(0, 2).Draw(r, "day"), Channel: 1}] = tally.Slot{Version: version, Overall: tally.Counts{version.Epoch, version.Seen}}
		}
		seen := rapid.Uint32Range(1, 9).Draw(r, "facet seen")
		one := write{strip(r, key, slots), tally.Facet{Key: facetKey, Version: tally.Version{Seen: seen}, Officials: map[string]tally.Counts{"o": {3: seen}}}}
		writes = append(writes, one)
		wanted = wanted.Join(one.strip)
		if most.Less(one.facet.Version) {
			most = one.facet
		}
	}
	parts := split(r, writes)
	must(r, together(len(parts), func(i int) error {
		for _, one := range parts[i] {
			err := errors.Join(rollups.RaiseStrips(context.Background(), []tally.Strip{one.strip}), rollups.RaiseFacets(context.Background(), []tally.Facet{one.facet}))
			if err != nil {
				return err
			}
		}
		return nil
	}))
	if got := strips(r, rollups, 2026, []string{unit}); len(got) != 1 || !got[0].Equal(wanted) {
		r.Fatalf("got %v, want %v", got, wanted)
	}
	for got, err := range rollups.Facets(context.Background(), unit, "2026-11", "2026-11") {
		must(r, err)
		if got.Version != most.Version || got.Officials["o"] != most.Officials["o"] {
			r.Fatalf("got %v, want %v", got, most)
		}
	}
}
