package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Kept answers what a job worked on, where it was started to be kept for a while and is done. Only the account that started it may have it: NotFound
// "job_unknown"; Denied "job_kept_for_another"; Stale "job_input_gone" where the time is over; Invalid "job_keeps_nothing" where nothing
// is kept of such a job, or it is not done.
func (r *Runner) Kept(ctx context.Context, id, account string) ([]byte, error) {
	j, _, err := r.docs.Get(ctx, id)
	switch {
	case err != nil:
		return nil, typed("read job", err)
	case j.By.Account != account:
		return nil, fault.New(fault.Denied, "job_kept_for_another", "name", j.By.Name)
	case j.Keep == 0 || j.State != Done:
		return nil, fault.New(fault.Invalid, "job_keeps_nothing")
	case !r.options.Now().Before(j.KeptUntil):
		return nil, fault.New(fault.Stale, "job_input_gone")
	}
	input, err := newRun(j, r.blobs).Input(ctx)
	if fault.Is(err, fault.NotFound) { // removed this moment
		return nil, fault.New(fault.Stale, "job_input_gone").Because(err)
	}
	return input, err
}

// expire removes what was kept long enough.
func (r *Runner) expire(ctx context.Context) error {
	for doc, err := range r.docs.Find(ctx, store.Query{Index: "kept", To: store.Milliseconds(r.options.Now())}) {
		if err != nil {
			return err
		}
		// The file first: where the second write is lost, the next look finds it gone and writes again.
		if err := r.blobs.Remove(ctx, doc.Value.Input); err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("remove %s: %w", doc.Value.Input, err)
		}
		_, err := r.docs.Update(ctx, doc.Value.ID, func(j *Job) (bool, error) {
			changed := !j.KeptUntil.IsZero()
			j.KeptUntil = time.Time{}
			return changed, nil
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}
