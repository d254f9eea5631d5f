package server

import (
	"fmt"
	"net/url"
	"strings"
)

// origins reads a list of web origins such as "https://tinh.gov.vn, https://xa.gov.vn". What is not exactly an origin is refused:
// it goes into a header that browsers obey.
func origins(flag, text string) ([]string, error) {
	var list []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		parsed, err := url.Parse(part)
		if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" || part != parsed.Scheme+"://"+parsed.Host ||
			strings.ContainsAny(part, ";'\"*<>") {
			return nil, fmt.Errorf("%s: %q is no origin such as https://tinh.gov.vn", flag, part)
		}
		list = append(list, part)
	}
	return list, nil
}
