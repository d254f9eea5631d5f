package server

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// proxies are the networks whose word on where a request came from is believed.
type proxies []netip.Prefix

// parseProxies reads networks and addresses separated by commas.
func parseProxies(text string) (proxies, error) {
	var trusted proxies
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			address, addressErr := netip.ParseAddr(part)
			if addressErr != nil {
				return nil, fmt.Errorf("-trusted-proxies: %w", err)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		trusted = append(trusted, prefix.Masked())
	}
	return trusted, nil
}

func (p proxies) trust(address string) bool {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for _, prefix := range p {
		if prefix.Contains(parsed.Unmap()) {
			return true
		}
	}
	return false
}

// address is where a request came from: the nearest address on the way that is not a trusted proxy's. What stands before it
// in X-Forwarded-For could have been written by anybody.
func (p proxies) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	way := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(way) - 1; i >= 0 && p.trust(host); i-- {
		before := strings.TrimSpace(way[i])
		if _, err := netip.ParseAddr(before); err != nil {
			break
		}
		host = before
	}
	return host
}

// secure tells whether a trusted proxy says that the visitor came to it over TLS.
func (p proxies) secure(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && p.trust(host) && r.Header.Get("X-Forwarded-Proto") == "https"
}
