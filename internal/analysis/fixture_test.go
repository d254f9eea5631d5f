package analysis

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/tally"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	kiosk = pb.Channel_CHANNEL_KIOSK
	web   = pb.Channel_CHANNEL_WEB
	paper = pb.Channel_CHANNEL_PAPER
)

// grove is a tree that stands still, or is exchanged by a test.
type grove struct{ tree *unit.Tree }

func (g *grove) Tree() *unit.Tree { return g.tree }

func open(t testing.TB) store.Engine {
	t.Helper()
	engine, err := sqlite.Open(context.Background(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

// ratings counts records and puts them where the worker would: n is a cell's next version.
type ratings struct {
	t      testing.TB
	engine store.Engine
	leaves map[tally.LeafKey]tally.Leaf
}

func newRatings(t testing.TB, engine store.Engine) *ratings {
	return &ratings{t, engine, map[tally.LeafKey]tally.Leaf{}}
}

// add counts ratings by score 1 to 5 at noon of a day.
func (r *ratings) add(id string, day localday.Day, channel pb.Channel, form string, counts ...uint32) {
	r.t.Helper()
	key := tally.LeafKey{Unit: id, Day: day, Channel: channel, Questionnaire: form, QVersion: 1}
	leaf, ok := r.leaves[key]
	if !ok {
		leaf = tally.Leaf{Key: key, Hours: map[int]tally.Cell{}}
		r.leaves[key] = leaf
	}
	cell := leaf.Hours[12]
	cell.Epoch = 1
	for i, count := range counts {
		cell.Overall[i+1] += count
		cell.Seen += count
	}
	leaf.Hours[12] = cell
	if err := r.engine.Rollups().RaiseStrips(context.Background(), []tally.Strip{leaf.Strip()}); err != nil {
		r.t.Fatal(err)
	}
}

// at is noon of a day.
func at(day localday.Day) func() time.Time {
	return func() time.Time { return day.Start().Add(12 * time.Hour) }
}

func commune(id, parent, name string) unit.Unit {
	return unit.New(id, "P", "", unit.Words{Code: id, Name: name, Level: "commune", ParentID: parent})
}

// merged is a province in which communes A and B became C on 1 July 2025; D stayed, with an office O.
func merged(t testing.TB, today localday.Day) *grove {
	t.Helper()
	closed := func(u unit.Unit, successors ...string) unit.Unit {
		u, err := u.Close("2025-07-01", successors...)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	tree, err := unit.Build([]unit.Unit{
		unit.New("P", "P", "", unit.Words{Code: "P", Name: "Tỉnh Mẫu", Level: "province"}),
		closed(commune("A", "P", "Xã A"), "C"), closed(commune("B", "P", "Xã B"), "C"),
		unit.New("C", "P", "2025-07-01", unit.Words{Code: "C", Name: "Xã C", Level: "commune", ParentID: "P"}),
		commune("D", "P", "Xã D"),
		unit.New("O", "P", "", unit.Words{Code: "O", Name: "Bộ phận một cửa", Level: "office", ParentID: "D"}),
	}, today)
	if err != nil {
		t.Fatal(err)
	}
	return &grove{tree}
}

// example is that province with ratings.
func example(t testing.TB) *Analysis {
	t.Helper()
	engine := open(t)
	r := newRatings(t, engine)
	r.add("A", "2025-06-15", kiosk, "short", 4, 0, 0, 0, 6)
	r.add("B", "2025-06-30", web, "short", 0, 2, 0, 8, 0)
	r.add("C", "2025-07-01", kiosk, "short", 0, 0, 0, 0, 20)
	r.add("D", "2025-08-10", paper, "sipas", 0, 0, 7, 0, 0)
	r.add("O", "2025-08-10", kiosk, "short", 30, 0, 0, 10, 0)
	return New(Config{Engine: engine, Units: merged(t, "2025-09-01"), Clock: at("2025-09-01"), Fresh: func(context.Context) (time.Time, error) {
		return time.Date(2025, 9, 1, 4, 0, 0, 0, time.UTC), nil
	}})
}
