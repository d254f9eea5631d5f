package webtest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Visitor asks for pages without a browser, for tests of what is sent and answered. It keeps cookies and follows no redirect.
type Visitor struct {
	t      testing.TB
	base   string
	Client *http.Client
	Header http.Header // sent with every request
}

// Answer is what a visitor was answered.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Location is where a redirect leads, "" where there is none.
func (a Answer) Location() string { return a.Header.Get("Location") }

// Cookie is a cookie as it was set by this answer, nil where it was not.
func (a Answer) Cookie(name string) *http.Cookie {
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Visitor answers one with a session of its own; "" = nobody signed in.
func (p *Program) Visitor(t testing.TB, who Who) *Visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	v := &Visitor{t: t, base: p.HTTP, Header: http.Header{}, Client: &http.Client{
		Jar: jar, Transport: transport, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if who != "" {
		v.SetCookie(cookie, p.SignIn(t, who))
	}
	return v
}

// SetCookie gives the visitor a cookie, as a copied session would.
func (v *Visitor) SetCookie(name, value string) {
	v.t.Helper()
	base, err := url.Parse(v.base)
	if err != nil {
		v.t.Fatal(err)
	}
	v.Client.Jar.SetCookies(base, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// Get asks for a page.
func (v *Visitor) Get(path string) Answer {
	v.t.Helper()
	return v.Do(v.Request(http.MethodGet, path, nil))
}

// Post sends a form.
func (v *Visitor) Post(path string, form url.Values) Answer {
	v.t.Helper()
	return v.Do(v.Request(http.MethodPost, path, form))
}

// Request makes a request with the visitor's headers; a form makes its body.
func (v *Visitor) Request(method, path string, form url.Values) *http.Request {
	v.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header = v.Header.Clone()
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return request
}

// Do sends a request and reads the whole answer.
func (v *Visitor) Do(request *http.Request) Answer {
	v.t.Helper()
	response, err := v.Client.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatalf("%s %s: %v", request.Method, request.URL, err)
	}
	return Answer{response.StatusCode, response.Header, string(body)}
}
