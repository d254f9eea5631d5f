package job

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/hailong-vn/hailong/internal/store"
)

// Work does a kind of job. It ends soon after ctx does. A *fault.Error it answers is told to people; anything else is only logged.
type Work func(ctx context.Context, run *Run) error

// Run is a job under way, as its work sees it. Its methods may be called by many goroutines; what is told is kept about once a
// second.
type Run struct {
	ID       string
	Subject  string
	By       By
	Attempt  int // 1 = the first time it is taken up
	input    string
	blobs    store.Blobs
	stop     context.CancelCauseFunc
	mu       sync.Mutex
	done     int64
	total    int64
	report   []Line
	more     int64
	finished chan struct{} // closed when it ended and that was kept
}

func newRun(j Job, blobs store.Blobs) *Run {
	return &Run{ID: j.ID, Subject: j.Subject, By: j.By, Attempt: j.Attempts, input: j.Input, blobs: blobs, finished: make(chan struct{})}
}

// Input reads what the job was started with.
func (r *Run) Input(ctx context.Context) ([]byte, error) {
	blob, err := r.blobs.Open(ctx, r.input)
	if err != nil {
		return nil, typed("read what a job works on", err)
	}
	defer func() { _ = blob.Close() }()
	input, err := io.ReadAll(io.LimitReader(blob, maxInput+1))
	if err != nil {
		return nil, typed("read what a job works on", fmt.Errorf("%w: %w", store.ErrUnavailable, err))
	}
	return input, nil
}

// Progress tells how much is done, of how much; 0 = not known.
func (r *Run) Progress(done, total int64) {
	r.mu.Lock()
	r.done, r.total = done, total
	r.mu.Unlock()
}

// Report replaces the report; lines that find no room are counted.
func (r *Run) Report(lines []Line, more int64) {
	if len(lines) > MaxLines {
		more += int64(len(lines) - MaxLines)
		lines = lines[:MaxLines]
	}
	kept := make([]Line, len(lines))
	for i, line := range lines {
		kept[i] = line.short()
	}
	r.mu.Lock()
	r.report, r.more = kept, more
	r.mu.Unlock()
}

// fill writes into the document what was told so far.
func (r *Run) fill(j *Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j.Done, j.Total, j.Report, j.More = r.done, r.total, r.report, r.more
}

// short cuts what is too long for a report, and brings values to what every engine keeps.
func (l Line) short() Line {
	l.Words, l.Column, l.Value = store.Clip(l.Words, maxText), store.Clip(l.Column, maxText), store.Clip(l.Value, maxText)
	args := make([]any, len(l.Args))
	for i, arg := range l.Args {
		switch value := arg.(type) {
		case int:
			args[i] = int64(value)
		case int32, int64:
			args[i] = value
		case string:
			args[i] = store.Clip(value, maxText)
		default:
			args[i] = store.Clip(fmt.Sprint(value), maxText)
		}
	}
	l.Args = args
	return l
}
