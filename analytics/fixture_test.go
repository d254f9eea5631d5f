package analytics

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/tally"
	"github.com/hailong-vn/hailong/internal/testengine"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB) store.Engine {
	t.Helper()
	engine, err := sqlite.Open(context.Background(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

// openMongoDB opens a database of its own on a real replica set.
func openMongoDB(t testing.TB) store.Engine {
	t.Helper()
	uri, database := testengine.MongoDB(t)
	engine, err := mongodb.Open(context.Background(), uri, mongodb.Options{Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

// at makes where a record counts.
func at(unit string, day localday.Day, hour int, channel pb.Channel) rating.Counted {
	return rating.Counted{Unit: unit, Day: day, Hour: hour, Channel: channel, Questionnaire: "kiosk", Version: 3}
}

// rated makes a rating.
func rated(counted rating.Counted, score int32) rating.Record {
	return rating.Record{
		ID: rating.RecordID("H1", counted.Unit, uuid.NewString()), Kind: rating.KindRating, Cell: counted.Cell(), Counted: counted,
		ReceivedAt: store.Milliseconds(time.Now()), OccurredAt: counted.Day.Start().Add(time.Duration(counted.Hour) * time.Hour).UTC(), Score: score,
		Answers:  []rating.Answer{{Question: "speed", Score: score}, {Question: "why", Choices: []string{"slow"}}},
		Official: "o" + fmt.Sprint(score%3), Procedure: "1.001", Counter: "q" + fmt.Sprint(score%2),
	}
}

// random makes n ratings over units and days, some of them revisions and doubts about others.
func random(source *rand.Rand, n, units, days int) []rating.Record {
	first := localday.Day("2026-03-20")
	records := make([]rating.Record, 0, n)
	for range n {
		counted := at(fmt.Sprintf("U%02d", source.IntN(units)), first.Add(source.IntN(days)), 7+source.IntN(10), pb.Channel(1+source.IntN(4)))
		record := rated(counted, int32(source.IntN(6)))
		if len(records) > 0 {
			earlier := records[source.IntN(len(records))]
			_, _, id := rating.SplitRecordID(earlier.ID)
			switch source.IntN(10) {
			case 0:
				record.Cell, record.Counted = earlier.Cell, earlier.Counted
				record.ID = rating.RecordID("H1", earlier.Counted.Unit, uuid.NewString())
				record.Revises = id
			case 1:
				record = rating.Record{
					ID: rating.RecordID("H1", earlier.Counted.Unit, uuid.NewString()), Kind: rating.KindAnnotation, Cell: earlier.Cell,
					Counted: earlier.Counted, ReceivedAt: store.Milliseconds(time.Now()), About: id, Doubt: "twice",
				}
			}
		}
		records = append(records, record)
	}
	return records
}

func appendAll(t testing.TB, engine store.Engine, records ...rating.Record) []string {
	t.Helper()
	cells := make([]string, len(records))
	for i := range records {
		records[i].ReceivedAt = store.Milliseconds(time.Now())
		cells[i] = records[i].Cell
	}
	answers, err := engine.Ratings().Append(context.Background(), records)
	if err != nil {
		t.Fatal(err)
	}
	for i, answer := range answers {
		if !answer.Stored {
			t.Fatalf("%s was not stored", records[i].ID)
		}
	}
	return cells
}

// start runs a worker until the test ends, or until the function it answers is called.
func start(t testing.TB, config Config) (*Worker, func()) {
	t.Helper()
	if config.Logger == nil {
		config.Logger = slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	if config.SweepEvery == 0 {
		config.SweepEvery = 20 * time.Millisecond
	}
	if config.SweepAtMost == 0 {
		config.SweepAtMost = 200 * time.Millisecond
	}
	if config.Debounce == 0 {
		config.Debounce = 5 * time.Millisecond
	}
	if config.FacetDelay == 0 {
		config.FacetDelay = 20 * time.Millisecond
	}
	worker, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run answered %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the worker did not stop")
		}
	}
	t.Cleanup(stop)
	return worker, stop
}

type testLog struct{ t testing.TB }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Logf("%s", line)
	return len(line), nil
}

// until polls a condition.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited two minutes: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func untilFresh(t testing.TB, worker *Worker) {
	t.Helper()
	now := time.Now()
	until(t, "figures are not fresh", func() bool { return worker.FreshThrough().After(now) })
}

// direct folds everything that is stored, cell by cell.
func direct(t testing.TB, engine store.Engine, epoch uint32) map[tally.LeafKey]tally.Leaf {
	t.Helper()
	byCell := map[string][]rating.Record{}
	for record, err := range engine.Ratings().Scan(context.Background(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		byCell[record.Cell] = append(byCell[record.Cell], record)
	}
	leaves := map[tally.LeafKey]tally.Leaf{}
	for cell, records := range byCell {
		hour, err := tally.Fold(epoch, cell, records)
		if err != nil {
			t.Fatal(err)
		}
		leaf, ok := leaves[hour.Leaf]
		if !ok {
			leaf = tally.Leaf{Key: hour.Leaf, Hours: map[int]tally.Cell{}}
			leaves[hour.Leaf] = leaf
		}
		leaf.Hours[hour.Hour] = hour.Cell
	}
	return leaves
}

// stored reads all leaves.
func stored(t testing.TB, engine store.Engine, units ...string) map[tally.LeafKey]tally.Leaf {
	t.Helper()
	leaves := map[tally.LeafKey]tally.Leaf{}
	for _, unit := range units {
		for leaf, err := range engine.Rollups().Leaves(context.Background(), unit, "1900-01-01", "2999-12-31") {
			if err != nil {
				t.Fatal(err)
			}
			leaves[leaf.Key] = leaf
		}
	}
	return leaves
}

// wantFigures holds leaves and strips against a direct fold.
func wantFigures(t testing.TB, engine store.Engine, epoch uint32) {
	t.Helper()
	want := direct(t, engine, epoch)
	units := map[string]bool{}
	strips := map[tally.StripKey]map[tally.SlotKey]tally.Slot{}
	for key, leaf := range want {
		units[key.Unit] = true
		if strips[leaf.StripKey()] == nil {
			strips[leaf.StripKey()] = map[tally.SlotKey]tally.Slot{}
		}
		at, slot := leaf.Slot()
		strips[leaf.StripKey()][at] = slot
	}
	if diff := cmp.Diff(want, stored(t, engine, sortedKeys(units)...)); diff != "" {
		t.Errorf("leaves are not what a direct fold answers (-want +got):\n%s", diff)
	}
	got := map[tally.StripKey]map[tally.SlotKey]tally.Slot{}
	for key := range strips {
		if got[key] != nil {
			continue
		}
		for strip, err := range engine.Rollups().Strips(context.Background(), key.Year, []string{key.Unit}) {
			if err != nil {
				t.Fatal(err)
			}
			got[strip.Key] = map[tally.SlotKey]tally.Slot{}
			for at, slot := range strip.Slots() {
				got[strip.Key][at] = slot
			}
		}
	}
	if diff := cmp.Diff(strips, got); diff != "" {
		t.Errorf("strips are not what the leaves add up to (-want +got):\n%s", diff)
	}
}

// allRecords reads everything that is stored.
func allRecords(t testing.TB, engine store.Engine) []rating.Record {
	t.Helper()
	var records []rating.Record
	for record, err := range engine.Ratings().Scan(context.Background(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, record)
	}
	return records
}
