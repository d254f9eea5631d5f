package web_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/signin"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// silent is a connection behind which nothing answers.
type silent struct{}

func (silent) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return status.Error(codes.Unavailable, "dial 10.0.0.3: refused")
}

func (silent) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unavailable, "dial 10.0.0.3: refused")
}

// serve serves a site with the pages of a test.
func serve(t *testing.T, config web.Config, mount func(*web.Site)) string {
	t.Helper()
	config.Conn, config.Address = silent{}, func(r *http.Request) string { return r.RemoteAddr }
	site, err := web.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := signin.Mount(site); err != nil {
		t.Fatal(err)
	}
	mount(site)
	server := httptest.NewServer(site.Handler())
	t.Cleanup(server.Close)
	return server.URL
}

// get asks for a page without cookies. An answer that was cut off is an error.
func get(t *testing.T, address string, header ...string) (webtest.Answer, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	response, err := client.Do(request)
	if err != nil {
		return webtest.Answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return webtest.Answer{Status: response.StatusCode, Header: response.Header, Body: string(body)}, err
}

func TestPanicBecomesAPage(t *testing.T) {
	var log bytes.Buffer
	secret := "con trỏ rỗng ở /srv/hailong"
	at := serve(t, web.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(site *web.Site) {
		site.Handle("GET /broken", web.Anyone, func(*web.Visit) error { panic(secret) })
		site.Handle("GET /half", web.Anyone, func(v *web.Visit) error {
			v.W.Header().Set("Content-Type", "text/csv")
			_, _ = io.WriteString(v.W, strings.Repeat("nửa chừng\n", 10_000))
			panic(secret)
		})
		site.Handle("GET /refused", web.Anyone, func(*web.Visit) error { return io.ErrUnexpectedEOF })
	})
	for _, encoding := range []string{"gzip", "identity"} {
		for _, path := range []string{"/broken", "/refused"} {
			response, err := get(t, at+path, "Accept-Encoding", encoding)
			body := response.Body
			if err != nil || response.Status != http.StatusInternalServerError {
				t.Errorf("%s is answered %d, %v", path, response.Status, err)
			}
			if encoding == "identity" && (!strings.Contains(body, "Có lỗi trong hệ thống") || strings.Contains(body, secret) || strings.Contains(body, "EOF") || strings.Contains(body, "goroutine")) {
				t.Errorf("the page says\n%s", body)
			}
			if response.Header.Get("Content-Security-Policy") != strict {
				t.Errorf("%s has the policy %q", path, response.Header.Get("Content-Security-Policy"))
			}
		}
		if half, err := get(t, at+"/half", "Accept-Encoding", encoding); err == nil {
			t.Errorf("half an answer of %d bytes passes for a whole one", len(half.Body))
		}
	}
	if !strings.Contains(log.String(), secret) {
		t.Error("nothing is logged")
	}
}

func TestDemonstrationAccountsAreShown(t *testing.T) {
	shown := serve(t, web.Config{
		Accounts: func() []web.DemoAccount {
			return []web.DemoAccount{{Name: "lãnh đạo <thử>", Password: "xem-thử-12", Role: "leader"}}
		},
		FirstRun: func() bool { return true },
	}, func(*web.Site) {})
	page, _ := get(t, shown+"/sign-in")
	for _, want := range []string{"lãnh đạo &lt;thử&gt;", "<code>xem-thử-12</code>", "Lãnh đạo", `href="/set-up"`} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the page does not show %s:\n%s", want, page.Body)
		}
	}
	plain := serve(t, web.Config{}, func(*web.Site) {})
	if page, _ := get(t, plain+"/sign-in"); strings.Contains(page.Body, `id="demo"`) || strings.Contains(page.Body, "/set-up") {
		t.Errorf("without accounts and a first run the page shows\n%s", page.Body)
	}
}

func TestServicesThatDoNotAnswer(t *testing.T) {
	at := serve(t, web.Config{}, func(*web.Site) {})
	response, _ := get(t, at+"/account", "Cookie", "hailong_session=abc", "Accept-Encoding", "identity")
	if response.Status != http.StatusServiceUnavailable || response.Header.Get("Refresh") == "" || response.Header.Get("Retry-After") == "" {
		t.Errorf("answered %d with %v", response.Status, response.Header)
	}
	if body := response.Body; !strings.Contains(body, "Hệ thống tạm thời gián đoạn") || strings.Contains(body, "10.0.0.3") {
		t.Errorf("the page says\n%s", body)
	}
}

func TestFramesAreAllowedOnlyToWhomTheyAreGiven(t *testing.T) {
	at := serve(t, web.Config{EmbedOrigins: []string{"https://dichvucong.example.vn"}}, func(site *web.Site) {
		page := func(v *web.Visit) error { return v.ShowContinue("/", nil) }
		site.Handle("GET /framed", web.Anyone, page, web.Framed())
		site.Handle("GET /own", web.Anyone, page)
	})
	framed, _ := get(t, at+"/framed")
	own, _ := get(t, at+"/own")
	if got := framed.Header.Get("Content-Security-Policy"); !strings.HasSuffix(got, "frame-ancestors https://dichvucong.example.vn") {
		t.Errorf("a page for frames has %q", got)
	}
	if got := own.Header.Get("Content-Security-Policy"); got != strict {
		t.Errorf("another page has %q", got)
	}
}

func TestEveryKeyStandsInEveryLanguage(t *testing.T) {
	for _, kind := range []string{"not_found", "denied", "invalid", "conflict", "too_often", "too_large", "unavailable", "internal", "origin"} {
		for _, in := range language.All {
			for _, part := range []string{"title", "text"} {
				key := "web.failed." + kind + "." + part
				if got := in.Text(key); got == "" || got == key {
					t.Errorf("%s: %q in %s", key, got, in)
				}
			}
		}
	}
}
