package mongodb

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/testengine"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// connected is an engine on an empty database, whose layout nobody has made.
func connected(t *testing.T) *Engine {
	t.Helper()
	uri, database := testengine.MongoDB(t)
	e, err := connect(uri, Options{Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.db.Drop(context.Background()); err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestMigrationsOnceAtOnce(t *testing.T) {
	e := connected(t)
	var ran [3]atomic.Int32
	var steps []migration
	for i := range ran {
		steps = append(steps, migration{i + 1, string(rune('a' + i)), func(context.Context, *mongo.Database) error {
			if i > 0 && ran[i-1].Load() == 0 {
				return errors.New("out of order")
			}
			ran[i].Add(1)
			return nil
		}})
	}
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() {
			if err := migrate(t.Context(), e.db, steps[:2], discard()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for range 2 { // a new version has one more; the old one may start again meanwhile
		for _, version := range [][]migration{steps, steps[:2]} {
			if err := migrate(t.Context(), e.db, version, discard()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range ran {
		if n := ran[i].Load(); n != 1 {
			t.Errorf("step %d ran %d times", i+1, n)
		}
	}
}

func TestMigrationThatFails(t *testing.T) {
	e := connected(t)
	fail := true
	steps := []migration{{1, "a", func(context.Context, *mongo.Database) error {
		if fail {
			return errors.New("disk full")
		}
		return nil
	}}}
	if err := migrate(t.Context(), e.db, steps, discard()); !errors.Is(err, store.ErrUnavailable) {
		t.Fatal(err)
	}
	fail = false
	if err := migrate(t.Context(), e.db, steps, discard()); err != nil {
		t.Fatalf("it should run again, and need not wait for the claim to end: %v", err)
	}
	steps[0].Name = "other"
	if err := migrate(t.Context(), e.db, steps, discard()); err == nil {
		t.Error("a database of another program was taken")
	}
}

func TestMigrationWaitsForTheClaim(t *testing.T) {
	e := connected(t)
	if mine, err := takeClaim(t.Context(), e.db.Collection(collMigrations), bson.NewObjectID()); err != nil || !mine {
		t.Fatal(mine, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err := migrate(ctx, e.db, migrations(), discard())
	if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	// The process that held it died: its claim ends by MongoDB's clock.
	if _, err := e.db.Collection(collMigrations).UpdateByID(t.Context(), claimID, bson.D{{Key: "$set", Value: bson.D{{Key: "until", Value: time.Unix(1, 0)}}}}); err != nil {
		t.Fatal(err)
	}
	if err := migrate(t.Context(), e.db, migrations(), discard()); err != nil {
		t.Fatal(err)
	}
}

func TestMigrationNumbers(t *testing.T) {
	for i, step := range migrations() {
		if step.Number != i+1 || step.Name == "" {
			t.Errorf("migration %d is %d %q", i+1, step.Number, step.Name)
		}
	}
}

// TestLayoutStands makes the layout twice, from several processes, and looks at what stands.
func TestLayoutStands(t *testing.T) {
	e := connected(t)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			if err := migrate(t.Context(), e.db, migrations(), discard()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, step := range migrations() { // a process may have died before it was recorded
		if err := step.Run(t.Context(), e.db); err != nil {
			t.Errorf("%s again: %v", step.Name, err)
		}
	}
	names, err := e.db.ListCollectionNames(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	wanted := []string{collBlobChunks, collBlobFiles, collFacets, collLeaves, collMigrations, collPulse, collRatings, collStrips}
	slices.Sort(wanted)
	if diff := cmp.Diff(wanted, names); diff != "" {
		t.Error(diff)
	}
}

// TestSchema tries to write into the ratings what is none.
func TestSchema(t *testing.T) {
	e := connected(t)
	if err := migrate(t.Context(), e.db, migrations(), discard()); err != nil {
		t.Fatal(err)
	}
	good := func() bson.M {
		return bson.M{
			"_id": "26/u/1", "kind": "rating", "cell": "2026-11-22/u/1/kiosk@3/09", "received_at": time.Now(), "occurred_at": time.Now(), "score": 4,
			"counted": bson.M{"unit": "u", "day": "2026-11-22", "hour": 9, "channel": 1, "questionnaire": "kiosk", "version": 3},
		}
	}
	for name, spoil := range map[string]func(bson.M){
		"id is a number":    func(m bson.M) { m["_id"] = 7 },
		"no cell":           func(m bson.M) { delete(m, "cell") },
		"empty cell":        func(m bson.M) { m["cell"] = "" },
		"no counted":        func(m bson.M) { delete(m, "counted") },
		"counted elsewhere": func(m bson.M) { delete(m["counted"].(bson.M), "unit") },
		"hour 24":           func(m bson.M) { m["counted"].(bson.M)["hour"] = 24 },
		"received as text":  func(m bson.M) { m["received_at"] = "2026-11-22" },
		"never received":    func(m bson.M) { delete(m, "received_at") },
		"score 6":           func(m bson.M) { m["score"] = 6 },
		"score -1":          func(m bson.M) { m["score"] = -1 },
		"score 3.5":         func(m bson.M) { m["score"] = 3.5 },
		"score as text":     func(m bson.M) { m["score"] = "5" },
		"no score":          func(m bson.M) { delete(m, "score") },
		"bytes as text":     func(m bson.M) { m["bytes"] = "x" },
	} {
		document := good()
		spoil(document)
		if _, err := e.db.Collection(collRatings).InsertOne(t.Context(), document); !hasCode(err, codeDocumentValidation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := e.db.Collection(collRatings).InsertOne(t.Context(), good()); err != nil {
		t.Error(err)
	}
}
