package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
)

// hold keeps the writer busy until the answer is called, so that what is sent meanwhile becomes one group.
func hold(t *testing.T, e *Engine) (release func()) {
	t.Helper()
	begun, gate, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- e.writer.do(context.Background(), 0, func(*tx) error {
			close(begun)
			<-gate
			return nil
		})
	}()
	<-begun
	return func() {
		close(gate)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func waiting(t *testing.T, e *Engine, calls int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(e.writer.queue) < calls; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d calls wait", len(e.writer.queue), calls)
		}
	}
}

func put(key string) func(*tx) error {
	return func(t *tx) error {
		_, err := t.exec("INSERT INTO meta (key, value) VALUES (?, '')", key)
		return err
	}
}

func kept(t *testing.T, e *Engine, key string) bool {
	t.Helper()
	found, err := e.strings(t.Context(), "SELECT key FROM meta WHERE key = ?", key)
	if err != nil {
		t.Fatal(err)
	}
	return len(found) == 1
}

func TestOneCallsFailureIsItsOwn(t *testing.T) {
	e := open(t, t.TempDir(), Options{})
	release := hold(t, e)
	var group sync.WaitGroup
	answers := make([]error, 21)
	for i := range answers {
		group.Go(func() {
			key := fmt.Sprint(i)
			if i == 20 {
				key = "5" // this or the other 5 fails
			}
			answers[i] = e.writer.do(t.Context(), 0, put(key))
		})
	}
	waiting(t, e, len(answers))
	release()
	group.Wait()
	failed := 0
	for i, err := range answers {
		switch {
		case err != nil && (i == 5 || i == 20) && errors.Is(err, store.ErrUnavailable):
			failed++
		case err != nil:
			t.Errorf("call %d: %v", i, err)
		}
		if i < 20 && !kept(t, e, fmt.Sprint(i)) {
			t.Errorf("call %d did not land", i)
		}
	}
	if failed != 1 {
		t.Errorf("%d failed", failed)
	}
}

func TestCallersWhoGaveUp(t *testing.T) {
	e := open(t, t.TempDir(), Options{})
	release := hold(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() { answer <- e.writer.do(ctx, 0, put("given up")) }()
	waiting(t, e, 1)
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) { // answered at once, though the writer is held
		t.Errorf("%v", err)
	}
	release()
	if err := e.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept(t, e, "given up") {
		t.Error("it was given up before its turn, and landed")
	}
}

func TestAFullQueueKeepsToTheContext(t *testing.T) {
	e := open(t, t.TempDir(), Options{})
	release := hold(t, e)
	var group sync.WaitGroup
	for i := range queueLength {
		group.Go(func() {
			if err := e.writer.do(context.Background(), 0, put(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	waiting(t, e, queueLength)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := e.writer.do(ctx, 0, put("one too many")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	release()
	group.Wait()
}

func TestAFullDisk(t *testing.T) {
	folder := t.TempDir()
	e := open(t, folder, Options{})
	docs, err := store.Define[memo]("memos").Open(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		if err := e.writer.do(t.Context(), 0, func(t *tx) error { return t.define(fmt.Sprintf("PRAGMA max_page_count = %d", pages)) }); err != nil {
			t.Fatal(err)
		}
	}
	limit(60)
	large := string(make([]byte, 100_000))
	var full error
	acknowledged := 0
	for i := 0; full == nil && i < 100; i++ {
		if full = docs.Insert(t.Context(), memo{ID: fmt.Sprint(i), Name: large}); full == nil {
			acknowledged++
		}
	}
	if !errors.Is(full, store.ErrUnavailable) {
		t.Fatalf("%v", full)
	}
	limit(1 << 20)
	if err := docs.Insert(t.Context(), memo{ID: "after", Name: large}); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
	count := 0
	for _, err := range docs.Find(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != acknowledged+1 {
		t.Errorf("%d documents, %d were acknowledged", count, acknowledged+1)
	}
}

func TestAnotherProcessHoldsTheLock(t *testing.T) {
	folder := t.TempDir()
	e := open(t, folder, Options{})
	other := raw(t, folder)
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	answer := make(chan error, 1)
	go func() { answer <- e.Ping(context.Background()) }()
	select {
	case err := <-answer:
		t.Fatalf("written past the other's lock: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if _, err := e.Ratings().Get(t.Context(), "26/u/1"); !errors.Is(err, store.ErrNotFound) { // readers do not wait
		t.Error(err)
	}
	if _, err := other.ExecContext(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; err != nil {
		t.Error(err)
	}
}

func TestTwoBusyEnginesShareTheFile(t *testing.T) {
	folder := t.TempDir()
	engines := []*Engine{open(t, folder, Options{}), open(t, folder, Options{})}
	const callers, each = 8, 15
	var group sync.WaitGroup
	slowest := make([]time.Duration, len(engines)*callers)
	for n := range slowest {
		group.Go(func() {
			for i := range each {
				start := time.Now()
				appended, err := engines[n%2].Ratings().Append(context.Background(), []rating.Record{testRecord(fmt.Sprintf("%d-%d", n, i))})
				if err != nil || !appended[0].Stored {
					t.Errorf("%+v, %v", appended, err)
					return
				}
				slowest[n] = max(slowest[n], time.Since(start))
			}
		})
	}
	group.Wait()
	for n, took := range slowest {
		if took > 5*time.Second {
			t.Errorf("a call of engine %d waited %v", n%2, took)
		}
	}
	records, err := engines[0].Ratings().Cell(t.Context(), testRecord("").Cell)
	if err != nil || len(records) != len(slowest)*each {
		t.Errorf("%d records of %d, %v", len(records), len(slowest)*each, err)
	}
}

func TestTheLogIsKeptShortUnderReaders(t *testing.T) {
	folder := t.TempDir()
	e := open(t, folder, Options{})
	size := func() int64 {
		info, err := os.Stat(filepath.Join(folder, FileName+"-wal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	const limit = 1 << 20
	if err := e.writer.do(t.Context(), 0, func(t *tx) error {
		t.w.wal.limit = limit
		return t.define("PRAGMA wal_autocheckpoint = 0") // as if readers never left SQLite the moment
	}); err != nil {
		t.Fatal(err)
	}
	docs, err := store.Define[memo]("memos").Open(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	large := string(make([]byte, 50_000))
	for i := range 3 * walGroups {
		if err := docs.Insert(t.Context(), memo{ID: fmt.Sprint(i), Name: large}); err != nil {
			t.Fatal(err)
		}
	}
	if got := size(); got > 2*walGroups*int64(len(large)) {
		t.Errorf("the log has %d bytes", got)
	}
}
