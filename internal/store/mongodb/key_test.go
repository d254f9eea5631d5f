package mongodb

import (
	"encoding/base64"
	"math"
	"slices"
	"testing"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
	"pgregory.net/rapid"
)

func anyKey() *rapid.Generator[key] {
	return rapid.Custom(func(t *rapid.T) key {
		switch rank(rapid.IntRange(int(rankNull), int(rankTime)).Draw(t, "kind")) {
		case rankNumber:
			return key{rank: rankNumber, n: rapid.OneOf(rapid.Int64(), rapid.Int64Range(-2, 2), rapid.Just(int64(math.MaxInt64))).Draw(t, "number")}
		case rankString:
			return key{rank: rankString, s: rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "\x00", "a", "a\x00", "ă", "Đường", "đường"})).Draw(t, "string")}
		case rankBool:
			return boolKey(rapid.Bool().Draw(t, "bool"))
		case rankTime:
			return key{rank: rankTime, n: rapid.Int64().Draw(t, "time")}
		default:
			return key{rank: rankNull}
		}
	})
}

func TestKeyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := anyKey().Draw(t, "key")
		raw, err := bson.Marshal(bson.D{{Key: "k", Value: k.bson()}})
		if err != nil {
			t.Fatal(err)
		}
		read, err := keyOfRaw(bson.Raw(raw).Lookup("k"))
		if err != nil || read != k {
			t.Fatalf("%v was read as %v, %v", k, read, err)
		}
		given, err := keyOfValue(k.bson())
		if err != nil || given != k {
			t.Fatalf("%v was taken as %v, %v", k, given, err)
		}
	})
}

func TestNextFollowsAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, other := anyKey().Draw(t, "key"), anyKey().Draw(t, "other")
		if k.compare(k.next()) >= 0 {
			t.Fatalf("%v is followed by %v", k, k.next())
		}
		if k.compare(other) < 0 && other.compare(k.next()) < 0 {
			t.Fatalf("%v is between %v and %v", other, k, k.next())
		}
	})
}

func TestCursorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := place(rapid.SliceOfN(anyKey(), 0, 4).Draw(t, "keys"))
		p = append(p, key{rank: rankString, s: rapid.String().Draw(t, "id")})
		read, err := parseCursor(p.cursor(), len(p))
		if err != nil || !slices.Equal(p, read) {
			t.Fatalf("%v was read as %v, %v", p, read, err)
		}
		if _, err := parseCursor(p.cursor(), len(p)+1); err == nil {
			t.Fatal("a cursor of another index was taken")
		}
	})
}

func FuzzParseCursor(f *testing.F) {
	f.Add("", 1)
	f.Add(string(place{{rank: rankNumber, n: 7}, {rank: rankString, s: "id"}}.cursor()), 2)
	f.Add(base64.RawURLEncoding.EncodeToString([]byte{5, 0, 0, 0, 0}), 1)
	f.Fuzz(func(t *testing.T, text string, size int) {
		size = min(max(size, 1), 8)
		p, err := parseCursor(store.Cursor(text), size)
		if err != nil {
			return
		}
		again, err := parseCursor(p.cursor(), size)
		if err != nil || !slices.Equal(p, again) {
			t.Fatalf("%v was read again as %v, %v", p, again, err)
		}
	})
}
