package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/hailong-vn/hailong/internal/document"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

const maxFile = 32 << 20 // bytes of a file; MaxPages pages are far fewer

// Open answers a paper's file, and its SHA-256 as it was when the file was written. What was altered since is Internal. Of a paper
// that names a citizen, whoever asks must have been allowed to, with a reason that is audited.
func (a *Archive) Open(ctx context.Context, d Document, format document.Format) ([]byte, File, error) {
	if err := document.CheckFormat(format); err != nil {
		return nil, File{}, err
	}
	file, err := a.ensure(ctx, d, format, nil)
	if err != nil {
		return nil, File{}, err
	}
	data, err := a.read(ctx, file)
	if err != nil {
		return nil, File{}, err
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != file.SHA256 {
		return nil, File{}, fault.New(fault.Internal, "internal").Because(fmt.Errorf("file %s has SHA-256 %s, %s was written", file.ID, got, file.SHA256))
	}
	return data, file, nil
}

func (a *Archive) read(ctx context.Context, file File) ([]byte, error) {
	blob, err := a.blobs.Open(ctx, file.Blob)
	if err != nil {
		return nil, told(err)
	}
	defer func() { _ = blob.Close() }()
	data, err := io.ReadAll(io.LimitReader(blob, maxFile))
	if err != nil {
		return nil, told(err)
	}
	if file.Sealed {
		return a.Keys.Open(data, bytesOf(file.ID))
	}
	return data, nil
}

func bytesOf(id string) []byte { return []byte("document-file/" + id) }

// ensure answers the record of a file, writing the file first where nobody did; data is what it holds, nil = it is drawn again from
// what is kept. Of two who do so at once one record stands; the bytes of the other are an orphan that nobody reads.
func (a *Archive) ensure(ctx context.Context, d Document, format document.Format, data []byte) (File, error) {
	id := d.ID + "/" + string(format)
	file, _, err := a.files.Get(ctx, id)
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return file, told(err)
	}
	if data == nil {
		if data, err = a.draw(ctx, d, format); err != nil {
			return File{}, err
		}
	}
	sum := sha256.Sum256(data)
	file = File{
		ID: id, Document: d.ID, Format: format, SHA256: hex.EncodeToString(sum[:]), Size: len(data), Sealed: d.Personal(), At: store.Milliseconds(a.Now()),
	}
	file.Blob = "documents/" + d.ID + "/" + file.SHA256[:32] + "." + string(format)
	if file.Sealed {
		if data, err = a.Keys.Seal(data, bytesOf(id)); err != nil {
			return File{}, err
		}
	}
	if _, err := a.blobs.Put(ctx, file.Blob, bytes.NewReader(data)); err != nil && !errors.Is(err, store.ErrExists) {
		return File{}, told(err)
	}
	switch err := a.files.Insert(ctx, file); {
	case errors.Is(err, store.ErrExists):
		file, _, err = a.files.Get(ctx, id)
		return file, told(err)
	default:
		return file, told(err)
	}
}

// draw makes a file again from what is kept.
func (a *Archive) draw(ctx context.Context, d Document, format document.Format) ([]byte, error) {
	kept, _, err := a.sources.Get(ctx, d.Template.SHA256)
	if err != nil {
		return nil, told(err)
	}
	template, err := document.ReadTemplate([]byte(kept.Text))
	if err != nil {
		return nil, fault.New(fault.Internal, "internal").Because(err)
	}
	values, err := a.Citizen(d)
	if err != nil {
		return nil, err
	}
	for name, value := range d.Values {
		values[name] = value
	}
	paper, err := template.Fill(values, d.Signer, document.Number{N: d.N, Day: d.Day})
	if err != nil {
		return nil, err
	}
	return paper.Draw(ctx, format, d.IssuedAt)
}
