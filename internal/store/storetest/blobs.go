package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/hailong-vn/hailong/internal/store"
)

func (s suite) blobs() []subtest {
	read := func(t *testing.T, blobs store.Blobs, name string) []byte {
		t.Helper()
		blob, err := blobs.Open(t.Context(), name)
		must(t, err)
		content, err := io.ReadAll(blob)
		must(t, err)
		must(t, blob.Close())
		return content
	}
	return []subtest{
		{"put, open, remove", func(t *testing.T) {
			blobs := s.fresh(t).Blobs()
			for _, name := range []string{"a", "a/b", "a/b/c.xlsx", "exports/2026/THANG-11_v2.pdf", strings.Repeat("x", 200)} {
				content := []byte("nội dung của " + name)
				size, err := blobs.Put(t.Context(), name, bytes.NewReader(content))
				must(t, err)
				if size != int64(len(content)) || !bytes.Equal(read(t, blobs, name), content) {
					t.Errorf("%s came back otherwise", name)
				}
			}
			must(t, blobs.Remove(t.Context(), "a/b"))
			_, err := blobs.Open(t.Context(), "a/b")
			want(t, err, store.ErrNotFound)
			want(t, blobs.Remove(t.Context(), "a/b"), store.ErrNotFound)
			read(t, blobs, "a/b/c.xlsx")
			_, err = blobs.Put(t.Context(), "a/b", strings.NewReader("again"))
			must(t, err)
		}},
		{"a name that is taken", func(t *testing.T) {
			blobs := s.fresh(t).Blobs()
			_, err := blobs.Put(t.Context(), "a", strings.NewReader("first"))
			must(t, err)
			_, err = blobs.Put(t.Context(), "a", strings.NewReader("second"))
			want(t, err, store.ErrExists)
			if got := read(t, blobs, "a"); string(got) != "first" {
				t.Errorf("%s", got)
			}
		}},
		{"the same name put by many", func(t *testing.T) {
			blobs := s.fresh(t).Blobs()
			var won atomic.Int32
			must(t, together(16, func(i int) error {
				_, err := blobs.Put(context.Background(), "a", strings.NewReader(strings.Repeat(name("%02d", i), 50_000)))
				if err == nil {
					won.Add(1)
				}
				return except(err, store.ErrExists)
			}))
			got := read(t, blobs, "a")
			if won.Load() != 1 || len(got) != 100_000 || string(got) != strings.Repeat(string(got[:2]), 50_000) {
				t.Errorf("%d won, %d bytes", won.Load(), len(got))
			}
		}},
		{"empty and large", func(t *testing.T) {
			blobs := s.fresh(t).Blobs()
			for _, size := range []int{0, 1, 255 << 10, 255<<10 + 1, 5 << 20} {
				content := bytes.Repeat([]byte{7, 0, 255}, size/3+1)[:size]
				_, err := blobs.Put(t.Context(), name("%d", size), bytes.NewReader(content))
				must(t, err)
				if !bytes.Equal(read(t, blobs, name("%d", size)), content) {
					t.Errorf("%d bytes came back otherwise", size)
				}
			}
		}},
		{"a source that fails leaves nothing", func(t *testing.T) {
			blobs := s.fresh(t).Blobs()
			broken := errors.New("the line broke")
			_, err := blobs.Put(t.Context(), "a", io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), iotest.ErrReader(broken)))
			want(t, err, broken)
			if errors.Is(err, store.ErrUnavailable) {
				t.Errorf("not the engine's failure: %v", err)
			}
			_, err = blobs.Open(t.Context(), "a")
			want(t, err, store.ErrNotFound)
			_, err = blobs.Put(t.Context(), "a", strings.NewReader("whole"))
			must(t, err)
		}},
		{"a cancelled context puts nothing", func(t *testing.T) {
			blobs := s.fresh(t).Blobs()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := blobs.Put(ctx, "a", strings.NewReader("x"))
			want(t, err, context.Canceled)
			_, err = blobs.Open(t.Context(), "a")
			want(t, err, store.ErrNotFound)
		}},
		{"names that are refused", func(t *testing.T) {
			blobs := s.fresh(t).Blobs()
			for _, name := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../../b", ".hidden", "a\x00", "a b", "a\\b", "%", "đ", strings.Repeat("x", 201)} {
				_, err := blobs.Put(t.Context(), name, strings.NewReader("x"))
				want(t, err, store.ErrInvalid)
				_, err = blobs.Open(t.Context(), name)
				want(t, err, store.ErrInvalid)
				want(t, blobs.Remove(t.Context(), name), store.ErrInvalid)
			}
		}},
	}
}
