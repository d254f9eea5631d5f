package poster

import (
	"math"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

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

// printable turns any text into one line the fonts can show: composed (NFC), white space and controls as single
// spaces, invisible characters gone, each run of characters without a glyph as one question mark.
func printable(text string) string {
	var b strings.Builder
	space, lost := false, false
	for _, r := range norm.NFC.String(strings.ToValidUTF8(text, string(missing))) {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			space = b.Len() > 0
			lost = false
			continue
		case r == 0xAD, !covered(r) && unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Sk):
			continue
		case !covered(r) || r == unicode.ReplacementChar:
			if lost {
				continue
			}
			r, lost = missing, true
		default:
			lost = false
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// style is how one text is set. Sizes are points, lengths millimetres.
type style struct {
	bold  bool
	size  float64 // where it fits
	small float64 // the smallest size at which one line is still preferred to wrapping
	room  float64 // height it may take
	color color
}

// paragraph is a text that has found its size and its lines.
type paragraph struct {
	style
	lines []string
}

// leading is the distance of two lines, in sizes. Vietnamese stacks two marks on a capital, which needs more than
// Latin's usual 1.2.
const leading = 1.32

const millimetres = 25.4 / 72 // of a point

func (p paragraph) line() float64   { return p.size * millimetres * leading }
func (p paragraph) height() float64 { return float64(len(p.lines)) * p.line() }

// fit shrinks a text to one line as far as that stays readable, then wraps it, then shrinks on until it keeps to its
// room: nothing ever overlaps and nothing is cut off.
func (p *pen) fit(text string, width float64, s style) paragraph {
	natural := p.width(text, s.bold, s.size)
	if one := math.Floor(s.size*math.Min(1, width/natural)*4) / 4; one >= s.small {
		s.size = one
		return paragraph{s, []string{text}}
	}
	for {
		set := paragraph{s, p.wrap(text, width, s)}
		if set.height() <= s.room || s.size <= 1 {
			set.lines = p.balance(text, width, s, len(set.lines))
			return set
		}
		s.size -= 0.25
	}
}

// balance wraps into the same number of lines with the least width, so that no line is left with a single word.
func (p *pen) balance(text string, width float64, s style, lines int) []string {
	low, high := 0.0, width
	for range 12 {
		middle := (low + high) / 2
		if len(p.wrap(text, middle, s)) <= lines {
			high = middle
		} else {
			low = middle
		}
	}
	return p.wrap(text, high, s)
}

// wrap breaks at spaces, and inside a word only where the word alone is wider than the line. Widths add up, because
// nothing is kerned.
func (p *pen) wrap(text string, width float64, s style) []string {
	var lines []string
	line, used := "", 0.0
	space := p.width(" ", s.bold, s.size)
	for _, word := range strings.Fields(text) {
		wide := p.width(word, s.bold, s.size)
		if line != "" {
			if used+space+wide <= width {
				line += " " + word
				used += space + wide
				continue
			}
			lines = append(lines, line)
		}
		line, used = word, wide
		if wide <= width {
			continue
		}
		line, used = "", 0
		for _, r := range word {
			letter := p.width(string(r), s.bold, s.size)
			if line != "" && used+letter > width {
				lines = append(lines, line)
				line, used = "", 0
			}
			line += string(r)
			used += letter
		}
	}
	return append(lines, line)
}
