package ratinglist

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/secret"
)

// resume is what a token holds: the period, which may have begun as "today", and the place.
type resume struct {
	From  localday.Day `json:"f"`
	To    localday.Day `json:"t"`
	Place place        `json:"p"`
}

// tokens makes page tokens that say nothing: the place of a page names a rating, and its id the millisecond it was given.
type tokens struct{ aead cipher.AEAD }

func newTokens(keys secret.Keys) (tokens, error) {
	signer, err := keys.Signer("listed-rating-page")
	if err != nil {
		return tokens{}, err
	}
	block, err := aes.NewCipher(signer.Sum([]byte("key")))
	if err != nil {
		return tokens{}, fmt.Errorf("cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return tokens{}, fmt.Errorf("cipher: %w", err)
	}
	return tokens{aead}, nil
}

func (t tokens) seal(at resume, binding []byte) (string, error) {
	plain, err := json.Marshal(at)
	if err != nil {
		return "", fmt.Errorf("encode a page token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(t.aead.Seal(nil, nil, plain, binding)), nil
}

// open reads a token of the same question; anything else is Invalid "ratinglist_token_invalid".
func (t tokens) open(token string, binding []byte) (resume, error) {
	invalid := func(err error) (resume, error) {
		return resume{}, fault.New(fault.Invalid, "ratinglist_token_invalid").Because(err)
	}
	sealed, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(token))
	if err != nil {
		return invalid(err)
	}
	plain, err := t.aead.Open(nil, nil, sealed, binding)
	if err != nil {
		return invalid(err)
	}
	var at resume
	if err := json.Unmarshal(plain, &at); err != nil {
		return invalid(err)
	}
	return at, nil
}
