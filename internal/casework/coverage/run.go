package coverage

import (
	"context"
	"time"
)

// How the digests of recent days are kept folded.
const (
	keepEvery  = time.Minute
	keepDays   = 31
	againEvery = 15 * time.Second
)

// Run keeps the digests of the last days folded until ctx ends, so that nobody waits for them: whoever asks would fold what is missing. It
// also looks again for cases and notes that a server with a slow clock wrote. Any number of processes may run it.
func (c *Coverage) Run(ctx context.Context) {
	ticker, again := time.NewTicker(keepEvery), time.NewTicker(againEvery)
	defer ticker.Stop()
	defer again.Stop()
	before := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			if err := c.holdings.again(ctx); err != nil && ctx.Err() == nil {
				c.options.Logger.WarnContext(ctx, "which ratings cases hold cannot be read again", "error", err)
			}
			continue
		case <-ticker.C:
		}
		version, err := c.version(ctx)
		if err == nil && version != "" && version == before {
			continue
		}
		if before = version; err == nil {
			today := c.today()
			err = c.Fold(ctx, Period{today.Add(-keepDays), today})
		}
		if err != nil && ctx.Err() == nil {
			before = ""
			c.options.Logger.WarnContext(ctx, "which ratings are dissatisfied, and why, cannot be kept folded", "error", err)
		}
	}
}

// Fold folds whatever is not current in a period, of all units, one after the other.
func (c *Coverage) Fold(ctx context.Context, p Period) error {
	tree := c.options.Units.Tree()
	all, _, err := c.leaves(ctx, tree.IDs(), p, tree.Len())
	if err != nil {
		return err
	}
	for _, unit := range sortedKeys(all) {
		if _, missing := c.digests.find(unit, all[unit]); len(missing) > 0 {
			if _, err := c.fetch(ctx, unit, missing); err != nil {
				return err
			}
		}
	}
	return nil
}
