package device

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
)

// seenEvery is how often being heard of is written, however often it happens.
const seenEvery = time.Minute

// maxPending is how many hearings wait for the next write at most; one a minute is usual.
const maxPending = 16

// sightings is when devices were last heard of and when that was last written.
type sightings struct {
	mu sync.Mutex
	by map[string]*sighting
}

type sighting struct {
	at, written time.Time
	told        *told     // the last, nil where nothing was told
	pending     []hearing // not written yet
}

// told is a report, with what was stored when it came.
type told struct {
	report  Report
	through uint64
	at      time.Time
}

// Beat is what a heartbeat tells.
type Beat struct {
	Report    Report
	StartID   string // changes at every start of the device's software; may be empty
	MachineID string // names the machine; may be empty
}

// Heartbeat notes that a device was heard of now, with what it tells of itself, and answers up to where its ratings are stored and
// whether another machine speaks with its identity. What it tells is written at most once a minute, and nothing of ratings depends
// on it. Call it only for devices that proved who they are.
func (d *Devices) Heartbeat(ctx context.Context, deviceID string, beat Beat) (through uint64, cloned bool, err error) {
	doc, err := d.recall(ctx, deviceID)
	if err != nil {
		return 0, false, err
	}
	if through, err = d.StoredThrough(ctx, deviceID); err != nil {
		d.touch(ctx, deviceID, nil, beat, doc.Generation) // heard of it was
		return 0, false, err
	}
	d.touch(ctx, deviceID, &told{report: beat.Report, through: through}, beat, doc.Generation)
	return through, !doc.ClonedSince.IsZero(), nil
}

func (d *Devices) touch(ctx context.Context, deviceID string, what *told, beat Beat, generation int64) {
	now := d.now()
	d.seen.mu.Lock()
	if d.seen.by == nil {
		d.seen.by = map[string]*sighting{}
	}
	s := d.seen.by[deviceID]
	if s == nil {
		if len(d.seen.by) >= maxKnown {
			clear(d.seen.by)
		}
		s = &sighting{}
		d.seen.by[deviceID] = s
	}
	last, pending, due := s.note(now, what, beat, generation)
	d.seen.mu.Unlock()
	if !due {
		return
	}
	doc, err := d.writeSeen(ctx, deviceID, store.Milliseconds(now), last, pending)
	if err != nil {
		d.log.WarnContext(ctx, "when a device was last heard of was not kept", "device", deviceID, "error", err)
		d.seen.mu.Lock()
		s.pending = append(pending, s.pending...)
		s.pending = s.pending[max(0, len(s.pending)-maxPending):]
		d.seen.mu.Unlock()
		return
	}
	if since, machines, found := copies(doc.Starts); found {
		sign := ""
		if machines {
			sign = SignOtherMachine
		}
		d.cloned(ctx, deviceID, doc.Generation, since, sign)
	}
}

// note takes in that a device was heard of now. Where a write is due it answers what to write: it is this caller's to write it,
// others at the same time leave it alone.
func (s *sighting) note(now time.Time, what *told, beat Beat, generation int64) (last *told, pending []hearing, due bool) {
	s.at = now
	if what != nil {
		what.at = store.Milliseconds(now)
		s.told = what
	}
	if beat.StartID != "" {
		s.hear(hearing{start: beat.StartID, machine: beat.MachineID, at: now, generation: generation})
	}
	if now.Sub(s.written) < seenEvery {
		return nil, nil, false
	}
	s.written = now
	pending, s.pending = s.pending, nil
	return s.told, pending, true
}

func (s *sighting) hear(h hearing) {
	if slices.ContainsFunc(s.pending, func(p hearing) bool {
		return p.start == h.start && p.generation == h.generation && h.at.Sub(p.at).Abs() < turnApart
	}) {
		return
	}
	s.pending = append(s.pending, h)
	s.pending = s.pending[max(0, len(s.pending)-maxPending):]
}

func (d *Devices) writeSeen(ctx context.Context, deviceID string, at time.Time, last *told, pending []hearing) (healthDoc, error) {
	for {
		doc, err := d.health.Update(ctx, deviceID, func(doc *healthDoc) (bool, error) { return doc.take(at, last, pending), nil })
		if errors.Is(err, store.ErrNotFound) {
			doc = healthDoc{ID: deviceID}
			doc.take(at, last, pending)
			if err = d.health.Insert(ctx, doc); errors.Is(err, store.ErrExists) {
				continue
			}
		}
		return doc, err
	}
}

// take brings in what a process heard; it says whether that was news.
func (doc *healthDoc) take(at time.Time, last *told, pending []hearing) (news bool) {
	if at.After(doc.SeenAt) {
		news = true
		doc.SeenAt = at
		if last != nil {
			doc.Owed = owes(doc.Owed, last.report, last.through, last.at)
			report := last.report
			doc.Report = &report
		}
	}
	for _, h := range pending {
		if h.generation > doc.Generation { // enrolled anew: what was heard before proves nothing
			doc.Generation, doc.Starts, news = h.generation, nil, true
		}
		if h.generation == doc.Generation {
			var heard bool
			doc.Starts, heard = hear(doc.Starts, h)
			news = news || heard
		}
	}
	return news
}

// lastSeen brings what the store and this process know together.
func (d *Devices) lastSeen(device *Device, kept healthDoc) {
	device.LastSeenAt, device.Report = kept.SeenAt, kept.Report
	d.seen.mu.Lock()
	defer d.seen.mu.Unlock()
	if s := d.seen.by[device.ID]; s != nil && s.at.After(device.LastSeenAt) {
		device.LastSeenAt = store.Milliseconds(s.at)
		if s.told != nil {
			report := s.told.report
			device.Report = &report
		}
	}
}
