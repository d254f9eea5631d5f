package overview

import (
	"context"
	"html/template"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/cases"
	"github.com/hailong-vn/hailong/server/web/chart"
	"github.com/hailong-vn/hailong/server/web/kiosks"
)

// figures is everything a unit's page shows, as the services answered it.
type figures struct {
	summary    *pb.GetUnitSummaryResponse
	comparison *pb.ComparePeriodsResponse
	trend      *pb.GetTrendResponse
	before     *pb.GetTrendResponse
	ranking    *pb.RankUnitsResponse
	counters   *pb.ListFacetsResponse
	procedures *pb.ListFacetsResponse
	reasons    *pb.ListReasonsResponse
	hours      *pb.GetHoursResponse
	followUps  *pb.ListFollowUpsResponse
	coverage   *pb.Coverage
	cases      *pb.GetCaseDeskResponse
	tooMuch    []string // drawings that the services found too wide to count at once
}

type showPage struct {
	Unit          *pb.Unit
	Above         []*pb.Unit // from the top of the account's scope down to the unit above
	Asked         asked
	Path          string
	Periods       []web.Period
	Problem       string
	Empty         bool
	Cases         []cases.Waiting // that wait for the visitor, before all else
	Waiting       []*pb.FollowUp  // three things that wait
	More          int             // and so many others
	Examined      uint32
	Summary       *pb.GetUnitSummaryResponse
	Compared      *pb.ComparePeriodsResponse
	Charts        map[string]template.HTML
	TooMuch       []string
	Live          bool
	Counting      bool         // nothing was counted yet, so that nothing can be said of what is missing
	Counters      *wholeMonths // what the figures by counter rest on; nil = they are not shown
	Procedures    *wholeMonths
	CountersLater bool // the counters of this unit have no figures yet
	MayRead       bool // single ratings
	Channels      []pb.Channel
	Kiosks        kiosks.Alert // devices that need somebody, for those who look after them
	Coverage      *pb.Coverage // how far dissatisfied ratings are answered; nil = there are none, or it is not for this account
}

func (p pages) show(v *web.Visit) error {
	page := showPage{Asked: ask(v), Path: "/units/" + v.R.PathValue("unit"), MayRead: v.May("read_ratings"), Channels: web.Channels()}
	page.Periods = page.Asked.periods(page.Path, v.Today())
	unit, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: v.R.PathValue("unit")})
	if err != nil {
		return err
	}
	page.Unit = unit
	if page.Above, err = v.Above(unit); err != nil {
		return err
	}
	got, err := fetch(v, unit.GetId(), page.Asked)
	if message, mendable := web.Message(err); err != nil && mendable {
		page.Problem = message
		return v.RenderStatus(unprocessable, p.Pages, "unit", page)
	}
	if err != nil {
		return err
	}
	page.Summary, page.Compared, page.TooMuch = got.summary, got.comparison, got.tooMuch
	page.Empty = got.summary.GetPooled().GetN() == 0
	page.Live = got.summary.GetTo() == string(v.Today()) && got.summary.GetUnitId() != ""
	if got.followUps != nil {
		all := got.followUps.GetFollowUps()
		page.Waiting, page.More, page.Examined = all[:min(3, len(all))], max(0, len(all)-3), got.followUps.GetUnitsExamined()
	}
	if got.coverage.GetAll() > 0 && len(got.summary.GetPooled().GetCounts()) > 0 { // where so few rated that nothing is told, not this either
		page.Coverage = got.coverage
	}
	page.Cases = cases.WaitingOf(v, got.cases)
	page.Counting = v.Filling() || page.Empty && got.summary.GetFreshThrough() == nil
	if page.Counting {
		v.Soon(soon)
	}
	if page.Kiosks, err = kiosks.AlertOf(v, unit.GetId()); err != nil {
		return err
	}
	page.Counters, page.Procedures = monthsOf(v, got.counters), monthsOf(v, got.procedures)
	if !page.Empty {
		page.Charts = draw(v, page, got)
		if page.CountersLater, err = countersLater(v, unit.GetId(), got); err != nil {
			return err
		}
	}
	return v.Render(p.Pages, "unit", page)
}

// fetch asks all services at once. Only the summary must answer; of the others one that finds the period too wide leaves its
// drawing out, and the page says so.
func fetch(v *web.Visit, unit string, a asked) (figures, error) {
	var got figures
	ctx := v.Context()
	var group, first errgroup.Group
	from, to := a.period(v.Today())
	otherFrom, otherTo := a.other(from, to)
	first.Go(func() (err error) {
		got.summary, err = v.Analytics.GetUnitSummary(ctx, &pb.GetUnitSummaryRequest{UnitId: unit, From: from, To: to, Channels: a.channels(), Tree: a.tree()})
		return err
	})
	first.Go(func() (err error) {
		got.comparison, err = v.Analytics.ComparePeriods(ctx, &pb.ComparePeriodsRequest{
			UnitId: unit, From: from, To: to, Channels: a.channels(), Tree: a.tree(), OtherFrom: otherFrom, OtherTo: otherTo,
		})
		return err
	})
	wide := make(chan string, 10)
	part := func(name string, call func(context.Context) error) {
		group.Go(func() error {
			err := call(ctx)
			if status.Code(err) == codes.ResourceExhausted || status.Code(err) == codes.InvalidArgument {
				wide <- name
				return nil
			}
			return err
		})
	}
	facets := func(kind pb.FacetKind, into **pb.ListFacetsResponse) func(context.Context) error {
		return func(ctx context.Context) (err error) {
			*into, err = v.Analytics.ListFacets(ctx, &pb.ListFacetsRequest{UnitId: unit, From: from, To: to, Tree: a.tree(), Kind: kind})
			return err
		}
	}
	trends := func() {
		summary, other := got.summary, got.comparison.GetOther()
		part("trend", func(ctx context.Context) (err error) {
			got.trend, err = v.Analytics.GetTrend(ctx, &pb.GetTrendRequest{
				UnitId: unit, From: from, To: to, Channels: a.channels(), Tree: a.tree(), Step: step(summary),
			})
			return err
		})
		part("before", func(ctx context.Context) (err error) {
			got.before, err = v.Analytics.GetTrend(ctx, &pb.GetTrendRequest{
				UnitId: unit, From: other.GetFrom(), To: other.GetTo(), Channels: a.channels(), Tree: a.tree(), Step: step(summary),
			})
			return err
		})
	}
	part("reasons", func(ctx context.Context) (err error) {
		got.reasons, err = v.Analytics.ListReasons(ctx, &pb.ListReasonsRequest{UnitId: unit, From: from, To: to, Channels: a.channels(), Tree: a.tree()})
		return err
	})
	part("hours", func(ctx context.Context) (err error) {
		got.hours, err = v.Analytics.GetHours(ctx, &pb.GetHoursRequest{UnitId: unit, From: from, To: to, Channels: a.channels(), Tree: a.tree()})
		return err
	})
	part("ranking", func(ctx context.Context) (err error) {
		if v.May("read_ranking") {
			got.ranking, err = v.Analytics.RankUnits(ctx, &pb.RankUnitsRequest{UnitId: unit, From: from, To: to, Channels: a.channels(), Tree: a.tree()})
		}
		if err != nil || len(got.ranking.GetUnits()) > 0 {
			return err
		}
		return facets(pb.FacetKind_FACET_KIND_COUNTER, &got.counters)(ctx) // where there is no unit below, the counters
	})
	if v.May("read_follow_ups") {
		part("follow_ups", func(ctx context.Context) (err error) {
			got.followUps, err = v.Analytics.ListFollowUps(ctx, &pb.ListFollowUpsRequest{UnitId: unit, From: from, To: to, Channels: a.channels(), Tree: a.tree()})
			return err
		})
	}
	if v.May("read_cases") {
		part("cases", func(ctx context.Context) (err error) {
			got.cases, err = v.Cases.GetCaseDesk(ctx, &pb.GetCaseDeskRequest{UnitId: unit})
			return err
		})
	}
	if v.May("read_coverage") {
		part("coverage", func(ctx context.Context) error {
			answer, err := v.Coverage.GetCoverage(ctx, &pb.GetCoverageRequest{UnitId: unit, From: from, To: to, WithoutChildren: true})
			got.coverage = answer.GetCoverage()
			return err
		})
	}
	part("procedures", facets(pb.FacetKind_FACET_KIND_PROCEDURE, &got.procedures))
	err := first.Wait()
	if err == nil {
		trends() // how long their steps are is a question of how many ratings there are
	}
	if rest := group.Wait(); err == nil {
		err = rest
	}
	close(wide)
	for name := range wide {
		got.tooMuch = append(got.tooMuch, name)
	}
	return got, err
}

// figure turns a figure of the contract into one to draw.
func figure(f *pb.Figure) chart.Figure {
	return chart.Figure{Value: f.GetValue(), Low: f.GetLow(), High: f.GetHigh(), N: int(f.GetN()), Suppressed: f.GetSuppressed()}
}

func dayTime(day string) time.Time {
	parsed, _ := time.Parse(time.DateOnly, day) // days of an answer are days
	return parsed
}
