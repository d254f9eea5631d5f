package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

// The test binary starts itself again, with this variable naming a data folder, to be a process that can be killed.
const childFolder = "HAILONG_SQLITE_TEST_CHILD"

func TestMain(m *testing.M) {
	if folder := os.Getenv(childFolder); folder != "" {
		if err := writeForEver(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func memos(ctx context.Context, e *Engine) (store.Docs[memo], error) {
	return store.Define[memo]("memos", store.Index{Name: "name", Fields: []string{"name"}, Unique: true}).Open(ctx, e)
}

// writeForEver prints the id of everything that was acknowledged, one a line, only after it was.
func writeForEver(folder string) error {
	ctx := context.Background()
	e, err := Open(ctx, folder, Options{})
	if err != nil {
		return err
	}
	docs, err := memos(ctx, e)
	if err != nil {
		return err
	}
	var lock sync.Mutex
	acknowledge := func(kind, id string) {
		lock.Lock()
		defer lock.Unlock()
		_, _ = fmt.Fprintln(os.Stdout, kind, id)
	}
	failed := make(chan error)
	for worker := range 8 {
		go func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), worker, n)
				batch := []rating.Record{testRecord(id), testRecord(id + "b")}
				if _, err := e.Ratings().Append(ctx, batch); err != nil {
					failed <- err
					return
				}
				acknowledge("rating", id)
				acknowledge("rating", id+"b")
				if err := docs.Insert(ctx, memo{ID: id, Name: id}); err != nil {
					failed <- err
					return
				}
				acknowledge("memo", id)
				key := tally.LeafKey{Unit: id, Day: "2026-11-22", Channel: 1, Questionnaire: "kiosk", QVersion: 3}
				if err := e.Rollups().Raise(ctx, []tally.HourCell{{Leaf: key, Hour: 9, Cell: tally.Cell{Version: tally.Version{Seen: 1}}}}); err != nil {
					failed <- err
					return
				}
				acknowledge("leaf", id)
			}
		}()
	}
	return <-failed
}

// killed runs a child until it has acknowledged some writes, kills it, and answers them.
func killed(t *testing.T, folder string, lines int) (acknowledged []string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childFolder+"="+folder)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(time.Minute, func() { _ = child.Process.Kill() })
	defer watchdog.Stop()
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		acknowledged = append(acknowledged, scanner.Text())
		if len(acknowledged) == lines {
			if err := child.Process.Kill(); err != nil { // SIGKILL; what it still printed is read on
				t.Fatal(err)
			}
		}
	}
	err = child.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the child was not killed but ended: %v", err)
	}
	return acknowledged
}

func TestNothingAcknowledgedIsLostOverKill9(t *testing.T) {
	folder := t.TempDir()
	var acknowledged []string
	for round := range 3 {
		acknowledged = append(acknowledged, killed(t, folder, 150+100*round)...)
	}
	e := open(t, folder, Options{})
	docs, err := memos(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	check := func(line string) error {
		kind, id, _ := strings.Cut(line, " ")
		switch kind {
		case "rating":
			_, err := e.Ratings().Get(t.Context(), testRecord(id).ID)
			return err
		case "memo":
			_, err := docs.First(t.Context(), store.Query{Index: "name", Equal: []any{id}})
			return err
		default:
			for leaf, err := range e.Rollups().Leaves(t.Context(), id, "2026-11-22", "2026-11-22") {
				if err != nil || leaf.Hours[9].Seen != 1 {
					return fmt.Errorf("%v, %w", leaf, err)
				}
				return nil
			}
			return store.ErrNotFound
		}
	}
	for _, line := range acknowledged {
		if err := check(line); err != nil {
			t.Errorf("acknowledged and lost: %s: %v", line, err)
		}
	}
	// The index and the documents agree.
	var loose int
	if err := e.read.QueryRow("SELECT (SELECT count(*) FROM memos) - (SELECT count(*) FROM entries)").Scan(&loose); err != nil || loose != 0 {
		t.Errorf("%d documents more than entries, %v", loose, err)
	}
	var sound string
	if err := e.read.QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("integrity: %s, %v", sound, err)
	}
	t.Logf("%d writes acknowledged over three kills, all there", len(acknowledged))
}

func TestAnotherProcessWritesTheSameFileAndIsKilled(t *testing.T) {
	folder := t.TempDir()
	e := open(t, folder, Options{})
	docs, err := memos(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	finished := make(chan struct{})
	written := make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-finished:
				written <- n
				return
			default:
			}
			if err := docs.Insert(context.Background(), memo{ID: fmt.Sprint("ours ", n), Name: fmt.Sprint("ours ", n)}); err != nil {
				t.Errorf("beside another process: %v", err)
				close(written)
				return
			}
		}
	}()
	theirs := killed(t, folder, 200)
	close(finished)
	ours := <-written
	if ours == 0 {
		t.Error("the other process left no room")
	}
	for _, line := range theirs {
		if kind, id, _ := strings.Cut(line, " "); kind == "memo" {
			if _, _, err := docs.Get(t.Context(), id); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
	if err := docs.Insert(t.Context(), memo{ID: "after"}); err != nil {
		t.Errorf("after the kill: %v", err)
	}
	t.Logf("%d writes of ours beside %d of another process", ours, len(theirs))
}
