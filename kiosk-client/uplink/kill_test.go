package uplink_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// The test binary starts itself again, with these variables naming a state folder and a server, to be a kiosk that can be killed.
const (
	childFolder = "HAILONG_UPLINK_TEST_CHILD"
	childServer = "HAILONG_UPLINK_TEST_SERVER"
)

// beKilled gives ratings for ever through a running uplink, and prints the id of each first touch that was kept.
func beKilled() error {
	ctx := context.Background()
	j, err := journal.Open(ctx, os.Getenv(childFolder), journal.Options{})
	if err != nil {
		return err
	}
	up, err := uplink.New(ctx, uplink.Options{Journal: j, Server: os.Getenv(childServer), BatchItems: 5, MachineID: "m"})
	if err != nil {
		return err
	}
	go func() { _ = up.Run(ctx) }()
	for n := 0; ; n++ {
		id, err := j.Begin(ctx, journal.Start{UnitID: "U", QuestionnaireID: "kiosk", QuestionnaireVersion: 1, Answers: journal.Answers{OverallScore: 5}})
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(os.Stdout, id)
		if n%3 == 0 {
			err = errors.Join(j.Change(ctx, id, journal.Answers{OverallScore: 1}), j.Confirm(ctx, id, &pb.Private{Comment: "Chờ lâu"}))
		}
		if err := errors.Join(err, j.Seal(ctx, id)); err != nil {
			return err
		}
		up.Wake()
	}
}

func TestNothingIsLostOrDoubledOverKill9(t *testing.T) {
	rounds := 10
	if os.Getenv("HAILONG_LONG") != "" {
		rounds = 300
	}
	o := newOffice(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterDeviceServiceServer(server, o)
	pb.RegisterRatingServiceServer(server, o)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() { server.Stop(); serving.Wait() })
	folder := filepath.Join(t.TempDir(), "state")
	_, code := o.make()
	j := open(t, o, folder)
	if err := uplink.NewCalls(j, o.connection, o.manual).Enroll(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 8)) //nolint:gosec // where it is killed
	var touched []string
	for range rounds {
		touched = append(touched, killed(t, o, folder, "http://"+listener.Addr().String(), rng)...)
	}
	o.mu.Lock()
	o.after = nil
	o.mu.Unlock()
	// What is left goes out, and journal and store are compared.
	j = open(t, o, folder)
	batches, err := drained(t, j, uplink.NewCalls(j, o.connection, o.manual))
	if err != nil {
		t.Fatal(err)
	}
	stored, sequences := o.ratings(), map[uint64]string{}
	for id, encoded := range stored {
		r := &pb.Rating{}
		if err := proto.Unmarshal(encoded, r); err != nil || r.GetId() != id {
			t.Fatal(err)
		}
		if other := sequences[r.GetDeviceSequence()]; other != "" {
			t.Errorf("sequence %d was given to %s and %s", r.GetDeviceSequence(), other, id)
		}
		sequences[r.GetDeviceSequence()] = id
	}
	for _, id := range touched {
		if stored[id] == nil {
			t.Errorf("touched and lost: %s", id)
		}
	}
	// One more a kill at most was kept and not told any more.
	if given := int(j.NextSequence() - 1); len(stored) != given || given < len(touched) || given > len(touched)+rounds {
		t.Errorf("%d stored, %d sealed, %d touched", len(stored), given, len(touched))
	}
	if through, err := o.devices.StoredThrough(t.Context(), j.ID()); err != nil || through != j.NextSequence()-1 {
		t.Errorf("stored through %d of %d, %v", through, j.NextSequence()-1, err)
	}
	t.Logf("%d touches over %d kills, %d batches left at the end: 0 lost, 0 doubled", len(touched), rounds, batches)
}

// drained sends what is queued with plain calls.
func drained(t *testing.T, j *journal.Journal, calls *uplink.Calls) (batches int, err error) {
	for ; ; batches++ {
		batch, err := j.Pending(t.Context(), 0, 10, 4<<10)
		if err != nil || len(batch.Items) == 0 {
			return batches, err
		}
		outcomes, err := calls.Submit(t.Context(), batch)
		if err != nil {
			return batches, err
		}
		for _, outcome := range outcomes {
			if o := outcome.GetOutcome(); o != pb.Outcome_OUTCOME_STORED && o != pb.Outcome_OUTCOME_DUPLICATE {
				return batches, fmt.Errorf("%v", outcome)
			}
		}
		if err := j.Acknowledge(t.Context(), batch.First, batch.Last(), time.Time{}); err != nil {
			return batches, err
		}
	}
}

// killed runs a kiosk and kills it: after some touches, or between the server's storing of an item and its answer.
func killed(t *testing.T, o *office, folder, server string, rng *rand.Rand) (touched []string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childFolder+"="+folder, childServer+"="+server)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() { _ = child.Process.Kill() })
	watchdog := time.AfterFunc(time.Minute, kill)
	defer watchdog.Stop()
	lines, answers := 1+rng.IntN(40), 0
	if rng.IntN(2) == 0 {
		lines, answers = 1<<30, 1+rng.IntN(30)
	}
	o.mu.Lock()
	o.judged = 0
	o.after = func(n int) error {
		if n == answers {
			kill()
		}
		return nil
	}
	o.mu.Unlock()
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		touched = append(touched, strings.TrimSpace(scanner.Text()))
		if len(touched) == lines {
			kill() // SIGKILL; what it still printed is read on
		}
	}
	err = child.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the child was not killed but ended: %v", err)
	}
	return touched
}
