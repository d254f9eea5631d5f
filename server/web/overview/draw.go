package overview

import (
	"cmp"
	"html/template"
	"net/url"
	"slices"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/chart"
)

const (
	rankedAtMost  = 60
	reasonsAtMost = 10
	facetsAtMost  = 12
)

// draw makes the drawings of a unit's page, by name. What has nothing to show is left out.
func draw(v *web.Visit, page showPage, got figures) map[string]template.HTML {
	drawings := map[string]chart.Drawing{}
	add := func(name string, d chart.Drawing) { drawings[name] = d }
	pooled := got.summary.GetPooled()
	add("satisfied", chart.Interval{Label: v.Text("overview.satisfied"), Figure: figure(pooled.GetSatisfied()), Tone: chart.Good})
	add("dissatisfied", chart.Interval{Label: v.Text("overview.dissatisfied"), Figure: figure(pooled.GetDissatisfied()), Tone: chart.Bad})
	add("distribution", distribution(v, pooled))
	compared := got.comparison
	if compared.GetOther().GetDistribution().GetN() > 0 {
		for _, d := range []struct {
			name, label string
			difference  *pb.Figure
			of          func(*pb.Distribution) *pb.Figure
			tone        chart.Tone
		}{
			{"satisfied_difference", "overview.satisfied", compared.GetSatisfiedDifference(), (*pb.Distribution).GetSatisfied, chart.Good},
			{"dissatisfied_difference", "overview.dissatisfied", compared.GetDissatisfiedDifference(), (*pb.Distribution).GetDissatisfied, chart.Bad},
		} {
			if d.difference.GetSuppressed() {
				continue
			}
			add(d.name, chart.Difference{
				Label: v.Text(d.label), Value: d.difference.GetValue(), Low: d.difference.GetLow(), High: d.difference.GetHigh(), Tone: d.tone,
				Now: figure(d.of(compared.GetPeriod().GetDistribution())), Before: figure(d.of(compared.GetOther().GetDistribution())),
			})
		}
	}
	if got.trend != nil {
		add("trend", trend(v, got))
	}
	if len(got.summary.GetChannels()) > 0 && page.Asked.Channel == "" {
		add("channels", byChannel(v, got.summary))
	}
	if ranking := got.ranking; ranking != nil && len(ranking.GetUnits()) > 0 {
		add("ranking", children(v, page, got))
	}
	if counters := got.counters; counters != nil && len(counters.GetFacets()) > 0 && (got.ranking == nil || len(got.ranking.GetUnits()) == 0) {
		add("counters", facets(v, "overview.counters", page, got.summary, counters.GetFacets(), counterLink))
	}
	if procedures := got.procedures; procedures != nil && len(procedures.GetFacets()) > 0 {
		add("procedures", facets(v, "overview.procedures", page, got.summary, procedures.GetFacets(), nil))
	}
	if got.reasons != nil && len(got.reasons.GetReasons()) > 0 {
		add("reasons", reasons(v, page, got.reasons))
	}
	if got.hours != nil && len(got.hours.GetHours()) > 0 {
		add("hours", heat(v, got.hours))
	}
	return chart.Blocks(v.Language, drawings)
}

func distribution(v *web.Visit, d *pb.Distribution) chart.Distribution {
	drawn := chart.Distribution{Title: v.Text("overview.distribution"), Suppressed: len(d.GetCounts()) == 0}
	for i, count := range d.GetCounts() {
		if i < len(drawn.Counts) {
			drawn.Counts[i] = int(count)
		}
	}
	return drawn
}

// trend draws satisfied over time and, dashed, the period it is held against.
func trend(v *web.Visit, got figures) chart.Trend {
	points := func(response *pb.GetTrendResponse) []chart.TrendPoint {
		var list []chart.TrendPoint
		for _, point := range response.GetPoints() {
			list = append(list, chart.TrendPoint{Day: dayTime(point.GetFrom()), Figure: figure(point.GetDistribution().GetSatisfied())})
		}
		return list
	}
	drawn := chart.Trend{
		Title: v.Text("overview.trend"), Points: points(got.trend), Tone: chart.Good,
		Monthly: step(got.summary) == pb.Step_STEP_MONTH,
	}
	if got.comparison.GetOther().GetDistribution().GetN() > 0 && got.before != nil {
		drawn.Name, drawn.BeforeName = span(v, got.comparison.GetPeriod()), span(v, got.comparison.GetOther())
		drawn.Before = points(got.before)
		drawn.Before = drawn.Before[:min(len(drawn.Before), len(drawn.Points))]
	}
	return drawn
}

// span writes a period.
func span(v *web.Visit, period *pb.PeriodDistribution) string {
	return web.Day(v.Language, period.GetFrom()) + " – " + web.Day(v.Language, period.GetTo())
}

func byChannel(v *web.Visit, summary *pb.GetUnitSummaryResponse) chart.Channels {
	drawn := chart.Channels{Title: v.Text("overview.channels"), Pooled: figure(summary.GetPooled().GetSatisfied()), Tone: chart.Good}
	for _, channel := range summary.GetChannels() {
		drawn.Channels = append(drawn.Channels, chart.Channel{
			Name: v.Text("web.channel." + channel.GetChannel().String()), Figure: figure(channel.GetDistribution().GetSatisfied()),
		})
	}
	return drawn
}

// children ranks the units below. Units beyond chance are marked.
func children(v *web.Visit, page showPage, got figures) chart.Ranking {
	drawn := chart.Ranking{
		Title: v.Text("overview.children"), Parent: figure(got.summary.GetPooled().GetSatisfied()), ParentName: page.Unit.GetName(), Tone: chart.Good,
	}
	beyond := map[string]bool{}
	for _, followUp := range got.followUps.GetFollowUps() {
		beyond[followUp.GetUnit().GetId()] = true
	}
	for _, ranked := range got.ranking.GetUnits() {
		if len(drawn.Units) == rankedAtMost {
			break
		}
		drawn.Units = append(drawn.Units, chart.Ranked{
			Name: ranked.GetUnit().GetName(), Href: page.Asked.Link("/units/" + url.PathEscape(ranked.GetUnit().GetId())),
			Figure: figure(ranked.GetDistribution().GetSatisfied()), FollowUp: beyond[ranked.GetUnit().GetId()],
		})
	}
	return drawn
}

func facets(v *web.Visit, title string, page showPage, summary *pb.GetUnitSummaryResponse, list []*pb.Facet, link func(showPage, string) string) chart.Ranking {
	drawn := chart.Ranking{
		Title: v.Text(title), Parent: figure(summary.GetPooled().GetSatisfied()), ParentName: page.Unit.GetName(), Tone: chart.Good,
	}
	shown := slices.Clone(list[:min(len(list), facetsAtMost)])
	slices.SortStableFunc(shown, func(a, b *pb.Facet) int {
		return cmp.Compare(b.GetDistribution().GetSatisfied().GetValue(), a.GetDistribution().GetSatisfied().GetValue())
	})
	for _, facet := range shown {
		name := facet.GetName()
		if name == "" {
			name = facet.GetId()
		}
		one := chart.Ranked{Name: name, Figure: figure(facet.GetDistribution().GetSatisfied())}
		if link != nil {
			one.Href = link(page, facet.GetId())
		}
		drawn.Units = append(drawn.Units, one)
	}
	return drawn
}

func reasons(v *web.Visit, page showPage, response *pb.ListReasonsResponse) chart.Reasons {
	drawn := chart.Reasons{Title: v.Text("overview.reasons")}
	for _, reason := range response.GetReasons() {
		if reason.GetShare().GetSuppressed() || len(drawn.Reasons) == reasonsAtMost {
			continue
		}
		drawn.N = max(drawn.N, int(reason.GetShare().GetN()))
		one := chart.Reason{Label: reason.GetLabel(), Count: int(reason.GetCount())}
		if page.MayRead {
			one.Href = ratingsLink(page.Unit.GetId(), response.GetFrom(), response.GetTo(), url.Values{"reason": {reason.GetQuestionId() + ":" + reason.GetChoiceId()}})
		}
		drawn.Reasons = append(drawn.Reasons, one)
	}
	drawn.Suppressed = len(drawn.Reasons) == 0
	return drawn
}

// ratingsLink leads to the single ratings behind a figure.
func ratingsLink(unit, from, to string, more url.Values) string {
	values := url.Values{"unit": {unit}, "from": {from}, "to": {to}}
	for name, list := range more {
		values[name] = list
	}
	return "/ratings?" + values.Encode()
}

func heat(v *web.Visit, response *pb.GetHoursResponse) chart.Heat {
	drawn := chart.Heat{Title: v.Text("overview.hours")}
	for _, hour := range response.GetHours() {
		if day, at := hour.GetWeekday()-1, hour.GetHour(); 0 <= day && day < 7 && 0 <= at && at < 24 {
			drawn.Cells[day][at] = figure(hour.GetDissatisfied())
		}
	}
	return drawn
}
