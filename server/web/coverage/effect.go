package coverage

import (
	"html/template"
	"strconv"
	"time"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/chart"
)

type effect struct {
	*pb.RemedyEffect
	Weeks template.HTML // week by week, after over before
	Whole template.HTML // eight weeks against eight; "" where there is nothing to compare
	Case  string
	One   string // link to this effect alone
}

type effectsPage struct {
	Unit    *pb.Unit
	Asked   asked
	Effects []effect
	Next    string
}

// effects lists whether remedies made a difference.
func (p pages) effects(v *web.Visit) error {
	unit, err := scopeUnit(v)
	if err != nil {
		return err
	}
	if unit == nil {
		return web.ErrNotFound
	}
	list, err := v.Coverage.ListRemedyEffects(v.Context(), &pb.ListRemedyEffectsRequest{UnitId: unit.GetId(), PageSize: 6, PageToken: v.Value("page")})
	if err != nil {
		return err
	}
	shown := effectsPage{Unit: unit, Asked: asked{Unit: unit.GetId()}}
	for i, one := range list.GetEffects() {
		shown.Effects = append(shown.Effects, effectOf(v, strconv.Itoa(i), one))
	}
	if token := list.GetNextPageToken(); token != "" {
		shown.Next = shown.Asked.Link("/coverage/effects", "page", token)
	}
	return v.Render(p.Pages, "effects", shown)
}

// effect is that of one case.
func (p pages) effect(v *web.Visit) error {
	one, err := v.Coverage.GetRemedyEffect(v.Context(), &pb.GetRemedyEffectRequest{CaseId: v.R.PathValue("case")})
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "effect", effectOf(v, "0", one))
}

func figure(f *pb.Figure) chart.Figure {
	return chart.Figure{Value: f.GetValue(), Low: f.GetLow(), High: f.GetHigh(), N: int(f.GetN()), Suppressed: f.GetSuppressed()}
}

func effectOf(v *web.Visit, id string, one *pb.RemedyEffect) effect {
	drawn := chart.Trend{Title: v.Text("coveragepage.by_week"), Name: v.Text("coveragepage.after"), BeforeName: v.Text("coveragepage.before"), Tone: chart.Bad}
	for i, week := range one.GetWeeks() {
		day, _ := time.Parse(time.DateOnly, week.GetFrom()) // days of an answer are days
		point := chart.TrendPoint{Day: day, Figure: figure(week.GetShare())}
		if i < len(one.GetWeeks())/2 {
			drawn.Before = append(drawn.Before, point)
		} else {
			drawn.Points = append(drawn.Points, point)
		}
	}
	shown := effect{RemedyEffect: one, Weeks: chart.Block(v.Language, "weeks-"+id, drawn), Case: "/cases/" + one.GetCaseId(), One: "/coverage/effects/" + one.GetCaseId()}
	if d := one.GetDifference(); !d.GetSuppressed() && one.GetBefore().GetN() > 0 && one.GetAfter().GetN() > 0 {
		shown.Whole = chart.Block(v.Language, "whole-"+id, chart.Difference{
			Label: v.Text("coveragepage.eight_weeks"), Value: d.GetValue(), Low: d.GetLow(), High: d.GetHigh(), Tone: chart.Bad,
			Now: figure(one.GetAfter()), Before: figure(one.GetBefore()),
		})
	}
	return shown
}
