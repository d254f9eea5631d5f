package actions

import (
	"context"
	"errors"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// ChangedError is a fault.Stale "actions_changed": somebody else was first. Nothing was written.
type ChangedError struct {
	fault *fault.Error
	Now   Kept                   // as it stands
	Since []casework.ActionEntry // what happened since the version that was seen
}

// Error is for the log.
func (e *ChangedError) Error() string { return e.fault.Error() }

// Unwrap answers the fault.
func (e *ChangedError) Unwrap() error { return e.fault }

// Owner names an action as the holder of files.
func Owner(id string) string { return "action-" + id }

// Apply lets an event happen to an action. seen is the version on which whoever does it decided; where anything happened since (but for
// escalations by the clock), the answer is a *ChangedError. seen 0 decides on whatever stands. NotFound "actions_unknown"; and the
// faults of casework.Machine.ApplyAction.
func (a *Actions) Apply(ctx context.Context, id string, seen store.Version, event casework.ActionEvent, by casework.Actor) (Kept, error) {
	if len(event.Evidence.Attachments) > 0 {
		held, err := a.options.Hold(ctx, Owner(id), event.Evidence.Attachments)
		if err != nil {
			return Kept{}, err
		}
		event.Evidence.Attachments = held
	}
	d, version, err := a.get(ctx, id)
	for err == nil {
		if since, over := d.overtaken(seen); over {
			return Kept{}, &ChangedError{fault: fault.New(fault.Stale, "actions_changed"), Now: d.kept(), Since: since}
		}
		m, err := a.options.Machine(d.Ordering)
		if err != nil {
			return Kept{}, err
		}
		action, effects, err := m.ApplyAction(d.Action, event, by, a.now())
		if err != nil {
			return Kept{}, err
		}
		next := a.after(d, action, effects, m)
		_, err = a.actions.Replace(ctx, id, next, version)
		if err == nil {
			a.settle(ctx, id)
			return next.kept(), nil
		}
		var stale *store.StaleError[document]
		if !errors.As(err, &stale) {
			return Kept{}, failed("write an action", err)
		}
		d, version = stale.Current.Value, stale.Current.Version
	}
	return Kept{}, err
}

func (d document) overtaken(seen store.Version) ([]casework.ActionEntry, bool) {
	if seen == 0 {
		return nil, false
	}
	if seen < 0 || int(seen) > len(d.History) {
		return nil, true
	}
	var since []casework.ActionEntry
	for _, e := range d.History[seen:] {
		if e.Event.Name != casework.Overdue {
			since = append(since, e)
		}
	}
	return since, len(since) > 0
}
