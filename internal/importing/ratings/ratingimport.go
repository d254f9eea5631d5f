// Package ratingimport reads ratings that were collected elsewhere, from CSV or from one JSON object a line, and hands
// them to intake under a mapping that a person wrote. The same file under the same mapping makes the same ids and the same
// bytes for ever, so importing again, or again after a crash, is all DUPLICATE. A bad row is reported by line and the
// others go on; a file of any size passes through in flat memory.
package ratingimport

import (
	"context"
	"io"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Limits and defaults of a run.
const (
	DefaultBatchSize  = 500
	MaxBatchSize      = 1000    // what intake takes in one call
	DefaultInFlight   = 4       // batches submitted at a time
	DefaultMaxRecord  = 1 << 20 // bytes of one record; a longer one is an error of its line and is never held whole
	DefaultExamineMax = 1 << 20 // rows compared with each other to the letter
	DefaultAttempts   = 8       // tries of one batch while the server is unavailable, over about half a minute
)

// Source is the file to read.
type Source struct {
	Name   string    // as people know it; the source's name in ids where the mapping gives none
	Path   string    // a regular file; only a path can be resumed
	Reader io.Reader // instead of Path, such as standard input
	Format string    // "csv" or "ndjson"; empty = the mapping's, else by the ending of Path or Name, else csv
}

// Submitter takes batches in: intake in this process, or a server. It is called by several goroutines at a time. An answer has
// one outcome an item, in order. An error concerns the whole batch; a fault Unavailable or Exhausted is tried again.
type Submitter interface {
	Submit(ctx context.Context, items []*pb.SealedRating) ([]*pb.ItemOutcome, error)
}

// UnitResolver finds a unit by what a file calls it: id, code or name.
type UnitResolver interface {
	ResolveUnit(text string) (id string, ok bool)
}

// Options say how to run. The zero value imports without a resumable state and without an errors file.
type Options struct {
	DryRun     bool              // read and check everything, submit nothing
	Units      UnitResolver      // nil = the file and the mapping name units by their ids
	ErrorsPath string            // CSV of line, column, reason, value, message; empty = only counted
	StatePath  string            // where to go on after a crash; empty = from the start; removed when a run ends well
	BatchSize  int               // items a batch; 0 = DefaultBatchSize, at most MaxBatchSize
	InFlight   int               // batches submitted at a time; 0 = DefaultInFlight
	MaxRecord  int               // bytes of one record; 0 = DefaultMaxRecord
	ExamineMax int               // rows compared to the letter; 0 = DefaultExamineMax, negative = none
	Attempts   int               // tries of one batch; 0 = DefaultAttempts
	SaltKey    []byte            // a secret of the server from which salts of comments are derived; the same for ever
	Language   language.Language // of messages in the errors file; empty = Vietnamese
	Progress   func(Progress)    // called after each batch, from one goroutine
}

// Progress tells how far a run has come.
type Progress struct {
	Bytes   int64 // of the file, up to the last acknowledged batch
	Size    int64 // of the file; 0 = not known
	Line    int64 // last line dealt with
	Rows    int64
	Summary *Summary // as it stands; valid during the call only
}

func (o Options) withDefaults() Options {
	pick := func(value, zero int) int {
		if value == 0 {
			return zero
		}
		return value
	}
	o.BatchSize = min(max(pick(o.BatchSize, DefaultBatchSize), 1), MaxBatchSize)
	o.InFlight = min(max(pick(o.InFlight, DefaultInFlight), 1), 64)
	o.MaxRecord = max(pick(o.MaxRecord, DefaultMaxRecord), 64)
	o.ExamineMax = max(pick(o.ExamineMax, DefaultExamineMax), 0)
	o.Attempts = max(pick(o.Attempts, DefaultAttempts), 1)
	if o.Language == "" {
		o.Language = language.Vietnamese
	}
	return o
}

// firstPause is the pause before the second try of a batch; it doubles up to longestPause.
const (
	firstPause   = 200 * time.Millisecond
	longestPause = 10 * time.Second
)
