package analytics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

const (
	allEvery = 10 * time.Second // how often a worker looks whether everything is to be swept
	allDead  = 2 * time.Minute  // a sweep of everything that shows no sign for so long was broken off
	allAlive = 15 * time.Second // how often it shows one
)

// sweepAllLoop sweeps everything at the start, every night and after an epoch was raised. Of several workers one does it.
func (w *Worker) sweepAllLoop(ctx context.Context) {
	for {
		if err := w.sweepAllIfWanted(ctx); err != nil && ctx.Err() == nil {
			w.Logger.Warn("figures: the sweep of everything failed and is made again", "error", err)
		}
		timer := time.NewTimer(allEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-w.sweepAll:
			timer.Stop()
		}
	}
}

func (w *Worker) sweepAllIfWanted(ctx context.Context) error {
	now := w.Clock()
	epoch, err := w.states.epoch(ctx)
	if err != nil {
		return err
	}
	// At the start: at once where nobody else could have done it, otherwise unless somebody did within the hour.
	since, deadline := w.started.Add(-time.Hour), now.Add(-allDead)
	if w.Alone {
		since = w.started
		if w.pass.Load() == 0 {
			deadline = now
		}
	}
	if nightly := lastNightly(now, w.SweepAllAt); nightly.After(since) {
		since = nightly
	}
	claimed, err := w.states.claimAll(ctx, epoch.Epoch, now, store.Milliseconds(since), deadline)
	if err != nil || !claimed {
		return err
	}
	sweeping, stop := context.WithCancel(ctx)
	var sign sync.WaitGroup
	sign.Go(func() { w.showAlive(sweeping, stop, now) })
	err = w.sweepEverything(sweeping, epoch.Epoch)
	stop()
	sign.Wait()
	if err != nil {
		// Whatever ended it, another worker may go on at once.
		return errors.Join(err, w.states.abandonAll(context.WithoutCancel(ctx), now))
	}
	if err := w.states.completeAll(ctx, epoch.Epoch, now, w.Clock()); err != nil {
		return err
	}
	w.pass.Store(max(w.pass.Load(), now.UnixMilli()))
	return w.prove(ctx, now)
}

// showAlive shows that the sweep claimed then goes on, and stops it where another worker has taken it over.
func (w *Worker) showAlive(ctx context.Context, stop context.CancelFunc, started time.Time) {
	for sleep(ctx, allAlive) {
		if ours, err := w.states.aliveAll(ctx, started, w.Clock()); err == nil && !ours {
			w.Logger.Warn("figures: another worker took the sweep of everything over")
			stop()
		}
	}
}

// lastNightly is the last time at which the nightly sweep was due.
func lastNightly(now time.Time, at time.Duration) time.Time {
	day, _ := localday.Of(now)
	if tonight := day.Start().Add(at); !tonight.After(now) {
		return tonight
	}
	return day.Add(-1).Start().Add(at)
}

var errEpochRaised = errors.New("an epoch was raised; the sweep begins again")

// sweepEverything compares all cells, newest days first, and leaves the engine half of the time to others unless nothing is
// known to be fresh yet.
func (w *Worker) sweepEverything(ctx context.Context, epoch uint32) error {
	began := time.Now()
	compared, found := 0, 0
	hurry := w.FreshThrough().IsZero() || epoch > firstEpoch && w.pass.Load() == 0
	for month, err := range months(ctx, w.Engine, newestFirst) {
		if err != nil {
			return err
		}
		sweep := monthSweep{worker: w, epoch: epoch, month: month, units: map[string]uint32{}}
		if err := sweep.readStrips(ctx); err != nil {
			return err
		}
		days := daysOf(month)
		for i := range days {
			dayBegan := time.Now()
			cells, err := sweep.day(ctx, days[len(days)-1-i])
			compared += cells
			if err == nil && len(sweep.due) >= takeAtMost {
				found += len(sweep.due)
				err = sweep.fold(ctx)
			}
			if err != nil {
				return err
			}
			if took := time.Since(dayBegan); !hurry && took > 5*time.Millisecond && !sleep(ctx, min(took, 5*time.Second)) {
				return ctx.Err()
			}
		}
		found += len(sweep.due)
		if err := sweep.fold(ctx); err != nil {
			return err
		}
		if err := sweep.facets(ctx); err != nil {
			return err
		}
	}
	w.Metrics.swept(true, compared, found, time.Since(began))
	w.Logger.Info("figures: everything was swept", "cells", compared, "due", found, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// monthSweep compares the cells, strips and facets of one month.
type monthSweep struct {
	worker *Worker
	epoch  uint32
	month  string
	strips map[int]map[slotID]tally.Version // by day of the year; read before the leaves
	units  map[string]uint32                // records of the month by unit
	due    []string                         // cells to be folded: many days' together, for neighbours share leaves and strips
	lost   []string                         // cells that look restored
}

// slotID names a slot of a strip within its year.
type slotID struct {
	strip tally.StripKey
	at    tally.SlotKey
}

func (s *monthSweep) readStrips(ctx context.Context) error {
	s.strips = map[int]map[slotID]tally.Version{}
	first := localday.Day(s.month + "-01")
	days := daysOf(s.month)
	from, to := first.OfYear(), days[len(days)-1].OfYear()
	for strip, err := range s.worker.Engine.Rollups().Strips(ctx, first.Year(), nil) {
		if err != nil {
			return err
		}
		for at, slot := range strip.Slots() {
			if at.Day < from || to < at.Day {
				continue
			}
			if s.strips[at.Day] == nil {
				s.strips[at.Day] = map[slotID]tally.Version{}
			}
			s.strips[at.Day][slotID{strip.Key, at}] = slot.Version
		}
	}
	return nil
}

// fold folds what was found due.
func (s *monthSweep) fold(ctx context.Context) error {
	due, lost := s.due, s.lost
	s.due, s.lost = nil, nil
	s.worker.foldNow(ctx, due)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	raised, err := s.worker.alarm(ctx, s.epoch, lost)
	if err == nil && raised {
		err = errEpochRaised
	}
	return err
}

// day compares the cells of one day.
func (s *monthSweep) day(ctx context.Context, day localday.Day) (compared int, err error) {
	w := s.worker
	seen := map[string]tally.Version{}
	type sum struct {
		version tally.Version
		cell    string
	}
	sums := map[slotID]sum{}
	for stands, err := range w.Engine.Rollups().Seen(ctx, string(day), string(day)) {
		if err != nil {
			return 0, err
		}
		leaf, _, err := leafOf(stands.Cell)
		if err != nil {
			return 0, fmt.Errorf("a leaf of %s: %w", day, err)
		}
		seen[stands.Cell] = stands.Version
		id := slotID{stripKeyOf(leaf), tally.SlotKey{Day: day.OfYear(), Channel: leaf.Channel}}
		old := sums[id].version
		sums[id] = sum{tally.Version{Epoch: old.Epoch + stands.Epoch, Seen: old.Seen + stands.Seen}, stands.Cell}
		s.units[leaf.Unit] += 0
	}
	look := func(cell string, count uint32) {
		compared++
		switch judge(seen[cell], count, s.epoch) {
		case stale:
			s.due = append(s.due, cell)
		case restored:
			s.lost = append(s.lost, cell)
		}
	}
	for count, err := range w.Engine.Ratings().CellCounts(ctx, string(day)+"/", string(day)+"0") {
		if err != nil {
			return compared, err
		}
		leaf, _, err := leafOf(count.Cell)
		if err != nil {
			w.giveUp(count.Cell, err)
			continue
		}
		s.units[leaf.Unit] += count.Count
		look(count.Cell, count.Count)
		delete(seen, count.Cell)
	}
	for cell := range seen { // cells without a record
		look(cell, 0)
	}
	// Strips were read before the leaves. One that is ahead of its leaf is of a store of which only a part was restored.
	strips := s.strips[day.OfYear()]
	for id, sum := range sums {
		switch strip := strips[id]; {
		case strip.Less(sum.version):
			s.due = append(s.due, sum.cell)
		case sum.version.Less(strip):
			s.lost = append(s.lost, sum.cell)
		}
	}
	for id, strip := range strips {
		if _, ok := sums[id]; ok || strip == (tally.Version{}) {
			continue
		}
		cell := cellOf(tally.LeafKey{
			Unit: id.strip.Unit, Day: day, Channel: id.at.Channel, Questionnaire: id.strip.Questionnaire, QVersion: id.strip.QVersion,
		}, 0)
		if strip.Epoch < s.epoch {
			s.due = append(s.due, cell)
		} else {
			s.lost = append(s.lost, cell)
		}
	}
	return compared, nil
}

// facets makes the facets due that are behind their month, or of a format of before something was added to them.
func (s *monthSweep) facets(ctx context.Context) error {
	for unit, count := range s.units {
		key := tally.FacetKey{Unit: unit, Month: s.month}
		stands, err := facetVersion(ctx, s.worker.Engine.Rollups(), key)
		if err != nil {
			return err
		}
		if judge(stands, count, tally.FacetEpoch(s.epoch)) == stale {
			s.worker.facets.touch(key.ID())
		}
	}
	return nil
}
