package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/hailong-vn/hailong/internal/document"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Version is a template as somebody saved it for a unit; units below it use it too, where they have none of their own. A version
// is never changed; the last one of a unit holds.
type Version struct {
	ID      string        `bson:"_id"` // UNIT/KIND/VERSION
	Unit    string        `bson:"unit"`
	Kind    document.Kind `bson:"kind"`
	Version int           `bson:"version"`          // of this unit and kind, from 1 on; 0 = the product's own
	Source  string        `bson:"source,omitempty"` // "" = from here on the unit uses again what it inherits
	Note    string        `bson:"note,omitempty"`   // why it was changed
	SavedAt time.Time     `bson:"saved_at"`
	SavedBy Person        `bson:"saved_by"`
}

// Reference names it in papers.
func (v Version) Reference() Reference {
	sum := sha256.Sum256([]byte(v.Source))
	return Reference{Unit: v.Unit, Version: v.Version, SHA256: hex.EncodeToString(sum[:])}
}

const maxNote = 300 // characters of a note

// Template answers the template that holds: of the first of the units that has one of its own, else the product's. units are the
// unit itself and those above it, nearest first; "" stands for everybody and is looked at in any case. Invalid
// "document_kind_unknown".
func (a *Archive) Template(ctx context.Context, units []string, kind document.Kind) (Version, error) {
	if err := document.CheckKind(kind); err != nil {
		return Version{}, err
	}
	for _, unit := range append(append([]string{}, units...), "") {
		own, err := a.Own(ctx, unit, kind)
		if err != nil {
			return Version{}, err
		}
		if own.Source != "" {
			return own, nil
		}
	}
	text, err := document.BuiltIn(kind)
	return Version{Kind: kind, Source: string(text)}, err
}

// Own answers the last version of a unit's own template; one without a source where it has none.
func (a *Archive) Own(ctx context.Context, unit string, kind document.Kind) (Version, error) {
	found, err := a.versions.First(ctx, store.Query{Index: byNumber, Equal: []any{unit, string(kind)}, Desc: true})
	if errors.Is(err, store.ErrNotFound) {
		return Version{Unit: unit, Kind: kind}, nil
	}
	return found.Value, told(err)
}

// VersionOf answers one version. NotFound "document_template_unknown".
func (a *Archive) VersionOf(ctx context.Context, unit string, kind document.Kind, version int) (Version, error) {
	found, _, err := a.versions.Get(ctx, versionID(unit, kind, version))
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return Version{}, fault.New(fault.NotFound, "document_template_unknown")
	}
	return found, told(err)
}

// Versions lists the versions of a unit's own template, the last first.
func (a *Archive) Versions(ctx context.Context, unit string, kind document.Kind, after store.Cursor, limit int) ([]Version, store.Cursor, error) {
	list, next, err := a.versions.Page(ctx, store.Query{Index: byNumber, Equal: []any{unit, string(kind)}, After: after, Desc: true}, limit)
	if errors.Is(err, store.ErrInvalid) {
		return nil, "", fault.New(fault.Invalid, "document_page_token").Because(err)
	}
	return list, next, told(err)
}

// Change is a template to be saved.
type Change struct {
	Unit   string // "" = for everybody
	Kind   document.Kind
	Source string // "" = use again what is inherited
	Note   string
	Seen   int // version of the unit's own template that was changed; 0 = it had none
	By     Person
}

// Save checks a template and keeps it as the unit's next version. What is wrong with it is Invalid, see document.ReadTemplate;
// Stale "document_template_changed" where somebody saved one meanwhile. The same source as the last version again changes nothing.
func (a *Archive) Save(ctx context.Context, change Change) (Version, error) {
	if err := document.CheckKind(change.Kind); err != nil {
		return Version{}, err
	}
	note := document.Clean(change.Note, true)
	if utf8.RuneCountInString(note) > maxNote {
		return Version{}, fault.New(fault.Invalid, "document_note_long", "limit", maxNote)
	}
	if change.Source != "" {
		if _, err := Check(change.Source); err != nil {
			return Version{}, err
		}
	}
	last, err := a.Own(ctx, change.Unit, change.Kind)
	if err != nil {
		return Version{}, err
	}
	if last.Source == change.Source {
		return last, nil
	}
	if last.Version != change.Seen {
		return Version{}, changed(last)
	}
	next := Version{
		ID: versionID(change.Unit, change.Kind, last.Version+1), Unit: change.Unit, Kind: change.Kind, Version: last.Version + 1,
		Source: change.Source, Note: note, SavedAt: store.Milliseconds(a.Now()), SavedBy: change.By,
	}
	switch err := a.versions.Insert(ctx, next); {
	case errors.Is(err, store.ErrExists), errors.Is(err, store.ErrTaken):
		won, err := a.Own(ctx, change.Unit, change.Kind)
		if err != nil {
			return Version{}, err
		}
		if won.Source == next.Source {
			return won, nil
		}
		return Version{}, changed(won)
	default:
		return next, told(err)
	}
}

// Check reads a template, and fills it with sample values, so that what could not be drawn is known before it is saved.
func Check(text string) (*document.Template, error) {
	template, err := document.ReadTemplate([]byte(text))
	if err != nil {
		return nil, err
	}
	_, err = template.Fill(document.Samples(template.Own), document.SampleSigner(), document.Number{})
	return template, err
}

func changed(by Version) error {
	return fault.New(fault.Stale, "document_template_changed", "name", by.SavedBy.Name, "version", by.Version)
}

func versionID(unit string, kind document.Kind, version int) string {
	return fmt.Sprintf("%s/%s/%06d", unit, kind, version)
}
