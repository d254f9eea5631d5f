package analysis

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/tally"
)

const (
	// MaxLeaves is how many leaves (a unit's day in one channel and form) one question for reasons or hours reads at most: every
	// commune of the country for a month, or those of a province for a year. A leaf takes 30 to 60 µs of one processor.
	MaxLeaves = 250_000
	// Questions that read more than largeLeaves wait for each other, largeAtOnce at a time, so that they leave room for all others.
	largeLeaves = 20_000
	largeAtOnce = 2
	// readAtOnce is how many units are read at the same time.
	readAtOnce = 4
)

// run is a unit's days from the first to the last leaf that is wanted.
type run struct{ first, last localday.Day }

// leaves gives the leaves of a cover's units, one at a time and in no order. The strips tell which leaves there are, so that no
// unit is read for nothing, and how many: more than MaxLeaves are refused before any is read ("analysis_too_much").
func (a *Analysis) leaves(ctx context.Context, q asked, c *cover, use func(tally.Leaf)) error {
	runs, count, err := a.runs(ctx, q, c)
	if err != nil {
		return err
	}
	if count > MaxLeaves {
		return fault.New(fault.Invalid, "analysis_too_much", "count", count, "limit", MaxLeaves)
	}
	if count > largeLeaves {
		select {
		case a.large <- struct{}{}:
			defer func() { <-a.large }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var using sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readAtOnce)
	for unit, run := range runs {
		group.Go(func() error {
			for leaf, err := range a.config.Engine.Rollups().Leaves(ctx, unit, string(run.first), string(run.last)) {
				if err != nil {
					return err
				}
				if !q.wants(leaf.Key.Channel) || q.Questionnaire != "" && leaf.Key.Questionnaire != q.Questionnaire || !c.counts(unit, leaf.Key.Day) {
					continue
				}
				using.Lock()
				use(leaf)
				using.Unlock()
			}
			return nil
		})
	}
	return group.Wait()
}

// runs finds the days of each unit on which it has leaves that are wanted, and how many leaves.
func (a *Analysis) runs(ctx context.Context, q asked, c *cover) (runs map[string]run, count int, err error) {
	runs = map[string]run{}
	var parts []inYear
	begin := func(_ int, of []inYear) { parts = of }
	err = a.strips(ctx, q, c, begin, func(strip tally.Strip) {
		first, last := -1, -1
		for _, part := range parts {
			if len(part.of[strip.Key.Unit]) == 0 {
				continue
			}
			for at, slot := range strip.Slots() {
				if at.Day > part.last {
					break
				}
				if at.Day < part.first || slot.Seen == 0 || !q.wants(at.Channel) {
					continue
				}
				count++
				if first < 0 {
					first = at.Day
				}
				last = max(last, at.Day)
			}
		}
		if first < 0 {
			return
		}
		newYear := dayOf(strip.Key.Year)
		found := run{newYear.Add(first), newYear.Add(last)}
		if known, ok := runs[strip.Key.Unit]; ok {
			found = run{min(found.first, known.first), max(found.last, known.last)}
		}
		runs[strip.Key.Unit] = found
	})
	return runs, count, err
}

// counts tells whether a unit's ratings of a day go to any group.
func (c *cover) counts(unit string, day localday.Day) bool {
	for _, s := range c.stretches {
		if s.From <= day && day <= s.To {
			return len(s.of[unit]) > 0
		}
	}
	return false
}
