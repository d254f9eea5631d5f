package mongodb

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// rank is a kind of value, in MongoDB's order of kinds.
type rank byte

const (
	rankLowest rank = iota
	rankNull
	rankNumber
	rankString
	rankBool
	rankTime
	rankHighest
)

// key is a value in an index: what fields may hold, and the two ends. Keys compare as MongoDB compares their values.
type key struct {
	rank rank
	n    int64 // number; time in milliseconds; 1 = true
	s    string
}

func (k key) compare(other key) int {
	return cmp.Or(cmp.Compare(k.rank, other.rank), cmp.Compare(k.n, other.n), strings.Compare(k.s, other.s))
}

// least is the first value of a kind; least(r+1) is also the end of kind r.
func least(r rank) key {
	if r == rankNumber || r == rankTime {
		return key{rank: r, n: math.MinInt64}
	}
	return key{rank: r}
}

// next is the key that follows, with none in between.
func (k key) next() key {
	switch {
	case k.rank == rankString:
		return key{rank: rankString, s: k.s + "\x00"}
	case k.rank == rankBool && k.n == 0:
		return boolKey(true)
	case (k.rank == rankNumber || k.rank == rankTime) && k.n < math.MaxInt64:
		return key{rank: k.rank, n: k.n + 1}
	default:
		return least(k.rank + 1)
	}
}

// bson is the key as MongoDB takes it.
func (k key) bson() any {
	switch k.rank {
	case rankLowest:
		return bson.MinKey{}
	case rankNumber:
		return k.n
	case rankString:
		return k.s
	case rankBool:
		return k.n != 0
	case rankTime:
		return bson.DateTime(k.n)
	case rankHighest:
		return bson.MaxKey{}
	default:
		return nil
	}
}

func boolKey(b bool) key {
	if b {
		return key{rank: rankBool, n: 1}
	}
	return key{rank: rankBool}
}

// keyOfRaw is the key of a field as it stands in a document.
func keyOfRaw(value bson.RawValue) (key, error) {
	switch value.Type {
	case 0, bson.TypeNull:
		return key{rank: rankNull}, nil
	case bson.TypeInt32:
		return key{rank: rankNumber, n: int64(value.Int32())}, nil
	case bson.TypeInt64:
		return key{rank: rankNumber, n: value.Int64()}, nil
	case bson.TypeString:
		return key{rank: rankString, s: value.StringValue()}, nil
	case bson.TypeBoolean:
		return boolKey(value.Boolean()), nil
	case bson.TypeDateTime:
		return key{rank: rankTime, n: value.DateTime()}, nil
	default:
		return key{}, fmt.Errorf("%w: a %s cannot be indexed", store.ErrInvalid, value.Type)
	}
}

// keyOfValue is the key of a value given in a query.
func keyOfValue(value any) (key, error) {
	switch v := value.(type) {
	case nil:
		return key{rank: rankNull}, nil
	case time.Time:
		return key{rank: rankTime, n: v.UnixMilli()}, nil
	case bson.DateTime:
		return key{rank: rankTime, n: int64(v)}, nil
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.String:
		return key{rank: rankString, s: v.String()}, nil
	case reflect.Bool:
		return boolKey(v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return key{rank: rankNumber, n: v.Int()}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.Uint() > math.MaxInt64 {
			return key{}, fmt.Errorf("%w: %d in a query", store.ErrInvalid, v.Uint())
		}
		return key{rank: rankNumber, n: int64(v.Uint())}, nil
	default:
		return key{}, fmt.Errorf("%w: a %T in a query", store.ErrInvalid, value)
	}
}

// place is where a document stands in an index: a key a field, then the id.
type place []key

func (p place) compare(other place) int { return slices.CompareFunc(p, other, key.compare) }

// cursor writes the part of a place that a query leaves open. What the query fixes is not in it, so a cursor,
// whoever made it up, does not lead beyond the query.
func (p place) cursor() store.Cursor {
	values := make(bson.A, len(p))
	for i, k := range p {
		values[i] = k.bson()
	}
	raw, err := bson.Marshal(bson.D{{Key: "k", Value: values}})
	if err != nil {
		panic(fmt.Sprintf("mongodb: a cursor that cannot be written: %v", err)) // keys are plain values
	}
	return store.Cursor(base64.RawURLEncoding.EncodeToString(raw))
}

// parseCursor reads a place of that many keys, the last a string.
func parseCursor(cursor store.Cursor, size int) (place, error) {
	fail := func() (place, error) { return nil, fmt.Errorf("%w: cursor %q", store.ErrInvalid, cursor) }
	raw, err := base64.RawURLEncoding.DecodeString(string(cursor))
	if err != nil || bson.Raw(raw).Validate() != nil {
		return fail()
	}
	array, ok := bson.Raw(raw).Lookup("k").ArrayOK()
	if !ok {
		return fail()
	}
	values, err := array.Values()
	if err != nil || len(values) != size || values[size-1].Type != bson.TypeString {
		return fail()
	}
	p := make(place, size)
	for i, value := range values {
		if p[i], err = keyOfRaw(value); err != nil {
			return fail()
		}
	}
	return p, nil
}
