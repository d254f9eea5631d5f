package screen

import (
	"encoding/base64"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
)

// pinHash is a cheap hash in the form that a configuration carries.
func pinHash(pin string) string {
	salt := []byte("0123456789abcdef")
	sum := argon2.IDKey([]byte(pin), salt, 1, 64, 1, 32)
	return "$argon2id$v=19$m=64,t=1,p=1$" + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(sum)
}

func TestPIN(t *testing.T) {
	hash := pinHash("4711")
	if !matchesPIN(hash, "4711") {
		t.Fatal("the right PIN is refused")
	}
	for name, c := range map[string][2]string{
		"wrong": {hash, "4712"}, "empty": {hash, ""}, "no hash": {"", ""}, "another kind": {"$2a$10$abc", "4711"}, "too dear": {"$argon2id$v=19$m=99999999,t=1,p=1$MDEyMzQ1Njc$MDEyMzQ1Njc4OWFiY2RlZg", "4711"},
		"no numbers": {"$argon2id$v=19$m=x$MDEyMzQ1Njc$MDEyMzQ1Njc4OWFiY2RlZg", "4711"},
	} {
		if matchesPIN(c[0], c[1]) {
			t.Errorf("%s is taken", name)
		}
	}
	p := newPINs()
	for range pinTries {
		p.try("o1", hash, "0000", 0)
	}
	if p.try("o1", hash, "4711", time.Minute) == "" {
		t.Error("after five wrong tries the sixth is looked at")
	}
	if p.try("o2", hash, "4711", time.Minute) != "" || p.try("o1", hash, "4711", pinRest) != "" {
		t.Error("another person, or the same after the rest, is kept out")
	}
}
