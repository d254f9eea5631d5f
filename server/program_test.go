package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// build builds programs of this module, as they are shipped, and answers the folder they are in.
func build(t *testing.T, packages ...string) string {
	t.Helper()
	folder := t.TempDir()
	args := append([]string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", folder + string(filepath.Separator)}, packages...)
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil { //nolint:gosec // our own packages
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return folder
}

// process is a program of its own, to be killed.
type process struct {
	*exec.Cmd
	ready struct{ GRPC, HTTP string } // what its first line tells
	log   terminalText
	ended chan struct{} // closed when it has ended
}

// launch starts a program and, where it announces itself, waits for that.
func launch(t *testing.T, announces bool, environment []string, program string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(program, args...), ended: make(chan struct{})} //nolint:gosec // built just now
	p.Env = append(os.Environ(), append(environment, "HAILONG_LANGUAGE=en", "HAILONG_ADMIN_PASSWORD="+adminPassword)...)
	p.Stderr = &p.log
	lines := make(chan []byte, 1)
	p.Stdout = &firstLine{lines: lines}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.Wait() // the state is read where it matters
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	if !announces {
		return p
	}
	select {
	case line := <-lines:
		if err := json.Unmarshal(line, &p.ready); err != nil {
			t.Fatalf("the line for programs: %q: %v", line, err)
		}
	case <-p.ended:
		t.Fatalf("%s ended: %v\n%s", filepath.Base(program), p.ProcessState, p.log.String())
	case <-time.After(2 * time.Minute):
		t.Fatalf("%s did not start\n%s", filepath.Base(program), p.log.String())
	}
	return p
}

// firstLine passes the first line on.
type firstLine struct {
	text  bytes.Buffer
	lines chan<- []byte
	done  bool
}

func (w *firstLine) Write(p []byte) (int, error) {
	w.text.Write(p)
	if i := bytes.IndexByte(w.text.Bytes(), '\n'); i >= 0 && !w.done {
		w.done = true
		w.lines <- slices.Clone(w.text.Bytes()[:i])
	}
	return len(p), nil
}

// kill is kill -9; the process is gone when it returns.
func (p *process) kill() {
	_ = p.Process.Kill()
	<-p.ended
}

// wait waits for an orderly end and answers the exit status.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(3 * time.Minute):
		t.Fatalf("%s does not end\n%s", p.Path, p.log.String())
	}
	return p.ProcessState.ExitCode()
}

// connect is a client of the process.
func (p *process) connect(t *testing.T) *running {
	t.Helper()
	conn, err := grpc.NewClient(p.ready.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &running{t: t, grpc: p.ready.GRPC, http: p.ready.HTTP, conn: conn}
}

// journal is what a client must not lose: what it sent, and what of that was acknowledged.
type journal struct {
	mu    sync.Mutex
	sent  map[string]*pb.SealedRating
	unit  map[string]string // of what was sent
	acked map[string]bool
	count atomic.Int64 // of acknowledgements
}

func newJournal() *journal {
	return &journal{sent: map[string]*pb.SealedRating{}, unit: map[string]string{}, acked: map[string]bool{}}
}

// write makes n ratings of the unit and keeps them before they are sent.
func (j *journal) write(t *testing.T, unit string, n int) []*pb.SealedRating {
	j.mu.Lock()
	defer j.mu.Unlock()
	items := make([]*pb.SealedRating, n)
	for i := range items {
		r := freshRating(unit, int32(1+len(j.sent)%5)) //nolint:gosec // 1 to 5
		items[i] = seal(t, r)
		j.sent[r.GetId()], j.unit[r.GetId()] = items[i], unit
	}
	return items
}

func (j *journal) acknowledge(outcome *pb.ItemOutcome) error {
	if outcome.GetOutcome() != stored && outcome.GetOutcome() != duplicate {
		return fmt.Errorf("a good rating was answered %v", outcome)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.acked[outcome.GetRatingId()] = true
	j.count.Add(1)
	return nil
}

// counts are how many ratings of each unit were sent.
func (j *journal) counts() map[string]uint32 {
	j.mu.Lock()
	defer j.mu.Unlock()
	counts := map[string]uint32{}
	for _, unit := range j.unit {
		counts[unit]++
	}
	return counts
}

// sendUntilKilled sends batches, in calls or in a stream, until the server is gone.
func sendUntilKilled(ctx context.Context, s *running, j *journal, units []string, batch int, stream bool) error {
	send := func(items []*pb.SealedRating) ([]*pb.ItemOutcome, error) {
		response, err := s.ratings().SubmitRatings(ctx, &pb.SubmitRatingsRequest{Items: items})
		return response.GetOutcomes(), err
	}
	if stream {
		open, err := s.ratings().StreamRatings(ctx)
		if err != nil {
			return err
		}
		send = func(items []*pb.SealedRating) (outcomes []*pb.ItemOutcome, err error) {
			if err := open.Send(&pb.StreamRatingsRequest{Items: items}); err != nil {
				_, err = open.Recv() // tells why
				return nil, err
			}
			for range items {
				answer, err := open.Recv()
				if err != nil {
					return outcomes, err
				}
				outcomes = append(outcomes, answer.GetOutcome())
			}
			return outcomes, nil
		}
	}
	for i := 0; ; i++ {
		outcomes, err := send(j.write(s.t, units[i%len(units)], batch))
		for _, outcome := range outcomes {
			if err := j.acknowledge(outcome); err != nil {
				return err
			}
		}
		if status.Code(err) == codes.Unavailable {
			return nil
		}
		if err != nil {
			return fmt.Errorf("killed, the server answered %w", err)
		}
	}
}

// resend sends everything of the journal again: what was acknowledged must be there, what was not may be.
func resend(ctx context.Context, s *running, j *journal) {
	s.t.Helper()
	known, lost := 0, 0
	var batch []*pb.SealedRating
	flush := func() {
		for _, outcome := range s.submit(ctx, batch...) {
			if j.acked[outcome.GetRatingId()] {
				if known++; outcome.GetOutcome() != duplicate {
					lost++
				}
			}
			if err := j.acknowledge(outcome); err != nil {
				s.t.Error(err)
			}
		}
		batch = nil
	}
	for _, item := range j.sent {
		if batch = append(batch, item); len(batch) == 1000 {
			flush()
		}
	}
	flush()
	if lost > 0 {
		s.t.Errorf("%d of %d acknowledged ratings were lost", lost, known)
	}
}
