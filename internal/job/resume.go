package job

import (
	"context"
	"errors"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// resumeEvery is how often a process looks for jobs that nobody runs any more.
const resumeEvery = 10 * time.Second

// Resume takes up jobs whose process is gone, and removes what was kept long enough, now and every few seconds, until ctx ends.
func (r *Runner) Resume(ctx context.Context) {
	ticker := time.NewTicker(resumeEvery)
	defer ticker.Stop()
	for {
		if err := r.takeUp(ctx); err != nil && ctx.Err() == nil {
			r.options.Logger.WarnContext(ctx, "jobs that were interrupted cannot be looked for", "error", err)
		}
		if err := r.expire(ctx); err != nil && ctx.Err() == nil {
			r.options.Logger.WarnContext(ctx, "what jobs worked on cannot be removed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// takeUp takes up what it finds, as far as there is room.
func (r *Runner) takeUp(ctx context.Context) error {
	silent := store.Milliseconds(r.options.Now().Add(-r.options.Silent))
	for _, query := range []store.Query{
		{Index: "state", Equal: []any{string(Interrupted)}},
		{Index: "state", Equal: []any{string(Running)}, To: silent},
	} {
		for doc, err := range r.docs.Find(ctx, query) {
			if err != nil {
				return err
			}
			if err := r.again(ctx, doc.Value); fault.Is(err, fault.Exhausted) {
				return nil // others, or later
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// again takes up one job, unless another process was quicker.
func (r *Runner) again(ctx context.Context, j Job) error {
	if r.options.Kinds[j.Kind] == nil {
		return nil // of another version of the program
	}
	j.Attempts++
	run := newRun(j, r.blobs)
	if err := r.reserve(run); err != nil {
		return err
	}
	taken, err := r.docs.Update(ctx, j.ID, func(now *Job) (bool, error) {
		if r.seen(*now).State != Interrupted || now.State == GivenUp || now.Attempts != j.Attempts-1 {
			return false, errTaken
		}
		now.SignAt = store.Milliseconds(r.options.Now())
		switch {
		case now.Cancel:
			now.State, now.Process, now.EndedAt = Cancelled, "", now.SignAt
		case now.Attempts >= r.options.Tries:
			now.State, now.Process = GivenUp, ""
		default:
			now.State, now.Process, now.Attempts = Running, r.process, j.Attempts
		}
		return true, nil
	})
	if err != nil || taken.State != Running {
		r.leave(run)
		if errors.Is(err, errTaken) {
			return nil
		}
		if err == nil {
			r.options.Logger.WarnContext(ctx, "a job that was interrupted is not taken up again", "job", j.ID, "state", taken.State)
		}
		if taken.State == Cancelled {
			r.forget(ctx, taken)
		}
		return err
	}
	r.options.Logger.InfoContext(ctx, "a job that was interrupted is taken up again", "job", j.ID, "kind", j.Kind, "attempt", taken.Attempts)
	go r.work(taken, run)
	return nil
}
