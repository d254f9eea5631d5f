package server

import (
	"context"
	"errors"
	"time"

	"github.com/hailong-vn/hailong/analytics"
)

// foldNow brings the figures up to date after an import into an embedded store, where no server may be running to do it. On
// MongoDB that is the workers' part.
func (a *application) foldNow(ctx context.Context, t *terminal) (err error) {
	if a.MongoDB != "" {
		return nil
	}
	t.say("import.folding")
	worker, err := analytics.New(analytics.Config{Engine: a.engine, Logger: a.Logger, Clock: a.Clock, SweepEvery: 500 * time.Millisecond})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx) }()
	wanted, ticker := a.Clock(), time.NewTicker(50*time.Millisecond)
	defer ticker.Stop()
	defer func() {
		stop()
		err = errors.Join(err, <-done)
	}()
	for { // a running server's worker may be the one that gets there first
		through, err := a.fresh(ctx)
		if err != nil || !through.Before(wanted) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
