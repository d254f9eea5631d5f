package notice

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

// SMTP hands e-mail to a server. It speaks TLS: from the beginning (smtps) or by STARTTLS, without which it sends nothing, except to this very machine or
// where that is said.
type SMTP struct {
	Host     string // with port
	Name     string // for its certificate
	User     string
	Password string
	Implicit bool // TLS from the beginning
	Plain    bool // without TLS where the server has none
	From     mail.Address
	Roots    *x509.CertPool // nil = the system's
	Hello    string         // what this machine is called; "" = "localhost"
}

// Times of one mail.
const (
	dialWithin = 10 * time.Second
	mailWithin = time.Minute
)

// ParseSMTP reads an address such as "smtp://user:password@mail.example.vn:587" (STARTTLS), "smtps://…:465" (TLS), and the sender, such as
// "Một cửa <motcua@example.vn>". "?tls=off" sends in the clear. No error tells the password.
func ParseSMTP(address, from string) (*SMTP, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "smtp" && parsed.Scheme != "smtps" || parsed.Hostname() == "" || strings.Trim(parsed.Path, "/") != "" {
		return nil, errors.New("the address of the e-mail server is not like smtp://user:password@mail.example.vn:587")
	}
	sender, err := mail.ParseAddress(from)
	if err != nil || !mailAddress.MatchString(sender.Address) {
		return nil, errors.New("the sender of e-mail is not like Name <name@example.vn>")
	}
	s := &SMTP{Name: parsed.Hostname(), User: parsed.User.Username(), Implicit: parsed.Scheme == "smtps", From: *sender}
	s.Password, _ = parsed.User.Password()
	port := parsed.Port()
	if port == "" {
		if port = "587"; s.Implicit {
			port = "465"
		}
	}
	s.Host = net.JoinHostPort(s.Name, port)
	loopback, _ := netip.ParseAddr(s.Name)
	switch off := parsed.Query().Get("tls"); {
	case off != "" && (off != "off" || s.Implicit):
		return nil, errors.New("tls of the e-mail server is only ever off")
	case off == "off" || s.Name == "localhost" || loopback.IsLoopback():
		s.Plain = true
	}
	return s, nil
}

// String does not tell the password.
func (s *SMTP) String() string { return "smtp " + s.Host }

// Send hands over one mail. Errors are failures.
func (s *SMTP) Send(ctx context.Context, m Mail) error {
	body, err := m.bytes(s.From)
	if err != nil {
		return &failure{outcome: OutcomeOurs, final: true, cause: err}
	}
	ctx, cancel := context.WithTimeout(ctx, mailWithin)
	defer cancel()
	conn, err := s.dial(ctx)
	if err != nil {
		return reached(err, true)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // ends whatever is being waited for
	defer stop()
	defer func() { _ = conn.Close() }()
	return s.speak(conn, m.To, body)
}

func (s *SMTP) dial(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialWithin}
	if s.Implicit {
		return (&tls.Dialer{NetDialer: &dialer, Config: s.tls()}).DialContext(ctx, "tcp", s.Host)
	}
	return dialer.DialContext(ctx, "tcp", s.Host)
}

func (s *SMTP) tls() *tls.Config {
	return &tls.Config{ServerName: s.Name, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
}

func (s *SMTP) speak(conn net.Conn, to string, body []byte) error {
	c, err := smtp.NewClient(conn, s.Name)
	if err != nil {
		return reached(err, true)
	}
	hello := s.Hello
	if hello == "" {
		hello = "localhost"
	}
	if err := c.Hello(hello); err != nil {
		return reached(err, true)
	}
	if has, _ := c.Extension("STARTTLS"); has && !s.Implicit {
		if err := c.StartTLS(s.tls()); err != nil {
			return &failure{outcome: OutcomeTLS, down: true, cause: err}
		}
	} else if !s.Implicit && !s.Plain {
		return &failure{outcome: OutcomeTLS, down: true, cause: errors.New("the server has no STARTTLS")}
	}
	if s.User != "" {
		if err := c.Auth(s.auth(c)); err != nil {
			return &failure{outcome: OutcomeSignIn, status: smtpStatus(err), down: true, cause: withoutText(err)}
		}
	}
	if err := c.Mail(s.From.Address); err != nil {
		return reached(err, true)
	}
	if err := c.Rcpt(to); err != nil {
		return reached(err, false)
	}
	w, err := c.Data()
	if err != nil {
		return reached(err, false)
	}
	if _, err := w.Write(body); err != nil {
		return reached(err, true)
	}
	if err := w.Close(); err != nil {
		return reached(err, false)
	}
	_ = c.Quit() // it has the mail; what it says now changes nothing
	return nil
}

// auth is the way to sign in that the server offers: PLAIN, or the older LOGIN, which some have alone.
func (s *SMTP) auth(c *smtp.Client) smtp.Auth {
	_, ways := c.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(ways))
	if slices.Contains(offered, "LOGIN") && !slices.Contains(offered, "PLAIN") {
		return loginAuth{s}
	}
	return smtp.PlainAuth("", s.User, s.Password, s.Name)
}

// loginAuth signs in with a name and a password asked for one after the other.
type loginAuth struct{ server *SMTP }

func (a loginAuth) Start(info *smtp.ServerInfo) (string, []byte, error) {
	if !info.TLS && !a.server.Plain {
		return "", nil, errors.New("not without TLS")
	}
	return "LOGIN", nil, nil
}

func (a loginAuth) Next(asked []byte, more bool) ([]byte, error) {
	switch question := strings.ToLower(string(asked)); {
	case !more:
		return nil, nil
	case strings.HasPrefix(question, "user"):
		return []byte(a.server.User), nil
	case strings.HasPrefix(question, "pass"):
		return []byte(a.server.Password), nil
	}
	return nil, errors.New("the server asks for something else")
}

func smtpStatus(err error) int {
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return answer.Code
	}
	return 0
}

// withoutText keeps of a server's answer only its number: its words may hold an address.
func withoutText(err error) error {
	if code := smtpStatus(err); code != 0 {
		return fmt.Errorf("answered %d", code)
	}
	return err
}

// reached is what an error of a connection or an answer means; down tells that it concerns every mail.
func reached(err error, down bool) error {
	f := &failure{outcome: OutcomeUnreachable, status: smtpStatus(err), down: down, cause: withoutText(err)}
	var slow net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case f.status >= 500 && !down:
		f.outcome, f.final = OutcomeRefused, true
	case f.status != 0:
		f.outcome = OutcomeStatus
	case errors.As(err, &certificate):
		f.outcome = OutcomeTLS
	case errors.As(err, &slow) && slow.Timeout():
		f.outcome, f.down = OutcomeTimeout, true
	default:
		f.down = true
	}
	return f
}
