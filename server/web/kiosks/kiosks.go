// Package kiosks are the pages about kiosks: how the fleet is, how a device's screen works, who serves at which counter and when,
// the officials' photos and numbers, and when offices are open.
package kiosks

import (
	"embed"

	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html kiosks.css
var files embed.FS

type pages struct{ *web.Pages }

// maxPhoto is how much a form with a photo may carry: the photo, and some words.
const maxPhoto = 6 << 20

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	sheet, err := files.ReadFile("kiosks.css")
	if err != nil {
		return err
	}
	site.Style(sheet)
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	p := pages{read}
	devices, duties, people := web.Needs("manage_devices"), web.Needs("set_duties"), web.Needs("change_directory")
	for _, page := range []struct {
		pattern string
		handler func(*web.Visit) error
		options []web.Option
	}{
		{"GET /kiosks", p.fleet, []web.Option{duties}},
		{"GET /kiosks/alert", p.alert, nil},
		{"GET /kiosks/devices/{device}", p.device, []web.Option{devices}},
		{"GET /kiosks/devices/{device}/settings", p.settings, []web.Option{devices}},
		{"POST /kiosks/devices/{device}/settings", p.setSettings, []web.Option{devices}},

		{"GET /kiosks/duty", p.duty, []web.Option{duties}},
		{"POST /kiosks/duty/now", p.setNow, []web.Option{duties}},
		{"GET /kiosks/duty/line", p.line, []web.Option{duties}},
		{"POST /kiosks/duty/line", p.setLine, []web.Option{duties}},
		{"POST /kiosks/duty/end", p.endDuty, []web.Option{duties}},

		{"GET /kiosks/officials", p.officials, []web.Option{duties}},
		{"GET /kiosks/officials/{official}", p.official, []web.Option{people}},
		{"GET /kiosks/officials/{official}/photo", p.photo, []web.Option{duties}},
		{"POST /kiosks/officials/{official}/photo", p.setPhoto, []web.Option{people, web.MaxBody(maxPhoto)}},
		{"POST /kiosks/officials/{official}/number", p.setNumber, []web.Option{people}},

		{"GET /kiosks/hours", p.hours, []web.Option{duties}},
		{"POST /kiosks/hours", p.setHours, []web.Option{people}},
	} {
		site.Handle(page.pattern, web.SignedIn, page.handler, page.options...)
	}
	return nil
}

// tab is one of the pages, as the row of links on top of each shows them.
type tab struct {
	Key     string // of its words: kioskspage.tab.KEY
	Link    string
	Current bool
}

func tabs(v *web.Visit, current string) []tab {
	var shown []tab
	for _, t := range []struct{ key, link, action string }{
		{"fleet", "/kiosks", "manage_devices"}, {"duty", "/kiosks/duty", "set_duties"}, {"officials", "/kiosks/officials", "set_duties"}, {"hours", "/kiosks/hours", "set_duties"},
	} {
		if v.May(t.action) {
			shown = append(shown, tab{t.key, t.link, t.key == current})
		}
	}
	return shown
}

// form is what is wrong with a form: in one sentence on top, and by field beside it.
type form struct {
	Problem string
	Errors  map[string]string
}

func (f *form) wrong(v *web.Visit, field, key string, args ...any) {
	if f.Errors == nil {
		f.Errors = map[string]string{}
	}
	if f.Errors[field] == "" {
		f.Errors[field] = v.Text(key, args...)
	}
	f.Problem = v.Text("kioskspage.mend")
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
