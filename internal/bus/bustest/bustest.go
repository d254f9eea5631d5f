// Package bustest is the contract suite of the bus port. Every implementation runs it.
package bustest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/bus"
)

// Settings are what a test asks of the bus it opens; zero values are the implementation's own.
type Settings struct {
	HintIdle     time.Duration
	HintBound    int // in the implementation's own measure: cells, or entries of up to 64 cells
	HintAttempts int
	FeedBuffer   int
}

// Open opens two processes' ends of one new, empty bus: the same object twice where a bus is one process. They are
// closed by the test's cleanup.
type Open func(t *testing.T, settings Settings) (one, other bus.Bus)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, open Open)
	}{
		{"hints/each to one of several workers", hintsOnce},
		{"hints/published before anybody listened", hintsEarly},
		{"hints/not acknowledged goes to another worker", hintsAgain},
		{"hints/worker ended with its process", hintsLeft},
		{"hints/given up after some attempts", hintsPoison},
		{"hints/publishing never waits and is bounded", hintsBounded},
		{"hints/malformed cells are dropped", hintsMalformed},
		{"hints/consuming ends with its context", hintsCancel},
		{"hints/publishers and workers at once", hintsBusy},
		{"feed/every process hears", feedFanOut},
		{"feed/only what was subscribed to", feedTopics},
		{"feed/in order", feedOrder},
		{"feed/slow subscriber is told", feedSlow},
		{"feed/ends with its context", feedCancel},
		{"feed/subscribers come and go while it is told", feedChurn},
		{"feed/bad names", feedInvalid},
		{"limits/burst and retry", limitsBurst},
		{"limits/refill", limitsRefill},
		{"limits/exact from many goroutines of two processes", limitsExact},
		{"limits/costs", limitsCost},
		{"limits/senseless limits deny", limitsSenseless},
		{"limits/keys are apart and of any length", limitsKeys},
		{"presence/others see it until it expires", presenceExpires},
		{"presence/leaving", presenceLeave},
		{"presence/bounded", presenceBounded},
		{"presence/bad names", presenceInvalid},
		{"nonces/once from 64 goroutines of two processes", nonceOnce},
		{"nonces/again after its time", nonceExpires},
		{"nonces/keys are apart and of any length", nonceKeys},
		{"nonces/bad keys", nonceInvalid},
		{"close/everything ends", closeEnds},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Cleanup(func() { // after the buses were closed
				var err error
				if !holds(func() bool { err = goleak.Find(before); return err == nil }) {
					t.Error(err)
				}
			})
			test.run(t, open)
		})
	}
}

// patience is how long something that must happen may take on a busy machine.
const patience = 20 * time.Second

// holds polls until condition holds, and says whether it ever did.
func holds(condition func() bool) bool {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if condition() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

// must fails the test unless condition comes to hold.
func must(t *testing.T, what string, condition func() bool) {
	t.Helper()
	if !holds(condition) {
		t.Fatalf("waited %v in vain until %s", patience, what)
	}
}

// got counts the cells that reached workers, and by whom.
type got struct {
	mu    sync.Mutex
	cells map[string]int
	by    map[string]int
}

func newGot() *got { return &got{cells: map[string]int{}, by: map[string]int{}} }

func (g *got) add(worker string, batch []bus.Delivery) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, delivery := range batch {
		for _, cell := range delivery.Cells {
			g.cells[cell]++
			g.by[worker]++
		}
	}
}

func (g *got) count(cell string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cells[cell]
}

func (g *got) distinct() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.cells)
}

func (g *got) twice() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var cells []string
	for cell, n := range g.cells {
		if n > 1 {
			cells = append(cells, cell)
		}
	}
	slices.Sort(cells)
	return cells
}

// work consumes in the background until the test ends or the function answered is called, which waits.
func work(t *testing.T, b bus.Bus, worker string, handle func(context.Context, []bus.Delivery) error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.ConsumeHints(ctx, worker, handle) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = stop() })
	return stop
}
