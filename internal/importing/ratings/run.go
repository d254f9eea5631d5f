package ratingimport

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Run reads the source under the mapping and submits what it makes. It answers what was found and done, also beside an
// error: everything up to the state is acknowledged then, and the same call goes on behind it. Faults: Invalid (the file
// cannot be read under this mapping at all), NotFound (no such file), Unavailable (file or server failed), and what the
// submitter answers. Where ctx ends, its error is answered.
func Run(ctx context.Context, source Source, m *Mapping, submitter Submitter, options Options) (Summary, error) {
	options = options.withDefaults()
	if m == nil || m.plan == nil {
		return Summary{}, fault.New(fault.Invalid, "import_ratings_mapping_empty")
	}
	in, err := openInput(source, m, options)
	if err != nil {
		return Summary{}, err
	}
	defer in.close()
	r := &run{options: options, in: in, submitter: submitter, summary: newSummary(in.source, options.DryRun)}
	var errorsOffset int64
	if in.resumed != nil {
		r.summary = in.resumed.Summary
		r.summary.ResumedAt = in.resumed.Line
		if in.resumed.ErrorsPath == options.ErrorsPath {
			errorsOffset = in.resumed.ErrorsOffset
		}
		options.ExamineMax = 0
	}
	if r.errors, err = openErrors(options.ErrorsPath, errorsOffset, options.Language); err != nil {
		return *r.summary, err
	}
	r.batcher = newBatcher(in.records, newMaker(m.plan, in.source, options), options.BatchSize, options.ExamineMax)
	err = r.all(ctx)
	if closing := r.errors.close(); err == nil && closing != nil {
		err = fault.New(fault.Unavailable, "import_ratings_errors_file", "path", options.ErrorsPath).Because(closing)
	}
	if r.summary.Rows > 0 {
		r.summary.UnseenColumns = in.records.unseen()
	}
	r.summary.ExaminedAll = in.resumed == nil && r.batcher.rows != nil && !r.batcher.rows.full && (r.batcher.ids == nil || !r.batcher.ids.full)
	if err == nil && options.StatePath != "" && !options.DryRun {
		err = removeState(options.StatePath)
	}
	return *r.summary, err
}

// run is one run. Reading, submitting and noting what became of it overlap: one goroutine makes batches, InFlight submit
// them, and one takes the outcomes in the order of the file.
type run struct {
	options   Options
	in        *input
	submitter Submitter
	batcher   *batcher
	errors    *errorsFile
	summary   *Summary
}

func (r *run) all(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var (
		working sync.WaitGroup
		made    = make(chan *batch)
		done    = make(chan *batch, r.options.InFlight)
		slots   = make(chan struct{}, 2*r.options.InFlight) // batches between being made and being noted
		failed  error                                       // of making; read once made is closed
	)
	working.Add(1)
	go func() {
		defer working.Done()
		defer close(made)
		failed = r.produce(ctx, slots, made)
	}()
	for range r.options.InFlight {
		working.Add(1)
		go func() {
			defer working.Done()
			for b := range made {
				b.outcomes, b.err = r.submit(ctx, b)
				done <- b
			}
		}()
	}
	go func() {
		working.Wait()
		close(done)
	}()
	err := r.note(done, slots, stop)
	switch {
	case err != nil && failed != nil && errors.Is(err, context.Canceled):
		return failed
	case err != nil:
		return err
	}
	return failed
}

// produce makes batches until the file ends.
func (r *run) produce(ctx context.Context, slots chan<- struct{}, made chan<- *batch) error {
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		b, err := r.batcher.next(ctx)
		if b == nil {
			return err
		}
		if b.line > 0 {
			select {
			case made <- b:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		switch {
		case ended(err):
			return nil
		case err != nil:
			return fault.New(fault.Unavailable, "import_ratings_read", "line", b.line+1).Because(err)
		}
	}
}

// submit hands a batch over, again and again while the server is not to be had.
func (r *run) submit(ctx context.Context, b *batch) ([]*pb.ItemOutcome, error) {
	if r.options.DryRun || len(b.items) == 0 {
		return nil, ctx.Err()
	}
	pause := firstPause
	for attempt := 1; ; attempt++ {
		outcomes, err := r.submitter.Submit(ctx, b.items)
		if err == nil && len(outcomes) != len(b.items) {
			return nil, fault.New(fault.Internal, "internal").Because(fmt.Errorf("%d outcomes for %d items", len(outcomes), len(b.items)))
		}
		again := fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Exhausted)
		if err == nil || !again || attempt >= r.options.Attempts {
			return outcomes, err
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil, ctx.Err()
		}
		pause = min(2*pause, longestPause)
	}
}

// note takes finished batches in the order of the file. The first failure ends the run; batches behind it are not
// noted, even if they were stored: the next run finds them as DUPLICATE.
func (r *run) note(done <-chan *batch, slots <-chan struct{}, stop func()) error {
	var first error
	next := int64(0)
	waiting := map[int64]*batch{}
	for b := range done {
		waiting[b.number] = b
		for first == nil && waiting[next] != nil {
			b := waiting[next]
			delete(waiting, next)
			next++
			if first = b.err; first == nil {
				first = r.apply(b)
			}
			if first != nil {
				stop()
				break
			}
			close(b.done)
			<-slots
		}
	}
	return first
}

// apply takes one batch into summary, errors file and state.
func (r *run) apply(b *batch) error {
	s := r.summary
	s.Rows += b.rows
	s.Blank += b.blank
	s.Skipped += b.skipped
	s.Errors += b.errors
	s.Examined += b.examined
	s.Identical += b.identical
	s.SameIdentity += b.sameIdentity
	s.OtherContent += b.otherText
	for _, label := range b.ignored {
		count(s.Labels, label)
	}
	faults := b.faults
	for i, e := range b.entries {
		s.ready(e)
		if r.options.DryRun {
			continue
		}
		if f, wrong := s.outcome(e, b.outcomes[i]); wrong {
			faults = append(faults, f)
		}
	}
	for _, f := range byLine(faults) {
		s.fault(f)
		if err := r.errors.write(f); err != nil {
			return r.errorsFault(err)
		}
	}
	if err := r.errors.flush(); err != nil {
		return r.errorsFault(err)
	}
	if err := r.remember(b); err != nil {
		return err
	}
	if r.options.Progress != nil {
		r.options.Progress(Progress{Bytes: b.end, Size: r.in.size, Line: b.line, Rows: s.Rows, Summary: s})
	}
	return nil
}

func (r *run) errorsFault(err error) error {
	return fault.New(fault.Unavailable, "import_ratings_errors_file", "path", r.options.ErrorsPath).Because(err)
}

// remember writes the state after a batch.
func (r *run) remember(b *batch) error {
	if r.in.state.Version == 0 {
		return nil
	}
	s := r.in.state
	var err error
	if s.Tail, err = tailOf(r.in.file, b.end); err != nil {
		return fault.New(fault.Unavailable, "import_ratings_read", "line", b.line).Because(err)
	}
	s.Offset, s.Line, s.ErrorsOffset, s.Summary = b.end, b.line, r.errors.offset, r.summary
	return s.write(r.options.StatePath)
}
