package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hailong-vn/hailong/server/web"
)

func TestPublicAddress(t *testing.T) {
	for _, c := range []struct {
		set, host, want string
		secure, here    bool
	}{
		{host: "127.0.0.1:8080", want: "http://127.0.0.1:8080", here: true},
		{host: "localhost:8080", want: "http://localhost:8080", here: true},
		{host: "LOCALHOST.", want: "http://LOCALHOST.", here: true},
		{host: "hailong.localhost", want: "http://hailong.localhost", here: true},
		{host: "[::1]:8080", want: "http://[::1]:8080", here: true},
		{host: "127.1.2.3", want: "http://127.1.2.3", here: true},
		{host: "0.0.0.0:8080", want: "http://0.0.0.0:8080", here: true},
		{host: "10.0.0.5:8080", want: "http://10.0.0.5:8080"},
		{host: "localhost.gov.vn", secure: true, want: "https://localhost.gov.vn"},
		{set: "https://danhgia.tinh.gov.vn", host: "127.0.0.1:8080", want: "https://danhgia.tinh.gov.vn"},
		{set: "http://127.0.0.1:8080/", host: "10.0.0.5", want: "http://127.0.0.1:8080", here: true},
	} {
		t.Run(c.set+" "+c.host, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.Host = c.host
			v := &web.Visit{R: r, Site: &web.Site{Config: web.Config{PublicURL: c.set, Secure: func(*http.Request) bool { return c.secure }}}}
			if got := v.PublicAddress(); got != c.want || v.OnlyHere() != c.here {
				t.Errorf("%s, only here: %t", got, v.OnlyHere())
			}
		})
	}
}
