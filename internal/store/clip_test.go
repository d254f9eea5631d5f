package store_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/store"
)

func TestClip(t *testing.T) {
	for _, c := range []struct {
		name, text string
		limit      int
		want       string
	}{
		{"nothing", "", 3, ""}, {"as long as may be", "abc", 3, "abc"}, {"longer", "abcd", 3, "abc…"},
		{"within a letter", "aạ", 2, "a…"}, {"no room for one letter", "ạ", 2, "…"}, {"no room", "a", 0, "…"},
	} {
		if got := store.Clip(c.text, c.limit); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestClipKeepsWholeLetters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, limit := rapid.String().Draw(t, "text"), rapid.IntRange(0, 40).Draw(t, "limit")
		got := store.Clip(text, limit)
		kept := strings.TrimSuffix(got, "…")
		if len(text) <= limit {
			kept = got
		}
		if len(kept) > limit || !strings.HasPrefix(text, kept) || utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Fatalf("%q cut to %d: %q", text, limit, got)
		}
	})
}
