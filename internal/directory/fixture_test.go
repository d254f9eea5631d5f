package directory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
	"github.com/hailong-vn/hailong/internal/unit"
)

// onEngines runs a test on each engine that is to be had.
func onEngines(t *testing.T, test func(t *testing.T, engine store.Engine)) {
	t.Run("sqlite", func(t *testing.T) { test(t, openSQLite(t, t.TempDir())) })
	t.Run("mongodb", func(t *testing.T) {
		uri, database := testengine.MongoDB(t)
		engine, err := mongodb.Open(t.Context(), uri, mongodb.Options{Database: database})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closing(t, engine) })
		test(t, engine)
	})
}

func openSQLite(t testing.TB, folder string) store.Engine {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), folder, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, engine) })
	return engine
}

func closing(t testing.TB, engine store.Engine) {
	if err := engine.Close(); err != nil {
		t.Error(err)
	}
}

var noon = time.Date(2026, 1, 1, 5, 0, 0, 0, time.UTC) // 12:00 in Vietnam

func open(t testing.TB, engine store.Engine) *directory.Directory {
	t.Helper()
	return openWith(t, engine, directory.Options{Now: func() time.Time { return noon }})
}

func openWith(t testing.TB, engine store.Engine, options directory.Options) *directory.Directory {
	t.Helper()
	d, err := directory.Open(t.Context(), engine, options)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func province(code string) unit.Words {
	return unit.Words{Code: code, Name: "Tỉnh " + code, Level: "province"}
}

func commune(code, parent string) unit.Words {
	return unit.Words{Code: code, Name: "Xã " + code, Level: "commune", ParentID: parent}
}

func create(t testing.TB, d *directory.Directory, id string, words unit.Words) unit.Unit {
	t.Helper()
	u, err := d.CreateUnit(t.Context(), id, "", words)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func wantFault(t *testing.T, err error, code fault.Code, reason string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code || f.Reason != reason {
		t.Fatalf("got %v, want %s %s", err, code, reason)
	}
	for _, l := range language.All {
		if said := l.Text("fault."+f.Reason, f.Args...); strings.Contains(said, "{") || strings.HasPrefix(said, "fault.") {
			t.Errorf("%s says %q", l, said)
		}
	}
}

// failing is an engine whose writes to one kind fail while Fails is positive: a process that dies or loses its
// connection in the middle of a change.
type failing struct {
	store.Engine
	kind  string
	fails atomic.Int64
}

func (f *failing) Documents(ctx context.Context, kind store.Kind) (store.Documents, error) {
	documents, err := f.Engine.Documents(ctx, kind)
	if kind.Name == f.kind {
		documents = &failingDocuments{documents, f}
	}
	return documents, err
}

type failingDocuments struct {
	store.Documents
	on *failing
}

func (f *failingDocuments) Insert(ctx context.Context, bodies ...[]byte) ([]error, error) {
	if f.on.fails.Add(-1) >= 0 {
		half := len(bodies) / 2 // some of it lands
		if _, err := f.Documents.Insert(ctx, bodies[:half]...); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: the line is cut", store.ErrUnavailable)
	}
	return f.Documents.Insert(ctx, bodies...)
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/hailong-vn/hailong/internal/testengine.(*Server).Start.func1"))
}
