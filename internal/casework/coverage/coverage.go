// Package coverage says how far dissatisfied ratings (scores 1 and 2, as figures count them) are answered: which are in a case or a
// collective request for explanation, which a leader noted with a reason, and which nobody touched. The arithmetic is that of
// casework.Cover; this package supplies it.
//
// Nothing is adjusted. Which ratings of a leaf (a unit's day in one channel and form) are dissatisfied, and why, is folded from its
// records into a digest, which stands under the version that the figures have of the leaf: where that is larger, the digest is
// folded again. Any number of processes fold whatever they like; of two digests the one that has seen more stays. Where no request, note
// or case asks for more than numbers, the figures' own counts do and nothing is folded at all.
//
// The tree of units is today's: who must explain is who stands today for what was rated.
package coverage

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	"github.com/hailong-vn/hailong/internal/unit"
)

// Limits.
const (
	MaxDays    = 5 * 366 // of a period
	MaxPiles   = 500     // answered at once
	MaxLeaves  = 120_000 // that one question for piles or ratings folds at most: every commune of a province for a year
	LeastShown = 5       // ratings of an official below which nothing is said of them
)

// Case is what is asked of a case.
type Case struct {
	casework.Case        // without History
	About         string // the unit that its ratings are of, where one is known
}

// Cases is asked for cases.
type Cases interface {
	// Changed answers every case to which something happened at or after a time, in any order; one that changes meanwhile may come twice.
	Changed(ctx context.Context, since time.Time) iter.Seq2[Case, error]
	// Get answers one; false where there is none.
	Get(ctx context.Context, id string) (Case, bool, error)
}

// Units answers today's tree.
type Units interface{ Tree() *unit.Tree }

// Forms answers a published questionnaire.
type Forms interface {
	Questionnaire(id string, version int32) (*questionnaire.Questionnaire, bool)
}

// Options are what a Coverage works with.
type Options struct {
	Strips func(ctx context.Context, year int, units []string) ([]tally.Strip, error) // as analysis.Analysis.Strips
	Units  Units
	Forms  Forms
	Cases  Cases
	Now    func() time.Time // nil = time.Now
	Logger *slog.Logger     // nil = slog.Default()
}

// Coverage answers. Its methods may be called by many goroutines. Who may ask about which unit is for the caller to check.
type Coverage struct {
	options  Options
	ratings  store.Ratings
	version  func(context.Context) (string, error)
	stored   store.Docs[digest]
	notes    store.Docs[Note]
	digests  *digests
	holdings *holdings
}

// Open opens the coverage of a store.
func Open(ctx context.Context, engine store.Engine, options Options) (*Coverage, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	c := &Coverage{options: options, ratings: engine.Ratings(), version: engine.Rollups().Version, digests: newDigests(idsKept)}
	var err error
	if c.stored, err = digestKind.Open(ctx, engine); err != nil {
		return nil, err
	}
	if c.notes, err = noteKind.Open(ctx, engine); err != nil {
		return nil, err
	}
	c.holdings = newHoldings(options.Cases, c.notes, c.find)
	return c, nil
}

// Kinds lists what is kept in the store.
func Kinds() []store.Kind { return []store.Kind{digestKind.Kind, noteKind.Kind} }

// Period is a run of local days, both inclusive.
type Period struct{ From, To localday.Day }

// Period reads days as people gave them, yyyy-mm-dd: by default the thirty days before the last and it, the last being today. Invalid
// "coverage_day", "coverage_reversed", "coverage_long".
func (c *Coverage) Period(from, to string) (Period, error) {
	p := Period{To: c.today()}
	var err error
	if to != "" {
		if p.To, err = localday.Parse(to); err != nil {
			return Period{}, fault.New(fault.Invalid, "coverage_day").Because(err)
		}
	}
	p.From = p.To.Add(-30)
	if from != "" {
		if p.From, err = localday.Parse(from); err != nil {
			return Period{}, fault.New(fault.Invalid, "coverage_day").Because(err)
		}
	}
	switch {
	case p.From > p.To:
		return Period{}, fault.New(fault.Invalid, "coverage_reversed", "from", p.From, "to", p.To)
	case p.From.Add(MaxDays) < p.To:
		return Period{}, fault.New(fault.Invalid, "coverage_long", "days", MaxDays)
	}
	return p, nil
}

func (c *Coverage) today() localday.Day {
	day, _ := localday.Of(c.options.Now())
	return day
}

// find says on which day a rating of a unit counts; false where the unit has none of that id.
func (c *Coverage) find(ctx context.Context, unit, id string) (localday.Day, bool, error) {
	if unit == "" {
		return "", false, nil
	}
	record, err := c.ratings.Get(ctx, rating.RecordID(c.options.Units.Tree().Home(unit), unit, id))
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) || err == nil && record.Kind != rating.KindRating {
		return "", false, nil
	}
	return record.Counted.Day, err == nil, err
}

// subtree lists a unit and all that count with it today; NotFound "unit_unknown".
func subtree(tree *unit.Tree, root string) ([]string, error) {
	if _, ok := tree.Get(root); !ok {
		return nil, fault.New(fault.NotFound, "unit_unknown", "unit", store.Clip(root, 80))
	}
	list := tree.ListToday(root)
	if len(list) == 0 { // a unit that is no more, whose ratings count with its heir
		list = []string{root}
	}
	return list, nil
}
