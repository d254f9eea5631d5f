package secret

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// signingKey is the key all processes of one store sign with. Who reads the store can forge a device's token, but not a
// rating: those are sealed with a key that never leaves the device.
type signingKey struct {
	ID  string `bson:"_id"`
	Key []byte `bson:"key"`
}

// usedKeys names the encryption keys this store was used with, so that a missing one is told at start and not when
// a person cannot be called back.
type usedKeys struct {
	ID   string   `bson:"_id"`
	Keys []string `bson:"keys"` // keyIDs
}

// There is one document of each kind.
const only = "shared"

var (
	signingKeys = store.Define[signingKey]("signing_keys")
	knownKeys   = store.Define[usedKeys]("encryption_keys")
)

// Kinds lists the kinds of documents kept here.
func Kinds() []store.Kind { return []store.Kind{signingKeys.Kind, knownKeys.Kind} }

// Load reads the keys, making those that are not there yet. Any number of processes may load at once: all hold
// the same signing key afterwards. What an operator must put right is a *fault.Error.
func Load(ctx context.Context, engine store.Engine, source Source) (Keys, error) {
	encryption, err := source.read()
	if err != nil {
		return Keys{}, err
	}
	inner := &material{}
	for _, key := range encryption {
		with, err := newSealer(key)
		if err != nil {
			return Keys{}, err
		}
		inner.sealers = append(inner.sealers, with)
	}
	if err := inner.checkKnown(ctx, engine, source.ForgetLost); err != nil {
		return Keys{}, err
	}
	if inner.signing, err = shared(ctx, engine); err != nil {
		return Keys{}, err
	}
	return Keys{func() *material { return inner }}, nil
}

// shared reads the store's signing key; whoever comes first makes it.
func shared(ctx context.Context, engine store.Engine) ([keySize]byte, error) {
	docs, err := signingKeys.Open(ctx, engine)
	if err != nil {
		return [keySize]byte{}, err
	}
	var fresh [keySize]byte
	_, _ = rand.Read(fresh[:]) // never fails
	err = docs.Insert(ctx, signingKey{ID: only, Key: fresh[:]})
	if err == nil {
		return fresh, nil
	}
	if !errors.Is(err, store.ErrExists) {
		return [keySize]byte{}, fmt.Errorf("make signing key: %w", err)
	}
	doc, _, err := docs.Get(ctx, only)
	if err != nil {
		return [keySize]byte{}, fmt.Errorf("read signing key: %w", err)
	}
	if len(doc.Key) != keySize {
		return [keySize]byte{}, fmt.Errorf("signing key in the store has %d bytes", len(doc.Key))
	}
	return [keySize]byte(doc.Key), nil
}

// checkKnown refuses to go on without a key that the store was used with, and notes those that are new.
func (m *material) checkKnown(ctx context.Context, engine store.Engine, forget bool) error {
	docs, err := knownKeys.Open(ctx, engine)
	if err != nil {
		return err
	}
	have := make([]string, len(m.sealers))
	for i, with := range m.sealers {
		have[i] = with.id.String()
	}
	err = docs.Insert(ctx, usedKeys{ID: only, Keys: have})
	if !errors.Is(err, store.ErrExists) {
		return err
	}
	_, err = docs.Update(ctx, only, func(known *usedKeys) (bool, error) {
		before := slices.Clone(known.Keys)
		lost := slices.DeleteFunc(slices.Clone(known.Keys), func(id string) bool { return slices.Contains(have, id) })
		if len(lost) > 0 && !forget {
			return false, fault.New(fault.Invalid, "key_lost", "keys", strings.Join(lost, ", "))
		}
		known.Keys = have
		return !slices.Equal(before, have), nil
	})
	return err
}
