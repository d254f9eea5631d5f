package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// guess signs in with wrong passwords until it is told to wait, and answers how many were looked at.
func guess(t *testing.T, a *Accounts, name string, address func(int) string) int {
	t.Helper()
	for i := range 1000 {
		_, _, err := a.SignIn(t.Context(), name, "một mật khẩu sai", address(i))
		if fault.Is(err, fault.Exhausted) {
			return i
		}
		wantFault(t, err, fault.Unauthenticated, "sign_in_wrong")
	}
	t.Fatal("1,000 guesses were looked at")
	return 0
}

func from(address string) func(int) string { return func(int) string { return address } }

func TestGuessingFromOneAddress(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	if n := guess(t, a, "lan", from("10.0.0.9")); n != 10 {
		t.Errorf("%d guesses were looked at", n)
	}
	_, _, err := a.SignIn(t.Context(), "lan", password, "10.0.0.9")
	wantFault(t, err, fault.Exhausted, "sign_in_too_often")
	_, _, err = a.SignIn(t.Context(), "LAN", password, "10.0.0.9:777")
	wantFault(t, err, fault.Exhausted, "sign_in_too_often")
	if _, _, err := a.SignIn(t.Context(), "lan", password, "10.0.0.10"); err != nil {
		t.Errorf("the person is kept out elsewhere: %v", err)
	}
	h.clock.add(time.Minute)
	if _, _, err := a.SignIn(t.Context(), "lan", password, "10.0.0.9"); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	t.Run("many names", func(t *testing.T) {
		looked := 0
		for i := range 20 {
			looked += guess(t, a, fmt.Sprint("name", i), from("10.0.0.66"))
		}
		if looked > 60 {
			t.Errorf("%d guesses were looked at", looked)
		}
	})
	t.Run("an address in IPv6 is its network", func(t *testing.T) {
		n := guess(t, a, "lan", func(i int) string { return fmt.Sprintf("[2001:db8::%x]:443", i+1) })
		if n != 10 {
			t.Errorf("%d guesses were looked at", n)
		}
	})
}

// Whoever has many addresses can guess slowly, and keep nobody out from where that person signs in.
func TestGuessingFromManyAddresses(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	h.signIn(a, "lan") // from 10.0.0.1
	everywhere := func(i int) string { return fmt.Sprintf("10.%d.%d.1", 1+i/200, i%200) }
	if n := guess(t, a, "lan", everywhere); n != 30 {
		t.Errorf("%d guesses were looked at", n)
	}
	_, _, err := a.SignIn(t.Context(), "lan", password, "10.9.9.9")
	wantFault(t, err, fault.Exhausted, "sign_in_too_often")
	h.signIn(a, "lan")
	if n := guess(t, a, "nobody of that name", everywhere); n != 30 {
		t.Errorf("%d guesses at a name nobody has: this tells which names there are", n)
	}
	h.clock.add(2 * time.Minute)
	if _, _, err := a.SignIn(t.Context(), "lan", password, "10.9.9.9"); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// An office comes to work at the same minute, behind one address.
func TestRightPasswordsAreNotLimited(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	for range 200 {
		h.signIn(a, "lan")
	}
}

// Many guesses at once get no further than one after the other.
func TestGuessingAtOnce(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	var looked atomic.Int32
	var callers sync.WaitGroup
	for range 60 {
		callers.Go(func() {
			_, _, err := a.SignIn(t.Context(), "lan", "một mật khẩu sai", "10.0.0.9")
			if fault.Is(err, fault.Unauthenticated) {
				looked.Add(1)
			}
		})
	}
	callers.Wait()
	// Those being hashed at the moment the budget ends may be looked at besides.
	if n := int(looked.Load()); n < 10 || n > 10+cap(a.hasher.slots) {
		t.Errorf("%d guesses were looked at", n)
	}
	_, _, err := a.SignIn(t.Context(), "lan", password, "10.0.0.9")
	wantFault(t, err, fault.Exhausted, "sign_in_too_often")
}

func TestHostileSignIns(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	for name, try := range map[string][2]string{
		"nothing":                  {"", ""},
		"a name that is no text":   {"\xff\xfe", password},
		"a name of a megabyte":     {strings.Repeat("x", 1<<20), password},
		"a null":                   {"lan\x00", password},
		"a password of a megabyte": {"lan", strings.Repeat("x", 1<<20)},
		"no password":              {"lan", ""},
		"the hash":                 {"lan", "$argon2id$v=19$m=8,t=1,p=1$"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := a.SignIn(t.Context(), try[0], try[1], "10.0.0.2")
			wantFault(t, err, fault.Unauthenticated, "sign_in_wrong")
		})
	}
	for _, address := range []string{"", "not an address", strings.Repeat("9", 1<<20)} {
		if _, _, err := a.SignIn(t.Context(), "lan", password, address); err != nil {
			t.Errorf("from %.20q: %v", address, err)
		}
	}
}

func TestADisabledAccountIsNotToldFromAWrongPassword(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	account := h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	if _, err := a.Disable(t.Context(), System(), inTree, account.ID); err != nil {
		t.Fatal(err)
	}
	_, _, err := a.SignIn(t.Context(), "lan", password, "10.0.0.1")
	wantFault(t, err, fault.Unauthenticated, "sign_in_wrong")
}

func TestAHashAtAnOlderCostIsRenewed(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	account := h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	later, err := open(t.Context(), h.engine, Options{Limits: h.bus, Feed: h.bus, Now: h.clock.Now}, cost{Memory: 16, Passes: 2, Lanes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(later.Close)
	token, _ := h.signIn(a, "lan")
	h.signIn(later, "lan")
	doc, _, err := later.accounts.Get(t.Context(), account.ID)
	if err != nil || !strings.HasPrefix(doc.Hash, "$argon2id$v=19$m=16,t=2,p=1$") {
		t.Errorf("the hash is %.30s, %v", doc.Hash, err)
	}
	if _, err := a.Authenticate(t.Context(), token); err != nil {
		t.Errorf("it ended a session: %v", err)
	}
	h.signIn(later, "lan")
}

func TestAStoredHashIsNotTrusted(t *testing.T) {
	hasher := newHasher(cheap)
	good, err := hasher.hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	if ok, outdated, err := hasher.matches(t.Context(), good, password); !ok || outdated || err != nil {
		t.Fatal(ok, outdated, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "another kind": "$2a$10$abcdefghijklmnopqrstuv", "cut": good[:len(good)-30],
		"all memory":  strings.Replace(good, "m=8,", "m=4294967295,", 1),
		"for ever":    strings.Replace(good, "t=1,", "t=4294967295,", 1),
		"no passes":   strings.Replace(good, "t=1,", "t=0,", 1),
		"no lanes":    strings.Replace(good, "p=1$", "p=0$", 1),
		"old version": strings.Replace(good, "v=19", "v=16", 1),
		"no base64":   good + "!",
	} {
		t.Run(name, func(t *testing.T) {
			if ok, _, err := hasher.matches(t.Context(), bad, password); ok || err == nil {
				t.Errorf("taken for a hash: %v, %v", ok, err)
			}
		})
	}
}

func TestAFloodWaitsAndIsSentAway(t *testing.T) {
	hasher := newHasher(cheap)
	leave := make([]func(), cap(hasher.slots))
	for i := range leave {
		var err error
		if leave[i], err = hasher.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var gone, busy atomic.Int32
	var callers sync.WaitGroup
	for range maxWaiting + 20 {
		callers.Go(func() {
			_, err := hasher.hash(ctx, password)
			switch {
			case errors.Is(err, context.Canceled):
				gone.Add(1)
			case fault.Is(err, fault.Exhausted):
				busy.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	eventually(t, "those beyond the bound are sent away", func() bool { return busy.Load() == 20 })
	cancel()
	callers.Wait()
	if gone.Load() != maxWaiting {
		t.Errorf("%d waited", gone.Load())
	}
	for _, l := range leave {
		l()
	}
	if _, err := hasher.hash(t.Context(), password); err != nil {
		t.Errorf("after the flood: %v", err)
	}
}

// What a sign-in takes must not tell whether there is such a name. At the real cost, where hashing outweighs the rest.
func TestAnUnknownNameTakesAsLong(t *testing.T) {
	h := newHouse(t)
	a, err := Open(t.Context(), h.engine, Options{Limits: h.bus, Feed: h.bus, Now: h.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	h.account(a, "lan", pb.Role_ROLE_OPERATOR, "T")
	took := map[string][]time.Duration{}
	for i := range 10 { // in turns, so that a busy machine slows both
		for _, name := range []string{"lan", "nobody"} {
			start := time.Now()
			_, _, err := a.SignIn(t.Context(), name, "một mật khẩu sai", fmt.Sprintf("10.2.%d.1", i))
			took[name] = append(took[name], time.Since(start))
			wantFault(t, err, fault.Unauthenticated, "sign_in_wrong")
		}
	}
	median := func(name string) time.Duration {
		slices.Sort(took[name])
		return took[name][len(took[name])/2]
	}
	known, unknown := median("lan"), median("nobody")
	t.Logf("a known name takes %v, an unknown one %v", known, unknown)
	if unknown < known/3 || known < unknown/3 { // wide: the machine is shared; without the work it is a factor of 50
		t.Errorf("a known name takes %v, an unknown one %v", known, unknown)
	}
}
