package device

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
)

// seenEvery is how often being heard of is written, however often it happens.
const seenEvery = time.Minute

// sightings is when devices were last heard of and when that was last written.
type sightings struct {
	mu sync.Mutex
	by map[string]*sighting
}

type sighting struct {
	at, written time.Time
	report      Report
}

// Touch notes that a device was heard of now, with what it told of itself, if anything. At most once a minute that is
// written; nothing depends on it, so it answers nothing. Call it only for devices that proved who they are.
func (d *Devices) Touch(ctx context.Context, deviceID string, report *Report) {
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
	s.at = now
	if report != nil {
		s.report = *report
	}
	due := now.Sub(s.written) >= seenEvery
	if due {
		s.written = now // by this caller; others at the same time leave it alone
	}
	told := s.report
	d.seen.mu.Unlock()
	if !due {
		return
	}
	if err := d.writeSeen(ctx, healthDoc{ID: deviceID, SeenAt: store.Milliseconds(now), Report: told}); err != nil {
		d.log.WarnContext(ctx, "when a device was last heard of was not kept", "device", deviceID, "error", err)
	}
}

func (d *Devices) writeSeen(ctx context.Context, seen healthDoc) error {
	for {
		_, err := d.health.Update(ctx, seen.ID, func(doc *healthDoc) (bool, error) {
			if !seen.SeenAt.After(doc.SeenAt) {
				return false, nil
			}
			if seen.Report == (Report{}) {
				seen.Report = doc.Report
			}
			*doc = seen
			return true, nil
		})
		if errors.Is(err, store.ErrNotFound) {
			if err = d.health.Insert(ctx, seen); errors.Is(err, store.ErrExists) {
				continue
			}
		}
		return err
	}
}

// lastSeen brings what the store and this process know together.
func (d *Devices) lastSeen(device *Device, kept healthDoc) {
	device.LastSeenAt, device.Report = kept.SeenAt, kept.Report
	d.seen.mu.Lock()
	defer d.seen.mu.Unlock()
	if s := d.seen.by[device.ID]; s != nil && s.at.After(device.LastSeenAt) {
		device.LastSeenAt = store.Milliseconds(s.at)
		if s.report != (Report{}) {
			device.Report = s.report
		}
	}
}
