package notice

import (
	"context"
	"encoding/hex"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
)

func onSQLite(t *testing.T) store.Engine {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return engine
}

func onEngines(t *testing.T, test func(t *testing.T, engine store.Engine)) {
	t.Run("sqlite", func(t *testing.T) { test(t, onSQLite(t)) })
	t.Run("mongodb", func(t *testing.T) {
		engine, err := mongodb.Open(t.Context(), testengine.WithDatabase(testengine.MongoDB(t)), mongodb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = engine.Close() })
		test(t, engine)
	})
}

// clock is a time that passes when it is told to.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// start is a Monday, 09:00 in Vietnam.
var start = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// house is notices with what a test changes of them.
type house struct {
	*Notices
	clock *clock
	keys  secret.Keys
}

// open opens notices; a later one on the same engine is another process.
func open(t *testing.T, engine store.Engine, change func(*Options)) house {
	t.Helper()
	keys, err := secret.Load(t.Context(), engine, secret.Source{Text: hex.EncodeToString([]byte(strings.Repeat("k", 32)))})
	if err != nil {
		t.Fatal(err)
	}
	h := house{clock: &clock{at: start}, keys: keys}
	options := Options{
		Keys: keys, Now: h.clock.now, PublicURL: "https://hailong.example.vn",
		UnitName: func(unit string) string { return map[string]string{"xa": "Xã Đồi Nắng"}[unit] },
		Within:   func(unit, root string) bool { return root == "" || unit == root || root == "tinh" },
		Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	if change != nil {
		change(&options)
	}
	if options.Limits == nil {
		limits := local.New(local.Options{Now: options.Now})
		t.Cleanup(func() { _ = limits.Close() })
		options.Limits = limits
	}
	if h.Notices, err = Open(t.Context(), engine, options); err != nil {
		t.Fatal(err)
	}
	return h
}

// mailbox takes e-mail, or fails as it is told to.
type mailbox struct {
	mu   sync.Mutex
	got  []Mail
	fail func(Mail) error // nil = takes it
}

func (m *mailbox) Send(ctx context.Context, mail Mail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.fail != nil {
		if err := m.fail(mail); err != nil {
			return err
		}
	}
	m.got = append(m.got, mail)
	return nil
}

func (m *mailbox) failing(fail func(Mail) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = fail
}

func (m *mailbox) mails() []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Mail(nil), m.got...)
}

// subscribe gives an account a confirmed address and all groups.
func (h house) subscribe(t *testing.T, account, address string, in language.Language) {
	t.Helper()
	sealed, err := h.keys.Seal([]byte(address), addressSeal(account))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.change(t.Context(), account, func(doc *settingsDoc) error {
		doc.Address = sealed
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Choose(t.Context(), account, in, Groups(), true); err != nil {
		t.Fatal(err)
	}
}

func (h house) tell(t *testing.T, messages ...Message) {
	t.Helper()
	if err := h.Tell(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
}

func (h house) list(t *testing.T, account string) []Notice {
	t.Helper()
	list, _, err := h.List(t.Context(), account, false, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (h house) sent(t *testing.T, channel string) []Delivery {
	t.Helper()
	list, _, err := h.Deliveries(t.Context(), channel, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func accepted(account string) Message {
	return Message{
		ID: "case/c1/5", Account: account, Topic: "case.accept", Unit: "xa", Link: "/cases/c1", At: start,
		Args: map[string]string{"number": "7/2026", "title": "Chờ lâu ở quầy 2", "due": "2026-11-30"},
	}
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Reason
}
