package casebook_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

func TestALife(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ctx, b := t.Context(), h.open()
		n := opinion(func(n *casebook.New) {
			n.Officials, n.Ratings, n.Contact = []string{"o-about"}, []string{"P/P.A.1/r1"}, &casebook.Contact{Name: "Nguyễn Thị Mai", Phone: "0912 345 678"}
		})
		k, err := b.Open(ctx, n, operator())
		if err != nil {
			t.Fatal(err)
		}
		if k.Number != (casework.Number{Unit: commune, Year: 2026, N: 1}) || k.Code == "" || k.Version != 1 || k.State != casework.Received || k.Due == "" || !k.HasWords || !k.HasContact {
			t.Fatalf("opened: %+v", k)
		}
		again, err := b.Open(ctx, n, operator())
		if diff := cmp.Diff(k, again); err != nil || diff != "" {
			t.Fatalf("the same opened again: %v %s", err, diff)
		}
		n.Words = "Điều khác"
		_, err = b.Open(ctx, n, operator())
		wantFault(t, err, fault.Exists, "casebook_exists")

		k = h.apply(b, k, event(casework.Assign), operator())
		k = h.apply(b, k, event(casework.RequestExplanation), deputy())
		if _, err := b.SaveDraft(ctx, k.ID, "hoa", 0, *explanation("đang viết")); err != nil {
			t.Fatal(err)
		}
		k = h.apply(b, k, event(casework.Submit), writer())
		k = h.apply(b, k, event(casework.Accept), deputy())
		k = h.apply(b, k, event(casework.Reply), operator())
		reopened, err := b.Apply(ctx, k.ID, k.Version, casework.Event{Name: casework.Reopen, Reasons: []casework.Reason{casework.OtherReason}}, "Vẫn phải đi thêm một lần nữa", casework.TheCitizen())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Apply(ctx, k.ID, 0, event(casework.RequestExplanation), "lời không có chỗ", deputy()); fault.Of(err).Reason != "casebook_words_not_here" {
			t.Errorf("words where none are kept: %v", err)
		}
		k = h.apply(b, reopened, event(casework.RequestExplanation), deputy())
		k = h.apply(b, k, event(casework.Submit), writer())
		k = h.apply(b, k, event(casework.Accept), deputy())
		k = h.apply(b, k, event(casework.Reply), operator())
		k = h.apply(b, k, casework.Event{Name: casework.Satisfied}, casework.TheCitizen())
		if k.State != casework.Closed || k.Version != 12 || k.Due != "" {
			t.Fatalf("at the end: %s, version %d, due %q", k.State, k.Version, k.Due)
		}
		stands, err := b.Get(ctx, k.ID)
		if diff := cmp.Diff(k, stands); err != nil || diff != "" {
			t.Errorf("read again: %v %s", err, diff)
		}
		replayed, err := casework.Replay(stands.Opening, stands.History)
		if diff := cmp.Diff(stands.Case, replayed); err != nil || diff != "" {
			t.Errorf("replayed: %v %s", err, diff)
		}
		said, err := b.Words(ctx, k.ID)
		if err != nil || len(said) != 2 || said[0].Text != "Tôi đi lại ba lần mà chưa được nhận hồ sơ" || said[1].Text != "Vẫn phải đi thêm một lần nữa" {
			t.Errorf("words: %+v %v", said, err)
		}
		byCode, err := b.ByCode(ctx, k.Code.String())
		if err != nil || byCode.ID != k.ID {
			t.Errorf("by code: %v %v", byCode.ID, err)
		}
		held, err := b.HeldRatings(ctx, "P/P.A.1/r1", "P/P.A.1/r2")
		if err != nil || len(held) != 1 || held["P/P.A.1/r1"][0].ID != k.ID {
			t.Errorf("held ratings: %v %v", held, err)
		}
		register, err := b.Register(ctx, commune, 2026, "", 10)
		if err != nil || len(register.Cases) != 1 || register.Next != "" {
			t.Errorf("register: %+v %v", register, err)
		}
		if len(h.heard) != 12 || !strings.HasPrefix(h.heard[0], casebook.Topic+" ") {
			t.Errorf("the bus heard %d, first %s", len(h.heard), h.heard[0])
		}
		for _, fails := range []struct {
			name string
			do   func() error
			code fault.Code
			want string
		}{
			{"an unknown case", func() error { _, err := b.Get(ctx, newID()); return err }, fault.NotFound, "casebook_unknown"},
			{"an unknown code", func() error { _, err := b.ByCode(ctx, "572493816508"); return err }, fault.NotFound, "casebook_code_unknown"},
			{"an id of no kind", func() error {
				_, err := b.Open(ctx, opinion(func(n *casebook.New) { n.ID = "1" }), operator())
				return err
			}, fault.Invalid, "casebook_id"},
			{"an unknown unit", func() error {
				_, err := b.Open(ctx, opinion(func(n *casebook.New) { n.Receiving = "X" }), operator())
				return err
			}, fault.NotFound, "unit_unknown"},
			{"somebody who may not", func() error { _, err := b.Open(ctx, opinion(), writer()); return err }, fault.Denied, "casework_denied"},
			{"no telephone number", func() error {
				_, err := b.Open(ctx, opinion(func(n *casebook.New) { n.Contact = &casebook.Contact{Phone: "12"} }), operator())
				return err
			}, fault.Invalid, "casebook_phone"},
			{"no address of mail", func() error {
				_, err := b.Open(ctx, opinion(func(n *casebook.New) { n.Contact = &casebook.Contact{Email: "mai"} }), operator())
				return err
			}, fault.Invalid, "casebook_email"},
			{"too many words", func() error {
				_, err := b.Open(ctx, opinion(func(n *casebook.New) { n.Words = strings.Repeat("ạ", casebook.MaxWords+1) }), operator())
				return err
			}, fault.Invalid, "casebook_text_long"},
			{"a unit nobody knows is put in charge", func() error {
				_, err := b.Apply(ctx, k.ID, 0, casework.Event{Name: casework.Assign, Unit: "X"}, "", operator())
				return err
			}, fault.NotFound, "unit_unknown"},
		} {
			if err := fails.do(); err == nil || fault.Of(err).Code != fails.code || fault.Of(err).Reason != fails.want {
				t.Errorf("%s: %v", fails.name, err)
			}
		}
	})
}

func TestTwoLeadersAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		books := []*casebook.Book{h.open(), h.open()} // of two processes
		k := h.explained(books[0])
		back := casework.Event{Name: casework.Return, Reasons: []casework.Reason{casework.NoCause}}
		var wait sync.WaitGroup
		outcomes := make([]error, 2)
		for i, do := range []struct {
			event casework.Event
			by    casework.Actor
		}{{event(casework.Accept), deputy()}, {back, leader()}} {
			wait.Go(func() { _, outcomes[i] = books[i].Apply(ctx, k.ID, k.Version, do.event, "", do.by) })
		}
		wait.Wait()
		won := slices.Index(outcomes, nil)
		if won < 0 || outcomes[1-won] == nil {
			t.Fatalf("outcomes: %v", outcomes)
		}
		wantFault(t, outcomes[1-won], fault.Stale, "casebook_changed")
		var changed *casebook.ChangedError
		if !errors.As(outcomes[1-won], &changed) || len(changed.Since) != 1 || changed.Now.Version != k.Version+1 {
			t.Fatalf("the other is told %+v", changed)
		}
		if by := changed.Since[0].By.Account; by != []string{"thu", "dung"}[won] {
			t.Errorf("and that it was %s", by)
		}
		// whoever decides on whatever stands is refused by the table then
		if _, err := books[0].Apply(ctx, k.ID, 0, event(casework.Accept), "", deputy()); won == 0 && fault.Of(err).Reason != "casework_not_now" {
			t.Errorf("accepted twice: %v", err)
		}
	})
}

func TestFiftyOpeningsAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		books := []*casebook.Book{h.open(), h.open(), h.open()} // of three processes
		var wait sync.WaitGroup
		numbers := make([]int, 50)
		for i := range numbers {
			wait.Go(func() {
				k, err := books[i%len(books)].Open(ctx, opinion(), operator())
				if err != nil {
					t.Error(err)
				}
				numbers[i] = k.Number.N
			})
		}
		wait.Wait()
		slices.Sort(numbers)
		want := make([]int, 50)
		for i := range want {
			want[i] = i + 1
		}
		if diff := cmp.Diff(want, numbers); diff != "" {
			t.Fatal(diff)
		}
		if last, err := books[0].LastNumber(ctx, commune, 2026); err != nil || last != 50 {
			t.Errorf("last number %d %v", last, err)
		}
		h.days(60) // another year has a register of its own, and each unit has
		if k := h.opened(books[0]); k.Number != (casework.Number{Unit: commune, Year: 2027, N: 1}) {
			t.Errorf("in the next year: %v", k.Number)
		}
	})
}

// TestAGapIsFilled lets a process die in the middle of a write, of which later numbers landed and one did not.
func TestAGapIsFilled(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	dying := &house{t: t, engine: h.engine, now: start, hours: h.hours, keys: h.keys, rules: h.rules, tree: h.tree}
	dying.engine = forgetful{h.engine}
	b := dying.open()
	var wait sync.WaitGroup
	var mu sync.Mutex
	lost := 0
	for range 20 {
		wait.Go(func() {
			if _, err := b.Open(ctx, opinion(), operator()); err != nil {
				mu.Lock()
				defer mu.Unlock()
				lost++
			}
		})
	}
	wait.Wait()
	if lost == 0 {
		t.Fatal("nothing was lost, so nothing is tried")
	}
	after := h.open()
	for range lost + 3 {
		h.opened(after)
	}
	seen := map[int]bool{}
	top := 0
	page, err := after.Register(ctx, commune, 2026, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range page.Cases {
		seen[k.Number.N] = true
		top = max(top, k.Number.N)
	}
	if top != len(page.Cases) || len(seen) != top {
		t.Errorf("%d cases up to number %d", len(page.Cases), top)
	}
}

// forgetful writes the second half of what comes together, and fails.
type forgetful struct{ store.Engine }

func (f forgetful) Documents(ctx context.Context, kind store.Kind) (store.Documents, error) {
	d, err := f.Engine.Documents(ctx, kind)
	if kind.Name == "cases" {
		d = &forgetfulDocuments{Documents: d}
	}
	return d, err
}

type forgetfulDocuments struct {
	store.Documents
	mu    sync.Mutex
	calls int
}

func (f *forgetfulDocuments) Insert(ctx context.Context, bodies ...[]byte) ([]error, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls++; f.calls%2 == 0 || len(bodies) > 1 {
		if _, err := f.Documents.Insert(ctx, bodies[(len(bodies)+1)/2:]...); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: the line is cut", store.ErrUnavailable)
	}
	return f.Documents.Insert(ctx, bodies...)
}

func TestEscalationsOvertakeNobody(t *testing.T) {
	h := newHouse(t)
	ctx, b := t.Context(), h.open()
	seen := h.explained(b)
	h.days(30)
	if err := b.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	now, err := b.Get(ctx, seen.ID)
	if err != nil || now.Version <= seen.Version {
		t.Fatalf("a review of thirty days did not escalate: %v", err)
	}
	if _, err := b.Apply(ctx, seen.ID, seen.Version, event(casework.Accept), "", deputy()); err != nil {
		t.Errorf("a leader who had it open: %v", err)
	}
	if _, err := b.Apply(ctx, seen.ID, seen.Version, event(casework.Accept), "", leader()); !fault.Is(err, fault.Stale) {
		t.Errorf("and one who comes after: %v", err)
	}
	if _, err := b.Apply(ctx, seen.ID, 999, event(casework.Reply), "", operator()); !fault.Is(err, fault.Stale) {
		t.Errorf("a version that never was: %v", err)
	}
}
