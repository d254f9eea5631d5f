package desk

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"buf.build/go/protovalidate"
	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Entered says what became of a slip.
type Entered struct {
	Outcome pb.Outcome
	Why     *fault.Error // for CONFLICT and REJECTED
	Slip    *pb.Slip     // as it stands; for CONFLICT what was typed before; nil for REJECTED
	Batch   Batch        // with its new totals
}

// typing is one slip on its way through a call.
type typing struct {
	by     Typist
	batch  batchDoc
	id     string // of the slip
	number string
	reason string // of a correction
	// The slip that was typed under a wrong number; "" = none was.
	from       string // its id
	fromNumber string
	rating     *pb.Rating
	private    *pb.Private
	in         language.Language
}

// Enter stores one slip of a batch. The same slip again is DUPLICATE; other answers under a number that was typed before are
// CONFLICT, and nothing is stored, or with a reason a correction; one without a Private keeps what was given beside the slip,
// an empty Private drops it. With a number that it corrects, the slip typed under that one is corrected and moves to its own (see move); without
// a reason nothing is stored then, and the answer is CONFLICT with what stands under the wrong number. Of two operators who type one slip at the same time the
// first wins, and the other is told who it was. A slip that cannot be right is REJECTED and kept nowhere: the
// paper is at hand, and is typed again. Stale "desk_batch_closed"; Unavailable, of which nothing is known to be stored,
// and the same call may be made again.
func (d *Desk) Enter(ctx context.Context, by Typist, asked *pb.EnterSlipRequest, in language.Language) (Entered, error) {
	batch, err := d.batch(ctx, asked.GetBatchId())
	if err != nil {
		return Entered{}, err
	}
	t, err := d.read(by, batch, asked, in)
	if err != nil {
		return Entered{}, err
	}
	enter := d.enter
	if t.from != "" && (t.from != t.id || t.reason == "") {
		enter = d.move
	}
	entered, err := enter(ctx, t)
	if err != nil {
		return Entered{}, err
	}
	entered.Batch, err = d.counted(ctx, batch)
	if err == nil && entered.Batch.totals.Typed >= d.options.MaxSlips && !batch.Full {
		err = d.fill(ctx, batch.ID)
	}
	if err == nil && entered.Slip != nil && (t.from != "" || entered.Slip.GetBatchId() != batch.ID) {
		_, err = d.Batch(ctx, entered.Slip.GetBatchId()) // a correction typed elsewhere, or while it was closed: the totals kept of a closed batch follow
	}
	return entered, err
}

// fill marks a batch as full. Slips under way meanwhile may put it over the limit by a few, which does no harm.
func (d *Desk) fill(ctx context.Context, id string) error {
	_, err := d.batches.Update(ctx, id, func(doc *batchDoc) (bool, error) {
		changed := !doc.Full
		doc.Full = true
		return changed, nil
	})
	return typed("mark batch as full", err)
}

// read makes a rating of what was typed.
func (d *Desk) read(by Typist, batch batchDoc, asked *pb.EnterSlipRequest, in language.Language) (*typing, error) {
	now := d.now()
	today, _ := localday.Of(now)
	filled, err := filledOn(asked.GetFilledOn(), localday.Day(batch.FilledOn), today)
	if err != nil {
		return nil, err
	}
	kept, folded, err := number(asked.GetNumber())
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	t := &typing{
		by: by, batch: batch, id: slipID(batch.Unit, filled, folded), number: kept, in: in,
		reason: norm.NFC.String(asked.GetCorrectionReason()), private: proto.CloneOf(asked.GetPrivate()),
	}
	t.rating = &pb.Rating{
		Id: id.String(), UnitId: batch.Unit, CounterId: batch.Counter, OfficialId: asked.GetOfficialId(), ProcedureCode: asked.GetProcedureCode(),
		Channel: pb.Channel_CHANNEL_PAPER, QuestionnaireId: batch.Questionnaire, QuestionnaireVersion: batch.Version,
		OverallScore: asked.GetOverallScore(), Answers: answers(asked.GetAnswers()), OccurredAt: timestamppb.New(occurred(filled, now)),
		Language: string(language.Vietnamese), RecordedBy: by.ID, SlipNumber: kept,
	}
	if asked.GetCorrectsNumber() != "" {
		if t.fromNumber, folded, err = number(asked.GetCorrectsNumber()); err != nil {
			return nil, err
		}
		t.from = slipID(batch.Unit, filled, folded)
	}
	return t, nil
}

// occurred is when a slip of a day counts: only the day is known, so noon; on the day itself no later than now, for what is
// yet to come would count as absurd.
func occurred(filled localday.Day, now time.Time) time.Time {
	noon := filled.Start().Add(12 * time.Hour)
	if noon.After(now) {
		return store.Milliseconds(now)
	}
	return noon
}

// answers leaves out what was not answered and puts the rest into one order, so that equal answers are equal.
func answers(typed []*pb.Answer) []*pb.Answer {
	var kept []*pb.Answer
	for _, a := range typed {
		if a.GetScore() == 0 && len(a.GetChoiceIds()) == 0 {
			continue
		}
		a = proto.CloneOf(a)
		slices.Sort(a.ChoiceIds)
		kept = append(kept, a)
	}
	slices.SortFunc(kept, func(a, b *pb.Answer) int { return cmp.Compare(a.GetQuestionId(), b.GetQuestionId()) })
	return kept
}

// check tells what is wrong with a slip before anything is written.
func (d *Desk) check(t *typing) *fault.Error {
	if _, ok := d.options.Directory.Official(t.rating.GetOfficialId()); t.rating.GetOfficialId() != "" && !ok {
		return fault.New(fault.NotFound, "official_unknown", "official", t.rating.GetOfficialId())
	}
	form, ok := d.options.Directory.Questionnaire(t.rating.GetQuestionnaireId(), t.rating.GetQuestionnaireVersion())
	if !ok {
		return fault.New(fault.NotFound, "questionnaire_unknown", "questionnaire", t.rating.GetQuestionnaireId(), "version", t.rating.GetQuestionnaireVersion())
	}
	if err := form.Check(t.rating); err != nil {
		return fault.Of(err)
	}
	for _, message := range []proto.Message{t.rating, t.private} {
		err := d.validator.Validate(message)
		var violations *protovalidate.ValidationError
		if errors.As(err, &violations) && len(violations.Violations) > 0 {
			first := violations.Violations[0]
			return fault.New(fault.Invalid, "desk_slip_invalid", "field", protovalidate.FieldPathString(first.Proto.GetField()), "rule", first.Proto.GetMessage())
		}
		if err != nil {
			return fault.Of(err)
		}
	}
	return nil
}

// enter tries until the slip is stored, or stands as somebody typed it.
func (d *Desk) enter(ctx context.Context, t *typing) (Entered, error) {
	lost := false // a correction against which somebody else's won
	asked := t.private
	for {
		doc, at, err := d.slips.Get(ctx, t.id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			entered, again, err := d.first(ctx, t, nil)
			if !again {
				return entered, err
			}
			continue
		case err != nil:
			return Entered{}, typed("read slip", err)
		case doc.Pending != nil || doc.Leaving != nil:
			if _, _, err := d.settle(ctx, t.id); err != nil {
				return Entered{}, err
			}
			continue
		case doc.Current == nil:
			entered, again, err := d.first(ctx, t, &doc)
			if !again {
				return entered, err
			}
			continue
		}
		standing, err := doc.Current.decode()
		if err != nil {
			return Entered{}, err
		}
		if t.reason != "" && asked == nil {
			if t.private, err = d.kept(ctx, standing); err != nil {
				return Entered{}, err
			}
		}
		same, err := d.same(t, standing)
		switch {
		case err != nil:
			return Entered{}, err
		case same:
			return d.again(ctx, t, doc, standing)
		case t.reason == "" || lost:
			return conflict(doc, "desk_slip_typed_before")
		}
		entered, again, err := d.correct(ctx, t, doc, at, standing)
		if !again {
			return entered, err
		}
		lost = true
	}
}

// first writes down a slip whose number was not typed before, or is free again (moved), then stores it. Again is true where
// somebody was faster.
func (d *Desk) first(ctx context.Context, t *typing, free *slipDoc) (entered Entered, again bool, err error) {
	if !t.batch.Open {
		return Entered{}, false, fault.New(fault.Stale, "desk_batch_closed")
	}
	if t.reason != "" { // a correction of nothing: the number or the year is wrong, and storing it would count a slip twice
		var none slipDoc
		if free != nil {
			none = *free
		}
		return Entered{Outcome: pb.Outcome_OUTCOME_REJECTED, Why: nothingStands(none, t.number)}, false, nil
	}
	if t.batch.Full {
		return Entered{}, false, fault.New(fault.Exhausted, "desk_batch_full", "limit", d.options.MaxSlips)
	}
	if why := d.check(t); why != nil {
		return Entered{Outcome: pb.Outcome_OUTCOME_REJECTED, Why: why}, false, nil
	}
	attempt, err := d.attempt(t)
	if err != nil {
		return Entered{}, false, err
	}
	doc := slipDoc{ID: t.id, Batch: t.batch.ID, Number: t.number, At: attempt.RatingID, Pending: attempt}
	if ok, err := d.claim(ctx, doc, free != nil); err != nil || !ok {
		return Entered{}, err == nil, err
	}
	entered, err = d.finish(ctx, doc, t.rating, t.private, t.in)
	return entered, false, err
}

// correct writes down a correction beside what stands, then stores it. Again is true where somebody was faster.
func (d *Desk) correct(ctx context.Context, t *typing, doc slipDoc, at store.Version, standing *pb.Rating) (entered Entered, again bool, err error) {
	if why := d.checkCorrection(t, standing, doc.Number); why != nil {
		return Entered{Outcome: pb.Outcome_OUTCOME_REJECTED, Why: why}, false, nil
	}
	if doc.Pending, err = d.attempt(t); err != nil {
		return Entered{}, false, err
	}
	doc.At = doc.Pending.RatingID
	switch _, err := d.slips.Replace(ctx, doc.ID, doc, at); {
	case errors.Is(err, store.ErrStale), errors.Is(err, store.ErrNotFound):
		return Entered{}, true, nil
	case err != nil:
		return Entered{}, false, typed("write correction down", err)
	}
	entered, err = d.finish(ctx, doc, t.rating, t.private, t.in)
	return entered, false, err
}

// again acknowledges a slip that stands as it was typed now. A comment that a crash kept from being stored is stored.
func (d *Desk) again(ctx context.Context, t *typing, doc slipDoc, standing *pb.Rating) (Entered, error) {
	if rating.HasPrivate(t.private) {
		t.private.Salt = d.salt(standing)
		if _, err := d.options.Intake.Create(ctx, caller(doc.Current), standing, t.private, t.in); err != nil {
			return Entered{}, err
		}
	}
	slip, err := doc.proto()
	return Entered{Outcome: pb.Outcome_OUTCOME_DUPLICATE, Slip: slip}, err
}

// same tells whether what was typed now says what stands. When and by whom it was typed does not matter.
func (d *Desk) same(t *typing, standing *pb.Rating) (bool, error) {
	now, before := proto.CloneOf(t.rating), proto.CloneOf(standing)
	dayNow, _ := localday.Of(now.GetOccurredAt().AsTime())
	dayBefore, _ := localday.Of(before.GetOccurredAt().AsTime())
	for _, r := range []*pb.Rating{now, before} {
		r.Id, r.OccurredAt, r.RecordedBy, r.Revises, r.RevisionReason, r.Language, r.SlipNumber, r.PrivateCommitment = "", nil, "", "", "", "", "", nil
	}
	if dayNow != dayBefore || !proto.Equal(now, before) {
		return false, nil
	}
	commitment, err := d.commitment(standing, t.private)
	return bytes.Equal(commitment, standing.GetPrivateCommitment()), err
}

// commitment is what a rating would hold of a Private; nil where there is nothing to hold.
func (d *Desk) commitment(r *pb.Rating, private *pb.Private) ([]byte, error) {
	if !rating.HasPrivate(private) {
		return nil, nil
	}
	private = proto.CloneOf(private)
	private.Salt = d.salt(r)
	return rating.Commitment(private)
}

// salt is derived from the rating's identity under a secret: whoever types the slip again commits to the same words, and no copy
// of it is left here once the words are erased.
func (d *Desk) salt(r *pb.Rating) []byte {
	return d.options.Salts.Sum([]byte("desk\x00" + r.GetUnitId() + "\x00" + r.GetId()))[:16]
}

// caller is the program, on behalf of the account that typed: its right was asked at the entrance, and whoever finishes an
// attempt later does it in the same name.
func caller(v *version) identity.Caller {
	as := identity.System()
	as.AccountID = v.TypedByID
	return as
}
