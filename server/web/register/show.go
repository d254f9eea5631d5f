package register

import (
	"net/http"
	"regexp"
	"strconv"

	sheets "github.com/hailong-vn/hailong/internal/casework/register"
	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// row is a line of the table.
type row struct {
	*pb.RegisterRow
	Cells []string // in the order of the form
	Gap   bool
}

func rowsOf(in language.Language, list []*pb.RegisterRow) []row {
	rows := make([]row, len(list))
	for i, one := range list {
		rows[i] = row{one, sheets.Cells(in, one), one.GetCaseId() == ""}
	}
	return rows
}

type page struct {
	which
	State   string // as of when, and under which seal
	Missing []row
	AllLate string // link to all that lack a result
	Rows    []row
	Gaps    []int32
	From    string // number somebody asked for
	Next    string
	Annex   bool
	Persons bool // who spoke stands in the rows
	Whole   bool // for paper: heading and signatures
	MayKnow bool
	Reason  string
	Wrong   string
}

// shownMissing is how many rows without a result stand on top.
const shownMissing = 10

func (p pages) newPage(v *web.Visit, w which) page {
	shown := page{which: w, MayKnow: v.May("reveal_contacts"), Annex: v.Value("annex") != ""}
	if w.Cover != nil {
		shown.State = p.cover(v, w).State()
	}
	return shown
}

func (p pages) cover(v *web.Visit, w which) sheets.Cover {
	return sheets.Cover{Unit: w.Cover.GetUnitName(), Year: int(w.Cover.GetYear()), AsOf: w.AsOf, Seal: w.Cover.GetSeal(), Made: v.Clock(), Words: v.Language}
}

func (p pages) show(v *web.Visit) error {
	if link, err := numbered(v); err != nil || link != "" {
		if err != nil {
			return err
		}
		return v.Redirect(link)
	}
	w, err := choose(v)
	if err != nil {
		return err
	}
	shown := p.newPage(v, w)
	if w.Cover == nil || w.Problem != "" || len(w.Found) > 0 {
		return p.answer(v, shown)
	}
	if shown.From = v.Value("from"); shown.From != "" {
		if n, err := strconv.Atoi(shown.From); err != nil || n < 1 || n > int(w.Cover.GetLastNumber()) {
			shown.Problem = v.Text("registerpage.no_number", "n", shown.From, "last", web.Count(v.Language, w.Cover.GetLastNumber()))
			return p.answer(v, shown)
		}
	}
	if err := p.fill(v, &shown, 50); err != nil {
		return err
	}
	if w.AsOf == "" && shown.From == "" && v.Value("page") == "" && !shown.Annex && w.Cover.GetMissingCount() > 0 {
		missing, err := v.Registers.ListMissingResults(v.Context(), &pb.ListMissingResultsRequest{UnitId: w.Cover.GetUnitId(), Year: w.Cover.GetYear(), PageSize: shownMissing})
		if err != nil {
			return err
		}
		shown.Missing = rowsOf(v.Language, missing.GetRows())
		if missing.GetNextPageToken() != "" {
			shown.AllLate = w.Link("/register/missing")
		}
	}
	return p.answer(v, shown)
}

func (p pages) answer(v *web.Visit, shown page) error {
	code := http.StatusOK
	if shown.Problem != "" {
		code = http.StatusUnprocessableEntity
	}
	return v.RenderStatus(code, p.Pages, "register", shown)
}

// fill reads one page of rows.
func (p pages) fill(v *web.Visit, shown *page, size int32) error {
	from, _ := strconv.Atoi(shown.From)
	list, err := v.Registers.ListRegisterRows(v.Context(), &pb.ListRegisterRowsRequest{
		UnitId: shown.Cover.GetUnitId(), Year: shown.Cover.GetYear(), AsOf: shown.AsOf, FromNumber: int32(from), PageSize: size, PageToken: v.Value("page"), Annex: shown.Annex, //nolint:gosec // at most the last number
	})
	if err != nil {
		return err
	}
	shown.Rows, shown.Gaps = rowsOf(v.Language, list.GetRows()), list.GetGaps()
	if token := list.GetNextPageToken(); token != "" {
		pairs := []string{"page", token}
		if shown.Annex {
			pairs = append(pairs, "annex", "1")
		}
		shown.Next = shown.Link(v.R.URL.Path, pairs...)
	}
	return nil
}

// missing lists everything without a result.
func (p pages) missing(v *web.Visit) error {
	w, err := choose(v)
	if err != nil {
		return err
	}
	if w.Cover == nil {
		return web.ErrNotFound
	}
	list, err := v.Registers.ListMissingResults(v.Context(), &pb.ListMissingResultsRequest{UnitId: w.Cover.GetUnitId(), Year: w.Cover.GetYear(), PageToken: v.Value("page")})
	if err != nil {
		return err
	}
	shown := p.newPage(v, w)
	shown.Missing = rowsOf(v.Language, list.GetRows())
	if token := list.GetNextPageToken(); token != "" {
		shown.Next = w.Link("/register/missing", "page", token)
	}
	return v.Render(p.Pages, "missing", shown)
}

// print is the register as the form has it, for paper.
func (p pages) print(v *web.Visit) error {
	w, err := choose(v)
	if err != nil {
		return err
	}
	if w.Cover == nil || w.Problem != "" {
		return web.ErrNotFound
	}
	shown := p.newPage(v, w)
	shown.Whole = true
	if err := p.fill(v, &shown, 1000); err != nil {
		return err
	}
	return v.Render(p.Pages, "print", shown)
}

// askPersons asks why somebody must know who spoke.
func (p pages) askPersons(v *web.Visit) error {
	w, err := choose(v)
	if err != nil {
		return err
	}
	if w.Cover == nil {
		return web.ErrNotFound
	}
	return v.Render(p.Pages, "persons", p.newPage(v, w))
}

// persons shows a page of rows with who spoke. It is shown at once and by no address of its own: each look is asked for, and told.
func (p pages) persons(v *web.Visit) error {
	w, err := choose(v)
	if err != nil {
		return err
	}
	if w.Cover == nil {
		return web.ErrNotFound
	}
	shown := p.newPage(v, w)
	shown.Reason, shown.From = v.Value("reason"), v.Value("from")
	if shown.Wrong = p.reasonProblem(v, shown.Reason); shown.Wrong != "" {
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "persons", shown)
	}
	from, _ := strconv.Atoi(shown.From)
	list, err := v.Registers.RevealRegister(v.Context(), &pb.RevealRegisterRequest{
		UnitId: w.Cover.GetUnitId(), Year: w.Cover.GetYear(), Reason: shown.Reason, FromNumber: int32(max(0, min(from, int(w.Cover.GetLastNumber())))), PageSize: 100, PageToken: v.Value("page"), //nolint:gosec // bounded just here
	})
	if err != nil {
		return err
	}
	shown.Persons, shown.Rows, shown.Gaps, shown.Next = true, rowsOf(v.Language, list.GetRows()), list.GetGaps(), list.GetNextPageToken()
	v.W.Header().Set("Cache-Control", "no-store")
	return v.Render(p.Pages, "persons", shown)
}

const (
	leastReason = 3
	mostReason  = 200
)

func (p pages) reasonProblem(v *web.Visit, reason string) string {
	switch n := len([]rune(reason)); {
	case n < leastReason:
		return v.Text("registerpage.reason_missing")
	case n > mostReason:
		return v.Text("registerpage.reason_long", "limit", mostReason)
	}
	return ""
}

// asNumber is how a number of a register begins: 12/2026/...
var asNumber = regexp.MustCompile(`^\s*\d{1,9}/\d{4}/\S`)

// numbered is the page of the case whose number was typed where units are looked for; "" where that is no number, or of no case the visitor sees.
func numbered(v *web.Visit) (string, error) {
	typed := v.Value("q")
	if len(typed) > 200 || !asNumber.MatchString(typed) {
		return "", nil
	}
	found, err := v.Cases.ListCases(v.Context(), &pb.ListCasesRequest{List: "all", Text: typed, PageSize: 1})
	if err != nil || len(found.GetCases()) == 0 {
		return "", err
	}
	return "/cases/" + found.GetCases()[0].GetId(), nil
}
