package ratingimport

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold makes texts that people hold to be the same the same: case, spaces, diacritics, invisible marks and the shape of
// apostrophes do not matter, so that "Rất hài lòng", "RAT HAI LONG" and a decomposed copy are one label. Unlike the folding for
// search it keeps signs: "+", "-1", "4,5" and ":-(" are labels too.
func fold(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	space := false
	for _, r := range norm.NFKD.String(text) {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r):
			continue
		}
		switch r {
		case 'đ', 'Đ':
			r = 'd'
		case '‘', '’', 'ʼ', '`', '´':
			r = '\''
		case '–', '—', '‑':
			r = '-'
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// tidy is a text as it is compared where diacritics matter: NFC, without spaces around it.
func tidy(text string) string { return strings.TrimSpace(norm.NFC.String(text)) }
