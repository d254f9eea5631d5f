package server

import (
	"slices"
	"testing"
)

func TestOrigins(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
		bad  bool
	}{
		"none":            {text: ""},
		"two":             {text: "https://tinh.gov.vn, http://127.0.0.1:8000", want: []string{"https://tinh.gov.vn", "http://127.0.0.1:8000"}},
		"a path":          {text: "https://tinh.gov.vn/", bad: true},
		"everything":      {text: "*", bad: true},
		"any below":       {text: "https://*.gov.vn", bad: true},
		"another scheme":  {text: "javascript://x", bad: true},
		"a second policy": {text: "https://a.vn;script-src", bad: true},
		"no scheme":       {text: "tinh.gov.vn", bad: true},
		"somebody within": {text: "https://a@b.vn", bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := origins("-embed-origins", c.text)
			if (err != nil) != c.bad || !slices.Equal(got, c.want) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}
