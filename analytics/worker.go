// Package analytics is the worker that keeps figures: it folds the records of every hour cell that was touched, raises what
// it folded into leaves, strips and facets, and sweeps by count so that a lost hint costs one sweep and nothing else.
//
// Nothing here is adjusted, marked, leased or locked. A fold reads all records of a cell and its write lands only where its
// (epoch, seen) is larger than what stands, so any number of workers may fold the same cells at the same time, stop anywhere
// and start again. What they share are two small documents: the epoch and the freshness (states.go).
package analytics

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

// Hints is where the worker hears which cells were touched; a bus.Bus is one. Hints may come twice, late, out of order or
// never: the sweep finds what no hint told. So a hint is acknowledged once the worker has taken it into memory: what a worker
// that dies had in memory is found by the others' next sweep.
type Hints interface {
	ConsumeHints(ctx context.Context, consumer string, handle func(context.Context, []bus.Delivery) error) error
}

// Feed is told which units have new figures, on topic analysis.Topic, for whoever watches them; a bus.Bus is one. It is
// called after the figures can be read. What is not delivered costs nothing but time.
type Feed interface {
	Publish(ctx context.Context, topic string, body []byte) error
}

// Metrics are told what happens; each may be nil, and each may be called by several goroutines.
type Metrics struct {
	Folded   func(cells, records int, took time.Duration)       // cells were read, folded and raised
	Failed   func()                                             // a cell or facet could not be folded; it is tried again later
	Faceted  func(records int, took time.Duration)              // a facet was folded
	Swept    func(all bool, cells, due int, took time.Duration) // a sweep ended: cells compared, cells found due
	Fresh    func(through time.Time)                            // figures hold all ratings accepted up to then
	Restored func(cell string)                                  // a cell had seen more records than there are: alarm
	Dropped  func(cells int)                                    // hints beyond the limit were left to the sweep
	Waiting  func(cells, facets, failing int)                   // how much is due, now and then
}

// Config is what a worker needs. Engine is required; every other field has a useful zero value.
type Config struct {
	Engine  store.Engine
	Hints   Hints        // nil = the sweep finds everything
	Feed    Feed         // nil = nobody watches
	Name    string       // names this worker among others, differently in every process; "" = made up
	Logger  *slog.Logger // nil = silent
	Clock   func() time.Time
	Metrics Metrics

	// Folders is how many goroutines fold; 0 = as many as processors, from 2 to 4.
	Folders int
	// Debounce is how long a touched cell waits for more touches; 0 = 50 ms.
	Debounce time.Duration
	// CostFactor makes a cell wait this many times as long as its last fold took, so that a cell with very many ratings is
	// late and never starves the others; 0 = 10.
	CostFactor int
	// MaxDelay bounds that wait, and the wait before a cell that failed is tried again; 0 = 5 minutes.
	MaxDelay time.Duration
	// FacetDelay is the least time between a touch and the fold of its unit-month's facet; 0 = 15 s.
	FacetDelay time.Duration
	// MaxDue bounds the cells waiting in memory; hints beyond it are left to the sweep; 0 = 200,000.
	MaxDue int

	// SweepEvery is the least time between two sweeps of recently touched cells, and so about the age of fresh_through
	// when nothing is wrong; 0 = 5 s. A sweep that takes long is made more rarely (10 times its own length) up to SweepAtMost.
	SweepEvery time.Duration
	// SweepAtMost bounds the time between two sweeps; 0 = 30 s.
	SweepAtMost time.Duration
	// Overlap is how far a sweep looks back before the last one: longer than any difference between clocks plus the longest
	// write, for records are stamped before they land; 0 = 2 minutes.
	Overlap time.Duration
	// SweepAllAt is the local hour of the nightly sweep of all cells, as a duration after midnight; 0 = 02:00.
	SweepAllAt time.Duration
	// Alone says that no other worker shares the store (one office, embedded): a sweep of everything that was broken off
	// need not be waited for.
	Alone bool
	// StopWithin is how long the folds under way may take to end once the worker is asked to stop; 0 = 10 s.
	StopWithin time.Duration
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Name == "" {
		c.Name = uuid.NewString()
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Folders <= 0 {
		c.Folders = min(max(runtime.GOMAXPROCS(0), 2), 4)
	}
	if c.CostFactor <= 0 {
		c.CostFactor = 10
	}
	if c.MaxDue <= 0 {
		c.MaxDue = 200_000
	}
	for _, d := range []struct {
		value *time.Duration
		zero  time.Duration
	}{
		{&c.Debounce, 50 * time.Millisecond},
		{&c.MaxDelay, 5 * time.Minute},
		{&c.FacetDelay, 15 * time.Second},
		{&c.SweepEvery, 5 * time.Second},
		{&c.SweepAtMost, 30 * time.Second},
		{&c.Overlap, 2 * time.Minute},
		{&c.SweepAllAt, 2 * time.Hour},
		{&c.StopWithin, 10 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.zero
		}
	}
	c.SweepAtMost = max(c.SweepAtMost, c.SweepEvery)
	return c
}

// Worker keeps figures. Make one with New and run it once.
type Worker struct {
	Config
	cells  *due // hour cells by their address
	facets *due // unit-months as "UNIT/yyyy-mm"
	states states

	sweepAll chan struct{}            // look at once whether a sweep of everything is wanted
	fresh    atomic.Int64             // FreshThrough in Unix milliseconds; 0 = not yet
	pass     atomic.Int64             // start of this worker's last sweep that compared all it had to, in Unix milliseconds; 0 = none
	started  time.Time                // when Run began
	proved   map[string]tally.Version // what the last sweep of recent cells found standing; only the sweeping goroutine
}

// New makes a worker. It does not touch the engine before Run.
func New(config Config) (*Worker, error) {
	if config.Engine == nil {
		return nil, errors.New("analytics: no engine")
	}
	config = config.withDefaults()
	return &Worker{
		Config:   config,
		cells:    newDue(config.Clock, config.Debounce, config.CostFactor, config.MaxDelay),
		facets:   newDue(config.Clock, config.FacetDelay, 2*config.CostFactor, 6*config.MaxDelay),
		sweepAll: make(chan struct{}, 1),
	}, nil
}

// FreshThrough answers the time up to which every accepted rating is in the leaves and strips, as far as this worker knows;
// zero before the first sweep ended.
func (w *Worker) FreshThrough() time.Time {
	if ms := w.fresh.Load(); ms != 0 {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

// Touched makes cells due, as a hint does. It never blocks; what is beyond the limit is left to the sweep.
func (w *Worker) Touched(cells ...string) {
	cells = slices.DeleteFunc(slices.Clone(cells), func(cell string) bool {
		_, err := rating.ParseCell(cell)
		return err != nil // from a bus anything may come; what is stored is found by the sweep
	})
	if w.cells.waiting()+len(cells) > w.MaxDue {
		w.Metrics.dropped(len(cells))
		return
	}
	w.cells.touch(cells...)
}

// Run keeps figures until ctx ends, and then finishes the folds under way. While the engine cannot be reached it waits. It
// answers nil.
func (w *Worker) Run(ctx context.Context) error {
	if !w.openPatiently(ctx) {
		return nil
	}
	w.started = w.Clock()
	work, release := lasting(ctx, w.StopWithin)
	defer release()
	var running sync.WaitGroup
	for range w.Folders {
		running.Go(func() { w.foldLoop(ctx, work) })
	}
	running.Go(func() { w.facetLoop(ctx, work) })
	if w.Hints != nil {
		running.Go(func() { w.hear(ctx) })
	}
	running.Go(func() { w.sweepLoop(ctx) })
	running.Go(func() { w.sweepAllLoop(ctx) })

	running.Wait()
	if work.Err() != nil {
		w.Logger.Warn("figures: folds under way were broken off; the next sweep finds them", "after", w.StopWithin)
	}
	return nil
}

// lasting is a context that ends some time after ctx has, so that a fold under way is finished; what it writes is right
// whenever it lands.
func lasting(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() { time.AfterFunc(after, cancel) })
	return work, func() {
		unhook()
		cancel()
	}
}

// openPatiently opens the shared documents; false means ctx ended first.
func (w *Worker) openPatiently(ctx context.Context) bool {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		states, err := openStates(ctx, w.Engine)
		if err == nil {
			w.states = states
			return true
		}
		if ctx.Err() == nil {
			w.Logger.Warn("figures: the engine cannot be reached yet", "error", err)
		}
		if !sleep(ctx, wait) {
			return false
		}
	}
}

// hear takes hints until ctx ends.
func (w *Worker) hear(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.Hints.ConsumeHints(ctx, w.Name, func(_ context.Context, batch []bus.Delivery) error {
			w.Touched(bus.Cells(batch)...)
			return nil
		})
		if ctx.Err() == nil {
			w.Logger.Warn("figures: hints are not heard; the sweep finds what they would have told", "error", err)
			sleep(ctx, time.Second)
		}
	}
}

// sleep waits; false means ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
