package analytics

import (
	"context"
	"maps"
	"time"

	"github.com/hailong-vn/hailong/internal/tally"
)

// The sweep is by count: a cell is fresh when what its fold has seen equals the store's own count of its records. Cells of
// records received lately are compared every few seconds, all cells every night.
//
// fresh_through is what a sweep proves: it starts at S, looks at every cell that received a record since the last proof
// (and a little before, because records are stamped before they land), and folds what is behind. When nothing failed, every
// rating acknowledged before S is in the leaves and strips. The facets by procedure, official and question follow later.

const (
	sweepShare = 10     // a sweep is made no more often than this many times its own length
	sweepBatch = 20_000 // cells compared at once
)

func (w *Worker) sweepLoop(ctx context.Context) {
	for {
		began := time.Now()
		if err := w.sweep(ctx); err != nil && ctx.Err() == nil {
			w.Logger.Warn("figures: a sweep failed and is made again", "error", err)
		}
		wait := min(max(sweepShare*time.Since(began), w.SweepEvery), w.SweepAtMost)
		if !sleep(ctx, wait) {
			return
		}
	}
}

// sweep compares the cells of records received since the last proof.
func (w *Worker) sweep(ctx context.Context) error {
	began := time.Now()
	start := w.Clock()
	state, err := w.states.freshness(ctx)
	if err != nil {
		return err
	}
	w.known(state.FreshThrough)
	if age := start.Sub(state.FreshThrough); 0 <= age && age < w.SweepEvery/2 {
		return nil // another worker just did
	}
	epoch, err := w.states.epoch(ctx)
	if err != nil {
		return err
	}
	since, proves := w.since(state)
	if !proves && w.Alone {
		return nil // the sweep of everything looks at these too, and nobody else makes it
	}
	cells := map[string]bool{}
	compared, due := 0, 0
	proved := map[string]tally.Version{}
	flush := func() error {
		c := comparison{worker: w, epoch: epoch.Epoch, known: w.proved, found: proved}
		if err := c.cells(ctx, sortedKeys(cells)); err != nil {
			return err
		}
		compared, due = compared+len(cells), due+len(c.due)
		maps.Copy(proved, w.foldNow(ctx, c.due))
		clear(cells)
		_, err = w.alarm(ctx, epoch.Epoch, c.lost)
		return err
	}
	for cell, err := range w.Engine.Ratings().Recent(ctx, since) {
		if err != nil {
			return err
		}
		cells[cell] = true
		if len(cells) >= sweepBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.proved = proved
	w.Metrics.swept(false, compared, due, time.Since(began))
	if !proves {
		return nil
	}
	w.pass.Store(start.UnixMilli())
	return w.prove(ctx, start)
}

// since is where a sweep must begin, and whether it then proves that everything is fresh.
func (w *Worker) since(state freshState) (time.Time, bool) {
	from := state.FreshThrough
	if pass := w.pass.Load(); pass != 0 && time.UnixMilli(pass).After(from) {
		from = time.UnixMilli(pass)
	}
	if from.IsZero() {
		return w.started.Add(-w.Overlap), false // only a sweep of everything gives a first proof
	}
	if ahead := w.Clock(); from.After(ahead) {
		from = ahead
	}
	return from.Add(-w.Overlap), true
}

// prove records that figures are fresh through the start of a sweep, if no cell waits to be tried again and no
// new epoch is still being folded.
func (w *Worker) prove(ctx context.Context, start time.Time) error {
	if w.cells.failing() > 0 {
		return nil
	}
	epoch, err := w.states.epoch(ctx)
	if err != nil {
		return err
	}
	state, err := w.states.freshness(ctx)
	if err != nil || state.AllEpoch < epoch.Epoch {
		return err
	}
	through, err := w.states.freshThrough(ctx, start, w.Clock().Add(w.Overlap))
	if err == nil {
		w.known(through)
	}
	return err
}

// known notes what is known to be fresh.
func (w *Worker) known(through time.Time) {
	if ms := through.UnixMilli(); !through.IsZero() && w.fresh.Swap(ms) != ms {
		w.Metrics.freshThrough(through)
	}
}

// wantAll has the sweep of everything looked at now.
func (w *Worker) wantAll() {
	select {
	case w.sweepAll <- struct{}{}:
	default:
	}
}
