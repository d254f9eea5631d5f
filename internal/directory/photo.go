package directory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"github.com/hailong-vn/hailong/internal/directory/portrait"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// SetPhoto keeps an official's photo as portrait.Make makes it, under the hash of its content; without one it is taken away. What
// was kept before is removed. NotFound "directory_official_missing"; Invalid "directory_official_closed", and as portrait.Make.
func (d *Directory) SetPhoto(ctx context.Context, id string, photo []byte) (Official, error) {
	if _, ok := d.Official(id); !ok {
		return Official{}, fault.New(fault.NotFound, "directory_official_missing")
	}
	version := ""
	if len(photo) > 0 {
		jpeg, err := d.portrait(ctx, photo)
		if err != nil {
			return Official{}, told(err)
		}
		sum := sha256.Sum256(jpeg)
		version = hex.EncodeToString(sum[:16])
		if _, err := d.blobs.Put(ctx, photoName(id, version), bytes.NewReader(jpeg)); err != nil && !errors.Is(err, store.ErrExists) {
			return Official{}, told(err)
		}
	}
	var before string
	after, err := d.reviseOfficial(ctx, id, func(o *Official) error {
		if !o.ClosedAt.IsZero() {
			return fault.New(fault.Invalid, "directory_official_closed", "name", o.Name)
		}
		before, o.Photo = o.Photo, version
		return nil
	})
	if err != nil {
		return after, err
	}
	if before != version {
		d.dropPhoto(ctx, id, before)
	}
	return after, nil
}

// portrait makes one photo at a time: a large one takes much memory while it is read.
func (d *Directory) portrait(ctx context.Context, photo []byte) ([]byte, error) {
	select {
	case d.portraits <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-d.portraits }()
	return portrait.Make(photo)
}

// dropPhoto removes what nobody shows any more. Where that fails, it only takes room.
func (d *Directory) dropPhoto(ctx context.Context, id, version string) {
	if version == "" {
		return
	}
	if err := d.blobs.Remove(ctx, photoName(id, version)); err != nil && !errors.Is(err, store.ErrNotFound) {
		d.options.Logger.WarnContext(ctx, "a photo that is not shown any more could not be removed", "official", id, "error", err)
	}
}

func photoName(id, version string) string { return "officials/" + id + "/" + version }

// Photo answers an official's photo, a JPEG of at most portrait.Side pixels, and what names its content. NotFound
// "directory_official_missing", "directory_photo_missing".
func (d *Directory) Photo(ctx context.Context, id string) (jpeg []byte, version string, err error) {
	official, ok := d.Official(id)
	if !ok {
		return nil, "", fault.New(fault.NotFound, "directory_official_missing")
	}
	if official.Photo == "" {
		return nil, "", fault.New(fault.NotFound, "directory_photo_missing")
	}
	blob, err := d.blobs.Open(ctx, photoName(id, official.Photo))
	if errors.Is(err, store.ErrNotFound) { // another process has just put another one in its place
		return nil, "", fault.New(fault.NotFound, "directory_photo_missing")
	}
	if err != nil {
		return nil, "", told(err)
	}
	jpeg, err = io.ReadAll(io.LimitReader(blob, portrait.MaxBytes))
	if err = errors.Join(err, blob.Close()); err != nil {
		return nil, "", told(err)
	}
	return jpeg, official.Photo, nil
}

// SetPIN keeps the hash of the number by which an official signs in at a device; "" takes it away. NotFound
// "directory_official_missing"; Invalid "directory_official_closed".
func (d *Directory) SetPIN(ctx context.Context, id, hash string) (Official, error) {
	return d.reviseOfficial(ctx, id, func(o *Official) error {
		if !o.ClosedAt.IsZero() {
			return fault.New(fault.Invalid, "directory_official_closed", "name", o.Name)
		}
		o.PINHash = hash
		return nil
	})
}
