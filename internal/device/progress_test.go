package device

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/seal"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestNothingArrivedYet(t *testing.T) {
	h := newHouse(t)
	d := h.process()
	device, _ := h.make(d)
	through, err := d.StoredThrough(t.Context(), device.ID)
	if through != 0 || err != nil {
		t.Errorf("stored through %d, %v", through, err)
	}
	if gaps, err := d.Gaps(t.Context(), device.ID); len(gaps) != 0 || err != nil {
		t.Errorf("gaps %v, %v", gaps, err)
	}
	if _, ok, err := d.Head(t.Context(), device.ID); ok || err != nil {
		t.Errorf("head %v, %v", ok, err)
	}
}

// Many callers in two processes tell of overlapping runs in any order: what is kept is the set of all.
func TestManyTellOfOneDeviceAtOnce(t *testing.T) {
	h := newHouse(t)
	processes := []*Devices{h.process(), h.process()}
	sequences := rand.New(rand.NewPCG(1, 2)).Perm(800)
	var callers sync.WaitGroup
	for i := 0; i < len(sequences); i += 10 {
		d := processes[i/10%2]
		callers.Go(func() {
			var batch []uint64
			for _, s := range sequences[i : i+10] {
				if s%100 != 50 { // these never come
					batch = append(batch, uint64(s))
				}
			}
			if err := d.Received(t.Context(), "k1", batch, nil); err != nil {
				t.Error(err)
			}
			through, err := processes[1-i/10%2].StoredThrough(t.Context(), "k1")
			if err != nil || through >= 50 {
				t.Errorf("stored through %d, %v", through, err)
			}
		})
	}
	callers.Wait()
	gaps, err := processes[0].Gaps(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var want []Gap
	for s := uint64(50); s < 800; s += 100 {
		want = append(want, Gap{DeviceID: "k1", First: s, Last: s, SeenAt: at})
	}
	if diff := cmp.Diff(want, gaps); diff != "" {
		t.Error(diff)
	}
	if through, err := processes[0].StoredThrough(t.Context(), "k1"); through != 49 || err != nil {
		t.Errorf("stored through %d, %v", through, err)
	}
}

func TestTheHeadOnlyGoesForward(t *testing.T) {
	h := newHouse(t)
	here, there := h.process(), h.process()
	for _, n := range []uint64{20, 10, 30, 25} {
		link := seal.Chain(seal.Head{}, [][]byte{[]byte(fmt.Sprint(n))})
		s := &pb.BatchSeal{DeviceId: "k1", FirstSequence: n - 4, LastSequence: n, ChainHead: link[:]}
		if err := []*Devices{here, there}[n/10%2].Received(t.Context(), "k1", []uint64{n}, s); err != nil {
			t.Fatal(err)
		}
	}
	want := Head{30, seal.Chain(seal.Head{}, [][]byte{[]byte("30")})}
	if got, ok, err := here.Head(t.Context(), "k1"); got != want || !ok || err != nil {
		t.Errorf("head is %v, %v, %v", got, ok, err)
	}
	if err := here.Received(t.Context(), "k1", []uint64{31}, &pb.BatchSeal{LastSequence: 31, ChainHead: []byte("short")}); err != nil {
		t.Fatal(err)
	}
	if got, _, err := here.Head(t.Context(), "k1"); got != want || err != nil {
		t.Errorf("after a head that is none: %v, %v", got, err)
	}
}

// A hostile device that sends every second sequence fills one small document, and is never told too much.
func TestVeryManyGapsAreBounded(t *testing.T) {
	h := newHouse(t)
	d := h.process()
	var odd []uint64
	for s := uint64(1); s < 20_000; s += 2 {
		odd = append(odd, s)
	}
	for i := 0; i < len(odd); i += 1000 {
		if err := d.Received(t.Context(), "k1", odd[i:i+1000], nil); err != nil {
			t.Fatal(err)
		}
	}
	gaps, err := d.Gaps(t.Context(), "k1")
	if err != nil || len(gaps) > maxGaps {
		t.Errorf("%d gaps, %v", len(gaps), err)
	}
	if through, err := d.StoredThrough(t.Context(), "k1"); through != 1 || err != nil {
		t.Errorf("stored through %d, %v", through, err)
	}
	var rest []uint64
	for s := uint64(2); s < 20_000; s++ {
		rest = append(rest, s)
	}
	if err := d.Received(t.Context(), "k1", rest, nil); err != nil {
		t.Fatal(err)
	}
	if through, err := d.StoredThrough(t.Context(), "k1"); through != 19_999 || err != nil {
		t.Errorf("after all came: stored through %d, %v", through, err)
	}
}

// What one process remembers may be behind what stands, where another joined gaps: it must not take old news for none.
func TestWhatIsRememberedIsAskedAgainBeforeItIsBelieved(t *testing.T) {
	h := newHouse(t)
	here, there := h.process(), h.process()
	if err := here.Received(t.Context(), "k1", []uint64{1, 3}, nil); err != nil {
		t.Fatal(err)
	}
	var odd []uint64
	for s := uint64(5); s < 3000; s += 2 {
		odd = append(odd, s)
	}
	if err := there.Received(t.Context(), "k1", odd, nil); err != nil {
		t.Fatal(err)
	}
	joined := func() bool {
		gaps, err := there.Gaps(t.Context(), "k1")
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range gaps {
			if g.First <= 3 && 3 <= g.Last {
				return true
			}
		}
		return false
	}
	if !joined() {
		t.Fatal("this test needs 3 to be within a joined gap")
	}
	if err := here.Received(t.Context(), "k1", []uint64{3}, nil); err != nil {
		t.Fatal(err)
	}
	doc, _, err := here.progress.docs.Get(t.Context(), "k1")
	if err != nil {
		t.Fatal(err)
	}
	if doc.At != at && doc.At.Before(at) || doc.GapCount > maxGaps {
		t.Errorf("kept %d gaps at %v", doc.GapCount, doc.At)
	}
	// 3 is joined again at once, being the cheapest to join; sent with all that lies before the next gap it holds.
	if err := here.Received(t.Context(), "k1", []uint64{1, 2, 3, 4}, nil); err != nil {
		t.Fatal(err)
	}
	if joined() {
		t.Error("3 was sent again and is still missing")
	}
}

// slow counts writes, and lets a test hold them up or fail them.
type slow struct {
	store.Documents
	writes atomic.Int32
	hold   chan struct{}
	fail   atomic.Bool
}

func (s *slow) write(ctx context.Context) error {
	s.writes.Add(1)
	select {
	case <-s.hold:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.fail.Load() {
		return fmt.Errorf("disk full: %w", store.ErrUnavailable)
	}
	return nil
}

func (s *slow) Insert(ctx context.Context, bodies ...[]byte) ([]error, error) {
	if err := s.write(ctx); err != nil {
		return nil, err
	}
	return s.Documents.Insert(ctx, bodies...)
}

func (s *slow) Replace(ctx context.Context, body []byte, version store.Version) (store.Version, error) {
	if err := s.write(ctx); err != nil {
		return 0, err
	}
	return s.Documents.Replace(ctx, body, version)
}

func (s *slow) Find(ctx context.Context, query store.Query) iter.Seq2[store.Item, error] {
	return s.Documents.Find(ctx, query)
}

// slowEngine hands out slow documents.
type slowEngine struct {
	store.Engine
	slow *slow
}

func (e slowEngine) Documents(ctx context.Context, kind store.Kind) (store.Documents, error) {
	documents, err := e.Engine.Documents(ctx, kind)
	if kind.Name != progressType.Kind.Name {
		return documents, err
	}
	e.slow.Documents = documents
	return e.slow, err
}

func TestCallersThatWaitShareOneWrite(t *testing.T) {
	h := newHouse(t)
	s := &slow{hold: make(chan struct{})}
	h.engine = slowEngine{h.engine, s}
	d := h.process()
	const callers = 64
	answers := make(chan error, callers)
	for i := range callers {
		go func() { answers <- d.Received(t.Context(), "k1", []uint64{uint64(i + 1)}, nil) }()
		if i == 0 {
			eventually(t, "the first write is under way", func() bool { return s.writes.Load() == 1 })
		}
	}
	eventually(t, "all others wait", func() bool {
		d.progress.mu.Lock()
		defer d.progress.mu.Unlock()
		return len(d.progress.waiting["k1"]) == callers-1
	})
	leaving, leave := context.WithCancel(t.Context())
	leave()
	if err := d.Received(leaving, "k1", []uint64{callers + 1}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that leaves: %v", err)
	}
	close(s.hold)
	for range callers {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if n := s.writes.Load(); n != 2 {
		t.Errorf("%d writes for %d callers", n, callers)
	}
	// What the caller that left had told is kept all the same.
	if through, err := d.StoredThrough(t.Context(), "k1"); through != callers+1 || err != nil {
		t.Errorf("stored through %d, %v", through, err)
	}
}

func TestAWriteThatFailsIsNotAnsweredAsKept(t *testing.T) {
	h := newHouse(t)
	s := &slow{hold: make(chan struct{})}
	close(s.hold)
	h.engine = slowEngine{h.engine, s}
	d := h.process()
	if err := d.Received(t.Context(), "k1", []uint64{1}, nil); err != nil {
		t.Fatal(err)
	}
	s.fail.Store(true)
	err := d.Received(t.Context(), "k1", []uint64{2}, nil)
	wantFault(t, err, fault.Unavailable, "store_unavailable")
	s.fail.Store(false)
	if through, err := d.StoredThrough(t.Context(), "k1"); through != 1 || err != nil {
		t.Errorf("stored through %d, %v", through, err)
	}
	if err := d.Received(t.Context(), "k1", []uint64{2}, nil); err != nil {
		t.Fatal(err)
	}
	if through, err := d.StoredThrough(t.Context(), "k1"); through != 2 || err != nil {
		t.Errorf("stored through %d, %v", through, err)
	}
}

func TestNothingNewIsNotWritten(t *testing.T) {
	h := newHouse(t)
	s := &slow{hold: make(chan struct{})}
	close(s.hold)
	h.engine = slowEngine{h.engine, s}
	d := h.process()
	for range 5 {
		if err := d.Received(t.Context(), "k1", []uint64{1, 2, 3}, nil); err != nil {
			t.Fatal(err)
		}
		h.clock.add(time.Second)
	}
	if n := s.writes.Load(); n != 1 {
		t.Errorf("%d writes of the same", n)
	}
}

// What stands in the store is the set of all that was told, through any processes, restarts among them.
func TestKeptProgressIsASet(t *testing.T) {
	h := newHouse(t)
	processes := []*Devices{h.process(), h.process()}
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		device := fmt.Sprint("k", run)
		m := model{}
		for range rapid.IntRange(1, 8).Draw(t, "calls") {
			call := rapid.SliceOfN(rapid.Uint64Range(1, 40), 0, 10).Draw(t, "call")
			d := rapid.SampledFrom(processes).Draw(t, "process")
			if err := d.Received(context.Background(), device, call, nil); err != nil {
				t.Fatal(err)
			}
			for _, s := range call {
				m[s] = true
			}
			gaps, err := d.Gaps(context.Background(), device)
			if err != nil {
				t.Fatal(err)
			}
			var got []span
			for _, g := range gaps {
				got = append(got, span{g.First, g.Last})
			}
			if diff := cmp.Diff(m.missing(), got, cmp.AllowUnexported(span{})); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
