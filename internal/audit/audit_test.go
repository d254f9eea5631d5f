package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func onEngines(t *testing.T, test func(t *testing.T, engine store.Engine)) {
	t.Run("sqlite", func(t *testing.T) { test(t, embedded(t)) })
	t.Run("mongodb", func(t *testing.T) {
		engine, err := mongodb.Open(t.Context(), testengine.WithDatabase(testengine.MongoDB(t)), mongodb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = engine.Close() })
		test(t, engine)
	})
}

func embedded(t *testing.T) store.Engine {
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return engine
}

func opened(t *testing.T, engine store.Engine, options Options) *Audit {
	t.Helper()
	a, err := Open(t.Context(), engine, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// listed are the subjects of a query, newest first, through all pages.
func listed(t *testing.T, a *Audit, ask Query, show func(Entry) bool) []string {
	t.Helper()
	var subjects []string
	for pages := 0; pages == 0 || ask.After != ""; pages++ {
		entries, next, err := a.List(t.Context(), ask, show)
		if err != nil || pages > 1000 {
			t.Fatal(pages, err)
		}
		for _, entry := range entries {
			subjects = append(subjects, entry.Subject)
		}
		ask.After = next
	}
	return subjects
}

func TestEntriesAreListed(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		now := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
		a := opened(t, engine, Options{Now: func() time.Time { now = now.Add(time.Second); return now }})
		for i := range 6 {
			a.Add(t.Context(), Entry{Account: "a" + fmt.Sprint(i%2), Action: "Do" + fmt.Sprint(i%3), Unit: "u" + fmt.Sprint(i%2), Subject: fmt.Sprint(i), Outcome: "OK"})
		}
		for _, c := range []struct {
			name string
			ask  Query
			show func(Entry) bool
			want string
		}{
			{"all", Query{}, nil, "[5 4 3 2 1 0]"},
			{"by account", Query{Account: "a1"}, nil, "[5 3 1]"},
			{"by action", Query{Action: "Do0"}, nil, "[3 0]"},
			{"by both", Query{Account: "a0", Action: "Do1"}, nil, "[4]"},
			{"by nobody", Query{Account: "a9"}, nil, "[]"},
			{"of a subtree", Query{}, func(e Entry) bool { return e.Unit == "u0" }, "[4 2 0]"},
		} {
			for _, size := range []int{1, 2, 100} {
				c.ask.Size = size
				if got := fmt.Sprint(listed(t, a, c.ask, c.show)); got != c.want {
					t.Errorf("%s, %d a page: %s, want %s", c.name, size, got, c.want)
				}
			}
		}
		if _, _, err := a.List(t.Context(), Query{Size: 5, After: "nonsense"}, nil); fault.Of(err).Reason != "audit_page_invalid" {
			t.Errorf("a page that is none: %v", err)
		}
	})
}

// Nobody changes or removes an entry: the engine refuses it, and the package has no method that could try.
func TestEntriesStay(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		a := opened(t, engine, Options{})
		a.Add(t.Context(), Entry{Subject: "first"})
		doc, err := a.entries.First(t.Context(), store.Query{Index: "time"})
		if err != nil {
			t.Fatal(err)
		}
		doc.Value.Subject = "other"
		if _, err := a.entries.Replace(t.Context(), doc.Value.ID, doc.Value, doc.Version); !errors.Is(err, store.ErrAppendOnly) {
			t.Errorf("changed: %v", err)
		}
		if err := a.entries.Delete(t.Context(), doc.Value.ID, doc.Version); !errors.Is(err, store.ErrAppendOnly) {
			t.Errorf("removed: %v", err)
		}
		if got := listed(t, a, Query{Size: 10}, nil); fmt.Sprint(got) != "[first]" {
			t.Errorf("it says %v", got)
		}
	})
	var methods []string
	for i := range reflect.TypeFor[*Audit]().NumMethod() {
		methods = append(methods, reflect.TypeFor[*Audit]().Method(i).Name)
	}
	if fmt.Sprint(methods) != "[Add AddLater Close List]" {
		t.Errorf("methods are %v", methods)
	}
}

// flaky is a real engine that is away now and then.
type flaky struct {
	store.Engine
	away atomic.Bool
	hung atomic.Bool
}

type flakyDocuments struct {
	store.Documents
	engine *flaky
}

func (e *flaky) Documents(ctx context.Context, kind store.Kind) (store.Documents, error) {
	documents, err := e.Engine.Documents(ctx, kind)
	return flakyDocuments{documents, e}, err
}

func (d flakyDocuments) Insert(ctx context.Context, bodies ...[]byte) ([]error, error) {
	if d.engine.hung.Load() {
		<-ctx.Done()
		return nil, fmt.Errorf("%w: %w", store.ErrUnavailable, ctx.Err())
	}
	if d.engine.away.Load() {
		return nil, store.ErrUnavailable
	}
	return d.Documents.Insert(ctx, bodies...)
}

// text is a log that several goroutines write.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *text) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *text) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestStoreAway(t *testing.T) {
	engine := &flaky{Engine: embedded(t)}
	var log text
	a := opened(t, engine, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	engine.away.Store(true)
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprint(i))
		if i%2 == 0 {
			a.Add(t.Context(), Entry{Subject: fmt.Sprint(i)})
		} else {
			a.AddLater(Entry{Subject: fmt.Sprint(i)})
		}
	}
	if got := listed(t, a, Query{Size: 100}, nil); len(got) != 0 {
		t.Errorf("before it is back: %v", got)
	}
	engine.away.Store(false)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got := listed(t, a, Query{Size: 100}, nil)
		slices.Sort(got)
		slices.Sort(want)
		if slices.Equal(got, want) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("when it is back: %v\n%s", got, log.String())
		}
	}

	engine.hung.Store(true)
	gone, cancel := context.WithCancel(t.Context())
	cancel() // the caller has gone; the entry is written all the same
	began := time.Now()
	a.Add(gone, Entry{Subject: "late"})
	if took := time.Since(began); took > writeWithin+time.Second {
		t.Errorf("an answer waited %v for its entry", took)
	}
	engine.hung.Store(false)
	a.Close()
	if got := listed(t, a, Query{Size: 100}, nil); !slices.Contains(got, "late") {
		t.Errorf("closed: %v", got)
	}
}

func TestNoRoom(t *testing.T) {
	engine := &flaky{Engine: embedded(t)}
	engine.away.Store(true)
	var log text
	a := opened(t, engine, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for i := range maxWaiting + 3 {
		a.AddLater(Entry{Subject: fmt.Sprint("thing ", i)})
	}
	a.mu.Lock()
	waiting := len(a.waiting)
	a.mu.Unlock()
	if waiting > maxWaiting {
		t.Errorf("%d wait", waiting)
	}
	if !strings.Contains(log.String(), fmt.Sprint("thing ", maxWaiting+2)) {
		t.Error("what found no room is not in the log")
	}
	engine.away.Store(false)
}

func TestLongTexts(t *testing.T) {
	a := opened(t, embedded(t), Options{})
	a.Add(t.Context(), Entry{Subject: strings.Repeat("ạ", 1000)})
	if got := listed(t, a, Query{Size: 1}, nil); len(got[0]) > maxText+3 || !strings.HasSuffix(got[0], "ạ…") {
		t.Errorf("%d bytes: %q", len(got[0]), got[0])
	}
}
