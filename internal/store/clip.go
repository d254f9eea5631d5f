package store

import "unicode/utf8"

// Clip cuts a text that is kept to so many bytes, between letters; one that was cut ends with "…", which comes on top.
func Clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}
