// Package followup keeps what leaders note about units that need attention: that they know ("đã nắm"), and why nothing more, or
// what, is done. Notes are only added; no note is changed or taken away. Who may note what about which unit is the service's to
// check.
package followup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// Limits.
const (
	MaxReason = 2000 // letters of a reason
	MaxYears  = 20   // of the period a note is about
	readMost  = 500  // notes of a unit looked through for those of a period
)

// Note is what somebody noted about a unit's follow-up.
type Note struct {
	ID        string       `bson:"_id"` // made of what is noted and by whom, so that the same again is the same note
	UnitID    string       `bson:"unit"`
	From      localday.Day `bson:"from"` // the days looked at, both inclusive
	To        localday.Day `bson:"to"`
	Reason    string       `bson:"reason"`     // in NFC, as typed otherwise
	AccountID string       `bson:"account"`    // who noted it
	NotedBy   string       `bson:"account_as"` // the account's name at the time
	NotedAt   time.Time    `bson:"noted_at"`
}

const (
	byUnit = "unit"
	byTime = "time"
)

var noteKind = store.Define[Note]("follow_up_notes",
	store.Index{Name: byUnit, Fields: []string{"unit", "noted_at"}},
	store.Index{Name: byTime, Fields: []string{"noted_at"}},
).AppendOnly()

// Kinds lists the kinds of documents this package keeps.
func Kinds() []store.Kind { return []store.Kind{noteKind.Kind} }

// Options are what notes are opened with; the zero value is useful.
type Options struct {
	Limits bus.Limits       // how often an account may note; nil = no limit
	Now    func() time.Time // nil = time.Now
}

// Notes are the notes that are kept. Methods may be called by many goroutines.
type Notes struct {
	options Options
	notes   store.Docs[Note]
}

// Open opens the notes on an engine.
func Open(ctx context.Context, engine store.Engine, options Options) (*Notes, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	notes, err := noteKind.Open(ctx, engine)
	return &Notes{options: options, notes: notes}, err
}

// noting is how often one account may note: a hundred at once, two a minute in the long run.
func noting() bus.Limit { return bus.Limit{Rate: 2, Per: time.Minute, Burst: 100} }

// Add keeps a note; ID and NotedAt are made here. The same note by the same account again is the one that stands, so a form sent
// twice notes once. Faults: Invalid for a reason that is empty or too long ("followup_reason_invalid"), a day that is none
// ("followup_day_invalid"), a period that is reversed, too long or only begins after today; Exhausted "followup_too_often".
func (n *Notes) Add(ctx context.Context, note Note) (Note, error) {
	now := n.options.Now()
	note.Reason = norm.NFC.String(strings.TrimSpace(note.Reason))
	today, _ := localday.Of(now)
	if err := check(note, today); err != nil {
		return Note{}, err
	}
	if n.options.Limits != nil {
		if decision := n.options.Limits.Allow(ctx, "follow-up-note/"+note.AccountID, noting(), 1); !decision.Allowed {
			return Note{}, fault.New(fault.Exhausted, "followup_too_often", "seconds", 1+int(decision.RetryAfter/time.Second))
		}
	}
	note.ID, note.NotedAt = id(note), store.Milliseconds(now)
	err := n.notes.Insert(ctx, note)
	if errors.Is(err, store.ErrExists) {
		note, _, err = n.notes.Get(ctx, note.ID)
	}
	if err != nil {
		return Note{}, fmt.Errorf("keep a note: %w", err)
	}
	return note, nil
}

func check(note Note, today localday.Day) error {
	letters := utf8.RuneCountInString(note.Reason)
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }
	if letters == 0 || letters > MaxReason || !utf8.ValidString(note.Reason) || strings.ContainsFunc(note.Reason, control) {
		return fault.New(fault.Invalid, "followup_reason_invalid", "limit", MaxReason)
	}
	for _, day := range []localday.Day{note.From, note.To} {
		if _, err := localday.Parse(string(day)); err != nil {
			return fault.New(fault.Invalid, "followup_day_invalid", "day", clip(string(day))).Because(err)
		}
	}
	switch {
	case note.From > note.To:
		return fault.New(fault.Invalid, "followup_period_reversed", "from", note.From, "to", note.To)
	case note.From.Add(MaxYears*366) <= note.To:
		return fault.New(fault.Invalid, "followup_period_too_long", "years", MaxYears)
	case note.From > today:
		return fault.New(fault.Invalid, "followup_period_future", "from", note.From)
	}
	return nil
}

func clip(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40])
	}
	return text
}

// id is the same for the same note.
func id(note Note) string {
	sum := sha256.New()
	for _, part := range []string{note.UnitID, string(note.From), string(note.To), note.AccountID, note.Reason} {
		_, _ = fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// Of answers the newest notes about a unit of which a day is one of the period's, newest first, at most limit.
func (n *Notes) Of(ctx context.Context, unitID string, from, to localday.Day, limit int) ([]Note, error) {
	var found []Note
	for doc, err := range n.notes.Find(ctx, store.Query{Index: byUnit, Equal: []any{unitID}, Desc: true, Limit: readMost}) {
		if err != nil {
			return nil, fmt.Errorf("read notes: %w", err)
		}
		if note := doc.Value; note.From <= to && from <= note.To {
			if found = append(found, note); len(found) == limit {
				break
			}
		}
	}
	return found, nil
}
