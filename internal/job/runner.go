package job

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Options of a runner. Kinds is required.
type Options struct {
	Kinds  map[string]Work
	AtOnce int              // jobs of this process at a time; 0 = 2
	Every  time.Duration    // how often progress is kept and a wish to stop is looked for; 0 = a second
	Silent time.Duration    // without a sign for so long, a job's process is gone; 0 = 30 s
	Tries  int              // how often a job is taken up; 0 = 3
	Logger *slog.Logger     // nil = nothing is logged
	Now    func() time.Time // nil = time.Now
}

// Runner is one process's end of the jobs. Its methods may be called by many goroutines.
type Runner struct {
	options Options
	docs    store.Docs[Job]
	blobs   store.Blobs
	process string
	base    context.Context
	stop    context.CancelFunc
	mu      sync.Mutex
	running map[string]*Run
	closed  bool
	wait    sync.WaitGroup
}

// Open opens the jobs of a store. Close stops those of this process.
func Open(ctx context.Context, engine store.Engine, options Options) (*Runner, error) {
	if options.AtOnce <= 0 {
		options.AtOnce = 2
	}
	if options.Every <= 0 {
		options.Every = time.Second
	}
	if options.Silent <= 0 {
		options.Silent = 30 * time.Second
	}
	if options.Tries <= 0 {
		options.Tries = 3
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	docs, err := jobType.Open(ctx, engine)
	if err != nil {
		return nil, err
	}
	r := &Runner{options: options, docs: docs, blobs: engine.Blobs(), process: uuid.NewString(), running: map[string]*Run{}}
	r.base, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	return r, nil
}

// Close stops the jobs of this process and waits until that is kept. Another process, or this one's next start, takes
// them up again.
func (r *Runner) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.stop()
	r.wait.Wait()
}

// Why a job's context ended.
var (
	errCancelled = errors.New("job: cancelled")
	errTaken     = errors.New("job: another process has it")
)

// New is a job to be started.
type New struct {
	Kind    string
	Subject string
	Input   []byte
	By      By
	Keep    time.Duration // how long the input is kept once the job is done, for whoever started it (Kept); 0 = not at all
}

// Start starts a job, which goes on by itself. Exhausted "job_too_many" where this process has enough to do; Unavailable
// "job_stopping", "store_unavailable".
func (r *Runner) Start(ctx context.Context, wanted New) (Job, error) {
	if r.options.Kinds[wanted.Kind] == nil || len(wanted.Input) > maxInput {
		return Job{}, fault.New(fault.Internal, "internal").Because(fmt.Errorf("no job of kind %q with %d bytes", wanted.Kind, len(wanted.Input)))
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Job{}, err
	}
	now := store.Milliseconds(r.options.Now())
	j := Job{
		ID: id.String(), Kind: wanted.Kind, Subject: store.Clip(wanted.Subject, maxText), State: Running, By: wanted.By, StartedAt: now, SignAt: now,
		Process: r.process, Attempts: 1, Input: "jobs/" + id.String(), Keep: int64(wanted.Keep / time.Second),
	}
	run := newRun(j, r.blobs)
	if err := r.reserve(run); err != nil {
		return Job{}, err
	}
	if _, err := r.blobs.Put(ctx, j.Input, bytes.NewReader(wanted.Input)); err != nil {
		r.leave(run)
		return Job{}, typed("keep what a job works on", err)
	}
	if err := r.docs.Insert(ctx, j); err != nil {
		r.leave(run)
		r.forget(ctx, j)
		return Job{}, typed("keep job", err)
	}
	r.options.Logger.InfoContext(ctx, "job started", "job", j.ID, "kind", j.Kind, "by", j.By.Account)
	go r.work(j, run)
	return j, nil
}

// reserve takes a place among those that run here, with a context to stop the run by.
func (r *Runner) reserve(run *Run) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return fault.New(fault.Unavailable, "job_stopping")
	}
	if len(r.running) >= r.options.AtOnce {
		return fault.New(fault.Exhausted, "job_too_many", "limit", r.options.AtOnce)
	}
	run.stop = func(error) {}
	r.running[run.ID] = run
	r.wait.Add(1)
	return nil
}

func (r *Runner) leave(run *Run) {
	r.mu.Lock()
	delete(r.running, run.ID)
	r.mu.Unlock()
	close(run.finished)
	r.wait.Done()
}

// work runs a job to its end.
func (r *Runner) work(j Job, run *Run) {
	defer r.leave(run)
	ctx, stop := context.WithCancelCause(r.base)
	defer stop(nil)
	r.mu.Lock()
	run.stop = stop
	r.mu.Unlock()

	ended := make(chan error, 1)
	go func() { ended <- r.do(ctx, j.Kind, run) }()
	ticker := time.NewTicker(r.options.Every)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			r.finish(ctx, j, run, err)
			return
		case <-ticker.C:
			r.sign(ctx, run)
		}
	}
}

// do does the work; a panic of it is a failure like others.
func (r *Runner) do(ctx context.Context, kind string, run *Run) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.options.Logger.ErrorContext(ctx, "panic in a job", "job", run.ID, "panic", p, "stack", string(debug.Stack()))
			err = fault.New(fault.Internal, "internal").Because(fmt.Errorf("panic: %v", p))
		}
	}()
	return r.options.Kinds[kind](ctx, run)
}

// sign keeps how far the job is and looks whether somebody wants it stopped.
func (r *Runner) sign(ctx context.Context, run *Run) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.options.Silent/2)
	defer cancel()
	j, err := r.keep(ctx, run, func(*Job) {})
	switch {
	case errors.Is(err, errTaken), errors.Is(err, store.ErrNotFound):
		run.stop(errTaken)
	case err != nil:
		r.options.Logger.WarnContext(ctx, "progress of a job was not kept", "job", run.ID, "error", err)
	case j.Cancel:
		run.stop(errCancelled)
	}
}

// keep writes what the run told, as long as the job is this process's.
func (r *Runner) keep(ctx context.Context, run *Run, change func(*Job)) (Job, error) {
	return r.docs.Update(ctx, run.ID, func(j *Job) (bool, error) {
		if j.Process != r.process || j.Attempts != run.Attempt || j.State != Running {
			return false, errTaken
		}
		run.fill(j)
		j.SignAt = store.Milliseconds(r.options.Now())
		change(j)
		return true, nil
	})
}

// keepEndWithin is how long an end is tried to be kept while the store is away. Where it could not, the job is taken for
// interrupted and done again.
const keepEndWithin = time.Minute

// finish keeps how a job ended.
func (r *Runner) finish(ctx context.Context, j Job, run *Run, err error) {
	cause := context.Cause(ctx)
	if errors.Is(cause, errTaken) {
		return
	}
	state := Done
	switch {
	case err == nil:
	case errors.Is(cause, errCancelled):
		state = Cancelled
	case r.base.Err() != nil:
		state = Interrupted
	default:
		state = Failed
		r.options.Logger.WarnContext(ctx, "job failed", "job", j.ID, "kind", j.Kind, "error", err)
	}
	within := keepEndWithin
	if r.base.Err() != nil {
		within = 5 * time.Second
	}
	keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		_, keptErr := r.keep(keeping, run, func(j *Job) {
			j.State, j.Process = state, ""
			switch state { //nolint:exhaustive // the others add nothing
			case Interrupted:
				j.Attempts-- // an orderly stop is nobody's fault
				return
			case Failed:
				j.Report = append([]Line{Of(err).short()}, j.Report[:min(len(j.Report), MaxLines-1)]...)
			}
			j.EndedAt = j.SignAt
			if state == Done && j.Keep > 0 {
				j.KeptUntil = j.EndedAt.Add(time.Duration(j.Keep) * time.Second)
			}
		})
		if keptErr == nil || errors.Is(keptErr, errTaken) {
			break
		}
		r.options.Logger.WarnContext(ctx, "how a job ended was not kept yet", "job", j.ID, "state", state, "error", keptErr)
		select {
		case <-time.After(pause):
			continue
		case <-keeping.Done():
		case <-r.base.Done():
			if within == keepEndWithin { // stopped meanwhile: one more try
				within = 0
				continue
			}
		}
		return
	}
	r.options.Logger.InfoContext(ctx, "job ended", "job", j.ID, "kind", j.Kind, "state", state)
	if state.Ended() && (state != Done || j.Keep == 0) {
		r.forget(keeping, j)
	}
}

// forget removes what a job worked on. Where that fails it lies there and harms nothing.
func (r *Runner) forget(ctx context.Context, j Job) {
	if err := r.blobs.Remove(context.WithoutCancel(ctx), j.Input); err != nil && !errors.Is(err, store.ErrNotFound) {
		r.options.Logger.WarnContext(ctx, "what a job worked on was not removed", "job", j.ID, "blob", j.Input, "error", err)
	}
}

// Cancel asks a job to stop, in whatever process it runs, and answers it as it is then. One that has ended stays as it is. What
// it stored stays. NotFound "job_unknown".
func (r *Runner) Cancel(ctx context.Context, id string) (Job, error) {
	j, err := r.docs.Update(ctx, id, func(j *Job) (bool, error) {
		switch state := r.seen(*j).State; {
		case state.Ended():
			return false, nil
		case state == Interrupted:
			j.State, j.Process, j.EndedAt = Cancelled, "", store.Milliseconds(r.options.Now())
		case j.Cancel:
			return false, nil
		}
		j.Cancel = true
		return true, nil
	})
	if err != nil {
		return Job{}, typed("stop job", err)
	}
	if j.State == Cancelled {
		r.forget(ctx, j)
	}
	r.mu.Lock()
	run := r.running[id]
	if run != nil {
		run.stop(errCancelled)
	}
	r.mu.Unlock()
	return r.seen(j), nil
}
