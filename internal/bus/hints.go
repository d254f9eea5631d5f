package bus

import "context"

// Hint says that records came into these hour cells (rating.Counted.Cell), so that somebody folds them soon. On the
// way hints may be joined, split and reordered; what counts is that each cell reaches one worker after it was
// published. A cell is at most MaxName bytes and holds no line break; other ones are dropped.
type Hint struct{ Cells []string }

// Delivery is a hint as it reaches a worker.
type Delivery struct {
	Hint
	ID      string // for the log
	Attempt int    // 1 the first time
}

// Hints is a work queue shared by any number of workers. A lost hint costs one sweep and nothing else.
type Hints interface {
	// PublishHint hands a hint over. It never fails and never waits for the network: where hints come faster than
	// they leave, or the bus is away for long, the oldest are dropped and counted (Stats.HintsDropped). ctx
	// carries values only; ending it does not take the hint back.
	PublishHint(ctx context.Context, hint Hint)
	// ConsumeHints hands hints to handle until ctx ends or the bus is closed, and answers ctx's error or ErrClosed,
	// never anything else: while the bus is away it keeps trying. Each hint goes to one consumer; consumer names
	// the worker, differently in every process. A batch is acknowledged when handle answers nil. One that is not,
	// because handle failed or took longer than the bus's idle time or its process died, is delivered again, to
	// any consumer, some time after the idle time; after a number of attempts it is dropped. So handle must not
	// mind a hint that comes twice. ErrInvalid for a name over MaxName bytes.
	ConsumeHints(ctx context.Context, consumer string, handle func(context.Context, []Delivery) error) error
}

// Cells lists the cells of a batch, each once, in the order they stand.
func Cells(batch []Delivery) []string {
	seen := map[string]bool{}
	var cells []string
	for _, delivery := range batch {
		for _, cell := range delivery.Cells {
			if !seen[cell] {
				seen[cell] = true
				cells = append(cells, cell)
			}
		}
	}
	return cells
}
