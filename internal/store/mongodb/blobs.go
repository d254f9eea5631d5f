package mongodb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// blobs keeps each blob as a file of GridFS under an id of its own; a unique index holds the names.
type blobs struct{ db *mongo.Database }

const (
	bucketBlobs      = "blobs"
	collBlobFiles    = bucketBlobs + ".files"
	collBlobChunks   = bucketBlobs + ".chunks"
	indexBlobName    = "name"
	blobTimeout      = time.Hour // for all of a blob, where the context has no deadline
	fileName         = "filename"
	indexChunksField = "files_id"
)

// bucket is for one call: it holds buffers.
func (b blobs) bucket() *mongo.GridFSBucket {
	return b.db.GridFSBucket(options.GridFSBucket().SetName(bucketBlobs))
}

// Put stores all of r. Until all of it is stored nothing is there under the name.
func (b blobs) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	if err := store.CheckBlobName(name); err != nil {
		return 0, err
	}
	ctx, cancel := longer(ctx, blobTimeout)
	defer cancel()
	files := b.db.Collection(collBlobFiles)
	if err := files.FindOne(ctx, bson.D{{Key: fileName, Value: name}}).Err(); err == nil {
		return 0, store.ErrExists
	} else if !errors.Is(err, mongo.ErrNoDocuments) {
		return 0, unavailable(err)
	}
	stream, err := b.bucket().OpenUploadStream(ctx, name)
	if err != nil {
		return 0, unavailable(err)
	}
	source := &source{ctx: ctx, r: r}
	size, err := io.Copy(stream, source)
	if err == nil {
		err = stream.Close()
	}
	if err == nil {
		return size, nil
	}
	// The chunks belong to this call's own id; should they stay, no name leads to them.
	tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, _ = b.db.Collection(collBlobChunks).DeleteMany(tidy, bson.D{{Key: indexChunksField, Value: stream.FileID}})
	switch {
	case source.failed != nil:
		return 0, fmt.Errorf("read blob %s: %w", name, source.failed)
	case mongo.IsDuplicateKeyError(err):
		return 0, store.ErrExists
	default:
		return 0, unavailable(err)
	}
}

// Open reads a blob. The reader's errors wrap store.ErrUnavailable.
func (b blobs) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := store.CheckBlobName(name); err != nil {
		return nil, err
	}
	ctx, cancel := longer(ctx, blobTimeout)
	stream, err := b.bucket().OpenDownloadStreamByName(ctx, name)
	if err != nil {
		cancel()
		if errors.Is(err, mongo.ErrFileNotFound) {
			return nil, store.ErrNotFound
		}
		return nil, unavailable(err)
	}
	return &blob{stream: stream, cancel: cancel}, nil
}

// Remove takes a blob away.
func (b blobs) Remove(ctx context.Context, name string) error {
	if err := store.CheckBlobName(name); err != nil {
		return err
	}
	raw, err := b.db.Collection(collBlobFiles).FindOne(ctx, bson.D{{Key: fileName, Value: name}}).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return store.ErrNotFound
	}
	if err != nil {
		return unavailable(err)
	}
	err = b.bucket().Delete(ctx, raw.Lookup("_id"))
	if errors.Is(err, mongo.ErrFileNotFound) {
		return store.ErrNotFound
	}
	return unavailable(err)
}

// blob is a blob that is being read.
type blob struct {
	stream *mongo.GridFSDownloadStream
	cancel context.CancelFunc
}

func (b *blob) Read(p []byte) (int, error) {
	n, err := b.stream.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = unavailable(err)
	}
	return n, err
}

func (b *blob) Close() error {
	defer b.cancel()
	return unavailable(b.stream.Close())
}

// source reads until ctx ends, and remembers a failure of the reader, which is not one of the engine.
type source struct {
	ctx    context.Context
	r      io.Reader
	failed error
}

func (s *source) Read(p []byte) (int, error) {
	err := s.ctx.Err()
	n := 0
	if err == nil {
		n, err = s.r.Read(p)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = err
	}
	return n, err
}
