// Package cases are the pages of casework: what waits for whoever signs in, the lists, one case on one screen with everything
// that may be done to it, the explanation as it is written, and the forms by which an opinion is written down.
package cases

import (
	"embed"
	"net/url"

	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html
var files embed.FS

//go:embed assets/cases.js
var script []byte

//go:embed assets/cases.css
var sheet []byte

type pages struct{ *web.Pages }

// maxUpload is how much an explanation with its files may carry: ten of ten megabytes, and some words.
const maxUpload = 104 << 20

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	site.Asset("cases.js", script)
	site.Style(sheet)
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	p := pages{read}
	reads, acts, opens := web.Needs("read_cases"), web.Needs("act_on_cases"), web.Needs("open_cases")
	for _, page := range []struct {
		pattern string
		handler func(*web.Visit) error
		options []web.Option
	}{
		{"GET /cases", p.desk, []web.Option{reads}},
		{"GET /cases/units", p.units, []web.Option{reads}},
		{"GET /cases/new", p.showNew, []web.Option{opens}},
		{"POST /cases/new", p.open, []web.Option{opens}},
		{"GET /cases/{case}", p.show, []web.Option{reads}},
		{"GET /cases/{case}/here", p.here, []web.Option{reads}},
		{"GET /cases/{case}/events", p.back, []web.Option{reads}},
		{"POST /cases/{case}/events", p.apply, []web.Option{acts}},
		{"GET /cases/{case}/contact", p.back, []web.Option{reads}},
		{"POST /cases/{case}/contact", p.contact, []web.Option{web.Needs("reveal_contacts")}},
		{"GET /cases/{case}/explanation", p.showExplanation, []web.Option{acts}},
		{"POST /cases/{case}/explanation", p.explain, []web.Option{acts, web.MaxBody(maxUpload)}},
		{"POST /cases/{case}/draft", p.draft, []web.Option{acts}},
		{"GET /cases/{case}/files/{file}", p.file, []web.Option{reads}},
	} {
		site.Handle(page.pattern, web.SignedIn, page.handler, page.options...)
	}
	return nil
}

// link is the address of a case.
func link(id string) string { return "/cases/" + url.PathEscape(id) }

// back leads from the address of a form, where there is no page, to its case.
func (p pages) back(v *web.Visit) error { return v.Redirect(link(v.R.PathValue("case"))) }

// option is one line of a list to choose from.
type option struct {
	Value, Words, Help string
	Chosen             bool
}
