package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// What a bulk write holds at most, where more than one call waits.
const (
	bulkDocuments = 1000
	bulkBytes     = 8 << 20
)

// writer gathers the inserts of many callers into bulk writes of one collection: while some are under way, the calls that
// come meanwhile wait and share the next. A lone call goes at once.
type writer struct {
	coll  *mongo.Collection
	limit int // bulk writes under way at once

	mu     sync.Mutex
	queue  []*call
	flying int
	closed bool
	idle   sync.WaitGroup
}

// call is one caller's documents.
type call struct {
	bodies  [][]byte
	size    int
	answers []error
	failure error
	done    chan struct{}
}

func newWriter(coll *mongo.Collection, limit int) *writer { return &writer{coll: coll, limit: limit} }

// insert adds documents, each for itself, and answers an error a document as store.Documents.Insert does. When ctx
// ends while the write is under way it may yet land.
func (w *writer) insert(ctx context.Context, bodies [][]byte) ([]error, error) {
	if ctx.Err() != nil {
		return nil, unavailable(context.Cause(ctx))
	}
	c := &call{bodies: bodies, done: make(chan struct{})}
	for _, body := range bodies {
		c.size += len(body)
	}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil, unavailable(errClosed)
	}
	w.queue = append(w.queue, c)
	if w.flying < w.limit {
		w.flying++
		w.idle.Go(w.fly)
	}
	w.mu.Unlock()
	select {
	case <-c.done:
		return c.answers, c.failure
	case <-ctx.Done():
		w.withdraw(c)
		return nil, unavailable(context.Cause(ctx))
	}
}

// withdraw takes back a call that no write has taken up.
func (w *writer) withdraw(c *call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at := slices.Index(w.queue, c); at >= 0 {
		w.queue = slices.Delete(w.queue, at, at+1)
	}
}

// close lets what was called finish and refuses what comes later.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.idle.Wait()
}

// fly writes until nothing waits.
func (w *writer) fly() {
	for {
		calls := w.take()
		if calls == nil {
			return
		}
		w.write(calls)
	}
}

// take answers the calls of the next bulk write: in order, whole, at least one.
func (w *writer) take() []*call {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.flying--
		return nil
	}
	documents, size, n := 0, 0, 0
	for _, c := range w.queue {
		documents, size = documents+len(c.bodies), size+c.size
		if n > 0 && (documents > bulkDocuments || size > bulkBytes) {
			break
		}
		n++
	}
	calls := slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	return calls
}

// write is one bulk write. It has the client's time, not that of a caller: others depend on it.
func (w *writer) write(calls []*call) {
	var all []any
	for _, c := range calls {
		for _, body := range c.bodies {
			all = append(all, bson.Raw(body))
		}
	}
	answers, failure := w.bulk(context.Background(), all)
	for _, c := range calls {
		if failure != nil {
			c.failure = failure
		} else {
			c.answers, answers = answers[:len(c.bodies):len(c.bodies)], answers[len(c.bodies):]
		}
		close(c.done)
	}
}

// bulk inserts documents, answering an error a document, or the failure of all.
func (w *writer) bulk(ctx context.Context, all []any) ([]error, error) {
	answers := make([]error, len(all))
	_, err := w.coll.InsertMany(ctx, all, options.InsertMany().SetOrdered(false))
	if err == nil {
		return answers, nil
	}
	if ofDocument(err) {
		if len(all) == 1 {
			answers[0] = outcome(err)
			return answers, nil
		}
		// One document spoils the command: halve until it stands alone.
		half := len(all) / 2
		first, err := w.bulk(ctx, all[:half])
		if err != nil {
			return nil, err
		}
		second, err := w.bulk(ctx, all[half:])
		return append(first, second...), err
	}
	var refused mongo.BulkWriteException
	if !errors.As(err, &refused) || refused.WriteConcernError != nil {
		return nil, unavailable(err)
	}
	for _, e := range refused.WriteErrors {
		if e.Index < 0 || e.Index >= len(answers) {
			return nil, unavailable(err)
		}
		answer := writeError(e.WriteError)
		if errors.Is(answer, store.ErrUnavailable) {
			return nil, fmt.Errorf("document %d: %w", e.Index, answer)
		}
		answers[e.Index] = answer
	}
	return answers, nil
}
