// Package desk keeps the piles of paper slips that operators type: batches, and the slips in them. A slip becomes a rating
// through intake; what is kept here is which slip it was, so that a number typed twice is noticed and the totals of a
// pile can be held against the tally marks on paper. It does not ask who calls: an entrance of the server checks the
// right to type slips and its scope.
//
// Nothing acknowledged is lost and nothing is counted twice, over a crash at any point: a slip is first written down with its
// whole rating, id and all, as an attempt; then intake stores the rating; then the slip is marked as stored. Whoever
// meets an attempt that was not finished finishes it, and intake answers DUPLICATE where it had got that far.
package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"buf.build/go/protovalidate"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Intake is what the desk asks of intake. Create stores one rating, once; Given is what was given beside a stored one, nil and true
// where that was erased.
type Intake interface {
	Given(ctx context.Context, unit, ratingID string) (*pb.Private, bool, error)
	Create(ctx context.Context, caller identity.Caller, r *pb.Rating, private *pb.Private, in language.Language) (*pb.ItemOutcome, error)
}

// Directory is what the desk asks of the directory.
type Directory interface {
	Tree() *unit.Tree
	Questionnaire(id string, version int32) (*questionnaire.Questionnaire, bool)
	Questionnaires() []*questionnaire.Questionnaire
	Counter(id string) (directory.Counter, bool)
	Official(id string) (directory.Official, bool)
}

// Options of the desk. Intake, Directory and Salts are required.
type Options struct {
	Intake    Intake
	Directory Directory
	Salts     secret.Signer    // derives the salts of comments from the ids of their ratings
	MaxSlips  uint32           // a batch; 0 = MaxSlips
	Logger    *slog.Logger     // nil = nothing is logged
	Now       func() time.Time // nil = time.Now
}

// Desk keeps batches and slips. Its methods may be called by many goroutines and processes.
type Desk struct {
	options   Options
	batches   store.Docs[batchDoc]
	slips     store.Docs[slipDoc]
	marks     store.Docs[slipMark]
	validator protovalidate.Validator
	log       *slog.Logger
	now       func() time.Time
}

// Typist is the account that types.
type Typist struct{ ID, Name string }

// Open opens the desk of a store.
func Open(ctx context.Context, engine store.Engine, options Options) (*Desk, error) {
	d := &Desk{options: options, log: options.Logger, now: options.Now}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.options.MaxSlips == 0 {
		d.options.MaxSlips = MaxSlips
	}
	if d.now == nil {
		d.now = time.Now
	}
	var err error
	if d.batches, err = batchType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if d.slips, err = slipType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if d.marks, err = markType.Open(ctx, engine); err != nil {
		return nil, err
	}
	d.validator, err = protovalidate.New(protovalidate.WithMessages(&pb.Rating{}, &pb.Private{}), protovalidate.WithDisableLazy())
	return d, err
}

// batchDoc is a batch as it is kept.
type batchDoc struct {
	ID            string `bson:"_id"` // UUIDv7
	Unit          string `bson:"unit"`
	Counter       string `bson:"counter,omitempty"`
	Questionnaire string `bson:"questionnaire"`
	Version       int32  `bson:"version"`
	FilledOn      string `bson:"filled_on"` // local day
	Expected      uint32 `bson:"expected,omitempty"`
	// Above is the unit, the units above it when the batch was opened, and "" for everything: the lists it stands in.
	Above            []string  `bson:"above"`
	Open             bool      `bson:"open"`
	Full             bool      `bson:"full,omitempty"` // it holds MaxSlips
	OpenedBy         string    `bson:"opened_by"`      // name; the account's id stands beside it
	OpenedByID       string    `bson:"opened_by_id"`
	OpenedAt         time.Time `bson:"opened_at"`
	ClosedAt         time.Time `bson:"closed_at,omitempty"`
	ClosedBy         string    `bson:"closed_by,omitempty"`
	DifferenceReason string    `bson:"difference_reason,omitempty"`
	// Totals of a closed batch, so that a list need not count; those of an open one are counted from its slips.
	Totals totals `bson:"totals,omitempty"`
}

// totals are what a batch is held against the paper by.
type totals struct {
	Typed  uint32    `bson:"typed"`
	Scores [6]uint32 `bson:"scores"` // none, 1, 2, 3, 4, 5
}

// slipDoc is a slip as it is kept.
type slipDoc struct {
	ID          string   `bson:"_id"`   // unit/year/folded number: one slip has a number in a unit and year
	Batch       string   `bson:"batch"` // it was first typed in
	Number      string   `bson:"number"`
	At          string   `bson:"at"` // the rating id of the last typing: UUIDv7s stand in the order they were made
	Current     *version `bson:"current,omitempty"`
	Pending     *version `bson:"pending,omitempty"` // an attempt of which it is not known whether intake stored it
	Corrections int      `bson:"corrections,omitempty"`
	Leaving     *hold    `bson:"leaving,omitempty"` // a move of what stands here to another number, of which it is not known how far it got
	Moved       []moved  `bson:"moved,omitempty"`   // what stood here by mistake, and where it went
}

// version is one typing of a slip. Comment and contact are not in it: they are intake's, which can erase them.
type version struct {
	RatingID  string    `bson:"rating_id"`
	Score     int32     `bson:"score"`
	Rating    []byte    `bson:"rating"` // encoded, as intake is given it
	TypedBy   string    `bson:"typed_by"`
	TypedByID string    `bson:"typed_by_id"`
	TypedAt   time.Time `bson:"typed_at"`
	From      *origin   `bson:"from,omitempty"` // the slip this takes away from a wrong number
}

// slipMark is what counting needs of a slip.
type slipMark struct {
	ID      string `bson:"_id"`
	Current *struct {
		RatingID string  `bson:"rating_id"`
		Score    int32   `bson:"score"`
		From     *origin `bson:"from,omitempty"`
	} `bson:"current,omitempty"`
	Pending *struct {
		RatingID string `bson:"rating_id"`
	} `bson:"pending,omitempty"`
	Leaving *struct {
		RatingID string `bson:"rating_id"`
	} `bson:"leaving,omitempty"`
}

var (
	batchType = store.Define[batchDoc]("paper_batches",
		store.Index{Name: "above", Fields: []string{"above", "opened_at"}, Multi: true},
		store.Index{Name: "open", Fields: []string{"above", "open", "opened_at"}, Multi: true})
	slipType = store.Define[slipDoc]("paper_slips", store.Index{Name: "batch", Fields: []string{"batch", "at"}})
	markType = store.Type[slipMark](slipType) // the same documents, read in part and never written
)

// Kinds lists the kinds of documents kept here.
func Kinds() []store.Kind { return []store.Kind{batchType.Kind, slipType.Kind} }

// typed makes a fault of what the store answers.
func typed(doing string, err error) error {
	var known *fault.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.NotFound, "desk_batch_unknown")
	case errors.Is(err, store.ErrUnavailable):
		return fault.New(fault.Unavailable, "store_unavailable").Because(fmt.Errorf("%s: %w", doing, err))
	case errors.Is(err, store.ErrInvalid): // an id or a page token that cannot be
		return fault.New(fault.Invalid, "desk_page_invalid").Because(fmt.Errorf("%s: %w", doing, err))
	}
	return fmt.Errorf("%s: %w", doing, err)
}
