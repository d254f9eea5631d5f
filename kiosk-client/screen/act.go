package screen

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/fault"
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
		err = s.writeShifts()
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
		s.event(ctx, Event{Name: NotEnrolled, Value: whyNotEnrolled(err)})
		return
	}
	s.event(ctx, Event{Name: Enrolled})
	s.configure(ctx)
}

// whyNotEnrolled is the key of the words for somebody who typed a code.
func whyNotEnrolled(err error) string {
	var told *fault.Error
	if errors.As(err, &told) {
		switch told.Reason {
		case "enrollment_code_wrong", "enrollment_code_expired", "enrollment_too_often":
			return "kiosk.setup." + told.Reason
		}
		switch told.Code {
		case fault.Unauthenticated, fault.NotFound, fault.Invalid:
			return "kiosk.setup.enrollment_code_wrong"
		case fault.Exhausted:
			return "kiosk.setup.enrollment_too_often"
		case fault.Unavailable:
			return "kiosk.setup.no_network"
		}
		return "kiosk.setup.failed"
	}
	switch status.Code(err) {
	case codes.Unauthenticated, codes.NotFound, codes.InvalidArgument:
		return "kiosk.setup.enrollment_code_wrong"
	case codes.ResourceExhausted:
		return "kiosk.setup.enrollment_too_often"
	case codes.Unavailable, codes.DeadlineExceeded:
		return "kiosk.setup.no_network"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "kiosk.setup.no_network"
	}
	return "kiosk.setup.failed"
}

const shiftsFile = "on-duty.json"

// readShifts is who signed in before the program was started again. What cannot be read is nobody.
func (s *Screen) readShifts() map[string]Shift {
	shifts := map[string]Shift{}
	if s.options.Folder == "" {
		return shifts
	}
	if data, err := os.ReadFile(filepath.Join(s.options.Folder, shiftsFile)); err == nil { //nolint:gosec // a file of the state folder
		if json.Unmarshal(data, &shifts) != nil {
			return map[string]Shift{}
		}
	}
	return shifts
}

func (s *Screen) writeShifts() error {
	if s.options.Folder == "" {
		return nil
	}
	data, err := json.Marshal(s.flow.shifts)
	if err != nil {
		return err
	}
	path := filepath.Join(s.options.Folder, shiftsFile)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
