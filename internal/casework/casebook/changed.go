package casebook

import (
	"context"
	"iter"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
)

// Changed answers every case to which something happened at or after a time, the longest ago first: for whoever keeps in memory what
// it needs of cases. One that changes meanwhile may come twice or not at all; whoever asks again from a little before the last
// time it saw misses none.
func (b *Book) Changed(ctx context.Context, since time.Time) iter.Seq2[Kept, error] {
	return func(yield func(Kept, error) bool) {
		for doc, err := range b.cases.Find(ctx, store.Query{Index: byChanged, From: since}) {
			if !yield(doc.Value.kept(), told("read changed cases", err)) || err != nil {
				return
			}
		}
	}
}
