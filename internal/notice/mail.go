package notice

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
)

// Mail is one e-mail.
type Mail struct {
	To       string // address
	ID       string // the same each time it is sent
	Language language.Language
	Subject  string
	Text     string
	HTML     string
	At       time.Time
}

// Mailer sends e-mail.
type Mailer interface {
	// Send hands a mail to the server of e-mail. An error tells that it did not take it.
	Send(ctx context.Context, mail Mail) error
}

//go:embed mail.html
var mailFiles embed.FS

// mailPage is what the two forms of a mail show.
type mailPage struct {
	Language                              language.Language
	Greeting, Subject, Text, At, Why      string
	Code                                  string
	Lines                                 []mailLine
	Link, LinkWords, Settings, SettingsAt string
}

type mailLine struct{ Text, Link string }

// sendMail sends a delivery by e-mail, where its account still wants it.
func (n *Notices) sendMail(ctx context.Context, d Delivery) (int, error) {
	if n.Mailer == nil {
		return 0, &failure{outcome: OutcomeOurs, down: true, cause: errors.New("no server of e-mail is set")}
	}
	name, works, err := n.Recipient(ctx, d.Account)
	if err != nil {
		return 0, &failure{outcome: OutcomeOurs, cause: err}
	}
	doc, _, err := n.settings.Get(ctx, d.Account)
	if errors.Is(err, store.ErrNotFound) || err == nil && !works {
		return 0, &failure{outcome: OutcomeUnwanted}
	}
	var settings Settings
	if err == nil {
		settings, err = n.opened(doc)
	}
	if err != nil {
		return 0, &failure{outcome: OutcomeOurs, cause: err}
	}
	in := settings.Language
	message := Mail{To: settings.Address, ID: d.PublicID(), Language: in, At: n.Now()}
	page := mailPage{Language: in, Greeting: in.Text("notice.mail.greeting", "name", oneLine(name)), Why: in.Text("notice.mail.why")}
	if d.Topic == codeTopic {
		if settings.Pending == "" || !doc.Made.Equal(d.At) || n.Now().Sub(doc.Made) > codeLives {
			return 0, &failure{outcome: OutcomeUnwanted}
		}
		message.To, page.Code, page.Why = settings.Pending, n.code(d.Account, settings.Pending, doc.Made), in.Text("notice.mail.why_code")
	} else if !settings.Wants(d.Topic) {
		return 0, &failure{outcome: OutcomeUnwanted}
	}
	words := words(in, d.Topic, n.values(in, d.Unit, d.Args), d.Args)
	page.Subject, page.Text, page.At = words.Subject, words.Text, in.Text("notice.mail.at", "at", moment(d.At))
	for _, line := range d.Lines {
		page.Lines = append(page.Lines, mailLine{n.Line(in, d.Unit, line), n.address(line.Link)})
	}
	if page.Link = n.address(d.Link); page.Link != "" {
		page.LinkWords = in.Text("notice.mail.link")
	}
	if page.SettingsAt = n.address("/notices/settings"); page.SettingsAt != "" && page.Code == "" {
		page.Settings = in.Text("notice.mail.settings")
	}
	message.Subject = page.Subject
	message.Text = page.plain()
	if message.HTML, err = page.html(); err != nil {
		return 0, &failure{outcome: OutcomeOurs, cause: err}
	}
	return 0, n.Mailer.Send(ctx, message)
}

// address is the full address of a page; "" where it is not known.
func (n *Notices) address(link string) string {
	if link == "" || n.PublicURL == "" {
		return ""
	}
	return n.PublicURL + link
}

func (p mailPage) plain() string {
	var b strings.Builder
	paragraph := func(parts ...string) {
		for _, part := range parts {
			if part != "" {
				b.WriteString(part + "\n")
			}
		}
		b.WriteString("\n")
	}
	paragraph(p.Greeting)
	paragraph(p.Text)
	if p.Code != "" {
		paragraph("    " + p.Code)
	}
	for _, line := range p.Lines {
		paragraph("- "+line.Text, line.Link)
	}
	if p.Link != "" {
		paragraph(p.LinkWords, p.Link)
	}
	paragraph(p.At)
	b.WriteString("-- \n" + p.Why + "\n")
	if p.Settings != "" {
		b.WriteString(p.Settings + "\n" + p.SettingsAt + "\n")
	}
	return b.String()
}

func (p mailPage) html() (string, error) {
	read, err := htmltemplate.ParseFS(mailFiles, "mail.html")
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = read.Execute(&b, p)
	return b.String(), err
}

// bytes is a mail as it goes over the wire (RFC 5322, 2045, 3834).
func (m Mail) bytes(from mail.Address) ([]byte, error) {
	var b bytes.Buffer
	_, domain, _ := strings.Cut(from.Address, "@")
	parts := multipart.NewWriter(&b)
	to := mail.Address{Address: m.To}
	for _, header := range [][2]string{
		{"From", from.String()}, {"To", to.String()}, {"Subject", encoded(m.Subject)},
		{"Date", m.At.Format(time.RFC1123Z)}, {"Message-ID", "<" + m.ID + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"}, {"Content-Language", string(m.Language)}, {"MIME-Version", "1.0"},
		{"Content-Type", `multipart/alternative; boundary="` + parts.Boundary() + `"`},
	} {
		if strings.ContainsAny(header[1], "\x00") || strings.ContainsAny(strings.ReplaceAll(header[1], "\r\n ", ""), "\r\n") {
			return nil, fmt.Errorf("the header %s has a line break", header[0])
		}
		b.WriteString(header[0] + ": " + header[1] + "\r\n")
	}
	b.WriteString("\r\n")
	for _, part := range [][2]string{{"text/plain", m.Text}, {"text/html", m.HTML}} {
		w, err := parts.CreatePart(textproto.MIMEHeader{
			"Content-Type": {part[0] + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"},
		})
		if err != nil {
			return nil, err
		}
		q := quotedprintable.NewWriter(w)
		if _, err := q.Write([]byte(strings.ReplaceAll(part[1], "\n", "\r\n"))); err != nil {
			return nil, err
		}
		if err := q.Close(); err != nil {
			return nil, err
		}
	}
	if err := parts.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// encoded is a subject for a header: one line, in encoded words where it is not ASCII, folded between them.
func encoded(subject string) string {
	return strings.ReplaceAll(mime.BEncoding.Encode("utf-8", oneLine(subject)), "?= =?", "?=\r\n =?")
}
