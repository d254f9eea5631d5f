package device

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestHowADeviceIs(t *testing.T) {
	now := at.Add(24 * time.Hour)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	live := Device{EnrolledAt: at, LastSeenAt: ago(time.Minute)}
	with := func(change func(*Device)) Device {
		d := live
		change(&d)
		return d
	}
	const (
		waiting = pb.DeviceState_DEVICE_STATE_WAITING
		lives   = pb.DeviceState_DEVICE_STATE_LIVE
		behind  = pb.DeviceState_DEVICE_STATE_BEHIND
		silent  = pb.DeviceState_DEVICE_STATE_SILENT
		resting = pb.DeviceState_DEVICE_STATE_RESTING
		cloned  = pb.DeviceState_DEVICE_STATE_CLONED
		revoked = pb.DeviceState_DEVICE_STATE_REVOKED
	)
	for _, c := range []struct {
		name         string
		device       Device
		open, closed pb.DeviceState
	}{
		{"made, not enrolled", Device{CreatedAt: at}, waiting, waiting},
		{"enrolled just now, not heard of", Device{EnrolledAt: ago(SilentAfter - 1)}, lives, lives},
		{"enrolled, never heard of", Device{EnrolledAt: ago(SilentAfter)}, silent, resting},
		{"enrolled anew after a long silence", Device{EnrolledAt: ago(time.Minute), LastSeenAt: ago(time.Hour)}, lives, lives},
		{"heard of", live, lives, lives},
		{"heard of nearly ten minutes ago", with(func(d *Device) { d.LastSeenAt = ago(SilentAfter - 1) }), lives, lives},
		{"heard of ten minutes ago", with(func(d *Device) { d.LastSeenAt = ago(SilentAfter) }), silent, resting},
		{"a clock ahead", with(func(d *Device) { d.LastSeenAt = now.Add(time.Hour) }), lives, lives},
		{"a rating waits", with(func(d *Device) { d.WaitingSince = ago(BehindAfter) }), lives, lives},
		{"a rating waits for long", with(func(d *Device) { d.WaitingSince = ago(BehindAfter + 1) }), behind, behind},
		{"silent, and a rating waits", with(func(d *Device) { d.WaitingSince, d.LastSeenAt = ago(time.Hour), ago(time.Hour) }), silent, resting},
		{"two machines, one waits", with(func(d *Device) { d.ClonedSince, d.WaitingSince = ago(time.Hour), ago(time.Hour) }), cloned, cloned},
		{"two machines, both silent", with(func(d *Device) { d.ClonedSince, d.LastSeenAt = ago(time.Hour), ago(time.Hour) }), cloned, cloned},
		{"revoked, whatever else", with(func(d *Device) { d.RevokedAt, d.ClonedSince = ago(time.Minute), ago(time.Hour) }), revoked, revoked},
		{"revoked before it was enrolled", Device{RevokedAt: ago(time.Minute)}, revoked, revoked},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.device.State(now, true); got != c.open {
				t.Errorf("in office hours %v, want %v", got, c.open)
			}
			if got := c.device.State(now, false); got != c.closed {
				t.Errorf("outside office hours %v, want %v", got, c.closed)
			}
		})
	}
}

// What waits is seen by what a device tells and by what arrived, from any process.
func TestWhatWaits(t *testing.T) {
	onStores(t, func(t *testing.T, h *house) {
		here, there := h.process(), h.process()
		device, _ := h.enrolled(here, 1)
		state := func(d *Devices) pb.DeviceState {
			found, err := d.Get(t.Context(), device.ID)
			if err != nil {
				t.Fatal(err)
			}
			return found.State(h.clock.Now(), true)
		}
		// minutes go by, in each of which the device tells how many it has given and how many wait.
		minutes := func(n int, want pb.DeviceState, given, queue int64) {
			t.Helper()
			for i := range n {
				h.clock.add(time.Minute)
				h.beat([]*Devices{here, there}[i%2], device.ID, Beat{Report: Report{HighestSequence: given, QueueDepth: queue}})
			}
			if a, b := state(here), state(there); a != want || b != want {
				t.Errorf("after %d minutes with %d given and %d waiting: %v and %v, want %v", n, given, queue, a, b, want)
			}
		}
		arrive := func(sequences ...uint64) {
			if err := here.Received(t.Context(), device.ID, sequences, nil); err != nil {
				t.Fatal(err)
			}
		}
		const live, behind = pb.DeviceState_DEVICE_STATE_LIVE, pb.DeviceState_DEVICE_STATE_BEHIND
		minutes(3, live, 0, 0)
		minutes(15, live, 2, 2)
		minutes(2, behind, 2, 2)
		arrive(1, 2)
		if a, b := state(here), state(there); a != live || b != live {
			t.Errorf("all arrived: %v and %v", a, b)
		}
		minutes(2, live, 2, 0)
		// A queue that is never empty because people keep coming, and moves on.
		for n := int64(3); n < 30; n++ {
			minutes(1, live, n, 1)
			arrive(uint64(n) - 1)
		}
		arrive(29, 31) // 30 is missing between others
		minutes(14, live, 31, 0)
		minutes(3, behind, 31, 0)
		arrive(30)
		minutes(2, live, 31, 0)
		// A device that does not tell its sequences.
		minutes(14, live, 0, 5)
		minutes(4, behind, 0, 5)
		minutes(2, live, 0, 0)
	})
}

// However a device tells and ratings arrive: what it owes is never older than the last time that all it had told of had arrived.
func TestOwing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o *owed
		var given, through int64
		clear, now := at, at
		for range rapid.IntRange(1, 60).Draw(t, "heartbeats") {
			now = now.Add(time.Minute)
			given += rapid.Int64Range(0, 3).Draw(t, "given")
			through += rapid.Int64Range(0, given-through).Draw(t, "arrived")
			o = owes(o, Report{HighestSequence: given, QueueDepth: given - through}, uint64(through), now)
			if given == through {
				clear = now
			}
			switch {
			case (o == nil) != (given == through):
				t.Fatalf("%d given, %d arrived, owes %+v", given, through, o)
			case o != nil && (!o.Since.After(clear) || o.Sequence > given || o.Sequence <= through):
				t.Fatalf("%d given, %d arrived, nothing waited at %v, owes %+v", given, through, clear, o)
			}
		}
	})
}
