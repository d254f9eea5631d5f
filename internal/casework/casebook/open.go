package casebook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Limits of what a case is opened with, in characters.
const (
	MaxTitle = 300
	MaxWords = 8000 // of a citizen, at one time
	maxShort = 100
)

// New is what a case is opened with.
type New struct {
	ID         string // UUIDv7 made by the caller: opening the same again answers the case that is there
	Source     casework.Source
	Receiving  string          // unit
	About      string          // unit the opinion is about; "" = none named
	Officials  []string        // it is about
	Ratings    []string        // record ids it holds
	Collective *casework.Scope // of a collective request for explanation
	Title      string          // in the office's own words, without personal data
	Words      string          // the citizen's own
	Contact    *Contact        // nil = none was left
	Call       string          // id in the call log
	Procedure  string          // national code
	Dossier    string          //
	WithCode   bool            // the citizen gets a code to follow it by
}

// check answers a New as it is kept.
func (n New) check() (New, error) {
	if id, err := uuid.Parse(n.ID); err != nil || id.Version() != 7 || id.String() != n.ID {
		return n, fault.New(fault.Invalid, "casebook_id")
	}
	for _, field := range []struct {
		name  string
		text  *string
		limit int
	}{
		{"title", &n.Title, MaxTitle}, {"words", &n.Words, MaxWords},
		{"call", &n.Call, maxShort}, {"procedure", &n.Procedure, maxShort}, {"dossier", &n.Dossier, maxShort},
	} {
		var err error
		if *field.text, err = tidy(field.name, *field.text, field.limit, field.name == "words"); err != nil {
			return n, err
		}
	}
	if n.Contact != nil {
		contact, err := n.Contact.check()
		if err != nil {
			return n, err
		}
		if n.Contact = &contact; contact == (Contact{}) {
			n.Contact = nil
		}
	}
	return n, nil
}

// Open opens a case and gives it the next number in the register of the receiving unit. The same New again answers the case that
// is there. Exists "casebook_exists" where the id stands for something else; NotFound "unit_unknown"; Invalid "casebook_id",
// "casebook_text_long", "casebook_text_unreadable", "casebook_phone", "casebook_email"; and the faults of casework.Machine.Open.
func (b *Book) Open(ctx context.Context, n New, by casework.Actor) (Kept, error) {
	n, err := n.check()
	if err != nil {
		return Kept{}, err
	}
	tree := b.options.Tree()
	for _, id := range []string{n.Receiving, n.About} {
		if _, there := tree.Get(id); id != "" && !there {
			return Kept{}, fault.New(fault.NotFound, "unit_unknown", "unit", id)
		}
	}
	digest, err := b.digest(n)
	if err != nil {
		return Kept{}, err
	}
	if d, _, err := b.get(ctx, n.ID); err == nil {
		return d.same(digest)
	} else if !fault.Is(err, fault.NotFound) {
		return Kept{}, err
	}
	d, err := b.opened(n, by)
	if err != nil {
		return Kept{}, err
	}
	d.Digest = digest
	if err := b.keepPrivate(ctx, n, &d); err != nil {
		return Kept{}, err
	}
	stands, err := b.enter(ctx, d, n.WithCode)
	if errors.Is(err, store.ErrExists) { // opened by another call at the same time
		if stands, _, err = b.get(ctx, n.ID); err == nil {
			return stands.same(digest)
		}
	}
	if err != nil {
		return Kept{}, told("open a case", err)
	}
	b.written(ctx, stands, 0)
	return stands.kept(), nil
}

// same answers the case where it was opened with the same.
func (d document) same(digest []byte) (Kept, error) {
	if !bytes.Equal(d.Digest, digest) {
		return Kept{}, fault.New(fault.Exists, "casebook_exists", "case", d.ID)
	}
	return d.kept(), nil
}

// digest stands for all that a case is opened with. It is made under a key, because it is of words and telephone numbers too.
func (b *Book) digest(n New) ([]byte, error) {
	text, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("encode an opening: %w", err)
	}
	return b.content.Sum(text), nil
}

// opened is the case as it will be written, but for its number and code.
func (b *Book) opened(n New, by casework.Actor) (document, error) {
	m, err := b.Machine(n.Receiving)
	if err != nil {
		return document{}, err
	}
	c, effects, err := m.Open(casework.Opening{
		ID: n.ID, Source: n.Source, Receiving: n.Receiving, About: n.Officials, Ratings: n.Ratings, Collective: n.Collective,
	}, by, b.now())
	if err != nil {
		return document{}, err
	}
	d := document{Kept: Kept{About: n.About, Title: n.Title, Procedure: n.Procedure, Dossier: n.Dossier, Call: n.Call, HasWords: n.Words != "", HasContact: n.Contact != nil}}
	if n.Collective != nil {
		d.Asks = b.above(n.Collective.Unit)
	}
	return b.after(d, c, effects, m), nil
}

// keepPrivate writes what is kept apart. Its ids are made of the digest too, so that two openings under one id, of which one will be
// refused, never write over each other.
func (b *Book) keepPrivate(ctx context.Context, n New, d *document) error {
	id := fmt.Sprintf("%s.%x", n.ID, d.Digest[:8])
	group, ctx := errgroup.WithContext(ctx)
	if n.Words != "" || n.Title != "" {
		d.Said, d.Marks = id, b.marks(indexed(n.Title, n.Words))
		group.Go(func() error {
			return b.say(ctx, wordsDoc{ID: id, Case: n.ID, Unit: n.Receiving, Kind: saidOpening, At: d.OpenedAt, Title: n.Title, Text: n.Words})
		})
	}
	if n.Contact != nil {
		d.Reach = id
		group.Go(func() error { return b.keepContact(ctx, id, n.ID, *n.Contact, d.OpenedAt) })
	}
	return told("keep what a citizen said", group.Wait())
}
