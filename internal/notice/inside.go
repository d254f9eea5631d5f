package notice

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
)

// poster sends to webhooks. Whoever may make a webhook must not reach, through us, what only we can reach: addresses of this machine, of the networks
// inside, of a cloud's own services. That is asked of the very address that is being connected to, after the name was looked up, so a name that
// leads outside when it is checked and inside when it is used gains nothing.
type poster struct {
	allowed []netip.Prefix // inside, and allowed all the same
	lookup  func(ctx context.Context, host string) ([]netip.Addr, error)
	client  *http.Client
	within  time.Duration // from the first byte to the last
}

const (
	postWithin = 10 * time.Second
	maxAnswer  = 64 << 10 // bytes read of an answer
)

var errInside = errors.New("the address leads inside")

func newPoster(allowed []netip.Prefix) poster {
	p := poster{allowed: allowed, within: postWithin, lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	}}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || p.inside(at.Addr()) {
			return errInside
		}
		return nil
	}}
	p.client = &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, Proxy: nil, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 5 * time.Second,
			MaxResponseHeaderBytes: maxAnswer, DisableCompression: true, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return p
}

// reserved are the addresses that are nobody's outside, or lead inside by another spelling (RFC 6890 and those it was amended by).
func reserved() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
		"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
	} {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// inside tells whether an address must not be connected to.
func (p poster) inside(at netip.Addr) bool {
	at = at.Unmap().WithZone("")
	within := func(prefix netip.Prefix) bool { return prefix.Contains(at) }
	if slices.ContainsFunc(p.allowed, within) {
		return false
	}
	return !at.IsValid() || at.IsLoopback() || at.IsPrivate() || at.IsUnspecified() || at.IsMulticast() || at.IsLinkLocalUnicast() || slices.ContainsFunc(reserved(), within)
}

// checkURL answers an address as it is kept. A name is looked up, so that one that leads inside is refused with a clear word at once; that it cannot be found is no
// reason to refuse it. Invalid "notice_webhook_url", "notice_webhook_plain", "notice_webhook_inside".
func (p poster) checkURL(ctx context.Context, text string) (string, error) {
	text = strings.TrimSpace(text)
	parsed, err := url.Parse(text)
	if err != nil || len(text) > MaxURL || parsed.Host == "" || parsed.Hostname() == "" || parsed.User != nil || parsed.Opaque != "" || oneLine(text) != text {
		return "", fault.New(fault.Invalid, "notice_webhook_url")
	}
	if parsed.Scheme != "https" && parsed.Scheme != "http" {
		return "", fault.New(fault.Invalid, "notice_webhook_url")
	}
	parsed.Fragment, parsed.RawFragment = "", ""
	addresses := []netip.Addr{}
	if literal, err := netip.ParseAddr(parsed.Hostname()); err == nil {
		addresses = append(addresses, literal)
	} else {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		addresses, _ = p.lookup(ctx, parsed.Hostname())
	}
	if slices.ContainsFunc(addresses, p.inside) {
		return "", fault.New(fault.Invalid, "notice_webhook_inside")
	}
	// What is said is signed but not secret on the way, so only a trial on one machine does without TLS.
	elsewhere := func(at netip.Addr) bool { return !at.Unmap().IsLoopback() }
	if parsed.Scheme == "http" && (len(addresses) == 0 || slices.ContainsFunc(addresses, elsewhere)) {
		return "", fault.New(fault.Invalid, "notice_webhook_plain")
	}
	return parsed.String(), nil
}

// trial tells whether plain HTTP may go to a host: to this machine itself, where that is allowed. What is connected to is looked at again.
func (p poster) trial(host string) bool {
	loopback := netip.MustParsePrefix("127.0.0.0/8")
	at, err := netip.ParseAddr(host)
	if err != nil {
		return host == "localhost" && slices.ContainsFunc(p.allowed, loopback.Overlaps)
	}
	return at.Unmap().IsLoopback() && !p.inside(at)
}
