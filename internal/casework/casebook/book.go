// Package casebook keeps cases: the store behind the tables of package casework. One document is one case, written by
// compare-and-swap, so of two people who decide at once one wins and the other is told what happened.
//
// What citizens said and how to reach them is kept apart under ids of its own, can be erased, and is never in a case. It is written
// before the case that names it: a crash leaves at most words that no case names, which a sweep erases.
//
// Who is to be told of something stands in the case itself until it was told (Telling), and days on which a case does something by
// itself are an index. So any number of processes may keep one book, any of them may die at any point, and what one left undone
// another does (Run). The book does not ask who calls: an entrance of the server checks rights and scope; what the tables say about
// an actor holds here all the same.
package casebook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
)

// Publisher is what the book asks of a bus.
type Publisher interface {
	Publish(ctx context.Context, topic string, body []byte) error
}

// Options of a book. Keys, Tree, Rules and Hours are required.
type Options struct {
	Keys  secret.Keys
	Tree  func() *unit.Tree                            // the units as they are now
	Rules func(unitID string) deadline.Rules           // the deadlines of a receiving unit
	Hours func(unitID string) officehours.Hours        // its calendar
	Tell  func(ctx context.Context, t []Telling) error // nil = nobody is told; a Telling comes at least once, always with the same ID
	Feed  Publisher                                    // hears of every change; nil = nobody

	ContactDays func(receiving string) int // a contact is erased so many days after the case ended or was replied to; nil = 365
	Random      io.Reader                  // of citizens' codes; nil = crypto/rand
	Logger      *slog.Logger               // nil = nothing is logged
	Now         func() time.Time           // nil = time.Now
}

// Book keeps cases. Its methods may be called by many goroutines and processes.
type Book struct {
	options Options
	log     *slog.Logger
	now     func() time.Time

	cases    store.Docs[document]
	numbers  store.Docs[numbered]
	holdings store.Docs[Holding]
	words    store.Docs[wordsDoc]
	contacts store.Docs[contactDoc]
	drafts   store.Docs[draftDoc]
	files    store.Docs[fileDoc]
	shingles store.Docs[shinglesDoc]
	sweeps   store.Docs[sweepDoc]
	blobs    store.Blobs

	raw, rawWords, rawContacts store.Documents // the same, for lists that decode only what they need

	phones, content secret.Signer
	registers       registers
	outbox          outbox
	branches        branches
	recent          recent
	uploads         chan struct{}
}

// Open opens the book of a store.
func Open(ctx context.Context, engine store.Engine, options Options) (*Book, error) {
	b := &Book{options: options, log: options.Logger, now: options.Now, blobs: engine.Blobs(), uploads: make(chan struct{}, maxUploads)}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.now == nil {
		b.now = time.Now
	}
	if b.options.Random == nil {
		b.options.Random = rand.Reader
	}
	if b.options.ContactDays == nil {
		b.options.ContactDays = func(string) int { return 365 }
	}
	b.recent = recent{cases: map[string]remembered{}, machines: map[office]casework.Machine{}, dues: map[term]deadline.Due{}}
	b.registers.by = map[registerKey]*register{}
	b.outbox.queue = make(chan job, maxQueued)
	b.outbox.told = map[toldKey]struct{}{}
	for _, open := range []func() error{
		func() (err error) { b.cases, err = caseType.Open(ctx, engine); return err },
		func() (err error) { b.numbers, err = numberType.Open(ctx, engine); return err },
		func() (err error) { b.holdings, err = holdingType.Open(ctx, engine); return err },
		func() (err error) { b.words, err = wordsType.Open(ctx, engine); return err },
		func() (err error) { b.contacts, err = contactType.Open(ctx, engine); return err },
		func() (err error) { b.drafts, err = draftType.Open(ctx, engine); return err },
		func() (err error) { b.files, err = fileType.Open(ctx, engine); return err },
		func() (err error) { b.shingles, err = shinglesType.Open(ctx, engine); return err },
		func() (err error) { b.sweeps, err = sweepType.Open(ctx, engine); return err },
		func() (err error) { b.raw, err = engine.Documents(ctx, caseType.Kind); return err },
		func() (err error) { b.rawWords, err = engine.Documents(ctx, wordsType.Kind); return err },
		func() (err error) { b.rawContacts, err = engine.Documents(ctx, contactType.Kind); return err },
		func() (err error) { b.phones, err = options.Keys.Signer("case-phone"); return err },
		func() (err error) { b.content, err = options.Keys.Signer("case-content"); return err },
	} {
		if err := open(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Kept is a case as it stands in the book.
type Kept struct {
	casework.Case `bson:",inline"`
	// Version counts what happened to the case. It is what Apply is given as seen; what the book itself notes (who was told, the next
	// day of a timer) does not change it. 0 stands for no version.
	Version   store.Version `bson:"-"`
	About     string        `bson:"about_unit,omitempty"` // unit the opinion is about; officials are Case.About
	Title     string        `bson:"title,omitempty"`      // in the office's own words, no personal data
	Procedure string        `bson:"procedure,omitempty"`  // national code
	Dossier   string        `bson:"dossier,omitempty"`
	Call      string        `bson:"call,omitempty"` // id in the call log
	// Due is the last day of the most urgent running clock. Empty where none runs, NoDue where time stands still or no day can be found.
	Due localday.Day `bson:"due"`
	// Missing are the years whose holidays nobody has written down and over which a clock counts: Due may be too early then, and
	// whoever shows it says so.
	Missing []int `bson:"missing_years,omitempty"`
	// Trouble is the reason of a fault (a key of the catalogues under "fault.") for which a clock has no due day, such as a calendar
	// by which offices never open; "" = none.
	Trouble    string `bson:"trouble,omitempty"`
	HasWords   bool   `bson:"has_words,omitempty"`   // a citizen's words were kept at the opening; they may have been erased since
	HasContact bool   `bson:"has_contact,omitempty"` // the same of a contact
}

// NoDue is the due day of a case whose running clocks have none.
const NoDue localday.Day = "9999-12-31"

// OfficialsAbout are the officials the case is about.
func (k Kept) OfficialsAbout() []string { return k.Case.About }

// Late tells that a clock of the office is over on a day. A citizen who does not say whether a reply answers is not late.
func (k Kept) Late(today localday.Day) bool {
	return k.ResultMissing() && k.Due != "" && k.Due < today
}

// Get reads a case. NotFound "casebook_unknown".
func (b *Book) Get(ctx context.Context, id string) (Kept, error) {
	d, _, err := b.get(ctx, id)
	return d.kept(), err
}

func (b *Book) get(ctx context.Context, id string) (document, store.Version, error) {
	d, version, err := b.cases.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return d, 0, unknown(id)
	}
	return d, version, told("read a case", err)
}

// ByCode reads a case by what its citizen typed or read out. NotFound "casebook_code_unknown"; Invalid as of casework.ParseCode.
func (b *Book) ByCode(ctx context.Context, text string) (Kept, error) {
	code, err := casework.ParseCode(text)
	if err != nil {
		return Kept{}, err
	}
	doc, err := b.cases.First(ctx, store.Query{Index: byCode, Equal: []any{string(code)}})
	if errors.Is(err, store.ErrNotFound) {
		return Kept{}, fault.New(fault.NotFound, "casebook_code_unknown")
	}
	return doc.Value.kept(), told("find a case by its code", err)
}

// ByNumber reads a case by its place in the register. NotFound "casebook_unknown".
func (b *Book) ByNumber(ctx context.Context, n casework.Number) (Kept, error) {
	doc, err := b.cases.First(ctx, store.Query{Index: byNumber, Equal: []any{n.Unit, n.Year, n.N}})
	if errors.Is(err, store.ErrNotFound) {
		return Kept{}, unknown(n.String())
	}
	return doc.Value.kept(), told("find a case by its number", err)
}

func unknown(id string) error { return fault.New(fault.NotFound, "casebook_unknown", "case", id) }

// told makes a fault of what the store answers.
func told(doing string, err error) error {
	if err == nil {
		return nil
	}
	var ours *fault.Error
	if errors.As(err, &ours) {
		return err
	}
	return store.Told(fmt.Errorf("%s: %w", doing, err), "casebook_unavailable")
}

// branches remembers above which units each unit stands, as long as the tree is the same.
type branches struct {
	mu     sync.Mutex
	tree   *unit.Tree
	by     map[string][]string
	shapes shapes
}
