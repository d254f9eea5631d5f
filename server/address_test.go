package server

import (
	"net/http"
	"testing"
)

func TestAddressBehindProxies(t *testing.T) {
	trusted, err := parseProxies("10.0.0.0/8, 127.0.0.1 ::1")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, remote, want string
		forwarded          []string
	}{
		{"nobody in front", "203.0.113.9:1", "203.0.113.9", nil},
		{"a stranger's word is not believed", "203.0.113.9:1", "203.0.113.9", []string{"198.51.100.1"}},
		{"one proxy", "10.1.2.3:1", "198.51.100.1", []string{"198.51.100.1"}},
		{"what the citizen wrote before it is not believed", "10.1.2.3:1", "198.51.100.1", []string{"6.6.6.6, 198.51.100.1"}},
		{"two proxies", "127.0.0.1:1", "198.51.100.1", []string{"6.6.6.6, 198.51.100.1", "10.9.9.9"}},
		{"nonsense", "10.1.2.3:1", "10.1.2.3", []string{"<script>"}},
		{"IPv6", "[::1]:1", "2001:db8::7", []string{"2001:db8::7"}},
		{"no header", "10.1.2.3:1", "10.1.2.3", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.forwarded}}
			if got := trusted.address(r); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	if _, err := parseProxies("10.0.0.0/8,proxy.example"); err == nil {
		t.Error("a name was taken for a network")
	}
}
