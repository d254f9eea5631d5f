package actions

import (
	"net/url"
	"strings"

	"github.com/hailong-vn/hailong/server/web"
)

// typed is what was sent with a form; nil = the form was not sent, and stands as it begins.
type typed url.Values

// typedBy is everything the request carries, of its address too.
func typedBy(v *web.Visit) typed {
	_ = v.R.FormValue("") // parses the form
	return typed(v.R.Form)
}

func (t typed) value(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(url.Values(t).Get(name), "\r\n", "\n"))
}

func (t typed) values(name string) []string { return t[name] }

// isoDay is a day typed as 22/11/2026, where a browser has no field for days, in the form yyyy-mm-dd; other texts are left as they are.
func isoDay(text string) string {
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == '.' || r == '-' || r == ' ' })
	if len(parts) == 3 && len(parts[2]) == 4 && len(parts[0]) <= 2 && len(parts[1]) <= 2 {
		return parts[2] + "-" + strings.Repeat("0", 2-len(parts[1])) + parts[1] + "-" + strings.Repeat("0", 2-len(parts[0])) + parts[0]
	}
	return text
}
