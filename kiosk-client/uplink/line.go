package uplink

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
)

// address is a server's.
type address struct {
	host  string // with its port
	name  string // without
	plain bool
}

// parseServer reads https://host:port. Without encryption (http://) only this machine itself is spoken to, unless that is allowed.
func parseServer(server string, allowPlain bool) (address, error) {
	wrong := fault.New(fault.Invalid, "kioskuplink_server_wrong", "server", server)
	server = strings.TrimSpace(server)
	if server != "" && !strings.Contains(server, "://") { // as people type it
		here := "https://"
		if host, _, err := net.SplitHostPort(server); err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback()) {
			here = "http://"
		}
		server = here + server
	}
	u, err := url.Parse(server)
	if err != nil {
		return address{}, wrong.Because(err)
	}
	if u.Hostname() == "" || u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return address{}, wrong
	}
	a := address{name: u.Hostname(), plain: u.Scheme == "http"}
	port := u.Port()
	switch u.Scheme {
	case "https":
		port = cmp.Or(port, "443")
	case "http":
		port = cmp.Or(port, "80")
		ip := net.ParseIP(a.name)
		if !allowPlain && a.name != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return address{}, fault.New(fault.Invalid, "kioskuplink_server_plain", "server", server)
		}
	default:
		return address{}, wrong
	}
	a.host = net.JoinHostPort(a.name, port)
	return a, nil
}

// line is a connection that remembers why a handshake failed: gRPC tells that in words only.
type line struct {
	conn *grpc.ClientConn
	mu   sync.Mutex
	last error
}

func (l *line) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = err
}

func (l *line) handshake() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

func (l *line) close() { _ = l.conn.Close() }

func (u *Uplink) dial(a address) (*line, error) {
	l := &line{}
	var transport credentials.TransportCredentials
	if a.plain {
		transport = insecure.NewCredentials()
	} else {
		transport = &remembering{credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, ServerName: a.name, RootCAs: u.options.Roots}), l}
	}
	options := append([]grpc.DialOption{grpc.WithTransportCredentials(transport),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 20 * time.Second})}, u.options.Dial...)
	var err error
	if l.conn, err = grpc.NewClient("dns:///"+a.host, options...); err != nil {
		return nil, fault.New(fault.Invalid, "kioskuplink_server_wrong", "server", a.host).Because(err)
	}
	return l, nil
}

// remembering are credentials whose last handshake can be asked for.
type remembering struct {
	credentials.TransportCredentials
	line *line
}

func (r *remembering) ClientHandshake(ctx context.Context, name string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	secured, info, err := r.TransportCredentials.ClientHandshake(ctx, name, conn)
	r.line.failed(err)
	return secured, info, err
}

func (r *remembering) Clone() credentials.TransportCredentials {
	return &remembering{r.TransportCredentials.Clone(), r.line}
}

// finding is what a failure means.
type finding struct {
	trouble string // empty where the server answered, and refused this call alone
	reason  string // the server's own code, such as "device_revoked"
}

// classify tells what a failed call means. Only a server of ours tells a reason; a portal that answers 401 is no refusal.
func classify(err error, l *line) finding {
	if err == nil || errors.Is(err, journal.ErrNotEnrolled) {
		return finding{}
	}
	var typed *fault.Error
	if errors.As(err, &typed) {
		return finding{}
	}
	s, isStatus := status.FromError(err)
	if !isStatus {
		return finding{trouble: TroubleUnreachable}
	}
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == "hailong" {
			return finding{ofReason(info.GetReason(), s.Code()), info.GetReason()}
		}
	}
	if s.Code() == codes.Unavailable && l != nil {
		if trouble := ofHandshake(l.handshake()); trouble != "" {
			return finding{trouble: trouble}
		}
	}
	if speaksNoGRPC(s.Message()) {
		return finding{trouble: TroublePortal}
	}
	if s.Code() == codes.Unauthenticated {
		return finding{trouble: TroubleUnauthenticated}
	}
	if s.Code() == codes.Unavailable || s.Code() == codes.DeadlineExceeded || s.Code() == codes.Unimplemented {
		return finding{trouble: TroubleUnreachable}
	}
	return finding{}
}

func ofReason(reason string, code codes.Code) string {
	switch {
	case reason == "device_revoked":
		return TroubleRevoked
	case code == codes.Unauthenticated:
		return TroubleUnauthenticated
	case code == codes.Unavailable:
		return TroubleUnreachable
	}
	return ""
}

// ofHandshake tells what a failed handshake means.
func ofHandshake(err error) string {
	var record tls.RecordHeaderError // an answer in plain text
	var invalid x509.CertificateInvalidError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var any *tls.CertificateVerificationError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &record):
		return TroublePortal
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil && time.Now().Before(invalid.Cert.NotBefore):
		return TroubleClock // the certificate has not begun: the device's clock has lost its battery
	case errors.As(err, &invalid), errors.As(err, &authority), errors.As(err, &name), errors.As(err, &any):
		return TroubleCertificate
	case strings.Contains(err.Error(), "ALPN"), strings.Contains(err.Error(), "no application protocol"): // a web server that knows no HTTP/2
		return TroublePortal
	}
	return ""
}

// speaksNoGRPC tells from gRPC's own words that something else answered; there is no code for it.
func speaksNoGRPC(message string) bool {
	for _, words := range []string{
		"unexpected HTTP status code", "unexpected content-type", "missing HTTP content-type", "malformed header",
		"error reading server preface", "looked like an HTTP/1.1 header",
	} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}
