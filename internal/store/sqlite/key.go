package sqlite

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"reflect"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// An index entry's key is the encoded values of its fields, one after the other, so that comparing two keys byte for byte
// compares their values: first by kind (null, number, string, boolean, time, as MongoDB sorts them), then by value;
// strings by their UTF-8 bytes. No encoded value is the beginning of another.
const (
	tagNull   = 0x10
	tagNumber = 0x20
	tagString = 0x30
	tagBool   = 0x40
	tagTime   = 0x50
	tagEnd    = 0xff // above every key

	// In a string 0x00 is written 0x00 0xff; 0x00 0x01 ends it.
	stringEscape = 0xff
	stringEnd    = 0x01
)

func appendNull(key []byte) []byte { return append(key, tagNull) }

func appendNumber(key []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(key, tagNumber), uint64(n)^1<<63)
}

func appendTime(key []byte, milliseconds int64) []byte {
	return binary.BigEndian.AppendUint64(append(key, tagTime), uint64(milliseconds)^1<<63)
}

func appendBool(key []byte, b bool) []byte {
	if b {
		return append(key, tagBool, 1)
	}
	return append(key, tagBool, 0)
}

func appendString(key []byte, s string) []byte {
	key = append(key, tagString)
	for i := range len(s) {
		key = append(key, s[i])
		if s[i] == 0 {
			key = append(key, stringEscape)
		}
	}
	return append(key, 0, stringEnd)
}

// appendRaw encodes a field as it stands in a body.
func appendRaw(key []byte, value bson.RawValue) ([]byte, error) {
	switch value.Type {
	case 0, bson.TypeNull:
		return appendNull(key), nil
	case bson.TypeInt32:
		return appendNumber(key, int64(value.Int32())), nil
	case bson.TypeInt64:
		return appendNumber(key, value.Int64()), nil
	case bson.TypeString:
		return appendString(key, value.StringValue()), nil
	case bson.TypeBoolean:
		return appendBool(key, value.Boolean()), nil
	case bson.TypeDateTime:
		return appendTime(key, value.DateTime()), nil
	default:
		return nil, fmt.Errorf("%w: a %s cannot be indexed", store.ErrInvalid, value.Type)
	}
}

// appendValue encodes a value given in a query, as bson.Marshal and appendRaw would together.
func appendValue(key []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return appendNull(key), nil
	case string:
		return appendString(key, v), nil
	case time.Time:
		return appendTime(key, v.UnixMilli()), nil
	case bson.DateTime:
		return appendTime(key, int64(v)), nil
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.String:
		return appendString(key, v.String()), nil
	case reflect.Bool:
		return appendBool(key, v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return appendNumber(key, v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.Uint() > 1<<63-1 {
			return nil, fmt.Errorf("%w: %d in a query", store.ErrInvalid, v.Uint())
		}
		return appendNumber(key, int64(v.Uint())), nil
	default:
		return nil, fmt.Errorf("%w: a %T in a query", store.ErrInvalid, value)
	}
}

// place is where an entry stands in its index: by key, then by id.
type place struct {
	key []byte
	id  string
}

func (p place) cursor() store.Cursor {
	raw := binary.AppendUvarint(nil, uint64(len(p.key)))
	raw = append(append(raw, p.key...), p.id...)
	return store.Cursor(base64.RawURLEncoding.EncodeToString(raw))
}

func parseCursor(cursor store.Cursor) (place, error) {
	raw, err := base64.RawURLEncoding.DecodeString(string(cursor))
	size, n := binary.Uvarint(raw)
	if err != nil || n <= 0 || size > uint64(len(raw)-n) {
		return place{}, fmt.Errorf("%w: cursor %q", store.ErrInvalid, cursor)
	}
	rest := raw[n:]
	return place{key: rest[:size:size], id: string(rest[size:])}, nil
}
