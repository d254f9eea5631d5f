package ratingimport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/fault"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// byColumns takes its identity from the columns t and c.
var byColumns = strings.Replace(simple, "identity: line", "identity: {columns: [t, c]}", 1)

func TestUnavailableServerIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newShelf()
		store.fail = func(call int) error {
			if call <= 3 {
				return fault.New(fault.Unavailable, "store_unavailable")
			}
			return nil
		}
		start := time.Now()
		got, err := Run(t.Context(), Source{Name: "t.csv", Reader: strings.NewReader("t,u,s,c\n" + good)}, mapping(t, simple), store, Options{})
		if err != nil || got.Stored != 1 || store.calls != 4 {
			t.Errorf("stored %d after %d calls, %v", got.Stored, store.calls, err)
		}
		if waited := time.Since(start); waited < time.Second || waited > 3*time.Second {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestRunEndsWhereItCannotGoOn(t *testing.T) {
	denied := fault.New(fault.Denied, "action_denied")
	for name, test := range map[string]struct {
		fail func(int) error
		code fault.Code
	}{
		"refused":           {func(int) error { return denied }, fault.Denied},
		"refused later":     {func(call int) error { return map[bool]error{true: denied}[call > 3] }, fault.Denied},
		"unavailable":       {func(int) error { return fault.New(fault.Unavailable, "store_unavailable") }, fault.Unavailable},
		"of unknown reason": {func(int) error { return errors.New("boom") }, fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newShelf()
				store.fail = test.fail
				text := "t,u,s,c\n" + strings.Repeat(good, 100)
				got, err := Run(t.Context(), Source{Name: "t.csv", Reader: strings.NewReader(text)}, mapping(t, simple), store, Options{BatchSize: 5})
				if !fault.Is(err, test.code) {
					t.Errorf("%v, want %s", err, test.code)
				}
				if got.Stored > int64(len(store.ratings)) {
					t.Errorf("says %d are stored, %d are", got.Stored, len(store.ratings))
				}
			})
		})
	}
}

// short answers fewer outcomes than items.
type short struct{}

func (short) Submit(context.Context, []*pb.SealedRating) ([]*pb.ItemOutcome, error) { return nil, nil }

func TestWrongAnswerIsAFault(t *testing.T) {
	_, err := Run(t.Context(), Source{Name: "t.csv", Reader: strings.NewReader("t,u,s,c\n" + good)}, mapping(t, simple), short{}, Options{})
	if !fault.Is(err, fault.Internal) {
		t.Errorf("%v", err)
	}
}

func TestCancelledRunKeepsItsPlace(t *testing.T) {
	folder := t.TempDir()
	path, state := filepath.Join(folder, "in.csv"), filepath.Join(folder, "state.json")
	if err := os.WriteFile(path, []byte("t,u,s,c\n"+strings.Repeat(good, 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	store := newShelf()
	options := Options{BatchSize: 10, StatePath: state, Progress: func(p Progress) {
		if p.Rows >= 300 {
			cancel()
		}
	}}
	got, err := Run(ctx, Source{Path: path}, mapping(t, simple), store, options)
	if !errors.Is(err, context.Canceled) || got.Rows < 300 {
		t.Fatalf("%d rows, %v", got.Rows, err)
	}
	options.Progress = nil
	again, err := Run(t.Context(), Source{Path: path}, mapping(t, simple), store, options)
	if err != nil || again.Rows != 1000 || again.Stored+again.Duplicate != 1000 || again.ResumedAt < 301 || len(store.ratings) != 1000 {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestStateOfSomethingElseIsNotUsed(t *testing.T) {
	text := "t,u,s,c\n" + strings.Repeat(good, 100)
	for name, change := range map[string]func(path, state string, m *string) error{
		"other rows before": func(path, _ string, _ *string) error {
			return os.WriteFile(path, []byte(strings.Replace(text, ",5,", ",4,", 1)), 0o600)
		},
		"a shorter file": func(path, _ string, _ *string) error { return os.WriteFile(path, []byte(text[:60]), 0o600) },
		"other mapping":  func(_, _ string, m *string) error { *m += "\n# changed\n"; return nil },
		"a broken state": func(_, state string, _ *string) error { return os.WriteFile(state, []byte("{"), 0o600) },
		"an empty state": func(_, state string, _ *string) error { return os.WriteFile(state, nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path, state, yaml := filepath.Join(folder, "in.csv"), filepath.Join(folder, "state.json"), simple
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			store := newShelf()
			store.fail = func(call int) error { return map[bool]error{true: errors.New("boom")}[call > 5] }
			options := Options{BatchSize: 10, InFlight: 1, StatePath: state}
			if _, err := Run(t.Context(), Source{Path: path}, mapping(t, yaml), store, options); err == nil {
				t.Fatal("the first run did not fail")
			}
			if _, err := os.Stat(state); err != nil {
				t.Fatal(err)
			}
			if err := change(path, state, &yaml); err != nil {
				t.Fatal(err)
			}
			store.fail = nil
			got, err := Run(t.Context(), Source{Path: path}, mapping(t, yaml), store, options)
			if err != nil || got.ResumedAt != 0 {
				t.Errorf("went on at line %d, %v", got.ResumedAt, err)
			}
		})
	}
}

func TestFileThatGrewIsGoneOnWith(t *testing.T) {
	folder := t.TempDir()
	path, state := filepath.Join(folder, "in.csv"), filepath.Join(folder, "state.json")
	text := "t,u,s,c\n" + strings.Repeat(good, 100)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	store := newShelf()
	store.fail = func(call int) error { return map[bool]error{true: errors.New("boom")}[call > 5] }
	options := Options{BatchSize: 10, InFlight: 1, StatePath: state}
	if _, err := Run(t.Context(), Source{Path: path}, mapping(t, simple), store, options); err == nil {
		t.Fatal("the first run did not fail")
	}
	if err := os.WriteFile(path, []byte(text+good), 0o600); err != nil {
		t.Fatal(err)
	}
	store.fail = nil
	got, err := Run(t.Context(), Source{Path: path}, mapping(t, simple), store, options)
	if err != nil || got.ResumedAt != 51 || got.Rows != 101 || len(store.ratings) != 101 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Of rows with the same identity and different content the first in the file is stored, however batches overtake each other.
func TestFirstRowOfAnIdentityWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, err := ParseMapping([]byte(byColumns))
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		text.WriteString("t,u,s,c\n")
		first := map[int]int{}
		var stored, duplicate, conflict int64
		for range rapid.IntRange(0, 120).Draw(t, "rows") {
			id, score := rapid.IntRange(0, 30).Draw(t, "id"), rapid.IntRange(1, 5).Draw(t, "score")
			fmt.Fprintf(&text, "2026-03-02 08:00,A,%d,%d\n", score, id)
			switch before, found := first[id]; {
			case !found:
				first[id] = score
				stored++
			case before == score:
				duplicate++
			default:
				conflict++
			}
		}
		store := newShelf()
		got, err := Run(context.Background(), Source{Name: "t.csv", Reader: strings.NewReader(text.String())}, m, store,
			Options{BatchSize: rapid.IntRange(1, 9).Draw(t, "batch"), InFlight: rapid.IntRange(1, 6).Draw(t, "flight")})
		if err != nil || got.Stored != stored || got.Duplicate != duplicate || got.Conflict != conflict {
			t.Fatalf("%+v, %v; want %d, %d, %d", got, err, stored, duplicate, conflict)
		}
		if got.SameIdentity != duplicate || got.OtherContent != conflict {
			t.Fatalf("said %d and %d beforehand", got.SameIdentity, got.OtherContent)
		}
		for id, r := range store.byID {
			if want := first[atoi(store.private[id].GetComment())]; int(r.GetOverallScore()) != want {
				t.Fatalf("score %d, want %d", r.GetOverallScore(), want)
			}
		}
	})
}

func atoi(text string) (n int) {
	_, _ = fmt.Sscan(text, &n) // 0 where it is no number
	return n
}

// Ids and bytes depend on source and identity alone: not on batches, on the file's name, or on the rows around.
func TestSameRowsMakeTheSameBytes(t *testing.T) {
	text := "t,u,s,c\n" + strings.Repeat(good, 20) + "2026-03-02 08:00,B,3,lời\n"
	all := func(name string, options Options) map[string][]byte {
		store := newShelf()
		if _, err := Run(t.Context(), Source{Name: name, Reader: strings.NewReader(text)}, mapping(t, simple), store, options); err != nil {
			t.Fatal(err)
		}
		return store.ratings
	}
	a, b := all("a.csv", Options{BatchSize: 3, SaltKey: []byte("k")}), all("b.csv", Options{BatchSize: 100, InFlight: 1, SaltKey: []byte("k")})
	if len(a) != 21 || len(b) != 21 {
		t.Fatalf("%d and %d", len(a), len(b))
	}
	for key, content := range a {
		if !bytes.Equal(content, b[key]) {
			t.Errorf("%s differs", key)
		}
	}
	if other := all("a.csv", Options{SaltKey: []byte("other")}); fmt.Sprint(other) == fmt.Sprint(a) {
		t.Error("the salt does not depend on the key")
	}
}

// counting is a Submitter that keeps nothing.
type counting struct{ items atomic.Int64 }

func (c *counting) Submit(_ context.Context, items []*pb.SealedRating) ([]*pb.ItemOutcome, error) {
	c.items.Add(int64(len(items)))
	outcomes := make([]*pb.ItemOutcome, len(items))
	for i := range outcomes {
		outcomes[i] = &pb.ItemOutcome{Outcome: pb.Outcome_OUTCOME_STORED}
	}
	return outcomes, nil
}

// rowsOf answers a file of so many rows that is never held whole.
func rowsOf(rows int) *endless {
	var filler strings.Builder
	for i := range 40 {
		fmt.Fprintf(&filler, "2026-03-%02d 08:%02d,UNIT%d,%d,chờ lâu quá\n", 1+i%28, i, i%10, 1+i%5)
	}
	return &endless{before: "t,u,s,c\n", filler: filler.String(), times: rows / 40}
}

func TestMemoryIsFlat(t *testing.T) {
	peak := func(rows int) (high uint64) {
		runtime.GC()
		var stats runtime.MemStats
		batches := 0
		got, err := Run(t.Context(), Source{Name: "t.csv", Reader: rowsOf(rows)}, mapping(t, simple), &counting{}, Options{
			BatchSize: 100,
			Progress: func(Progress) {
				if batches++; batches%20 == 0 {
					runtime.GC()
					runtime.ReadMemStats(&stats)
					high = max(high, stats.HeapAlloc)
				}
			},
		})
		if err != nil || got.Rows != int64(rows) || got.Identical != int64(rows-40) {
			t.Fatalf("%+v, %v", got, err)
		}
		return high
	}
	small, large := peak(10_000), peak(80_000)
	if large > small+4<<20 {
		t.Errorf("%d KB for 10,000 rows, %d KB for 80,000", small>>10, large>>10)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("t,u,s,c\n"+good), 64)
	f.Add([]byte("t,u,s,c\n\"a\",\"b\n\"\"\",c,d\n\"x"), 7)
	f.Add([]byte("\xef\xbb\xbft,u,s,c\r\n,,,\"\r\n"), 1)
	f.Fuzz(func(t *testing.T, text []byte, limit int) {
		m, err := ParseMapping([]byte(simple))
		if err != nil {
			t.Fatal(err)
		}
		last := int64(0)
		got, err := Run(t.Context(), Source{Name: "t.csv", Reader: bytes.NewReader(text)}, m, newShelf(), Options{
			BatchSize: 3, MaxRecord: limit % 4096,
			Progress: func(p Progress) {
				if p.Bytes <= last || p.Bytes > int64(len(text)) {
					t.Errorf("at byte %d after %d of %d", p.Bytes, last, len(text))
				}
				last = p.Bytes
			},
		})
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Error(err)
			}
			return
		}
		if lines := int64(bytes.Count(text, []byte("\n"))); got.Rows+got.Blank > lines+1 {
			t.Errorf("%d rows and %d blank of %d lines", got.Rows, got.Blank, lines)
		}
		if got.Rows != got.Ready+got.Skipped+got.Errors || got.Ready != got.Stored+got.Duplicate {
			t.Errorf("%+v", got)
		}
	})
}
