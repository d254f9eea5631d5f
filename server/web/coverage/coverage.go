// Package coverage are the pages on which leaders see how far dissatisfied ratings are answered, ask for explanations of those that are
// not, note those that need none, and see whether a remedy made a difference.
package coverage

import (
	"embed"
	"html/template"
	"net/http"
	"net/url"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/chart"
)

//go:embed templates/*.html coverage.css
var files embed.FS

type pages struct{ *web.Pages }

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	sheet, err := files.ReadFile("coverage.css")
	if err != nil {
		return err
	}
	site.Style(sheet)
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	p := pages{read}
	reads, notes := web.Needs("read_coverage"), web.Needs("note_ratings")
	for _, page := range []struct {
		pattern string
		handler func(*web.Visit) error
		option  web.Option
	}{
		{"GET /coverage", p.show, reads},
		{"GET /coverage/ratings", p.ratings, web.Needs("read_ratings")},
		{"GET /coverage/requests", p.back, notes},
		{"POST /coverage/requests", p.request, notes},
		{"GET /coverage/note", p.askNote, notes},
		{"POST /coverage/note", p.note, notes},
		{"GET /coverage/notes", p.notes, reads},
		{"GET /coverage/notes/{note}/withdraw", p.askWithdraw, notes},
		{"POST /coverage/notes/{note}/withdraw", p.withdraw, notes},
		{"GET /coverage/effects", p.effects, reads},
		{"GET /coverage/effects/{case}", p.effect, reads},
	} {
		site.Handle(page.pattern, web.SignedIn, page.handler, page.option)
	}
	return nil
}

// asked is what the address of these pages holds.
type asked struct{ Unit, From, To string }

func ask(v *web.Visit) asked {
	clip := func(day string) string { // what is no day is said by the services to be none
		letters := []rune(day)
		return string(letters[:min(len(letters), len("yyyy-mm-dd"))])
	}
	return asked{v.Value("unit"), clip(v.Value("from")), clip(v.Value("to"))}
}

// Link is a page with this question and more pairs of a name and a value.
func (a asked) Link(path string, more ...string) string {
	values := url.Values{}
	for i, pairs := 0, append([]string{"unit", a.Unit, "from", a.From, "to", a.To}, more...); i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// scopeUnit is the unit asked for, else the top of the account's scope, else the only province there is; nil where none is.
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

type child struct {
	*pb.UnitCoverage
	Link string
}

type page struct {
	Asked    asked
	Unit     *pb.Unit
	Above    []*pb.Unit
	Periods  []web.Period
	Problem  string
	Coverage *pb.GetCoverageResponse
	Chart    template.HTML
	Children []child
	Piles    []pile
	TooMuch  string // why piles cannot be listed
	Failed   []failed
	MayAsk   bool
	MayRead  bool
	Counting bool
}

// show is a unit's coverage.
func (p pages) show(v *web.Visit) error { return p.render(v, ask(v), http.StatusOK, "", nil) }

// pilesShown is how many piles a page lists.
const pilesShown = 12

// render shows a unit's coverage, with what is wrong and what could not be asked.
func (p pages) render(v *web.Visit, a asked, status int, problem string, notAsked []failed) error {
	unit, err := scopeUnit(v)
	if err != nil {
		return err
	}
	if unit == nil {
		return v.Redirect("/units")
	}
	a.Unit = unit.GetId()
	shown := page{Asked: a, Unit: unit, Problem: problem, Failed: notAsked, MayAsk: v.May("note_ratings"), MayRead: v.May("read_ratings")}
	shown.Periods = web.Periods(v.Today(), a.From, a.To, func(from, to string) string { return asked{a.Unit, from, to}.Link("/coverage") })
	if shown.Above, err = v.Above(unit); err != nil {
		return err
	}
	shown.Coverage, err = v.Coverage.GetCoverage(v.Context(), &pb.GetCoverageRequest{UnitId: a.Unit, From: a.From, To: a.To})
	if message, mendable := web.Message(err); err != nil && mendable {
		shown.Problem = message
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "coverage", shown)
	}
	if err != nil {
		return err
	}
	a.From, a.To = shown.Coverage.GetFrom(), shown.Coverage.GetTo()
	all := shown.Coverage.GetCoverage()
	shown.Counting = v.Filling()
	if all.GetAll() > 0 {
		shown.Chart = chart.Block(v.Language, "coverage", drawn(v, all))
	}
	for _, one := range shown.Coverage.GetChildren() {
		shown.Children = append(shown.Children, child{one, asked{one.GetUnit().GetId(), shown.Asked.From, shown.Asked.To}.Link("/coverage")})
	}
	if all.GetUntouched() > 0 {
		piles, err := v.Coverage.ListUncoveredPiles(v.Context(), &pb.ListUncoveredPilesRequest{UnitId: a.Unit, From: a.From, To: a.To, PageSize: pilesShown})
		if message, mendable := web.Message(err); err != nil && mendable {
			shown.TooMuch = message
		} else if err != nil {
			return err
		}
		if shown.Piles, err = pilesOf(v, a, piles.GetPiles()); err != nil {
			return err
		}
	}
	return v.RenderStatus(status, p.Pages, "coverage", shown)
}

// drawn is a coverage as a drawing.
func drawn(v *web.Visit, c *pb.Coverage) chart.Parts {
	d := chart.Parts{Title: v.Text("coveragepage.how_far"), Head: v.Text("coveragepage.standing")}
	for _, part := range []struct {
		key   string
		n     uint32
		tone  chart.Tone
		faint bool
	}{
		{"answered", c.GetAnswered(), chart.Good, false}, {"in_hand", c.GetInHand(), chart.Neutral, false}, {"noted", c.GetNoted(), chart.Neutral, true},
		{"set_aside", c.GetSetAside(), chart.Neutral, true}, {"untouched", c.GetUntouched(), chart.Bad, false},
	} {
		d.Parts = append(d.Parts, chart.Part{Name: v.Text("coveragepage." + part.key), N: int(part.n), Tone: part.tone, Faint: part.faint})
	}
	return d
}

// back is for the address of a form, where there is no page.
func (p pages) back(v *web.Visit) error { return v.Redirect("/coverage") }
