package analysis

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/tally"
)

const (
	// MaxLeaves is how many leaves (a unit's day in one channel and form) one question for reasons or hours asks for at most: every
	// commune of the country for a month, or those of a province for a year. A leaf that must be read takes 30 to 60 µs of one
	// processor, one whose digest is kept about one.
	MaxLeaves = 250_000
	// Questions that read more than largeLeaves wait for each other, largeAtOnce at a time, so that they leave room for all others.
	largeLeaves = 20_000
	largeAtOnce = 2
	// readAtOnce is how many units are read at the same time.
	readAtOnce = 4
)

// missing are leaves of one strip that must be read.
type missing struct {
	strip tally.StripKey
	slots []tally.SlotKey
	sums  []tally.Slot // as the strip has them
}

func (m *missing) add(at tally.SlotKey, sum tally.Slot) {
	m.slots, m.sums = append(m.slots, at), append(m.sums, sum)
}

// useDigests takes digests of leaves of one strip. The list is used again afterwards.
type useDigests func(strip tally.StripKey, leaves []*digest)

// leaves gives the digests of the leaves of a cover's units, a few of one strip at a time and in no order. The strips tell
// which leaves there are and in which state: only leaves of which no digest of that state is kept are read, and more than MaxLeaves
// in all are refused before any is read ("analysis_too_much"). Two questions at once read a leaf once.
func (a *Analysis) leaves(ctx context.Context, q asked, c *cover, use useDigests) error {
	unread, count, err := a.keptLeaves(ctx, q, c, use)
	if err != nil {
		return err
	}
	if count > largeLeaves {
		select {
		case a.large <- struct{}{}:
			defer func() { <-a.large }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var using sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readAtOnce)
	for unit, strips := range unread {
		group.Go(func() error {
			return a.readLeaves(ctx, unit, strips, func(strip tally.StripKey, leaves []*digest) {
				using.Lock()
				defer using.Unlock()
				use(strip, leaves)
			})
		})
	}
	return group.Wait()
}

// keptLeaves gives the digests that are kept, and answers what must be read, by unit, and how many leaves that are.
func (a *Analysis) keptLeaves(ctx context.Context, q asked, c *cover, use useDigests) (unread map[string][]missing, count int, err error) {
	unread = map[string][]missing{}
	all := 0
	var parts []inYear
	var found []*digest
	begin := func(_ int, of []inYear) { parts = of }
	err = a.strips(ctx, q, c, begin, func(strip tally.Strip) {
		var left missing
		found = found[:0]
		kept := a.digests.of(strip.Key)
		for _, part := range parts {
			if len(part.of[strip.Key.Unit]) == 0 {
				continue
			}
			for at, slot := range strip.SlotsBetween(part.first, part.last) {
				if slot.Seen == 0 || !q.wants(at.Channel) {
					continue
				}
				all++
				if all > MaxLeaves {
					continue // only counted
				}
				var have *digest
				if have, kept = next(kept, at, slot); have != nil {
					found = append(found, have)
				} else {
					left.add(at, slot)
				}
			}
		}
		if len(found) > 0 {
			use(strip.Key, found)
		}
		if len(left.slots) > 0 {
			left.strip = strip.Key
			unread[strip.Key.Unit] = append(unread[strip.Key.Unit], left)
			count += len(left.slots)
		}
	})
	if err == nil && all > MaxLeaves {
		err = fault.New(fault.Invalid, "analysis_too_much", "count", all, "limit", MaxLeaves)
	}
	return unread, count, err
}

// next finds the digest of a slot in a list by slot, where it is of that state, and answers the rest of the list, in
// which later slots are to be looked for.
func next(kept []*digest, at tally.SlotKey, sum tally.Slot) (*digest, []*digest) {
	first := 0
	for first < len(kept) && compareSlots(kept[first].at, at) < 0 {
		first++
	}
	kept = kept[first:]
	if len(kept) > 0 && kept[0].at == at && kept[0].slot == sum {
		return kept[0], kept[1:]
	}
	return nil, kept
}

// readLeaves reads leaves of one unit, keeps their digests and gives those that are missing.
func (a *Analysis) readLeaves(ctx context.Context, unit string, strips []missing, use useDigests) error {
	done, err := a.digests.alone(ctx, unit)
	if err != nil {
		return err
	}
	defer done()
	wanted := map[tally.StripKey]map[tally.SlotKey]bool{}
	var days []localday.Day
	for _, m := range strips {
		kept := a.digests.of(m.strip) // somebody may have read them meanwhile
		var found []*digest
		left := map[tally.SlotKey]bool{}
		newYear := dayOf(m.strip.Year).Start()
		for i, at := range m.slots {
			var have *digest
			if have, kept = next(kept, at, m.sums[i]); have != nil {
				found = append(found, have)
				continue
			}
			left[at] = true
			days = append(days, localday.Day(newYear.AddDate(0, 0, at.Day).Format(time.DateOnly)))
		}
		if len(found) > 0 {
			use(m.strip, found)
		}
		wanted[m.strip] = left
	}
	for _, run := range runsOf(days) {
		read := map[tally.StripKey][]*digest{}
		for leaf, err := range a.config.Engine.Rollups().Leaves(ctx, unit, string(run.From), string(run.To)) {
			if err != nil {
				return err
			}
			strip := leaf.StripKey()
			read[strip] = append(read[strip], digestOf(leaf))
		}
		for strip, leaves := range read {
			slices.SortFunc(leaves, func(a, b *digest) int { return compareSlots(a.at, b.at) })
			a.digests.keep(strip, leaves)
			leaves = slices.DeleteFunc(leaves, func(d *digest) bool { return !wanted[strip][d.at] })
			if len(leaves) > 0 {
				use(strip, leaves)
			}
		}
	}
	return nil
}

// runsOf makes runs of days; days between which only one lies are one run, since to read another range is no cheaper than a few leaves.
func runsOf(days []localday.Day) []Period {
	slices.Sort(days)
	var runs []Period
	for _, day := range days {
		if last := len(runs) - 1; last >= 0 && day <= runs[last].To.Add(2) {
			runs[last].To = day
		} else {
			runs = append(runs, Period{day, day})
		}
	}
	return runs
}
