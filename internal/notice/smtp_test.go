package notice

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
)

// postOffice is a server of e-mail as a test wants it.
type postOffice struct {
	listener    net.Listener
	certificate tls.Certificate
	roots       *x509.CertPool

	startTLS bool
	auth     string            // ways to sign in; "" = none
	answers  map[string]string // to a command, instead of success; "hang" = none at all, "close" = the end

	mu    sync.Mutex
	mails []string // as they came
	login string   // who signed in
	safe  bool     // the last mail came over TLS
}

func openPostOffice(t *testing.T, change func(*postOffice)) *postOffice {
	t.Helper()
	p := &postOffice{startTLS: true, answers: map[string]string{}}
	p.certificate, p.roots = selfSigned(t)
	if change != nil {
		change(p)
	}
	var err error
	if p.listener, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := p.listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = p.listener.Close()
		serving.Wait()
	})
	return p
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func (p *postOffice) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) // a test that fails must end too
	r := bufio.NewReader(conn)
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	read := func() string {
		line, err := r.ReadString('\n')
		if err != nil {
			return ""
		}
		return strings.TrimRight(line, "\r\n")
	}
	safe := false
	say("220 ready")
	for line := read(); line != ""; line = read() {
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		if answer := p.answers[verb]; answer != "" {
			switch answer {
			case "hang":
				_, _ = io.Copy(io.Discard, r) // until the other side goes
				return
			case "close":
				return
			}
			say(answer)
			continue
		}
		switch verb {
		case "EHLO":
			lines := []string{"hello"}
			if p.startTLS && !safe {
				lines = append(lines, "STARTTLS")
			}
			if p.auth != "" {
				lines = append(lines, "AUTH "+p.auth)
			}
			for i, l := range lines {
				if i < len(lines)-1 {
					say("250-" + l)
				} else {
					say("250 " + l)
				}
			}
		case "STARTTLS":
			say("220 go on")
			secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{p.certificate}, MinVersion: tls.VersionTLS12})
			conn, r, safe = secure, bufio.NewReader(secure), true
		case "AUTH":
			p.signIn(rest, say, read)
		case "DATA":
			say("354 go on")
			body, err := io.ReadAll(textproto.NewReader(r).DotReader())
			if err != nil {
				return
			}
			p.mu.Lock()
			p.mails, p.safe = append(p.mails, string(body)), safe
			p.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

// signIn takes whoever comes, in both ways.
func (p *postOffice) signIn(rest string, say func(string), read func() string) {
	decode := func(text string) string {
		plain, _ := base64.StdEncoding.DecodeString(text)
		return string(plain)
	}
	var who string
	if way, given, _ := strings.Cut(rest, " "); way == "PLAIN" {
		who = decode(given)
	} else {
		say("334 " + base64.StdEncoding.EncodeToString([]byte("Username:")))
		who = decode(read())
		say("334 " + base64.StdEncoding.EncodeToString([]byte("Password:")))
		who += " " + decode(read())
	}
	p.mu.Lock()
	p.login = who
	p.mu.Unlock()
	say("235 welcome")
}

func (p *postOffice) mailer(t *testing.T, address, from string) *SMTP {
	t.Helper()
	s, err := ParseSMTP(strings.ReplaceAll(address, "HOST", p.listener.Addr().String()), from)
	if err != nil {
		t.Fatal(err)
	}
	s.Roots = p.roots
	return s
}

func someMail() Mail {
	return Mail{
		To: "lan@xa.gov.vn", ID: "msg_1", Language: language.Vietnamese, At: start,
		Subject: "Cần giải trình phản ánh số 7/2026: Đặng Thị Hường chờ rất lâu ở quầy số 2, bộ phận một cửa",
		Text:    "Kính gửi bà Lan,\n.\nmột dòng\n", HTML: "<p>Kính gửi bà Lan</p>",
	}
}

const motCua = "Một cửa <motcua@xa.gov.vn>"

func TestMailIsTaken(t *testing.T) {
	for name, c := range map[string]struct {
		address string
		change  func(*postOffice)
		login   string
		plain   bool
	}{
		"STARTTLS":                {address: "smtp://HOST"},
		"signed in":               {address: "smtp://lan:m%40t@HOST", change: func(p *postOffice) { p.auth = "LOGIN PLAIN" }, login: "\x00lan\x00m@t"},
		"signed in the older way": {address: "smtp://lan:m%40t@HOST", change: func(p *postOffice) { p.auth = "LOGIN" }, login: "lan m@t"},
		"this machine, without":   {address: "smtp://HOST", change: func(p *postOffice) { p.startTLS = false }, plain: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPostOffice(t, c.change)
			if err := p.mailer(t, c.address, motCua).Send(t.Context(), someMail()); err != nil {
				t.Fatal(err)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.mails) != 1 || p.login != c.login || p.safe == c.plain {
				t.Fatalf("%d mails, signed in as %q, safe %v", len(p.mails), p.login, p.safe)
			}
			looksRight(t, p.mails[0])
		})
	}
}

func looksRight(t *testing.T, raw string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != someMail().Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	from, err := m.Header.AddressList("From")
	if err != nil || from[0].Name != "Một cửa" || from[0].Address != "motcua@xa.gov.vn" {
		t.Errorf("from %v, %v", from, err)
	}
	for name, want := range map[string]string{
		"To": "<lan@xa.gov.vn>", "Message-Id": "<msg_1@xa.gov.vn>", "Auto-Submitted": "auto-generated", "Content-Language": "vi", "Date": "Mon, 23 Nov 2026 02:00:00 +0000",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	for line := range strings.SplitSeq(raw, "\n") {
		if len(line) > 200 || strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Errorf("a line no old server takes: %q", line)
		}
	}
	_, about, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, about["boundary"])
	for _, want := range []struct{ kind, body string }{{"text/plain; charset=utf-8", "Kính gửi bà Lan,\n.\nmột dòng\n"}, {"text/html; charset=utf-8", "<p>Kính gửi bà Lan</p>"}} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part) // which undoes quoted-printable
		if got := strings.ReplaceAll(string(body), "\r\n", "\n"); err != nil || part.Header.Get("Content-Type") != want.kind || got != want.body {
			t.Errorf("%s: %q, %v", part.Header.Get("Content-Type"), got, err)
		}
	}
}

func TestMailIsNotTaken(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(*postOffice)
		mailer      func(*SMTP)
		want        Outcome
		final, down bool
	}{
		"no such person":           {change: func(p *postOffice) { p.answers["RCPT"] = "550 lan@xa.gov.vn is unknown" }, want: OutcomeRefused, final: true},
		"later":                    {change: func(p *postOffice) { p.answers["RCPT"] = "451 greylisted" }, want: OutcomeStatus},
		"the sender is not liked":  {change: func(p *postOffice) { p.answers["MAIL"] = "550 who are you" }, want: OutcomeStatus, down: true},
		"it breaks off":            {change: func(p *postOffice) { p.answers["DATA"] = "close" }, want: OutcomeUnreachable, down: true},
		"it says nothing":          {change: func(p *postOffice) { p.answers["RCPT"] = "hang" }, want: OutcomeTimeout, down: true},
		"it is not who it says":    {mailer: func(s *SMTP) { s.Roots = x509.NewCertPool() }, want: OutcomeTLS, down: true},
		"no TLS, and none allowed": {change: func(p *postOffice) { p.startTLS = false }, mailer: func(s *SMTP) { s.Plain = false }, want: OutcomeTLS, down: true},
		"it knows us not": {change: func(p *postOffice) { p.auth, p.answers["AUTH"] = "PLAIN", "535 no, lan" },
			mailer: func(s *SMTP) { s.User, s.Password = "lan", "mật" }, want: OutcomeSignIn, down: true},
		"nobody is there": {mailer: func(s *SMTP) { s.Host = "127.0.0.1:1" }, want: OutcomeUnreachable, down: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPostOffice(t, c.change)
			s := p.mailer(t, "smtp://HOST", motCua)
			if c.mailer != nil {
				c.mailer(s)
			}
			ctx := t.Context()
			if c.want == OutcomeTimeout {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
			}
			err := s.Send(ctx, someMail())
			var why *failure
			if !errors.As(err, &why) || why.outcome != c.want || why.final != c.final || why.down != c.down {
				t.Fatalf("%v (%+v), want %s, final %v, down %v", err, why, c.want, c.final, c.down)
			}
			if strings.Contains(err.Error(), "lan") {
				t.Errorf("the log would hold who it was for: %v", err)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.mails) != 0 {
				t.Error("and it was taken all the same")
			}
		})
	}
}

func TestSettingsOfMail(t *testing.T) {
	for name, c := range map[string]struct {
		address, from string
		fails         bool
		want          SMTP
	}{
		"STARTTLS":             {"smtp://lan:x@mail.xa.gov.vn", "motcua@xa.gov.vn", false, SMTP{Host: "mail.xa.gov.vn:587", Name: "mail.xa.gov.vn", User: "lan", Password: "x"}},
		"TLS":                  {"smtps://mail.xa.gov.vn", motCua, false, SMTP{Host: "mail.xa.gov.vn:465", Name: "mail.xa.gov.vn", Implicit: true}},
		"in the clear":         {"smtp://mail.xa.gov.vn:25?tls=off", motCua, false, SMTP{Host: "mail.xa.gov.vn:25", Name: "mail.xa.gov.vn", Plain: true}},
		"this machine":         {"smtp://localhost:25", motCua, false, SMTP{Host: "localhost:25", Name: "localhost", Plain: true}},
		"both at once":         {"smtps://mail.xa.gov.vn?tls=off", motCua, true, SMTP{}},
		"another scheme":       {"http://mail.xa.gov.vn", motCua, true, SMTP{}},
		"no host":              {"smtp://", motCua, true, SMTP{}},
		"no sender":            {"smtp://mail.xa.gov.vn", "", true, SMTP{}},
		"a sender of two":      {"smtp://mail.xa.gov.vn", "a@xa.gov.vn, b@xa.gov.vn", true, SMTP{}},
		"a password that odd":  {"smtp://lan:bí mật%zz@mail.xa.gov.vn", motCua, true, SMTP{}},
		"a sender of the lane": {"smtp://mail.xa.gov.vn", "lan@localhost", true, SMTP{}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ParseSMTP(c.address, c.from)
			if c.fails {
				if err == nil || strings.Contains(err.Error(), "bí mật") {
					t.Fatalf("%v, %v", s, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if s.From = (mail.Address{}); *s != c.want {
				t.Errorf("%+v", *s)
			}
		})
	}
}

func TestHeadersHoldNoSecondLine(t *testing.T) {
	m := someMail()
	m.Subject = "một\r\nBcc: khác@xa.gov.vn\r\n\r\nthân"
	raw, err := m.bytes(mail.Address{Name: "Một\r\nBcc: x@y.vn", Address: "motcua@xa.gov.vn"})
	if err != nil {
		t.Fatal(err)
	}
	read, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil || read.Header.Get("Bcc") != "" || len(read.Header) != 9 {
		t.Errorf("%v, %v", read.Header, err)
	}
	m.To = "lan@xa.gov.vn\r\nBcc: x@y.vn"
	if raw, err := m.bytes(mail.Address{Address: "motcua@xa.gov.vn"}); err == nil && bytes.Contains(raw, []byte("\r\nBcc:")) {
		t.Errorf("%s", raw)
	}
}
