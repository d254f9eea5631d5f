package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
)

// blobs keeps each blob as a file of its own in one folder. A slash in a name is written % in the file's name, so no
// name leads out of the folder and none stands in another's way.
type blobs struct{ folder string }

// A file that is still being written begins with this; no blob's file does, for no name begins with a slash.
const partial = "%partial-"

// partialAge is when an unfinished file must be left over from a crash.
const partialAge = 24 * time.Hour

func openBlobs(folder string) (*blobs, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	leftovers, err := filepath.Glob(filepath.Join(folder, partial+"*"))
	if err != nil {
		return nil, err
	}
	for _, path := range leftovers {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > partialAge {
			_ = os.Remove(path) // tried again at the next start
		}
	}
	return &blobs{folder}, nil
}

func (b *blobs) path(name string) (string, error) {
	if err := store.CheckBlobName(name); err != nil {
		return "", err
	}
	return filepath.Join(b.folder, strings.ReplaceAll(name, "/", "%")), nil
}

// Put stores all of r; either all of it is there under the name, or nothing.
func (b *blobs) Put(ctx context.Context, name string, r io.Reader) (size int64, err error) {
	path, err := b.path(name)
	if err != nil {
		return 0, err
	}
	if _, err := os.Lstat(path); err == nil {
		return 0, store.ErrExists
	}
	file, err := os.CreateTemp(b.folder, partial+"*")
	if err != nil {
		return 0, unavailable(err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	source := &source{ctx: ctx, r: r}
	size, err = io.Copy(file, source)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	switch {
	case source.failed != nil:
		return 0, fmt.Errorf("read blob %s: %w", name, source.failed)
	case err != nil:
		return 0, unavailable(err)
	}
	// A link, unlike a rename, does not take the place of a file that came meanwhile.
	if err := os.Link(file.Name(), path); errors.Is(err, fs.ErrExist) {
		return 0, store.ErrExists
	} else if err != nil {
		return 0, unavailable(err)
	}
	if err := b.sync(); err != nil {
		return 0, unavailable(err)
	}
	return size, nil
}

// Open reads a blob.
func (b *blobs) Open(_ context.Context, name string) (io.ReadCloser, error) {
	path, err := b.path(name)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return file, nil
}

// Remove takes a blob away. Who is reading it reads on.
func (b *blobs) Remove(_ context.Context, name string) error {
	path, err := b.path(name)
	if err != nil {
		return err
	}
	err = os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return store.ErrNotFound
	}
	if err == nil {
		err = b.sync()
	}
	return unavailable(err)
}

// sync makes the folder's entries durable.
func (b *blobs) sync() error {
	folder, err := os.Open(b.folder)
	if err != nil {
		return err
	}
	err = folder.Sync()
	if closeErr := folder.Close(); err == nil {
		err = closeErr
	}
	return err
}

// source reads until ctx ends, and remembers a failure of the reader, which is not one of the engine.
type source struct {
	ctx    context.Context
	r      io.Reader
	failed error
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.failed = err
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = err
	}
	return n, err
}
