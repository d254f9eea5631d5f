package coverage

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// Limits of a note.
const (
	MaxReason  = 1000 // characters
	MaxRatings = 1000 // single ratings
)

// Rated names a single rating, with where and when it counts.
type Rated struct {
	ID   string       `bson:"id"`
	Unit string       `bson:"unit"`
	Day  localday.Day `bson:"day"`
}

// Note is a leader's word that ratings are known and need no explanation, of single ratings or of a scope; or that an earlier note of
// theirs is taken back. Notes are only added.
type Note struct {
	ID        string          `bson:"_id"`
	Unit      string          `bson:"unit"`  // it was noted for
	Above     []string        `bson:"above"` // "", the units above it then, and itself
	Ratings   []Rated         `bson:"ratings,omitempty"`
	Scope     *casework.Scope `bson:"scope,omitempty"`
	N         int             `bson:"n"` // ratings it was about when it was made
	Withdraws string          `bson:"withdraws,omitempty"`
	Reason    string          `bson:"reason"`  // in NFC
	Account   string          `bson:"account"` // who noted it
	By        string          `bson:"by"`      // the account's name at the time
	At        time.Time       `bson:"at"`
}

const (
	noteByTime    = "time"
	noteWithin    = "within"
	noteTakenBack = "withdraws"
)

var noteKind = store.Define[Note]("rating_notes",
	store.Index{Name: noteByTime, Fields: []string{"at"}},
	store.Index{Name: noteWithin, Fields: []string{"above", "at"}, Multi: true},
	store.Index{Name: noteTakenBack, Fields: []string{"withdraws"}, Unique: true},
).AppendOnly()

// AddNote keeps a note; At and Above are made here. The same id again is the note that stands, so that a form sent twice notes once.
// Invalid "coverage_note_reason", "coverage_note_what", "coverage_note_ratings", "coverage_day", "coverage_reversed", "coverage_future",
// "coverage_long"; "coverage_note_id" where the id is none or another note has it.
func (c *Coverage) AddNote(ctx context.Context, note Note) (Note, error) {
	if uuid.Validate(note.ID) != nil {
		return Note{}, fault.New(fault.Invalid, "coverage_note_id")
	}
	note.Withdraws = ""
	switch {
	case (len(note.Ratings) > 0) == (note.Scope != nil):
		return Note{}, fault.New(fault.Invalid, "coverage_note_what")
	case len(note.Ratings) > MaxRatings:
		return Note{}, fault.New(fault.Invalid, "coverage_note_ratings", "limit", MaxRatings)
	}
	if s := note.Scope; s != nil {
		if err := c.checkScope(*s); err != nil {
			return Note{}, err
		}
	}
	return c.addNote(ctx, note)
}

func (c *Coverage) checkScope(s casework.Scope) error {
	p, err := c.Period(string(s.From), string(s.To))
	if err != nil {
		return err
	}
	if p.To > c.today() { // what is to come cannot be known to anybody
		return fault.New(fault.Invalid, "coverage_future", "to", p.To)
	}
	return nil
}

func (c *Coverage) addNote(ctx context.Context, note Note) (Note, error) {
	note.Reason = norm.NFC.String(strings.TrimSpace(strings.ReplaceAll(note.Reason, "\r\n", "\n")))
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	if n := utf8.RuneCountInString(note.Reason); n == 0 || n > MaxReason || !utf8.ValidString(note.Reason) || strings.ContainsFunc(note.Reason, control) {
		return Note{}, fault.New(fault.Invalid, "coverage_note_reason", "limit", MaxReason)
	}
	note.At = store.Milliseconds(c.options.Now().UTC())
	note.Above = []string{"", note.Unit}
	for _, above := range c.options.Units.Tree().Ancestors(note.Unit) {
		note.Above = append(note.Above, above.ID)
	}
	err := c.notes.Insert(ctx, note)
	switch {
	case errors.Is(err, store.ErrExists):
		stands, _, err := c.notes.Get(ctx, note.ID)
		if err == nil && (stands.Unit != note.Unit || stands.Account != note.Account || stands.Reason != note.Reason || stands.Withdraws != note.Withdraws) {
			err = fault.New(fault.Invalid, "coverage_note_id")
		}
		return stands, told(err)
	case errors.Is(err, store.ErrTaken):
		return Note{}, fault.New(fault.Stale, "coverage_note_withdrawn")
	case err != nil:
		return Note{}, told(err)
	}
	return note, nil
}

// GetNote answers one. NotFound "coverage_note_unknown".
func (c *Coverage) GetNote(ctx context.Context, id string) (Note, error) {
	if uuid.Validate(id) != nil {
		return Note{}, fault.New(fault.NotFound, "coverage_note_unknown")
	}
	note, _, err := c.notes.Get(ctx, id)
	return note, told(err)
}

// WithdrawNote takes a note back by a note of its own. The same by the same person again is the one that stands; who comes second is told:
// Stale "coverage_note_withdrawn". NotFound "coverage_note_unknown"; Invalid "coverage_note_reason".
func (c *Coverage) WithdrawNote(ctx context.Context, id, reason, account, by string) (Note, error) {
	note, err := c.GetNote(ctx, id)
	if err != nil {
		return Note{}, err
	}
	if note.Withdraws != "" {
		return Note{}, fault.New(fault.NotFound, "coverage_note_unknown")
	}
	// One id for the same withdrawal by the same person: a retry finds it.
	own := uuid.NewSHA1(uuid.NameSpaceOID, []byte("withdraw/"+id+"/"+account+"/"+reason)).String()
	return c.addNote(ctx, Note{ID: own, Unit: note.Unit, Withdraws: id, Reason: reason, Account: account, By: by})
}

// Listed is a note with what became of it.
type Listed struct {
	Note
	Withdrawal *Note // nil = it stands
}

// Notes lists the notes of units that stood below one when they were noted, newest first, withdrawn ones with their withdrawal; "" =
// all. The cursor is that of the next page, "" at the end. Invalid "coverage_page_token".
func (c *Coverage) Notes(ctx context.Context, unit string, after store.Cursor, limit int) ([]Listed, store.Cursor, error) {
	page, next, err := c.notes.Page(ctx, store.Query{Index: noteWithin, Equal: []any{unit}, After: after, Desc: true}, limit)
	if errors.Is(err, store.ErrInvalid) {
		return nil, "", fault.New(fault.Invalid, "coverage_page_token").Because(err)
	}
	if err != nil {
		return nil, "", told(err)
	}
	var out []Listed
	for _, note := range page {
		if note.Withdraws != "" {
			continue // told beside what it takes back
		}
		listed := Listed{Note: note}
		doc, err := c.notes.First(ctx, store.Query{Index: noteTakenBack, Equal: []any{note.ID}})
		if err == nil {
			listed.Withdrawal = &doc.Value
		} else if !errors.Is(err, store.ErrNotFound) {
			return nil, "", told(err)
		}
		out = append(out, listed)
	}
	return out, next, nil
}

// told makes a store's error one for people.
func told(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.NotFound, "coverage_note_unknown")
	}
	return store.Told(err, "coverage_unavailable")
}
