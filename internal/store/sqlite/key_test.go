package sqlite

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
	"pgregory.net/rapid"
)

// drawIndexed draws a value of any kind that can be indexed, from few enough that equal ones come up.
func drawIndexed() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Int64().AsAny(), rapid.Int64Range(-2, 2).AsAny(),
		rapid.String().AsAny(), rapid.StringOfN(rapid.SampledFrom([]rune{0, 1, 'a', 'b', 0xff, 'đ', '\u0300', '💥'}), 0, 4, -1).AsAny(),
		rapid.Bool().AsAny(),
		rapid.Map(rapid.Int64Range(-62135596800000, 253402300799999), time.UnixMilli).AsAny(),
	)
}

// rank is the order of the kinds.
func rank(value any) int {
	switch value.(type) {
	case nil:
		return 0
	case int64:
		return 1
	case string:
		return 2
	case bool:
		return 3
	}
	return 4
}

func compareIndexed(a, b any) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case string:
		return strings.Compare(a, b.(string))
	case bool:
		if a == b.(bool) {
			return 0
		}
		if a {
			return 1
		}
		return -1
	case time.Time:
		return a.Compare(b.(time.Time))
	}
	return 0
}

func encode(t *rapid.T, values []any) []byte {
	var key []byte
	for _, value := range values {
		var err error
		if key, err = appendValue(key, value); err != nil {
			t.Fatal(err)
		}
	}
	return key
}

func TestKeysKeepTheOrderOfValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.IntRange(1, 3).Draw(t, "fields")
		a, b := rapid.SliceOfN(drawIndexed(), fields, fields).Draw(t, "a"), rapid.SliceOfN(drawIndexed(), fields, fields).Draw(t, "b")
		for i := range b { // so that leading fields are often equal
			if rapid.Bool().Draw(t, "same") {
				b[i] = a[i]
			}
		}
		if got, wanted := bytes.Compare(encode(t, a), encode(t, b)), slices.CompareFunc(a, b, compareIndexed); got != wanted {
			t.Fatalf("%#v and %#v compare as %d, their keys as %d", a, b, wanted, got)
		}
	})
}

func TestNoKeyBeginsAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawIndexed().Draw(t, "a"), drawIndexed().Draw(t, "b")
		if compareIndexed(a, b) != 0 && bytes.HasPrefix(encode(t, []any{a}), encode(t, []any{b})) {
			t.Fatalf("the key of %#v begins with that of %#v", a, b)
		}
		if key := encode(t, []any{a}); bytes.Compare(key, []byte{tagEnd}) >= 0 || key[0] == 0 {
			t.Fatalf("the key of %#v is beyond the bounds of an index", a)
		}
	})
}

func TestQueriesEncodeAsBodiesDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := drawIndexed().Draw(t, "value")
		raw, err := bson.Marshal(bson.D{{Key: "v", Value: value}})
		if err != nil {
			t.Fatal(err)
		}
		stored, err := appendRaw(nil, bson.Raw(raw).Lookup("v"))
		if err != nil {
			t.Fatal(err)
		}
		if asked := encode(t, []any{value}); !bytes.Equal(stored, asked) {
			t.Fatalf("%#v is stored as %x and asked for as %x", value, stored, asked)
		}
	})
}

func TestCursorsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		given := place{key: rapid.SliceOf(rapid.Byte()).Draw(t, "key"), id: rapid.String().Draw(t, "id")}
		cursor := given.cursor()
		got, err := parseCursor(cursor)
		if err != nil || got.id != given.id || !bytes.Equal(got.key, given.key) {
			t.Fatalf("%+v came back as %+v, %v", given, got, err)
		}
		for _, c := range []byte(cursor) {
			if c <= ' ' || c > '~' {
				t.Fatalf("not printable: %q", cursor)
			}
		}
	})
}

func FuzzParseCursor(f *testing.F) {
	f.Add("")
	f.Add("ADE")
	f.Add("____________")
	f.Fuzz(func(t *testing.T, text string) {
		place, err := parseCursor(store.Cursor(text))
		if err != nil {
			return
		}
		if again, err := parseCursor(place.cursor()); err != nil || place.compare(again) != 0 {
			t.Errorf("%q: %+v, %+v, %v", text, place, again, err)
		}
	})
}

func TestValuesThatCannotBeIndexed(t *testing.T) {
	for name, value := range map[string]any{"a float": 1.5, "a document": bson.D{{Key: "a", Value: 1}}, "an array": bson.A{1}, "bytes": []byte{1}, "an object id": bson.NewObjectID()} {
		t.Run(name, func(t *testing.T) {
			raw, err := bson.Marshal(bson.D{{Key: "v", Value: value}})
			if err != nil {
				t.Fatal(err)
			}
			if key, err := appendRaw(nil, bson.Raw(raw).Lookup("v")); err == nil {
				t.Errorf("encoded in a body as %x", key)
			}
			if key, err := appendValue(nil, value); err == nil {
				t.Errorf("encoded in a query as %x", key)
			}
		})
	}
	if key, err := appendValue(nil, uint64(1)<<63); err == nil {
		t.Errorf("a number beyond int64 encoded as %x", key)
	}
}
