// Package journal keeps everything a device must not lose, in one SQLite file: the rating being given, the sealed ratings and their
// chain, who the device is and its keys, the configuration it works by, settings.
//
// What a call answered without an error is on the disk: each append is one transaction and one sync of the write-ahead
// log. Only one program at a time may open a folder; a second one is refused.
//
// # When the file is damaged
//
// A file that SQLite finds damaged, at the start or later, is set aside beside the new one ("journal-damaged-1.db"; it is never deleted),
// every row that can still be read is taken over, and the trouble "journal_damaged" is told for a week. Two small files
// keep a damaged journal from giving a sequence twice and from forgetting who the device is:
//
//   - "identity.json", written and synced when the identity changes and every reserveAhead sequences, holds the identity and a sequence that
//     no rating has reached yet;
//   - "sequence" holds the last sequence given; it is written after each seal and not synced.
//
// After damage the device goes on after the reserve; where the journal is sound but behind "sequence" (a disk that lost what it
// said was synced) it does so too. The sequences left out are a gap that the server lists as missing: some ratings may
// have been lost there, and an inspector must see it.
package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hailong-vn/hailong/internal/seal"
	"github.com/hailong-vn/hailong/kiosk-client/clock"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// The errors a caller may tell apart.
var (
	// ErrNotEnrolled says that no server knows the device: it cannot take ratings, because it has no place to say they were given at.
	ErrNotEnrolled = errors.New("journal: the device is not enrolled")
	// ErrUnknown says that the rating is sealed already, or was never begun.
	ErrUnknown = errors.New("journal: no such open rating")
	// ErrFull says that the disk is full. Nothing was written.
	ErrFull = errors.New("journal: the disk is full")
	// ErrClosed is answered after Close.
	ErrClosed = errors.New("journal: closed")
	// ErrInUse says that another program has the folder open.
	ErrInUse = errors.New("journal: another program has the folder open")
)

// Options of a journal; the zero value is good.
type Options struct {
	Clock    clock.Clock  // nil = clock.System()
	Logger   *slog.Logger // nil = nothing is logged
	Volatile bool         // nothing is synced: for simulators and tests
}

// Journal is an opened folder. Its methods may be called by many goroutines.
type Journal struct {
	folder string // "" = in memory
	opts   Options
	log    *slog.Logger
	clock  clock.Clock
	lock   *os.File

	turn   sync.Mutex // held by who writes
	db     *database  // nil after Close, and after damage that could not be mended
	open   map[string]*session
	begun  time.Duration // since the start, of the last first touch; negative before one
	closed bool
	// Transactions since the log's size was looked at.
	commits       int
	checkpointing atomic.Bool
	openCount     atomic.Int64 // of open
	background    sync.WaitGroup

	reading sync.Mutex // held by who uses db.read, and by who replaces db; taken after turn

	mu        sync.Mutex // guards what follows; never held while the disk is used
	now       state      // what the disk holds
	lastTouch time.Time
	damaged   time.Time // when the file was last found damaged; zero = never
}

// Start is the first touch of a rating, with the whole state after it.
type Start struct {
	UnitID, CounterID, OfficialID string
	ProcedureCode                 string
	TicketCode, DossierCode       string
	QuestionnaireID               string
	QuestionnaireVersion          int32
	Language                      string // BCP 47
	Answers                       Answers
}

// Answers is what was answered so far: the whole of it, never a difference.
type Answers struct {
	OverallScore int32 // 1 to 5; 0 = not asked
	Answers      []*pb.Answer
}

// Item is a rating that was given elsewhere than in a session, with what the person wrote.
type Item struct {
	Rating  *pb.Rating  // device_id, device_sequence and private_commitment are filled in
	Private *pb.Private // nil where there is none; a salt is filled in
}

// Batch is a run of sealed ratings in the chain, without a hole. It is signed only when it is sent, so that it outlives a
// change of the key.
type Batch struct {
	First    uint64    // device_sequence of the first item
	Previous seal.Head // link before it
	Items    []*pb.SealedRating
}

// Last is the device_sequence of the last item; First-1 where there is none.
func (b Batch) Last() uint64 { return b.First + uint64(len(b.Items)) - 1 }

// Bytes are the ratings as they are hashed.
func (b Batch) Bytes() [][]byte {
	items := make([][]byte, len(b.Items))
	for i, item := range b.Items {
		items[i] = item.GetRating()
	}
	return items
}

// Halves cuts a batch of at least two items into two that follow each other in the chain.
func (b Batch) Halves() (Batch, Batch) {
	middle := len(b.Items) / 2
	first := Batch{First: b.First, Previous: b.Previous, Items: b.Items[:middle]}
	return first, Batch{First: b.First + uint64(middle), Previous: seal.Chain(b.Previous, first.Bytes()), Items: b.Items[middle:]}
}

// Status is how the journal is. It costs no reading of the disk.
type Status struct {
	Queue               uint64     // sealed ratings that wait to be acknowledged
	HighestSequence     uint64     // of the last sealed rating; 0 before the first
	AcknowledgedThrough uint64     // everything up to here has arrived or is held
	Held                int        // of Queue: came back without having been kept, and wait for a slow retry
	Open                int        // ratings being given
	Days                []DayCount // the last 14 local days that had ratings, the latest last
	FreeBytes           uint64     // of the disk; 0 where it cannot be told
	LastTouch           time.Time  // zero before the first one since the start
	Troubles            []string   // stable codes: "journal_damaged", "storage_low"
}

// DayCount is how many ratings sealed here were given on a local day.
type DayCount struct {
	Day   string `json:"day"` // yyyy-mm-dd
	Count uint32 `json:"count"`
}

// Close waits for the write under way. Ratings being given stay open: the next Open seals them.
func (j *Journal) Close() error {
	j.turn.Lock()
	defer j.turn.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	j.background.Wait()
	j.reading.Lock()
	defer j.reading.Unlock()
	if j.db == nil {
		return j.unlock()
	}
	err := j.db.close()
	j.db = nil
	return errors.Join(err, j.unlock())
}

// Folder is where the journal's files are; photos and the like may be kept beside them. Empty in memory.
func (j *Journal) Folder() string { return j.folder }

func (j *Journal) wrap(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case isFull(err):
		return fmt.Errorf("%s: %w: %w", doing, ErrFull, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// settled makes a write that was begun whole: a caller that leaves must not leave half a transaction.
func settled(ctx context.Context) (context.Context, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return context.WithoutCancel(ctx), nil
}
