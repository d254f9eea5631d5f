package casebook_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
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

// The units of the tests: a province, two communes of it and two offices of the first commune.
const (
	province = "P"
	commune  = "P.A"
	office   = "P.A.1"
	culture  = "P.A.2"
	other    = "P.B"
)

var start = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC) // a Monday, 09:00 in Vietnam

// house is a store and what stands around a book.
type house struct {
	t      testing.TB
	engine store.Engine
	keys   secret.Keys
	rules  deadline.Rules

	mu       sync.Mutex
	now      time.Time
	tree     *unit.Tree
	hours    officehours.Hours
	tellings []casebook.Telling
	deaf     bool // telling fails
	heard    []string
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
	h := &house{t: t, engine: engine, now: start, hours: weekdays(t, 2026, 2027, 2028)}
	var err error
	if h.keys, err = secret.Load(context.Background(), engine, secret.Source{Text: strings.Repeat("5a", 32)}); err != nil {
		t.Fatal(err)
	}
	if h.rules, err = deadline.Defaults(); err != nil {
		t.Fatal(err)
	}
	h.grow(units()...)
	return h
}

// weekdays are offices open on weekdays, with a Tết in each of the years.
func weekdays(t testing.TB, years ...int) officehours.Hours {
	t.Helper()
	tet := map[int]localday.Day{2026: "2026-02-17", 2027: "2027-02-08", 2028: "2028-01-26"}
	var h officehours.Hours
	for weekday := 1; weekday <= 5; weekday++ {
		h.Week = append(h.Week, officehours.Opening{Weekday: weekday, From: 450, To: 1020})
	}
	for _, year := range years {
		h.Days = append(h.Days, officehours.Special{Day: tet[year], Name: "Tết Nguyên đán"})
	}
	h, err := h.Check()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func units() []unit.Unit {
	var all []unit.Unit
	for _, u := range []struct{ id, above, level string }{{province, "", "province"}, {commune, province, "commune"}, {other, province, "commune"}, {office, commune, "office"}, {culture, commune, "office"}} {
		all = append(all, unit.New(u.id, province, "", unit.Words{Code: u.id, Name: "Đơn vị " + u.id, Level: u.level, ParentID: u.above}))
	}
	return all
}

// grow sets the units.
func (h *house) grow(all ...unit.Unit) {
	h.t.Helper()
	day, _ := localday.Of(h.clock())
	tree, err := unit.Build(all, day)
	if err != nil {
		h.t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tree = tree
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// pass lets time go by.
func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) days(n int) { h.pass(time.Duration(n) * 24 * time.Hour) }

func (h *house) units() *unit.Tree {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tree
}

var errDeaf = errors.New("nobody listens")

func (h *house) tell(_ context.Context, list []casebook.Telling) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.deaf {
		return errDeaf
	}
	h.tellings = append(h.tellings, list...)
	return nil
}

// hearsNot lets telling fail, or not.
func (h *house) hearsNot(deaf bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deaf = deaf
}

// told are the ids of what was told, each as often as it was, sorted.
func (h *house) told() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ids []string
	for _, t := range h.tellings {
		ids = append(ids, t.ID)
	}
	slices.Sort(ids)
	return ids
}

func (h *house) Publish(_ context.Context, topic string, body []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, topic+" "+string(body))
	return nil
}

// open opens the book as another process would.
func (h *house) open() *casebook.Book {
	h.t.Helper()
	b, err := casebook.Open(context.Background(), h.engine, casebook.Options{
		Keys: h.keys, Tree: h.units, Now: h.clock, Tell: h.tell, Feed: h,
		Rules: func(string) deadline.Rules { return h.rules },
		Hours: func(string) officehours.Hours { h.mu.Lock(); defer h.mu.Unlock(); return h.hours },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

func actor(account, official string, role casework.Role, scope string, heads ...string) casework.Actor {
	return casework.Actor{Person: casework.Person{Account: account, Official: official, Role: role, Scope: scope, Heads: heads}}
}

// The people of the tests.
func operator() casework.Actor { return actor("lan", "o-lan", casework.Operator, commune) }
func writer() casework.Actor   { return actor("hoa", "o-hoa", casework.Official, office) }
func deputy() casework.Actor   { return actor("thu", "o-thu", casework.Leader, commune) }
func leader() casework.Actor   { return actor("dung", "o-dung", casework.Leader, commune, commune) }

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// opinion is a case of the commune about its office.
func opinion(change ...func(*casebook.New)) casebook.New {
	n := casebook.New{
		ID: newID(), Source: casework.FromCall, Receiving: commune, About: office, Title: "Chờ lâu ở bộ phận một cửa",
		Words: "Tôi đi lại ba lần mà chưa được nhận hồ sơ", WithCode: true,
	}
	for _, c := range change {
		c(&n)
	}
	return n
}

func (h *house) opened(b *casebook.Book, change ...func(*casebook.New)) casebook.Kept {
	h.t.Helper()
	k, err := b.Open(context.Background(), opinion(change...), operator())
	if err != nil {
		h.t.Fatal(err)
	}
	return k
}

func explanation(analysis string) *casework.Explanation {
	return &casework.Explanation{
		Cause: "guidance", Analysis: analysis, Remedy: "Niêm yết lại thành phần hồ sơ, tập huấn cho bộ phận một cửa.",
		Responsible: []string{"o-resp"}, Apology: casework.Apologised, Finding: casework.Upheld,
	}
}

const because = "Cán bộ hướng dẫn thiếu một thành phần hồ sơ nên người dân phải đi lại hai lần."

func event(name casework.Name) casework.Event {
	switch name {
	case casework.Assign:
		return casework.Event{Name: name, Unit: office}
	case casework.Submit:
		return casework.Event{Name: name, Explanation: explanation(because)}
	case casework.Accept:
		return casework.Event{Name: name, Finding: casework.Upheld}
	case casework.Reply:
		return casework.Event{Name: name, Text: "Chúng tôi đã sửa."}
	case casework.Reopen:
		return casework.Event{Name: name, Reasons: []casework.Reason{casework.NotDone}}
	}
	return casework.Event{Name: name}
}

func (h *house) apply(b *casebook.Book, k casebook.Kept, e casework.Event, by casework.Actor) casebook.Kept {
	h.t.Helper()
	next, err := b.Apply(context.Background(), k.ID, k.Version, e, "", by)
	if err != nil {
		h.t.Fatalf("%s in %s: %v", e.Name, k.State, err)
	}
	return next
}

// explained is a case whose explanation waits.
func (h *house) explained(b *casebook.Book, change ...func(*casebook.New)) casebook.Kept {
	h.t.Helper()
	k := h.apply(b, h.opened(b, change...), event(casework.Assign), operator())
	k = h.apply(b, k, event(casework.RequestExplanation), deputy())
	return h.apply(b, k, event(casework.Submit), writer())
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

func TestEveryReasonHasWords(t *testing.T) {
	reason := regexp.MustCompile(`fault\.New\(fault\.\w+, "(\w+)"|wrong\("(\w+)"\)`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		data, err := os.ReadFile(file) //nolint:gosec // our own sources
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range reason.FindAllSubmatch(data, -1) {
			found++
			for _, l := range language.All {
				if key := "fault." + string(match[1]) + string(match[2]); l.Text(key) == key {
					t.Errorf("%s: %s has no words for %s", file, l, key)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("found only %d reasons", found)
	}
}
