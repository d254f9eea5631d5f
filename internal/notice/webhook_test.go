package notice

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/store"
)

// receiver is another program's address.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer http.HandlerFunc // nil = takes it
}

type received struct {
	header http.Header
	body   []byte
}

func openReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.got = append(r.got, received{request.Header.Clone(), body})
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, request)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answering(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.got...)
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// hook makes a webhook for all of cases.
func (h house) hook(t *testing.T, unit, url string) (Webhook, string) {
	t.Helper()
	hook, secret, err := h.MakeWebhook(t.Context(), NewWebhook{Unit: unit, Name: "Cổng tỉnh", Topics: []string{"case.*"}, URL: url, By: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	return hook, secret
}

// proven tells whether a signature was made with a secret, as a receiver finds out by the words of Standard Webhooks.
func proven(t *testing.T, got received, secret string) bool {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) < 24 {
		t.Fatalf("secret %q, %v", secret, err)
	}
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", got.header.Get("webhook-id"), got.header.Get("webhook-timestamp"), got.body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for one := range strings.FieldsSeq(got.header.Get("webhook-signature")) {
		if hmac.Equal([]byte(one), []byte(want)) {
			return true
		}
	}
	return false
}

func TestAWebhookHears(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		h := open(t, engine, nil)
		r := openReceiver(t, nil)
		all, secret := h.hook(t, "", r.URL+"/all")
		h.hook(t, "tinh", r.URL+"/tinh")
		h.hook(t, "khac", r.URL+"/khac")
		other := accepted("")
		other.ID, other.Topic = "action/1", "action.order"
		h.tell(t, accepted("lan"), accepted("minh"), other)
		h.tell(t, accepted("minh"))
		h.Deliver(t.Context())
		if n := len(r.all()); n != 2 {
			t.Fatalf("%d were sent", n)
		}
		var got received
		for _, one := range r.all() {
			if proven(t, one, secret) {
				got = one
			}
		}
		if got.body == nil {
			t.Fatal("none is signed with the secret")
		}
		var body struct {
			Type, Timestamp string
			Data            struct {
				ID       string
				UnitID   string `json:"unit_id"`
				UnitName string `json:"unit_name"`
				Link     string
				Subject  string
				Args     map[string]string
			}
		}
		if err := json.Unmarshal(got.body, &body); err != nil {
			t.Fatal(err)
		}
		if body.Type != "case.accept" || body.Timestamp != "2026-11-23T02:00:00Z" || body.Data.ID != "case/c1/5" || body.Data.UnitID != "xa" ||
			body.Data.UnitName != "Xã Đồi Nắng" || body.Data.Link != "https://hailong.example.vn/cases/c1" || body.Data.Args["number"] != "7/2026" || body.Data.Subject == "" {
			t.Errorf("%s", got.body)
		}
		d := h.sent(t, all.ID)[0]
		if d.State != Sent || d.Log[0].Status != 200 || got.header.Get("Webhook-Id") != d.PublicID() || got.header.Get("Webhook-Timestamp") != fmt.Sprint(start.Unix()) {
			t.Errorf("%+v, %v", d, got.header)
		}
		if got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%v", got.header)
		}
	})
}

func TestReceiversThatFail(t *testing.T) {
	inside := openReceiver(t, nil)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   Outcome
		status int
	}{
		"an error":  {status(http.StatusInternalServerError), OutcomeStatus, 500},
		"not found": {status(http.StatusNotFound), OutcomeStatus, 404},
		"redirected inside": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, inside.URL, http.StatusTemporaryRedirect)
		}, OutcomeRedirect, 307},
		"it breaks off": {func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, OutcomeUnreachable, 0},
		"an endless answer": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, OutcomeSent, 200}, // it said that it took it; the rest is not read
		"too slow": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, OutcomeTimeout, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, onSQLite(t), nil)
			if c.want == OutcomeTimeout {
				h.poster.within = 50 * time.Millisecond
			}
			r := openReceiver(t, c.answer)
			hook, _ := h.hook(t, "", r.URL)
			h.tell(t, accepted("lan"))
			h.Deliver(t.Context())
			d := h.sent(t, hook.ID)[0]
			if len(d.Log) != 1 || d.Log[0].Outcome != c.want || d.Log[0].Status != c.status {
				t.Fatalf("%+v", d)
			}
			if c.want == OutcomeSent {
				return
			}
			if d.State != Waiting || !d.NextAt.After(start) {
				t.Errorf("%+v", d)
			}
			r.answering(nil)
			h.clock.pass(time.Hour)
			h.Deliver(t.Context())
			got := r.all()
			if d := h.sent(t, hook.ID)[0]; d.State != Sent || len(got) != 2 || got[0].header.Get("Webhook-Id") != got[1].header.Get("Webhook-Id") {
				t.Errorf("tried again: %+v", d)
			}
		})
	}
	if n := len(inside.all()); n != 0 {
		t.Errorf("the address inside was asked %d times", n)
	}
}

func TestAReceiverThatHangsHoldsUpNobodyElse(t *testing.T) {
	h := open(t, onSQLite(t), func(o *Options) { o.Every = time.Hour })
	hangs, let := make(chan struct{}, 10), make(chan struct{})
	slow := openReceiver(t, func(_ http.ResponseWriter, r *http.Request) {
		hangs <- struct{}{}
		select {
		case <-let:
		case <-r.Context().Done():
		}
	})
	came := make(chan struct{}, 10)
	quick := openReceiver(t, func(http.ResponseWriter, *http.Request) { came <- struct{}{} })
	h.hook(t, "", slow.URL)
	h.hook(t, "", quick.URL)
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	for i := range 3 {
		m := accepted("lan")
		m.ID = fmt.Sprint("m", i)
		h.tell(t, m)
		if i == 0 {
			<-hangs
		}
		select {
		case <-came:
		case <-time.After(8 * time.Second): // less than the slow one may take
			t.Error("the quick one waits for the slow one")
		}
	}
	close(let)
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestSecretsRotate(t *testing.T) {
	h := open(t, onSQLite(t), nil)
	r := openReceiver(t, nil)
	hook, before := h.hook(t, "", r.URL)
	hook, after, err := h.RotateSecret(t.Context(), hook.ID)
	if err != nil || after == before || !strings.HasPrefix(after, "whsec_") {
		t.Fatal(after, err)
	}
	if !hook.BeforeUntil.Equal(start.Add(Overlap)) || strings.Contains(string(hook.Secret), after) {
		t.Errorf("%+v", hook)
	}
	send := func(id string) received {
		t.Helper()
		m := accepted("")
		m.ID = id
		h.tell(t, m)
		h.Deliver(t.Context())
		all := r.all()
		return all[len(all)-1]
	}
	if got := send("a"); !proven(t, got, before) || !proven(t, got, after) {
		t.Errorf("on the day of the change: %v", got.header)
	}
	h.clock.pass(Overlap)
	if got := send("b"); proven(t, got, before) || !proven(t, got, after) {
		t.Errorf("a day later: %v", got.header)
	}
}

func TestAWebhookThatFailsForDaysIsPaused(t *testing.T) {
	h := open(t, onSQLite(t), func(o *Options) {
		o.Keepers = func(context.Context, string) ([]string, error) { return []string{"quản trị", "admin"}, nil }
	})
	r := openReceiver(t, status(http.StatusServiceUnavailable))
	hook, _ := h.hook(t, "xa", r.URL)
	h.tell(t, accepted("lan"))
	for range 4 * 24 {
		h.Deliver(t.Context())
		h.clock.pass(time.Hour)
	}
	stands, err := h.Webhook(t.Context(), hook.ID)
	if err != nil || stands.Paused != PausedFailing || stands.PausedAt.Sub(stands.FailingSince) < Patience {
		t.Fatalf("%+v, %v", stands, err)
	}
	for _, account := range []string{"admin", "quản trị"} {
		list := h.list(t, account)
		if len(list) != 1 || list[0].Topic != "webhook.paused" || list[0].Link != "/admin/webhooks/"+hook.ID {
			t.Errorf("%s is told %+v", account, list)
		}
	}
	asked := len(r.all())
	h.tell(t, Message{ID: "later", Topic: "case.open", Unit: "xa", At: h.clock.now()})
	h.clock.pass(24 * time.Hour)
	h.Deliver(t.Context())
	if n := len(r.all()); n != asked {
		t.Errorf("paused, it was asked %d times more", n-asked)
	}
	r.answering(nil)
	if _, err := h.ResumeWebhook(t.Context(), hook.ID); err != nil {
		t.Fatal(err)
	}
	h.Deliver(t.Context())
	for _, d := range h.sent(t, hook.ID) {
		if d.State != Sent {
			t.Errorf("what waited: %+v", d)
		}
	}
	if stands, err = h.Webhook(t.Context(), hook.ID); err != nil || stands.Paused != "" || !stands.FailingSince.IsZero() {
		t.Errorf("%+v, %v", stands, err)
	}
	if n := len(h.list(t, "admin")); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestPausedByHandAndRemoved(t *testing.T) {
	h := open(t, onSQLite(t), nil)
	r := openReceiver(t, nil)
	hook, _ := h.hook(t, "", r.URL)
	if _, err := h.PauseWebhook(t.Context(), hook.ID); err != nil {
		t.Fatal(err)
	}
	h.tell(t, accepted("lan"))
	h.Deliver(t.Context())
	if n := len(r.all()); n != 0 {
		t.Errorf("%d", n)
	}
	tested, err := h.TestWebhook(t.Context(), hook.ID)
	if err != nil || tested.State != Sent || tested.Topic != "webhook.test" || len(r.all()) != 1 {
		t.Errorf("%+v, %v", tested, err)
	}
	if list := h.sent(t, hook.ID); len(list) != 2 {
		t.Errorf("%d in the log", len(list))
	}
	if err := h.RemoveWebhook(t.Context(), hook.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.RemoveWebhook(t.Context(), hook.ID); err != nil {
		t.Errorf("again: %v", err)
	}
	if _, err := h.Webhook(t.Context(), hook.ID); reason(err) != "notice_webhook_unknown" {
		t.Errorf("%v", err)
	}
	for _, err := range []error{
		func() error { _, err := h.TestWebhook(t.Context(), hook.ID); return err }(),
		func() error { _, _, err := h.RotateSecret(t.Context(), hook.ID); return err }(),
		func() error {
			_, err := h.ChangeWebhook(t.Context(), hook.ID, "x", r.URL, []string{"case.*"})
			return err
		}(),
	} {
		if reason(err) != "notice_webhook_unknown" {
			t.Errorf("%v", err)
		}
	}
}

func TestWebhooksThatCannotBe(t *testing.T) {
	h := open(t, onSQLite(t), func(o *Options) { o.Networks = nil })
	h.poster.lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
		switch host {
		case "mixed.example.vn":
			return []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("10.0.0.1")}, nil
		case "nowhere.example.vn":
			return nil, errors.New("no such host")
		}
		return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil
	}
	good := NewWebhook{Name: "Cổng tỉnh", Topics: []string{"case.*"}, URL: "https://cong.example.vn/nhan", By: "admin"}
	for name, c := range map[string]struct {
		change func(*NewWebhook)
		reason string
	}{
		"good":                {func(*NewWebhook) {}, ""},
		"a name not found":    {func(w *NewWebhook) { w.URL = "https://nowhere.example.vn" }, ""},
		"plain":               {func(w *NewWebhook) { w.URL = "http://cong.example.vn" }, "notice_webhook_plain"},
		"plain to an address": {func(w *NewWebhook) { w.URL = "http://8.8.8.8" }, "notice_webhook_plain"},
		"partly inside":       {func(w *NewWebhook) { w.URL = "https://mixed.example.vn" }, "notice_webhook_inside"},
		"this machine":        {func(w *NewWebhook) { w.URL = "https://127.0.0.1:8443" }, "notice_webhook_inside"},
		"metadata of a cloud": {func(w *NewWebhook) { w.URL = "https://169.254.169.254/latest" }, "notice_webhook_inside"},
		"mapped":              {func(w *NewWebhook) { w.URL = "https://[::ffff:10.0.0.1]" }, "notice_webhook_inside"},
		"a password in it":    {func(w *NewWebhook) { w.URL = "https://a:b@cong.example.vn" }, "notice_webhook_url"},
		"a file":              {func(w *NewWebhook) { w.URL = "file:///etc/passwd" }, "notice_webhook_url"},
		"two lines":           {func(w *NewWebhook) { w.URL = "https://cong.example.vn/\r\nX: y" }, "notice_webhook_url"},
		"no host":             {func(w *NewWebhook) { w.URL = "https:///x" }, "notice_webhook_url"},
		"long":                {func(w *NewWebhook) { w.URL = "https://cong.example.vn/" + strings.Repeat("x", 1000) }, "notice_webhook_url"},
		"no name":             {func(w *NewWebhook) { w.Name = " " }, "notice_webhook_name"},
		"no topics":           {func(w *NewWebhook) { w.Topics = nil }, "notice_webhook_topics"},
		"odd topics":          {func(w *NewWebhook) { w.Topics = []string{"*"} }, "notice_webhook_topics"},
		"an id of its own":    {func(w *NewWebhook) { w.ID = "../x" }, "notice_webhook_id"},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := good
			c.change(&wanted)
			if _, _, err := h.MakeWebhook(t.Context(), wanted); reason(err) != c.reason {
				t.Errorf("%v, want %q", err, c.reason)
			}
		})
	}
	t.Run("the same form twice", func(t *testing.T) {
		wanted := good
		wanted.ID = uuid.NewString()
		first, secret, err := h.MakeWebhook(t.Context(), wanted)
		if err != nil || secret == "" {
			t.Fatal(err)
		}
		second, again, err := h.MakeWebhook(t.Context(), wanted)
		if err != nil || again != "" || first.ID != second.ID {
			t.Errorf("%q, %v", again, err)
		}
		wanted.URL = "https://khac.example.vn"
		if _, _, err := h.MakeWebhook(t.Context(), wanted); reason(err) != "notice_webhook_id" {
			t.Errorf("%v", err)
		}
	})
}

func TestWhatIsInside(t *testing.T) {
	p := newPoster([]netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")})
	for address, want := range map[string]bool{
		"8.8.8.8": false, "1.1.1.1": false, "113.160.0.1": false, "2001:4860:4860::8888": false, "2405:4800::1": false, "10.20.3.4": false, "::ffff:8.8.8.8": false,
		"127.0.0.1": true, "127.8.8.8": true, "0.0.0.0": true, "0.1.2.3": true, "10.0.0.1": true, "172.16.0.1": true, "172.31.255.255": true, "192.168.1.1": true,
		"100.64.0.1": true, "169.254.169.254": true, "192.0.0.192": true, "198.18.0.1": true, "224.0.0.1": true, "240.0.0.1": true, "255.255.255.255": true,
		"::": true, "::1": true, "::ffff:127.0.0.1": true, "::ffff:169.254.169.254": true, "::127.0.0.1": true, "fe80::1": true, "fe80::1%eth0": true, "fc00::1": true,
		"fd00:ec2::254": true, "ff02::1": true, "64:ff9b::a00:1": true, "2002:7f00:1::": true, "2001::1": true, "2001:db8::1": true, "fec0::1": true,
	} {
		if got := p.inside(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is inside: %v", address, got)
		}
	}
	if !p.inside(netip.Addr{}) {
		t.Error("no address at all is not inside")
	}
}

// A name that leads outside when it is checked, and inside when it is used.
func TestANameThatChangesItsMind(t *testing.T) {
	r := openReceiver(t, nil)
	port := r.URL[strings.LastIndex(r.URL, ":"):]
	h := open(t, onSQLite(t), func(o *Options) { o.Networks = nil })
	h.poster.lookup = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil
	}
	hook, _ := h.hook(t, "", "https://localhost"+port)
	h.tell(t, accepted("lan"))
	h.Deliver(t.Context())
	if d := h.sent(t, hook.ID)[0]; d.Log[0].Outcome != OutcomeInside || len(r.all()) != 0 {
		t.Errorf("%+v", d)
	}
	// Nor does one pass that stands in the store, whoever wrote it there.
	if _, err := h.changeHook(t.Context(), hook.ID, func(hook *Webhook) error {
		hook.URL = r.URL
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if d, err := h.TestWebhook(t.Context(), hook.ID); err != nil || d.State != GivenUp || d.Log[0].Outcome != OutcomeTLS || len(r.all()) != 0 {
		t.Errorf("%+v, %v", d, err)
	}
}
