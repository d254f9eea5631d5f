package notices_test

import (
	"bufio"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

// postbox is a server of e-mail that takes everything.
type postbox struct {
	listener net.Listener
	mails    chan string
}

func openPostbox(t *testing.T) *postbox {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postbox{listener, make(chan string, 100)}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return p
}

func (p *postbox) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	say("220 ready")
	r := textproto.NewReader(bufio.NewReader(conn))
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		switch strings.ToUpper(line) {
		case "DATA":
			say("354 go on")
			body, err := io.ReadAll(r.DotReader())
			if err != nil {
				return
			}
			p.mails <- string(body)
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

// next is the next mail.
func (p *postbox) next(t *testing.T) string {
	t.Helper()
	select {
	case mail := <-p.mails:
		return mail
	case <-time.After(30 * time.Second):
		t.Fatal("no mail came")
		return ""
	}
}

// start starts a program that sends e-mail to a postbox and webhooks to this machine.
func start(t *testing.T) (*webtest.Program, *postbox) {
	t.Helper()
	box := openPostbox(t)
	p := webtest.Start(t, webtest.Change(func(c *server.Config) {
		c.SMTP, c.SMTPFrom = "smtp://"+box.listener.Addr().String(), "Một cửa <motcua@xa.gov.vn>"
		c.WebhookNetworks, c.PublicURL = "127.0.0.0/8", "https://hailong.example.vn"
	}))
	for who, role := range map[webtest.Who]pb.Role{chief: pb.Role_ROLE_LEADER, clerk: pb.Role_ROLE_OPERATOR, keeper: pb.Role_ROLE_ADMINISTRATOR} {
		if _, err := pb.NewIdentityServiceClient(p.Conn(t, webtest.Administrator)).CreateAccount(t.Context(), &pb.CreateAccountRequest{
			Name: string(who), Password: webtest.Password, Role: role, UnitId: p.Empty,
		}); err != nil {
			t.Fatal(err)
		}
	}
	return p, box
}

// The people of a commune without ratings, where nothing happens but what a test does.
const (
	chief  webtest.Who = "chủ tịch xã mới"
	clerk  webtest.Who = "trực xã mới"
	keeper webtest.Who = "quản trị xã mới"
)

// happens opens a case, of which those in charge are told.
func happens(t *testing.T, p *webtest.Program, title string) *pb.Case {
	t.Helper()
	opened, err := pb.NewCaseServiceClient(p.Conn(t, clerk)).OpenCase(t.Context(), &pb.OpenCaseRequest{
		CaseId: uuid.Must(uuid.NewV7()).String(), Source: "letter", ReceivingUnitId: p.Empty, AboutUnitId: p.Empty, Title: title, Words: "Tôi chờ rất lâu.",
	})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// toldOf waits until a page of notices shows words.
func toldOf(t *testing.T, v *webtest.Visitor, words string) string {
	t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		body := v.Get("/notices").Body
		if strings.Contains(body, html.EscapeString(words)) {
			return body
		}
		if time.Since(began) > 30*time.Second {
			t.Fatalf("nobody is told %q:\n%s", words, body)
		}
	}
}

// answered makes sure that a form was answered so, and gives the page.
func answered(t *testing.T, answer webtest.Answer, status int) string {
	t.Helper()
	if answer.Status != status {
		t.Fatalf("answered %d, want %d\n%s", answer.Status, status, answer.Body)
	}
	return answer.Body
}

func form(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}

// hidden is the value of a hidden field of a page.
func hidden(t *testing.T, body, name string) string {
	t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(body)
	if found == nil {
		t.Fatalf("no field %s in\n%s", name, body)
	}
	return html.UnescapeString(found[1])
}

// receiver hears webhooks.
func receiver(t *testing.T) (address string, heard chan string, answer func(status int)) {
	t.Helper()
	var mu sync.Mutex
	status := http.StatusOK
	heard = make(chan string, 100)
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		mu.Lock()
		w.WriteHeader(status)
		mu.Unlock()
		heard <- string(body)
	}))
	t.Cleanup(r.Close)
	return r.URL, heard, func(s int) {
		mu.Lock()
		defer mu.Unlock()
		status = s
	}
}
