package hotline

import (
	"context"
	"errors"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// RatingCallBack is how far somebody who asked beside a rating to be called was called. Ratings never change, so it stands beside them.
type RatingCallBack struct {
	Rating   string    `bson:"_id"` // record id
	Attempts []Attempt `bson:"attempts"`
}

// Reached tells whether nothing waits any more.
func (r RatingCallBack) Reached() bool {
	return len(r.Attempts) > 0 && r.Attempts[len(r.Attempts)-1].Reached
}

// maxAttempts is how often one person is tried.
const maxAttempts = 50

// RatingCalled answers how far the person behind a rating was called; none where nobody tried.
func (h *Hotline) RatingCalled(ctx context.Context, recordID string) (RatingCallBack, error) {
	found, _, err := h.callBacks.Get(ctx, recordID)
	if errors.Is(err, store.ErrNotFound) {
		return RatingCallBack{Rating: recordID}, nil
	}
	return found, told("read call-back", "hotline_rating_unknown", err)
}

// CallRatingBack notes an attempt to call the person behind a rating; as CalledBack.
func (h *Hotline) CallRatingBack(ctx context.Context, by Operator, recordID string, reached bool, result, outgoing string) error {
	attempt := h.attempt(by, reached, result, outgoing)
	for {
		found, version, err := h.callBacks.Get(ctx, recordID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			err = h.callBacks.Insert(ctx, RatingCallBack{Rating: recordID, Attempts: []Attempt{attempt}})
			if errors.Is(err, store.ErrExists) {
				continue
			}
			return told("note call-back", "hotline_rating_unknown", err)
		case err != nil:
			return told("read call-back", "hotline_rating_unknown", err)
		}
		attempts, write, err := tried(found.Attempts, attempt, !found.Reached())
		if err != nil || !write {
			return err
		}
		found.Attempts = attempts
		if _, err = h.callBacks.Replace(ctx, recordID, found, version); errors.Is(err, store.ErrStale) {
			continue
		}
		return told("note call-back", "hotline_rating_unknown", err)
	}
}

// tried adds an attempt; write is false where it is there already.
func tried(attempts []Attempt, one Attempt, waits bool) (all []Attempt, write bool, err error) {
	for _, before := range attempts {
		if one.Call != "" && before.Call == one.Call {
			return attempts, false, nil
		}
	}
	switch {
	case !waits:
		return attempts, false, fault.New(fault.Stale, "hotline_called_back")
	case len(attempts) >= maxAttempts:
		return attempts, false, fault.New(fault.Exhausted, "hotline_tried_often", "limit", maxAttempts)
	}
	return append(attempts, one), true, nil
}
