package citizen

import (
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// remediesPage is what leaders see: what was published, and a form for more.
type remediesPage struct {
	Query   string // of the search for a unit
	Units   []*pb.Unit
	More    bool // there are more units than the list shows
	Draft   draft
	Problem string
	Rows    []remedyRow
	Next    string // link to the next page
}

type draft struct{ Unit, Text, DoneOn string }

type remedyRow struct {
	*pb.Remedy
	UnitName string
	Problem  string // of its withdrawal
	Reason   string
}

// offered is how many units the list offers; others are found by name.
const offered = 200

func (p pages) listRemedies(v *web.Visit) error {
	d := draft{Unit: v.Value("unit"), DoneOn: string(v.Today())}
	if id := v.Value("case"); id != "" && v.May("read_cases") {
		found, err := v.Cases.GetCase(v.Context(), &pb.GetCaseRequest{CaseId: id})
		if err != nil {
			return err
		}
		d.Unit, d.Text = found.GetCase().GetAssignedUnitId(), inShort(found.GetExplanation().GetRemedy(), maxRemedy)
	}
	return p.remedies(v, http.StatusOK, remediesPage{Draft: d}, nil)
}

// inShort is the beginning of a text, to the last whole word.
func inShort(text string, limit int) string {
	text = strings.Join(strings.Fields(text), " ")
	letters := []rune(text)
	if len(letters) <= limit {
		return text
	}
	cut := string(letters[:limit-1])
	if at := strings.LastIndex(cut, " "); at > 0 {
		cut = cut[:at]
	}
	return cut + "…"
}

// remedies shows the page; failed is a row whose withdrawal was refused.
func (p pages) remedies(v *web.Visit, code int, page remediesPage, failed *remedyRow) error {
	page.Query = v.R.URL.Query().Get("q")
	units, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{PageSize: offered, Query: page.Query})
	if err != nil {
		return err
	}
	page.Units, page.More = units.GetUnits(), units.GetNextPageToken() != ""
	names := map[string]string{}
	for _, unit := range page.Units {
		names[unit.GetId()] = unit.GetName()
	}
	if page.Draft.Unit == "" {
		page.Draft.Unit = v.Account.GetUnitId()
	}
	if own := page.Draft.Unit; own != "" && names[own] == "" {
		if unit, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: own}); err == nil {
			page.Units, names[own] = append([]*pb.Unit{unit}, page.Units...), unit.GetName()
		}
	}
	listed, err := v.Remedies.ListRemedies(v.Context(), &pb.ListRemediesRequest{PageSize: 50, PageToken: v.R.URL.Query().Get("page")})
	if err != nil {
		return err
	}
	for _, one := range listed.GetRemedies() {
		row := remedyRow{Remedy: one, UnitName: unitName(v, names, one.GetUnitId())}
		if failed != nil && failed.GetId() == one.GetId() {
			row.Problem, row.Reason = failed.Problem, failed.Reason
		}
		page.Rows = append(page.Rows, row)
	}
	if token := listed.GetNextPageToken(); token != "" {
		page.Next = "/remedies?page=" + token // of letters that need no escape
	}
	return v.RenderStatus(code, p.staff, "remedies", page)
}

func unitName(v *web.Visit, names map[string]string, id string) string {
	name, known := names[id]
	if !known {
		unit, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
		if err != nil {
			name = v.Text("citizenpage.remedies.unknown_unit")
		} else {
			name = unit.GetName()
		}
		names[id] = name
	}
	return name
}

func (p pages) publishRemedy(v *web.Visit) error {
	d := draft{Unit: v.Value("unit"), Text: words(v.Value("text")), DoneOn: v.Value("done_on")}
	if d.Text == "" {
		return p.remedies(v, http.StatusUnprocessableEntity, remediesPage{Draft: d, Problem: v.Text("fault.remedy_text_missing")}, nil)
	}
	_, err := v.Remedies.PublishRemedy(v.Context(), &pb.PublishRemedyRequest{UnitId: d.Unit, Text: d.Text, DoneOn: d.DoneOn})
	if problem, ok := mendable(v, err, d.Text); ok {
		return p.remedies(v, http.StatusUnprocessableEntity, remediesPage{Draft: d, Problem: problem}, nil)
	}
	if err != nil {
		return err
	}
	v.Notice(v.Text("citizenpage.remedies.published"))
	return v.Redirect("/remedies")
}

func (p pages) withdrawRemedy(v *web.Visit) error {
	id, reason := v.R.PathValue("id"), words(v.Value("reason"))
	var problem string
	var err error
	if reason == "" {
		problem = v.Text("fault.remedy_reason_missing")
	} else {
		_, err = v.Remedies.WithdrawRemedy(v.Context(), &pb.WithdrawRemedyRequest{RemedyId: id, Reason: reason})
		problem, _ = mendable(v, err, reason)
	}
	if problem != "" {
		failed := &remedyRow{Remedy: &pb.Remedy{Id: id}, Problem: problem, Reason: reason}
		return p.remedies(v, http.StatusUnprocessableEntity, remediesPage{Draft: draft{DoneOn: string(v.Today())}, Problem: problem}, failed)
	}
	if err != nil {
		return err
	}
	v.Notice(v.Text("citizenpage.remedies.withdrawn_done"))
	return v.Redirect("/remedies")
}

// maxRemedy is the contract's limit of a remedy and of a withdrawal's reason, in characters.
const maxRemedy = 500

// mendable is what the visitor can mend of an error: text that is too long is said in words of ours, because the contract's own
// check speaks to programs.
func mendable(v *web.Visit, err error, text string) (string, bool) {
	switch status.Code(err) { //nolint:exhaustive // the others are not the visitor's to mend
	case codes.InvalidArgument, codes.Aborted:
		if length := len([]rune(text)); length > maxRemedy {
			return v.Text("fault.remedy_text_long", "length", web.Count(v.Language, length), "limit", maxRemedy), true
		}
		return status.Convert(err).Message(), true
	}
	return "", false
}
