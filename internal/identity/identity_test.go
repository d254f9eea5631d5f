package identity

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/google/go-cmp/cmp"
	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/sqlite"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cheap is a cost for tests that are not about cost.
var cheap = cost{Memory: 8, Passes: 1, Lanes: 1}

// clock is a clock that stands until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.mu.Unlock()
}

// house is a store and a bus, over which tests open one or more processes.
type house struct {
	t      *testing.T
	engine store.Engine
	bus    *local.Bus
	clock  *clock
	log    *bytes.Buffer
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, clock: &clock{now: time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)}, log: &bytes.Buffer{}}
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{Now: h.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	h.engine = engine
	h.bus = local.New(local.Options{Now: h.clock.Now})
	t.Cleanup(func() {
		if err := errors.Join(h.bus.Close(), engine.Close()); err != nil {
			t.Error(err)
		}
	})
	return h
}

// process opens accounts as one more process would.
func (h *house) process(change ...func(*Options)) *Accounts {
	h.t.Helper()
	options := Options{Limits: h.bus, Feed: h.bus, Now: h.clock.Now,
		Logger: slog.New(slog.NewTextHandler(h.log, nil))}
	for _, c := range change {
		c(&options)
	}
	a, err := open(h.t.Context(), h.engine, options, cheap)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(a.Close)
	return a
}

// tree: T.A.B are nested, T.C beside.
func inTree(unit, root string) bool {
	return root == "" || unit == root || strings.HasPrefix(unit, root+".")
}

const password = "mật khẩu dài"

func (h *house) account(a *Accounts, name string, role pb.Role, unit string) Account {
	h.t.Helper()
	account, err := a.Create(h.t.Context(), System(), inTree, NewAccount{Name: name, Password: password, Role: role, UnitID: unit})
	if err != nil {
		h.t.Fatal(err)
	}
	return account
}

func (h *house) signIn(a *Accounts, name string) (string, Caller) {
	h.t.Helper()
	token, _, err := a.SignIn(h.t.Context(), name, password, "10.0.0.1:5000")
	if err != nil {
		h.t.Fatal(err)
	}
	caller, err := a.Authenticate(h.t.Context(), token)
	if err != nil {
		h.t.Fatal(err)
	}
	return token, caller
}

func wantFault(t *testing.T, err error, code fault.Code, reason string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s: %s", code, reason)
	}
	if got := fault.Of(err); got.Code != code || got.Reason != reason {
		t.Fatalf("got %v, want %s: %s", err, code, reason)
	}
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

func TestSignInAndOut(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	made := h.account(a, "Nguyễn Văn Đức", pb.Role_ROLE_LEADER, "T.A")
	token, session, err := a.SignIn(t.Context(), "NGUYỄN VĂN ĐỨC", password, "[2001:db8::1]:443")
	if err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(session.Account, made) || !session.ExpiresAt.Equal(h.clock.Now().Add(4*time.Hour)) {
		t.Errorf("session is %+v of %+v", session, made)
	}
	caller, err := a.Authenticate(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if caller.Kind != CallerAccount || caller.AccountID != made.ID || caller.Role != pb.Role_ROLE_LEADER || Scope(caller) != "T.A" || caller.Name != made.Name {
		t.Errorf("caller is %+v", caller)
	}
	if got, err := a.Session(t.Context(), caller); err != nil || !cmp.Equal(got, session) {
		t.Errorf("session reads %+v, %v", got, err)
	}
	other, _ := h.signIn(a, made.Name)
	if err := a.EndSession(t.Context(), caller, false); err != nil {
		t.Fatal(err)
	}
	if err := a.EndSession(t.Context(), caller, false); err != nil {
		t.Errorf("ending it twice: %v", err)
	}
	_, err = a.Authenticate(t.Context(), token)
	wantFault(t, err, fault.Unauthenticated, "session_ended")
	caller, err = a.Authenticate(t.Context(), other)
	if err != nil {
		t.Errorf("another session ended too: %v", err)
	}
	third, _ := h.signIn(a, made.Name)
	if err := a.EndSession(t.Context(), caller, true); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{other, third} {
		_, err = a.Authenticate(t.Context(), token)
		wantFault(t, err, fault.Unauthenticated, "session_ended")
	}
	h.signIn(a, made.Name)
}

// Neither token nor password nor hash may be found in the store's files or in the log.
func TestNothingSecretIsKept(t *testing.T) {
	h := newHouse(t)
	folder := t.TempDir()
	engine, err := sqlite.Open(t.Context(), folder, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.engine = engine
	a := h.process()
	account := h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	token, caller := h.signIn(a, "lan")
	_, _, err = a.SignIn(t.Context(), "lan", "một mật khẩu sai", "10.0.0.1")
	wantFault(t, err, fault.Unauthenticated, "sign_in_wrong")
	if err := a.ChangePassword(t.Context(), caller, password, "mật khẩu khác hẳn"); err != nil {
		t.Fatal(err)
	}
	oneTime, err := a.ResetPassword(t.Context(), System(), inTree, account.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	everything := h.log.String()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			everything += string(data)
		}
	}
	if !strings.Contains(everything, account.ID) {
		t.Fatal("the test looks in the wrong place")
	}
	for name, secret := range map[string]string{"token": token, "password": password, "new password": "mật khẩu khác hẳn",
		"wrong password": "một mật khẩu sai", "one-time password": oneTime} {
		if strings.Contains(everything, secret) {
			t.Errorf("the %s is kept", name)
		}
	}
	if strings.Contains(h.log.String(), "$argon2id") {
		t.Error("a hash is in the log")
	}
}

func TestHostileTokens(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	token, caller := h.signIn(a, "lan")
	for name, hostile := range map[string]string{
		"empty":                  "",
		"another":                newToken(),
		"the id in the store":    TokenPrefix + caller.SessionID,
		"cut":                    token[:len(token)-1],
		"longer":                 token + "A",
		"other letter case":      strings.ToUpper(token),
		"without prefix":         strings.TrimPrefix(token, TokenPrefix),
		"a device's prefix":      "hld_" + strings.TrimPrefix(token, TokenPrefix),
		"a megabyte":             TokenPrefix + strings.Repeat("A", 1<<20),
		"bytes that are no text": strings.Repeat("\xff", tokenLength),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Authenticate(t.Context(), hostile)
			wantFault(t, err, fault.Unauthenticated, "session_ended")
		})
	}
	if !regexp.MustCompile(`^hls_[A-Za-z0-9_-]{43}$`).MatchString(token) {
		t.Errorf("a token is %q", token)
	}
}

func TestSessionsExpire(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	t.Run("when nobody uses them", func(t *testing.T) {
		token, _ := h.signIn(a, "lan")
		h.clock.add(4*time.Hour - time.Second)
		h.clock.add(time.Second)
		_, err := a.Authenticate(t.Context(), token)
		wantFault(t, err, fault.Unauthenticated, "session_ended")
	})
	t.Run("not while they are used, until the absolute end", func(t *testing.T) {
		token, _ := h.signIn(a, "lan")
		for range 5 {
			h.clock.add(2 * time.Hour)
			if _, err := a.Authenticate(t.Context(), token); err != nil {
				t.Fatal(err)
			}
		}
		h.clock.add(2*time.Hour - time.Second)
		if _, err := a.Authenticate(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		h.clock.add(time.Second)
		_, err := a.Authenticate(t.Context(), token)
		wantFault(t, err, fault.Unauthenticated, "session_ended")
	})
}

// Use is noted now and then, not at each call.
func TestUseIsWrittenRarely(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	token, caller := h.signIn(a, "lan")
	_, before, err := a.sessions.Get(t.Context(), caller.SessionID)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		h.clock.add(2 * time.Second)
		if _, err := a.Authenticate(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	if _, after, err := a.sessions.Get(t.Context(), caller.SessionID); err != nil || after != before {
		t.Errorf("written in 200 seconds: version %v, was %v, %v", after, before, err)
	}
}

func TestWhatEndsSessionsEndsThemInOtherProcessesToo(t *testing.T) {
	h := newHouse(t)
	here, there := h.process(), h.process()
	account := h.account(here, "lan", pb.Role_ROLE_OPERATOR, "T")
	for name, end := range map[string]func(caller Caller) error{
		"disabled": func(Caller) error {
			if _, err := here.Disable(t.Context(), System(), inTree, account.ID); err != nil {
				return err
			}
			return nil
		},
		"password reset": func(Caller) error {
			_, err := here.ResetPassword(t.Context(), System(), inTree, account.ID, "")
			return err
		},
		"ended everywhere": func(caller Caller) error { return here.EndSession(t.Context(), caller, true) },
		"ended":            func(caller Caller) error { return here.EndSession(t.Context(), caller, false) },
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := here.ResetPassword(t.Context(), System(), inTree, account.ID, password); err != nil {
				t.Fatal(err)
			}
			token, caller := h.signIn(there, "lan")
			if _, err := here.Authenticate(t.Context(), token); err != nil {
				t.Fatal(err)
			}
			if err := end(caller); err != nil {
				t.Fatal(err)
			}
			_, err := here.Authenticate(t.Context(), token)
			wantFault(t, err, fault.Unauthenticated, "session_ended")
			// The clock stands: only the bus can have told.
			eventually(t, "the other process refuses the token", func() bool {
				_, err := there.Authenticate(t.Context(), token)
				return err != nil
			})
		})
	}
}

// deaf is a feed that loses everything.
type deaf struct{ bus.Feed }

func (deaf) Publish(context.Context, string, []byte) error {
	return bus.Unavailable(errors.New("away"))
}

func TestWithoutABusOthersNoticeWithinSeconds(t *testing.T) {
	h := newHouse(t)
	here, there := h.process(func(o *Options) { o.Feed = deaf{h.bus} }), h.process()
	account := h.account(here, "lan", pb.Role_ROLE_OPERATOR, "T")
	token, _ := h.signIn(there, "lan")
	if _, err := here.Disable(t.Context(), System(), inTree, account.ID); err != nil {
		t.Fatal(err)
	}
	h.clock.add(keepLive)
	_, err := there.Authenticate(t.Context(), token)
	wantFault(t, err, fault.Unauthenticated, "session_ended")
}

func TestAMissedEventDropsAll(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	token, caller := h.signIn(a, "lan")
	_, version, err := a.sessions.Get(t.Context(), caller.SessionID)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.sessions.Delete(t.Context(), caller.SessionID, version); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Authenticate(t.Context(), token); err != nil {
		t.Fatal("this test needs what is remembered: ", err)
	}
	a.hear(bus.Event{Missed: true})
	_, err = a.Authenticate(t.Context(), token)
	wantFault(t, err, fault.Unauthenticated, "session_ended")
}

func TestEveryReasonHasWords(t *testing.T) {
	reason := regexp.MustCompile(`fault\.New\(fault\.\w+, "(\w+)"`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range reason.FindAllSubmatch(data, -1) {
			found++
			for _, l := range language.All {
				if key := "fault." + string(match[1]); l.Text(key) == key {
					t.Errorf("%s: %s has no words for %s", file, l, key)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("found only %d reasons", found)
	}
}
