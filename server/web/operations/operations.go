// Package operations are the pages by which an administrator keeps the system going: imports, jobs, what waits in quarantine,
// how the parts are, and who did what.
package operations

import (
	"embed"
	"net/url"

	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html operations.css
var files embed.FS

type pages struct {
	*web.Pages
}

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	sheet, err := files.ReadFile("operations.css")
	if err != nil {
		return err
	}
	site.Style(sheet)
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	p := pages{read}
	run, jobs := web.Needs("run_jobs"), web.Needs("read_jobs")
	site.Handle("GET /admin/imports", web.SignedIn, everything(p.showImports), run)
	site.Handle("POST /admin/imports", web.SignedIn, everything(p.startImport), run, web.MaxBody(maxUpload))
	site.Handle("GET /admin/jobs", web.SignedIn, everything(p.showJobs), jobs)
	site.Handle("POST /admin/jobs", web.SignedIn, everything(p.startReconcile), run)
	site.Handle("GET /admin/jobs/{id}", web.SignedIn, everything(p.showJob), jobs)
	site.Handle("GET /admin/jobs/{id}/report", web.SignedIn, everything(p.sendReport), jobs)
	site.Handle("POST /admin/jobs/{id}/cancel", web.SignedIn, everything(p.cancelJob), run)
	site.Handle("POST /admin/jobs/{id}/load", web.SignedIn, everything(p.load), run)
	site.Handle("GET /admin/jobs/{id}/load", web.SignedIn, everything(func(v *web.Visit) error { // a page that was answered there, loaded again
		return v.Redirect("/admin/jobs/" + url.PathEscape(v.R.PathValue("id")))
	}), run)
	quarantine := web.Needs("manage_quarantine")
	site.Handle("GET /admin/quarantine", web.SignedIn, p.showQuarantine, quarantine)
	site.Handle("POST /admin/quarantine", web.SignedIn, p.settle, quarantine)
	site.Handle("GET /admin/quarantine/{id}", web.SignedIn, p.showQuarantined, quarantine)
	site.Handle("GET /admin/health", web.SignedIn, p.showHealth, web.Needs("read_health"), web.Meanwhile(p.showAway))
	audit := web.Needs("read_audit")
	site.Handle("GET /admin/audit", web.SignedIn, p.showAudit, audit)
	site.Handle("GET /admin/audit.csv", web.SignedIn, p.sendAudit, audit)
	return nil
}

// everything keeps pages that concern all units from administrators of some.
func everything(handler func(*web.Visit) error) func(*web.Visit) error {
	return func(v *web.Visit) error {
		if v.Account.GetUnitId() != "" {
			return web.ErrNotFound
		}
		return handler(v)
	}
}

// tab is one of the pages, as the row of links on top of each shows them.
type tab struct {
	Key     string // of its words: operationspage.tab.KEY
	Link    string
	Current bool
}

func tabs(v *web.Visit, current string) []tab {
	var shown []tab
	for _, t := range []struct {
		key, action string
		everything  bool
	}{
		{"imports", "run_jobs", true}, {"jobs", "read_jobs", true}, {"quarantine", "manage_quarantine", false},
		{"health", "read_health", false}, {"audit", "read_audit", false},
	} {
		if v.May(t.action) && (!t.everything || v.Account.GetUnitId() == "") {
			shown = append(shown, tab{t.key, "/admin/" + t.key, t.key == current})
		}
	}
	return shown
}
