package casebook

import (
	"strings"
	"unicode"
)

// NormalPhone answers a Vietnamese telephone number in one form, its digits from the leading 0 on (or as a short number such as
// 19001234), however it was written: with +84, 0084 or nothing in front, with spaces, dots, dashes or brackets, in the wide digits of
// an East Asian keyboard, with an extension behind, or as one of the eleven-digit mobile numbers that were changed in 2018. false where
// it can be no number.
func NormalPhone(text string) (string, bool) {
	plus, digits := phoneDigits(text)
	foreign := false
	switch {
	case strings.HasPrefix(digits, "00"):
		foreign, digits = true, digits[2:]
	case plus:
		foreign = true
	}
	switch {
	case foreign && strings.HasPrefix(digits, "84"):
		digits = "0" + strings.TrimPrefix(digits[2:], "0") // +84 (0) 912 …
	case foreign: // of another country
		if len(digits) < 7 || len(digits) > 15 {
			return "", false
		}
		return "+" + digits, true
	case strings.HasPrefix(digits, "84") && len(digits) >= 11 && len(digits) <= 13:
		digits = "0" + strings.TrimPrefix(digits[2:], "0")
	case strings.HasPrefix(digits, "1800"), strings.HasPrefix(digits, "1900"):
		return digits, len(digits) >= 8 && len(digits) <= 10
	case len(digits) == 9 && strings.ContainsRune("35789", rune(digits[0])): // the 0 was left out, as a spreadsheet does
		digits = "0" + digits
	}
	if !strings.HasPrefix(digits, "0") {
		return "", false
	}
	digits = renumbered(digits)
	return digits, len(digits) == 10 || len(digits) == 11
}

// phoneDigits answers the digits of a number up to what is not part of it, such as an extension.
func phoneDigits(text string) (plus bool, digits string) {
	var b strings.Builder
	for _, r := range strings.TrimSpace(text) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r >= '０' && r <= '９':
			b.WriteRune(r - '０' + '0')
		case (r == '+' || r == '＋') && b.Len() == 0:
			plus = true
		case unicode.IsLetter(r) && b.Len() >= 8: // "máy lẻ 12", "ext 12"
			return plus, b.String()
		case unicode.IsLetter(r) && b.Len() > 0:
			return false, ""
		}
	}
	return plus, b.String()
}

// renumbered answers what became of an eleven-digit mobile number in September 2018.
func renumbered(digits string) string {
	if len(digits) != 11 || !strings.HasPrefix(digits, "01") {
		return digits
	}
	now := map[string]string{
		"0120": "070", "0121": "079", "0122": "077", "0126": "076", "0128": "078",
		"0123": "083", "0124": "084", "0125": "085", "0127": "081", "0129": "082",
		"0162": "032", "0163": "033", "0164": "034", "0165": "035", "0166": "036", "0167": "037", "0168": "038", "0169": "039",
		"0186": "056", "0188": "058", "0199": "059",
	}[digits[:4]]
	if now == "" {
		return digits
	}
	return now + digits[4:]
}

// phonesOf are the numbers in a field in which people write one or more, with what stands between them.
func phonesOf(text string) []string {
	var out []string
	fields := strings.FieldsFunc(strings.NewReplacer("hoặc", ";", " or ", ";", " - 0", ";0", "–", ";").Replace(text), func(r rune) bool {
		return r == '/' || r == ',' || r == ';' || r == '\n' || r == '|'
	})
	for _, field := range fields {
		if phone, ok := NormalPhone(field); ok && len(out) < maxPhones {
			out = append(out, phone)
		}
	}
	return out
}

const maxPhones = 3
