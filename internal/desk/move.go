package desk

import (
	"context"
	"errors"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// A slip that was typed under a wrong number moves to the right one: a new rating revises the one that stands, and takes its place
// in the figures and in the pile. The wrong number is free again, for the slip on which it is printed may lie further down in the pile; what
// was moved away from it stays written there.
//
// Two documents have a part in it. The right number is claimed first, with the whole rating, as every typing is; then the wrong
// one is held, by a compare-and-swap that only the rating standing there lets through: that decides. Then intake stores
// the rating, the wrong number is given free, and last the slip stands under the right one. As long as the wrong number is
// held, the right one is claimed; so whoever meets either of them can finish the rest.

// origin is the slip that a typing takes away from a wrong number.
type origin struct {
	Slip     string `bson:"slip"`      // id of its document
	RatingID string `bson:"rating_id"` // that stood there
}

// hold says that a slip is about to move away.
type hold struct {
	To       string `bson:"to"`        // id of the slip it will be
	RatingID string `bson:"rating_id"` // of the attempt
}

// moved is what is left at a wrong number.
type moved struct {
	To       string    `bson:"to"` // id of the slip it became
	Number   string    `bson:"number"`
	RatingID string    `bson:"rating_id"` // that revised the one that stood here
	Revised  string    `bson:"revised"`
	By       string    `bson:"by"`
	ByID     string    `bson:"by_id"`
	At       time.Time `bson:"at"`
}

// movedTo answers the last move away from a number, to the slip of an id or with "" to any.
func (s slipDoc) movedTo(id string) (last moved, ok bool) {
	for _, m := range s.Moved {
		if id == "" || m.To == id {
			last, ok = m, true
		}
	}
	return last, ok
}

// move tries until the slip stands under its right number, or what is in its way is known.
func (d *Desk) move(ctx context.Context, t *typing) (Entered, error) {
	lost, asked := false, t.private
	for {
		wrong, _, err := d.settle(ctx, t.from) // where there is none it is the zero document, under which nothing stands
		if err != nil {
			return Entered{}, err
		}
		right, there, err := d.settle(ctx, t.id)
		if err != nil {
			return Entered{}, err
		}
		if wrong.Current == nil {
			return d.movedBefore(ctx, t, wrong, right)
		}
		if t.reason == "" || lost {
			return conflict(wrong, "desk_slip_typed_before")
		}
		if right.Current != nil {
			return conflict(right, "desk_number_taken")
		}
		standing, err := wrong.Current.decode()
		if err != nil {
			return Entered{}, err
		}
		if asked == nil {
			if t.private, err = d.kept(ctx, standing); err != nil {
				return Entered{}, err
			}
		}
		if why := d.checkCorrection(t, standing, wrong.Number); why != nil {
			return Entered{Outcome: pb.Outcome_OUTCOME_REJECTED, Why: why}, nil
		}
		attempt, err := d.attempt(t)
		if err != nil {
			return Entered{}, err
		}
		attempt.From = &origin{Slip: wrong.ID, RatingID: wrong.Current.RatingID}
		claimed := slipDoc{ID: t.id, Batch: wrong.Batch, Number: t.number, At: attempt.RatingID, Pending: attempt, Moved: right.Moved}
		if ok, err := d.claim(ctx, claimed, there); err != nil {
			return Entered{}, err
		} else if !ok {
			continue // somebody was faster under the right number
		}
		entered, err := d.finish(ctx, claimed, t.rating, t.private, t.in)
		if !errors.Is(err, errMovedOn) {
			return entered, err
		}
		lost = true
	}
}

// conflict answers what stands under a number, of which nothing is changed.
func conflict(doc slipDoc, reason string) (Entered, error) {
	slip, err := doc.proto()
	return Entered{Outcome: pb.Outcome_OUTCOME_CONFLICT, Slip: slip, Why: fault.New(fault.Exists, reason, "number", doc.Number, "by", doc.Current.TypedBy)}, err
}

// movedBefore answers a move away from a number under which nothing stands: the same call again where it became this very slip.
func (d *Desk) movedBefore(ctx context.Context, t *typing, wrong, right slipDoc) (Entered, error) {
	if _, here := wrong.movedTo(t.id); here && right.Current != nil {
		standing, err := right.Current.decode()
		if err != nil {
			return Entered{}, err
		}
		if t.private == nil {
			if t.private, err = d.kept(ctx, standing); err != nil {
				return Entered{}, err
			}
		}
		same, err := d.same(t, standing)
		switch {
		case err != nil:
			return Entered{}, err
		case same:
			return d.again(ctx, t, right, standing)
		}
		return conflict(right, "desk_number_taken")
	}
	return Entered{Outcome: pb.Outcome_OUTCOME_REJECTED, Why: nothingStands(wrong, t.fromNumber)}, nil
}

// nothingStands says that there is no slip under a number to be corrected, and where it went.
func nothingStands(doc slipDoc, number string) *fault.Error {
	if last, ok := doc.movedTo(""); ok {
		return fault.New(fault.Invalid, "desk_number_moved", "number", number, "to", last.Number, "by", last.By)
	}
	return fault.New(fault.Invalid, "desk_nothing_to_correct", "number", number)
}

// claim writes an attempt down under a number where nothing stands; false where somebody was faster.
func (d *Desk) claim(ctx context.Context, doc slipDoc, there bool) (bool, error) {
	if !there {
		err := d.slips.Insert(ctx, doc)
		if errors.Is(err, store.ErrExists) {
			return false, nil
		}
		return err == nil, typed("write slip down", err)
	}
	claimed := false
	_, err := d.slips.Update(ctx, doc.ID, func(now *slipDoc) (bool, error) {
		claimed = now.free()
		if claimed {
			doc.Moved = now.Moved
			*now = doc
		}
		return claimed, nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return claimed && err == nil, typed("write slip down", err)
}

// free tells whether nothing stands under a number, and nobody is about to put anything there.
func (s slipDoc) free() bool { return s.Current == nil && s.Pending == nil && s.Leaving == nil }

// errMovedOn says that the slip an attempt was to take away from a wrong number is no longer what stood there.
var errMovedOn = errors.New("desk: the slip under the wrong number changed")

// hold holds the wrong number for an attempt, so that nothing else becomes of what stands there; false where something has become
// of it, which is so for ever: a rating that no longer stands under a number never does again.
func (d *Desk) hold(ctx context.Context, claimed slipDoc) (bool, error) {
	from, ratingID := claimed.Pending.From, claimed.Pending.RatingID
	for {
		doc, at, err := d.slips.Get(ctx, from.Slip)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return false, nil
		case err != nil:
			return false, typed("read slip", err)
		}
		for _, m := range doc.Moved {
			if m.RatingID == ratingID {
				return true, nil // somebody finished it for us
			}
		}
		if doc.Current == nil || doc.Current.RatingID != from.RatingID {
			return false, nil
		}
		if doc.Pending != nil || doc.Leaving != nil && doc.Leaving.RatingID != ratingID {
			if _, _, err := d.settle(ctx, doc.ID); err != nil {
				return false, err
			}
			continue
		}
		if doc.Leaving == nil {
			doc.Leaving = &hold{To: claimed.ID, RatingID: ratingID}
			switch _, err := d.slips.Replace(ctx, doc.ID, doc, at); {
			case errors.Is(err, store.ErrStale), errors.Is(err, store.ErrNotFound):
				continue
			case err != nil:
				return false, typed("hold slip", err)
			}
		}
		// Whoever was slow may have held it for an attempt that was taken back meanwhile.
		now, _, err := d.slips.Get(ctx, claimed.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, typed("read slip", err)
		}
		if err == nil && now.Pending != nil && now.Pending.RatingID == ratingID {
			return true, nil
		}
		if _, moved := now.movedFrom(ratingID); err == nil && moved {
			return true, nil
		}
		return false, d.letGo(ctx, from.Slip, ratingID)
	}
}

// movedFrom tells whether an attempt came to stand here.
func (s slipDoc) movedFrom(ratingID string) (origin, bool) {
	if s.Current != nil && s.Current.RatingID == ratingID && s.Current.From != nil {
		return *s.Current.From, true
	}
	return origin{}, false
}

// letGo leaves what stands under a held number where it is.
func (d *Desk) letGo(ctx context.Context, id, ratingID string) error {
	_, err := d.slips.Update(ctx, id, func(doc *slipDoc) (bool, error) {
		if doc.Leaving == nil || doc.Leaving.RatingID != ratingID {
			return false, nil
		}
		doc.Leaving = nil
		return true, nil
	})
	return typed("let slip go", err)
}

// vacate gives the wrong number free, and writes down where its slip went.
func (d *Desk) vacate(ctx context.Context, claimed slipDoc) error {
	attempt := claimed.Pending
	_, err := d.slips.Update(ctx, attempt.From.Slip, func(doc *slipDoc) (bool, error) {
		if doc.Leaving == nil || doc.Leaving.RatingID != attempt.RatingID {
			return false, nil // somebody did it for us
		}
		doc.Moved = append(doc.Moved, moved{
			To: claimed.ID, Number: claimed.Number, RatingID: attempt.RatingID, Revised: attempt.From.RatingID,
			By: attempt.TypedBy, ByID: attempt.TypedByID, At: attempt.TypedAt,
		})
		doc.Current, doc.Leaving, doc.Corrections = nil, nil, 0
		return true, nil
	})
	return typed("free number", err)
}

// release finishes the move that holds a number, or lets it go where the attempt was taken back.
func (d *Desk) release(ctx context.Context, held slipDoc) error {
	claimed, _, err := d.slips.Get(ctx, held.Leaving.To)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return typed("read slip", err)
	case err != nil || claimed.Pending == nil || claimed.Pending.RatingID != held.Leaving.RatingID:
		// The number is given free before the attempt is marked as stored, so this one was taken back.
		return d.letGo(ctx, held.ID, held.Leaving.RatingID)
	}
	return d.finishFor(ctx, claimed)
}

// finishFor finishes an attempt of somebody else. Words that were to be kept from the slip it corrects are found beside that one.
func (d *Desk) finishFor(ctx context.Context, doc slipDoc) error {
	r, err := doc.Pending.decode()
	if err != nil {
		return err
	}
	private, err := d.kept(ctx, r)
	if err != nil {
		return err
	}
	if private != nil {
		private.Salt = d.salt(r)
	}
	if _, err := d.finish(ctx, doc, r, private, language.Vietnamese); !errors.Is(err, errMovedOn) {
		return err
	}
	return nil
}

// checkCorrection tells what is wrong with a correction of what stands.
func (d *Desk) checkCorrection(t *typing, standing *pb.Rating, standsAs string) *fault.Error {
	t.rating.Revises, t.rating.RevisionReason = standing.GetId(), t.reason
	if why := d.check(t); why != nil {
		return why
	}
	if standing.GetQuestionnaireId() != t.rating.GetQuestionnaireId() || standing.GetQuestionnaireVersion() != t.rating.GetQuestionnaireVersion() {
		return fault.New(fault.Invalid, "desk_other_form", "number", standsAs)
	}
	return nil
}
