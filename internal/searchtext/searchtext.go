// Package searchtext folds words so that what people type without diacritics finds what is written with them:
// "thach ha" finds Thạch Hà and "duong" finds Đường. No engine does this for Vietnamese (full text search and
// collations keep đ apart from d), so the folded form is made here and kept beside the name.
package searchtext

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold answers s in lower case, without marks, đ as d, and with every run of spaces and punctuation as one space. The
// result is the same for NFC and NFD input, and folding it again changes nothing.
func Fold(s string) string {
	if folded, plain := foldASCII(s); plain {
		return folded
	}
	apart := norm.NFD.String(s)
	var b strings.Builder
	b.Grow(len(apart))
	gap := false
	for _, r := range apart {
		r = plainLetter(unicode.ToLower(unicode.ToUpper(r))) // by way of the capital, so that ſ and ς find s and σ
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case unicode.In(r, unicode.L, unicode.N, unicode.Mc):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		default:
			gap = true
		}
	}
	return b.String()
}

// Words answers the folded words of s.
func Words(s string) []string { return strings.Fields(Fold(s)) }

// plainLetter maps the letters that no decomposition takes apart. Eth and the African d look like đ in capitals
// (Ð, Đ, Ɖ) and stand for it in older Vietnamese texts.
func plainLetter(r rune) rune {
	switch r {
	case 'đ', 'ð', 'ɖ':
		return 'd'
	}
	return r
}

// foldASCII is the short way for text that has no marks to lose.
func foldASCII(s string) (folded string, plain bool) {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return "", false
		}
	}
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteByte(c)
		} else {
			gap = true
		}
	}
	return b.String(), true
}
