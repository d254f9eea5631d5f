// Package secret holds the keys that must not be printed: the key that signs device tokens and nonces, shared by all
// processes of one store and kept in it, and the keys that encrypt how to reach a person, which are never in
// the store, so that a stolen copy of it tells nobody's telephone number.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"

	"github.com/hailong-vn/hailong/internal/fault"
)

// keySize is that of AES-256 and of the signing key, in bytes.
const keySize = 32

// Keys signs and encrypts. The zero Keys can do neither; Load makes one. It may be copied, and used by many goroutines.
type Keys struct {
	// Behind a function, so that no print-out of a struct that holds Keys shows a byte of it: fmt calls no method of
	// an unexported field, and follows a pointer where the verb does not fit.
	open func() *material
}

type material struct {
	signing [keySize]byte
	sealers []sealer // the first seals; all open
}

// sealer is one encryption key.
type sealer struct {
	id   keyID
	aead cipher.AEAD
}

// keyID names an encryption key in what it sealed: the first bytes of a hash of the key.
type keyID [4]byte

func (id keyID) String() string { return hex.EncodeToString(id[:]) }

func idOf(key [keySize]byte) keyID {
	sum := sha256.Sum256(append([]byte("hailong.key-id\x00"), key[:]...))
	return keyID(sum[:4])
}

func newSealer(key [keySize]byte) (sealer, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return sealer{}, fmt.Errorf("cipher: %w", err)
	}
	// A nonce of 96 random bits a message: safe for 2^32 messages a key, by NIST SP 800-38D, 8.3.
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealer{}, fmt.Errorf("cipher: %w", err)
	}
	return sealer{id: idOf(key), aead: aead}, nil
}

// format is the first byte of everything sealed.
const format = 1

const headerSize = 1 + len(keyID{})

// Seal encrypts plaintext with AES-256-GCM. aad is not kept in the answer, but Open must be given the same: name there
// what the bytes are and whose, so that they cannot be moved to another document.
// The answer is 33 bytes longer than plaintext.
func (k Keys) Seal(plaintext, aad []byte) ([]byte, error) {
	if k.open == nil {
		return nil, fault.New(fault.Internal, "internal").Because(fmt.Errorf("secret: no encryption key"))
	}
	with := k.open().sealers[0]
	sealed := make([]byte, 0, headerSize+with.aead.Overhead()+len(plaintext))
	sealed = append(sealed, format)
	sealed = append(sealed, with.id[:]...)
	return with.aead.Seal(sealed, nil, plaintext, bound(sealed, aad)), nil
}

// Open decrypts what Seal made with the same aad, under any of the keys. What was changed, or sealed under a key that is
// not there, is an error for the log: Internal.
func (k Keys) Open(sealed, aad []byte) ([]byte, error) {
	broken := func(why string) error {
		return fault.New(fault.Internal, "internal").Because(fmt.Errorf("secret: cannot open: %s", why))
	}
	if len(sealed) < headerSize || sealed[0] != format {
		return nil, broken("not sealed here")
	}
	if k.open != nil {
		for _, with := range k.open().sealers {
			if with.id != keyID(sealed[1:headerSize]) {
				continue
			}
			plaintext, err := with.aead.Open(nil, nil, sealed[headerSize:], bound(sealed[:headerSize], aad))
			if err != nil {
				return nil, broken("changed, or sealed for something else")
			}
			return plaintext, nil
		}
	}
	return nil, broken("key " + hex.EncodeToString(sealed[1:headerSize]) + " is not among the keys given")
}

// bound is the header and aad, which authenticates both.
func bound(header, aad []byte) []byte {
	return append(append(make([]byte, 0, len(header)+len(aad)), header...), aad...)
}

// Signer signs for one purpose: HMAC-SHA256 under a key derived for it, so that what is signed for one purpose
// proves nothing for another. It may be copied, and used by many goroutines.
type Signer struct{ open func() []byte }

// Signer answers the signer of a purpose, such as "device-token".
func (k Keys) Signer(purpose string) (Signer, error) {
	if k.open == nil {
		return Signer{}, fmt.Errorf("secret: no signing key")
	}
	derived, err := hkdf.Expand(sha256.New, k.open().signing[:], "hailong."+purpose, keySize)
	if err != nil {
		return Signer{}, fmt.Errorf("derive key: %w", err)
	}
	return Signer{func() []byte { return derived }}, nil
}

// Sum answers 32 bytes that only who holds the key can make.
func (s Signer) Sum(data []byte) []byte {
	mac := hmac.New(sha256.New, s.open())
	mac.Write(data)
	return mac.Sum(nil)
}

// Proves tells whether sum was made by Sum over data, in constant time.
func (s Signer) Proves(data, sum []byte) bool { return hmac.Equal(s.Sum(data), sum) }

const redacted = "[redacted]"

// Format prints nothing of the keys, whatever the verb.
func (k Keys) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// String prints nothing of the keys.
func (k Keys) String() string { return redacted }

// LogValue logs nothing of the keys.
func (k Keys) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText writes nothing of the keys.
func (k Keys) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Format prints nothing of the key, whatever the verb.
func (s Signer) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// String prints nothing of the key.
func (s Signer) String() string { return redacted }

// LogValue logs nothing of the key.
func (s Signer) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText writes nothing of the key.
func (s Signer) MarshalText() ([]byte, error) { return []byte(redacted), nil }
