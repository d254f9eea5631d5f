package document

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Clean turns what somebody typed, or another program wrote, into text for a paper: composed (NFC), no control or invisible
// characters, no more than one empty line on end. Line breaks stay; oneLine makes them spaces.
func Clean(text string, oneLine bool) string {
	var b strings.Builder
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for _, r := range norm.NFC.String(strings.ToValidUTF8(text, string(missing))) {
		switch {
		case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' || r == '\v' || r == '\f':
			if oneLine {
				b.WriteByte(' ')
			} else {
				b.WriteByte('\n')
			}
		case r == '\t':
			b.WriteByte(' ')
		case unicode.IsControl(r), r == 0xAD, unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs), r&0xFFFE == 0xFFFE:
		default:
			b.WriteRune(r)
		}
	}
	lines := strings.Split(b.String(), "\n")
	kept := lines[:0]
	for _, line := range lines {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if line == "" && (len(kept) == 0 || kept[len(kept)-1] == "") {
			continue
		}
		kept = append(kept, line)
	}
	return strings.TrimSpace(strings.Join(kept, "\n"))
}

// covered tells whether the embedded fonts have a glyph for r. It is the list in fonts/subset.sh.
func covered(r rune) bool {
	switch {
	case r >= 0x20 && r <= 0x7E, r >= 0xA0 && r <= 0x17F, r == 0x1A0, r == 0x1A1, r == 0x1AF, r == 0x1B0,
		r >= 0x1EA0 && r <= 0x1EF9, r >= 0x2010 && r <= 0x2014, r >= 0x2018 && r <= 0x201A, r >= 0x201C && r <= 0x201E,
		r >= 0x2020 && r <= 0x2022, r == 0x2026, r == 0x2030, r == 0x2032, r == 0x2033, r == 0x2039, r == 0x203A,
		r == 0x20AB, r == 0x20AC, r == 0x2116, r == 0x2122, r == 0xFFFD:
		return true
	}
	return false
}

const missing = '?'

// printable is one line that the embedded fonts can show: each run of characters without a glyph is one question mark, so
// that whoever looks at the paper before it is signed sees that something is missing.
func printable(line string) string {
	var b strings.Builder
	lost := false
	for _, r := range line {
		switch {
		case unicode.IsSpace(r) && r != 0xA0:
			r, lost = ' ', false
		case !covered(r) && unicode.In(r, unicode.Mn, unicode.Me, unicode.Sk):
			continue
		case !covered(r) || r == unicode.ReplacementChar:
			if lost {
				continue
			}
			r, lost = missing, true
		default:
			lost = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
