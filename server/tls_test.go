package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// authority signs certificates for 127.0.0.1.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert, a.key = a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Tỉnh thử"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	})
	return a
}

func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// issue answers a certificate and its key as PEM.
func (a *authority) issue(serial int64) (certPEM, keyPEM []byte) {
	a.t.Helper()
	cert, key := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "hailong"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	})
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

func (a *authority) client() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// serials are the serial numbers of the certificates a new connection is shown over gRPC and over HTTPS, after each answered a call.
func (a *authority) serials(s *running) (overGRPC, overHTTPS int64) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), time.Minute)
	defer cancel()
	shown := func(into *int64) *tls.Config {
		config := a.client()
		config.VerifyConnection = func(state tls.ConnectionState) error {
			*into = state.PeerCertificates[0].SerialNumber.Int64()
			return nil
		}
		return config
	}
	conn, err := grpc.NewClient(s.grpc, grpc.WithTransportCredentials(credentials.NewTLS(shown(&overGRPC))))
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := pb.NewIdentityServiceClient(conn).CreateSession(ctx, &pb.CreateSessionRequest{Name: "admin", Password: adminPassword}); err != nil {
		a.t.Fatalf("gRPC over TLS: %v", err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: shown(&overHTTPS), DisableKeepAlives: true, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.http+"/readyz", http.NoBody)
	if err != nil {
		a.t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		a.t.Fatalf("HTTPS: %v", err)
	}
	if _ = response.Body.Close(); response.StatusCode != http.StatusOK {
		a.t.Fatalf("HTTPS: %s", response.Status)
	}
	return overGRPC, overHTTPS
}

func (a *authority) want(s *running, serial int64) {
	a.t.Helper()
	if overGRPC, overHTTPS := a.serials(s); overGRPC != serial || overHTTPS != serial {
		a.t.Errorf("gRPC shows certificate %d, HTTPS %d, want %d", overGRPC, overHTTPS, serial)
	}
}

func TestTLS(t *testing.T) {
	var clock shiftedClock
	a, folder := newAuthority(t), t.TempDir()
	certFile, keyFile := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	write := func(path string, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		clock.forward(lookEvery) // the next connection looks at the files again
	}
	cert, key := a.issue(100)
	write(certFile, cert)
	write(keyFile, key)
	s := start(t, Config{TLSCert: certFile, TLSKey: keyFile, Clock: clock.now})
	if !strings.HasPrefix(s.http, "https://") {
		t.Errorf("the line for programs says %s", s.http)
	}
	a.want(s, 100)

	// A connection that stands is not disturbed by what follows.
	standing, err := grpc.NewClient(s.grpc, grpc.WithTransportCredentials(credentials.NewTLS(a.client())))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = standing.Close() }()
	session, err := pb.NewIdentityServiceClient(standing).CreateSession(t.Context(), &pb.CreateSessionRequest{Name: "admin", Password: adminPassword})
	if err != nil {
		t.Fatal(err)
	}

	renewed, renewedKey := a.issue(200)
	for _, step := range []struct {
		name   string
		path   string
		text   []byte
		serial int64
	}{
		{"half of the certificate", certFile, renewed[:len(renewed)/2], 100},
		{"an empty certificate", certFile, nil, 100},
		{"the certificate without its key yet", certFile, renewed, 100},
		{"half of the key", keyFile, renewedKey[:len(renewedKey)/3], 100},
		{"both whole", keyFile, renewedKey, 200},
	} {
		t.Run(step.name, func(t *testing.T) {
			write(step.path, step.text)
			on := *a
			on.t = t
			on.want(s, step.serial)
		})
	}
	t.Run("the files are gone", func(t *testing.T) {
		if err := os.Remove(certFile); err != nil {
			t.Fatal(err)
		}
		clock.forward(lookEvery)
		on := *a
		on.t = t
		on.want(s, 200)
	})
	t.Run("and come back, put in place by a rename", func(t *testing.T) {
		third, thirdKey := a.issue(300)
		write(keyFile, thirdKey)
		write(certFile+".new", third)
		if err := os.Rename(certFile+".new", certFile); err != nil {
			t.Fatal(err)
		}
		on := *a
		on.t = t
		on.want(s, 300)
	})
	if _, err := pb.NewIdentityServiceClient(standing).GetSession(bearer(t.Context(), session.GetToken()), &pb.GetSessionRequest{}); err != nil {
		t.Errorf("the connection that stood: %v", err)
	}
	t.Run("without TLS nothing is told", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := pb.NewIdentityServiceClient(s.conn).CreateSession(ctx, &pb.CreateSessionRequest{Name: "admin", Password: adminPassword}); err == nil {
			t.Error("answered over a plain connection")
		}
	})
}

func TestTLSThatCannotBeIsToldAtStart(t *testing.T) {
	folder := t.TempDir()
	a := newAuthority(t)
	cert, key := a.issue(1)
	other, _ := a.issue(2)
	paths := map[string]string{}
	for name, text := range map[string][]byte{"cert": cert, "key": key, "other": other, "half": cert[:len(cert)/2]} {
		paths[name] = filepath.Join(folder, name+".pem")
		if err := os.WriteFile(paths[name], text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	missing := filepath.Join(folder, "missing.pem")
	for _, c := range []struct{ name, cert, key, told string }{
		{"a certificate without a key", paths["cert"], "", "-tls-key"},
		{"a key without a certificate", "", paths["key"], "-tls-cert"},
		{"no such certificate", missing, paths["key"], missing},
		{"no such key", paths["cert"], missing, missing},
		{"the key of another", paths["other"], paths["key"], "certificate"},
		{"half a certificate", paths["half"], paths["key"], "certificate"},
		{"the two swapped", paths["key"], paths["cert"], "certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var out strings.Builder
			err := Run(ctx, Config{GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: t.TempDir(), TLSCert: c.cert, TLSKey: c.key,
				AdminPassword: adminPassword, Stdout: &out, Stderr: testLog{t}})
			if err == nil || !strings.Contains(err.Error(), c.told) {
				t.Errorf("%v, want words with %q", err, c.told)
			}
			if out.Len() > 0 {
				t.Errorf("said to be ready: %s", out.String())
			}
		})
	}
}
