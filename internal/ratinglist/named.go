package ratinglist

import (
	"cmp"
	"context"
	"errors"

	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Namer answers ratings' ids as a caller sees them in a list: see pb.ListedRating.
func (l *List) Namer(caller identity.Caller) func(recordID string) string {
	q := l.reader(caller)
	return func(recordID string) string { return l.name(q, recordID) }
}

// Opaque is Namer with names that tell no time, however many offices the caller sees: an id begins with the time at which it was made.
func (l *List) Opaque(caller identity.Caller) func(recordID string) string {
	q := l.reader(caller)
	q.opaque = cmp.Or(identity.Scope(caller), "*")
	return func(recordID string) string { return l.name(q, recordID) }
}

// Named lists ratings by their RecordIDs, in that order; those that are not there are left out. It does not say which of them were
// revised or doubted later, for that stands in their cells.
func (l *List) Named(ctx context.Context, caller identity.Caller, recordIDs []string, in language.Language) ([]*pb.ListedRating, error) {
	q := l.reader(caller)
	found := make([]*pb.ListedRating, 0, len(recordIDs))
	for _, id := range recordIDs {
		record, err := l.Ratings.Get(ctx, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && record.Kind != rating.KindRating {
			continue
		}
		if err != nil {
			return nil, told(err)
		}
		listed, err := l.listed(ctx, q, &row{place: place{Name: l.name(q, id)}, record: record, doubts: record.Flags}, in)
		if err != nil {
			return nil, told(err)
		}
		found = append(found, listed)
	}
	return found, nil
}

// reader is a query that asks for nothing: what the caller may see of a rating.
func (l *List) reader(caller identity.Caller) *query {
	q := &query{tree: l.Directory.Tree(), readsComment: caller.May(identity.ReadComments)}
	if scope := identity.Scope(caller); scope != "" && singleOffice(q.tree, scope) {
		q.opaque = scope
	}
	return q
}
