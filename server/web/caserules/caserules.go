// Package caserules are the pages about what an office decides for its casework: deadlines, which ratings become cases, and who
// stands in for whom during leave.
package caserules

import (
	"embed"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html caserules.css
var files embed.FS

type pages struct{ *web.Pages }

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	sheet, err := files.ReadFile("caserules.css")
	if err != nil {
		return err
	}
	site.Style(sheet)
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	p := pages{read}
	change, standIns := web.Needs("change_case_rules"), web.Needs("set_stand_ins")
	for _, page := range []struct {
		pattern string
		handler func(*web.Visit) error
		options []web.Option
	}{
		{"GET /admin/case-rules", p.rules, nil},
		{"GET /admin/case-rules/deadlines", p.deadlines, []web.Option{change}},
		{"POST /admin/case-rules/deadlines", p.saveDeadlines, []web.Option{change}},
		{"GET /admin/case-rules/opening", p.opening, []web.Option{change}},
		{"POST /admin/case-rules/opening", p.saveOpening, []web.Option{change}},
		{"GET /admin/case-rules/changes", p.changes, nil},

		{"GET /stand-ins", p.standIns, []web.Option{standIns}},
		{"POST /stand-ins", p.setStandIn, []web.Option{standIns}},
		{"GET /stand-ins/{id}/end", p.askEnd, []web.Option{standIns}},
		{"POST /stand-ins/{id}/end", p.end, []web.Option{standIns}},
	} {
		site.Handle(page.pattern, web.SignedIn, page.handler, page.options...)
	}
	return nil
}

// form is what is wrong with a form: in one sentence on top, and by field beside it.
type form struct {
	Problem string
	Errors  map[string]string
}

func (f *form) wrong(v *web.Visit, field, words string) {
	if f.Errors == nil {
		f.Errors = map[string]string{}
	}
	if f.Errors[field] == "" {
		f.Errors[field] = words
	}
	f.Problem = v.Text("caserulespage.mend")
}

func (f *form) bad() bool { return f.Problem != "" }

// refused takes an error of a service: what the visitor can mend becomes the form's problem, the rest is returned.
func (f *form) refused(err error) error {
	words, mend := web.Message(err)
	if !mend && status.Code(err) != codes.PermissionDenied {
		return err
	}
	f.Problem = words
	return nil
}

// violations are all that a service found wrong, each with its line or field.
func violations(err error) []*errdetails.BadRequest_FieldViolation {
	var list []*errdetails.BadRequest_FieldViolation
	for _, detail := range status.Convert(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			list = append(list, bad.GetFieldViolations()...)
		}
	}
	return list
}

// reason is the stable name of a refusal.
func reason(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// place is the unit that a page is about.
type place struct {
	ID   string // "" = everything
	Name string
	All  bool // the visitor governs everything
}

// placeOf is the unit of the request's field, or the top of what the visitor sees.
func placeOf(v *web.Visit) (place, error) {
	here := place{ID: v.Value("unit"), All: v.Account.GetUnitId() == ""}
	if here.ID == "" {
		here.ID = v.Account.GetUnitId()
	}
	if here.ID == "" {
		here.Name = v.Text("caserulespage.everything")
		return here, nil
	}
	u, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: here.ID})
	here.Name = u.GetName()
	return here, err
}

// At is an address with the unit.
func (p place) At(path string) string {
	if p.ID == "" {
		return path
	}
	return path + "?unit=" + p.ID
}

// search finds units by part of a name.
func search(v *web.Visit, words string) ([]*pb.Unit, error) {
	if words == "" {
		return nil, nil
	}
	if letters := []rune(words); len(letters) > 200 {
		words = string(letters[:200])
	}
	found, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{Query: words, PageSize: 20})
	return found.GetUnits(), err
}
