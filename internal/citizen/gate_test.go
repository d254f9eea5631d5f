package citizen_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/bus/redisbus"
	"github.com/hailong-vn/hailong/internal/citizen"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
)

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// signer is that of an installation of its own.
func signer(t *testing.T) secret.Signer {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	keys, err := secret.Load(t.Context(), engine, secret.Source{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	made, err := keys.Signer(citizen.SignerPurpose)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// onBuses runs a test on each bus, with a clock of its own.
func onBuses(t *testing.T, test func(t *testing.T, limits bus.Limits, c *clock)) {
	t.Run("local", func(t *testing.T) {
		c := newClock()
		b := local.New(local.Options{Now: c.Now})
		t.Cleanup(func() { _ = b.Close() })
		test(t, b, c)
	})
	t.Run("redis", func(t *testing.T) {
		c := newClock()
		b, err := redisbus.Open("redis://"+testengine.StartRedis(t).Addr+"/0", redisbus.Options{Now: c.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		test(t, b, c)
	})
}

func form(unit string) citizen.Form {
	return citizen.Form{Unit: unit, Rating: uuid.Must(uuid.NewV7()).String()}
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Reason
}

func TestToken(t *testing.T) {
	c := newClock()
	b := local.New(local.Options{Now: c.Now})
	t.Cleanup(func() { _ = b.Close() })
	gate := citizen.New(signer(t), b, citizen.Options{Now: c.Now})
	mine := citizen.Form{Unit: "xa-mot", Counter: "quay-1", Rating: uuid.NewString()}
	token := gate.Issue(mine)
	if len(token) > 30 || strings.Trim(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		t.Errorf("token %q is not short and fit for an address", token)
	}
	other := func(change func(*citizen.Form)) citizen.Form {
		f := mine
		change(&f)
		return f
	}
	for _, tc := range []struct {
		name  string
		form  citizen.Form
		token string
		after time.Duration
		want  string
	}{
		{"its form", mine, token, 0, ""},
		{"a day later", mine, token, citizen.Lifetime, ""},
		{"a second more", mine, token, citizen.Lifetime + time.Second, "citizen_form_expired"},
		{"a clock that is behind", mine, token, -time.Minute, ""},
		{"from the future", mine, token, -time.Hour, "citizen_form_invalid"},
		{"another unit", other(func(f *citizen.Form) { f.Unit = "xa-hai" }), token, 0, "citizen_form_invalid"},
		{"another counter", other(func(f *citizen.Form) { f.Counter = "" }), token, 0, "citizen_form_invalid"},
		{"another rating", other(func(f *citizen.Form) { f.Rating = uuid.NewString() }), token, 0, "citizen_form_invalid"},
		{"letters moved between fields", other(func(f *citizen.Form) { f.Unit, f.Counter = "xa-motq", "uay-1" }), token, 0, "citizen_form_invalid"},
		{"a later day forged", mine, token[:2] + "_" + token[3:], 0, "citizen_form_invalid"},
		{"cut", mine, token[:27], 0, "citizen_form_invalid"},
		{"longer", mine, token + "AAAA", 0, "citizen_form_invalid"},
		{"not of these letters", mine, strings.Repeat("*", 28), 0, "citizen_form_invalid"},
		{"very long", mine, strings.Repeat("A", 1<<20), 0, "citizen_form_invalid"},
		{"another installation", mine, citizen.New(signer(t), b, citizen.Options{Now: c.Now}).Issue(mine), 0, "citizen_form_invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.pass(tc.after)
			defer c.pass(-tc.after)
			if err := gate.Check(tc.form, tc.token); reason(err) != tc.want || err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
	for i := range len(token) {
		for _, letter := range []string{"A", "z", "_"} {
			if changed := token[:i] + letter + token[i+1:]; changed != token && gate.Check(mine, changed) == nil {
				t.Errorf("letter %d changed to %s, and still good", i, letter)
			}
		}
	}
}

func TestWork(t *testing.T) {
	proof := citizen.Work("token", 12)
	for _, tc := range []struct {
		name, token, proof string
		want               bool
	}{
		{"found", "token", proof, true}, {"of another token", "token2", proof, false}, {"none", "token", "", false},
		{"another number", "token", proof + "1", false}, {"endless", "token", strings.Repeat("1", 1<<20), false},
	} {
		if citizen.Proves(tc.token, tc.proof, 12) != tc.want {
			t.Errorf("%s: want %v", tc.name, tc.want)
		}
	}
}

func TestBudgets(t *testing.T) {
	onBuses(t, func(t *testing.T, limits bus.Limits, c *clock) {
		gate := citizen.New(signer(t), limits, citizen.Options{Now: c.Now, WorkBits: 8})
		send := func(address, unit, token string, proof bool) error {
			f := form(unit)
			a := citizen.Attempt{Form: f, Address: address, Token: token}
			if token == "issued" {
				a.Token = gate.Issue(f)
			}
			if proof {
				a.Proof = citizen.Work(a.Token, gate.WorkBits)
			}
			return gate.Admit(t.Context(), a)
		}
		t.Run("an office of a hundred people behind one address never notices", func(t *testing.T) {
			for i := range 300 {
				if err := send("203.0.113.1", "xa", "issued", false); err != nil {
					t.Fatalf("person %d: %v", i, err)
				}
			}
		})
		t.Run("above it work is asked, and does", func(t *testing.T) {
			var err error
			for range 50 { // Redis goes by its own clock, and gives back five a second
				if err = send("203.0.113.1", "xa", "issued", false); err != nil {
					break
				}
			}
			if reason(err) != "work_needed" || !fault.Is(err, fault.Exhausted) {
				t.Fatalf("%v", err)
			}
			for range 300 {
				if err := send("203.0.113.1", "xa", "issued", true); err != nil {
					t.Fatal(err)
				}
			}
		})
		t.Run("above that the address waits, and is told how long", func(t *testing.T) {
			var err error
			for range 100 {
				if err = send("203.0.113.1", "xa", "issued", true); err != nil {
					break
				}
			}
			if reason(err) != "too_often" || fmt.Sprint(fault.Of(err).Args) != "[seconds 1]" {
				t.Fatalf("%v", err)
			}
		})
		t.Run("others of the same unit are not held back", func(t *testing.T) {
			for i := range 100 {
				if err := send(fmt.Sprintf("198.51.100.%d", i), "xa", "issued", false); err != nil {
					t.Fatal(err)
				}
			}
		})
		t.Run("a rest restores it", func(t *testing.T) {
			c.pass(time.Minute)
			for deadline := time.Now().Add(10 * time.Second); ; {
				err := send("203.0.113.1", "xa", "issued", false)
				if err == nil {
					return
				}
				if time.Now().After(deadline) {
					t.Fatal(err)
				}
			}
		})
		t.Run("without a token it is strict", func(t *testing.T) {
			given := 0
			for ; given < 200 && send("203.0.113.9", "xa", "", false) == nil; given++ {
			}
			if given < 120 || given > 122 {
				t.Errorf("%d were let in, want 120", given)
			}
			if err := send("203.0.113.9", "xa", "issued", false); err != nil {
				t.Errorf("the form from the same address: %v", err)
			}
		})
		t.Run("a unit that many addresses flood asks everybody for work", func(t *testing.T) {
			asked := 0
			for i := range 2500 {
				if reason(send(fmt.Sprintf("10.1.%d.%d", i/250, i%250), "phuong", "issued", false)) == "work_needed" {
					asked++
				}
			}
			if asked == 0 || asked > 100 {
				t.Errorf("%d of 2,500 were asked for work, want 100 less what the seconds gave back", asked)
			}
			if err := send("192.0.2.1", "phuong", "issued", true); err != nil {
				t.Errorf("with work: %v", err)
			}
			if err := send("192.0.2.1", "phuong-khac", "issued", false); err != nil {
				t.Errorf("another unit: %v", err)
			}
		})
		t.Run("one form is not sent without end", func(t *testing.T) {
			f := form("xa-ba")
			a := citizen.Attempt{Form: f, Address: "192.0.2.7", Token: gate.Issue(f)}
			for i := range 13 {
				if err := gate.Admit(t.Context(), a); (reason(err) == "too_often") != (i == 12) {
					t.Fatalf("try %d: %v", i, err)
				}
			}
		})
		t.Run("a household has one IPv6 network", func(t *testing.T) {
			denied := 0
			for i := range 310 {
				if send(fmt.Sprintf("2001:db8:0:7::%x", i+1), "xa-tu", "issued", false) != nil {
					denied++
				}
			}
			if denied == 0 || denied > 10 {
				t.Errorf("%d of 310 were denied, want 10 less what the seconds gave back", denied)
			}
			if err := send("2001:db8:0:8::1", "xa-tu", "issued", false); err != nil {
				t.Errorf("the next network: %v", err)
			}
			if err := send("::ffff:203.0.113.77", "xa-tu", "issued", false); err != nil {
				t.Errorf("a mapped address: %v", err)
			}
		})
		t.Run("forms are handed out within a budget", func(t *testing.T) {
			given := 0
			for ; given < 3000 && gate.AllowForm(t.Context(), "192.0.2.50") == nil; given++ {
			}
			if given < 2400 || given > 2600 {
				t.Errorf("%d forms were given, want 2,400", given)
			}
			if err := gate.AllowForm(t.Context(), "192.0.2.51"); err != nil {
				t.Errorf("the next address: %v", err)
			}
		})
	})
}

// Five hundred requests a second from one address, for as long as it takes: a citizen elsewhere, at the same unit, gets in each
// time, at once and without work.
func TestFloodLeavesOthersAlone(t *testing.T) {
	onBuses(t, func(t *testing.T, limits bus.Limits, c *clock) {
		gate := citizen.New(signer(t), limits, citizen.Options{Now: c.Now})
		let, asked := 0, 0
		admit := func(address string) error {
			f := form("xa")
			return gate.Admit(context.Background(), citizen.Attempt{Form: f, Address: address, Token: gate.Issue(f)})
		}
		const seconds = 10
		for second := range seconds {
			for range 500 {
				switch reason(admit("203.0.113.66")) {
				case "":
					let++
				case "work_needed":
					asked++
				}
				c.pass(2 * time.Millisecond)
			}
			if err := admit(fmt.Sprintf("198.51.100.%d", second)); err != nil {
				t.Fatalf("second %d: another citizen: %v", second, err)
			}
		}
		if let < 300 || let > 300+5*seconds+2 || let+asked != 500*seconds {
			t.Errorf("%d let in (want 300 and 5 a second), %d asked for work", let, asked)
		}
	})
}

// A token opens the form it was issued for and no other, however alike they are.
func TestTokenOpensOneForm(t *testing.T) {
	c := newClock()
	b := local.New(local.Options{Now: c.Now})
	t.Cleanup(func() { _ = b.Close() })
	gate := citizen.New(signer(t), b, citizen.Options{Now: c.Now})
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringOfN(rapid.SampledFrom([]rune("ab\x00")), 0, 3, -1)
		draw := func(which string) citizen.Form {
			return citizen.Form{Unit: part.Draw(t, which+" unit"), Counter: part.Draw(t, which+" counter"), Rating: part.Draw(t, which+" rating")}
		}
		mine, other := draw("mine"), draw("other")
		if err := gate.Check(other, gate.Issue(mine)); (err == nil) != (mine == other) {
			t.Fatalf("%q opens %q: %v", mine, other, err)
		}
	})
}
