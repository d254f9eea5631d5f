// Package telephone reads telephone numbers as people in Vietnam write and say them, and brings each to the one form by which
// the same number is known again. It is pure: no clock, no store, no list of subscribers.
//
// The lengths and prefixes are those of Vietnam's numbering plan: mobile numbers of ten digits since 2018 and landlines of eleven since
// 2017. What changed then stands as data in plan.go, so that a number in an old notebook and the one on today's display are one.
package telephone

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Limits of what is read.
const (
	MaxText      = 64 // bytes of a number as written
	maxExtension = 6  // digits
	minForeign   = 7  // digits with the country's code; the shortest numbers of small countries
	maxE164      = 15 // digits with the country's code: ITU-T E.164
)

// Kind of a number.
type Kind string

// The kinds.
const (
	Mobile   Kind = "mobile"
	Landline Kind = "landline"
	Short    Kind = "short" // a service's: 1022, 113, 1900 1234; not dialled from abroad
	Foreign  Kind = "foreign"
)

// Number is a telephone number. Two are the same subscriber's where their E164 is the same, whatever the extension. The zero Number is
// none.
type Number struct {
	kind      Kind
	digits    string // with the country's code; of a Short as dialled
	extension string
}

// Parse reads a number as it is written: with +84, 84, 0084 or 0 before it, or without the 0 that spreadsheets drop; with spaces, dots,
// dashes, parentheses and slashes within it; in full-width digits; with an extension after "máy lẻ", "lẻ", "ext", "x" or "#"; by a
// prefix that was changed since. Invalid "telephone_invalid", which does not repeat what was written.
func Parse(text string) (Number, error) {
	if len(text) > MaxText {
		return Number{}, invalid()
	}
	main, extension, ok := split(norm.NFKC.String(text))
	if !ok {
		return Number{}, invalid()
	}
	digits, plus, ok := bare(main)
	if !ok {
		return Number{}, invalid()
	}
	n, ok := read(digits, plus)
	if !ok {
		return Number{}, invalid()
	}
	n.extension = extension
	return n, nil
}

func invalid() error { return fault.New(fault.Invalid, "telephone_invalid") }

// bare leaves the digits, and tells whether a plus came first.
func bare(text string) (digits string, plus, ok bool) {
	text = strings.TrimSpace(text)
	for _, scheme := range schemes() {
		if len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			text = text[len(scheme):]
		}
	}
	text = strings.TrimSpace(text)
	if rest, found := strings.CutPrefix(strings.TrimPrefix(text, "("), "+"); found {
		text, plus = rest, true
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case !strings.ContainsRune(between, r):
			return "", false, false
		}
	}
	return b.String(), plus, b.Len() > 0
}

// between are the characters that may stand between digits; they mean nothing. NFKC made others of them already.
const between = " \t.-()/·‐‑‒–—'"

func schemes() []string { return []string{"tel:", "sip:"} }

// split cuts off an extension.
func split(text string) (main, extension string, ok bool) {
	lower := strings.ToLower(text)
	if len(lower) != len(text) { // letters whose lower case is longer; no number has them
		return "", "", false
	}
	for _, word := range extensionWords() {
		at := strings.Index(lower, word)
		if at < 0 {
			continue
		}
		digits, plus, ok := bare(strings.Trim(text[at+len(word):], " .:"))
		if !ok || plus || len(digits) > maxExtension {
			return "", "", false
		}
		return strings.TrimRight(text[:at], " ,;("), digits, true
	}
	return text, "", true
}

// read tells what number digits are.
func read(digits string, plus bool) (Number, bool) {
	if rest, ok := strings.CutPrefix(digits, "00"); ok && !plus {
		digits, plus = rest, true
	}
	if plus && !strings.HasPrefix(digits, vietnam) {
		ok := len(digits) >= minForeign && len(digits) <= maxE164 && digits[0] != '0'
		return Number{kind: Foreign, digits: digits}, ok
	}
	if plus {
		return national(strings.TrimPrefix(digits[len(vietnam):], "0"))
	}
	if rest, ok := strings.CutPrefix(digits, "0"); ok {
		return national(rest)
	}
	if isShort(digits) {
		return Number{kind: Short, digits: digits}, true
	}
	if rest, ok := strings.CutPrefix(digits, vietnam); ok && len(digits) > 10 {
		return national(strings.TrimPrefix(rest, "0"))
	}
	return national(digits)
}

// national reads a number of Vietnam without the leading 0.
func national(digits string) (Number, bool) {
	digits = today(digits)
	switch {
	case len(digits) == 9 && strings.ContainsRune("35789", rune(digits[0])):
		return Number{kind: Mobile, digits: vietnam + digits}, true
	case len(digits) == 10 && digits[0] == '2':
		return Number{kind: Landline, digits: vietnam + digits}, true
	}
	return Number{}, false
}

// Kind answers what kind of number it is; "" for none.
func (n Number) Kind() Kind { return n.kind }

// Zero tells whether it is no number.
func (n Number) Zero() bool { return n.digits == "" }

// Extension answers the digits after the number; "" where none were written.
func (n Number) Extension() string { return n.extension }

// E164 is the form by which the same number is known again: "+84912345678"; of a Short, which has no such form, its digits "1022".
// The extension is not in it. "" for none.
func (n Number) E164() string {
	if n.kind == Short || n.Zero() {
		return n.digits
	}
	return "+" + n.digits
}

// LastFour answers the last four digits, which a caller says or a display shows; fewer where it has fewer.
func (n Number) LastFour() string { return n.digits[max(len(n.digits)-4, 0):] }

// Shown is the number as people in Vietnam read it, grouped: "0912 345 678", "024 3825 1234", "1900 1234", "+12025550123"; an extension
// comes after " #". Parse reads it as the same number.
func (n Number) Shown() string {
	var shown string
	switch n.kind {
	case Mobile:
		shown = grouped("0"+n.digits[len(vietnam):], 4, 3)
	case Landline:
		rest := n.digits[len(vietnam):]
		if isLongCity(rest) {
			shown = grouped("0"+rest, 3, 4)
		} else {
			shown = grouped("0"+rest, 4, 3)
		}
	case Short:
		shown = n.digits
		switch len(shown) {
		case 8:
			shown = grouped(shown, 4, 4)
		case 10:
			shown = grouped(shown, 4, 3)
		}
	case Foreign:
		shown = n.E164()
	}
	if n.extension != "" {
		shown += " #" + n.extension
	}
	return shown
}

// String shows nothing but the last digits, so that a number that is printed by mistake tells little.
func (n Number) String() string {
	if n.Zero() {
		return ""
	}
	return "…" + n.LastFour()
}

// grouped writes a first group and a second with a space after each, and the rest.
func grouped(digits string, first, second int) string {
	if len(digits) <= first+second {
		return digits[:first] + " " + digits[first:]
	}
	return digits[:first] + " " + digits[first:first+second] + " " + digits[first+second:]
}
