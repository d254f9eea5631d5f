package analysis

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// given is a rating at an hour of a day.
func given(unit string, day localday.Day, hour int, channel pb.Channel, form string, score int32, change ...func(*rating.Record)) rating.Record {
	counted := rating.Counted{Unit: unit, Day: day, Hour: hour, Channel: channel, Questionnaire: form, Version: 1}
	record := rating.Record{Kind: rating.KindRating, Counted: counted, ReceivedAt: day.Start(), Score: score}
	for _, f := range change {
		f(&record)
	}
	record.Cell = record.Counted.Cell()
	return record
}

func chose(question string, choices ...string) func(*rating.Record) {
	return func(r *rating.Record) {
		r.Answers = append(r.Answers, rating.Answer{Question: question, Choices: choices})
	}
}

func scored(question string, score int32) func(*rating.Record) {
	return func(r *rating.Record) { r.Answers = append(r.Answers, rating.Answer{Question: question, Score: score}) }
}

// times is the same rating n times over.
func times(n int, record rating.Record) []rating.Record {
	records := make([]rating.Record, n)
	for i := range records {
		records[i] = record
	}
	return records
}

// keep folds records into leaves, strips and facets, as the worker does.
func keep(t testing.TB, engine store.Engine, groups ...[]rating.Record) {
	t.Helper()
	cells := map[string][]rating.Record{}
	months := map[tally.FacetKey][]rating.Record{}
	n := 0
	for _, group := range groups {
		for _, record := range group {
			n++
			record.ID = rating.RecordID("P", record.Counted.Unit, fmt.Sprintf("r%06d", n))
			cells[record.Cell] = append(cells[record.Cell], record)
			month := tally.FacetKey{Unit: record.Counted.Unit, Month: record.Counted.Day.Month()}
			months[month] = append(months[month], record)
		}
	}
	leaves := map[tally.LeafKey]tally.Leaf{}
	var hours []tally.HourCell
	for cell, records := range cells {
		hour, err := tally.Fold(1, cell, records)
		if err != nil {
			t.Fatal(err)
		}
		hours = append(hours, hour)
		if _, ok := leaves[hour.Leaf]; !ok {
			leaves[hour.Leaf] = tally.Leaf{Key: hour.Leaf, Hours: map[int]tally.Cell{}}
		}
		leaves[hour.Leaf].Hours[hour.Hour] = hour.Cell
	}
	var strips []tally.Strip
	for _, leaf := range leaves {
		strips = append(strips, leaf.Strip())
	}
	var facets []tally.Facet
	for key, records := range months {
		facets = append(facets, tally.FoldFacet(1, key, records))
	}
	ctx := context.Background()
	for _, err := range []error{engine.Rollups().Raise(ctx, hours), engine.Rollups().RaiseStrips(ctx, strips), engine.Rollups().RaiseFacets(ctx, facets)} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// library is published questionnaires.
type library []*questionnaire.Questionnaire

func (l library) Questionnaires() []*questionnaire.Questionnaire { return l }

func published(t testing.TB, texts ...string) library {
	t.Helper()
	var all library
	for _, text := range texts {
		q, err := questionnaire.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, q)
	}
	return all
}

const shortForm = `id: short
version: %d
titles: {vi: "Phiếu ngắn", en: "Short"}
source: {text: "A test.", verified: false}
questions:
  - id: overall
    kind: buttons
    overall: true
    texts: {vi: "Hài lòng không?", en: "Satisfied?"}
    choices:
      - {id: "yes", score: 5, texts: {vi: "Có", en: "Yes"}}
      - {id: "no", score: 1, texts: {vi: "Không", en: "No"}}
  - id: why
    kind: choices
    multiple: true
    texts: {vi: "Vì sao%s?", en: "Why%s?"}
    choices:
      - {id: slow, texts: {vi: "Chậm", en: "Slow"}}
      - {id: rude, texts: {vi: "Thái độ", en: "Attitude"}}
      - {id: dear, texts: {vi: "Tốn kém", en: "Cost"}}
  - id: where
    kind: choices
    texts: {vi: "Ở đâu?", en: "Where?"}
    choices:
      - {id: desk, texts: {vi: "Tại quầy", en: "At the desk"}}
      - {id: home, texts: {vi: "Tại nhà", en: "At home"}}
  - id: clean
    kind: buttons
    texts: {vi: "Sạch không?", en: "Clean?"}
    choices:
      - {id: clean, score: 5, texts: {vi: "Sạch", en: "Clean"}}
      - {id: dirty, score: 1, texts: {vi: "Bẩn", en: "Dirty"}}
`

func short(version int, more string) string { return fmt.Sprintf(shortForm, version, more, more) }

// button is the choice beside its score.
func button(question, choice string, score int32) func(*rating.Record) {
	return func(r *rating.Record) {
		r.Answers = append(r.Answers, rating.Answer{Question: question, Score: score, Choices: []string{choice}})
	}
}

// offices is the merged province with ratings that say why, when and where.
func offices(t testing.TB) *Analysis {
	t.Helper()
	engine := open(t)
	keep(t, engine,
		times(6, given("O", "2025-08-11", 9, kiosk, "short", 1, button("overall", "no", 1), chose("why", "slow", "rude"), chose("where", "desk"), button("clean", "dirty", 1))),
		times(4, given("O", "2025-08-11", 9, kiosk, "short", 5, button("overall", "yes", 5), chose("where", "home"))),
		times(5, given("O", "2025-08-12", 14, web, "short", 2, chose("why", "slow"))),
		times(2, given("D", "2025-08-18", 9, kiosk, "short", 4, button("clean", "clean", 5))), // a Monday, as the 11th
		times(3, given("C", "2025-08-13", 10, kiosk, "short", 1, chose("why", "dear"))),
		times(9, given("A", "2025-06-15", 9, kiosk, "short", 1, chose("why", "rude"))),
		times(8, given("D", "2025-08-14", 8, paper, "sipas", 3, scored("q1", 2))),
	)
	return New(Config{
		Engine: engine, Units: merged(t, "2025-09-01"), Clock: at("2025-09-01"), Forms: published(t, short(1, ""), short(2, " (mới)")),
	})
}

var august = Query{Unit: "P", From: "2025-08-01", To: "2025-08-31"}

func TestReasons(t *testing.T) {
	a := offices(t)
	for name, c := range map[string]struct {
		change func(*Query)
		want   string // question/choice count of n
	}{
		// Several may be taken: n is every rating on a form that asks. One may be taken: n is who did. The form that does not ask is left out.
		"a province":                {func(*Query) {}, "why/slow 11 of 20, clean/dirty 6 of 8, where/desk 6 of 10, why/rude 6 of 20, where/home 4 of 10, why/dear 3 of 20, clean/clean 2 of 8"},
		"a channel":                 {func(q *Query) { q.Channels = []pb.Channel{web} }, "why/slow 5 of 5"},
		"the day":                   {func(q *Query) { q.From, q.To = "2025-08-12", "2025-08-12" }, "why/slow 5 of 5"},
		"too few to be told":        {func(q *Query) { q.Unit = "C" }, "why/dear withheld of 3, why/rude withheld of 3, why/slow withheld of 3"},
		"a unit with what is below": {func(q *Query) { q.Unit = "D" }, "why/slow 11 of 17, clean/dirty 6 of 8, where/desk 6 of 10, why/rude 6 of 17, where/home 4 of 10, clean/clean 2 of 8"},
		"a form without choices":    {func(q *Query) { q.Questionnaire = "sipas" }, ""},
		"a unit without ratings":    {func(q *Query) { q.Unit = "B" }, ""},
		"the future":                {func(q *Query) { q.From, q.To = "2027-01-01", "2027-12-31" }, ""},
		"merged, as today":          {func(q *Query) { q.Unit, q.Tree, q.From = "C", asToday, "2025-06-01" }, "why/rude 9 of 12, why/dear 3 of 12"},
		"merged, as at the time":    {func(q *Query) { q.Unit, q.From = "C", "2025-06-01" }, "why/dear withheld of 3, why/rude withheld of 3, why/slow withheld of 3"},
		"ten years":                 {func(q *Query) { q.From = "2015-09-01" }, "why/rude 15 of 29, why/slow 11 of 29, clean/dirty 6 of 8, where/desk 6 of 10, where/home 4 of 10, why/dear 3 of 29, clean/clean 2 of 8"},
	} {
		t.Run(name, func(t *testing.T) {
			query := august
			c.change(&query)
			got, err := a.Reasons(context.Background(), query)
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, r := range got.Reasons {
				count := fmt.Sprint(r.Count)
				if r.Share.Suppressed {
					count = "withheld"
					if r.Count != 0 || r.Share.Value != 0 || r.Share.High != 0 {
						t.Errorf("withheld, and told: %+v", r)
					}
				} else if r.Share != figure.Wilson(r.Count, r.Share.N) {
					t.Errorf("share %+v of %d", r.Share, r.Count)
				}
				told = append(told, fmt.Sprintf("%s/%s %s of %d", r.Question, r.Choice, count, r.Share.N))
			}
			if got := strings.Join(told, ", "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestReasonsHaveTheNewestWords(t *testing.T) {
	got, err := offices(t).Reasons(context.Background(), august)
	if err != nil || len(got.Reasons) == 0 {
		t.Fatal(got, err)
	}
	first := got.Reasons[0]
	if vi, en := questionnaire.Says(first.Asked, "vi"), questionnaire.Says(first.Says, "en"); vi != "Vì sao (mới)?" || en != "Slow" {
		t.Errorf("asked %q, says %q", vi, en)
	}
}

func TestHours(t *testing.T) {
	a := offices(t)
	type told struct {
		weekday, hour int
		n             uint32
		dissatisfied  string
	}
	for name, c := range map[string]struct {
		change func(*Query)
		want   []told
	}{
		// Two Mondays are one hour of the week; the three of Wednesday are withheld, and the five of Tuesday with them: of 28 less the rest
		// they could be had.
		"a province": {func(*Query) {}, []told{{1, 9, 12, "6"}, {2, 14, 5, "withheld"}, {3, 10, 3, "withheld"}, {4, 8, 8, "0"}}},
		"a channel":  {func(q *Query) { q.Channels = []pb.Channel{web} }, []told{{2, 14, 5, "5"}}},
		"one day":    {func(q *Query) { q.From, q.To = "2025-08-11", "2025-08-11" }, []told{{1, 9, 10, "6"}}},
		"too few":    {func(q *Query) { q.Unit = "C" }, []told{{3, 10, 3, "withheld"}}},
		"no ratings": {func(q *Query) { q.Unit = "B" }, nil},
		"the future": {func(q *Query) { q.From, q.To = "2027-01-01", "2027-12-31" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			query := august
			c.change(&query)
			got, err := a.Hours(context.Background(), query)
			if err != nil {
				t.Fatal(err)
			}
			var hours []told
			for _, h := range got.Hours {
				dissatisfied := "withheld"
				if !h.Dissatisfied.Suppressed {
					dissatisfied = fmt.Sprintf("%.0f", h.Dissatisfied.Value*float64(h.N))
				} else if h.Dissatisfied.Value != 0 {
					t.Errorf("withheld, and told: %+v", h)
				}
				hours = append(hours, told{h.Weekday, h.Hour, h.N, dissatisfied})
			}
			if diff := cmp.Diff(c.want, hours, cmp.AllowUnexported(told{})); diff != "" {
				t.Errorf("hours (-want +got):\n%s", diff)
			}
		})
	}
}

// many is an engine whose strips claim more leaves than are read at once; no leaf may be read then.
type many struct {
	Figures
	t testing.TB
}

func (m many) Rollups() store.Rollups { return manyRollups{m.Figures.Rollups(), m.t} }

type manyRollups struct {
	store.Rollups
	t testing.TB
}

func (m manyRollups) Strips(_ context.Context, year int, _ []string) iter.Seq2[tally.Strip, error] {
	return func(yield func(tally.Strip, error) bool) {
		slots := map[tally.SlotKey]tally.Slot{}
		for day := range 365 {
			slots[tally.SlotKey{Day: day, Channel: kiosk}] = tally.Slot{Version: tally.Version{Epoch: 1, Seen: 1}, Overall: tally.Counts{0, 1}}
		}
		for i := range MaxLeaves/365 + 1 {
			strip, err := tally.NewStrip(tally.StripKey{Year: year, Unit: "P", Questionnaire: fmt.Sprint("f", i), QVersion: 1}, slots)
			if !yield(strip, err) {
				return
			}
		}
	}
}

func (m manyRollups) Leaves(context.Context, string, string, string) iter.Seq2[tally.Leaf, error] {
	m.t.Error("leaves were read")
	return func(func(tally.Leaf, error) bool) {}
}

func TestTooMuchIsRefusedBeforeItIsRead(t *testing.T) {
	a := New(Config{Engine: many{open(t), t}, Units: merged(t, "2025-09-01"), Clock: at("2025-09-01")})
	_, reasons := a.Reasons(context.Background(), Query{Unit: "P", From: "2025-01-01", To: "2025-12-31"})
	_, hours := a.Hours(context.Background(), Query{Unit: "P", From: "2025-01-01", To: "2025-12-31"})
	for name, err := range map[string]error{"reasons": reasons, "hours": hours} {
		f := fault.Of(err)
		if f.Code != fault.Invalid || f.Reason != "analysis_too_much" {
			t.Errorf("%s: %v", name, err)
		}
		if text := language.Vietnamese.Text("fault."+f.Reason, f.Args...); strings.HasPrefix(text, "fault.") || strings.Contains(text, "{") {
			t.Errorf("%s: %q", name, text)
		}
	}
}
