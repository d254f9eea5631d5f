package store

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Limits every engine keeps.
const (
	MaxIDBytes   = 512      // of an _id or a RecordID
	MaxBodyBytes = 16 << 20 // of a body: MongoDB's own limit, kept by every engine so that an office can move
)

// ErrInvalid is a body, id, name, index declaration or query that no engine takes: a fault in the program that calls.
var ErrInvalid = errors.New("store: invalid")

// CheckID tells whether an engine may keep a document under id: valid UTF-8 of 1 to 512 bytes without NUL. Nothing else is
// asked of it, and it is compared byte for byte.
func CheckID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("%w: empty id", ErrInvalid)
	case len(id) > MaxIDBytes:
		return fmt.Errorf("%w: id of %d bytes", ErrInvalid, len(id))
	case strings.IndexByte(id, 0) >= 0:
		return fmt.Errorf("%w: NUL in id %q", ErrInvalid, id)
	case !utf8.ValidString(id):
		return fmt.Errorf("%w: id %q is not UTF-8", ErrInvalid, id)
	}
	return nil
}

// CheckBody answers the _id of a body that an engine may keep. ErrTooLarge, ErrInvalid.
func CheckBody(body []byte) (id string, err error) {
	if len(body) > MaxBodyBytes {
		return "", ErrTooLarge
	}
	if err := bson.Raw(body).Validate(); err != nil {
		return "", fmt.Errorf("%w: body: %w", ErrInvalid, err)
	}
	id, ok := bson.Raw(body).Lookup("_id").StringValueOK()
	if !ok {
		return "", fmt.Errorf("%w: body without a string _id", ErrInvalid)
	}
	return id, CheckID(id)
}

// CheckKind tells whether a kind is declared as every engine can keep it.
func CheckKind(kind Kind) error {
	fail := func(why string) error { return fmt.Errorf("%w: kind %q: %s", ErrInvalid, kind.Name, why) }
	if !plainName(kind.Name) {
		return fail("its name is not 1 to 48 of a-z, 0-9 and _, a letter first")
	}
	names := map[string]bool{}
	for _, index := range kind.Indexes {
		switch {
		case !plainName(index.Name):
			return fail(fmt.Sprintf("index name %q is not 1 to 48 of a-z, 0-9 and _, a letter first", index.Name))
		case names[index.Name]:
			return fail("two indexes " + index.Name)
		case len(index.Fields) == 0:
			return fail("index " + index.Name + " without fields")
		case index.Expire && (len(index.Fields) != 1 || index.Multi || index.Unique):
			return fail("index " + index.Name + ": Expire takes one plain field")
		case index.Expire && kind.AppendOnly:
			return fail("index " + index.Name + ": nothing expires in an append-only kind")
		}
		for _, field := range index.Fields {
			if field == "" || strings.HasPrefix(field, "$") || strings.Contains("."+field+".", "..") {
				return fail(fmt.Sprintf("index %s: field %q", index.Name, field))
			}
		}
		names[index.Name] = true
	}
	return nil
}

func plainName(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != "" && len(name) <= 48
}

// MaxBlobNameBytes limits a blob's name.
const MaxBlobNameBytes = 200

const blobNameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// CheckBlobName tells whether a name may be a blob's: parts of letters, digits, '.', '_' and '-', none of them beginning with
// a dot, with single slashes between them.
func CheckBlobName(name string) error {
	fail := func() error { return fmt.Errorf("%w: blob name %q", ErrInvalid, name) }
	if len(name) > MaxBlobNameBytes {
		return fail()
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' {
			return fail()
		}
		if strings.Trim(part, blobNameLetters) != "" {
			return fail()
		}
	}
	return nil
}
