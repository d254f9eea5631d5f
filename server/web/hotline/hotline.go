// Package hotline is the operators' desk for calls: one screen at the speed of a call, used with the keyboard alone, that writes down as
// it is typed; the log of calls, who waits for a call-back, praise, texts written often, and which telephone exchanges tell what rings.
// Everything works without JavaScript, with Tab and Enter; the script spares presses and saves by itself.
package hotline

import (
	"embed"

	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html
var files embed.FS

//go:embed assets/hotline.js
var script []byte

//go:embed assets/hotline.css
var sheet []byte

// What accounts must be allowed to do to come here.
const (
	takesCalls = "take_calls"
	readsCalls = "read_calls"
	readPraise = "read_praise"
	exchanges  = "manage_call_hooks"
)

type pages struct{ *web.Pages }

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	site.Asset("hotline.js", script)
	site.Style(sheet)
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	p := pages{read}
	for action, handlers := range map[string]map[string]func(*web.Visit) error{
		takesCalls: {
			"GET /hotline":                       p.showNew,
			"POST /hotline/calls/{id}":           p.answer,
			"POST /hotline/calls/{id}/save":      p.autosave,
			"POST /hotline/calls/{id}/correct":   p.correct,
			"GET /hotline/calls/{id}/correct":    p.showCorrect,
			"POST /hotline/calls/{id}/caller":    p.caller,
			"POST /hotline/calls/{id}/units":     p.units,
			"POST /hotline/calls/{id}/officials": p.officials,
			"POST /hotline/calls/{id}/similar":   p.similar,
			"POST /hotline/calls/{id}/reveal":    p.reveal,
			"GET /hotline/rings":                 p.rings,
			"GET /hotline/rings/live":            p.ringsLive,
			"GET /hotline/call-backs":            p.showCallBacks,
			"POST /hotline/call-backs":           p.noteCallBack,
			"GET /hotline/snippets":              p.showSnippets,
			"POST /hotline/snippets":             p.setSnippet,
			"POST /hotline/line":                 p.sit,
		},
		readsCalls: {
			"GET /hotline/calls/{id}": p.showCall,
			"GET /hotline/log":        p.showLog,
			"GET /hotline/log.csv":    p.sendLog,
		},
		readPraise: {"GET /praise": p.showPraise},
		exchanges: {
			"GET /hotline/exchanges":              p.showExchanges,
			"POST /hotline/exchanges":             p.createExchange,
			"POST /hotline/exchanges/{id}/revoke": p.revokeExchange,
		},
	} {
		for pattern, handler := range handlers {
			site.Handle(pattern, web.SignedIn, handler, web.Needs(action))
		}
	}
	return nil
}

// tab is one of the pages of the hotline.
type tab struct {
	Key, Link string
	Current   bool
}

// tabs are the pages that the visitor may open.
func tabs(v *web.Visit, current string) []tab {
	var list []tab
	for _, t := range []struct{ key, link, action string }{
		{"call", "/hotline", takesCalls}, {"call_backs", "/hotline/call-backs", takesCalls}, {"log", "/hotline/log", readsCalls},
		{"praise", "/praise", readPraise}, {"snippets", "/hotline/snippets", takesCalls}, {"exchanges", "/hotline/exchanges", exchanges},
	} {
		if v.May(t.action) {
			list = append(list, tab{t.key, t.link, t.key == current})
		}
	}
	return list
}
