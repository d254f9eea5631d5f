// Package job runs long work that a person started and then leaves alone: imports, recounts. A job is a document, so every
// process shows how it goes, may stop it, and can take it up again when the process that ran it is gone. What a job
// does must therefore bear being done twice.
package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Limits of what is kept of a job.
const (
	MaxLines = 1000 // lines of a report; what is beyond is only counted
	maxText  = 500  // bytes of one text in a report
	maxInput = 17 << 20
)

// State says where a job stands.
type State string

// The states.
const (
	Running     State = "running"
	Done        State = "done"
	Failed      State = "failed"
	Cancelled   State = "cancelled"
	Interrupted State = "interrupted" // its process stopped; some process takes it up again
	GivenUp     State = "given_up"    // interrupted so often that nobody takes it up by itself
)

// Ended tells whether nothing more becomes of it.
func (s State) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// Job is long work, as it is kept.
type Job struct {
	ID        string    `bson:"_id"` // UUIDv7
	Kind      string    `bson:"kind"`
	Subject   string    `bson:"subject"` // what it works on, such as the name of a file
	State     State     `bson:"state"`
	Done      int64     `bson:"done"`
	Total     int64     `bson:"total"` // 0 = not known
	Report    []Line    `bson:"report,omitempty"`
	More      int64     `bson:"more,omitempty"` // lines of the report that found no room
	By        By        `bson:"by"`
	StartedAt time.Time `bson:"started_at"`
	EndedAt   time.Time `bson:"ended_at,omitempty"`
	SignAt    time.Time `bson:"sign_at"` // last sign of the process that runs it
	Process   string    `bson:"process,omitempty"`
	Attempts  int       `bson:"attempts"` // times a process took it up
	Cancel    bool      `bson:"cancel,omitempty"`
	Input     string    `bson:"input"`                // name of the blob that holds what it works on; removed when it ended, or at KeptUntil
	Keep      int64     `bson:"keep,omitempty"`       // seconds for which that is kept once the job is done
	KeptUntil time.Time `bson:"kept_until,omitempty"` // unset = it is removed, or the job goes on
}

// By is who started a job.
type By struct {
	Account  string `bson:"account"`
	Name     string `bson:"name"`
	Language string `bson:"language"` // of words that cannot be made later
}

// Line is one line of a report. It is kept as a key of the catalogues, so that everybody reads it in his own language.
type Line struct {
	Key    string `bson:"key,omitempty"`
	Args   []any  `bson:"args,omitempty"`   // name, value, name, value …; strings and integers
	Words  string `bson:"words,omitempty"`  // instead of Key, where somebody else made the words
	Row    int64  `bson:"row,omitempty"`    // the line of a file that this is about
	Column string `bson:"column,omitempty"` // its column
	Value  string `bson:"value,omitempty"`  // what stood there
}

// Says makes a line of a key.
func Says(key string, args ...any) Line { return Line{Key: key, Args: args} }

// Of makes a line of a fault; nothing inside is told of what is not one.
func Of(err error) Line {
	f := fault.Of(err)
	return Line{Key: "fault." + f.Reason, Args: f.Args}
}

var jobType = store.Define[Job]("jobs",
	store.Index{Name: "started", Fields: []string{"started_at"}},
	store.Index{Name: "state", Fields: []string{"state", "sign_at"}},
	store.Index{Name: "kept", Fields: []string{"kept_until"}},
)

// Kinds lists the kinds of documents kept here.
func Kinds() []store.Kind { return []store.Kind{jobType.Kind} }

// seen is the job as it is now: one whose process gave no sign for too long was interrupted.
func (r *Runner) seen(j Job) Job {
	if j.State == Running && r.options.Now().Sub(j.SignAt) > r.options.Silent {
		j.State = Interrupted
	}
	if j.State == GivenUp {
		j.State = Interrupted
	}
	return j
}

// Get answers a job. NotFound "job_unknown".
func (r *Runner) Get(ctx context.Context, id string) (Job, error) {
	j, _, err := r.docs.Get(ctx, id)
	if err != nil {
		return Job{}, typed("read job", err)
	}
	return r.seen(j), nil
}

// List answers one page of jobs, newest first, and the place of the next one. Invalid "job_page_invalid".
func (r *Runner) List(ctx context.Context, size int, after store.Cursor) ([]Job, store.Cursor, error) {
	jobs, next, err := r.docs.Page(ctx, store.Query{Index: "started", After: after, Desc: true}, size)
	if errors.Is(err, store.ErrInvalid) {
		return nil, "", fault.New(fault.Invalid, "job_page_invalid").Because(err)
	}
	if err != nil {
		return nil, "", typed("list jobs", err)
	}
	for i := range jobs {
		jobs[i] = r.seen(jobs[i])
	}
	return jobs, next, nil
}

func typed(doing string, err error) error {
	var known *fault.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrInvalid): // an id that cannot be
		return fault.New(fault.NotFound, "job_unknown").Because(fmt.Errorf("%s: %w", doing, err))
	case errors.Is(err, store.ErrUnavailable):
		return fault.New(fault.Unavailable, "store_unavailable").Because(fmt.Errorf("%s: %w", doing, err))
	}
	return fmt.Errorf("%s: %w", doing, err)
}
