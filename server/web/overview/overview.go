// Package overview is what a leader sees: a unit's figures with their uncertainty, what waits to be looked at, and the way
// down to a counter and back.
package overview

import (
	"embed"
	"net/http"

	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/chart"
)

//go:embed templates/*.html
var files embed.FS

//go:embed overview.css
var styles []byte

type pages struct{ *web.Pages }

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	site.Style([]byte(chart.Styles))
	site.Style(styles)
	p := pages{read}
	site.Handle("GET /units", web.SignedIn, p.find, web.Needs("read_figures"))
	site.Handle("GET /units/{unit}", web.SignedIn, p.show, web.Needs("read_figures"))
	site.Handle("GET /units/{unit}/live", web.SignedIn, p.live, web.Needs("read_figures"))
	site.Handle("GET /units/{unit}/counters/{counter}", web.SignedIn, p.counter, web.Needs("read_figures"))
	site.Handle("GET /follow-ups", web.SignedIn, p.followUps, web.Needs("read_follow_ups"))
	site.Handle("GET /follow-ups.csv", web.SignedIn, p.followUpsFile, web.Needs("read_follow_ups"))
	site.Handle("GET /follow-ups/{unit}/note", web.SignedIn, p.backToFollowUps, web.Needs("note_follow_ups"))
	site.Handle("POST /follow-ups/{unit}/note", web.SignedIn, p.note, web.Needs("note_follow_ups"))
	return nil
}

// soon is after how many seconds a page asks again for what is still being counted.
const soon = 3

// unprocessable is the status of a page whose question must be mended.
const unprocessable = http.StatusUnprocessableEntity
