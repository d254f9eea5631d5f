package screen

import (
	"net"
	"net/http"
	"strings"
)

// policy allows what this program serves and nothing inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; media-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded refuses what a page of somebody else could have asked for: another Host (a name that was made to point here), another
// Origin, a request that the browser says came from elsewhere, or a change that does not say where it came from.
func (s *Screen) guarded(next http.Handler) http.Handler {
	_, port, _ := net.SplitHostPort(s.Addr())
	hosts := map[string]bool{s.Addr(): true, "127.0.0.1:" + port: true, "localhost:" + port: true}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		harden(w.Header())
		if !hosts[strings.ToLower(r.Host)] || !cameFromHere(r) {
			http.Error(w, "403", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func harden(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // without it forms say "Origin: null"
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Cache-Control", "no-store")
}

// cameFromHere tells whether a request is this page's own, or somebody's who opened it. Programs, which say nothing of the kind, may
// read; what they may change asks for a token.
func cameFromHere(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
		return false
	}
	reading := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin":
		return true
	case "none":
		return reading
	case "":
		return reading || r.Header.Get("Origin") != "" || r.Header.Get("Authorization") != ""
	}
	return false
}
