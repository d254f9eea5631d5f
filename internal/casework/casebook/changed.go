package casebook

import (
	"context"
	"iter"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/store"
)

// Holding is what a case holds and how it stands: what coverage needs of it. It is read in part, and never written.
type Holding struct {
	ID         string           `bson:"_id"`
	Receiving  string           `bson:"receiving"`
	About      string           `bson:"about_unit"`
	Assigned   string           `bson:"assigned"`
	Collective *casework.Scope  `bson:"collective"`
	State      casework.State   `bson:"state"`
	ChangedAt  time.Time        `bson:"changed_at"`
	Attached   []string         `bson:"ratings"`
	Finding    casework.Finding `bson:"finding"`
	Route      casework.Route   `bson:"route"`
	MergedInto string           `bson:"merged"`
}

// Case is the holding as a case, without what it was not read with.
func (h Holding) Case() casework.Case {
	return casework.Case{
		Opening: casework.Opening{ID: h.ID, Receiving: h.Receiving, Collective: h.Collective}, State: h.State, ChangedAt: h.ChangedAt, Assigned: h.Assigned,
		Attached: h.Attached, Finding: h.Finding, Route: h.Route, MergedInto: h.MergedInto,
	}
}

// Changed answers every case to which something happened at or after a time, the longest ago first: for whoever keeps in memory what
// it needs of cases. One that changes meanwhile may come twice or not at all; whoever asks again from a little before the last
// time it saw misses none.
func (b *Book) Changed(ctx context.Context, since time.Time) iter.Seq2[Holding, error] {
	return func(yield func(Holding, error) bool) {
		for doc, err := range b.holdings.Find(ctx, store.Query{Index: byChanged, From: since}) {
			if !yield(doc.Value, told("read changed cases", err)) || err != nil {
				return
			}
		}
	}
}
