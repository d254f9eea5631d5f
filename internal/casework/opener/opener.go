// Package opener makes cases of ratings: those that the rule of their office names become cases by themselves, each exactly once.
//
// Intake hands over what it accepted, and a case is opened within a moment. That is only the quick way: it may be lost with the
// process. The sure way is a sweep over everything received since a mark, which moves on only when all before it was seen to. The id
// of a case follows from its rating, so whoever opens it again, here or in another process, opens the same one.
//
// What counts is what figures count: of a rating and its corrections the one that stands, none that repeats another's ticket.
package opener

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/office"
	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Wanted is a case that is to be opened.
type Wanted struct {
	ID        string // follows from the rating; the same again is the same case
	Source    casework.Source
	Receiving string // unit
	About     string // unit that was rated
	Official  string // who was rated; "" = nobody is named
	Rating    string // its RecordID
	Title     string // in the office's words: no personal data
	Words     string // the citizen's own; "" = none
	Contact   *pb.Contact
	Procedure string
	Dossier   string
	WithCode  bool // the citizen can be told a code to follow the case by
}

// Cases is where cases are opened.
type Cases interface {
	// Open opens a case, or finds it open under its id; Exists where it is open with other content. A fault that is Unavailable,
	// Internal or Exhausted passes; any other means that this case cannot be opened.
	Open(ctx context.Context, wanted Wanted) error
}

// Privates is what opener asks of intake: package intake's Service.
type Privates interface {
	Private(ctx context.Context, recordID string) (intake.Private, bool, error)
	PrivatesSince(ctx context.Context, since time.Time) iter.Seq2[intake.Private, error]
	WantsCall(private intake.Private) (bool, error)
	Given(ctx context.Context, unit, ratingID string) (*pb.Private, bool, error)
}

// Rules is what opener asks of an office: package office's Office.
type Rules interface {
	OpeningAt(unitID string, at time.Time) office.Ruled
	Receiving(unitID string) string
	Revision() int64
}

// Directory is what titles are made from.
type Directory interface {
	Tree() *unit.Tree
	Questionnaire(id string, version int32) (*questionnaire.Questionnaire, bool)
	Counter(id string) (directory.Counter, bool)
	Procedure(code string) (directory.Procedure, bool)
}

// Config is what an opener works with. Engine, Privates, Rules, Directory and Cases are required.
type Config struct {
	Engine    store.Engine
	Privates  Privates
	Rules     Rules
	Directory Directory
	Cases     Cases
	Logger    *slog.Logger     // nil = nothing is logged
	Now       func() time.Time // nil = time.Now
	Every     time.Duration    // between sweeps; 0 = 1 minute
}

// mark is up to when everything received was seen to.
type mark struct {
	ID      string    `bson:"_id"`
	Through time.Time `bson:"through"`
	Next    time.Time `bson:"next"` // before that no other process sweeps
}

const theMark = "sweep"

var marks = store.Define[mark]("opener_marks")

// Kinds lists what is kept in the store.
func Kinds() []store.Kind { return []store.Kind{marks.Kind} }

const (
	// margin is how long before the mark is looked at again: servers' clocks differ, and a write may come through late.
	margin = 5 * time.Minute
	// maxQueue is how many ratings may wait for the quick way; what finds no room goes the sure one.
	maxQueue = 10_000
	maxDone  = 50_000
)

// Opener opens cases. Its methods may be called by many goroutines.
type Opener struct {
	Config
	marks store.Docs[mark]
	queue chan string // RecordIDs

	mu   sync.Mutex
	done map[string]bool // ids of cases that are open for sure: a sweep looks at some minutes twice

	sweeping sync.Mutex
	looked   looked
}

// Open opens an opener on a store. Where none was before, what was received until now stays as it is: see Backfill.
func Open(ctx context.Context, config Config) (*Opener, error) {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Every == 0 {
		config.Every = time.Minute
	}
	o := &Opener{Config: config, queue: make(chan string, maxQueue), done: map[string]bool{}}
	var err error
	if o.marks, err = marks.Open(ctx, config.Engine); err != nil {
		return nil, err
	}
	return o, o.begin(ctx)
}

// Accepted takes what intake acknowledged; it never waits. It is intake.Config.Accepted.
func (o *Opener) Accepted(_ context.Context, records []rating.Record) {
	now := o.Now()
	rules := map[string]office.Ruled{}
	for i := range records {
		r := &records[i]
		if r.Source != "" {
			continue
		}
		rule, ok := rules[r.Counted.Unit]
		if !ok {
			rule = o.Rules.OpeningAt(r.Counted.Unit, now)
			rules[r.Counted.Unit] = rule
		}
		if !rule.Opens(r.Score, r.Counted.Channel) {
			continue
		}
		select {
		case o.queue <- r.ID:
		default:
			return
		}
	}
}

// Run opens what is handed over and sweeps from time to time until ctx ends.
func (o *Opener) Run(ctx context.Context) {
	ticker := time.NewTicker(o.Every)
	defer ticker.Stop()
	o.sweepOrTell(ctx)
	for {
		select {
		case id := <-o.queue:
			if _, err := o.one(ctx, id, o.ruleThen); err != nil && ctx.Err() == nil {
				o.Logger.WarnContext(ctx, "a rating could not be made a case at once; a sweep will", "rating", id, "error", err)
			}
		case <-ticker.C:
			o.sweepOrTell(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (o *Opener) sweepOrTell(ctx context.Context) {
	if err := o.Sweep(ctx); err != nil && ctx.Err() == nil {
		o.Logger.WarnContext(ctx, "not all ratings could be looked at for cases; the next sweep begins where this one did", "error", err)
	}
}
