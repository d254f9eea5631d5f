package server

import (
	"context"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/casework/opener"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// openOpener opens what makes cases of ratings.
func (a *application) openOpener(ctx context.Context) (err error) {
	a.opener, err = opener.Open(ctx, opener.Config{
		Engine: a.engine, Privates: a.intake, Rules: a.office, Directory: a.directory, Cases: ratingCases{a}, Logger: a.Logger, Now: a.Clock,
	})
	return err
}

// ratingsAccepted hears of ratings that intake acknowledged.
func (a *application) ratingsAccepted(ctx context.Context, records []rating.Record) {
	if a.opener != nil { // it is opened after intake, before anybody is served
		a.opener.Accepted(ctx, records)
	}
}

// ratingCases opens cases of ratings in the book.
type ratingCases struct{ *application }

// Open implements opener.Cases. A person at a kiosk may have typed anything as a telephone number: what the book cannot take as such is
// kept as an address, where people read it, and the opinion becomes a case all the same.
func (c ratingCases) Open(ctx context.Context, w opener.Wanted) error {
	n := casebook.New{
		ID: w.ID, Source: w.Source, Receiving: w.Receiving, About: w.About, Ratings: []string{w.Rating}, Title: shownText(w.Title, casebook.MaxTitle),
		Words: shownText(w.Words, casebook.MaxWords), Contact: caseContact(w.Contact), Procedure: w.Procedure, Dossier: shownText(w.Dossier, 100), WithCode: w.WithCode,
	}
	if w.Official != "" {
		n.Officials = []string{w.Official}
	}
	for {
		_, err := c.casebook.Open(ctx, n, casework.TheSystem())
		if n.Contact == nil || err == nil || !c.relieve(n.Contact, fault.Of(err).Reason) {
			return err
		}
	}
}

// relieve moves what a contact cannot hold to where it can; false where that is not what is wrong.
func (ratingCases) relieve(contact *casebook.Contact, reason string) bool {
	field := map[string]*string{"casebook_phone": &contact.Phone, "casebook_email": &contact.Email}[reason]
	if field == nil || *field == "" {
		return false
	}
	contact.Address = strings.TrimPrefix(contact.Address+"; "+*field, "; ")
	*field = ""
	return true
}

func caseContact(contact *pb.Contact) *casebook.Contact {
	if contact == nil {
		return nil
	}
	return &casebook.Contact{
		Name: shownText(contact.GetName(), 200), Phone: shownText(contact.GetPhone(), 100), Email: shownText(contact.GetEmail(), 200), CallBack: contact.GetCallBack(),
	}
}

// shownText is a citizen's text without characters that cannot be shown, and not longer than a case may hold; what was received stays with
// the rating.
func shownText(text string, limit int) string {
	text = strings.TrimSpace(norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(strings.ReplaceAll(text, "\r\n", "\n"), ""))))
	if letters := []rune(text); len(letters) > limit {
		text = string(letters[:limit-1]) + "…"
	}
	return text
}
