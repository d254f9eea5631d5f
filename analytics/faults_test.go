package analytics

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

var errBroken = errors.New("broken for the test")

// faulty is an engine of which a test breaks parts.
type faulty struct {
	store.Engine
	cell        func(string) error // before a cell is read
	read        func()             // after a cell was read
	raiseStrips func() error
}

func (f faulty) Ratings() store.Ratings { return faultyRatings{f.Engine.Ratings(), f} }
func (f faulty) Rollups() store.Rollups { return faultyRollups{f.Engine.Rollups(), f} }

type faultyRatings struct {
	store.Ratings
	faulty
}

func (f faultyRatings) Cell(ctx context.Context, cell string) ([]rating.Record, error) {
	if f.cell != nil {
		if err := f.cell(cell); err != nil {
			return nil, err
		}
	}
	records, err := f.Ratings.Cell(ctx, cell)
	if f.read != nil {
		f.read()
	}
	return records, err
}

type faultyRollups struct {
	store.Rollups
	faulty
}

func (f faultyRollups) RaiseStrips(ctx context.Context, strips []tally.Strip) error {
	if f.raiseStrips != nil {
		if err := f.raiseStrips(); err != nil {
			return err
		}
	}
	return f.Rollups.RaiseStrips(ctx, strips)
}

// A cell that cannot be folded holds up no other, and freshness waits for it.
func TestAPoisonCell(t *testing.T) {
	engine := open(t)
	poison := rated(at("U00", "2026-03-20", 9, 1), 5)
	var broken atomic.Bool
	broken.Store(true)
	var failures atomic.Int32
	worker, _ := start(t, Config{
		Engine: faulty{Engine: engine, cell: func(cell string) error {
			if broken.Load() && cell == poison.Cell {
				return errBroken
			}
			return nil
		}},
		Logger:  slog.New(slog.DiscardHandler),
		Metrics: Metrics{Failed: func() { failures.Add(1) }},
	})
	untilFresh(t, worker)
	cells := appendAll(t, engine, poison, rated(at("U00", "2026-03-20", 10, 1), 4), rated(at("U01", "2026-03-20", 9, 1), 3))
	appended := time.Now()
	worker.Touched(cells...)
	until(t, "the other cells are not folded", func() bool {
		leaves := stored(t, engine, "U00", "U01")
		n := uint32(0)
		for _, leaf := range leaves {
			for _, cell := range leaf.Hours {
				n += cell.Seen
			}
		}
		return n == 2 && failures.Load() > 0
	})
	time.Sleep(10 * worker.SweepEvery)
	if fresh := worker.FreshThrough(); fresh.After(appended) {
		t.Errorf("fresh through %v, though a rating of %v is not folded", fresh, appended)
	}
	broken.Store(false)
	untilFresh(t, worker)
	wantFigures(t, engine, 1)
}

// A worker may die between raising a leaf and raising its strip.
func TestALostStripIsFound(t *testing.T) {
	engine := open(t)
	dying, err := New(Config{Engine: faulty{Engine: engine, raiseStrips: func() error { return errBroken }}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if dying.states, err = openStates(ctx, engine); err != nil {
		t.Fatal(err)
	}
	for name, old := range map[string]time.Duration{"lately": 0, "long ago": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			record := rated(at("U"+name[:1], "2026-03-20", 9, 1), 5)
			record.ReceivedAt = record.ReceivedAt.Add(-old)
			if _, err := engine.Ratings().Append(ctx, []rating.Record{record}); err != nil {
				t.Fatal(err)
			}
			if result := dying.foldCells(ctx, []string{record.Cell}); result[0].err == nil {
				t.Fatal("the strip was raised")
			}
			if len(stored(t, engine, "U"+name[:1])) != 1 {
				t.Fatal("the leaf was not raised")
			}
			worker, stop := start(t, Config{Engine: engine, Alone: true})
			untilFresh(t, worker)
			stop()
			wantFigures(t, engine, 1)
		})
	}
}

// Where more was counted than is stored, everything is folded again under a new epoch.
func TestARestoredStore(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, engine store.Engine, record rating.Record){
		"a cell has seen more": func(t *testing.T, engine store.Engine, record rating.Record) {
			more := rated(record.Counted, 1)
			hour, err := tally.Fold(1, record.Cell, []rating.Record{record, more})
			if err != nil {
				t.Fatal(err)
			}
			raise(t, engine, hour)
		},
		"a cell has no records at all": func(t *testing.T, engine store.Engine, record rating.Record) {
			gone := rated(at("U07", "2025-12-31", 23, 2), 1)
			hour, err := tally.Fold(1, gone.Cell, []rating.Record{gone})
			if err != nil {
				t.Fatal(err)
			}
			raise(t, engine, hour)
		},
		"a strip is ahead of its leaf": func(t *testing.T, engine store.Engine, record rating.Record) {
			var many []rating.Record
			for hour := 7; hour < 12; hour++ {
				many = append(many, rated(at(record.Counted.Unit, record.Counted.Day, hour, record.Counted.Channel), 2))
			}
			leaf := tally.Leaf{Hours: map[int]tally.Cell{}}
			for _, one := range many {
				hour, err := tally.Fold(3, one.Cell, []rating.Record{one})
				if err != nil {
					t.Fatal(err)
				}
				leaf.Key, leaf.Hours[hour.Hour] = hour.Leaf, hour.Cell
			}
			if err := engine.Rollups().RaiseStrips(context.Background(), []tally.Strip{leaf.Strip()}); err != nil {
				t.Fatal(err)
			}
		},
		"a strip without a leaf": func(t *testing.T, engine store.Engine, _ rating.Record) {
			gone := rated(at("U07", "2026-03-20", 23, 2), 1)
			hour, err := tally.Fold(1, gone.Cell, []rating.Record{gone})
			if err != nil {
				t.Fatal(err)
			}
			leaf := tally.Leaf{Key: hour.Leaf, Hours: map[int]tally.Cell{hour.Hour: hour.Cell}}
			if err := engine.Rollups().RaiseStrips(context.Background(), []tally.Strip{leaf.Strip()}); err != nil {
				t.Fatal(err)
			}
		},
		"the document of epochs is older": func(t *testing.T, engine store.Engine, record rating.Record) {
			hour, err := tally.Fold(5, record.Cell, []rating.Record{record})
			if err != nil {
				t.Fatal(err)
			}
			raise(t, engine, hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			engine := open(t)
			records := random(rand.New(rand.NewPCG(7, 8)), 100, 3, 5)
			appendAll(t, engine, records...)
			worker, stop := start(t, Config{Engine: engine, Alone: true})
			untilFresh(t, worker)
			stop()
			spoil(t, engine, records[0])
			var alarms atomic.Int32
			worker, stop = start(t, Config{
				Engine: engine, Alone: true, Logger: slog.New(slog.DiscardHandler),
				Metrics: Metrics{Restored: func(string) { alarms.Add(1) }},
			})
			var epoch epochState
			states, err := openStates(context.Background(), engine)
			if err != nil {
				t.Fatal(err)
			}
			until(t, "no new epoch is folded", func() bool {
				var err error
				if epoch, err = states.epoch(context.Background()); err != nil {
					t.Fatal(err)
				}
				state, err := states.freshness(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				return epoch.Epoch > 1 && state.AllEpoch == epoch.Epoch
			})
			untilFresh(t, worker)
			stop()
			if alarms.Load() == 0 {
				t.Error("no alarm")
			}
			wantFigures(t, engine, epoch.Epoch)
			for leaf := range stored(t, engine, "U07") { // what was there is cleared
				for hour, cell := range stored(t, engine, "U07")[leaf].Hours {
					if sum(cell.Overall) != 0 {
						t.Errorf("hour %d of %s still counts %v", hour, leaf.ID(), cell.Overall)
					}
				}
			}
			for strip, err := range engine.Rollups().Strips(context.Background(), 2026, []string{"U07"}) {
				if counts, _ := strip.Sum(0, 365); err != nil || sum(counts) != 0 {
					t.Errorf("a strip still counts %v, %v", counts, err)
				}
			}
		})
	}
}

// raise writes a cell and its strip as a worker does.
func raise(t *testing.T, engine store.Engine, hour tally.HourCell) {
	t.Helper()
	worker, err := New(Config{Engine: engine})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if err := engine.Rollups().Raise(ctx, []tally.HourCell{hour}); err != nil {
		t.Fatal(err)
	}
	if behind := worker.raiseStrips(ctx, []tally.HourCell{hour}); len(behind) > 0 {
		t.Fatal(behind)
	}
}

// The engine may be away when the worker starts and while it works.
func TestAnEngineThatComesAndGoes(t *testing.T) {
	engine := open(t)
	var away atomic.Bool
	worker, _ := start(t, Config{
		Engine: faulty{Engine: engine, cell: func(string) error {
			if away.Load() {
				return store.ErrUnavailable
			}
			return nil
		}},
		Logger: slog.New(slog.DiscardHandler),
	})
	untilFresh(t, worker)
	away.Store(true)
	worker.Touched(appendAll(t, engine, random(rand.New(rand.NewPCG(1, 1)), 50, 2, 2)...)...)
	until(t, "nothing failed", func() bool { return worker.cells.failing() > 0 })
	away.Store(false)
	untilFresh(t, worker)
	wantFigures(t, engine, 1)
}

// A fold under way is finished when the worker is asked to stop.
func TestStopFinishesTheFoldUnderWay(t *testing.T) {
	engine := open(t)
	record := rated(at("U00", "2026-03-20", 9, 1), 5)
	entered, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	worker, stop := start(t, Config{
		Engine: faulty{Engine: engine, cell: func(string) error {
			once.Do(func() {
				close(entered)
				<-release
			})
			return nil
		}},
		SweepEvery: time.Hour,
	})
	appendAll(t, engine, record)
	worker.Touched(record.Cell)
	<-entered
	time.AfterFunc(50*time.Millisecond, func() { close(release) })
	stop()
	wantFigures(t, engine, 1)
}

func TestHintsThatCannotBe(t *testing.T) {
	engine := open(t)
	var dropped atomic.Int32
	worker, _ := start(t, Config{Engine: engine, MaxDue: 10, Metrics: Metrics{Dropped: func(cells int) { dropped.Add(int32(cells)) }}})
	worker.Touched("", "nonsense", "2026-03-20/U/x/q@1/9", strings.Repeat("9", 600))
	if n := worker.cells.waiting(); n != 0 {
		t.Errorf("%d cells are due", n)
	}
	worker.Touched(rated(at("U00", "2026-03-20", 9, 1), 5).Cell) // a cell without records makes no figure
	until(t, "the cell is still due", func() bool { return worker.cells.waiting() == 0 })
	if leaves := stored(t, engine, "U00"); len(leaves) != 0 {
		t.Errorf("leaves %v", leaves)
	}
	var many []string
	for hour := range 24 {
		many = append(many, at("U00", "2026-03-20", hour, 1).Cell())
	}
	worker.Touched(many...)
	if dropped.Load() != 24 {
		t.Errorf("%d cells were left to the sweep, want 24", dropped.Load())
	}
}
