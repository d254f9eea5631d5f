// Package actions are the pages of corrective actions and contests: what was ordered and by when, the form by which it is ordered of one
// or several units, one action with its evidence and everything that may be done to it, and what officials say against their ratings.
package actions

import (
	"embed"
	"net/url"

	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html
var files embed.FS

//go:embed actions.css
var sheet []byte

type pages struct{ *web.Pages }

// maxUpload is how much a report with its files may carry: ten of ten megabytes, and some words.
const maxUpload = 104 << 20

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	site.Style(sheet)
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	p := pages{read}
	reads, acts, orders := web.Needs("read_cases"), web.Needs("act_on_cases"), web.Needs("order_actions")
	for _, page := range []struct {
		pattern string
		handler func(*web.Visit) error
		options []web.Option
	}{
		{"GET /actions", p.list, []web.Option{reads}},
		{"GET /actions/units", p.units, []web.Option{reads}},
		{"GET /actions/new", p.showNew, []web.Option{orders}},
		{"POST /actions/new", p.order, []web.Option{orders}},
		{"GET /actions/{action}", p.show, []web.Option{reads}},
		{"GET /actions/{action}/events", p.back, []web.Option{reads}},
		{"POST /actions/{action}/events", p.apply, []web.Option{acts, web.MaxBody(maxUpload)}},
		{"GET /actions/{action}/files/{file}", p.file, []web.Option{reads}},
		{"GET /contests", p.contests, []web.Option{reads}},
		{"POST /contests", p.contest, []web.Option{web.Needs("contest_ratings")}},
		{"GET /contests/drop", p.toContests, []web.Option{reads}},
		{"POST /contests/drop", p.drop, []web.Option{web.Needs("contest_ratings")}},
		{"GET /contests/decide", p.toContests, []web.Option{reads}},
		{"POST /contests/decide", p.decide, []web.Option{web.Needs("decide_contests")}},
	} {
		site.Handle(page.pattern, web.SignedIn, page.handler, page.options...)
	}
	return nil
}

// link is the address of an action.
func link(id string) string { return "/actions/" + url.PathEscape(id) }

// back leads from the address of a form, where there is no page, to its action.
func (p pages) back(v *web.Visit) error { return v.Redirect(link(v.R.PathValue("action"))) }

func (p pages) toContests(v *web.Visit) error { return v.Redirect("/contests") }

// option is one line of a list to choose from.
type option struct {
	Value, Words, Help string
	Chosen             bool
}

// cut is a text of at most so many characters.
func cut(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit])
	}
	return text
}
