package tally

import (
	"slices"

	"github.com/hailong-vn/hailong/internal/rating"
)

// counting answers the ratings of one cell that count: those that stand, without the ones that repeat a ticket. Which
// ratings stand is decided first: what corrects a repeated one takes its place, and counts or not by its own flags.
func counting(records []*rating.Record) []*rating.Record {
	return slices.DeleteFunc(standing(records), (*rating.Record).Repeats)
}

// standing answers the ratings of one cell that no other takes the place of. A correction is a new rating that names the old one, so:
//
//   - a rating that another rating of the cell revises does not stand (in a chain A, B revises A, C revises B: only C);
//   - of several ratings that revise the same id only the last stands, by (ReceivedAt, id), whether or not the rating they
//     name is in the cell;
//   - a revision of a rating that is not in the cell stands as itself, and one that names itself is no revision.
//
// Ratings that revise each other in a ring would all be left out. A ring can only be made by whoever sends them; its
// earliest member, by (ReceivedAt, id), is taken for the original and its own claim to revise is not heeded. The rest of
// the ring is then a chain, and its last member stands.
func standing(records []*rating.Record) []*rating.Record {
	originals := ringOriginals(records)
	revising := func(record *rating.Record) bool { return revises(record) && !originals[bareID(record)] }
	last := make(map[string]*rating.Record) // by the id revised: the revision that stands
	for _, record := range records {
		if !revising(record) {
			continue
		}
		if other, ok := last[record.Revises]; !ok || later(record, other) {
			last[record.Revises] = record
		}
	}
	stand := make([]*rating.Record, 0, len(records))
	for _, record := range records {
		if record.Kind != rating.KindRating || last[bareID(record)] != nil {
			continue
		}
		if revising(record) && last[record.Revises] != record {
			continue
		}
		stand = append(stand, record)
	}
	return stand
}

// ringOriginals finds the earliest member of every ring of ratings that revise each other; without a ring it is nil. A
// rating names at most one other, so each walk along the names ends outside the cell, at an original or in one ring.
func ringOriginals(records []*rating.Record) map[string]bool {
	byID := make(map[string]*rating.Record) // ratings that revise another
	for _, record := range records {
		if !revises(record) {
			continue
		}
		// Identity is (unit, id), so there is one; should there be more, the later speaks for all, in whatever order they come.
		if other, ok := byID[bareID(record)]; !ok || later(record, other) {
			byID[bareID(record)] = record
		}
	}
	var originals map[string]bool
	walks := make(map[string]int, len(byID)) // which walk came by first, from 1
	number := 0
	for id := range byID {
		number++
		for byID[id] != nil && walks[id] == 0 {
			walks[id] = number
			id = byID[id].Revises
		}
		if byID[id] == nil || walks[id] != number {
			continue
		}
		first := byID[id]
		for at := byID[first.Revises]; at != byID[id]; at = byID[at.Revises] {
			if later(first, at) {
				first = at
			}
		}
		if originals == nil {
			originals = make(map[string]bool)
		}
		originals[bareID(first)] = true
	}
	return originals
}

// revises tells whether a record is a rating that names another one as corrected.
func revises(record *rating.Record) bool {
	return record.Kind == rating.KindRating && record.Revises != "" && record.Revises != bareID(record)
}

// later orders records by when they were received, then by id.
func later(a, b *rating.Record) bool {
	if !a.ReceivedAt.Equal(b.ReceivedAt) {
		return a.ReceivedAt.After(b.ReceivedAt)
	}
	if bareID(a) != bareID(b) {
		return bareID(a) > bareID(b)
	}
	return a.ID > b.ID
}

// bareID is the id that other records name, without home and unit.
func bareID(record *rating.Record) string {
	_, _, id := rating.SplitRecordID(record.ID)
	return id
}
