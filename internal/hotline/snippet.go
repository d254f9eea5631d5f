package hotline

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/searchtext"
	"github.com/hailong-vn/hailong/internal/store"
)

// Snippet is a text that operators write often, under a short key.
type Snippet struct {
	ID        string    `bson:"_id"`  // unit/key
	Unit      string    `bson:"unit"` // whose it is; those below it have it too
	Key       string    `bson:"key"`  // lower-case letters and digits without diacritics
	Text      string    `bson:"text"`
	By        string    `bson:"by"` // account that changed it last
	ChangedAt time.Time `bson:"changed_at"`
}

// Limits of snippets.
const (
	maxSnippetKey = 16  // characters
	maxSnippets   = 200 // of one unit
	MaxSnippet    = 1000
)

// Snippets answers those of a unit and of the units above it, by key; of two with one key the nearer holds.
func (h *Hotline) Snippets(ctx context.Context, unitID string) ([]Snippet, error) {
	byKey := map[string]Snippet{}
	units := []string{unitID}
	for _, u := range h.options.Directory.Tree().Ancestors(unitID) {
		units = append(units, u.ID)
	}
	for _, of := range units {
		for doc, err := range h.snippets.Find(ctx, store.Query{Index: "unit", Equal: []any{of}}) {
			if err != nil {
				return nil, told("list snippets", "hotline_snippet_unknown", err)
			}
			if _, nearer := byKey[doc.Value.Key]; !nearer {
				byKey[doc.Value.Key] = doc.Value
			}
		}
	}
	list := make([]Snippet, 0, len(byKey))
	for _, s := range byKey {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Snippet) int { return cmp.Compare(a.Key, b.Key) })
	return list, nil
}

// SetSnippet writes a unit's snippet; there it is replaced. Invalid "hotline_snippet_key", "hotline_snippet_text"; Exhausted
// "hotline_snippets_many".
func (h *Hotline) SetSnippet(ctx context.Context, by Operator, unitID, key, text string) (Snippet, error) {
	key = searchtext.Fold(key)
	if text = norm.NFC.String(strings.TrimSpace(text)); text == "" || utf8.RuneCountInString(text) > MaxSnippet {
		return Snippet{}, fault.New(fault.Invalid, "hotline_snippet_text", "limit", MaxSnippet)
	}
	if key == "" || len(key) > maxSnippetKey || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return Snippet{}, fault.New(fault.Invalid, "hotline_snippet_key", "limit", maxSnippetKey)
	}
	s := Snippet{ID: unitID + "/" + key, Unit: unitID, Key: key, Text: text, By: by.Account, ChangedAt: store.Milliseconds(h.now())}
	for {
		_, version, err := h.snippets.Get(ctx, s.ID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			if err = h.room(ctx, unitID); err == nil {
				err = h.snippets.Insert(ctx, s)
			}
		case err == nil:
			_, err = h.snippets.Replace(ctx, s.ID, s, version)
		}
		if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrTaken) || errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrNotFound) {
			continue // somebody else at the same moment; the last one holds
		}
		return s, told("write snippet", "hotline_snippet_unknown", err)
	}
}

// room tells whether a unit may have one more. Two at the same moment may make one too many, which does no harm.
func (h *Hotline) room(ctx context.Context, unitID string) error {
	n := 0
	for _, err := range h.snippets.Find(ctx, store.Query{Index: "unit", Equal: []any{unitID}, Limit: maxSnippets}) {
		if err != nil {
			return err
		}
		n++
	}
	if n >= maxSnippets {
		return fault.New(fault.Exhausted, "hotline_snippets_many", "limit", maxSnippets)
	}
	return nil
}

// RemoveSnippet takes a unit's snippet away. NotFound "hotline_snippet_unknown".
func (h *Hotline) RemoveSnippet(ctx context.Context, unitID, key string) error {
	id := unitID + "/" + searchtext.Fold(key)
	for {
		_, version, err := h.snippets.Get(ctx, id)
		if err == nil {
			err = h.snippets.Delete(ctx, id, version)
		}
		if errors.Is(err, store.ErrStale) {
			continue
		}
		return told("remove snippet", "hotline_snippet_unknown", err)
	}
}
