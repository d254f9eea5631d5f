// Package hotline keeps the calls of a hotline. Every call is one line, with or without a case; the log is complete: no line is removed,
// and one that is finished is corrected only by adding to it. A call is written down while it goes on, a second at a time, so that
// nothing that was typed hangs on a browser or a session: what was left open is shown to its operator again.
//
// A caller is known again by number without the number being readable in the store: it is encrypted, and found by a keyed hash of it
// and of its last four digits. The package does not ask who calls it: an entrance of the server checks rights and scope.
package hotline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
)

// Directory is what a hotline asks of the directory.
type Directory interface{ Tree() *unit.Tree }

// Options of a hotline. Directory, Keys and Feed are required.
type Options struct {
	Directory Directory
	Keys      secret.Keys
	Feed      bus.Feed         // tells open pages that a telephone rings
	Logger    *slog.Logger     // nil = nothing is logged
	Now       func() time.Time // nil = time.Now
}

// Hotline keeps calls. Its methods may be called by many goroutines and processes.
type Hotline struct {
	options   Options
	calls     store.Docs[Call]
	snippets  store.Docs[Snippet]
	hooks     store.Docs[Hook]
	rings     store.Docs[ringDoc]
	seats     store.Docs[seatDoc]
	callBacks store.Docs[RatingCallBack]
	blind     secret.Signer // makes the indexes of numbers
	imported  secret.Signer // makes ids of imported calls, which must not tell the number
	log       *slog.Logger
	now       func() time.Time
}

var (
	callType = store.Define[Call]("calls",
		store.Index{Name: "above", Fields: []string{"above", "started_at"}, Multi: true},
		store.Index{Name: "kind", Fields: []string{"above", "kind", "started_at"}, Multi: true},
		store.Index{Name: "operator", Fields: []string{"operator", "started_at"}},
		store.Index{Name: "open", Fields: []string{"operator", "open", "started_at"}},
		store.Index{Name: "number", Fields: []string{"number_index", "started_at"}},
		store.Index{Name: "last_four", Fields: []string{"last_four_index", "started_at"}},
		store.Index{Name: "call_back", Fields: []string{"waits_above", "call_back_on"}, Multi: true},
		store.Index{Name: "praise", Fields: []string{"praise_for", "started_at"}, Multi: true},
		store.Index{Name: "case", Fields: []string{"case", "started_at"}})
	snippetType = store.Define[Snippet]("call_snippets", store.Index{Name: "unit", Fields: []string{"unit", "key"}, Unique: true})
	hookType    = store.Define[Hook]("call_hooks",
		store.Index{Name: "hash", Fields: []string{"hash"}, Unique: true},
		store.Index{Name: "made", Fields: []string{"made_at"}})
	ringType = store.Define[ringDoc]("call_rings",
		store.Index{Name: "to", Fields: []string{"to", "at"}, Multi: true},
		store.Index{Name: "over", Fields: []string{"over_at"}, Expire: true})
	seatType     = store.Define[seatDoc]("call_seats", store.Index{Name: "line", Fields: []string{"line"}})
	callBackType = store.Define[RatingCallBack]("call_backs")
)

// Kinds lists the kinds of documents kept here.
func Kinds() []store.Kind {
	return []store.Kind{callType.Kind, snippetType.Kind, hookType.Kind, ringType.Kind, seatType.Kind, callBackType.Kind}
}

// Open opens the hotline of a store.
func Open(ctx context.Context, engine store.Engine, options Options) (*Hotline, error) {
	h := &Hotline{options: options, log: options.Logger, now: options.Now}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.now == nil {
		h.now = time.Now
	}
	var err error
	if h.blind, err = options.Keys.Signer("caller-phone"); err != nil {
		return nil, err
	}
	if h.imported, err = options.Keys.Signer("imported-call"); err != nil {
		return nil, err
	}
	if h.calls, err = callType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if h.snippets, err = snippetType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if h.hooks, err = hookType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if h.rings, err = ringType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if h.seats, err = seatType.Open(ctx, engine); err != nil {
		return nil, err
	}
	h.callBacks, err = callBackType.Open(ctx, engine)
	return h, err
}

// Operator is who takes calls.
type Operator struct {
	Account string
	Name    string // what colleagues call the person
}

// above lists a unit and what is above it today, and "" for everything: the lists that something of the unit stands in.
func (h *Hotline) above(unitID string) []string {
	list := []string{""}
	if unitID != "" {
		list = append(list, unitID)
	}
	for _, u := range h.options.Directory.Tree().Ancestors(unitID) {
		if !slices.Contains(list, u.ID) {
			list = append(list, u.ID)
		}
	}
	return list
}

// told makes a fault of what the store answers; unknown is the reason where there is no such document.
func told(doing, unknown string, err error) error {
	var known *fault.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrInvalid): // an id or a page token that cannot be
		return fault.New(fault.NotFound, unknown).Because(fmt.Errorf("%s: %w", doing, err))
	}
	return store.Told(fmt.Errorf("%s: %w", doing, err), "hotline_unavailable")
}
