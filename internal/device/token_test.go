package device

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
)

func TestATokenSaysWhichDevice(t *testing.T) {
	h := newHouse(t)
	here, there := h.process(), h.process()
	device, key := h.enrolled(here, 1)
	nonce := here.CreateNonce(device.ID)
	token, expires, err := there.CreateToken(t.Context(), device.ID, nonce, sign(key, nonce))
	if err != nil {
		t.Fatal(err)
	}
	if !expires.Equal(at.Add(time.Hour)) {
		t.Errorf("expires at %v", expires)
	}
	want := identity.Caller{Kind: identity.CallerDevice, DeviceID: device.ID, Name: device.Name}
	for _, d := range []*Devices{here, there} {
		if got, err := d.Authenticate(t.Context(), token); !cmp.Equal(got, want) || err != nil {
			t.Errorf("caller is %+v, %v", got, err)
		}
	}
	h.clock.add(time.Hour - 1)
	if _, err := here.Authenticate(t.Context(), token); err != nil {
		t.Error(err)
	}
	h.clock.add(1)
	_, err = here.Authenticate(t.Context(), token)
	wantFault(t, err, fault.Unauthenticated, "device_token_ended")
}

func TestANonceProvesOnce(t *testing.T) {
	h := newHouse(t)
	here, there := h.process(), h.process()
	device, key := h.enrolled(here, 1)
	other, _ := h.enrolled(here, 2)
	_, stranger := testKey(3)
	try := func(id string, nonce, signature []byte) error {
		_, _, err := here.CreateToken(t.Context(), id, nonce, signature)
		return err
	}
	tests := []struct {
		name string
		try  func() error
	}{
		{"another key", func() error { n := here.CreateNonce(device.ID); return try(device.ID, n, sign(stranger, n)) }},
		{"another device's nonce", func() error { n := here.CreateNonce(other.ID); return try(device.ID, n, sign(key, n)) }},
		{"another device", func() error { n := here.CreateNonce(other.ID); return try(other.ID, n, sign(key, n)) }},
		{"a device that is not there", func() error { n := here.CreateNonce("nobody"); return try("nobody", n, sign(key, n)) }},
		{"no device", func() error { n := here.CreateNonce(""); return try("", n, sign(key, n)) }},
		{"a device whose name is no text", func() error { n := here.CreateNonce("\xff"); return try("\xff", n, sign(key, n)) }},
		{"a nonce of one's own", func() error { n := make([]byte, nonceSize); n[0] = format; return try(device.ID, n, sign(key, n)) }},
		{"no nonce", func() error { return try(device.ID, nil, sign(key, nil)) }},
		{"no signature", func() error { return try(device.ID, here.CreateNonce(device.ID), nil) }},
		{"a signature for something else", func() error {
			n := here.CreateNonce(device.ID)
			return try(device.ID, n, sign(key, append([]byte("x"), n...)))
		}},
		{"a changed nonce", func() error {
			n := here.CreateNonce(device.ID)
			n[12] ^= 1
			return try(device.ID, n, sign(key, n))
		}},
		{"an old nonce", func() error {
			n := here.CreateNonce(device.ID)
			h.clock.add(time.Minute)
			return try(device.ID, n, sign(key, n))
		}},
		{"a nonce from the future", func() error {
			h.clock.add(time.Minute)
			n := here.CreateNonce(device.ID)
			h.clock.add(-time.Minute)
			return try(device.ID, n, sign(key, n))
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wantFault(t, test.try(), fault.Unauthenticated, "device_unproven")
		})
	}
	t.Run("the same nonce for many callers", func(t *testing.T) {
		nonce := here.CreateNonce(device.ID)
		var given atomic.Int32
		var callers sync.WaitGroup
		for i := range 16 {
			d := []*Devices{here, there}[i%2]
			callers.Go(func() {
				if _, _, err := d.CreateToken(t.Context(), device.ID, nonce, sign(key, nonce)); err == nil {
					given.Add(1)
				}
			})
		}
		callers.Wait()
		if given.Load() != 1 {
			t.Errorf("%d tokens for one nonce", given.Load())
		}
	})
}

func TestHostileTokens(t *testing.T) {
	h := newHouse(t)
	d := h.process()
	device, key := h.enrolled(d, 1)
	token := h.token(d, device.ID, key)
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, TokenPrefix))
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		if _, err := d.Authenticate(t.Context(), TokenPrefix+base64.RawURLEncoding.EncodeToString(raw)); err == nil {
			t.Fatalf("accepted with byte %d changed", i)
		}
		raw[i] ^= 1
	}
	nonce := d.CreateNonce(device.ID)
	for name, hostile := range map[string]string{
		"empty": "", "prefix": TokenPrefix, "cut": token[:len(token)-1], "longer": token + "A", "padded": token + "=",
		"a line break": token[:20] + "\n" + token[20:], "a session's": strings.Replace(token, TokenPrefix, identity.TokenPrefix, 1),
		"a nonce": TokenPrefix + base64.RawURLEncoding.EncodeToString(nonce), "a megabyte": TokenPrefix + strings.Repeat("A", 1<<20),
		"no text": TokenPrefix + strings.Repeat("\xff", 100),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Authenticate(t.Context(), hostile)
			wantFault(t, err, fault.Unauthenticated, "device_token_ended")
		})
	}
	if _, err := d.Authenticate(t.Context(), token); err != nil {
		t.Error(err)
	}
}

func TestRevocationHoldsAtOnce(t *testing.T) {
	h := newHouse(t)
	here, there := h.process(), h.process()
	device, key := h.enrolled(here, 1)
	token := h.token(there, device.ID, key)
	for _, d := range []*Devices{here, there} {
		if _, err := d.Authenticate(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	revoked, err := here.Revoke(t.Context(), "admin", device.ID)
	if err != nil || !revoked.RevokedAt.Equal(at) {
		t.Fatal(revoked, err)
	}
	_, err = here.Authenticate(t.Context(), token)
	wantFault(t, err, fault.Unauthenticated, "device_revoked")
	nonce := there.CreateNonce(device.ID)
	_, _, err = there.CreateToken(t.Context(), device.ID, nonce, sign(key, nonce))
	wantFault(t, err, fault.Unauthenticated, "device_revoked")
	// The clock stands: only the bus can have told.
	eventually(t, "the other process refuses the token", func() bool {
		_, err := there.Authenticate(t.Context(), token)
		return err != nil
	})
	h.clock.add(time.Second)
	if again, err := here.Revoke(t.Context(), "", device.ID); err != nil || !again.RevokedAt.Equal(at) {
		t.Errorf("revoked again: %v, %v", again.RevokedAt, err)
	}
}

// away is a bus that cannot be asked.
type away struct{ bus.Bus }

func (away) Publish(context.Context, string, []byte) error {
	return bus.Unavailable(errors.New("away"))
}

func (away) UseOnce(context.Context, string, time.Duration) (bool, error) {
	return false, bus.Unavailable(errors.New("away"))
}

func TestWithoutABus(t *testing.T) {
	h := newHouse(t)
	here, there := h.process(func(o *Options) { o.Feed, o.Nonces = away{h.bus}, away{h.bus} }), h.process()
	device, key := h.enrolled(there, 1)
	token := h.token(there, device.ID, key)
	if _, err := there.Authenticate(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	nonce := here.CreateNonce(device.ID)
	_, _, err := here.CreateToken(t.Context(), device.ID, nonce, sign(key, nonce))
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("a nonce that nobody can remember as used: %v", err)
	}
	if _, err := here.Revoke(t.Context(), "", device.ID); err != nil {
		t.Fatal(err)
	}
	h.clock.add(keepKnown)
	_, err = there.Authenticate(t.Context(), token)
	wantFault(t, err, fault.Unauthenticated, "device_revoked")
}

func BenchmarkAuthenticate(b *testing.B) {
	h := newBenchHouse(b)
	device, key := h.enrolled(h.d, 1)
	token := h.token(h.d, device.ID, key)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.d.Authenticate(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAllowed(b *testing.B) {
	h := newBenchHouse(b)
	device, _ := h.enrolled(h.d, 1)
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := h.d.Allowed(b.Context(), device.ID, "U", "C", at); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
