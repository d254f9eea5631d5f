package overview

import (
	"html/template"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/chart"
)

// monthsShown is how far back a counter's drawing goes.
const monthsShown = 12

type counterPage struct {
	Unit    *pb.Unit
	Above   []*pb.Unit
	Asked   asked
	Periods []web.Period
	Counter *pb.Facet
	From    string
	To      string
	Charts  map[string]template.HTML
	Empty   bool // no ratings in these months
}

// counter shows one counter, by whole months: figures by counter are kept no finer, so that nobody can be told from them.
func (p pages) counter(v *web.Visit) error {
	page := counterPage{Asked: ask(v), Charts: map[string]template.HTML{}}
	id := v.R.PathValue("counter")
	unit, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: v.R.PathValue("unit")})
	if err != nil {
		return err
	}
	page.Unit = unit
	page.Periods = page.Asked.periods(counterPath(unit.GetId(), id), v.Today())[2:] // a day or a week is shown as its whole month
	if page.Above, err = v.Above(unit); err != nil {
		return err
	}
	ask := func(from, to string) (*pb.ListFacetsResponse, error) {
		return v.Analytics.ListFacets(v.Context(), &pb.ListFacetsRequest{
			UnitId: unit.GetId(), From: from, To: to, Tree: page.Asked.tree(), Kind: pb.FacetKind_FACET_KIND_COUNTER,
		})
	}
	whole, err := ask(page.Asked.From, page.Asked.To)
	if err != nil {
		return err
	}
	page.From, page.To = whole.GetFrom(), untilToday(v, whole)
	if page.Counter = facetOf(whole, id); page.Counter == nil {
		if page.Counter, err = unrated(v, unit.GetId(), id); err != nil {
			return err
		}
		page.Empty = true
		return v.Render(p.Pages, "counter", page)
	}
	last, err := localday.Parse(page.To)
	if err != nil {
		return err
	}
	points := make([]chart.TrendPoint, monthsShown)
	var group errgroup.Group
	for i := range points {
		month := last.Start().AddDate(0, i-monthsShown+1, 1-last.Start().Day())
		points[i].Day = month
		group.Go(func() error {
			day := month.Format(time.DateOnly)
			one, err := ask(day, day)
			points[i].Figure = figure(facetOf(one, id).GetDistribution().GetSatisfied())
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	d := page.Counter.GetDistribution()
	page.Charts["satisfied"] = chart.Block(v.Language, "satisfied", chart.Interval{Label: v.Text("overview.satisfied"), Figure: figure(d.GetSatisfied()), Tone: chart.Good})
	page.Charts["dissatisfied"] = chart.Block(v.Language, "dissatisfied", chart.Interval{Label: v.Text("overview.dissatisfied"), Figure: figure(d.GetDissatisfied()), Tone: chart.Bad})
	page.Charts["distribution"] = chart.Block(v.Language, "distribution", distribution(v, d))
	page.Charts["trend"] = chart.Block(v.Language, "trend", chart.Trend{Title: v.Text("overview.trend"), Points: points, Monthly: true, Tone: chart.Good})
	return v.Render(p.Pages, "counter", page)
}

func facetOf(response *pb.ListFacetsResponse, id string) *pb.Facet {
	for _, facet := range response.GetFacets() {
		if facet.GetId() == id {
			return facet
		}
	}
	return nil
}

// unrated is a counter of a unit without ratings in the period.
func unrated(v *web.Visit, unit, id string) (*pb.Facet, error) {
	counters, err := v.Directory.ListCounters(v.Context(), &pb.ListCountersRequest{UnitId: unit, PageSize: 1000})
	if err != nil {
		return nil, err
	}
	for _, counter := range counters.GetCounters() {
		if counter.GetId() == id {
			return &pb.Facet{Id: id, Name: counter.GetName(), UnitId: counter.GetUnitId()}, nil
		}
	}
	return nil, web.ErrNotFound
}

// counterLink leads down to a counter.
func counterLink(page showPage, counter string) string {
	return page.Asked.Link(counterPath(page.Unit.GetId(), counter))
}

func counterPath(unit, counter string) string {
	return "/units/" + url.PathEscape(unit) + "/counters/" + url.PathEscape(counter)
}
