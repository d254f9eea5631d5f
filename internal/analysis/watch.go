package analysis

import (
	"context"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
)

const (
	watchAtMost = 500 * time.Millisecond // figures are read again no more often
	watchAnyway = 30 * time.Second       // and this often even where nothing was heard: a feed may lose things, and days end
)

// Watch emits today's summary of a unit's subtree now, and again whenever at least MinCell ratings came in, until ctx ends
// (nil), emit answers an error (that one) or events is closed (Unavailable). events are those of Topic.
//
// No single rating may be told from the difference of two summaries, in whichever channel: so a channel moves on only once
// at least MinCell of its ratings came in, the pooled distribution is the sum of the channels as they are
// emitted, and a slow channel may lag by up to MinCell-1 ratings. Summary answers everything.
func (a *Analysis) Watch(ctx context.Context, unitID string, events <-chan bus.Event, emit func(Summary) error) error {
	w := watching{analysis: a, unit: unitID}
	if err := w.look(ctx, emit); err != nil {
		return ended(ctx, err)
	}
	anyway := time.NewTicker(watchAnyway)
	defer anyway.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	<-pause.C
	waiting := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, open := <-events:
			if !open {
				if ctx.Err() != nil {
					return nil
				}
				return fault.New(fault.Unavailable, "watch_ended")
			}
			if !waiting && w.concerns(event) {
				waiting = true
				pause.Reset(watchAtMost)
			}
			continue
		case <-anyway.C:
		case <-pause.C:
			waiting = false
		}
		if err := w.look(ctx, emit); err != nil {
			return ended(ctx, err)
		}
	}
}

// ended is the error of a watch: none where it was ctx that ended it.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// watching is one watch and what it has told.
type watching struct {
	analysis *Analysis
	unit     string
	day      localday.Day
	told     sums
}

// concerns tells whether an event may change the unit's figures.
func (w *watching) concerns(event bus.Event) bool {
	if event.Missed {
		return true
	}
	if event.Topic != Topic {
		return false
	}
	tree := w.analysis.config.Units.Tree()
	return slices.ContainsFunc(DecodeChanged(event.Body), func(id string) bool { return tree.Within(id, w.unit) })
}

// look reads today's figures and emits them where there is enough to tell.
func (w *watching) look(ctx context.Context, emit func(Summary) error) error {
	today, _ := localday.Of(w.analysis.config.Clock())
	q, err := w.analysis.ask(ctx, Query{Unit: w.unit, From: string(today), To: string(today)}, thirtyDays)
	if err != nil {
		return err
	}
	totals, questionnaires, err := w.analysis.total(ctx, q, q.subtree())
	if err != nil {
		return err
	}
	now, first := totals[0], w.day != today
	if first {
		w.day, w.told = today, nil
	}
	news := first
	for channel, part := range now {
		for channel >= len(w.told) {
			w.told = append(w.told, sum{})
		}
		if first || part.counts.N() >= w.told[channel].counts.N()+w.analysis.config.MinCell {
			news = news || part != w.told[channel]
			w.told[channel] = part
		}
	}
	if !news {
		return nil
	}
	return emit(w.analysis.summarize(q, slices.Clone(w.told), questionnaires))
}
