package overview

import (
	"encoding/csv"
	"html/template"
	"net/url"
	"strings"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/chart"
	"github.com/hailong-vn/hailong/server/web/coverage"
)

type followUp struct {
	*pb.FollowUp
	Unit    string // link to its page
	Ratings string // link to what stands behind it; "" where the account may not read that
	Note    string // where a note is sent
	Reason  string // of a note that must be mended, as typed
	Problem string // what is wrong with it; "" = nothing
	Ask     string // what is sent to ask for an explanation; "" = the account may not, or there is nothing to ask
}

type followUpsPage struct {
	Asked    asked
	Path     string
	Unit     *pb.Unit
	Problem  string
	Periods  []web.Period
	Found    *pb.ListFollowUpsResponse
	List     []followUp
	Chart    template.HTML
	File     string
	MayNote  bool
	MayAsk   bool
	Channels []pb.Channel
	Back     string // where a note leads back to
	Counting bool   // figures are not whole yet: that nothing waits cannot be said
}

// followUps lists units whose dissatisfaction is beyond chance.
func (p pages) followUps(v *web.Visit) error {
	page, err := newFollowUps(v)
	if err != nil {
		return err
	}
	if page == nil {
		return v.Redirect("/units")
	}
	page.Back = page.Asked.Link(page.Path, "unit", page.Unit.GetId())
	if page.Problem != "" {
		return v.RenderStatus(unprocessable, p.Pages, "follow-ups", page)
	}
	if page.Counting {
		v.Soon(soon)
	}
	return v.Render(p.Pages, "follow-ups", page)
}

// newFollowUps makes the page of the unit and period that are asked for; nil where no unit is.
func newFollowUps(v *web.Visit) (*followUpsPage, error) {
	page := &followUpsPage{Asked: ask(v), Path: "/follow-ups", MayNote: v.May("note_follow_ups"), MayAsk: v.May("note_ratings"), Channels: web.Channels()}
	unit, err := scopeUnit(v)
	if err != nil || unit == nil {
		return nil, err
	}
	page.Unit = unit
	page.Periods = page.Asked.periods(page.Path, v.Today(), "unit", unit.GetId())
	found, err := listFollowUps(v, unit.GetId(), page.Asked)
	if message, mendable := web.Message(err); err != nil && mendable {
		page.Problem = message
		return page, nil
	}
	if err != nil {
		return nil, err
	}
	page.Found = found
	page.Counting = v.Filling() || found.GetFreshThrough() == nil && len(found.GetFollowUps()) == 0
	page.File = page.Asked.Link("/follow-ups.csv", "unit", unit.GetId())
	for _, one := range found.GetFollowUps() {
		shown := page.show(v, one)
		if page.MayAsk {
			if shown.Ask, err = coverage.Value(&pb.CaseScope{UnitId: one.GetUnit().GetId(), From: found.GetFrom(), To: min(found.GetTo(), string(v.Today()))}); err != nil {
				return nil, err
			}
		}
		page.List = append(page.List, shown)
	}
	page.Chart = followUpsChart(v, found.GetFollowUps())
	return page, nil
}

func (page *followUpsPage) show(v *web.Visit, one *pb.FollowUp) followUp {
	id := one.GetUnit().GetId()
	shown := followUp{FollowUp: one, Unit: page.Asked.Link("/units/" + url.PathEscape(id)), Note: "/follow-ups/" + url.PathEscape(id) + "/note"}
	if v.May("read_ratings") {
		shown.Ratings = ratingsLink(id, page.Found.GetFrom(), page.Found.GetTo(), url.Values{"score": {"1", "2"}})
	}
	return shown
}

// scopeUnit is the unit asked for, else the top of the account's scope, else the only province there is.
func scopeUnit(v *web.Visit) (*pb.Unit, error) {
	id := v.Value("unit")
	if id == "" {
		id = v.Account.GetUnitId()
	}
	if id != "" {
		return v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
	}
	top, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{Level: "province", PageSize: 2})
	if err != nil || len(top.GetUnits()) != 1 {
		return nil, err
	}
	return top.GetUnits()[0], nil
}

func listFollowUps(v *web.Visit, unit string, a asked) (*pb.ListFollowUpsResponse, error) {
	return v.Analytics.ListFollowUps(v.Context(), &pb.ListFollowUpsRequest{UnitId: unit, From: a.From, To: a.To, Channels: a.channels(), Tree: a.tree()})
}

// followUpsFile is the same as a table for a spreadsheet.
func (p pages) followUpsFile(v *web.Visit) error {
	unit, err := scopeUnit(v)
	if err != nil {
		return err
	}
	if unit == nil {
		return web.ErrNotFound
	}
	found, err := listFollowUps(v, unit.GetId(), ask(v))
	if err != nil {
		return err
	}
	v.W.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.W.Header().Set("Content-Disposition", `attachment; filename="follow-ups-`+found.GetFrom()+"-"+found.GetTo()+`.csv"`)
	if _, err := v.W.Write([]byte("\ufeff")); err != nil { // spreadsheets read UTF-8 only where this says so
		return nil //nolint:nilerr // nobody reads it
	}
	out := csv.NewWriter(v.W)
	head := []string{}
	for _, key := range []string{"web.unit", "overview.code", "web.from", "web.to", "overview.n", "overview.dissatisfied_percent", "overview.low", "overview.high", "overview.parent_percent", "overview.p", "overview.q", "overview.why", "overview.notes"} {
		head = append(head, v.Text(key))
	}
	_ = out.Write(head) // an error stays with the writer
	number := func(value float64, decimals int) string { return v.Language.Number(value, decimals) }
	for _, one := range found.GetFollowUps() {
		figure := one.GetDissatisfied()
		var notes []string
		for _, note := range one.GetNotes() {
			notes = append(notes, web.Moment(v.Language, note.GetNotedAt())+" "+note.GetNotedBy()+": "+note.GetReason())
		}
		_ = out.Write([]string{
			web.Cell(one.GetUnit().GetName()), web.Cell(one.GetUnit().GetCode()), web.Day(v.Language, found.GetFrom()), web.Day(v.Language, found.GetTo()), web.Count(v.Language, figure.GetN()),
			number(figure.GetValue()*100, 1), number(figure.GetLow()*100, 1), number(figure.GetHigh()*100, 1), number(one.GetParentDissatisfied().GetValue()*100, 1),
			number(one.GetPValue(), 6), number(one.GetQValue(), 6), web.Cell(one.GetSentence()), web.Cell(strings.Join(notes, "\n")),
		})
	}
	out.Flush()
	return nil
}

// followUpsChart draws them all on one axis. The share of the unit above is drawn where they have the same one.
func followUpsChart(v *web.Visit, list []*pb.FollowUp) template.HTML {
	if len(list) == 0 {
		return ""
	}
	drawn := chart.Ranking{Title: v.Text("overview.follow_ups"), Tone: chart.Bad}
	same := true
	for _, one := range list[:min(len(list), rankedAtMost)] {
		drawn.Units = append(drawn.Units, chart.Ranked{Name: one.GetUnit().GetName(), Figure: figure(one.GetDissatisfied()), FollowUp: true})
		same = same && one.GetUnit().GetParentId() == list[0].GetUnit().GetParentId()
	}
	if same {
		drawn.Parent, drawn.ParentName = figure(list[0].GetParentDissatisfied()), v.Text("overview.unit_above")
	}
	return chart.Block(v.Language, "follow-ups", drawn)
}
