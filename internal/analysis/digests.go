package analysis

import (
	"container/list"
	"context"
	"slices"
	"sync"

	"github.com/hailong-vn/hailong/internal/tally"
)

// digestsKept is how many digests are kept: as many as one question may ask for, so that a question asked twice finds its own. One of nine
// hours and ten answers takes 330 bytes (BenchmarkDigest), all of them 80 MB at most; forty units need 1.5 MB for a month.
const digestsKept = MaxLeaves

// digests keeps digests of leaves by the strip that speaks of them. They are never looked for without the strip's slot, which is read
// from the store each time: what changed there is found not to agree and is read again. So nothing is told to expire, many
// processes may keep digests of one store, and an answer rests on leaves at least as new as its strips.
//
// Only a store that is put back to an earlier copy while the program runs could in time show a slot like one that was seen before.
//
// Strips that were not asked for longest are forgotten first.
type digests struct {
	limit   int
	lock    sync.Mutex
	kept    map[tally.StripKey]*list.Element // of *shelf
	recent  list.List                        // shelves, the last used first
	count   int
	reading map[string]chan struct{} // units whose leaves are being read; closed at the end
}

// shelf holds the digests of one strip.
type shelf struct {
	key tally.StripKey
	all []*digest // by slot; exchanged and never changed
}

func newDigests(limit int) *digests {
	return &digests{limit: limit, kept: map[tally.StripKey]*list.Element{}, reading: map[string]chan struct{}{}}
}

// of answers the digests kept of a strip, by slot.
func (d *digests) of(key tally.StripKey) []*digest {
	d.lock.Lock()
	defer d.lock.Unlock()
	at := d.kept[key]
	if at == nil {
		return nil
	}
	d.recent.MoveToFront(at)
	return at.Value.(*shelf).all
}

// keep keeps digests of a strip, by slot, instead of those that were kept of the same leaves: they were read later, because
// the leaves of a unit are read by one at a time.
func (d *digests) keep(key tally.StripKey, read []*digest) {
	d.lock.Lock()
	defer d.lock.Unlock()
	at := d.kept[key]
	if at == nil {
		at = d.recent.PushFront(&shelf{key: key})
		d.kept[key] = at
	} else {
		d.recent.MoveToFront(at)
	}
	s := at.Value.(*shelf)
	before := len(s.all)
	s.all = mergeDigests(s.all, read)
	d.count += len(s.all) - before
	for d.count > d.limit {
		last := d.recent.Back()
		forgotten := d.recent.Remove(last).(*shelf)
		delete(d.kept, forgotten.key)
		d.count -= len(forgotten.all)
	}
}

// mergeDigests merges two lists in order of their slots; of two for one slot the second's stays.
func mergeDigests(old, read []*digest) []*digest {
	all := make([]*digest, 0, len(old)+len(read))
	for _, d := range read {
		for len(old) > 0 && compareSlots(old[0].at, d.at) < 0 {
			all, old = append(all, old[0]), old[1:]
		}
		if len(old) > 0 && old[0].at == d.at {
			old = old[1:]
		}
		all = append(all, d)
	}
	return slices.Clip(append(all, old...))
}

func compareSlots(a, b tally.SlotKey) int {
	if a.Day != b.Day {
		return a.Day - b.Day
	}
	return int(a.Channel) - int(b.Channel)
}

// alone waits until nobody reads leaves of a unit; until done is called, others wait. Who waited finds what was read kept.
func (d *digests) alone(ctx context.Context, unit string) (done func(), err error) {
	for {
		d.lock.Lock()
		others := d.reading[unit]
		if others == nil {
			mine := make(chan struct{})
			d.reading[unit] = mine
			d.lock.Unlock()
			return func() {
				d.lock.Lock()
				delete(d.reading, unit)
				d.lock.Unlock()
				close(mine)
			}, nil
		}
		d.lock.Unlock()
		select {
		case <-others:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
