package coverage

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/analysis"
	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/tally"
	"github.com/hailong-vn/hailong/internal/testengine"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func onEngines(t *testing.T, test func(t *testing.T, engine store.Engine)) {
	closing := func(t *testing.T, engine store.Engine, err error) store.Engine {
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = engine.Close() })
		return engine
	}
	t.Run("sqlite", func(t *testing.T) {
		engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
		test(t, closing(t, engine, err))
	})
	t.Run("mongodb", func(t *testing.T) {
		uri, database := testengine.MongoDB(t)
		engine, err := mongodb.Open(t.Context(), uri, mongodb.Options{Database: database})
		test(t, closing(t, engine, err))
	})
}

func openSQLite(t *testing.T) store.Engine {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return engine
}

const today = localday.Day("2026-11-22")

// tester is what tests fail by: a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

// grove is a tree that stands still.
type grove struct{ tree *unit.Tree }

func (g grove) Tree() *unit.Tree { return g.tree }

// merged is a province p in which communes a and b became c on 10 November 2026; d stayed, with an office o. prefix keeps apart what
// several tests put into one store.
func merged(t tester, prefix string) grove {
	t.Helper()
	commune := func(id string, from localday.Day, parent string) unit.Unit {
		return unit.New(prefix+id, "P", from, unit.Words{Code: prefix + id, Name: "Xã " + id, Level: "commune", ParentID: prefix + parent})
	}
	closed := func(u unit.Unit) unit.Unit {
		u, err := u.Close("2026-11-10", prefix+"c")
		if err != nil {
			t.Fatalf("%v", err)
		}
		return u
	}
	tree, err := unit.Build([]unit.Unit{
		unit.New(prefix+"p", "P", "", unit.Words{Code: prefix + "p", Name: "Tỉnh Mẫu", Level: "province"}),
		closed(commune("a", "", "p")), closed(commune("b", "", "p")), commune("c", "2026-11-10", "p"), commune("d", "", "p"),
		unit.New(prefix+"o", "P", "", unit.Words{Code: prefix + "o", Name: "Bộ phận một cửa", Level: "office", ParentID: prefix + "d"}),
	}, today)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return grove{tree}
}

// forms knows one questionnaire, whose overall question has buttons.
type forms struct{}

func (forms) Questionnaire(id string, version int32) (*questionnaire.Questionnaire, bool) {
	list, err := questionnaire.BuiltIn()
	if err != nil {
		return nil, false
	}
	for _, one := range list {
		if one.ID == id && one.Version == version {
			return one, true
		}
	}
	return nil, false
}

// shelfOfCases is a store of cases for tests.
type shelfOfCases struct {
	all     map[string]Case
	changed func() // writes something, as a case does
}

func (s *shelfOfCases) Changed(_ context.Context, since time.Time) iter.Seq2[Case, error] {
	return func(yield func(Case, error) bool) {
		for _, c := range s.all {
			if !c.ChangedAt.Before(since) && !yield(c, nil) {
				return
			}
		}
	}
}

func (s *shelfOfCases) Get(_ context.Context, id string) (Case, bool, error) {
	c, ok := s.all[id]
	return c, ok, nil
}

func (s *shelfOfCases) put(c casework.Case, about string) {
	if c.ChangedAt.IsZero() {
		c.ChangedAt = today.Start()
	}
	s.all[c.ID] = Case{Case: c, About: about}
	s.changed()
}

// written stands for a case in the store.
type written struct {
	ID string `bson:"_id"`
}

// office is ratings with their figures, and coverage over them.
type office struct {
	tester
	ctx      context.Context
	engine   store.Engine
	units    grove
	cases    *shelfOfCases
	coverage *Coverage
	clock    func() time.Time
	given    int
	pending  []rating.Record // given and not stored yet
	prefix   string
}

func newOffice(t tester, ctx context.Context, engine store.Engine, prefix string) *office { //nolint:revive // what fails comes first in tests
	o := &office{tester: t, ctx: ctx, engine: engine, units: merged(t, prefix), prefix: prefix,
		clock: func() time.Time { return today.Start().Add(12 * time.Hour) }}
	writes, err := store.Define[written]("written").Open(ctx, engine)
	o.check(err)
	o.cases = &shelfOfCases{map[string]Case{}, func() { o.check(writes.Insert(ctx, written{uuid.NewString()})) }}
	o.coverage = o.another()
	return o
}

// another is the coverage of another process, or of this one started again.
func (o *office) another() *Coverage {
	o.Helper()
	figures := analysis.New(analysis.Config{Engine: o.engine, Units: o.units, Clock: o.clock})
	c, err := Open(o.ctx, o.engine, Options{Strips: figures.Strips, Units: o.units, Forms: forms{}, Cases: o.cases, Now: func() time.Time { return o.clock() }})
	o.check(err)
	return c
}

func (o *office) check(err error) {
	o.Helper()
	if err != nil {
		o.Fatalf("%v", err)
	}
}

// opinion is a rating to be given.
type opinion struct {
	unit     string
	day      localday.Day
	hour     int
	score    int32
	official string
	reasons  []string
	revises  string
	again    bool // its ticket was used before
	paper    bool
}

// give gives a rating, which fold stores and counts.
func (o *office) give(p opinion) string {
	o.Helper()
	o.given++
	id := fmt.Sprintf("r%06d", o.given)
	channel := pb.Channel_CHANNEL_KIOSK
	if p.paper {
		channel = pb.Channel_CHANNEL_PAPER
	}
	counted := rating.Counted{Unit: o.prefix + p.unit, Day: p.day, Hour: p.hour, Channel: channel, Questionnaire: "kiosk", Version: 1}
	record := rating.Record{
		ID: rating.RecordID("P", counted.Unit, id), Kind: rating.KindRating, Counted: counted, Cell: counted.Cell(),
		ReceivedAt: p.day.Start().Add(time.Duration(o.given) * time.Second), OccurredAt: p.day.Start(), Score: p.score, Official: p.official, Revises: p.revises,
		Answers: []rating.Answer{{Question: "overall", Score: p.score, Choices: []string{fmt.Sprint(p.score)}}},
	}
	if len(p.reasons) > 0 {
		record.Answers = append(record.Answers, rating.Answer{Question: "reasons", Choices: p.reasons})
	}
	if p.again {
		record.Flags = []string{rating.FlagTicketAgain}
	}
	o.pending = append(o.pending, record)
	return id
}

// fold stores what was given and brings the figures of some days up to date, as the worker does.
func (o *office) fold(from, to localday.Day) {
	o.Helper()
	_, err := o.engine.Ratings().Append(o.ctx, o.pending)
	o.check(err)
	o.pending = nil
	rollups := o.engine.Rollups()
	var cells []string
	for count, err := range o.engine.Ratings().CellCounts(o.ctx, string(from)+"/", string(to)+"0") {
		o.check(err)
		if counted, err := rating.ParseCell(count.Cell); err == nil && len(counted.Unit) == len(o.prefix)+1 && counted.Unit[:len(o.prefix)] == o.prefix {
			cells = append(cells, count.Cell)
		}
	}
	units := map[string]bool{}
	var hours []tally.HourCell
	for _, cell := range cells {
		records, err := o.engine.Ratings().Cell(o.ctx, cell)
		o.check(err)
		hour, err := tally.Fold(1, cell, records)
		o.check(err)
		hours = append(hours, hour)
		units[hour.Leaf.Unit] = true
	}
	o.check(rollups.Raise(o.ctx, hours))
	var strips []tally.Strip
	for id := range units {
		for leaf, err := range rollups.Leaves(o.ctx, id, string(from), string(to)) {
			o.check(err)
			strips = append(strips, leaf.Strip())
		}
	}
	o.check(rollups.RaiseStrips(o.ctx, strips))
}

func (o *office) of(id string, from, to localday.Day) casework.Coverage {
	o.Helper()
	answer, err := o.coverage.Of(o.ctx, o.prefix+id, Period{from, to})
	o.check(err)
	return answer.Coverage
}
