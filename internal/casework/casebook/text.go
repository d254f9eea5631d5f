package casebook

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
)

// tidy answers text as it is kept: NFC, trimmed, on one line unless it may have several. Invalid with "field" and "limit":
// "casebook_text_long", "casebook_text_unreadable".
func tidy(field, text string, limit int, lines bool) (string, error) {
	if len(text) > 8*limit {
		return "", fault.New(fault.Invalid, "casebook_text_long", "field", field, "limit", limit)
	}
	if !utf8.ValidString(text) {
		return "", fault.New(fault.Invalid, "casebook_text_unreadable", "field", field)
	}
	text = norm.NFC.String(strings.ReplaceAll(text, "\r\n", "\n"))
	if !lines {
		text = strings.Join(strings.Fields(text), " ")
	}
	text = strings.TrimSpace(text)
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return "", fault.New(fault.Invalid, "casebook_text_unreadable", "field", field)
	}
	if utf8.RuneCountInString(text) > limit {
		return "", fault.New(fault.Invalid, "casebook_text_long", "field", field, "limit", limit)
	}
	return text, nil
}
