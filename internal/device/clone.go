package device

import (
	"context"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
)

// Two machines with one identity, copies of one disk, are told by what they say at every start: each start of the software has
// an id of its own, so within one machine starts follow each other and never come back. Two starts that are both heard of over the
// same stretch of time are two machines.
//
// A heartbeat of the start before may arrive late, once, by any network that kept it: at most one was under way when its
// software ended. So each of the two must be heard of twice, apart by at least turnApart, after both had begun and turnApart
// had passed, which is also more than the clocks of two servers differ. Heartbeats come once a minute: a copy is noticed in
// about three minutes. Nothing depends on the order in which servers come to write what they heard.
const (
	turnApart = 30 * time.Second
	maxStarts = 8 // starts that are remembered of a device, those heard of last
	maxHeard  = 3 // times that are remembered of a start, the last
)

// Signs of a copy, as codes beside the troubles a device tells of.
const (
	SignOtherMachine = "other_machine" // the two told of different machines
	SignForked       = "chain_forked"  // two chains of ratings go on from one place
)

// hearing is that a start of a device was heard of.
type hearing struct {
	start, machine string
	at             time.Time
	generation     int64 // of the enrolment it spoke under
}

// start is one start of a device's software.
type start struct {
	ID      string      `bson:"id"`
	Machine string      `bson:"machine,omitempty"`
	Began   time.Time   `bson:"began"` // first heard of
	Heard   []time.Time `bson:"heard"` // in order, apart by turnApart
}

func (s start) last() time.Time { return s.Heard[len(s.Heard)-1] }

// heardFrom counts the times from an instant on.
func (s start) heardFrom(from time.Time) int {
	n := 0
	for _, at := range s.Heard {
		if !at.Before(from) {
			n++
		}
	}
	return n
}

// hear takes a hearing into the starts; it says whether that was news.
func hear(starts []start, h hearing) ([]start, bool) {
	at := store.Milliseconds(h.at)
	i := slices.IndexFunc(starts, func(s start) bool { return s.ID == h.start })
	if i < 0 {
		starts = append(starts, start{ID: h.start, Machine: h.machine, Began: at, Heard: []time.Time{at}})
		if len(starts) > maxStarts {
			oldest := 0
			for i, s := range starts {
				if s.last().Before(starts[oldest].last()) {
					oldest = i
				}
			}
			starts = slices.Delete(starts, oldest, oldest+1)
		}
		return starts, true
	}
	s := &starts[i]
	news := at.Before(s.Began)
	if news {
		s.Began = at
	}
	if !slices.ContainsFunc(s.Heard, func(other time.Time) bool { return at.Sub(other).Abs() < turnApart }) {
		s.Heard = append(s.Heard, at)
		slices.SortFunc(s.Heard, time.Time.Compare)
		s.Heard = s.Heard[max(0, len(s.Heard)-maxHeard):]
		news = true
	}
	return starts, news
}

// copies answers since when two machines speak, if they do, and whether they name different machines.
func copies(starts []start) (since time.Time, machines, found bool) {
	for i, a := range starts {
		for _, b := range starts[i+1:] {
			both := a.Began
			if b.Began.After(both) {
				both = b.Began
			}
			from := both.Add(turnApart)
			if a.heardFrom(from) < 2 || b.heardFrom(from) < 2 {
				continue
			}
			if !found || both.Before(since) {
				since = both
			}
			found = true
			machines = machines || a.Machine != "" && b.Machine != "" && a.Machine != b.Machine
		}
	}
	return since, machines, found
}

// cloned keeps that two machines speak with the device's identity, under the enrolment it was noticed in: enrolling anew clears
// it, and what was heard before that counts no more. What fails now is noticed again, because copies go on speaking.
func (d *Devices) cloned(ctx context.Context, deviceID string, generation int64, since time.Time, sign string) {
	known, err := d.recall(ctx, deviceID)
	if err == nil && (known.Generation > generation || !known.ClonedSince.IsZero() && (sign == "" || slices.Contains(known.CloneSigns, sign))) {
		return
	}
	news := false
	_, err = d.devices.Update(ctx, deviceID, func(doc *deviceDoc) (bool, error) {
		news = false
		if doc.Generation != generation {
			return false, nil
		}
		if doc.ClonedSince.IsZero() {
			doc.ClonedSince, news = store.Milliseconds(since), true
		}
		if sign != "" && !slices.Contains(doc.CloneSigns, sign) {
			doc.CloneSigns, news = append(doc.CloneSigns, sign), true
		}
		return news, nil
	})
	if err != nil {
		d.log.WarnContext(ctx, "that two machines speak as one device was not kept", "device", deviceID, "error", err)
		return
	}
	if news {
		d.tell(ctx, deviceID)
		d.log.WarnContext(ctx, "two machines speak as one device", "device", deviceID, "since", since, "sign", sign)
	}
}
