package directory_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
)

func TestUnitsLive(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		ctx := t.Context()
		d := open(t, engine)
		create(t, d, "north", province("01"))
		create(t, d, "south", province("02"))
		a := create(t, d, "a", commune("10", "north"))
		made := create(t, d, "", commune("11", "north"))
		if a.Home != "north" || made.Home != "north" || len(made.ID) != 32 || !unit.ValidID(made.ID) {
			t.Errorf("made %+v and %+v", a, made)
		}
		if again := create(t, d, "a", commune("10", "north")); cmp.Diff(a, again) != "" {
			t.Error("the same unit again is not the same")
		}
		_, err := d.CreateUnit(ctx, "a", "", commune("12", "north"))
		wantFault(t, err, fault.Exists, "directory_id_taken")
		_, err = d.CreateUnit(ctx, "b", "", commune("10", "north"))
		wantFault(t, err, fault.Exists, "unit_code_taken")
		_, err = d.CreateUnit(ctx, "b", "", commune("12", "nobody"))
		wantFault(t, err, fault.Invalid, "unit_parent_missing")
		_, err = d.CreateUnit(ctx, "a/b", "", commune("12", "north"))
		wantFault(t, err, fault.Invalid, "unit_id_invalid")
		_, err = d.ChangeUnit(ctx, "a", "", commune("10", "south"))
		wantFault(t, err, fault.Invalid, "unit_day_missing")
		_, err = d.ChangeUnit(ctx, "nobody", "2025-01-01", commune("10", "south"))
		wantFault(t, err, fault.NotFound, "directory_unit_missing")
		moved, err := d.ChangeUnit(ctx, "a", "2025-07-01", commune("10", "south"))
		if err != nil || moved.Home != "north" || len(moved.Eras) != 2 {
			t.Fatalf("moved: %+v, %v", moved, err)
		}
		_, err = d.ChangeUnit(ctx, "south", "2025-07-01", commune("02", "a"))
		wantFault(t, err, fault.Invalid, "unit_cycle")
		if _, err = d.CloseUnit(ctx, made.ID, "2025-07-01", []string{"a"}); err != nil {
			t.Fatal(err)
		}
		_, err = d.CloseUnit(ctx, "south", "2025-08-01", []string{"north"})
		wantFault(t, err, fault.Invalid, "unit_has_children")

		before := d.Revision()
		if _, err = d.CloseUnit(ctx, made.ID, "2025-07-01", []string{"a"}); err != nil || d.Revision() != before {
			t.Errorf("the same closing again made revision %d of %d: %v", d.Revision(), before, err)
		}
		// Another process, opened afresh, sees the same.
		other := open(t, engine)
		for _, d := range []*directory.Directory{d, other} {
			if diff := cmp.Diff(map[string]bool{"south": true, "a": true, made.ID: true}, d.Tree().SubtreeToday("south")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(map[string]bool{"north": true, "a": true, made.ID: true}, d.Tree().SubtreeOn("north", "2025-06-30")); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestWhatUnitsHave(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		ctx := t.Context()
		d := open(t, engine)
		create(t, d, "p", province("01"))
		create(t, d, "q", province("02"))
		counter, err := d.CreateCounter(ctx, directory.Counter{UnitID: "p", Code: "1", Name: norm.NFD.String("Quầy 1: Hộ tịch")})
		if err != nil || counter.ID == "" || counter.Name != "Quầy 1: Hộ tịch" {
			t.Fatalf("%+v, %v", counter, err)
		}
		if got, ok := d.Counter(counter.ID); !ok || got != counter {
			t.Errorf("kept %+v", got)
		}
		if again, err := d.CreateCounter(ctx, counter); err != nil || again != counter {
			t.Errorf("the same again: %+v, %v", again, err)
		}
		other := counter
		other.Name = "Quầy khác"
		_, err = d.CreateCounter(ctx, other)
		wantFault(t, err, fault.Exists, "directory_id_taken")
		_, err = d.CreateCounter(ctx, directory.Counter{UnitID: "p", Code: "1", Name: "Quầy 1"})
		wantFault(t, err, fault.Exists, "directory_counter_code_taken")
		if _, err = d.CreateCounter(ctx, directory.Counter{UnitID: "q", Code: "1", Name: "Quầy 1"}); err != nil {
			t.Errorf("the code in another unit: %v", err)
		}
		_, err = d.CreateCounter(ctx, directory.Counter{UnitID: "nobody", Code: "1", Name: "Quầy 1"})
		wantFault(t, err, fault.Invalid, "directory_unit_missing")
		_, err = d.CreateCounter(ctx, directory.Counter{UnitID: "p", Code: "2"})
		wantFault(t, err, fault.Invalid, "directory_text_invalid")
		_, err = d.CreateCounter(ctx, directory.Counter{ID: "a@b", UnitID: "p", Code: "2", Name: "x"})
		wantFault(t, err, fault.Invalid, "directory_id_invalid")
		_, err = d.CreateCounters(ctx, []directory.Counter{{UnitID: "p", Code: "7", Name: "a"}, {UnitID: "p", Code: "7", Name: "b"}})
		wantFault(t, err, fault.Exists, "directory_counter_code_taken")
		_, err = d.CreateCounters(ctx, []directory.Counter{{ID: "x", UnitID: "p", Code: "8", Name: "a"}, {ID: "x", UnitID: "p", Code: "8", Name: "a"}})
		wantFault(t, err, fault.Exists, "directory_id_taken")

		official, err := d.CreateOfficial(ctx, directory.Official{UnitID: "p", Name: "Nguyễn Thị Đào", Position: "Công chức tư pháp"})
		if got, ok := d.Official(official.ID); err != nil || !ok || got != official {
			t.Errorf("%+v, %v", got, err)
		}
		_, err = d.CreateOfficial(ctx, directory.Official{UnitID: "p", Name: "a\x00b"})
		wantFault(t, err, fault.Invalid, "directory_text_invalid")
		procedure, err := d.CreateProcedure(ctx, directory.Procedure{Code: "1.000894", Name: "Đăng ký kết hôn", Field: "Hộ tịch"})
		if got, ok := d.Procedure("1.000894"); err != nil || !ok || got != procedure {
			t.Errorf("%+v, %v", got, err)
		}
		_, err = d.CreateProcedure(ctx, directory.Procedure{Code: "1.000894", Name: "Khác"})
		wantFault(t, err, fault.Exists, "directory_id_taken")

		afresh := open(t, engine)
		if _, ok := afresh.Counter(counter.ID); !ok || afresh.Revision() != d.Revision() {
			t.Errorf("opened afresh at revision %d of %d", afresh.Revision(), d.Revision())
		}
	})
}

func TestPublishing(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		ctx := t.Context()
		d := open(t, engine)
		for range 2 {
			if err := d.PublishBuiltIn(ctx); err != nil {
				t.Fatal(err)
			}
		}
		q, ok := d.Questionnaire("kiosk", 1)
		if !ok || d.Revision() != 3 {
			t.Fatalf("kiosk@1 %v, revision %d", ok, d.Revision())
		}
		if again, err := d.PublishQuestionnaire(ctx, q.YAML); err != nil || again != q {
			t.Errorf("the same text again: %v", err)
		}
		_, err := d.PublishQuestionnaire(ctx, q.YAML+"\n# another word\n")
		wantFault(t, err, fault.Exists, "directory_questionnaire_published")
		_, err = d.PublishQuestionnaire(ctx, "id: kiosk\n")
		wantFault(t, err, fault.Invalid, "questionnaire_field_missing")
		var keys []string
		for page := (directory.Page{Size: 2}); ; {
			list, next, err := open(t, engine).ListQuestionnaires(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range list {
				keys = append(keys, q.Key())
			}
			if page.Token = next; next == "" {
				break
			}
		}
		if diff := cmp.Diff([]string{"kiosk@1", "kiosk3@1", "sipas@1"}, keys); diff != "" {
			t.Error(diff)
		}
		if _, ok := d.Questionnaire("kiosk", 2); ok {
			t.Error("a version nobody published")
		}
	})
}

func TestTheDayTurns(t *testing.T) {
	var now atomic.Pointer[time.Time]
	set := func(at time.Time) { now.Store(&at) }
	set(time.Date(2025, 6, 30, 16, 59, 59, 0, time.UTC)) // 23:59:59 in Vietnam
	d := openWith(t, openSQLite(t, t.TempDir()), directory.Options{Now: func() time.Time { return *now.Load() }})
	create(t, d, "old", province("01"))
	create(t, d, "new", province("02"))
	if _, err := d.CloseUnit(t.Context(), "old", "2025-07-01", []string{"new"}); err != nil {
		t.Fatal(err)
	}
	if got := d.Tree(); got.Today() != "2025-06-30" || len(got.SubtreeToday("new")) != 1 {
		t.Errorf("before midnight: %s, %v", got.Today(), got.SubtreeToday("new"))
	}
	set(now.Load().Add(time.Second))
	if got := d.Tree(); got.Today() != "2025-07-01" || len(got.SubtreeToday("new")) != 2 {
		t.Errorf("after midnight: %s, %v", got.Today(), got.SubtreeToday("new"))
	}
	if tree := d.Tree(); d.Tree() != tree {
		t.Error("the tree is made again on every call")
	}
}

// Several processes change at once; each change is decided on the state before it, so the tree stays a tree.
func TestProcessesAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		ctx := t.Context()
		const processes, each = 4, 8
		var told atomic.Int64
		var all []*directory.Directory
		for range processes {
			all = append(all, openWith(t, engine, directory.Options{Now: func() time.Time { return noon }, Changed: func(int64) { told.Add(1) }}))
		}
		create(t, all[0], "a", province("01"))
		create(t, all[0], "b", province("02"))
		var wait sync.WaitGroup
		var moved, codes atomic.Int64
		for p, d := range all {
			wait.Go(func() {
				// Half put a under b, half b under a: one of the two is a ring.
				id, under := "a", "b"
				if p%2 == 1 {
					id, under = under, id
				}
				if _, err := d.ChangeUnit(ctx, id, "2025-01-01", unit.Words{Name: "Tỉnh", Level: "province", ParentID: under}); err == nil {
					moved.Add(1)
				} else if fault.Of(err).Reason != "unit_cycle" {
					t.Errorf("moving %s: %v", id, err)
				}
				for i := range each {
					if _, err := d.CreateUnit(ctx, fmt.Sprintf("u%d-%d", p, i), "2025-01-01", commune(fmt.Sprintf("%d-%d", p, i), "a")); err != nil {
						t.Errorf("unit: %v", err)
					}
					if _, err := d.CreateUnit(ctx, fmt.Sprintf("c%d-%d", p, i), "2025-01-01", commune(fmt.Sprint("code", i), "a")); err == nil {
						codes.Add(1)
					} else if fault.Of(err).Reason != "unit_code_taken" {
						t.Errorf("code: %v", err)
					}
				}
			})
		}
		wait.Wait()
		if moved.Load() != processes/2 || codes.Load() != each {
			t.Errorf("%d moves and %d codes went through", moved.Load(), codes.Load())
		}
		want := 2 + processes*each + each
		for i, d := range append(all, open(t, engine)) {
			if err := d.Refresh(ctx); err != nil {
				t.Fatal(err)
			}
			if d.Tree().Len() != want || d.Revision() != all[0].Revision() {
				t.Errorf("process %d has %d units at revision %d, want %d at %d", i, d.Tree().Len(), d.Revision(), want, all[0].Revision())
			}
		}
		if told.Load() != all[0].Revision() {
			t.Errorf("told of %d changes, made %d", told.Load(), all[0].Revision())
		}
	})
}

func TestAChangeCutInTheMiddleIsFinishedByTheNext(t *testing.T) {
	inner := openSQLite(t, t.TempDir())
	engine := &failing{Engine: inner, kind: "units"}
	d := open(t, engine)
	var rows []directory.UnitRow
	for i := range 10 {
		rows = append(rows, directory.UnitRow{ID: fmt.Sprintf("u%d", i), Words: province(fmt.Sprint(i))})
	}
	engine.fails.Store(1)
	_, err := d.ImportUnits(t.Context(), rows, nil)
	wantFault(t, err, fault.Unavailable, "directory_unavailable")
	if got := d.Tree().Len(); got != 0 {
		t.Errorf("half a change is shown: %d units", got)
	}
	// Another process comes; the one that was cut off asks again.
	if got := open(t, inner).Tree().Len(); got != 10 {
		t.Errorf("the change was not finished: %d units", got)
	}
	results, err := d.ImportUnits(t.Context(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Imported != directory.Unchanged {
			t.Errorf("again: %+v", r)
		}
	}
}

func TestWatchSeesWhatOthersChange(t *testing.T) {
	engine := openSQLite(t, t.TempDir())
	here := openWith(t, engine, directory.Options{PollEvery: 5 * time.Millisecond})
	there := open(t, engine)
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() { here.Watch(ctx) })
	create(t, there, "p", province("01"))
	deadline := time.Now().Add(10 * time.Second)
	for here.Tree().Len() == 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if here.Tree().Len() != 1 {
		t.Error("not seen in ten seconds")
	}
	stop()
	wait.Wait()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := here.Refresh(canceled); err == nil {
		t.Error("a refresh whose context ended went well")
	}
}

func TestAnOlderCopyIsReadAfresh(t *testing.T) {
	older, newer := openSQLite(t, t.TempDir()), openSQLite(t, t.TempDir())
	swap := &swapping{}
	swap.Store(&newer)
	create(t, open(t, older), "old", province("01"))
	d := openWith(t, swappingEngine{newer, swap, older}, directory.Options{Now: func() time.Time { return noon }})
	create(t, d, "a", province("01"))
	create(t, d, "b", province("02"))
	swap.Store(&older)
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"old"}, d.Tree().IDs()); diff != "" {
		t.Error(diff)
	}
}

// swappingEngine reads one engine, then another: a store put back to an older copy.
type swapping = atomic.Pointer[store.Engine]

type swappingEngine struct {
	store.Engine
	now   *swapping
	older store.Engine
}

func (s swappingEngine) Documents(ctx context.Context, kind store.Kind) (store.Documents, error) {
	newer, err := s.Engine.Documents(ctx, kind)
	if err != nil {
		return nil, err
	}
	older, err := s.older.Documents(ctx, kind)
	return swappingDocuments{newer, older, s}, err
}

type swappingDocuments struct {
	store.Documents
	older store.Documents
	on    swappingEngine
}

func (s swappingDocuments) at() store.Documents {
	if *s.on.now.Load() == s.on.older {
		return s.older
	}
	return s.Documents
}

func (s swappingDocuments) Get(ctx context.Context, id string) (store.Item, error) {
	return s.at().Get(ctx, id)
}

func (s swappingDocuments) Find(ctx context.Context, q store.Query) iter.Seq2[store.Item, error] {
	return s.at().Find(ctx, q)
}
