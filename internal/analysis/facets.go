package analysis

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/tally"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	// MaxUnitMonths is how many facet documents (a unit's month) one question reads at most: every commune of the country for a year.
	MaxUnitMonths = 50_000
	// MaxFacets is how many facets are answered, those with the most ratings.
	MaxFacets = 2000
)

// Facets are the counters, procedures, officials or questions of a subtree.
type Facets struct {
	Facets       []Facet // most ratings first
	Period       Period  // of whole months
	FreshThrough time.Time
}

// Facet is one of them.
type Facet struct {
	ID           string                    // of counter or official, code of a procedure, "questionnaire/question"
	Says         []questionnaire.LocalText // for a question, its words in the newest version; else none
	Distribution figure.Distribution       // for a question, of its own scores
}

// Facets sets the counters, procedures, officials or questions of a unit's subtree beside each other, over all months that the
// period touches, by default the last thirty days and today. As at the time, a unit's month counts where the unit stood on its last
// day in that month. Versions of a questionnaire are added up. Whether the caller may be told of officials is not decided here.
//
// Small facets are withheld. What the whole has beyond its facets (ratings at no counter, for instance) is a part too, though it is
// not shown: nothing that is withheld can be had by subtraction from the months' summary.
func (a *Analysis) Facets(ctx context.Context, query Query, kind pb.FacetKind) (Facets, error) {
	pick, ok := facetKinds[kind]
	if !ok {
		return Facets{}, fault.New(fault.Invalid, "analysis_facet_invalid", "kind", int32(kind))
	}
	q, err := a.ask(ctx, query, thirtyDays)
	if err != nil {
		return Facets{}, err
	}
	q.period = wholeMonths(q.period)
	whole, wanted, err := a.unitMonths(ctx, q, q.monthly())
	if err != nil {
		return Facets{}, err
	}
	totals, err := a.readFacets(ctx, wanted, pick)
	if err != nil {
		return Facets{}, err
	}
	answer := Facets{Period: q.period, FreshThrough: q.fresh}
	if kind == pb.FacetKind_FACET_KIND_QUESTION {
		answer.Facets = a.questions(whole, totals)
	} else {
		answer.Facets = a.parts(whole, totals)
	}
	slices.SortFunc(answer.Facets, func(a, b Facet) int {
		return cmp.Or(cmp.Compare(b.Distribution.N, a.Distribution.N), cmp.Compare(a.ID, b.ID))
	})
	answer.Facets = answer.Facets[:min(len(answer.Facets), MaxFacets)]
	return answer, nil
}

// facetKinds say which counts of a facet document are meant. Read only.
var facetKinds = map[pb.FacetKind]func(tally.Facet) map[string]tally.Counts{
	pb.FacetKind_FACET_KIND_COUNTER:   func(f tally.Facet) map[string]tally.Counts { return f.Counters },
	pb.FacetKind_FACET_KIND_PROCEDURE: func(f tally.Facet) map[string]tally.Counts { return f.Procedures },
	pb.FacetKind_FACET_KIND_OFFICIAL:  func(f tally.Facet) map[string]tally.Counts { return f.Officials },
	pb.FacetKind_FACET_KIND_QUESTION:  func(f tally.Facet) map[string]tally.Counts { return f.Questions },
}

func wholeMonths(p Period) Period {
	return Period{localday.Day(p.From.Month() + "-01"), stepEnd(p.To, pb.Step_STEP_MONTH)}
}

// monthly covers the subtree month by month: facets are kept by unit and month and cannot be cut. As at the time a unit counts
// in a month where it stood on its last day in it.
func (q asked) monthly() *cover {
	c := newCover()
	own := []int32{c.group(q.Unit)}
	list := func(ids []string) map[string][]int32 {
		of := make(map[string][]int32, len(ids)+1)
		of[q.Unit] = own
		for _, id := range ids {
			of[id] = own
		}
		return of
	}
	type seen struct {
		period Period
		view   *unit.View
	}
	var of map[string][]int32
	var last *unit.View // that of is made of
	if q.today {
		of = list(q.tree.ListToday(q.Unit))
	}
	for _, month := range cut(q.period, pb.Step_STEP_MONTH) {
		var stood []seen
		if !q.today {
			views(q.tree, month, func(p Period, view *unit.View) { stood = append(stood, seen{p, view}) })
		}
		switch {
		case len(stood) == 1 && stood[0].view != last:
			last = stood[0].view
			of = list(last.List(q.Unit))
		case len(stood) > 1:
			last = nil
			var ids []string
			settled := map[string]bool{}
			for _, s := range slices.Backward(stood) {
				below := s.view.Subtree(q.Unit)
				for _, id := range s.view.List("") {
					if !settled[id] && below[id] {
						ids = append(ids, id)
					}
					settled[id] = true
				}
			}
			of = list(ids)
		}
		c.stretches = append(c.stretches, stretch{month, of})
	}
	return c
}

// unitMonths answers which units have ratings in which months, by the strips, and what all of them add up to.
func (a *Analysis) unitMonths(ctx context.Context, q asked, c *cover) (whole sum, wanted map[string]map[string]bool, err error) {
	wanted = map[string]map[string]bool{}
	var parts []inYear
	var months []string
	begin := func(year int, of []inYear) {
		parts, months = of, make([]string, len(of))
		for i, part := range of {
			months[i] = dayOf(year).Add(part.first).Month()
		}
	}
	count := 0
	err = a.strips(ctx, q, c, begin, func(strip tally.Strip) {
		unit := strip.Key.Unit
		for i, part := range parts {
			if len(part.of[unit]) == 0 {
				continue
			}
			counts, flagged := strip.Sum(part.first, part.last)
			if counts == (tally.Counts{}) {
				continue
			}
			whole.add(counts, flagged)
			if wanted[unit] == nil {
				wanted[unit] = map[string]bool{}
			}
			if !wanted[unit][months[i]] {
				wanted[unit][months[i]] = true
				count++
			}
		}
	})
	if err == nil && count > MaxUnitMonths {
		err = fault.New(fault.Invalid, "analysis_too_much", "count", count, "limit", MaxUnitMonths)
	}
	return whole, wanted, err
}

// readFacets adds up what pick takes of the facets of units and months.
func (a *Analysis) readFacets(ctx context.Context, wanted map[string]map[string]bool, pick func(tally.Facet) map[string]tally.Counts) (map[string]tally.Counts, error) {
	totals := map[string]tally.Counts{}
	var adding sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readAtOnce)
	for unit, months := range wanted {
		group.Go(func() error {
			list := sortedKeys(months)
			for facet, err := range a.config.Engine.Rollups().Facets(ctx, unit, list[0], list[len(list)-1]) {
				if err != nil {
					return err
				}
				if !months[facet.Key.Month] {
					continue
				}
				adding.Lock()
				for id, counts := range pick(facet) {
					totals[id] = totals[id].Plus(counts)
				}
				adding.Unlock()
			}
			return nil
		})
	}
	return totals, group.Wait()
}

// parts makes facets that divide the whole between them, each rating in at most one.
func (a *Analysis) parts(whole sum, totals map[string]tally.Counts) []Facet {
	facets := make([]Facet, 0, len(totals))
	all := []sums{{whole}}
	for _, id := range sortedKeys(totals) {
		if totals[id].N() > 0 {
			facets = append(facets, Facet{ID: id})
			all = append(all, sums{{counts: totals[id]}})
		}
	}
	for i, part := range a.withhold(all) {
		facets[i].Distribution = part
	}
	return facets
}

// questions makes facets of questions, of which every rating answers several. Only overall questions divide the whole between them.
func (a *Analysis) questions(whole sum, totals map[string]tally.Counts) []Facet {
	known := a.forms()
	merged := map[string]tally.Counts{} // by questionnaire and question, over its versions
	for at, counts := range totals {
		form, question, _ := strings.Cut(at, "/")
		id, _, _ := strings.Cut(form, "@")
		merged[id+"/"+question] = merged[id+"/"+question].Plus(counts)
	}
	words := map[string]questionnaire.Question{}
	overall := map[string]tally.Counts{}
	var facets []Facet
	for at, counts := range merged {
		id, question, _ := strings.Cut(at, "/")
		words[at], _ = newest(known, func(q *questionnaire.Questionnaire) bool { return q.ID == id },
			func(q *questionnaire.Questionnaire) (questionnaire.Question, bool) { return q.Question(question) })
		switch {
		case words[at].Overall:
			overall[at] = counts
		case counts.N() > 0:
			facets = append(facets, Facet{ID: at, Distribution: figure.Distribute(counts.Scores(), 0).Suppress(a.config.MinCell)})
		}
	}
	facets = append(facets, a.parts(whole, overall)...)
	for i := range facets {
		facets[i].Says = words[facets[i].ID].Texts
	}
	return facets
}
