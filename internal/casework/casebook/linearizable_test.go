package casebook_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/store"
)

// asked is what somebody asks of a case: to read it (seen 0), or to let something happen to the version that was seen.
type asked struct {
	id   string
	seen store.Version
}

// answered is what came back: the version that stands, and whether the event happened.
type answered struct {
	stands store.Version
	done   bool
}

// register is a case as its callers know it: a version. An event happens if and only if the version that was seen is the one that
// stands, and moves it by one; a reading, and a refusal too, tells the one that stands.
func register() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			by := map[string][]porcupine.Operation{}
			for _, o := range history {
				id := o.Input.(asked).id
				by[id] = append(by[id], o)
			}
			var all [][]porcupine.Operation
			for _, one := range by {
				all = append(all, one)
			}
			return all
		},
		Init: func() any { return store.Version(1) },
		Step: func(state, input, output any) (bool, any) {
			stands, in, out := state.(store.Version), input.(asked), output.(answered)
			if in.seen == stands {
				return out == answered{stands + 1, true}, stands + 1
			}
			return out == answered{stands, false}, stands
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
	}
}

// watched is a book of which everything that is asked and answered is written down, with its times.
type watched struct {
	*casebook.Book
	who  int
	log  *[]porcupine.Operation
	mu   *sync.Mutex
	from time.Time
}

// ask reads a case, or lets a rating be attached, which may happen again and again in the state a case is opened in.
func (w watched) ask(ctx context.Context, in asked) (answered, error) {
	call := time.Since(w.from)
	out, err := w.answer(ctx, in)
	back := time.Since(w.from)
	w.mu.Lock()
	defer w.mu.Unlock()
	*w.log = append(*w.log, porcupine.Operation{ClientId: w.who, Input: in, Call: call.Nanoseconds(), Output: out, Return: back.Nanoseconds()})
	return out, err
}

func (w watched) answer(ctx context.Context, in asked) (answered, error) {
	if in.seen == 0 {
		k, err := w.Get(ctx, in.id)
		return answered{stands: k.Version}, err
	}
	k, err := w.Apply(ctx, in.id, in.seen, casework.Event{Name: casework.Attach, Ratings: []string{"P/P.A.1/" + newID()}}, "", operator())
	var changed *casebook.ChangedError
	if errors.As(err, &changed) {
		return answered{stands: changed.Now.Version}, nil
	}
	return answered{k.Version, true}, err
}

// TestEveryAnswerHasItsPlaceInOneOrder lets three processes read and change the same cases, and asks a checker whether some order in which one
// thing happened after the other explains every answer.
func TestEveryAnswerHasItsPlaceInOneOrder(t *testing.T) {
	const perBook, steps = 2, 25
	onEngines(t, func(t *testing.T, h *house) {
		books := []*casebook.Book{h.open(), h.open(), h.open()}
		ids := []string{h.opened(books[0]).ID, h.opened(books[0]).ID}
		var history []porcupine.Operation
		var mu sync.Mutex
		var clients sync.WaitGroup
		from := time.Now()
		for who := range perBook * len(books) {
			w := watched{books[who%len(books)], who, &history, &mu, from}
			clients.Go(func() {
				known := map[string]store.Version{ids[0]: 1, ids[1]: 1} // all of them begin with what only one can be right about
				for step := range steps {
					in := asked{id: ids[step%len(ids)]}
					if step < len(ids) || rand.IntN(3) > 0 { //nolint:gosec // no secret
						in.seen = known[in.id]
					}
					out, err := w.ask(t.Context(), in)
					if err != nil {
						t.Errorf("%+v: %v", in, err)
						return
					}
					known[in.id] = out.stands
				}
			})
		}
		clients.Wait()
		if got := porcupine.CheckOperationsTimeout(register(), history, 30*time.Second); got != porcupine.Ok {
			t.Fatalf("%d calls: %s", len(history), got)
		}
		done, refused := 0, -1
		for i, o := range history {
			switch in, out := o.Input.(asked), o.Output.(answered); {
			case out.done:
				done++
			case in.seen != 0:
				refused = i
			}
		}
		if done == 0 || refused < 0 {
			t.Fatalf("of %d calls %d changed a case, and the last refused was number %d: nobody was in another's way", len(history), done, refused)
		}
		// The checker sees it when a single answer of these is wrong.
		lost := slices.Clone(history)
		in := lost[refused].Input.(asked)
		lost[refused].Output = answered{in.seen + 1, true} // a second one that changed the same version: an update that was lost
		if got := porcupine.CheckOperationsTimeout(register(), lost, 30*time.Second); got != porcupine.Illegal {
			t.Errorf("with an update that was lost: %s", got)
		}
	})
}

func TestTheCheckerCanFail(t *testing.T) {
	op := func(call, back int64, seen, stands store.Version, done bool) porcupine.Operation {
		return porcupine.Operation{Input: asked{"c", seen}, Output: answered{stands, done}, Call: call, Return: back}
	}
	for name, c := range map[string]struct {
		history []porcupine.Operation
		want    porcupine.CheckResult
	}{
		"one after the other":               {[]porcupine.Operation{op(0, 1, 1, 2, true), op(2, 3, 2, 3, true), op(4, 5, 0, 3, false)}, porcupine.Ok},
		"at once, one is refused":           {[]porcupine.Operation{op(0, 5, 1, 2, true), op(1, 4, 1, 2, false)}, porcupine.Ok},
		"read while it changes":             {[]porcupine.Operation{op(0, 5, 1, 2, true), op(1, 2, 0, 1, false), op(3, 4, 0, 2, false)}, porcupine.Ok},
		"at once, both succeed":             {[]porcupine.Operation{op(0, 5, 1, 2, true), op(1, 4, 1, 2, true)}, porcupine.Illegal},
		"refused though nothing happened":   {[]porcupine.Operation{op(0, 1, 1, 1, false)}, porcupine.Illegal},
		"an old version is read afterwards": {[]porcupine.Operation{op(0, 1, 1, 2, true), op(2, 3, 0, 1, false)}, porcupine.Illegal},
		"read backwards while it changes":   {[]porcupine.Operation{op(0, 9, 1, 2, true), op(1, 2, 0, 2, false), op(3, 4, 0, 1, false)}, porcupine.Illegal},
		"a version is left out":             {[]porcupine.Operation{op(0, 1, 1, 3, true)}, porcupine.Illegal},
		"decided on what was not there yet": {[]porcupine.Operation{op(0, 1, 2, 3, true), op(2, 3, 1, 2, true)}, porcupine.Illegal},
	} {
		t.Run(name, func(t *testing.T) {
			if got := porcupine.CheckOperationsTimeout(register(), c.history, 30*time.Second); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
