package hotline_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/hotline"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
	"github.com/hailong-vn/hailong/internal/unit"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/hailong-vn/hailong/internal/testengine.(*Server).Start.func1"))
}

var (
	lan = hotline.Operator{Account: "a-lan", Name: "chị Lan"}
	ba  = hotline.Operator{Account: "a-ba", Name: "anh Ba"}
)

// house is a store with the offices "U" and "V" in a commune "X".
type house struct {
	*hotline.Hotline
	t      testing.TB
	engine store.Engine
	keys   secret.Keys
	mu     sync.Mutex
	now    time.Time
}

func onEngines(t *testing.T, test func(t *testing.T, h *house)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newHouse(t)) })
	t.Run("mongodb", func(t *testing.T) {
		uri, database := testengine.MongoDB(t)
		engine, err := mongodb.Open(t.Context(), uri, mongodb.Options{Database: database})
		if err != nil {
			t.Fatal(err)
		}
		test(t, houseOn(t, engine))
	})
}

func newHouse(t testing.TB) *house {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return houseOn(t, engine)
}

func houseOn(t testing.TB, engine store.Engine) *house {
	t.Helper()
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{t: t, engine: engine, now: time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC)} // 15:00 in Vietnam
	d, err := directory.Open(t.Context(), engine, directory.Options{Now: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []struct{ id, above string }{{"X", ""}, {"U", "X"}, {"V", "X"}} {
		if _, err := d.CreateUnit(t.Context(), u.id, "", unit.Words{Code: u.id, Name: "Đơn vị " + u.id, Level: "office", ParentID: u.above}); err != nil {
			t.Fatal(err)
		}
	}
	if h.keys, err = secret.Load(t.Context(), engine, secret.Source{Text: strings.Repeat("5a", 32)}); err != nil {
		t.Fatal(err)
	}
	feed := local.New(local.Options{Now: h.clock})
	t.Cleanup(func() {
		if err := feed.Close(); err != nil {
			t.Error(err)
		}
	})
	h.Hotline, err = hotline.Open(t.Context(), engine, hotline.Options{Directory: d, Keys: h.keys, Feed: feed, Now: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// begun is a call of "U" as it is begun.
func begun(change ...func(*hotline.Draft)) hotline.Draft {
	d := hotline.Draft{ID: uuid.Must(uuid.NewV7()).String(), Unit: "U"}
	for _, c := range change {
		c(&d)
	}
	return d
}

func (h *house) save(by hotline.Operator, d hotline.Draft, seen store.Version) hotline.Call {
	h.t.Helper()
	c, err := h.Save(h.t.Context(), by, d, seen)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// finish takes down a whole call.
func (h *house) finish(by hotline.Operator, d hotline.Draft) hotline.Call {
	h.t.Helper()
	c, err := h.Finish(h.t.Context(), by, d, 0, hotline.Finished{})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func wantFault(t testing.TB, err error, code fault.Code, reason string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s: %s", code, reason)
	}
	if got := fault.Of(err); got.Code != code || got.Reason != reason {
		t.Fatalf("got %v, want %s: %s", err, code, reason)
	}
}

func staleCall(t testing.TB, err error) hotline.Call {
	t.Helper()
	var stale *hotline.StaleCall
	if !errors.As(err, &stale) {
		t.Fatalf("got %v, want what stands there", err)
	}
	return stale.Current
}

func TestEveryReasonHasWords(t *testing.T) {
	reason := regexp.MustCompile(`"(hotline_\w+)"`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		data, err := os.ReadFile(file) //nolint:gosec // our own sources
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range reason.FindAllSubmatch(data, -1) {
			found++
			for _, l := range language.All {
				if key := "fault." + string(match[1]); l.Text(key) == key {
					t.Errorf("%s: %s has no words for %s", file, l, key)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("found only %d reasons", found)
	}
	for _, l := range language.All {
		for _, kind := range hotline.CallKinds() {
			if key := "hotline.kind." + string(kind); l.Text(key) == key {
				t.Errorf("%s has no words for %s", l, key)
			}
		}
		for _, result := range hotline.Results() {
			if key := "hotline.result." + result; l.Text(key) == key {
				t.Errorf("%s has no words for %s", l, key)
			}
		}
	}
}
