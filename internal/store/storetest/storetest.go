// Package storetest is the contract of the store port, as tests. An engine is accepted when Run passes against it.
//
// An engine's test calls it so:
//
//	storetest.Run(t, func(t *testing.T) storetest.Reopenable {
//		folder := t.TempDir()
//		return storetest.Reopenable{Open: func(t *testing.T) store.Engine { ... open folder ... }}
//	})
package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// Reopenable is one empty store of its own that a test may open, close and open again.
type Reopenable struct {
	// Open opens the store's data; it fails the test where it cannot. Every call answers another engine on the same data. The suite
	// closes what it opened.
	Open func(t *testing.T) store.Engine
	// OneAtATime tells that two engines cannot be open on the same data, as two processes would.
	OneAtATime bool
}

// Sweeper is what an engine may offer so that a test need not wait for expired documents to vanish by themselves.
type Sweeper interface {
	Sweep(ctx context.Context) error
}

// Run runs the contract suite. open makes an empty store, for one subtest.
func Run(t *testing.T, open func(t *testing.T) Reopenable) {
	s := suite{open}
	for _, group := range []struct {
		name  string
		tests []subtest
	}{
		{"Documents", s.documents()},
		{"Contents", s.contents()},
		{"Concurrency", s.concurrency()},
		{"Indexes", s.indexes()},
		{"Paging", s.paging()},
		{"Ratings", s.ratings()},
		{"Rollups", s.rollups()},
		{"Blobs", s.blobs()},
		{"Life", s.life()},
		{"Models", s.models()},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				t.Run(test.name, test.run)
			}
		})
	}
}

type subtest struct {
	name string
	run  func(t *testing.T)
}

type suite struct{ open func(t *testing.T) Reopenable }

// fresh is an opened engine on an empty store.
func (s suite) fresh(t *testing.T) store.Engine {
	t.Helper()
	return start(t, s.open(t))
}

// start opens an engine that is closed when the test ends, if the test has not done so.
func start(t *testing.T, store Reopenable) *closable {
	t.Helper()
	engine := &closable{Engine: store.Open(t)}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return engine
}

// closable closes its engine once.
type closable struct {
	store.Engine
	once sync.Once
	err  error
}

func (c *closable) Close() error {
	c.once.Do(func() { c.err = c.Engine.Close() })
	return c.err
}

// sweep lets the engine remove what has expired, if it can.
func sweep(t *testing.T, engine store.Engine) (could bool) {
	t.Helper()
	if c, ok := engine.(*closable); ok {
		engine = c.Engine
	}
	sweeper, could := engine.(Sweeper)
	if could {
		must(t, sweeper.Sweep(t.Context()))
	}
	return could
}

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want checks for an error by errors.Is; nil wants none.
func want(t tester, err, wanted error) {
	t.Helper()
	if !errors.Is(err, wanted) {
		t.Fatalf("got error %v, want %v", err, wanted)
	}
}

// together runs n functions at the same time, starting them at once.
func together(n int, run func(i int) error) error {
	var group sync.WaitGroup
	gate := make(chan struct{})
	failures := make([]error, n)
	for i := range n {
		group.Go(func() {
			<-gate
			failures[i] = run(i)
		})
	}
	close(gate)
	group.Wait()
	return errors.Join(failures...)
}

// eventually waits until what must come true does.
func eventually(t *testing.T, within time.Duration, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); ; {
		if check() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// note is the suite's kind of document.
type note struct {
	ID    string    `bson:"_id"`
	Name  string    `bson:"name,omitempty"`
	Group string    `bson:"group,omitempty"`
	N     *int64    `bson:"n,omitempty"`
	At    time.Time `bson:"at,omitempty"`
	Tags  []string  `bson:"tags,omitempty"`
	Open  bool      `bson:"open,omitempty"`
	Place place     `bson:"place,omitempty"`
	Text  string    `bson:"text,omitempty"`
}

type place struct {
	Code string `bson:"code,omitempty"`
}

// IsZero leaves an empty place out of the body.
func (p place) IsZero() bool { return p == place{} }

func number(n int64) *int64 { return &n }

// notes opens the suite's kind.
func notes(t *testing.T, engine store.Engine, indexes ...store.Index) store.Docs[note] {
	t.Helper()
	docs, err := store.Define[note]("notes", indexes...).Open(t.Context(), engine)
	must(t, err)
	return docs
}

// ids reads the ids a query finds, in order.
func ids(t tester, docs store.Docs[note], query store.Query) []string {
	t.Helper()
	found := []string{}
	for doc, err := range docs.Find(context.Background(), query) {
		must(t, err)
		if found = append(found, doc.Value.ID); len(found) > 100_000 {
			t.Fatalf("%+v goes on for ever: %v", query, found[:10])
		}
	}
	return found
}

func body(t tester, value any) []byte {
	t.Helper()
	raw, err := bson.Marshal(value)
	must(t, err)
	return raw
}

func name(format string, args ...any) string { return fmt.Sprintf(format, args...) }
