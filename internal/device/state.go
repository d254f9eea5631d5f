package device

import (
	"time"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	// SilentAfter is how long a device that works may be silent: it sends a heartbeat every minute.
	SilentAfter = 10 * time.Minute
	// BehindAfter is how long a rating may wait on a device that is heard of, and a sequence be missing between others.
	BehindAfter = 15 * time.Minute
)

// State judges how the device is. open tells whether offices have been open for SilentAfter: a device that is switched on in the
// morning has that long to be heard of.
func (d Device) State(now time.Time, open bool) pb.DeviceState {
	heard := d.LastSeenAt
	if d.EnrolledAt.After(heard) {
		heard = d.EnrolledAt
	}
	switch {
	case !d.RevokedAt.IsZero():
		return pb.DeviceState_DEVICE_STATE_REVOKED
	case d.EnrolledAt.IsZero():
		return pb.DeviceState_DEVICE_STATE_WAITING
	case !d.ClonedSince.IsZero():
		return pb.DeviceState_DEVICE_STATE_CLONED
	case now.Sub(heard) >= SilentAfter && open:
		return pb.DeviceState_DEVICE_STATE_SILENT
	case now.Sub(heard) >= SilentAfter:
		return pb.DeviceState_DEVICE_STATE_RESTING
	case !d.WaitingSince.IsZero() && now.Sub(d.WaitingSince) > BehindAfter:
		return pb.DeviceState_DEVICE_STATE_BEHIND
	}
	return pb.DeviceState_DEVICE_STATE_LIVE
}

// owed is the oldest that is known to wait on a device: at Since it told that it had given Sequence, and the server lacked it. A
// device that tells no sequence owes while it tells of a queue.
type owed struct {
	Sequence int64     `bson:"sequence,omitempty"`
	Since    time.Time `bson:"since"`
}

// owes is what a device owes after it told something, when everything up to through was stored. A queue that never empties
// because people keep coming is not waiting as long as it moves on.
func owes(before *owed, told Report, through uint64, at time.Time) *owed {
	if before != nil && !before.paid(through, told) {
		return before
	}
	if told.HighestSequence == 0 && told.QueueDepth > 0 || unsigned(told.HighestSequence) > through {
		return &owed{Sequence: told.HighestSequence, Since: at}
	}
	return nil
}

func (o *owed) paid(through uint64, told Report) bool {
	if o.Sequence == 0 {
		return told.QueueDepth == 0 || told.HighestSequence > 0
	}
	return through >= unsigned(o.Sequence)
}
