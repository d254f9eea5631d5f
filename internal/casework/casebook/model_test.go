package casebook_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// step is something that may be done to a case.
type step struct {
	event casework.Event
	by    casework.Actor
}

func steps() []step {
	return []step{
		{event(casework.Assign), operator()}, {event(casework.RequestExplanation), deputy()}, {event(casework.Submit), writer()},
		{casework.Event{Name: casework.Return, Reasons: []casework.Reason{casework.TooGeneral}}, leader()}, {event(casework.Accept), deputy()},
		{event(casework.Accept), leader()}, {event(casework.Reply), operator()}, {event(casework.Reopen), casework.TheCitizen()},
		{casework.Event{Name: casework.Attach, Ratings: []string{"P/P.A.1/r1"}}, operator()}, {casework.Event{Name: casework.Attach, Ratings: []string{"P/P.A.1/r2"}}, deputy()},
		{casework.Event{Name: casework.Suspend, Reason: "Chờ xác minh"}, leader()}, {casework.Event{Name: casework.Resume}, deputy()},
		{casework.Event{Name: casework.Withdraw, Reason: "Đã xong"}, operator()}, {casework.Event{Name: casework.Satisfied}, casework.TheCitizen()},
	}
}

// TestUpdatesAreLinearizable lets three processes do what they like to a few cases at once. Each that succeeded on a version is the entry
// right after that version, nothing else is there, and the whole can be made again from its history.
func TestUpdatesAreLinearizable(t *testing.T) {
	h := newHouse(t)
	books := []*casebook.Book{h.open(), h.open(), h.open()}
	rapid.Check(t, func(rt *rapid.T) {
		ctx := context.Background()
		ids := []string{h.opened(books[0]).ID, h.opened(books[0]).ID}
		plans := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, len(steps())*len(ids)-1), 1, 12), 2, 5).Draw(rt, "what each does")
		type done struct {
			id    string
			at    store.Version
			event casework.Name
			by    string
		}
		var mu sync.Mutex
		var all []done
		var wait sync.WaitGroup
		for who, plan := range plans {
			wait.Go(func() {
				b := books[who%len(books)]
				for _, n := range plan {
					id, do := ids[n%len(ids)], steps()[n/len(ids)]
					k, err := b.Get(ctx, id)
					var next casebook.Kept
					if err == nil {
						next, err = b.Apply(ctx, id, k.Version, do.event, "", do.by)
					}
					if err != nil {
						if code := fault.Of(err).Code; code == fault.Internal || code == fault.Unavailable || code == fault.NotFound {
							t.Errorf("%s: %v", do.event.Name, err)
						}
						continue
					}
					if next.Version != k.Version+1 {
						t.Errorf("%s on version %d made version %d", do.event.Name, k.Version, next.Version)
					}
					mu.Lock()
					all = append(all, done{id, next.Version, do.event.Name, do.by.Account})
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		for _, id := range ids {
			k, err := books[0].Get(ctx, id)
			if err != nil {
				rt.Fatal(err)
			}
			again, err := casework.Replay(k.Opening, k.History)
			if diff := cmp.Diff(k.Case, again); err != nil || diff != "" {
				rt.Fatalf("replayed: %v %s", err, diff)
			}
			var mine []done
			for _, d := range all {
				if d.id == id {
					mine = append(mine, d)
				}
			}
			slices.SortFunc(mine, func(a, b done) int { return int(a.at - b.at) })
			if len(mine) != len(k.History)-1 {
				rt.Fatalf("%d events succeeded, and %d stand", len(mine), len(k.History)-1)
			}
			for i, d := range mine {
				if e := k.History[i+1]; int(d.at) != i+2 || e.Event.Name != d.event || e.By.Account != d.by {
					rt.Fatalf("entry %d is %s by %s, and %s by %s was answered", i+1, e.Event.Name, e.By.Account, d.event, d.by)
				}
			}
		}
	})
}

// TestDiesAnywhere lets a process die before or after each of its writes, and another take over: what was acknowledged stands, who is to be
// told is told, and nothing stands twice.
func TestDiesAnywhere(t *testing.T) {
	h := newHouse(t)
	for point := 1; point < 60; point++ {
		mortal := &dying{point: point}
		first := &house{t: t, engine: mortalEngine{h.engine, mortal}, now: h.clock(), hours: h.hours, keys: h.keys, rules: h.rules, tree: h.tree}
		phone := fmt.Sprintf("09123456%02d", point)
		n := opinion(func(n *casebook.New) { n.Contact = &casebook.Contact{Phone: phone} })
		script := []step{{event(casework.Assign), operator()}, {event(casework.RequestExplanation), deputy()}, {event(casework.Submit), writer()}, {event(casework.Accept), deputy()}}
		live := func(b *casebook.Book) error {
			k, err := b.Open(t.Context(), n, operator())
			for _, s := range script {
				if err == nil && int(k.Version) <= slices.IndexFunc(script, func(o step) bool { return o.event.Name == s.event.Name })+1 {
					k, err = b.Apply(t.Context(), k.ID, k.Version, s.event, "", s.by)
				}
			}
			return err
		}
		if err := live(first.open()); err == nil {
			if point < 8 {
				t.Fatalf("it lived beyond its %d. write", point)
			}
			return // every write was tried
		} else if !errors.Is(err, errDied) && fault.Of(err).Code != fault.Internal {
			t.Fatalf("point %d: %v", point, err)
		}
		h.pass(time.Minute)
		b := h.open()
		if err := live(b); err != nil {
			t.Fatalf("point %d: whoever came after: %v", point, err)
		}
		h.pass(time.Minute)
		if err := b.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []string{}
		for _, at := range []string{"0/desk", "0/leaders", "1/unit", "1/leaders", "2/unit", "3/leaders", "4/author", "4/unit", "4/desk"} {
			want = append(want, n.ID+"/"+at)
		}
		slices.Sort(want)
		told := slices.DeleteFunc(h.told(), func(id string) bool { return !strings.HasPrefix(id, n.ID) || strings.Contains(id, "/remind") })
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("point %d: %s", point, diff)
		}
		if said, err := b.Words(t.Context(), n.ID); err != nil || len(said) != 1 {
			t.Errorf("point %d: %d texts, %v", point, len(said), err)
		}
		if list := h.all(b, casebook.Filter{Phone: phone}, 10); len(list) != 1 || list[0].Number.N != point {
			t.Errorf("point %d: %d cases", point, len(list))
		}
	}
	t.Error("it never lived")
}

var errDied = errors.New("the process died")

// dying is a process that dies at a point: 1 is before the first write, 2 after it, and so on.
type dying struct {
	mu    sync.Mutex
	point int
	dead  bool
}

func (d *dying) step() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.point--; d.point <= 0 || d.dead {
		d.dead = true
		return fmt.Errorf("%w", errDied)
	}
	return nil
}

type mortalEngine struct {
	store.Engine
	*dying
}

func (m mortalEngine) Documents(ctx context.Context, kind store.Kind) (store.Documents, error) {
	d, err := m.Engine.Documents(ctx, kind)
	return mortalDocuments{d, m.dying}, err
}

type mortalDocuments struct {
	store.Documents
	*dying
}

func (m mortalDocuments) Insert(ctx context.Context, bodies ...[]byte) ([]error, error) {
	if err := m.step(); err != nil {
		return nil, err
	}
	errs, err := m.Documents.Insert(ctx, bodies...)
	if died := m.step(); died != nil {
		return nil, died
	}
	return errs, err
}

func (m mortalDocuments) Replace(ctx context.Context, body []byte, version store.Version) (store.Version, error) {
	if err := m.step(); err != nil {
		return 0, err
	}
	next, err := m.Documents.Replace(ctx, body, version)
	if died := m.step(); died != nil {
		return 0, died
	}
	return next, err
}
