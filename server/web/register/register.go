// Package register are the pages of the book in which a unit enters what it receives (sổ tiếp nhận): on the screen what has no
// result yet comes first; on paper it is the official form on A4, on its side. Who spoke is not on it unless somebody asks and says why.
package register

import (
	"embed"

	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html
var files embed.FS

//go:embed assets/register.css
var sheet []byte

type pages struct{ *web.Pages }

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	site.Style(sheet)
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	p := pages{read}
	reads, knows, seals := web.Needs("read_register"), web.Needs("reveal_contacts"), web.Needs("seal_register")
	for _, page := range []struct {
		pattern string
		handler func(*web.Visit) error
		needs   web.Option
	}{
		{"GET /register", p.show, reads},
		{"GET /register/missing", p.missing, reads},
		{"GET /register/print", p.print, reads},
		{"GET /register/file", p.file, reads},
		{"POST /register/file", p.file, knows},
		{"GET /register/persons", p.askPersons, knows},
		{"POST /register/persons", p.persons, knows},
		{"GET /register/check", p.check, reads},
		{"GET /register/seal", p.askSeal, seals},
		{"POST /register/seal", p.seal, seals},
	} {
		site.Handle(page.pattern, web.SignedIn, page.handler, page.needs)
	}
	return nil
}
