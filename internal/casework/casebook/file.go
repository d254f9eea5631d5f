package casebook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// maxUploads is how many attachments are taken in at once: each is held in memory until it is known to be what it says.
const maxUploads = 8

// looseFor is how long an attachment stays that nothing names: long enough for whoever is still writing.
const looseFor = 30 * 24 * time.Hour

// fileDoc is what is known of an attachment's bytes.
type fileDoc struct {
	ID         string    `bson:"_id"` // UUIDv7; the bytes are the blob case/<owner>/<id>
	Case       string    `bson:"case"`
	Name       string    `bson:"name"`
	Type       string    `bson:"type"`
	Size       int64     `bson:"size"`
	By         string    `bson:"by"` // account
	At         time.Time `bson:"at"`
	LooseSince time.Time `bson:"loose_since,omitempty"` // nothing was seen to name it since; unset = something does
}

func (f fileDoc) blob() string { return "case/" + f.Case + "/" + f.ID }

func (f fileDoc) attachment() casework.Attachment {
	return casework.Attachment{ID: f.ID, Name: f.Name, Type: f.Type, Size: f.Size}
}

func (f fileDoc) is(a casework.Attachment) bool { return a.ID == f.ID }

// Attach takes in a file beside an explanation of a case. The type follows from its name, and its bytes must be of it: a program
// under another name, a document with macros, or one larger than casework.MaxAttachmentSize is refused while it comes, and nothing of
// it stays. Whoever names the attachment nowhere within a month loses it.
//
// NotFound "casebook_unknown"; Invalid "casework_attachment_name", "casework_attachment_size", "casework_attachment_type",
// "casebook_file_disguised", "casebook_file_macros", "casebook_file_damaged"; Exhausted "casebook_files_many".
func (b *Book) Attach(ctx context.Context, id, name string, r io.Reader, account string) (casework.Attachment, error) {
	if _, _, err := b.get(ctx, id); err != nil {
		return casework.Attachment{}, err
	}
	return b.AttachTo(ctx, id, name, r, account)
}

// AttachTo is Attach for what is no case, such as evidence of a corrective action. owner is its id, a UUID, behind what it is the id of,
// such as "action-", so that it is never a case's.
func (b *Book) AttachTo(ctx context.Context, owner, name string, r io.Reader, account string) (casework.Attachment, error) {
	if !isHolder(owner) {
		return casework.Attachment{}, unknown(owner)
	}
	f := fileDoc{ID: uuid.Must(uuid.NewV7()).String(), Case: owner, By: account, At: store.Milliseconds(b.now()), Size: 1}
	f.LooseSince = f.At
	f.Name = name
	f.Type = typeOf(name)
	a, err := f.attachment().Check() // before any byte is read
	if err != nil {
		return a, err
	}
	f.Name = a.Name
	held, err := b.held(ctx, owner)
	if err != nil {
		return a, err
	}
	if len(held) >= maxHeld {
		return a, fault.New(fault.Exhausted, "casebook_files_many", "limit", maxHeld)
	}
	select {
	case b.uploads <- struct{}{}:
		defer func() { <-b.uploads }()
	case <-ctx.Done():
		return a, ctx.Err()
	}
	content, err := readFile(r, f.Name, f.Type)
	if err != nil {
		return a, err
	}
	f.Size = int64(len(content))
	// The bytes first: a record without bytes would be a promise. Bytes without a record are named by nobody.
	if _, err := b.blobs.Put(ctx, f.blob(), bytes.NewReader(content)); err != nil {
		return a, told("keep an attachment", err)
	}
	if err := b.files.Insert(ctx, f); err != nil {
		_ = b.blobs.Remove(context.WithoutCancel(ctx), f.blob())
		return a, told("keep an attachment", err)
	}
	return f.attachment(), nil
}

func isHolder(owner string) bool {
	const letters = 36 // of a UUID
	if len(owner) < letters {
		return false
	}
	kind, id := owner[:len(owner)-letters], owner[len(owner)-letters:]
	return uuid.Validate(id) == nil && (kind == "" || kind == "action-")
}

// maxHeld is how many files there may be beside one case, those of drafts among them.
const maxHeld = 200

func (b *Book) held(ctx context.Context, owner string) ([]fileDoc, error) {
	var out []fileDoc
	for doc, err := range b.files.Find(ctx, store.Query{Index: "case", Equal: []any{owner}, Limit: maxHeld}) {
		if err != nil {
			return nil, told("list attachments", err)
		}
		out = append(out, doc.Value)
	}
	return out, nil
}

// OpenAttachment reads an attachment of a case (or of another owner, see AttachTo). The caller closes it. NotFound "casebook_file_unknown".
func (b *Book) OpenAttachment(ctx context.Context, owner, attachment string) (casework.Attachment, io.ReadCloser, error) {
	f, err := b.file(ctx, owner, attachment)
	if err != nil {
		return casework.Attachment{}, nil, err
	}
	r, err := b.blobs.Open(ctx, f.blob())
	if errors.Is(err, store.ErrNotFound) {
		err = fault.New(fault.NotFound, "casebook_file_unknown")
	}
	return f.attachment(), r, told("open an attachment", err)
}

func (b *Book) file(ctx context.Context, owner, id string) (fileDoc, error) {
	f, _, err := b.files.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) || err == nil && f.Case != owner {
		return f, fault.New(fault.NotFound, "casebook_file_unknown")
	}
	return f, told("read an attachment", err)
}

// attached answers attachments as they are known, whatever was said of them.
func (b *Book) attached(ctx context.Context, owner string, list []casework.Attachment) ([]casework.Attachment, error) {
	if len(list) > casework.MaxAttachments {
		return list, nil // which the explanation's own check tells
	}
	out := make([]casework.Attachment, len(list))
	for i, a := range list {
		f, err := b.file(ctx, owner, a.ID)
		if err != nil {
			return nil, err
		}
		out[i] = f.attachment()
	}
	return out, nil
}

// HoldAttachments answers attachments as they are known, and keeps them for good: for an owner whose naming them the book does not
// see, such as a corrective action. NotFound "casebook_file_unknown".
func (b *Book) HoldAttachments(ctx context.Context, owner string, list []casework.Attachment) ([]casework.Attachment, error) {
	out, err := b.attached(ctx, owner, list)
	if err != nil {
		return nil, err
	}
	for _, a := range out {
		if err := b.hold(ctx, a.ID); err != nil {
			return nil, told("keep an attachment", err)
		}
	}
	return out, nil
}

func (b *Book) hold(ctx context.Context, id string) error {
	_, err := b.files.Update(ctx, id, func(f *fileDoc) (bool, error) {
		loose := !f.LooseSince.IsZero()
		f.LooseSince = time.Time{}
		return loose, nil
	})
	return err
}

// RemoveAttachment takes away a file that no explanation names, such as one chosen by mistake. NotFound "casebook_file_unknown";
// Invalid "casebook_file_named".
func (b *Book) RemoveAttachment(ctx context.Context, id, attachment string) error {
	f, err := b.file(ctx, id, attachment)
	if err != nil {
		return err
	}
	d, _, err := b.get(ctx, id)
	if err != nil {
		return err
	}
	if f.LooseSince.IsZero() || d.attaches(f.ID) {
		return fault.New(fault.Invalid, "casebook_file_named")
	}
	return told("remove an attachment", b.removeFile(ctx, f))
}

func (b *Book) removeFile(ctx context.Context, f fileDoc) error {
	if err := b.blobs.Remove(ctx, f.blob()); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	_, version, err := b.files.Get(ctx, f.ID)
	if err == nil {
		err = b.files.Delete(ctx, f.ID, version)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// attaches tells whether an explanation that was handed in names a file.
func (d document) attaches(file string) bool {
	for _, e := range d.History {
		if x := e.Event.Explanation; x != nil && slices.ContainsFunc(x.Attachments, func(a casework.Attachment) bool { return a.ID == file }) {
			return true
		}
	}
	return false
}
