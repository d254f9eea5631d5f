package uplink_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// certificate is one of a name, by itself, from a time to a time.
func certificate(t *testing.T, name string, from, to time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// encrypted serves the office over TLS and answers its address.
func encrypted(t *testing.T, o *office, c tls.Certificate) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&c)))
	pb.RegisterDeviceServiceServer(server, o)
	pb.RegisterRatingServiceServer(server, o)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() { server.Stop(); serving.Wait() })
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return "https://localhost:" + port
}

// portal answers everything with a page, as the network of a hotel does.
func portal(t *testing.T, status int) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html>Đăng nhập Wi-Fi</html>"))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestWhatHindersIsToldApart(t *testing.T) {
	o := newOffice(t)
	now := time.Now()
	good, goodRoots := certificate(t, "localhost", now.Add(-time.Hour), now.Add(time.Hour))
	expired, expiredRoots := certificate(t, "localhost", now.Add(-2*time.Hour), now.Add(-time.Hour))
	early, earlyRoots := certificate(t, "localhost", now.Add(24*time.Hour), now.Add(48*time.Hour))
	other, otherRoots := certificate(t, "other.example.vn", now.Add(-time.Hour), now.Add(time.Hour))
	plainPortal, refusing, securedPortal := portal(t, http.StatusOK), portal(t, http.StatusUnauthorized), portal(t, http.StatusOK)
	plainPortal.Start()
	refusing.Start()
	securedPortal.Config.ErrorLog = log.New(io.Discard, "", 0)
	securedPortal.StartTLS()
	portalRoots := x509.NewCertPool()
	portalRoots.AddCert(securedPortal.Certificate())
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	_ = closed.Close()
	for _, test := range []struct {
		name, server, trouble string
		roots                 *x509.CertPool
	}{
		{"all is well", encrypted(t, o, good), "", goodRoots},
		{"nobody known signed the certificate", encrypted(t, o, good), uplink.TroubleCertificate, nil},
		{"an expired certificate", encrypted(t, o, expired), uplink.TroubleCertificate, expiredRoots},
		{"a certificate that has not begun", encrypted(t, o, early), uplink.TroubleClock, earlyRoots},
		{"another's certificate", encrypted(t, o, other), uplink.TroubleCertificate, otherRoots},
		{"nobody there", "https://" + nobody, uplink.TroubleUnreachable, nil},
		{"a portal", plainPortal.URL, uplink.TroublePortal, nil},
		{"a portal that refuses", refusing.URL, uplink.TroublePortal, nil},
		{"a portal without encryption where there must be some", "https" + strings.TrimPrefix(plainPortal.URL, "http"), uplink.TroublePortal, nil},
		{"a portal with a certificate of its own", securedPortal.URL, uplink.TroublePortal, nil},
		{"a web server that is believed", securedPortal.URL, uplink.TroublePortal, portalRoots},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			j := open(t, o, "")
			_, code := o.make()
			if err := uplink.NewCalls(j, o.connection, o.manual).Enroll(t.Context(), code); err != nil {
				t.Fatal(err)
			}
			up, err := uplink.New(t.Context(), uplink.Options{Journal: j, Server: test.server, Roots: test.roots, Clock: o.manual})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { _ = up.Run(ctx) })
			defer running.Wait()
			defer cancel()
			for deadline := time.After(20 * time.Second); ; {
				changed := up.Changed()
				if state := up.State(); state.Trouble != "" || state.Connected {
					if state.Trouble != test.trouble || state.Connected != (test.trouble == "") {
						t.Errorf("state %+v, want %q", state, test.trouble)
					}
					break
				}
				select {
				case <-changed:
				case <-deadline:
					t.Fatal("nothing is said")
				}
			}
			if _, err := j.Append(t.Context(), ratings(1, 1)); err != nil { // and the queue goes on
				t.Error(err)
			}
			if test.trouble == "" {
				return
			}
			err = up.Enroll(t.Context(), test.server, "7F3K-9QWD-XM2P")
			told := fault.Of(err)
			if told.Reason != "kioskuplink_"+test.trouble || strings.HasPrefix(language.Vietnamese.Text("fault."+told.Reason), "fault.") {
				t.Errorf("who enrols is told %v", err)
			}
		})
	}
}

func TestOnlyAServersAddressIsTaken(t *testing.T) {
	o := newOffice(t)
	for server, reason := range map[string]string{
		"https://hailong.example.vn": "", "https://hailong.example.vn:9090/": "", "http://127.0.0.1:9090": "", "http://localhost:9090": "", "http://[::1]:9090": "",
		"http://hailong.example.vn": "kioskuplink_server_plain", "http://10.0.0.1:9090": "kioskuplink_server_plain",
		"hailong.example.vn": "", "hailong.example.vn:9090": "", "127.0.0.1:9090": "", "localhost:9090": "", "hailong .vn": "kioskuplink_server_wrong", "ftp://x": "kioskuplink_server_wrong", "https://": "kioskuplink_server_wrong",
		"https://a:b@hailong.example.vn": "kioskuplink_server_wrong", "https://x/path": "kioskuplink_server_wrong", "https://x:port": "kioskuplink_server_wrong",
	} {
		_, err := uplink.New(t.Context(), uplink.Options{Journal: open(t, o, ""), Server: server})
		if err == nil && reason != "" || err != nil && fault.Of(err).Reason != reason {
			t.Errorf("%s: %v, want %q", server, err, reason)
		}
	}
	up, err := uplink.New(t.Context(), uplink.Options{Journal: open(t, o, "")})
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Enroll(t.Context(), "", "7F3K-9QWD-XM2P"); fault.Of(err).Reason != "kioskuplink_server_missing" {
		t.Errorf("without a server: %v", err)
	}
}
