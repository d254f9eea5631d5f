package document

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

func TestCleanChangesNothingTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.Bool().Draw(t, "one line")
		got := Clean(rapid.String().Draw(t, "text"), one)
		if got != Clean(got, one) {
			t.Fatalf("%q changes again", got)
		}
		for _, r := range printable(got) {
			if !covered(r) {
				t.Fatalf("%q has no glyph for %U", got, r)
			}
		}
	})
}

// The list of characters in Go and the fonts agree, in both directions.
func TestCoveredIsWhatTheFontsHave(t *testing.T) {
	for i, font := range [][]byte{regularFont, boldFont, italicFont, boldItalicFont} {
		has := characters(t, font)
		for r := rune(0); r <= 0xFFFF; r++ {
			if covered(r) != has[r] {
				t.Errorf("font %d, %U: covered %v, in the font %v", i, r, covered(r), has[r])
			}
		}
	}
}

// characters reads a font's table of characters (OpenType "cmap", format 4, the only one these fonts have).
func characters(t *testing.T, font []byte) map[rune]bool {
	t.Helper()
	word := func(at int) int { return int(binary.BigEndian.Uint16(font[at:])) }
	long := func(at int) int { return int(binary.BigEndian.Uint32(font[at:])) }
	has := map[rune]bool{}
	for i := range word(4) {
		if entry := 12 + 16*i; string(font[entry:entry+4]) == "cmap" {
			table := long(entry + 8)
			sub := table + long(table+8)
			if word(sub) != 4 {
				t.Fatalf("format %d", word(sub))
			}
			segments := word(sub+6) / 2
			for s := range segments {
				last, first := word(sub+14+2*s), word(sub+16+2*segments+2*s)
				for c := first; c <= last && c != 0xFFFF; c++ {
					has[rune(c)] = true
				}
			}
		}
	}
	return has
}
