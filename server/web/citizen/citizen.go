// Package citizen is the product's face: the page that a QR code on the counter opens, on a telephone, without an account.
//
// One question, five faces with words; whoever is not content is asked why, may write, and may ask to be called back. It is one
// form and one submission: the faces are radio buttons, and choosing one shows the rest and the button to send, by the
// style sheet alone. Sending at the first tap, and correcting that rating when the rest follows, was considered and left: ratings
// are never changed, a slip of the finger would count for good, and a person would have said something without having
// pressed "send". So nothing counts until it was sent, everybody can change their mind, and no script is needed.
//
// These pages call the services as nobody, even where the visitor happens to be signed in: an official's rating of the own
// office carries no name either.
package citizen

import (
	"context"
	"embed"
	"io/fs"

	"google.golang.org/grpc/metadata"

	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html staff/templates/*.html assets/citizen.css assets/work.js assets/staff.css
var files embed.FS

type pages struct {
	citizens *web.Pages
	staff    *web.Pages
}

// maxBody lets a text that is far too long arrive, so that the page can say so and keep it.
const maxBody = 2 << 20

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	for _, name := range []string{"citizen.css", "work.js"} {
		content, err := files.ReadFile("assets/" + name)
		if err != nil {
			return err
		}
		site.Asset(name, content)
	}
	sheet, err := files.ReadFile("assets/staff.css")
	if err != nil {
		return err
	}
	site.Style(sheet)
	var p pages
	if p.citizens, err = site.Pages(files); err != nil {
		return err
	}
	staff, err := fs.Sub(files, "staff")
	if err != nil {
		return err
	}
	if p.staff, err = site.Pages(staff); err != nil {
		return err
	}
	for _, base := range []struct {
		path    string
		options []web.Option
	}{
		{"/r/{place}", nil},
		{"/r/{place}/embed", []web.Option{web.Framed()}},
		{"/r/{place}/{counter}", nil}, // as people type it: the unit's code and the counter's sign
		{"/r/{place}/{counter}/embed", []web.Option{web.Framed()}},
	} {
		site.Handle("GET "+base.path, web.Anyone, p.show, base.options...)
		site.Handle("POST "+base.path, web.Anyone, p.send, append(base.options, web.MaxBody(maxBody))...)
		site.Handle("GET "+base.path+"/thanks", web.Anyone, p.thank, base.options...)
	}
	site.Handle("GET /p", web.Anyone, p.askCode)
	site.Handle("POST /p", web.Anyone, p.typedCode)
	site.Handle("GET /p/rated", web.Anyone, p.rated)
	site.Handle("GET /p/{code}", web.Anyone, p.showCase)
	site.Handle("POST /p/{code}", web.Anyone, p.verdict)
	site.Handle("GET /units/{id}/poster.pdf", web.SignedIn, p.poster, web.Needs("read_directory"))
	site.Handle("GET /remedies", web.SignedIn, p.listRemedies, web.Needs("publish_remedies"))
	site.Handle("POST /remedies", web.SignedIn, p.publishRemedy, web.Needs("publish_remedies"))
	site.Handle("POST /remedies/{id}/withdraw", web.SignedIn, p.withdrawRemedy, web.Needs("publish_remedies"))
	return nil
}

// nobody is the visit's context without who visits.
func nobody(v *web.Visit) context.Context {
	return metadata.NewOutgoingContext(v.R.Context(), metadata.Pairs("hailong-address", v.Address(v.R), "accept-language", string(v.Language)))
}
