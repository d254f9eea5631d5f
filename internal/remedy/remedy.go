// Package remedy keeps what offices did about what citizens said, in words for citizens ("Bà con góp ý – chúng tôi đã sửa"):
// what makes the next person believe that saying something is of use. A remedy is never changed; it can be withdrawn, and
// then stays in the list with the reason.
package remedy

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/recent"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Remedy is something an office did.
type Remedy struct {
	ID          string       `bson:"_id"`
	Unit        string       `bson:"unit"`  // that did it
	Above       []string     `bson:"above"` // "" for everything, the units above it when it was published, and itself
	Text        string       `bson:"text"`
	DoneOn      localday.Day `bson:"done_on"`
	PublishedBy string       `bson:"published_by"` // the account's name; not told to citizens
	PublishedAt time.Time    `bson:"published_at"`
	Stands      bool         `bson:"stands"`
	WithdrawnAt time.Time    `bson:"withdrawn_at,omitempty"`
	WithdrawnBy string       `bson:"withdrawn_by,omitempty"`
	Withdrawal  string       `bson:"withdrawal,omitempty"` // why
}

// Proto is the remedy as those see it who publish remedies.
func (r Remedy) Proto() *pb.Remedy {
	out := r.ForCitizens()
	out.PublishedBy, out.WithdrawalReason = r.PublishedBy, r.Withdrawal
	if !r.WithdrawnAt.IsZero() {
		out.WithdrawnAt = timestamp(r.WithdrawnAt)
	}
	return out
}

// ForCitizens is the remedy without who published it.
func (r Remedy) ForCitizens() *pb.Remedy {
	return &pb.Remedy{Id: r.ID, UnitId: r.Unit, Text: r.Text, DoneOn: string(r.DoneOn), PublishedAt: timestamp(r.PublishedAt)}
}

const (
	within   = "within"
	standing = "standing"
)

var remedies = store.Define[Remedy]("remedies",
	store.Index{Name: within, Fields: []string{"above", "published_at"}, Multi: true},
	store.Index{Name: standing, Fields: []string{"unit", "stands", "published_at"}},
)

// Kinds lists what is kept in the store.
func Kinds() []store.Kind { return []store.Kind{remedies.Kind} }

// Limits of a remedy.
const (
	MaxText = 500 // characters of the text, and of the reason of a withdrawal
	MaxAge  = 400 // days back that something may have been done
	Shown   = 3   // remedies a citizen is shown
)

// remembered is for how long another process's change may go unseen on the thank-you page.
const remembered = 15 * time.Second

// patience is how long a citizen's page waits for what only encourages.
const patience = 500 * time.Millisecond

// Options are what remedies are opened with; the zero value is useful.
type Options struct {
	Now func() time.Time // nil = time.Now
}

// Remedies publishes and lists. Its methods may be called by many goroutines. Who may do so is for the caller to check.
type Remedies struct {
	now    func() time.Time
	docs   store.Docs[Remedy]
	latest *recent.Values[string, []Remedy] // by unit
}

// Open opens the remedies of a store.
func Open(ctx context.Context, engine store.Engine, options Options) (*Remedies, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	docs, err := remedies.Open(ctx, engine)
	if err != nil {
		return nil, err
	}
	return &Remedies{now: options.Now, docs: docs, latest: recent.New[string, []Remedy](remembered, 10_000, options.Now)}, nil
}

// Draft is a remedy to be published.
type Draft struct {
	Unit      string
	Ancestors []string // the units above, in any order
	Text      string
	DoneOn    string // yyyy-mm-dd; "" = today
	By        string // the account's name
}

// Publish keeps a remedy. Invalid: "remedy_text_missing", "remedy_text_long", "remedy_text_unreadable", "remedy_day_invalid", "remedy_day_ahead",
// "remedy_day_old".
func (s *Remedies) Publish(ctx context.Context, draft Draft) (Remedy, error) {
	text, err := words(draft.Text, "remedy_text")
	if err != nil {
		return Remedy{}, err
	}
	now := store.Milliseconds(s.now())
	done, err := day(draft.DoneOn, now)
	if err != nil {
		return Remedy{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Remedy{}, fault.New(fault.Internal, "internal").Because(err)
	}
	r := Remedy{
		ID: id.String(), Unit: draft.Unit, Above: append([]string{"", draft.Unit}, draft.Ancestors...),
		Text: text, DoneOn: done, PublishedBy: draft.By, PublishedAt: now, Stands: true,
	}
	if err := s.docs.Insert(ctx, r); err != nil {
		return Remedy{}, told(err)
	}
	s.latest.Forget(r.Unit)
	return r, nil
}

func day(text string, now time.Time) (localday.Day, error) {
	today, _ := localday.Of(now)
	done, err := localday.Parse(cmp.Or(text, string(today)))
	switch {
	case err != nil:
		return "", fault.New(fault.Invalid, "remedy_day_invalid")
	case done > today:
		return "", fault.New(fault.Invalid, "remedy_day_ahead")
	case done < today.Add(-MaxAge):
		return "", fault.New(fault.Invalid, "remedy_day_old", "days", MaxAge)
	}
	return done, nil
}

// words is a text for people: NFC, not empty, not endless, printable.
func words(text, topic string) (string, error) {
	text = strings.TrimSpace(norm.NFC.String(strings.ReplaceAll(text, "\r\n", "\n")))
	switch {
	case text == "":
		return "", fault.New(fault.Invalid, topic+"_missing")
	case utf8.RuneCountInString(text) > MaxText:
		return "", fault.New(fault.Invalid, topic+"_long", "limit", MaxText, "length", utf8.RuneCountInString(text))
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unicode.Is(unicode.C, r) }):
		return "", fault.New(fault.Invalid, topic+"_unreadable")
	}
	return text, nil
}

// Get answers one. NotFound "remedy_unknown".
func (s *Remedies) Get(ctx context.Context, id string) (Remedy, error) {
	if uuid.Validate(id) != nil {
		return Remedy{}, unknown()
	}
	r, _, err := s.docs.Get(ctx, id)
	return r, told(err)
}

// List lists what units of a subtree published, newest first, withdrawn ones too: those that stood below unit when they
// published; "" = all. The cursor is that of the next page, "" at the end. Invalid "remedy_page_token".
func (s *Remedies) List(ctx context.Context, unit string, after store.Cursor, limit int) ([]Remedy, store.Cursor, error) {
	list, next, err := s.docs.Page(ctx, store.Query{Index: within, Equal: []any{unit}, After: after, Desc: true}, limit)
	if errors.Is(err, store.ErrInvalid) {
		return nil, "", fault.New(fault.Invalid, "remedy_page_token").Because(err)
	}
	return list, next, told(err)
}

// Latest answers the last remedies that stand of any of the units, newest first; at most Shown. It may be some seconds old.
func (s *Remedies) Latest(ctx context.Context, units ...string) ([]Remedy, error) {
	var all []Remedy
	for _, unit := range units {
		of, err := s.latest.Get(ctx, unit, func(ctx context.Context) ([]Remedy, error) {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			list, _, err := s.docs.Page(ctx, store.Query{Index: standing, Equal: []any{unit, true}, Desc: true}, Shown)
			return list, err
		})
		if err != nil {
			return nil, told(err)
		}
		all = append(all, of...)
	}
	slices.SortFunc(all, func(a, b Remedy) int { return cmp.Or(b.PublishedAt.Compare(a.PublishedAt), cmp.Compare(b.ID, a.ID)) })
	return all[:min(len(all), Shown)], nil
}

// Withdraw takes one back. Of two people at once one wins, the other is told (Stale "remedy_withdrawn"); the same reason by the same
// person again changes nothing. NotFound "remedy_unknown"; Invalid "remedy_reason_missing", "_long", "_unreadable".
func (s *Remedies) Withdraw(ctx context.Context, id, reason, by string) (Remedy, error) {
	reason, err := words(reason, "remedy_reason")
	if err != nil {
		return Remedy{}, err
	}
	if uuid.Validate(id) != nil {
		return Remedy{}, unknown()
	}
	r, err := s.docs.Update(ctx, id, func(r *Remedy) (bool, error) {
		if !r.Stands {
			if r.Withdrawal == reason && r.WithdrawnBy == by {
				return false, nil
			}
			return false, fault.New(fault.Stale, "remedy_withdrawn", "name", r.WithdrawnBy)
		}
		r.Stands, r.Withdrawal, r.WithdrawnBy, r.WithdrawnAt = false, reason, by, store.Milliseconds(s.now())
		return true, nil
	})
	s.latest.Forget(r.Unit)
	return r, told(err)
}
