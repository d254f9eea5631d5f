// Package documents are the pages of the papers that leaders sign: those of a case and how one is made, the register of a unit's
// papers, and the templates.
package documents

import (
	"embed"
	"net/url"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html documents.css
var files embed.FS

type pages struct{ *web.Pages }

// maxForm is how much the form of a paper or of a template may carry.
const maxForm = 1 << 20

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	sheet, err := files.ReadFile("documents.css")
	if err != nil {
		return err
	}
	site.Style(sheet)
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	p := pages{read}
	cases, register, issue, change := web.Needs("read_cases"), web.Needs("read_register"), web.Needs("issue_documents"), web.Needs("change_templates")
	prepare := web.Needs("prepare_documents")
	large := web.MaxBody(maxForm)
	for _, page := range []struct {
		pattern string
		handler func(*web.Visit) error
		options []web.Option
	}{
		{"GET /cases/{case}/documents", p.ofCase, []web.Option{cases}},
		{"GET /cases/{case}/documents/new", p.compose, []web.Option{prepare}},
		{"POST /cases/{case}/documents/new", p.issue, []web.Option{prepare, large}},
		{"POST /cases/{case}/documents/preview", p.preview, []web.Option{prepare, large}},

		{"GET /documents", p.register, []web.Option{register}},
		{"GET /documents/{document}", p.document, []web.Option{cases}},
		{"POST /documents/{document}", p.reveal, []web.Option{cases}},
		{"GET /documents/{document}/file/{format}", p.file, []web.Option{cases}},
		{"POST /documents/{document}/file/{format}", p.file, []web.Option{cases}},
		{"GET /documents/{document}/cancel", p.askCancel, []web.Option{issue}},
		{"POST /documents/{document}/cancel", p.cancel, []web.Option{issue}},

		{"GET /admin/templates", p.templates, []web.Option{change}},
		{"GET /admin/templates/{kind}", p.template, []web.Option{change}},
		{"POST /admin/templates/{kind}", p.saveTemplate, []web.Option{change, large}},
		{"POST /admin/templates/{kind}/preview", p.previewTemplate, []web.Option{change, large}},
		{"GET /admin/templates/{kind}/inherit", p.askInherit, []web.Option{change}},
		{"POST /admin/templates/{kind}/inherit", p.inherit, []web.Option{change}},
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

func (f *form) wrong(v *web.Visit, field, key string) {
	if f.Errors == nil {
		f.Errors = map[string]string{}
	}
	f.Errors[field] = v.Text(key)
	f.Problem = v.Text("documentspage.mend")
}

func (f *form) bad() bool { return f.Problem != "" }

// refused takes an error of a service: what the visitor can mend becomes the form's problem, the rest is returned.
func (f *form) refused(err error) error {
	words, mend := web.Message(err)
	if !mend {
		return err
	}
	f.Problem = words
	return nil
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

// at is an address about a unit.
func at(path, unit string) string {
	if unit == "" {
		return path
	}
	return path + "?unit=" + url.QueryEscape(unit)
}

// choice is one line of a list to choose from.
type choice struct {
	Value, Words string
	Chosen       bool
}
