package signin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

var right = form("name", "admin", "password", webtest.Password)

func TestSessionCookie(t *testing.T) {
	p := behindProxy(t)
	overTLS, certificates := startTLS(t)
	for _, c := range []struct {
		name, proto string
		visitor     *webtest.Visitor
		cookie      string
		secure      bool
	}{
		{"plain HTTP", "", p.Visitor(t, ""), "hailong_session", false},
		{"a proxy that speaks TLS", "https", p.Visitor(t, ""), "__Host-hailong_session", true},
		{"a proxy that does not", "http", p.Visitor(t, ""), "hailong_session", false},
		{"no proxy to believe", "https", webtest.Shared(t).Visitor(t, ""), "hailong_session", false},
		{"TLS", "", trusting(overTLS.Visitor(t, ""), certificates), "__Host-hailong_session", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.proto != "" {
				c.visitor.Header.Set("X-Forwarded-Proto", c.proto)
				c.visitor.Header.Set("X-Forwarded-For", "198.51.100.7")
			}
			answer := c.visitor.Post("/sign-in", right)
			got := answer.Cookie(c.cookie)
			if got == nil {
				t.Fatalf("answered %d with %q", answer.Status, answer.Header["Set-Cookie"])
			}
			if !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Secure != c.secure || got.Path != "/" || got.Domain != "" || !got.Expires.After(time.Now()) {
				t.Errorf("the cookie is %q", got.Raw)
			}
			c.visitor.Header.Set("Cookie", got.Name+"="+got.Value)
			if answer := c.visitor.Get("/account"); answer.Status != http.StatusOK {
				t.Errorf("then %d", answer.Status)
			}
			ended := c.visitor.Post("/sign-out", form()).Cookie(c.cookie)
			if ended == nil || ended.MaxAge >= 0 || ended.Value != "" || ended.Secure != c.secure {
				t.Errorf("signing out answers %v", ended)
			}
		})
	}
	// Over TLS the cookie that plain HTTP could have set counts for nothing.
	planted := p.Visitor(t, webtest.Administrator)
	planted.Header.Set("X-Forwarded-Proto", "https")
	planted.Header.Set("X-Forwarded-For", "198.51.100.7")
	if answer := planted.Get("/account"); answer.Status != http.StatusUnauthorized {
		t.Errorf("a cookie of plain HTTP is answered %d over TLS", answer.Status)
	}
}

// startTLS starts a program that speaks TLS with a certificate of its own.
func startTLS(t *testing.T) (*webtest.Program, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	pool.AppendCertsFromPEM(certificate)
	folder := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, private := write("cert.pem", certificate), write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	return webtest.Start(t, webtest.Bare(), webtest.Change(func(c *server.Config) { c.TLSCert, c.TLSKey = cert, private })), pool
}

func trusting(v *webtest.Visitor, pool *x509.CertPool) *webtest.Visitor {
	if transport, ok := v.Client.Transport.(*http.Transport); ok {
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}
	}
	return v
}

// hostile are addresses that try to lead to another site after the sign-in.
var hostile = []string{
	"https://evil.example/", "http:evil.example", "//evil.example", "///evil.example", `/\evil.example`, `\/evil.example`,
	"/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", " //evil.example", "/\x00/evil.example", "/\u0085/evil.example",
	"javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "@evil.example", "/..//evil.example", "/%2f/evil.example", "/%09/evil.example",
	"/a\r\nSet-Cookie: x=1",
}

func TestNoNextLeavesTheSite(t *testing.T) {
	p := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	for _, next := range hostile {
		t.Run(url.QueryEscape(next), func(t *testing.T) {
			v := p.Visitor(t, "")
			shown := v.Get("/sign-in?" + form("next", next).Encode())
			if strings.Contains(shown.Body, `href="//`) || strings.Contains(shown.Body, `action="//`) || strings.Contains(shown.Body, `action="http`) {
				t.Errorf("the page leads away:\n%s", shown.Body)
			}
			answer := v.Post("/sign-in", form("name", "lãnh đạo", "password", webtest.Password, "next", next))
			if answer.Status != http.StatusSeeOther || len(answer.Header["Set-Cookie"]) != 1 {
				t.Fatalf("answered %d with %q", answer.Status, answer.Header["Set-Cookie"])
			}
			page := page.In(t)
			page.Go(p.HTTP + "/sign-in") // a browser resolves an address as browsers do
			led := browser.Eval[string](page, "new URL("+quoted(answer.Location())+", location.href).origin")
			if led != p.HTTP {
				t.Errorf("%q leads to %s by %q", next, led, answer.Location())
			}
			if !strings.HasPrefix(next, "/\t") && !strings.HasPrefix(next, "//") { // the others would only take time
				return
			}
			// A form that waits behind the sign-in is sent to the same site, too.
			kept := v.Post("/sign-in", form("name", "lãnh đạo", "password", webtest.Password, "next", next, "kept.reason", "đã nắm"))
			action := regexp.MustCompile(`<form method="post" action="([^"]*)" class="card">`).FindStringSubmatch(kept.Body)
			if action == nil {
				t.Fatalf("no form that goes on in\n%s", kept.Body)
			}
			if led := browser.Eval[string](page, "new URL("+quoted(action[1])+", location.href).origin"); led != p.HTTP {
				t.Errorf("%q leads a form to %s by %q", next, led, action)
			}
		})
	}
}

func TestNextComesBack(t *testing.T) {
	p := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	wanted := p.HTTP + "/follow-ups?from=2026-01-01&unit=" + p.Ward
	if status := page.Go(wanted); status != http.StatusUnauthorized {
		t.Errorf("answered %d", status)
	}
	page.Fill("#name", "lãnh đạo")
	page.Fill("#password", webtest.Password)
	if status := page.Submit("text=Đăng nhập"); status != http.StatusOK || page.URL() != wanted {
		t.Errorf("%d at %s, wanted %s", status, page.URL(), wanted)
	}
}

// quoted is a text as JavaScript writes it.
func quoted(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text
	}
	return string(encoded)
}
