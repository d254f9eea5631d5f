package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// attempt is a typing with everything that intake will be given, so that it can be given again.
func (d *Desk) attempt(t *typing) (*version, error) {
	t.rating.PrivateCommitment = nil
	if rating.HasPrivate(t.private) {
		t.private.Salt = d.salt(t.rating)
		commitment, err := rating.Commitment(t.private)
		if err != nil {
			return nil, fault.New(fault.Invalid, "rating_unreadable").Because(err)
		}
		t.rating.PrivateCommitment = commitment
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(t.rating)
	if err != nil {
		return nil, fault.New(fault.Invalid, "rating_unreadable").Because(err)
	}
	score := t.rating.GetOverallScore()
	if form, ok := d.options.Directory.Questionnaire(t.rating.GetQuestionnaireId(), t.rating.GetQuestionnaireVersion()); ok {
		score = form.OverallOf(t.rating)
	}
	return &version{
		RatingID: t.rating.GetId(), Score: score, Rating: encoded, TypedBy: t.by.Name, TypedByID: t.by.ID, TypedAt: store.Milliseconds(d.now()),
	}, nil
}

func (v *version) decode() (*pb.Rating, error) {
	var r pb.Rating
	if err := proto.Unmarshal(v.Rating, &r); err != nil {
		return nil, fmt.Errorf("decode slip's rating %s: %w", v.RatingID, err)
	}
	return &r, nil
}

// settle finishes an attempt that somebody else began, and may have been kept from finishing. A comment typed with it is not known
// here; whoever typed it sends it again, and is answered DUPLICATE. ok is false where no slip is left: intake would not have it.
func (d *Desk) settle(ctx context.Context, id string) (doc slipDoc, ok bool, err error) {
	for {
		doc, _, err = d.slips.Get(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return slipDoc{}, false, nil
		case err != nil:
			return doc, false, typed("read slip", err)
		case doc.Leaving != nil:
			err = d.release(ctx, doc)
		case doc.Pending != nil:
			err = d.finishFor(ctx, doc)
		default:
			return doc, true, nil
		}
		if err != nil {
			return doc, false, err
		}
	}
}

// finish gives a slip's attempt to intake and marks what came of it. Any number may do it at once: the rating's id is written
// down, so intake stores it once.
func (d *Desk) finish(ctx context.Context, doc slipDoc, r *pb.Rating, private *pb.Private, in language.Language) (Entered, error) {
	attempt := doc.Pending
	if attempt.From != nil {
		switch held, err := d.hold(ctx, doc); {
		case err != nil:
			return Entered{}, err
		case !held:
			return Entered{}, cmp.Or(d.drop(ctx, doc.ID, attempt.RatingID), errMovedOn)
		}
	}
	outcome, err := d.options.Intake.Create(ctx, caller(attempt), r, private, in)
	if err != nil {
		return Entered{}, err
	}
	switch outcome.GetOutcome() { //nolint:exhaustive // whatever is no acknowledgement is none
	case pb.Outcome_OUTCOME_STORED, pb.Outcome_OUTCOME_DUPLICATE:
	default:
		d.log.WarnContext(ctx, "intake would not have a slip that was checked", "slip", doc.ID, "reason", outcome.GetReasonCode())
		err := d.drop(ctx, doc.ID, attempt.RatingID)
		if err == nil && attempt.From != nil {
			err = d.letGo(ctx, attempt.From.Slip, attempt.RatingID)
		}
		return Entered{Outcome: pb.Outcome_OUTCOME_REJECTED, Why: fault.New(fault.Invalid, "desk_slip_refused", "reason", outcome.GetReason())}, err
	}
	if attempt.From != nil {
		if err := d.vacate(ctx, doc); err != nil {
			return Entered{}, err
		}
	}
	stands, err := d.slips.Update(ctx, doc.ID, func(now *slipDoc) (bool, error) {
		if now.Pending == nil || now.Pending.RatingID != attempt.RatingID {
			return false, nil // somebody finished it for us
		}
		if now.Current != nil {
			now.Corrections++
		}
		now.Current, now.Pending = now.Pending, nil
		return true, nil
	})
	if err != nil {
		return Entered{}, typed("mark slip as stored", err)
	}
	slip, err := stands.proto()
	return Entered{Outcome: pb.Outcome_OUTCOME_STORED, Slip: slip}, err
}

// drop takes back an attempt that intake would not have.
func (d *Desk) drop(ctx context.Context, id, ratingID string) error {
	for {
		doc, at, err := d.slips.Get(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return typed("read slip", err)
		}
		if doc.Pending == nil || doc.Pending.RatingID != ratingID {
			return nil
		}
		if doc.Pending = nil; doc.Current == nil && len(doc.Moved) == 0 {
			err = d.slips.Delete(ctx, id, at)
		} else {
			_, err = d.slips.Replace(ctx, id, doc, at)
		}
		if errors.Is(err, store.ErrNotFound) {
			return nil // somebody did it for us
		}
		if !errors.Is(err, store.ErrStale) {
			return typed("take slip back", err)
		}
	}
}

// proto is the slip as the contract has it.
func (s slipDoc) proto() (*pb.Slip, error) {
	r, err := s.Current.decode()
	if err != nil {
		return nil, err
	}
	return &pb.Slip{
		Number: s.Number, RatingId: s.Current.RatingID, OverallScore: s.Current.Score, Answers: r.GetAnswers(), TypedBy: s.Current.TypedBy,
		TypedAt: timestamppb.New(s.Current.TypedAt), BatchId: s.Batch, Corrected: s.Corrections > 0 || s.Current.From != nil, HasComment: len(r.GetPrivateCommitment()) > 0,
	}, nil
}

// Last answers the last slips of a batch, newest first.
func (d *Desk) Last(ctx context.Context, batchID string) ([]*pb.Slip, error) {
	var slips []*pb.Slip
	query := store.Query{Index: "batch", Equal: []any{batchID}, Desc: true}
	for doc, err := range d.slips.Find(ctx, query) {
		if err != nil {
			return nil, typed("list slips", err)
		}
		if doc.Value.Current == nil {
			continue // under way
		}
		slip, err := doc.Value.proto()
		if err != nil {
			return nil, err
		}
		if slips = append(slips, slip); len(slips) == shown {
			break
		}
	}
	return slips, nil
}
