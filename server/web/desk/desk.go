// Package desk is where operators put in what came on paper and by telephone: piles of slips, typed at the speed of paper, and
// one call at a time. Everything is done with the keyboard alone, and works without JavaScript, with Tab and Enter.
package desk

import (
	"embed"

	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html
var files embed.FS

//go:embed assets/desk.js
var script []byte

//go:embed assets/desk.css
var sheet []byte

// action is what an account must be allowed to do to come here.
const action = "type_slips"

type pages struct{ *web.Pages }

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	site.Asset("desk.js", script)
	site.Style(sheet)
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	p := pages{read}
	for pattern, handler := range map[string]func(*web.Visit) error{
		"GET /desk":                      p.showBatches,
		"GET /desk/new":                  p.showNew,
		"POST /desk/new":                 p.open,
		"GET /desk/batches/{id}":         p.showBatch,
		"POST /desk/batches/{id}":        p.enter,
		"POST /desk/batches/{id}/close":  p.close,
		"GET /desk/batches/{id}/close":   p.backToBatch,
		"GET /desk/batches/{id}/number":  p.showRenumber,
		"POST /desk/batches/{id}/number": p.renumber,
		"GET /desk/phone":                p.showPhone,
		"POST /desk/phone":               p.answer,
	} {
		site.Handle(pattern, web.SignedIn, handler, web.Needs(action))
	}
	return nil
}
