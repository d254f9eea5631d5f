package sqlite

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// benchBody is a document of about 5 kB with forty entries in ten indexes. The first few fields are new each time.
func benchBody(b *testing.B, id string, moving int) []byte {
	doc := bson.D{{Key: "_id", Value: id}, {Key: "text", Value: make([]byte, 4000)}}
	for i := range 10 {
		n := i
		if i < moving {
			n = rand.IntN(1 << 20)
		}
		value := any(fmt.Sprintf("%s-%06d", id[len(id)-4:], n))
		if i%2 == 1 {
			list := make(bson.A, 7)
			for j := range list {
				list[j] = fmt.Sprintf("u%02d-%s-%06d", j, id[len(id)-4:], n)
			}
			value = list
		}
		doc = append(doc, bson.E{Key: fmt.Sprint("f", i), Value: value})
	}
	body, err := bson.Marshal(doc)
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// BenchmarkDocuments measures writes of documents with ten indexes, five of them multi, by many callers: inserts, and replaces in
// which no index, two or all ten move.
func BenchmarkDocuments(b *testing.B) {
	const callers = 32
	kind := store.Kind{Name: "many"}
	for i := range 10 {
		kind.Indexes = append(kind.Indexes, store.Index{Name: fmt.Sprint("by_", string(rune('a'+i))), Fields: []string{fmt.Sprint("f", i)}, Multi: i%2 == 1})
	}
	writes := func(b *testing.B, each func(d store.Documents, n int) error) {
		e, err := Open(b.Context(), b.TempDir(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = e.Close() }()
		d, err := e.Documents(b.Context(), kind)
		if err != nil {
			b.Fatal(err)
		}
		var next atomic.Int64
		var group sync.WaitGroup
		b.ResetTimer()
		for range callers {
			group.Go(func() {
				for n := int(next.Add(1)); n <= b.N; n = int(next.Add(1)) {
					if err := each(d, n); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
	}
	insert := func(b *testing.B, d store.Documents) (string, error) {
		id := uuid.NewString()
		errs, err := d.Insert(b.Context(), benchBody(b, id, 0))
		if err == nil {
			err = errs[0]
		}
		return id, err
	}
	b.Run("insert", func(b *testing.B) {
		writes(b, func(d store.Documents, _ int) error { _, err := insert(b, d); return err })
	})
	for _, moving := range []int{0, 2, 10} {
		b.Run(fmt.Sprint("replace/", moving), func(b *testing.B) {
			var lock sync.Mutex
			var idle []store.Item
			writes(b, func(d store.Documents, n int) (err error) {
				var item store.Item
				lock.Lock()
				if len(idle) >= 200 {
					at := rand.IntN(len(idle))
					item, idle[at] = idle[at], idle[len(idle)-1]
					idle = idle[:len(idle)-1]
				}
				lock.Unlock()
				if item.ID == "" {
					item.ID, err = insert(b, d)
					item.Version = 1
				} else {
					item.Version, err = d.Replace(b.Context(), benchBody(b, item.ID, moving), item.Version)
				}
				lock.Lock()
				idle = append(idle, item)
				lock.Unlock()
				return err
			})
		})
	}
}
