package desk

import (
	"context"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	// MaxSlips is how many slips a batch takes where nothing else is said: a pile that one person can count by hand, and totals that are counted again
	// at every slip stay cheap.
	MaxSlips = 2_000
	// shown is how many of the last slips GetBatch answers.
	shown = 20
)

// Batch is a pile of slips with its totals.
type Batch struct {
	doc    batchDoc
	totals totals
	// UnitID is the unit the slips are about.
	UnitID string
	// Open is false once it was closed.
	Open bool
}

// OpenBatch begins a batch. That the typist may type for the unit is asked before. Invalid, NotFound for a questionnaire, counter or
// day that cannot be.
func (d *Desk) OpenBatch(ctx context.Context, by Typist, asked *pb.OpenBatchRequest) (Batch, error) {
	now := store.Milliseconds(d.now())
	form, err := d.form(asked.GetQuestionnaireId(), asked.GetQuestionnaireVersion(), now)
	if err != nil {
		return Batch{}, err
	}
	if counter, ok := d.options.Directory.Counter(asked.GetCounterId()); asked.GetCounterId() != "" && (!ok || counter.UnitID != asked.GetUnitId()) {
		return Batch{}, fault.New(fault.NotFound, "counter_unknown", "counter", asked.GetCounterId())
	}
	today, _ := localday.Of(now)
	filled, err := filledOn(asked.GetFilledOn(), today, today)
	if err != nil {
		return Batch{}, err
	}
	if asked.GetExpected() > d.options.MaxSlips {
		return Batch{}, fault.New(fault.Invalid, "desk_batch_too_large", "limit", d.options.MaxSlips)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Batch{}, err
	}
	doc := batchDoc{
		ID: id.String(), Unit: asked.GetUnitId(), Counter: asked.GetCounterId(), Questionnaire: form.id, Version: form.version,
		FilledOn: string(filled), Expected: asked.GetExpected(), Above: d.above(asked.GetUnitId()), Open: true,
		OpenedBy: by.Name, OpenedByID: by.ID, OpenedAt: now,
	}
	if err := d.batches.Insert(ctx, doc); err != nil {
		return Batch{}, typed("open batch", err)
	}
	d.log.InfoContext(ctx, "batch of slips opened", "batch", doc.ID, "unit", doc.Unit, "by", by.ID)
	return batchOf(doc, totals{}), nil
}

// form is a questionnaire's address.
type form struct {
	id      string
	version int32
}

// form finds the version asked for, or with 0 the newest that is in use.
func (d *Desk) form(id string, version int32, now time.Time) (form, error) {
	if version == 0 {
		today, _ := localday.Of(now)
		for _, q := range d.options.Directory.Questionnaires() {
			if q.ID == id && q.Version > version && q.ValidFrom <= today {
				version = q.Version
			}
		}
	}
	if _, ok := d.options.Directory.Questionnaire(id, version); !ok {
		return form{}, fault.New(fault.NotFound, "questionnaire_unknown", "questionnaire", id, "version", version)
	}
	return form{id, version}, nil
}

// filledOn reads the day slips were filled in on: paper may be years old, but nobody fills in a slip tomorrow.
func filledOn(text string, otherwise, today localday.Day) (localday.Day, error) {
	if text == "" {
		return otherwise, nil
	}
	day, err := localday.Parse(text)
	if err != nil {
		return "", fault.New(fault.Invalid, "day_invalid", "day", text)
	}
	if day > today {
		return "", fault.New(fault.Invalid, "desk_filled_future", "day", text)
	}
	return day, nil
}

// above lists the unit and what is above it today, and "" for everything.
func (d *Desk) above(unitID string) []string {
	list := []string{"", unitID}
	for _, u := range d.options.Directory.Tree().Ancestors(unitID) {
		if !slices.Contains(list, u.ID) {
			list = append(list, u.ID)
		}
	}
	return list
}

// Batch answers a batch with its totals. NotFound "desk_batch_unknown".
func (d *Desk) Batch(ctx context.Context, id string) (Batch, error) {
	doc, err := d.batch(ctx, id)
	if err != nil {
		return Batch{}, err
	}
	return d.counted(ctx, doc)
}

func (d *Desk) batch(ctx context.Context, id string) (batchDoc, error) {
	doc, _, err := d.batches.Get(ctx, id)
	if errors.Is(err, store.ErrInvalid) {
		return doc, fault.New(fault.NotFound, "desk_batch_unknown").Because(err)
	}
	return doc, typed("read batch", err)
}

// UnitOf answers the unit of a batch, for the entrance that asks whether the caller may. NotFound "desk_batch_unknown".
func (d *Desk) UnitOf(ctx context.Context, id string) (string, error) {
	doc, err := d.batch(ctx, id)
	return doc.Unit, err
}

// List answers the batches within a unit ("" = everywhere), newest first, at most size of those that show answers true for, and the
// token of the next page, empty at the end.
func (d *Desk) List(ctx context.Context, within string, openOnly bool, size int, page string, show func(unitID string) bool) ([]Batch, string, error) {
	query := store.Query{Index: "above", Equal: []any{within}, After: store.Cursor(page), Desc: true}
	if openOnly {
		query.Index, query.Equal = "open", []any{within, true}
	}
	var docs []batchDoc
	var last, next store.Cursor
	for doc, err := range d.batches.Find(ctx, query) {
		if err != nil {
			return nil, "", typed("list batches", err)
		}
		if !show(doc.Value.Unit) { // moved out of the subtree since
			continue
		}
		if len(docs) == size {
			next = last
			break
		}
		docs, last = append(docs, doc.Value), doc.Cursor
	}
	batches := make([]Batch, 0, len(docs))
	for _, doc := range docs {
		if !doc.Open {
			batches = append(batches, batchOf(doc, doc.Totals))
			continue
		}
		b, err := d.counted(ctx, doc)
		if err != nil {
			return nil, "", err
		}
		batches = append(batches, b)
	}
	return batches, string(next), nil
}

// Close ends a batch; where the slips typed are not as many as were counted by hand a reason is needed. A batch that is closed
// stays as it is. A slip that was under way meanwhile is kept and counted.
func (d *Desk) Close(ctx context.Context, by Typist, id, reason string) (Batch, error) {
	reason = norm.NFC.String(reason)
	if !utf8.ValidString(reason) {
		return Batch{}, fault.New(fault.Invalid, "desk_reason_needed")
	}
	doc, err := d.batches.Update(ctx, id, func(doc *batchDoc) (bool, error) {
		if !doc.Open {
			return false, nil
		}
		counted, err := d.count(ctx, doc.ID)
		if err != nil {
			return false, err
		}
		if doc.Expected != 0 && counted.Typed != doc.Expected && reason == "" {
			return false, fault.New(fault.Invalid, "desk_count_differs", "typed", counted.Typed, "expected", doc.Expected)
		}
		doc.Open, doc.ClosedAt, doc.ClosedBy, doc.Totals = false, store.Milliseconds(d.now()), by.ID, counted
		doc.DifferenceReason = ""
		if counted.Typed != doc.Expected {
			doc.DifferenceReason = reason
		}
		return true, nil
	})
	if err != nil {
		return Batch{}, typed("close batch", err)
	}
	d.log.InfoContext(ctx, "batch of slips closed", "batch", id, "typed", doc.Totals.Typed, "expected", doc.Expected, "by", by.ID)
	return d.counted(ctx, doc)
}

func batchOf(doc batchDoc, t totals) Batch {
	return Batch{doc: doc, totals: t, UnitID: doc.Unit, Open: doc.Open}
}

// Proto is the batch as the contract has it, under the unit's name today.
func (b Batch) Proto(unitName string) *pb.Batch {
	out := &pb.Batch{
		Id: b.doc.ID, UnitId: b.doc.Unit, UnitName: unitName, QuestionnaireId: b.doc.Questionnaire, QuestionnaireVersion: b.doc.Version,
		FilledOn: b.doc.FilledOn, Expected: b.doc.Expected, Typed: b.totals.Typed, Counts: b.totals.Scores[:],
		OpenedBy: b.doc.OpenedBy, OpenedAt: timestamppb.New(b.doc.OpenedAt), DifferenceReason: b.doc.DifferenceReason, CounterId: b.doc.Counter,
	}
	if !b.doc.ClosedAt.IsZero() {
		out.ClosedAt = timestamppb.New(b.doc.ClosedAt)
	}
	return out
}
