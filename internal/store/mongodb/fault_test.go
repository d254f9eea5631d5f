package mongodb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/testengine"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestAcknowledgedSurvivesKill kills the one node while many write, starts it again, and looks for what was
// acknowledged. Writers repeat what failed, as intake's callers do.
func TestAcknowledgedSurvivesKill(t *testing.T) {
	if testing.Short() {
		t.Skip("kills and restarts a server; run without -short")
	}
	set := testengine.StartMongoDB(t, 1)
	survives(t, set, func() {
		node := set.Nodes[0]
		for range 2 {
			node.Kill()
			if err := node.Start(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestAcknowledgedSurvivesChangeOfPrimary kills the primary of three.
func TestAcknowledgedSurvivesChangeOfPrimary(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three servers and kills one; run without -short")
	}
	set := testengine.StartMongoDB(t, 3)
	survives(t, set, func() {
		primary, err := set.Primary(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		primary.Kill()
	})
}

func survives(t *testing.T, set *testengine.ReplicaSet, disturb func()) {
	engine, err := mongodb.Open(t.Context(), set.URI, mongodb.Options{Database: "faults", Timeout: 8 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	documents, err := engine.Documents(t.Context(), journal)
	if err != nil {
		t.Fatal(err)
	}
	const writers = 16
	var stored, again, failed atomic.Int64
	acknowledged := make([][]string, writers)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprintf("%02d-%06d", w, n)
				record := aRating(id)
				body, err := bson.Marshal(bson.D{{Key: "_id", Value: record.ID}, {Key: "n", Value: n}})
				if err != nil {
					t.Error(err)
					return
				}
				for ctx.Err() == nil {
					appended, err := engine.Ratings().Append(ctx, []rating.Record{record})
					var errs []error
					if err == nil {
						errs, err = documents.Insert(ctx, body)
					}
					if err != nil {
						if !errors.Is(err, store.ErrUnavailable) {
							t.Errorf("a failure of the engine that does not say so: %v", err)
							return
						}
						failed.Add(1)
						continue
					}
					if errs[0] != nil && !errors.Is(errs[0], store.ErrExists) {
						t.Error(errs[0])
						return
					}
					if appended[0].Stored {
						stored.Add(1)
					} else {
						again.Add(1) // an earlier try of ours landed
					}
					acknowledged[w] = append(acknowledged[w], record.ID)
					break
				}
			}
		})
	}
	until := func(what string, check func() bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !check(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("not within a minute: %s", what)
			}
		}
	}
	until("1,000 records are stored", func() bool { return stored.Load() > 1000 })
	disturb()
	reached := stored.Load()
	until("another 1,000 records are stored after the fault", func() bool { return stored.Load() > reached+1000 })
	stop()
	group.Wait()

	ids := map[string]bool{}
	for record, err := range engine.Ratings().Scan(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		ids[record.ID] = true
	}
	inserted := map[string]bool{}
	for item, err := range documents.Find(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		inserted[item.ID] = true
	}
	all := slices.Concat(acknowledged...)
	for _, id := range all {
		if !ids[id] || !inserted[id] {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	t.Logf("%d acknowledged, all found; %d calls failed meanwhile, %d had landed all the same", len(all), failed.Load(), again.Load())
}

// TestServerThatDoesNotAnswer freezes the server: calls end, and go on working when it is back.
func TestServerThatDoesNotAnswer(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for time-outs; run without -short")
	}
	set := testengine.StartMongoDB(t, 1)
	engine, err := mongodb.Open(t.Context(), set.URI, mongodb.Options{Database: "frozen", SelectionTimeout: time.Second, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	documents, err := engine.Documents(t.Context(), cases)
	if err != nil {
		t.Fatal(err)
	}
	insertOne(t, documents, bson.D{{Key: "_id", Value: "1"}})
	if err := set.Nodes[0].Freeze(); err != nil {
		t.Fatal(err)
	}
	calls := map[string]func() error{
		"ping": func() error { return engine.Ping(t.Context()) },
		"get":  func() error { _, err := documents.Get(t.Context(), "1"); return err },
		"append": func() error {
			_, err := engine.Ratings().Append(t.Context(), []rating.Record{aRating("1")})
			return err
		},
		"find": func() error {
			for _, err := range documents.Find(t.Context(), store.Query{}) {
				return err
			}
			return nil
		},
	}
	start := time.Now()
	var group sync.WaitGroup
	for name, call := range calls {
		group.Go(func() {
			if err := call(); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	group.Wait()
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("the calls hung for %v", took)
	}
	if err := set.Nodes[0].Thaw(); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls {
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			err := call()
			if err == nil {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s after the server is back: %v", name, err)
			}
		}
	}
}
