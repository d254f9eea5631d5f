package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"
)

type memo struct {
	ID   string    `bson:"_id"`
	Name string    `bson:"name,omitempty"`
	At   time.Time `bson:"at,omitempty"`
}

func open(t *testing.T, folder string, options Options) *Engine {
	t.Helper()
	e, err := Open(t.Context(), folder, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() }) // a second time where the test has closed it
	return e
}

// raw is another program's connection to the engine's file.
func raw(t *testing.T, folder string) *sql.Conn {
	t.Helper()
	db, err := sql.Open("sqlite", dataSource(filepath.Join(folder, FileName), "busy_timeout(5000)"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func testRecord(id string) rating.Record {
	counted := rating.Counted{Unit: "u", Day: "2026-11-22", Hour: 9, Channel: 1, Questionnaire: "kiosk", Version: 3}
	return rating.Record{ID: rating.RecordID("26", "u", id), Kind: rating.KindRating, Cell: counted.Cell(), Counted: counted, ReceivedAt: time.Unix(1e9, 0), Score: 4}
}

func TestTheFileItselfRefusesChanges(t *testing.T) {
	folder := t.TempDir()
	e := open(t, folder, Options{})
	if _, err := e.Ratings().Append(t.Context(), []rating.Record{testRecord("1"), testRecord("2")}); err != nil {
		t.Fatal(err)
	}
	journal, err := store.Define[memo]("journal").AppendOnly().Open(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.Insert(t.Context(), memo{ID: "1", Name: "first"}); err != nil {
		t.Fatal(err)
	}
	conn := raw(t, folder)
	for _, statement := range []string{
		"UPDATE ratings SET score = 5", "UPDATE ratings SET id = 'x' WHERE seq = 1", "DELETE FROM ratings", "DELETE FROM ratings WHERE seq = 2",
		"INSERT INTO ratings (id, cell, received, kind, score, body) VALUES ('26/u/1', 'c', 0, 'rating', 5, x'00') ON CONFLICT (id) DO UPDATE SET score = 5",
		"UPDATE OR REPLACE ratings SET id = '26/u/1' WHERE seq = 2", "UPDATE journal SET body = x'00'", "DELETE FROM journal",
	} {
		if _, err := conn.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			// The upsert meets the trigger that stops replacing, and does nothing.
			if !strings.HasPrefix(statement, "INSERT") {
				t.Errorf("%s: %v", statement, err)
			}
		}
	}
	for _, statement := range []string{ // these do nothing
		"INSERT OR REPLACE INTO ratings (id, cell, received, kind, score, body) VALUES ('26/u/1', 'c', 0, 'rating', 5, x'00')",
		"INSERT OR REPLACE INTO ratings (seq, id, cell, received, kind, score, body) VALUES (1, 'other', 'c', 0, 'rating', 5, x'00')",
		"REPLACE INTO journal (id, version, body) VALUES ('1', 9, x'00')", "REPLACE INTO journal (rowid, id, version, body) VALUES (1, 'other', 9, x'00')",
	} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	for _, id := range []string{"1", "2"} {
		if got, err := e.Ratings().Get(t.Context(), "26/u/"+id); err != nil || got.Score != 4 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	var score, rows int
	if err := conn.QueryRowContext(t.Context(), "SELECT max(score), count(*) FROM ratings").Scan(&score, &rows); err != nil || score != 4 || rows != 2 {
		t.Errorf("score %d, %d rows, %v", score, rows, err)
	}
	if got, version, err := journal.Get(t.Context(), "1"); err != nil || got.Name != "first" || version != 1 {
		t.Errorf("%+v, %d, %v", got, version, err)
	}
}

func TestTheFolderIsItsOwnersAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "dữ liệu ?#% 'x' & y")
	e := open(t, folder, Options{})
	if err := e.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, wanted := range map[string]os.FileMode{"": 0o700, FileName: 0o600, FileName + "-wal": 0o600, "blobs": 0o700} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != wanted {
			t.Errorf("%q has mode %v", name, got)
		}
	}
}

func TestSchema(t *testing.T) {
	version := func(t *testing.T, conn *sql.Conn) int {
		got, err := schemaVersion(t.Context(), conn)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	t.Run("opened by many at once", func(t *testing.T) {
		folder := t.TempDir()
		opened := make(chan error)
		for range 8 {
			go func() {
				e, err := Open(context.Background(), folder, Options{})
				if err == nil {
					err = errors.Join(e.Ping(context.Background()), e.Close())
				}
				opened <- err
			}()
		}
		for range 8 {
			if err := <-opened; err != nil {
				t.Error(err)
			}
		}
		if got := version(t, raw(t, folder)); got != len(migrations) {
			t.Errorf("version %d", got)
		}
	})
	t.Run("with ratings of the first schema", func(t *testing.T) {
		folder := t.TempDir()
		old := raw(t, folder)
		given := func(id string, flags ...string) rating.Record {
			counted := rating.Counted{Unit: "u", Day: "2026-11-22", Hour: 9, Channel: 1, Questionnaire: "kiosk", Version: 3}
			return rating.Record{ID: rating.RecordID("26", "u", id), Kind: rating.KindRating, Cell: counted.Cell(), Counted: counted,
				ReceivedAt: time.UnixMilli(1), OccurredAt: time.UnixMilli(1), Score: 5, Flags: flags}
		}
		first := given("a")
		body, err := bson.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			query string
			args  []any
		}{
			{migrations[0], nil},
			{"INSERT INTO ratings (seq, id, cell, received, kind, score, body) VALUES (1, ?, ?, 1, 'rating', 5, ?)", []any{first.ID, first.Cell, body}},
			{"PRAGMA user_version = 1", nil},
		} {
			if _, err := old.ExecContext(t.Context(), step.query, step.args...); err != nil {
				t.Fatal(err)
			}
		}
		ratings := open(t, folder, Options{}).Ratings()
		if _, err := ratings.Append(t.Context(), []rating.Record{given("a"), given("b"), given("c", rating.FlagTicketAgain)}); err != nil {
			t.Fatal(err)
		}
		told := 0
		for scores, err := range ratings.CountAgain(t.Context(), "", "~") {
			told++
			if err != nil || scores.Overall != (tally.Counts{5: 2}) {
				t.Errorf("%+v, %v", scores, err)
			}
		}
		if told != 1 {
			t.Errorf("%d cells", told)
		}
	})
	t.Run("of a newer program", func(t *testing.T) {
		folder := t.TempDir()
		if err := open(t, folder, Options{}).Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := raw(t, folder).ExecContext(t.Context(), "PRAGMA user_version = 99"); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), folder, Options{}); err == nil || !strings.Contains(err.Error(), "newer version") {
			t.Errorf("%v", err)
		}
	})
	t.Run("a file that is none", func(t *testing.T) {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, FileName), []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), folder, Options{}); err == nil {
			t.Error("opened")
		}
	})
	t.Run("a folder that cannot be", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), filepath.Join(file, "data"), Options{}); err == nil {
			t.Error("opened")
		}
	})
}

func TestNamesTheEngineKeepsForItself(t *testing.T) {
	e := open(t, t.TempDir(), Options{})
	for _, name := range []string{"ratings", "entries", "indexes", "meta", "leaves", "strips", "facets", "sqlite_master", "sqlite_x"} {
		if _, err := e.Documents(t.Context(), store.Kind{Name: name}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := e.Documents(t.Context(), store.Kind{Name: "select"}); err != nil { // a word of SQL is a name like any other
		t.Error(err)
	}
}

func TestIndexesFollowTheirDeclaration(t *testing.T) {
	e := open(t, t.TempDir(), Options{})
	kind := func(indexes ...store.Index) (store.Docs[memo], error) {
		return store.Define[memo]("memos", indexes...).Open(t.Context(), e)
	}
	entries := func() (count int) {
		if err := e.read.QueryRow("SELECT count(*) FROM entries").Scan(&count); err != nil {
			t.Fatal(err)
		}
		return count
	}
	docs, err := kind(store.Index{Name: "x", Fields: []string{"name"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := docs.Insert(t.Context(), memo{ID: fmt.Sprint(i), Name: "same", At: time.UnixMilli(int64(9 - i))}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := kind(store.Index{Name: "x", Fields: []string{"name"}, Unique: true}); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a unique index over equal values: %v", err)
	}
	if got := entries(); got != 5 {
		t.Errorf("a refused index left %d entries", got)
	}
	if docs, err = kind(store.Index{Name: "x", Fields: []string{"at"}}); err != nil {
		t.Fatal(err)
	}
	if first, err := docs.First(t.Context(), store.Query{Index: "x"}); err != nil || first.Value.ID != "4" {
		t.Errorf("%+v, %v", first, err)
	}
	if _, err = kind(); err != nil || entries() != 0 {
		t.Errorf("%v, %d entries of an index that is declared no more", err, entries())
	}
}

func TestSweepGoesByTheClock(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	e := open(t, t.TempDir(), Options{Now: func() time.Time { return now }, SweepEvery: time.Hour})
	docs, err := store.Define[memo]("sessions", store.Index{Name: "at", Fields: []string{"at"}, Expire: true}, store.Index{Name: "name", Fields: []string{"name"}, Unique: true}).Open(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	const count = 3*sweepRows + 1
	sessions := make([]memo, count)
	for i := range sessions {
		sessions[i] = memo{ID: fmt.Sprint(i), Name: fmt.Sprint(i), At: now.Add(time.Duration(i) * time.Second)}
	}
	if _, err := docs.InsertAll(t.Context(), append(sessions, memo{ID: "for ever", Name: "for ever"})); err != nil {
		t.Fatal(err)
	}
	left := func() (n int) {
		if err := e.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, err := range docs.Find(t.Context(), store.Query{Index: "name"}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	now = now.Add(-time.Second)
	if got := left(); got != count+1 {
		t.Errorf("%d left before their time", got)
	}
	now = now.Add(11 * time.Second)
	if got := left(); got != count+1-11 {
		t.Errorf("%d left after ten seconds", got)
	}
	now = now.Add(24 * time.Hour)
	if got := left(); got != 1 {
		t.Errorf("%d left for ever", got)
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	e := open(t, t.TempDir(), Options{})
	docs, err := store.Define[memo]("memos").Open(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := docs.Insert(t.Context(), memo{ID: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range docs.Find(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestLeftoverBlobs(t *testing.T) {
	folder := t.TempDir()
	if err := open(t, folder, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	old, young := filepath.Join(folder, "blobs", partial+"1"), filepath.Join(folder, "blobs", partial+"2")
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-2*partialAge)); err != nil {
		t.Fatal(err)
	}
	open(t, folder, Options{})
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a crash left: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("what another process may be writing: %v", err)
	}
}
