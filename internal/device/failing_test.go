package device

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/hailong-vn/hailong/internal/store"
)

// failing is an engine whose writes of when devices were heard of can be made to fail.
type failing struct {
	store.Engine
	documents *failingDocuments
}

type failingDocuments struct {
	store.Documents
	fail atomic.Bool
}

func (f failing) Documents(ctx context.Context, kind store.Kind) (store.Documents, error) {
	documents, err := f.Engine.Documents(ctx, kind)
	if kind.Name != healthType.Kind.Name {
		return documents, err
	}
	f.documents.Documents = documents
	return f.documents, err
}

func (d *failingDocuments) away() error {
	if d.fail.Load() {
		return fmt.Errorf("disk full: %w", store.ErrUnavailable)
	}
	return nil
}

func (d *failingDocuments) Get(ctx context.Context, id string) (store.Item, error) {
	if err := d.away(); err != nil {
		return store.Item{}, err
	}
	return d.Documents.Get(ctx, id)
}
