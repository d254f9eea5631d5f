package casebook

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
	"github.com/hailong-vn/hailong/internal/unit"
)

// A benchmark's country has provinces of communes of one office each. HAILONG_BENCH_CASES says how many cases are stored before
// anything is measured.
const (
	benchProvinces = 34
	benchCommunes  = 98 // of each
	benchCallers   = 32
	benchRounds    = 5
	benchCases     = 10_000
)

var benchNow = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

func storedCases(b *testing.B) int {
	text := os.Getenv("HAILONG_BENCH_CASES")
	if text == "" {
		return benchCases
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

type benchHouse struct {
	*Book
	engine   store.Engine
	communes []string
	told     atomic.Int64
}

func onBenchEngines(b *testing.B, run func(b *testing.B, h *benchHouse)) {
	for name, open := range map[string]func(b *testing.B) (store.Engine, error){
		"sqlite": func(b *testing.B) (store.Engine, error) {
			return sqlite.Open(context.Background(), b.TempDir(), sqlite.Options{})
		},
		"mongodb": func(b *testing.B) (store.Engine, error) {
			uri, database := testengine.MongoDB(b)
			return mongodb.Open(context.Background(), uri, mongodb.Options{Database: database})
		},
	} {
		b.Run(name, func(b *testing.B) {
			engine, err := open(b)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = engine.Close() }()
			run(b, newBenchHouse(b, engine))
		})
	}
}

func newBenchHouse(b *testing.B, engine store.Engine) *benchHouse {
	b.Helper()
	h := &benchHouse{engine: engine}
	var units []unit.Unit
	add := func(id, above, level, home string) {
		units = append(units, unit.New(id, home, "", unit.Words{Code: id, Name: id, Level: level, ParentID: above}))
	}
	for p := range benchProvinces {
		province := fmt.Sprintf("p%02d", p)
		add(province, "", "province", province)
		for c := range benchCommunes {
			commune := fmt.Sprintf("%s.%02d", province, c)
			h.communes = append(h.communes, commune)
			add(commune, province, "commune", province)
			add(commune+".o", commune, "office", province)
		}
	}
	tree, err := unit.Build(units, "2026-11-23")
	if err != nil {
		b.Fatal(err)
	}
	keys, err := secret.Load(context.Background(), engine, secret.Source{Text: strings.Repeat("5a", 32)})
	if err != nil {
		b.Fatal(err)
	}
	rules, err := deadline.Defaults()
	if err != nil {
		b.Fatal(err)
	}
	hours := officehours.Hours{Days: []officehours.Special{{Day: "2026-02-17", Name: "Tết"}, {Day: "2027-02-08", Name: "Tết"}}}
	for weekday := 1; weekday <= 5; weekday++ {
		hours.Week = append(hours.Week, officehours.Opening{Weekday: weekday, From: 450, To: 1020})
	}
	if hours, err = hours.Check(); err != nil {
		b.Fatal(err)
	}
	h.Book, err = Open(context.Background(), engine, Options{
		Keys: keys, Tree: func() *unit.Tree { return tree }, Rules: func(string) deadline.Rules { return rules }, Hours: func(string) officehours.Hours { return hours },
		Tell: func(_ context.Context, t []Telling) error { h.told.Add(int64(len(t))); return nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	return h
}

func benchActor(account string, role casework.Role, scope string) casework.Actor {
	return casework.Actor{Person: casework.Person{Account: account, Official: "o-" + account, Role: role, Scope: scope}}
}

func benchNew(commune string) New {
	return New{
		ID: uuid.Must(uuid.NewV7()).String(), Source: casework.FromCall, Receiving: commune, About: commune + ".o", Title: benchText(8), Words: benchText(25), WithCode: true,
	}
}

// benchText is words as often as words are: a few very often, most seldom.
func benchText(words int) string {
	out := make([]string, words)
	for i := range out {
		f := rand.Float64()
		out[i] = "tu" + strconv.Itoa(int(6000*f*f*f*f))
	}
	return strings.Join(out, " ")
}

// life takes a case from its opening to its end, in eight calls.
func (h *benchHouse) life(ctx context.Context, commune string, each func(document)) error {
	operator, leader, writer := benchActor("lan", casework.Operator, commune), benchActor("thu", casework.Leader, commune), benchActor("hoa", casework.Official, commune+".o")
	k, err := h.Open(ctx, benchNew(commune), operator)
	if err != nil {
		return err
	}
	explained := casework.Explanation{
		Cause: "guidance", Analysis: benchText(120), Remedy: benchText(40), Responsible: []string{"o-resp"}, Apology: casework.Apologised, Finding: casework.Upheld,
	}
	for _, step := range []struct {
		event casework.Event
		by    casework.Actor
	}{
		{casework.Event{Name: casework.Assign, Unit: commune + ".o"}, operator},
		{casework.Event{Name: casework.RequestExplanation}, leader},
		{casework.Event{Name: casework.Submit, Explanation: &explained}, writer},
		{casework.Event{Name: casework.Return, Reasons: []casework.Reason{casework.NoCause}}, leader},
		{casework.Event{Name: casework.Submit, Explanation: &explained}, writer},
		{casework.Event{Name: casework.Accept, Finding: casework.Upheld}, leader},
		{casework.Event{Name: casework.Reply, Text: benchText(60)}, operator},
	} {
		if each != nil {
			d, _, err := h.get(ctx, k.ID)
			if err != nil {
				return err
			}
			each(d)
		}
		if k, err = h.Apply(ctx, k.ID, k.Version, step.event, "", step.by); err != nil {
			return err
		}
	}
	if each != nil {
		d, _, err := h.get(ctx, k.ID)
		if err != nil {
			return err
		}
		each(d)
	}
	return nil
}

// fill stores so many cases that ended or wait, made of one real life.
func (h *benchHouse) fill(b *testing.B, cases int) {
	b.Helper()
	ctx := context.Background()
	var life []document
	if err := h.life(ctx, h.communes[0], func(d document) { life = append(life, d) }); err != nil {
		b.Fatal(err)
	}
	numbers := map[string]int{h.communes[0]: 1}
	const batch = 400
	for stored := 0; stored < cases; {
		var docs []document
		var words []wordsDoc
		for range min(batch, cases-stored) {
			n := rand.IntN(len(h.communes))
			commune := h.communes[n]
			numbers[commune]++
			d := life[len(life)-1]
			if rand.IntN(12) == 0 {
				d = life[rand.IntN(len(life)-1)]
			} else {
				d.State, d.Due, d.Next, d.Floor = casework.Closed, "", "", ""
			}
			d.ID = uuid.Must(uuid.NewV7()).String()
			d.Receiving, d.Number = commune, casework.Number{Unit: commune, Year: 2026, N: numbers[commune]}
			d.Code = casework.Code(strconv.Itoa(100_000_000_000 + stored + len(docs)))
			d.OpenedAt = benchNow.Add(-time.Duration(cases-stored-len(docs)) * 20 * time.Second)
			d.Title, d.About = benchText(8), commune+".o"
			if d.Assigned != "" {
				d.Assigned = commune + ".o"
			}
			d.Above, d.Owed, d.OwedAt = h.aboveCase(d.Case), nil, time.Time{}
			if d.Waits = nil; d.Due != "" {
				d.Due = localday.Day("2026-11-20").Add(rand.IntN(20))
				d.Next, d.Floor, d.Waits = d.Due, d.Due, d.Above
			}
			d.Said = d.ID + ".w"
			w := wordsDoc{ID: d.Said, Case: d.ID, Unit: commune, Kind: saidOpening, At: d.OpenedAt, Title: d.Title, Text: benchText(25)}
			w.Words = indexed(w.Title, w.Text)
			d.Marks = h.marks(w.Words)
			docs, words = append(docs, d), append(words, w)
		}
		for _, err := range []func() ([]error, error){
			func() ([]error, error) { return h.words.InsertAll(ctx, words) }, func() ([]error, error) { return h.cases.InsertAll(ctx, docs) },
		} {
			errs, err := err()
			if err = cmp.Or(err, cmp.Or(errs...)); err != nil {
				b.Fatal(err)
			}
		}
		stored += len(docs)
	}
}

// raw is a kind without a single index: nothing can be written with less.
type rawDoc struct {
	ID   string `bson:"_id"`
	Body []byte `bson:"body"`
}

// BenchmarkLife measures whole lives beside as many raw writes by compare-and-swap of the same documents, by turns.
func BenchmarkLife(b *testing.B) {
	onBenchEngines(b, func(b *testing.B, h *benchHouse) {
		cases := storedCases(b)
		h.fill(b, cases)
		raw, err := store.Define[rawDoc]("raw_cases").Open(context.Background(), h.engine)
		if err != nil {
			b.Fatal(err)
		}
		var bodies [][]byte
		if err := h.life(context.Background(), h.communes[1], func(d document) {
			body, err := bson.Marshal(d)
			if err != nil {
				b.Fatal(err)
			}
			bodies = append(bodies, body)
		}); err != nil {
			b.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { h.Run(ctx) })
		defer running.Wait()
		defer stop()
		ours := func() error { return h.life(ctx, h.communes[rand.IntN(len(h.communes))], nil) }
		writes := func() error {
			doc := rawDoc{ID: uuid.Must(uuid.NewV7()).String(), Body: bodies[0]}
			if err := raw.Insert(ctx, doc); err != nil {
				return err
			}
			_, version, err := raw.Get(ctx, doc.ID)
			for _, doc.Body = range bodies[1:] {
				if err == nil {
					version, err = raw.Replace(ctx, doc.ID, doc, version)
				}
			}
			return err
		}
		for b.Loop() {
			perSecond(b, ours) // warm
			var mine, best, share []float64
			for range benchRounds {
				o, r := perSecond(b, ours), perSecond(b, writes)
				mine, best, share = append(mine, o), append(best, r), append(share, o/r)
			}
			for _, list := range [][]float64{mine, best, share} {
				slices.Sort(list)
			}
			b.Logf("%d cases stored, %d callers: %.0f lives a second, raw writes %.0f; share %.2f (%.2f to %.2f), wanted 0.35; %d told",
				cases, benchCallers, mine[len(mine)/2], best[len(best)/2], share[len(share)/2], share[0], share[len(share)-1], h.told.Load())
			b.ReportMetric(mine[len(mine)/2], "lives/s")
			b.ReportMetric(share[len(share)/2], "of-raw")
		}
	})
}

// perSecond lets many callers do something for a second.
func perSecond(b *testing.B, do func() error) float64 {
	var done atomic.Int64
	var wait sync.WaitGroup
	begun := time.Now()
	for range benchCallers {
		wait.Go(func() {
			for time.Since(begun) < time.Second {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	wait.Wait()
	return float64(done.Load()) / time.Since(begun).Seconds()
}

// BenchmarkRead measures what pages ask: inboxes, registers, searches, each at the 99th percentile.
func BenchmarkRead(b *testing.B) {
	onBenchEngines(b, func(b *testing.B, h *benchHouse) {
		cases := storedCases(b)
		h.fill(b, cases)
		h.now = func() time.Time { return benchNow }
		ctx := context.Background()
		somewhere := func() string { return h.communes[rand.IntN(len(h.communes))] }
		list := func(f Filter) func() error {
			return func() error {
				if f.Unit == "commune" {
					f.Unit = somewhere()
				}
				if f.Text != "" {
					f.Text = benchText(1 + rand.IntN(2))
				}
				page, err := h.List(ctx, f, "", 25)
				if err == nil && page.Next != "" {
					_, err = h.List(ctx, f, page.Next, 25)
				}
				return err
			}
		}
		names := []string{"inbox of a commune", "inbox of a province", "inbox of the country", "late of the country", "to review in a province", "newest of the country", "register", "search of a commune", "search of a province", "search of the country"}
		does := []func() error{
			list(Filter{Unit: "commune", Waiting: true}), list(Filter{Unit: "p07", Waiting: true}), list(Filter{Waiting: true}), list(Filter{Late: true}),
			list(Filter{Unit: "p07", States: []casework.State{casework.Explained}}), list(Filter{}),
			func() error { _, err := h.Register(ctx, somewhere(), 2026, "", 25); return err },
			list(Filter{Unit: "commune", Text: "x"}), list(Filter{Unit: "p07", Text: "x"}), list(Filter{Text: "x"}),
		}
		for b.Loop() {
			for i, do := range does {
				took := make([]time.Duration, 200)
				for n := range took {
					begun := time.Now()
					if err := do(); err != nil {
						b.Fatal(err)
					}
					took[n] = time.Since(begun)
				}
				slices.Sort(took)
				b.Logf("%d cases stored, %s (two pages): median %v, p99 %v; wanted 20ms a page", cases, names[i], took[100].Round(10*time.Microsecond), took[197].Round(10*time.Microsecond))
			}
		}
	})
}
