package cases

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

func (t typed) has(name, value string) bool {
	for _, one := range t[name] {
		if one == value {
			return true
		}
	}
	return false
}
