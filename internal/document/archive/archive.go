// Package archive keeps the papers that were issued about cases: versions of their templates by unit, their numbers without
// gaps, what each says, and its files. Nothing kept here is ever changed: a paper is cancelled by a record beside it and issued
// again under a new number. Who may do what is for the caller to check.
package archive

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hailong-vn/hailong/internal/document"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
)

// Person is who did something: the account, and its name then.
type Person struct {
	Account string `bson:"account"`
	Name    string `bson:"name"`
}

// Document is an issued paper. It is never changed; whether it was cancelled stands beside it.
type Document struct {
	ID       string            `bson:"_id"` // UUID, made by whoever asked for it
	Unit     string            `bson:"unit"`
	Year     int               `bson:"year"` // of Day
	Series   string            `bson:"series"`
	N        int               `bson:"n"` // in the unit's series of the year, from 1 on without gaps
	Number   string            `bson:"number"`
	Kind     document.Kind     `bson:"kind"`
	Case     string            `bson:"case,omitempty"`
	Action   string            `bson:"action,omitempty"`
	Title    string            `bson:"title"` // never with the citizen's name
	Day      localday.Day      `bson:"day"`
	Signer   document.Signer   `bson:"signer"`
	Values   map[string]string `bson:"values"`             // but for what is personal
	Sealed   []byte            `bson:"sealed,omitempty"`   // the personal values, encrypted
	Template Reference         `bson:"template"`           // it was made with
	Replaces string            `bson:"replaces,omitempty"` // document that was cancelled
	IssuedAt time.Time         `bson:"issued_at"`
	IssuedBy Person            `bson:"issued_by"`
	Proof    []byte            `bson:"proof"` // of what was asked for: the same id for anything else is refused

	Cancelled *Cancellation `bson:"-"`
}

// Personal tells that the paper names the citizen.
func (d Document) Personal() bool { return len(d.Sealed) > 0 }

// Reference names the version of a template.
type Reference struct {
	Unit    string `bson:"unit"` // "" = that of everybody
	Version int    `bson:"version"`
	SHA256  string `bson:"sha256"` // of its source
}

// Cancellation says that a paper is void, and why. Its number is not given again.
type Cancellation struct {
	Document string    `bson:"_id"`
	Unit     string    `bson:"unit"`
	Year     int       `bson:"year"`
	Case     string    `bson:"case,omitempty"`
	Reason   string    `bson:"reason"`
	By       Person    `bson:"by"`
	At       time.Time `bson:"at"`
}

// File is a paper in one format, as it was written once.
type File struct {
	ID       string          `bson:"_id"` // DOCUMENT/FORMAT
	Document string          `bson:"document"`
	Format   document.Format `bson:"format"`
	Blob     string          `bson:"blob"`
	SHA256   string          `bson:"sha256"` // of the file as people hold it
	Size     int             `bson:"size"`   // bytes
	Sealed   bool            `bson:"sealed,omitempty"`
	At       time.Time       `bson:"at"`
}

// source is a template's text, under its SHA-256.
type source struct {
	SHA256 string `bson:"_id"`
	Text   string `bson:"text"`
}

const (
	byNumber = "number"
	byCase   = "case"
	byAction = "action"
	byTime   = "time"
	byYear   = "year"
)

var (
	documentType = store.Define[Document]("documents",
		store.Index{Name: byNumber, Fields: []string{"unit", "year", "series", "n"}, Unique: true},
		store.Index{Name: byCase, Fields: []string{"case", "issued_at"}},
		store.Index{Name: byAction, Fields: []string{"action", "issued_at"}},
		store.Index{Name: byTime, Fields: []string{"unit", "issued_at"}},
	).AppendOnly()
	cancellationType = store.Define[Cancellation]("document_cancellations",
		store.Index{Name: byYear, Fields: []string{"unit", "year"}},
		store.Index{Name: byCase, Fields: []string{"case"}},
	).AppendOnly()
	fileType    = store.Define[File]("document_files").AppendOnly()
	sourceType  = store.Define[source]("document_sources").AppendOnly()
	versionType = store.Define[Version]("document_templates",
		store.Index{Name: byNumber, Fields: []string{"unit", "kind", "version"}, Unique: true},
	).AppendOnly()
)

// Kinds lists what is kept in the store.
func Kinds() []store.Kind {
	return []store.Kind{documentType.Kind, cancellationType.Kind, fileType.Kind, sourceType.Kind, versionType.Kind}
}

// Options are what an archive is opened with. Keys are required.
type Options struct {
	Keys   secret.Keys      // encrypt what names a citizen
	Now    func() time.Time // nil = time.Now
	Logger *slog.Logger     // nil = nothing is logged
}

// Archive keeps papers. Its methods may be called by many goroutines.
type Archive struct {
	Options
	documents     store.Docs[Document]
	cancellations store.Docs[Cancellation]
	files         store.Docs[File]
	sources       store.Docs[source]
	versions      store.Docs[Version]
	blobs         store.Blobs
	proofs        secret.Signer
}

// Open opens the archive of a store.
func Open(ctx context.Context, engine store.Engine, options Options) (a *Archive, err error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	a = &Archive{Options: options, blobs: engine.Blobs()}
	if a.proofs, err = options.Keys.Signer("document"); err != nil {
		return nil, err
	}
	var errs [5]error
	a.documents, errs[0] = documentType.Open(ctx, engine)
	a.cancellations, errs[1] = cancellationType.Open(ctx, engine)
	a.files, errs[2] = fileType.Open(ctx, engine)
	a.sources, errs[3] = sourceType.Open(ctx, engine)
	a.versions, errs[4] = versionType.Open(ctx, engine)
	return a, errors.Join(errs[:]...)
}

// told makes the store's errors ours.
func told(err error) error {
	var ours *fault.Error
	if errors.Is(err, store.ErrNotFound) && !errors.As(err, &ours) {
		return unknown()
	}
	return store.Told(err, "document_unavailable")
}

func unknown() error { return fault.New(fault.NotFound, "document_unknown") }
