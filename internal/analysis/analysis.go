// Package analysis answers figures: what AnalyticsService says, as Go types. It reads unit-year strips (for hours and reasons the
// leaves, for counters and the like the unit-month facets), applies the tree of
// units in memory, as at the time or as today, keeps channels apart before they are pooled, and withholds small cells.
// The formulas are those of package figure.
//
// What is kept between questions are strips, while the store tells that nothing was written (see keptStrips), and digests of leaves, each
// of which a strip proves current before it counts (see digests); nothing expires and nothing is told to. Questions that come at once
// share a reading of strips, never one that began before they came.
//
// Who may ask about which unit is not decided here: the service checks the caller's subtree first. Errors are *fault.Error:
// Invalid for a period or channel that cannot be, NotFound for a unit that is not there; what the engine answers is passed on.
package analysis

import (
	"context"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Limits and defaults.
const (
	DefaultMinCell  = 5    // ratings below which a distribution is withheld, and the least group that the live feed tells of
	DefaultMinimumN = 30   // ratings below which a unit is not ranked
	DiscoveryRate   = 0.05 // share of false alarms accepted among follow-ups
	MaxYears        = 20   // longest period
)

// Figures is what is read of an engine.
type Figures interface {
	// Strips is as in store.Rollups.
	Rollups() store.Rollups
}

// Units answers today's tree.
type Units interface{ Tree() *unit.Tree }

// Config is what the package needs.
type Config struct {
	Engine Figures
	Units  Units
	Forms  Forms // words of questions and choices; nil = none are known
	// Fresh answers the time up to which every accepted rating is in the figures; nil = never said.
	Fresh func(context.Context) (time.Time, error)
	Clock func() time.Time // nil = time.Now
	// MinCell is the least number of ratings that is shown; 0 = DefaultMinCell.
	MinCell uint32
}

// Analysis answers figures. All methods may be called by many goroutines.
type Analysis struct {
	config  Config
	digests *digests // of leaves
	reading together[[]tally.Strip]
	kept    keptStrips
	large   chan struct{} // held while a question that reads very much is answered
}

// New makes an Analysis.
func New(config Config) *Analysis {
	if config.Clock == nil {
		config.Clock = time.Now
	}
	if config.MinCell == 0 {
		config.MinCell = DefaultMinCell
	}
	if config.Fresh == nil {
		config.Fresh = func(context.Context) (time.Time, error) { return time.Time{}, nil }
	}
	return &Analysis{config: config, digests: newDigests(digestsKept), large: make(chan struct{}, largeAtOnce)}
}

// Query says which ratings are meant.
type Query struct {
	Unit          string       // top of the subtree
	From, To      string       // local days yyyy-mm-dd, inclusive; "" = the call's default
	Channels      []pb.Channel // only these; none = all
	Tree          pb.TreeView  // unspecified = as at the time
	Questionnaire string       // only this id, every version; "" = all
}

// Period is a run of local days, both inclusive.
type Period struct{ From, To localday.Day }

// Summary is the distribution of a unit's subtree over a period.
type Summary struct {
	Unit           string
	Period         Period
	Pooled         figure.Distribution   // all channels together
	Channels       []ChannelDistribution // by number; channels without a rating are left out
	Questionnaires []string              // id@version of the forms pooled here, sorted
	FreshThrough   time.Time             // every rating accepted up to then is in these figures; zero = not known
}

// ChannelDistribution is one channel's share.
type ChannelDistribution struct {
	Channel      pb.Channel
	Distribution figure.Distribution
}

// asked is a query that was checked.
type asked struct {
	Query
	period   Period
	tree     *unit.Tree
	today    bool         // tree as today
	channels []pb.Channel // none = all
	fresh    time.Time    // read before the figures, which only grow
	refDay   localday.Day // the day whose tree names the units: the period's last, but no later than today
}

// ask checks a query. back answers the default first day for a last one.
func (a *Analysis) ask(ctx context.Context, q Query, back func(to localday.Day) localday.Day) (asked, error) {
	today, _ := localday.Of(a.config.Clock())
	period, err := resolve(q.From, q.To, today, back)
	if err != nil {
		return asked{}, err
	}
	for _, channel := range q.Channels {
		if _, known := pb.Channel_name[int32(channel)]; !known || channel == pb.Channel_CHANNEL_UNSPECIFIED {
			return asked{}, fault.New(fault.Invalid, "channel_invalid", "channel", int32(channel))
		}
	}
	if _, known := pb.TreeView_name[int32(q.Tree)]; !known {
		return asked{}, fault.New(fault.Invalid, "tree_view_invalid", "tree", int32(q.Tree))
	}
	tree := a.config.Units.Tree()
	if _, ok := tree.Get(q.Unit); !ok {
		return asked{}, unknown(q.Unit)
	}
	fresh, err := a.config.Fresh(ctx)
	if err != nil {
		return asked{}, err
	}
	return asked{
		Query: q, period: period, tree: tree, today: q.Tree == pb.TreeView_TREE_VIEW_AS_TODAY,
		channels: q.Channels, fresh: fresh, refDay: min(period.To, today),
	}, nil
}

func unknown(id string) error {
	if len(id) > 80 {
		id = id[:80]
	}
	return fault.New(fault.NotFound, "unit_unknown", "unit", id)
}
