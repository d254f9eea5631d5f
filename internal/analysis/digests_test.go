package analysis

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// leavesOf reads a unit's leaves straight from the store.
func leavesOf(t interface{ Fatal(...any) }, engine Figures, unit string, p Period) []tally.Leaf {
	var all []tally.Leaf
	for leaf, err := range engine.Rollups().Leaves(context.Background(), unit, string(p.From), string(p.To)) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, leaf)
	}
	return all
}

// directReasons and directHours count leaves themselves, with no digest between.
func directReasons(a *Analysis, leaves []tally.Leaf) []Reason {
	byForm := map[string]*taken{}
	for _, leaf := range leaves {
		key := form(leaf.StripKey())
		if byForm[key] == nil {
			byForm[key] = &taken{choices: map[string]map[string]uint32{}, scored: map[string]uint32{}}
		}
		of := byForm[key]
		for _, cell := range leaf.Hours {
			of.ratings += cell.Overall.N() + cell.Overall[0]
			for at, count := range cell.Choices {
				question, choice, _ := strings.Cut(at, "/")
				if of.choices[question] == nil {
					of.choices[question] = map[string]uint32{}
				}
				of.choices[question][choice] += count
			}
			for question, counts := range cell.Questions {
				of.scored[question] += counts.N()
			}
		}
	}
	return a.reasons(byForm)
}

func directHours(a *Analysis, leaves []tally.Leaf) []Hour {
	var week [7][24]sum
	for _, leaf := range leaves {
		for hour, cell := range leaf.Hours {
			week[(int(leaf.Key.Day.Start().Weekday())+6)%7][hour].add(cell.Overall, cell.Flagged.N())
		}
	}
	var whole sum
	var hours []Hour
	var parts []figure.Distribution
	for day := range week {
		for hour, total := range week[day] {
			if total.counts.N() > 0 {
				whole.add(total.counts, total.flagged)
				parts = append(parts, total.distribution())
				hours = append(hours, Hour{Weekday: day + 1, Hour: hour})
			}
		}
	}
	_, parts = figure.SuppressChannels(whole.distribution(), parts, a.config.MinCell)
	for i, part := range parts {
		hours[i].N, hours[i].Dissatisfied = part.N, part.Dissatisfied
	}
	return hours
}

// office is what a worker keeps of some units: records, leaves, and strips that may lag behind them.
type office struct {
	engine  store.Engine
	epoch   uint32
	cells   map[string][]rating.Record
	lagging map[tally.LeafKey]bool       // leaves of which the strip has not heard
	states  map[tally.LeafKey][]*digest  // each leaf was in, in order
	stated  map[tally.LeafKey]tally.Slot // what the strips have
	made    int
}

func newOffice(engine store.Engine) *office {
	return &office{engine: engine, epoch: 1, cells: map[string][]rating.Record{}, lagging: map[tally.LeafKey]bool{},
		states: map[tally.LeafKey][]*digest{}, stated: map[tally.LeafKey]tally.Slot{}}
}

func (o *office) rate(record rating.Record) string {
	o.made++
	record.ID = rating.RecordID("P", record.Counted.Unit, fmt.Sprintf("r%06d", o.made))
	o.cells[record.Cell] = append(o.cells[record.Cell], record)
	return record.Cell
}

// fold folds a cell and raises its leaf; the strip is left behind.
func (o *office) fold(t interface{ Fatal(...any) }, cell string) {
	hour, err := tally.Fold(o.epoch, cell, o.cells[cell])
	if err == nil {
		err = o.engine.Rollups().Raise(context.Background(), []tally.HourCell{hour})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range leavesOf(t, o.engine, hour.Leaf.Unit, Period{hour.Leaf.Day, hour.Leaf.Day}) {
		if leaf.Key == hour.Leaf {
			o.states[leaf.Key] = append(o.states[leaf.Key], digestOf(leaf))
		}
	}
	o.lagging[hour.Leaf] = true
}

// catchUp raises the strip of a leaf.
func (o *office) catchUp(t interface{ Fatal(...any) }, key tally.LeafKey) {
	for _, leaf := range leavesOf(t, o.engine, key.Unit, Period{key.Day, key.Day}) {
		if leaf.Key != key {
			continue
		}
		if err := o.engine.Rollups().RaiseStrips(context.Background(), []tally.Strip{leaf.Strip()}); err != nil {
			t.Fatal(err)
		}
		_, o.stated[key] = leaf.Slot()
	}
	delete(o.lagging, key)
}

func leafKeys[V any](of map[tally.LeafKey]V) []tally.LeafKey {
	return slices.SortedFunc(maps.Keys(of), func(a, b tally.LeafKey) int { return strings.Compare(a.ID(), b.ID()) })
}

// Whatever comes in between, an answer rests on each leaf that the strips speak of once, in the strip's state or a later one; and
// where the strips have caught up, it is what counting the leaves themselves gives.
func TestDigestsSayWhatTheLeavesSay(t *testing.T) {
	const first = localday.Day("2025-12-29") // two years
	ctx := context.Background()
	runs := 0
	engine := open(t)
	forms := published(t, short(1, ""))
	rapid.Check(t, func(t *rapid.T) {
		runs++
		id := func(i int) string { return fmt.Sprintf("r%d.u%d", runs, i) } // the engine is shared, the units are not
		units := []unit.Unit{unit.New(id(0), "P", "", unit.Words{Code: "0", Name: "Tỉnh", Level: "province"})}
		for i := 1; i < 3; i++ {
			units = append(units, unit.New(id(i), "P", "", unit.Words{Code: fmt.Sprint(i), Name: fmt.Sprint("Xã ", i), Level: "commune", ParentID: id(0)}))
		}
		tree, err := unit.Build(units, "2026-02-01")
		if err != nil {
			t.Fatal(err)
		}
		a := New(Config{Engine: engine, Units: &grove{tree}, Clock: at("2026-02-01"), Forms: forms, MinCell: rapid.Uint32Range(1, 4).Draw(t, "least")})
		a.digests = newDigests(rapid.SampledFrom([]int{0, 1, 4, 1000}).Draw(t, "kept"))
		o := newOffice(engine)
		ask := func(t *rapid.T) {
			from := first.Add(rapid.IntRange(0, 5).Draw(t, "from"))
			period := Period{from, from.Add(rapid.IntRange(0, 6).Draw(t, "days"))}
			query := Query{Unit: id(rapid.IntRange(0, 2).Draw(t, "of")), From: string(period.From), To: string(period.To)}
			if channel := pb.Channel(rapid.IntRange(0, 2).Draw(t, "channel")); channel > 0 {
				query.Channels = []pb.Channel{channel}
			}
			q, err := a.ask(ctx, query, thirtyDays)
			if err != nil {
				t.Fatal(err)
			}
			within := func(key tally.LeafKey) bool {
				return period.From <= key.Day && key.Day <= period.To && q.wants(key.Channel) && (query.Unit == id(0) || query.Unit == key.Unit)
			}
			given := map[tally.LeafKey]*digest{}
			err = a.leaves(ctx, q, q.subtree(), func(strip tally.StripKey, leaves []*digest) {
				for _, leaf := range leaves {
					key := tally.LeafKey{Unit: strip.Unit, Day: dayOf(strip.Year).Add(leaf.at.Day), Channel: leaf.at.Channel, Questionnaire: strip.Questionnaire, QVersion: strip.QVersion}
					if given[key] != nil {
						t.Fatalf("%s is given twice", key.ID())
					}
					given[key] = leaf
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			behind := false
			for _, key := range leafKeys(o.states) {
				if !within(key) {
					if given[key] != nil {
						t.Fatalf("%s was not asked for", key.ID())
					}
					continue
				}
				behind = behind || o.lagging[key]
				stated := o.stated[key]
				spoken := stated.Seen > 0
				is := given[key]
				switch {
				case !spoken && is == nil:
				case !spoken || is == nil:
					t.Fatalf("%s: the strips speak of it: %v, it is given: %v", key.ID(), spoken, is != nil)
				case is.slot.Less(stated.Version):
					t.Fatalf("%s: given as at %v, and the strip has %v", key.ID(), is.slot.Version, stated.Version)
				case !slices.ContainsFunc(o.states[key], func(state *digest) bool {
					return cmp.Equal(state, is, cmp.AllowUnexported(digest{}, answered{}), cmp.Comparer(func(x, y answered) bool { return x == y }))
				}):
					t.Fatalf("%s: never was as it is given", key.ID())
				}
			}
			if behind {
				return
			}
			var leaves []tally.Leaf
			for i := range 3 {
				for _, leaf := range leavesOf(t, engine, id(i), period) {
					if within(leaf.Key) {
						leaves = append(leaves, leaf)
					}
				}
			}
			reasons, err := a.Reasons(ctx, query)
			if diff := cmp.Diff(directReasons(a, leaves), reasons.Reasons); err != nil || diff != "" {
				t.Fatalf("reasons, %v (-counted directly +answered):\n%s", err, diff)
			}
			hours, err := a.Hours(ctx, query)
			if diff := cmp.Diff(directHours(a, leaves), hours.Hours); err != nil || diff != "" {
				t.Fatalf("hours, %v (-counted directly +answered):\n%s", err, diff)
			}
		}
		rate := func(t *rapid.T) {
			record := given(id(rapid.IntRange(0, 2).Draw(t, "unit")), first.Add(rapid.IntRange(0, 6).Draw(t, "day")), rapid.IntRange(8, 10).Draw(t, "hour"),
				pb.Channel(rapid.IntRange(1, 2).Draw(t, "through")), rapid.SampledFrom([]string{"short", "sipas"}).Draw(t, "form"), int32(rapid.IntRange(0, 5).Draw(t, "score")),
				chose("why", rapid.SampledFrom([]string{"slow", "rude"}).Draw(t, "why")), scored("clean", int32(rapid.IntRange(1, 5).Draw(t, "clean"))))
			if rapid.Bool().Draw(t, "doubted") {
				record.Flags = []string{"clock"}
			}
			o.fold(t, o.rate(record))
		}
		t.Repeat(map[string]func(*rapid.T){
			"rate":       rate,
			"rate again": rate,
			"catch up": func(t *rapid.T) {
				if len(o.lagging) > 0 {
					o.catchUp(t, rapid.SampledFrom(leafKeys(o.lagging)).Draw(t, "leaf"))
				}
			},
			"catch up with all": func(t *rapid.T) {
				for _, key := range leafKeys(o.lagging) {
					o.catchUp(t, key)
				}
			},
			"a new epoch, with some ratings gone": func(t *rapid.T) {
				o.epoch++
				for _, cell := range slices.Sorted(maps.Keys(o.cells)) {
					o.cells[cell] = o.cells[cell][:rapid.IntRange(0, len(o.cells[cell])).Draw(t, "left")]
					if rapid.IntRange(0, 3).Draw(t, "now") > 0 {
						o.fold(t, cell)
					}
				}
			},
			"ask":       ask,
			"ask again": ask,
		})
	})
}

// While ratings come in, who asks time and again never sees fewer than before, and in the end all.
func TestDigestsWhileRatingsComeIn(t *testing.T) {
	engine := open(t)
	a := New(Config{Engine: engine, Units: merged(t, "2025-09-01"), Clock: at("2025-09-01"), MinCell: 1})
	o := newOffice(engine)
	ctx := t.Context()
	stop := make(chan struct{})
	var asking sync.WaitGroup
	for range 3 {
		asking.Go(func() {
			most := uint32(0)
			for {
				got, err := a.Hours(ctx, august)
				if err != nil {
					t.Error(err)
					return
				}
				n := uint32(0)
				for _, hour := range got.Hours {
					n += hour.N
				}
				if n < most {
					t.Errorf("%d ratings after %d", n, most)
				}
				most = n
				if _, err := a.Reasons(ctx, august); err != nil {
					t.Error(err)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for i := range 120 {
		record := given([]string{"D", "O", "C"}[i%3], localday.Day("2025-08-01").Add(i%9), 8+i%5, kiosk, "short", int32(1+i%5), chose("why", "slow"))
		o.fold(t, o.rate(record))
		if i%4 != 0 {
			for key := range o.lagging {
				o.catchUp(t, key)
			}
		}
	}
	for key := range o.lagging {
		o.catchUp(t, key)
	}
	close(stop)
	asking.Wait()
	var leaves []tally.Leaf
	for _, id := range []string{"C", "D", "O"} {
		leaves = append(leaves, leavesOf(t, engine, id, Period{"2025-08-01", "2025-08-31"})...)
	}
	hours, err := a.Hours(ctx, august)
	if diff := cmp.Diff(directHours(a, leaves), hours.Hours); err != nil || diff != "" {
		t.Errorf("hours, %v (-counted directly +answered):\n%s", err, diff)
	}
	reasons, err := a.Reasons(ctx, august)
	if diff := cmp.Diff(directReasons(a, leaves), reasons.Reasons); err != nil || diff != "" {
		t.Errorf("reasons, %v (-counted directly +answered):\n%s", err, diff)
	}
}

// counting counts the leaves that are read.
type counting struct {
	Figures
	leaves *atomic.Int64
}

func (c counting) Rollups() store.Rollups { return countingRollups{c.Figures.Rollups(), c.leaves} }

type countingRollups struct {
	store.Rollups
	leaves *atomic.Int64
}

func (c countingRollups) Leaves(ctx context.Context, unit, from, to string) iter.Seq2[tally.Leaf, error] {
	return func(yield func(tally.Leaf, error) bool) {
		for leaf, err := range c.Rollups.Leaves(ctx, unit, from, to) {
			c.leaves.Add(1)
			if !yield(leaf, err) {
				return
			}
		}
	}
}

func TestALeafIsReadOnce(t *testing.T) {
	read := new(atomic.Int64)
	a := offices(t)
	engine := a.config.Engine.(store.Engine)
	a.config.Engine = counting{engine, read}
	ask := func() {
		t.Helper()
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := a.Reasons(t.Context(), august); err != nil {
				t.Error(err)
			}
		})
		both.Go(func() {
			if _, err := a.Hours(t.Context(), august); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
	}
	for _, step := range []struct {
		name  string
		first func()
		want  int64
	}{
		{"first", func() {}, 5},
		{"again", func() {}, 0},
		{"another rating on one day", func() { keep(t, engine, times(7, given("O", "2025-08-11", 9, kiosk, "short", 1))) }, 0}, // not more than were seen
		{"more ratings on one day", func() { keep(t, engine, times(11, given("O", "2025-08-11", 9, kiosk, "short", 1))) }, 1},
		{"on two days apart", func() {
			keep(t, engine, times(12, given("O", "2025-08-11", 9, kiosk, "short", 1)), times(1, given("O", "2025-08-20", 9, kiosk, "short", 1)))
		}, 2},
	} {
		read.Store(0)
		step.first()
		ask()
		if got := read.Load(); got != step.want {
			t.Errorf("%s: %d leaves were read, want %d", step.name, got, step.want)
		}
	}
}

// A reader who is called off leaves the work to the one who waits.
func TestWhoWaitsForLeavesReadsThemWhereTheReaderGoes(t *testing.T) {
	d := newDigests(10)
	done, err := d.alone(t.Context(), "u")
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.alone(gone, "u"); err == nil {
		t.Error("who was called off reads")
	}
	next := make(chan func())
	go func() {
		done, err := d.alone(t.Context(), "u")
		if err != nil {
			t.Error(err)
		}
		next <- done
	}()
	done()
	(<-next)()
	if len(d.reading) != 0 {
		t.Errorf("still reading: %v", d.reading)
	}
}

func TestDigestsAreForgottenByUse(t *testing.T) {
	d := newDigests(3)
	strip := func(unit string) tally.StripKey {
		return tally.StripKey{Year: 2025, Unit: unit, Questionnaire: "short", QVersion: 1}
	}
	leaf := func(day int) *digest { return &digest{at: tally.SlotKey{Day: day, Channel: kiosk}} }
	d.keep(strip("a"), []*digest{leaf(1), leaf(3)})
	d.keep(strip("b"), []*digest{leaf(1)})
	d.of(strip("a"))
	d.keep(strip("c"), []*digest{leaf(1)})
	if len(d.of(strip("a"))) != 2 || d.of(strip("b")) != nil || d.count != 3 {
		t.Error("b was asked for longest ago", d.count, len(d.kept))
	}
	d.keep(strip("a"), []*digest{leaf(2), leaf(3)})
	if got := d.of(strip("a")); len(got) != 3 || got[1].at.Day != 2 || d.count != 3 || d.of(strip("c")) != nil {
		t.Error(got, d.count)
	}
	d.keep(strip("d"), []*digest{leaf(1), leaf(2), leaf(3), leaf(4)}) // more than can be kept
	if d.count != 0 || len(d.kept) != 0 || d.recent.Len() != 0 {
		t.Error(d.count, len(d.kept))
	}
}

func TestPackedHours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaf := tally.Leaf{Key: tally.LeafKey{Unit: "u", Day: "2025-08-11", Channel: kiosk, Questionnaire: "short", QVersion: 1}, Hours: map[int]tally.Cell{}}
		var want, got [24]sum
		for at := range want {
			if !rapid.Bool().Draw(t, "is there") {
				continue
			}
			var cell tally.Cell
			for i := range cell.Overall {
				cell.Overall[i] = rapid.OneOf(rapid.Just(uint32(0)), rapid.Uint32Range(0, 300), rapid.Uint32()).Draw(t, "count")
			}
			cell.Flagged[1] = rapid.Uint32Range(0, 200).Draw(t, "flagged")
			leaf.Hours[at] = cell
			want[at] = sum{cell.Overall, cell.Flagged[1]}
		}
		if digestOf(leaf).addHours(&got); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// BenchmarkDigest measures what a digest takes of memory (a busy day: nine hours, each reason taken in some) and of time to make.
func BenchmarkDigest(b *testing.B) {
	leaf := tally.Leaf{Key: tally.LeafKey{Unit: "u", Day: "2025-08-11", Channel: kiosk, Questionnaire: "short", QVersion: 1}, Hours: map[int]tally.Cell{}}
	for hour := 8; hour < 17; hour++ {
		leaf.Hours[hour] = tally.Cell{
			Version: tally.Version{Epoch: 1, Seen: 40}, Overall: tally.Counts{0, 2, 3, 5, 15, 15},
			Choices:   map[string]uint32{"why/slow": 2, "why/rude": 1, "why/dear": 1, "why/far": 1, "overall/1": 2, "overall/2": 3, "overall/3": 5, "overall/4": 15, "overall/5": 15},
			Questions: map[string]tally.Counts{"overall": {0, 2, 3, 5, 15, 15}},
		}
	}
	const many = 10_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		d := newDigests(many)
		for i := range many / 100 {
			read := make([]*digest, 100)
			for day := range read {
				read[day] = digestOf(leaf)
				read[day].at.Day = day
			}
			d.keep(tally.StripKey{Year: 2025, Unit: fmt.Sprint("u", i), Questionnaire: "short", QVersion: 1}, read)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(d.count), "B/digest")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/digest")
}
