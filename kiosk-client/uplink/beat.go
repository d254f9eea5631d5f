package uplink

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/kiosk-client/journal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// beatOn sends a heartbeat now and then, as long as they are answered.
func (u *Uplink) beatOn(ctx context.Context, calls *Calls) error {
	held := u.clock.SinceStart()
	for {
		// A little early or late, so that a hall of kiosks switched on together does not speak at once for ever.
		pause := time.Duration((0.9 + 0.2*u.options.Random()) * float64(u.options.HeartbeatEvery))
		if err := wait(ctx, pause); err != nil {
			return err
		}
		if err := u.beat(ctx, calls); err != nil {
			return err
		}
		if now := u.clock.SinceStart(); now-held >= u.options.RetryHeldEvery {
			held = now
			signal(u.held)
		}
	}
}

// beat sends one heartbeat and does what its answer asks for.
func (u *Uplink) beat(ctx context.Context, calls *Calls) error {
	status, err := u.journal.Status(ctx)
	if err != nil {
		return err
	}
	sent := u.clock.Now()
	answer, err := calls.Heartbeat(ctx, u.report(status, sent))
	if err != nil {
		return err
	}
	received := u.clock.Now()
	skew := answer.GetSkew().AsDuration()
	if at := answer.GetServerTime(); at.IsValid() && !received.Before(sent) {
		skew = sent.Add(received.Sub(sent) / 2).Sub(at.AsTime()).Round(time.Millisecond) // the way there and back halved
	}
	u.change(func(s *State) {
		s.Connected, s.LastContact, s.Skew, s.Trouble = true, received, skew, ""
		switch {
		case answer.GetCloned():
			s.Trouble = TroubleCloned
		case skew.Abs() > wrongClock:
			s.Trouble = TroubleClock
		}
	})
	if skipped, err := u.journal.Skip(ctx, answer.GetStoredThrough()); err != nil {
		return err
	} else if skipped {
		u.log.ErrorContext(ctx, "the server holds ratings that this device's journal does not know of; goes on after them", "through", answer.GetStoredThrough())
	}
	if err := u.rewind(ctx, answer.GetStoredThrough(), status.AcknowledgedThrough); err != nil {
		return err
	}
	if version := answer.GetConfigurationVersion(); version != "" && version != u.Configuration().GetVersion() {
		return u.fetchConfiguration(ctx, calls)
	}
	return nil
}

func (u *Uplink) report(status journal.Status, now time.Time) *pb.SendHeartbeatRequest {
	how := &pb.SendHeartbeatRequest{
		Version: u.options.Version, QueueDepth: status.Queue, DeviceTime: timestamppb.New(now), FreeBytes: status.FreeBytes,
		BootId: u.clock.BootID(), MachineId: u.options.MachineID, HighestSequence: status.HighestSequence,
		ConfigurationVersion: u.Configuration().GetVersion(), Troubles: status.Troubles,
	}
	if !status.LastTouch.IsZero() {
		how.LastTouch = timestamppb.New(status.LastTouch)
	}
	for _, day := range status.Days {
		how.Days = append(how.Days, &pb.DayCount{Day: day.Day, Count: day.Count})
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	how.ScreenState = u.screen
	if u.jumps.seen(now, u.clock.SinceStart()) {
		how.Troubles = append(how.Troubles, "clock_jumped")
	}
	return how
}

// jumps tells whether the wall clock was set lately: it is compared with the clock that nobody sets.
type jumps struct {
	known  bool
	offset time.Time     // what the wall clock showed at the start, as it was seen last
	until  time.Duration // since the start
}

const (
	jump     = time.Minute
	tellJump = 24 * time.Hour
)

func (j *jumps) seen(wall time.Time, since time.Duration) bool {
	offset := wall.Round(0).Add(-since)
	if j.known && offset.Sub(j.offset).Abs() > jump {
		j.until = since + tellJump
	}
	j.known, j.offset = true, offset
	return since < j.until
}

// rewinding is when the queue was last taken back, and to where.
type rewinding struct {
	to    uint64
	at    time.Duration
	known bool
}

// rewindAgain is how long the queue is not taken back to the same place twice: a server that cannot hold something it acknowledged
// must not be sent everything after it every minute.
const rewindAgain = time.Hour

// rewind sends again what a server that went back to a copy of itself no longer holds.
func (u *Uplink) rewind(ctx context.Context, through, acknowledged uint64) error {
	u.mu.Lock()
	last := u.rewound
	u.mu.Unlock()
	now := u.clock.SinceStart()
	if last.known && last.to == through && now-last.at < rewindAgain {
		return nil
	}
	back, err := u.journal.Rewind(ctx, through, acknowledged)
	if err != nil || !back {
		return err
	}
	u.log.WarnContext(ctx, "the server holds less than it acknowledged: it was restored from a copy; the rest is sent again", "through", through, "acknowledged", acknowledged)
	u.mu.Lock()
	u.rewound = rewinding{through, now, true}
	u.mu.Unlock()
	u.Wake()
	return nil
}
