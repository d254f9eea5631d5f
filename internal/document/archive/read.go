package archive

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Get answers a paper. NotFound "document_unknown".
func (a *Archive) Get(ctx context.Context, id string) (Document, error) {
	if uuid.Validate(id) != nil {
		return Document{}, unknown()
	}
	d, _, err := a.documents.Get(ctx, id)
	if err != nil {
		return Document{}, told(err)
	}
	cancelled, _, err := a.cancellations.Get(ctx, id)
	switch {
	case err == nil:
		d.Cancelled = &cancelled
	case !errors.Is(err, store.ErrNotFound):
		return Document{}, told(err)
	}
	return d, nil
}

// OfCase lists the papers about a case, the first issued first. Invalid "document_page_token".
func (a *Archive) OfCase(ctx context.Context, id string, after store.Cursor, limit int) ([]Document, store.Cursor, error) {
	return a.page(ctx, store.Query{Index: byCase, Equal: []any{id}, After: after}, limit, store.Query{Index: byCase, Equal: []any{id}})
}

// OfUnit lists the papers a unit issued in a year, by series and number. Invalid "document_page_token".
func (a *Archive) OfUnit(ctx context.Context, unit string, year int, after store.Cursor, limit int) ([]Document, store.Cursor, error) {
	return a.page(ctx, store.Query{Index: byNumber, Equal: []any{unit, year}, After: after}, limit, store.Query{Index: byYear, Equal: []any{unit, year}})
}

// OfAction lists the papers about a corrective action, the first issued first. Invalid "document_page_token".
func (a *Archive) OfAction(ctx context.Context, id string, after store.Cursor, limit int) ([]Document, store.Cursor, error) {
	list, next, err := a.documents.Page(ctx, store.Query{Index: byAction, Equal: []any{id}, After: after}, limit)
	if err != nil {
		return nil, "", listed(err)
	}
	for i, d := range list { // few
		if list[i], err = a.Get(ctx, d.ID); err != nil {
			return nil, "", err
		}
	}
	return list, next, nil
}

// page lists documents with the few cancellations there are among them.
func (a *Archive) page(ctx context.Context, query store.Query, limit int, cancelled store.Query) ([]Document, store.Cursor, error) {
	list, next, err := a.documents.Page(ctx, query, limit)
	if err != nil {
		return nil, "", listed(err)
	}
	if len(list) == 0 {
		return list, next, nil
	}
	void := map[string]*Cancellation{}
	for found, err := range a.cancellations.Find(ctx, cancelled) {
		if err != nil {
			return nil, "", told(err)
		}
		void[found.Value.Document] = &found.Value
	}
	for i := range list {
		list[i].Cancelled = void[list[i].ID]
	}
	return list, next, nil
}

func listed(err error) error {
	if errors.Is(err, store.ErrInvalid) {
		return fault.New(fault.Invalid, "document_page_token").Because(err)
	}
	return told(err)
}

// Last answers the paper a unit issued last; false where it never did.
func (a *Archive) Last(ctx context.Context, unit string) (Document, bool, error) {
	found, err := a.documents.First(ctx, store.Query{Index: byTime, Equal: []any{unit}, Desc: true})
	if errors.Is(err, store.ErrNotFound) {
		return Document{}, false, nil
	}
	return found.Value, err == nil, told(err)
}
