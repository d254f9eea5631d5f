package device

import (
	"crypto/ed25519"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/fault"
)

func TestACodeAsItIsTyped(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := newCode()
		if !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`).MatchString(code) {
			t.Fatalf("a code is %q", code)
		}
		want, ok := codeHash(code)
		if !ok {
			t.Fatalf("%q is no code", code)
		}
		typed := ""
		for _, r := range strings.ReplaceAll(code, "-", "") {
			letter := string(r)
			switch {
			case r == '0' && rapid.Bool().Draw(t, "O"):
				letter = "o"
			case r == '1' && rapid.Bool().Draw(t, "I"):
				letter = rapid.SampledFrom([]string{"i", "I", "l", "L"}).Draw(t, "one")
			case rapid.Bool().Draw(t, "lower"):
				letter = strings.ToLower(letter)
			}
			typed += letter + rapid.SampledFrom([]string{"", "-", " ", "  ", "–"}).Draw(t, "between")
		}
		if got, ok := codeHash(typed); len(typed) <= 64 && (!ok || got != want) {
			t.Fatalf("%q typed as %q is not the same", code, typed)
		}
	})
	for _, hostile := range []string{"", "-", "7F3K-9QWD-XM2", "7F3K-9QWD-XM2PP", "7F3K-9QWD-XM2U", "7F3K9QWDXM2\x00", "７F3K-9QWD-XM2P",
		"7F3K-9QWD-XM2\xff", "7F3K-9QWD-XM2ı", strings.Repeat("7", 1<<20), strings.Repeat(" ", 100) + "7F3K9QWDXM2P"} {
		if _, ok := codeHash(hostile); ok {
			t.Errorf("%.40q is taken for a code", hostile)
		}
	}
}

func TestEnrolmentBindsAKeyOnce(t *testing.T) {
	h := newHouse(t)
	d := h.process()
	made, code := h.make(d)
	if !code.ExpiresAt.Equal(at.Add(24*time.Hour)) || !made.EnrolledAt.IsZero() {
		t.Errorf("made %+v with a code until %v", made, code.ExpiresAt)
	}
	_, err := d.PublicKey(t.Context(), made.ID)
	wantFault(t, err, fault.Unauthenticated, "device_not_enrolled")
	public, private := testKey(1)
	device, err := d.Enroll(t.Context(), strings.ToLower(code.Text), public, "10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if device.ID != made.ID || !device.EnrolledAt.Equal(at) || device.Name != made.Name || len(device.Bindings) != 1 {
		t.Errorf("enrolled as %+v", device)
	}
	if key, err := d.PublicKey(t.Context(), made.ID); err != nil || !key.Equal(public) {
		t.Errorf("bound %v, %v", key, err)
	}
	token := h.token(d, made.ID, private)
	if again, err := d.Enroll(t.Context(), code.Text, public, "10.0.0.1"); err != nil || again.ID != made.ID {
		t.Errorf("the answer was lost, and the same again is %v, %v", again, err)
	}
	if _, err := d.Authenticate(t.Context(), token); err != nil {
		t.Errorf("the same again ended the token: %v", err)
	}
	other, _ := testKey(2)
	_, err = d.Enroll(t.Context(), code.Text, other, "10.0.0.1")
	wantFault(t, err, fault.Unauthenticated, "enrollment_code_wrong")
}

func TestEnrolmentRefuses(t *testing.T) {
	h := newHouse(t)
	d := h.process()
	public, _ := testKey(1)
	_, code := h.make(d)
	for name, key := range map[string]ed25519.PublicKey{"none": nil, "short": public[:31], "long": append(public, 0), "zeros": make(ed25519.PublicKey, 32)} {
		t.Run("a key that is "+name, func(t *testing.T) {
			_, err := d.Enroll(t.Context(), code.Text, key, "10.0.0.1")
			wantFault(t, err, fault.Invalid, "device_key_invalid")
		})
	}
	t.Run("a revoked device", func(t *testing.T) {
		device, code := h.make(d)
		if _, err := d.Revoke(t.Context(), "", device.ID); err != nil {
			t.Fatal(err)
		}
		_, err := d.Enroll(t.Context(), code.Text, public, "10.0.0.1")
		wantFault(t, err, fault.Unauthenticated, "enrollment_code_wrong")
		_, _, err = d.RenewCode(t.Context(), "", device.ID)
		wantFault(t, err, fault.Denied, "device_revoked")
	})
	t.Run("an expired code", func(t *testing.T) {
		h.clock.add(24*time.Hour - time.Millisecond)
		_, late := h.make(d)
		h.clock.add(time.Millisecond)
		_, err := d.Enroll(t.Context(), code.Text, public, "10.0.0.1")
		wantFault(t, err, fault.Unauthenticated, "enrollment_code_expired")
		if _, err := d.Enroll(t.Context(), late.Text, public, "10.0.0.1"); err != nil {
			t.Error(err)
		}
	})
}

func TestOfTwoKeysOneIsBound(t *testing.T) {
	h := newHouse(t)
	here, there := h.process(), h.process()
	device, code := h.make(here)
	var callers sync.WaitGroup
	var mu sync.Mutex
	var bound []ed25519.PublicKey
	for i := range 16 {
		d := []*Devices{here, there}[i%2]
		callers.Go(func() {
			public, _ := testKey(byte(i + 1))
			_, err := d.Enroll(t.Context(), code.Text, public, fmt.Sprint("10.0.0.", i))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				bound = append(bound, public)
			} else if !fault.Is(err, fault.Unauthenticated) {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if len(bound) != 1 {
		t.Fatalf("%d keys were bound", len(bound))
	}
	for _, d := range []*Devices{here, there} {
		eventually(t, "every process knows the key", func() bool {
			key, err := d.PublicKey(t.Context(), device.ID)
			return err == nil && key.Equal(bound[0])
		})
	}
}

func TestReenrolmentStopsTheOldKeyWhenTheNewOneIsBound(t *testing.T) {
	h := newHouse(t)
	d := h.process()
	device, old := h.enrolled(d, 1)
	if err := d.Received(t.Context(), device.ID, []uint64{1, 2, 3}, nil); err != nil {
		t.Fatal(err)
	}
	token := h.token(d, device.ID, old)
	_, forgotten, err := d.RenewCode(t.Context(), "", device.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, code, err := d.RenewCode(t.Context(), "", device.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Authenticate(t.Context(), token); err != nil {
		t.Errorf("the old key stopped before the new one was bound: %v", err)
	}
	public, private := testKey(2)
	_, err = d.Enroll(t.Context(), forgotten.Text, public, "10.0.0.1")
	wantFault(t, err, fault.Unauthenticated, "enrollment_code_wrong")
	again, err := d.Enroll(t.Context(), code.Text, public, "10.0.0.1")
	if err != nil || again.ID != device.ID {
		t.Fatal(again, err)
	}
	_, err = d.Authenticate(t.Context(), token)
	wantFault(t, err, fault.Unauthenticated, "device_token_ended")
	nonce := d.CreateNonce(device.ID)
	_, _, err = d.CreateToken(t.Context(), device.ID, nonce, sign(old, nonce))
	wantFault(t, err, fault.Unauthenticated, "device_unproven")
	if _, err := d.Authenticate(t.Context(), h.token(d, device.ID, private)); err != nil {
		t.Error(err)
	}
	if through, err := d.StoredThrough(t.Context(), device.ID); through != 3 || err != nil {
		t.Errorf("the sequence was not kept: %d, %v", through, err)
	}
}

func TestWrongCodesAreLimitedByAddress(t *testing.T) {
	h := newHouse(t)
	d := h.process()
	public, _ := testKey(1)
	_, code := h.make(d)
	for range 5 {
		_, err := d.Enroll(t.Context(), newCode(), public, "10.0.0.1")
		wantFault(t, err, fault.Unauthenticated, "enrollment_code_wrong")
	}
	_, err := d.Enroll(t.Context(), code.Text, public, "10.0.0.1")
	wantFault(t, err, fault.Exhausted, "enrollment_too_often")
	if _, err := d.Enroll(t.Context(), code.Text, public, "10.0.0.2"); err != nil {
		t.Errorf("another address is kept out: %v", err)
	}
	h.clock.add(12 * time.Second)
	if _, err := d.Enroll(t.Context(), code.Text, public, "10.0.0.1"); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	for i := range 40 {
		_, code := h.make(d)
		if _, err := d.Enroll(t.Context(), code.Text, public, "10.0.0.3"); err != nil {
			t.Fatalf("kiosk %d of a hall: %v", i, err)
		}
	}
	t.Run("and of all addresses together", func(t *testing.T) {
		var err error
		tries := 0
		for ; tries < 1000 && !fault.Is(err, fault.Exhausted); tries++ {
			_, err = d.Enroll(t.Context(), newCode(), public, fmt.Sprint("10.1.0.", tries))
		}
		if tries > 601 {
			t.Errorf("%d wrong codes were looked at", tries)
		}
	})
}
