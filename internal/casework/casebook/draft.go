package casebook

import (
	"context"
	"errors"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// maxDraft is how large a draft may be, in bytes as it is stored.
const maxDraft = 256 << 10

// Draft is an explanation as somebody is writing it, kept as typed and checked by nobody.
type Draft struct {
	casework.Explanation
	SavedAt time.Time
	Version store.Version
}

type draftDoc struct {
	ID          string               `bson:"_id"` // case/author
	Case        string               `bson:"case"`
	Author      string               `bson:"author"` // account
	Explanation casework.Explanation `bson:"explanation"`
	SavedAt     time.Time            `bson:"saved_at"`
}

// DraftChangedError is a fault.Stale "casebook_draft_changed": the same person saved the draft elsewhere, such as in another tab.
// Nothing was written.
type DraftChangedError struct {
	fault *fault.Error
	Now   Draft
}

// Error is for the log.
func (e *DraftChangedError) Error() string { return e.fault.Error() }

// Unwrap answers the fault.
func (e *DraftChangedError) Unwrap() error { return e.fault }

func draftChanged(now Draft) error {
	return &DraftChangedError{fault: fault.New(fault.Stale, "casebook_draft_changed", "at", now.SavedAt), Now: now}
}

// Draft reads what an account is writing about a case; false where there is nothing.
func (b *Book) Draft(ctx context.Context, id, account string) (Draft, bool, error) {
	doc, version, err := b.drafts.Get(ctx, draftID(id, account))
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return Draft{}, false, nil
	}
	if err != nil {
		return Draft{}, false, told("read a draft", err)
	}
	return Draft{doc.Explanation, doc.SavedAt, version}, true, nil
}

// SaveDraft keeps what an account is writing about a case. seen is the version it goes on from, 0 where there was none. A
// *DraftChangedError where another one stands; NotFound "casebook_unknown"; Exhausted "casebook_draft_large".
func (b *Book) SaveDraft(ctx context.Context, id, account string, seen store.Version, x casework.Explanation) (store.Version, error) {
	doc := draftDoc{ID: draftID(id, account), Case: id, Author: account, Explanation: x, SavedAt: store.Milliseconds(b.now())}
	if body, err := bson.Marshal(doc); err != nil || len(body) > maxDraft {
		return 0, fault.New(fault.Exhausted, "casebook_draft_large", "limit", maxDraft>>10)
	}
	if seen == 0 {
		if _, _, err := b.get(ctx, id); err != nil {
			return 0, err
		}
		err := b.drafts.Insert(ctx, doc)
		if err != nil && !errors.Is(err, store.ErrExists) {
			return 0, told("save a draft", err)
		}
		now, there, readErr := b.Draft(ctx, id, account)
		if readErr != nil || err == nil && there {
			return now.Version, readErr
		}
		return 0, draftChanged(now)
	}
	version, err := b.drafts.Replace(ctx, doc.ID, doc, seen)
	var stale *store.StaleError[draftDoc]
	switch {
	case errors.As(err, &stale):
		return 0, draftChanged(Draft{stale.Current.Value.Explanation, stale.Current.Value.SavedAt, stale.Current.Version})
	case errors.Is(err, store.ErrNotFound): // it was handed in, or given up, meanwhile
		return 0, draftChanged(Draft{})
	}
	return version, told("save a draft", err)
}

// DropDraft gives a draft up. Nothing where there is none.
func (b *Book) DropDraft(ctx context.Context, id, account string) error {
	for {
		_, version, err := b.drafts.Get(ctx, draftID(id, account))
		if err == nil {
			err = b.drafts.Delete(ctx, draftID(id, account), version)
		}
		switch {
		case errors.Is(err, store.ErrStale):
			continue
		case errors.Is(err, store.ErrNotFound):
			return nil
		}
		return told("drop a draft", err)
	}
}

func draftID(id, account string) string { return id + "/" + account }
