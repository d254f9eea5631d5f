// Package roster keeps the duties: who serves where and when. Each is a document of its own; what a unit has is remembered for
// some seconds and forgotten at once when the bus says that it changed.
package roster

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/duty"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/recent"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// document is a duty as it is kept.
type document struct {
	ID       string    `bson:"_id"`
	Unit     string    `bson:"unit"`
	Counter  string    `bson:"counter,omitempty"`
	Official string    `bson:"official"`
	Weekdays []int32   `bson:"weekdays,omitempty"`
	From     int32     `bson:"from"`
	To       int32     `bson:"to"`
	First    string    `bson:"first,omitempty"` // local day
	Until    string    `bson:"until"`           // last local day; forever = never ends
	SetAt    time.Time `bson:"set_at"`
	Now      bool      `bson:"now,omitempty"`
}

// forever is later than any day, so that an index finds what has not ended.
const forever = "9999-12-31"

func (d document) proto() *pb.Duty {
	out := &pb.Duty{
		Id: d.ID, UnitId: d.Unit, CounterId: d.Counter, OfficialId: d.Official, Weekdays: d.Weekdays, FromMinute: d.From, ToMinute: d.To,
		ValidFrom: d.First, ValidTo: d.Until, SetAt: timestamppb.New(d.SetAt), Now: d.Now,
	}
	if d.Until == forever {
		out.ValidTo = ""
	}
	return out
}

func documentOf(d *pb.Duty) document {
	doc := document{
		ID: d.GetId(), Unit: d.GetUnitId(), Counter: d.GetCounterId(), Official: d.GetOfficialId(), Weekdays: slices.Sorted(slices.Values(d.GetWeekdays())),
		From: d.GetFromMinute(), To: d.GetToMinute(), First: d.GetValidFrom(), Until: d.GetValidTo(), Now: d.GetNow(),
	}
	if doc.Until == "" {
		doc.Until = forever
	}
	return doc
}

const (
	ofUnit = "unit"
	ending = "until"
)

var kind = store.Define[document]("duties",
	store.Index{Name: ofUnit, Fields: []string{"unit", "until"}},
	store.Index{Name: ending, Fields: []string{"until"}},
)

// Kinds lists what is kept in the store.
func Kinds() []store.Kind { return []store.Kind{kind.Kind} }

// Options of a roster. Feed is required.
type Options struct {
	Feed   bus.Feed
	Logger *slog.Logger     // nil = nothing is logged
	Now    func() time.Time // nil = time.Now
}

// Roster keeps the duties. Its methods may be called by many goroutines. Who may call them is for the caller to check.
type Roster struct {
	docs     store.Docs[document]
	options  Options
	known    *recent.Values[string, []document] // by unit
	stop     context.CancelFunc
	listener sync.WaitGroup
}

const (
	// Topic of the feed: the id of a unit whose duties changed.
	Topic = "duties"
	// MaxOfUnit is how many duties that hold now or later a unit may have.
	MaxOfUnit = 500
	// keepKnown is how long what is known of a unit is believed where the bus says nothing.
	keepKnown = 5 * time.Second
	maxKnown  = 10_000
	// maxListed bounds a list of a subtree: a province with every counter's week.
	maxListed = 200_000
)

// Open opens the roster of a store. Close ends what it started.
func Open(ctx context.Context, engine store.Engine, options Options) (*Roster, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	r := &Roster{options: options, known: recent.New[string, []document](keepKnown, maxKnown, options.Now)}
	var err error
	if r.docs, err = kind.Open(ctx, engine); err != nil {
		return nil, err
	}
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	events := options.Feed.Subscribe(listening, Topic)
	r.listener.Go(func() {
		for event := range events {
			if event.Missed {
				r.known.ForgetAll()
			} else {
				r.known.Forget(string(event.Body))
			}
		}
	})
	return r, nil
}

// Close ends the listening to the bus.
func (r *Roster) Close() {
	r.stop()
	r.listener.Wait()
}

// Of answers the duties of units that hold now or later, by unit, counter and id: what a kiosk is given. It may be a moment old.
func (r *Roster) Of(ctx context.Context, unitIDs ...string) ([]*pb.Duty, error) {
	now := r.options.Now()
	units := slices.Clone(unitIDs)
	slices.Sort(units)
	var out []*pb.Duty
	for _, unit := range slices.Compact(units) {
		docs, err := r.known.Get(ctx, unit, func(ctx context.Context) ([]document, error) { return r.read(ctx, unit) })
		if err != nil {
			return nil, told(err)
		}
		out = append(out, standing(docs, now)...)
	}
	return out, nil
}

func standing(docs []document, now time.Time) []*pb.Duty {
	out := make([]*pb.Duty, 0, len(docs))
	for _, doc := range docs {
		if d := doc.proto(); !duty.Ended(d, now) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, compare)
	return out
}

func (r *Roster) read(ctx context.Context, unit string) ([]document, error) {
	today, _ := localday.Of(r.options.Now())
	var docs []document
	for doc, err := range r.docs.Find(ctx, store.Query{Index: ofUnit, Equal: []any{unit}, From: string(today), Limit: 2 * MaxOfUnit}) {
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc.Value)
	}
	return docs, nil
}

// Get answers one duty. NotFound "duty_unknown".
func (r *Roster) Get(ctx context.Context, id string) (*pb.Duty, error) {
	doc, _, err := r.docs.Get(ctx, id)
	if err != nil {
		return nil, told(err)
	}
	return doc.proto(), nil
}

// tell makes every process forget what it knows of a unit.
func (r *Roster) tell(ctx context.Context, unit string) {
	r.known.Forget(unit)
	if err := r.options.Feed.Publish(context.WithoutCancel(ctx), Topic, []byte(unit)); err != nil {
		r.options.Logger.WarnContext(ctx, "other processes were not told that duties changed; they notice within seconds", "unit", unit, "within", keepKnown, "error", err)
	}
}

func told(err error) error {
	var ours *fault.Error
	if errors.Is(err, store.ErrNotFound) && !errors.As(err, &ours) {
		return fault.New(fault.NotFound, "duty_unknown")
	}
	return store.Told(err, "duty_unavailable")
}
