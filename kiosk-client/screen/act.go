package screen

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
)

// perform does what the flow asks for; the lock is held. A browser that goes away while the journal writes does not undo the touch.
func (s *Screen) perform(ctx context.Context, act Act) {
	ctx = context.WithoutCancel(ctx)
	var err error
	switch act.Kind {
	case Begin:
		var id string
		if id, err = s.options.Journal.Begin(ctx, act.Begin); err == nil {
			s.handle(ctx, Event{Name: Began, Value: id})
		}
	case Change:
		err = s.options.Journal.Change(ctx, act.Rating, act.Answers)
	case Confirm:
		err = s.options.Journal.Confirm(ctx, act.Rating, act.Private)
	case Seal:
		if err = s.options.Journal.Seal(ctx, act.Rating); err != nil {
			s.unsealed = append(s.unsealed, act.Rating)
		} else {
			s.options.Uplink.Wake()
		}
	case Enroll:
		select {
		case s.enrolling <- act:
		default: // one is under way
		}
	case OnShift:
		err = s.keepShifts(ctx)
	}
	if err != nil {
		s.log.ErrorContext(ctx, "the kiosk's journal did not take it", "what", string(act.Kind), "rating", act.Rating, "error", err)
		s.handle(ctx, Event{Name: Failed, Act: act})
	}
}

// sealAgain tries what failed before.
func (s *Screen) sealAgain(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sealed := false
	s.unsealed = slices.DeleteFunc(s.unsealed, func(id string) bool {
		done := s.options.Journal.Seal(ctx, id) == nil
		sealed = sealed || done
		return done
	})
	if sealed {
		s.options.Uplink.Wake()
	}
}

// lookAtJournal has the staff told what troubles the journal, by a small sign.
func (s *Screen) lookAtJournal(ctx context.Context) {
	status, err := s.options.Journal.Status(ctx)
	if err != nil {
		s.log.ErrorContext(ctx, "the journal does not tell how it is", "error", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.troubles, status.Troubles) {
		s.troubles = status.Troubles
		if s.flow.state == Idle {
			s.tell()
		}
	}
}

// enrolTime bounds how long the set-up screen waits for the server.
const enrolTime = 45 * time.Second

func (s *Screen) enrol(ctx context.Context, act Act) {
	limited, cancel := context.WithTimeout(ctx, enrolTime)
	defer cancel()
	err := s.options.Uplink.Enroll(limited, trimmed(act.Server), act.Code)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.log.WarnContext(ctx, "the device was not enrolled", "error", err)
		why := whyNotEnrolled(err)
		s.event(ctx, Event{Name: NotEnrolled, Value: why.key, Args: why.args})
		return
	}
	s.event(ctx, Event{Name: Enrolled})
	s.configure(ctx)
}

// whyNotEnrolled says in words of a catalogue why a code did not enrol, whether this machine found out or the server told.
func whyNotEnrolled(err error) told {
	var found *fault.Error
	reason := ""
	if errors.As(err, &found) {
		reason = found.Reason
	}
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && found == nil {
			reason = info.GetReason()
		}
	}
	switch reason {
	case "enrollment_code_wrong", "enrollment_code_expired", "enrollment_too_often":
		return told{key: "kiosk.setup." + reason}
	}
	if key := "fault." + reason; found != nil && language.Vietnamese.Text(key) != key && found.Code != fault.Internal {
		return told{key, found.Args}
	}
	switch status.Code(err) {
	case codes.Unauthenticated, codes.NotFound, codes.InvalidArgument:
		return told{key: "kiosk.setup.enrollment_code_wrong"}
	case codes.ResourceExhausted:
		return told{key: "kiosk.setup.enrollment_too_often"}
	case codes.Unavailable, codes.DeadlineExceeded:
		return told{key: "kiosk.setup.no_network"}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return told{key: "kiosk.setup.no_network"}
	}
	return told{key: "kiosk.setup.failed"}
}

const shiftsSetting = "screen.shifts"

// readShifts is who signed in before the program was started again. What cannot be read is nobody.
func (s *Screen) readShifts(ctx context.Context) {
	data, err := s.options.Journal.Setting(ctx, shiftsSetting)
	shifts := map[string]Shift{}
	if err == nil && data != nil {
		err = json.Unmarshal(data, &shifts)
	}
	if err != nil {
		s.log.ErrorContext(ctx, "who signed in at the kiosk is not known any more", "error", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.flow.shifts, shifts)
}

func (s *Screen) keepShifts(ctx context.Context) error {
	data, err := json.Marshal(s.flow.shifts)
	if err != nil {
		return err
	}
	return s.options.Journal.KeepSetting(ctx, shiftsSetting, data)
}
