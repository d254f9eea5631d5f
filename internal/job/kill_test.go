package job

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
)

// doomed says where this program, run again by TestKill, works until it is killed: a folder or the address of a MongoDB.
const doomed = "HAILONG_JOB_DOOMED"

// openAt opens the store that two processes share.
func openAt(ctx context.Context, place string) (store.Engine, error) {
	if strings.HasPrefix(place, "mongodb") {
		return mongodb.Open(ctx, place, mongodb.Options{})
	}
	return sqlite.Open(ctx, place, sqlite.Options{})
}

// workUntilKilled starts a job, tells its id once half of it is kept, and goes on for ever.
func workUntilKilled(place string) error {
	ctx := context.Background()
	engine, err := openAt(ctx, place)
	if err != nil {
		return err
	}
	r, err := Open(ctx, engine, Options{Every: 10 * time.Millisecond, Kinds: map[string]Work{"w": func(ctx context.Context, run *Run) error {
		run.Progress(1, 2)
		<-ctx.Done()
		return ctx.Err()
	}}})
	if err != nil {
		return err
	}
	j, err := r.Start(ctx, New{Kind: "w", Subject: "tệp.csv", Input: []byte("dữ liệu"), By: By{Name: "an"}})
	if err != nil {
		return err
	}
	for j.Done == 0 {
		time.Sleep(time.Millisecond)
		if j, err = r.Get(ctx, j.ID); err != nil {
			return err
		}
	}
	fmt.Println(j.ID)
	select {}
}

// A process that is killed outright (kill -9, power) leaves a job that is shown as interrupted, with what was kept of it, and that the
// next process takes up with the input it had; people may start others meanwhile.
func TestKill(t *testing.T) {
	for name, place := range map[string]func(t *testing.T) string{
		"sqlite":  func(t *testing.T) string { return t.TempDir() },
		"mongodb": func(t *testing.T) string { return testengine.WithDatabase(testengine.MongoDB(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			at := place(t)
			id := killed(t, at)
			engine, err := openAt(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = engine.Close() })
			var now clock
			read := make(chan string, 2)
			r := process(t, engine, now.Now, map[string]Work{"w": func(ctx context.Context, run *Run) error {
				input, err := run.Input(ctx)
				run.Progress(2, 2)
				read <- fmt.Sprintf("%s, taken up %d times", input, run.Attempt)
				return err
			}})
			now.move(31 * time.Second) // without a sign
			if j, err := r.Get(t.Context(), id); err != nil || j.State != Interrupted || j.Done != 1 || j.Total != 2 {
				t.Fatalf("after the kill: %+v, %v", j, err)
			}
			if listed, _, err := r.List(t.Context(), 10, ""); err != nil || len(listed) != 1 || listed[0].State != Interrupted {
				t.Errorf("listed: %+v, %v", listed, err)
			}
			until(t, r, begin(t, r, "w").ID, "done", in(Done))
			if got := <-read; got != "dữ liệu, taken up 1 times" {
				t.Errorf("another job: %s", got)
			}
			if err := r.takeUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			j := until(t, r, id, "done", in(Done))
			r.Close() // what it worked on is removed a moment after its end is kept
			if got := <-read; got != "dữ liệu, taken up 2 times" || j.Done != 2 || kept(t, engine, j) {
				t.Errorf("%s: %+v", got, j)
			}
		})
	}
}

// killed runs this program until its job is half done, kills it, and answers the job's id.
func killed(t *testing.T, place string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self) //nolint:gosec // this very program
	child.Env = append(os.Environ(), doomed+"="+place)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	killErr := child.Process.Kill()
	_ = child.Wait() // it was killed
	if err != nil || killErr != nil {
		t.Fatalf("the other process said %q: %v, %v", line, err, killErr)
	}
	return strings.TrimSpace(line)
}
