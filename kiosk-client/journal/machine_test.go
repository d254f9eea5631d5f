package journal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/kiosk-client/clock"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// model is what a journal must hold.
type model struct {
	rows    []modelRow // sealed and not pruned, in order
	open    []string   // ids being given, in order
	scores  map[string]int32
	through uint64
	held    []uint64
}

type modelRow struct {
	sequence uint64
	id       string
}

func (m *model) clone() model {
	return model{rows: slices.Clone(m.rows), open: slices.Clone(m.open), through: m.through, held: slices.Clone(m.held), scores: m.scores}
}

// waiting are the ratings that have not arrived and are not held.
func (m *model) waiting() (w []modelRow) {
	for _, r := range m.rows {
		if r.sequence > m.through {
			w = append(w, r)
		}
	}
	return w
}

// machine does to a journal what can happen to one.
type machine struct {
	t       *testing.T
	clock   *clock.Manual
	folder  string
	j       *Journal
	m       model
	history []model           // after each step since the file was last moved whole to the disk
	given   map[uint64]string // every sequence ever given, of this device
	device  int
}

func (s *machine) must(rt *rapid.T, err error) {
	if err != nil {
		rt.Fatal(err)
	}
}

func (s *machine) start(rt *rapid.T) {
	var err error
	s.j, err = Open(context.Background(), s.folder, Options{Clock: s.clock, Volatile: true})
	s.must(rt, err)
}

func (s *machine) enrol(rt *rapid.T) {
	s.device++
	public, err := s.j.Enrolling(context.Background(), "")
	s.must(rt, err)
	_, err = s.j.Enrolled(context.Background(), Identity{DeviceID: string(rune('a' + s.device))}, public)
	s.must(rt, err)
	s.given = map[uint64]string{}
}

// sealed notes a sequence that was given.
func (s *machine) sealed(rt *rapid.T, sequence uint64, id string) {
	if before, twice := s.given[sequence]; twice {
		rt.Fatalf("sequence %d was given to %s and to %s", sequence, before, id)
	}
	s.given[sequence] = id
	s.m.rows = append(s.m.rows, modelRow{sequence, id})
}

func (s *machine) begin(rt *rapid.T) {
	score := rapid.Int32Range(1, 5).Draw(rt, "score")
	id, err := s.j.Begin(context.Background(), start(score))
	s.must(rt, err)
	s.m.open = append(s.m.open, id)
	s.m.scores[id] = score
}

func (s *machine) some(rt *rapid.T) string {
	if len(s.m.open) == 0 {
		rt.Skip("nothing is open")
	}
	return rapid.SampledFrom(s.m.open).Draw(rt, "rating")
}

func (s *machine) change(rt *rapid.T) {
	id, score := s.some(rt), rapid.Int32Range(1, 5).Draw(rt, "score")
	s.must(rt, s.j.Change(context.Background(), id, Answers{OverallScore: score}))
	s.m.scores[id] = score
}

func (s *machine) seal(rt *rapid.T) {
	id := s.some(rt)
	s.must(rt, s.j.Seal(context.Background(), id))
	s.must(rt, s.j.Seal(context.Background(), id))
	if err := s.j.Confirm(context.Background(), id, nil); !errors.Is(err, ErrUnknown) {
		rt.Fatalf("confirmed after the seal: %v", err)
	}
	s.m.open = slices.DeleteFunc(s.m.open, func(o string) bool { return o == id })
	s.sealed(rt, s.j.NextSequence()-1, id)
}

func (s *machine) settle(rt *rapid.T) {
	batch, err := s.j.Pending(context.Background(), 0, rapid.IntRange(1, 5).Draw(rt, "items"), 1<<20)
	s.must(rt, err)
	if len(batch.Items) == 0 {
		rt.Skip("nothing waits")
	}
	reasons := make([]string, rapid.IntRange(1, len(batch.Items)).Draw(rt, "answered"))
	for i := range reasons {
		if rapid.IntRange(0, 4).Draw(rt, "kept") == 0 {
			reasons[i] = "full"
			s.m.held = append(s.m.held, batch.First+uint64(i))
		}
	}
	s.must(rt, s.j.Settle(context.Background(), batch.First, reasons, s.clock.Now()))
	s.m.through = batch.First + uint64(len(reasons)) - 1
}

func (s *machine) retry(rt *rapid.T) {
	batches, err := s.j.Held(context.Background(), 0, 10)
	s.must(rt, err)
	if len(batches) == 0 {
		rt.Skip("nothing is held")
	}
	s.must(rt, s.j.Acknowledge(context.Background(), batches[0].First, batches[0].First, s.clock.Now()))
	s.m.held = slices.DeleteFunc(s.m.held, func(h uint64) bool { return h == batches[0].First })
}

func (s *machine) rewind(rt *rapid.T) {
	pruned := s.j.state().position.Pruned
	to := rapid.Uint64Range(pruned, max(pruned, s.m.through)).Draw(rt, "stored through")
	back, err := s.j.Rewind(context.Background(), to, s.m.through)
	s.must(rt, err)
	if back {
		s.m.through = to
		s.m.held = slices.DeleteFunc(s.m.held, func(h uint64) bool { return h > to })
	}
}

func (s *machine) prune(rt *rapid.T) {
	s.clock.Pass(40 * 24 * time.Hour)
	s.must(rt, s.j.Prune(context.Background(), time.Time{}))
	through := s.j.state().position.Pruned
	for _, r := range s.m.rows {
		if r.sequence <= through && (r.sequence > s.m.through || slices.Contains(s.m.held, r.sequence)) {
			rt.Fatalf("%d was deleted and has not arrived", r.sequence)
		}
	}
	s.m.rows = slices.DeleteFunc(s.m.rows, func(r modelRow) bool { return r.sequence <= through })
}

func (s *machine) other(rt *rapid.T) {
	var again []modelRow
	for _, r := range s.m.rows {
		if r.sequence > s.m.through || slices.Contains(s.m.held, r.sequence) {
			again = append(again, r)
		}
	}
	s.enrol(rt)
	s.m.rows, s.m.held, s.m.through = nil, nil, 0
	for i, r := range again {
		s.sealed(rt, uint64(i)+1, r.id)
	}
	// A disk that forgets this is asked for a new code by the server; here it does not.
	_, err := s.j.db.write.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	s.must(rt, err)
	s.history = nil
}

// restart closes and opens; what was open is sealed.
func (s *machine) restart(rt *rapid.T) {
	s.must(rt, s.j.Close())
	s.clock.Restart()
	s.start(rt)
	s.sealLeft(rt)
	s.history = nil // closing has moved the log into the file
}

func (s *machine) sealLeft(rt *rapid.T) {
	next := s.j.NextSequence() - uint64(len(s.m.open))
	for i, id := range s.m.open {
		s.sealed(rt, next+uint64(i), id)
	}
	s.m.open = nil
}

// crash is kill -9: the files stay as they are. Where the log is cut too, at any byte, the journal is as it was after some step, and goes on
// after all it has given.
func (s *machine) crash(rt *rapid.T) {
	here := filepath.Join(s.t.TempDir(), "state")
	copied(rt, s.folder, here)
	s.must(rt, s.j.Close())
	cut := false
	log := filepath.Join(here, fileName+"-wal")
	if info, err := os.Stat(log); err == nil && info.Size() > 0 && rapid.Bool().Draw(rt, "cut") {
		at := rapid.Int64Range(0, info.Size()-1).Draw(rt, "at")
		s.must(rt, os.Truncate(log, at))
		cut = true
	}
	s.folder = here
	s.clock.Restart()
	s.start(rt)
	if !cut {
		s.sealLeft(rt)
		return
	}
	s.after(rt)
}

// after finds the step the journal has gone back to.
func (s *machine) after(rt *rapid.T) {
	rows := rowsOf(rt, s.j)
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.id)
		if before, known := s.given[r.sequence]; known && before != r.id {
			rt.Fatalf("sequence %d was %s and is %s", r.sequence, before, r.id)
		}
	}
	for i := len(s.history) - 1; i >= 0; i-- {
		then := s.history[i]
		var want []string
		for _, r := range then.rows {
			want = append(want, r.id)
		}
		if want = append(want, then.open...); !slices.Equal(ids, want) {
			continue
		}
		status, err := s.j.Status(context.Background())
		s.must(rt, err)
		if status.AcknowledgedThrough != then.through {
			continue
		}
		s.m = model{scores: s.m.scores, through: then.through, held: slices.Clone(then.held)}
		for _, r := range rows {
			s.given[r.sequence] = r.id
			s.m.rows = append(s.m.rows, modelRow{r.sequence, r.id})
			kept := &pb.Rating{}
			s.must(rt, proto.Unmarshal(r.rating, kept))
			s.m.scores[r.id] = kept.GetOverallScore() // a change of mind may be lost with the log's end
		}
		if s.m.held = s.j.state().held; !slices.Equal(s.m.held, then.held) && len(s.m.held)+len(then.held) > 0 {
			continue
		}
		s.history = s.history[:i+1]
		return
	}
	rt.Fatalf("it is as it never was: %v", ids)
}

// Check holds after every step.
func (s *machine) Check(rt *rapid.T) {
	s.history = append(s.history, s.m.clone())
	status, err := s.j.Status(context.Background())
	s.must(rt, err)
	waiting := s.m.waiting()
	if status.Queue != uint64(len(waiting)+len(s.m.held)) || status.Held != len(s.m.held) || status.Open != len(s.m.open) {
		rt.Fatalf("status %+v; %d wait, %d are held, %d are open", status, len(waiting), len(s.m.held), len(s.m.open))
	}
	var read []modelRow
	for at := uint64(0); ; {
		batch, err := s.j.Pending(context.Background(), at, 3, 1<<20)
		s.must(rt, err)
		if len(batch.Items) == 0 {
			break
		}
		for i, item := range batch.Items {
			r := &pb.Rating{}
			s.must(rt, proto.Unmarshal(item.GetRating(), r))
			if r.GetDeviceSequence() != batch.First+uint64(i) || r.GetOverallScore() != s.m.scores[r.GetId()] || r.GetDeviceId() != s.j.ID() {
				rt.Fatalf("%d is sealed as %v", batch.First+uint64(i), r)
			}
			read = append(read, modelRow{r.GetDeviceSequence(), r.GetId()})
		}
		at = batch.Last()
	}
	if !slices.Equal(read, waiting) {
		rt.Fatalf("%v wait, %v are answered", waiting, read)
	}
}

func TestAnythingThatHappens(t *testing.T) {
	rounds := long(12, 1000)
	rapid.Check(t, func(rt *rapid.T) {
		if rounds--; rounds < 0 {
			return
		}
		s := &machine{t: t, clock: clock.NewManual(morning), folder: filepath.Join(t.TempDir(), "state"), m: model{scores: map[string]int32{}}}
		s.start(rt)
		defer func() { _ = s.j.Close() }()
		s.enrol(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"begin": s.begin, "begin too": s.begin, "change": s.change, "seal": s.seal, "seal too": s.seal, "settle": s.settle, "retry": s.retry, "rewind": s.rewind,
			"prune": s.prune, "other": s.other, "restart": s.restart, "crash": s.crash, "crash too": s.crash, "": s.Check,
		})
	})
}
