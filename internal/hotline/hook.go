package hotline

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Hook is a telephone exchange that tells which number rings. Its token can do nothing else.
type Hook struct {
	ID        string    `bson:"_id"`
	Unit      string    `bson:"unit"` // whose operators are told
	Name      string    `bson:"name"`
	Hash      string    `bson:"hash"` // of the token, which is kept nowhere
	MadeBy    string    `bson:"made_by"`
	MadeAt    time.Time `bson:"made_at"`
	RevokedAt time.Time `bson:"revoked_at,omitempty"`
}

// HookPrefix begins every hook's token, so that an entrance knows whom to ask.
const HookPrefix = "hlpbx_"

// maxHooks is how many exchanges there may be.
const maxHooks = 1000

func hashOf(token string) string {
	sum := sha256.Sum256([]byte("hailong.call-hook\x00" + token))
	return hex.EncodeToString(sum[:])
}

// CreateHook makes a hook and answers its token, the only time that it is told. Invalid "hotline_hook_name"; Exhausted "hotline_hooks_many".
func (h *Hotline) CreateHook(ctx context.Context, by Operator, unitID, name string) (Hook, string, error) {
	name = norm.NFC.String(strings.TrimSpace(name))
	if name == "" || utf8.RuneCountInString(name) > MaxName {
		return Hook{}, "", fault.New(fault.Invalid, "hotline_hook_name", "limit", MaxName)
	}
	all, err := h.Hooks(ctx)
	if err != nil {
		return Hook{}, "", err
	}
	if len(all) >= maxHooks {
		return Hook{}, "", fault.New(fault.Exhausted, "hotline_hooks_many", "limit", maxHooks)
	}
	var random [32]byte
	if _, err := rand.Read(random[:]); err != nil {
		return Hook{}, "", err
	}
	token := HookPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	id, err := uuid.NewV7()
	if err != nil {
		return Hook{}, "", err
	}
	hook := Hook{ID: id.String(), Unit: unitID, Name: name, Hash: hashOf(token), MadeBy: by.Account, MadeAt: store.Milliseconds(h.now())}
	if err := h.hooks.Insert(ctx, hook); err != nil {
		return Hook{}, "", told("make hook", "hotline_hook_unknown", err)
	}
	return hook, token, nil
}

// Hooks answers all hooks, newest first.
func (h *Hotline) Hooks(ctx context.Context) ([]Hook, error) {
	hooks, _, err := h.hooks.Page(ctx, store.Query{Index: "made", Desc: true}, maxHooks)
	return hooks, told("list hooks", "hotline_hook_unknown", err)
}

// Hook reads one. NotFound "hotline_hook_unknown".
func (h *Hotline) Hook(ctx context.Context, id string) (Hook, error) {
	hook, _, err := h.hooks.Get(ctx, id)
	return hook, told("read hook", "hotline_hook_unknown", err)
}

// RevokeHook ends a hook's token at once; again changes nothing.
func (h *Hotline) RevokeHook(ctx context.Context, id string) error {
	_, err := h.hooks.Update(ctx, id, func(hook *Hook) (bool, error) {
		if !hook.RevokedAt.IsZero() {
			return false, nil
		}
		hook.RevokedAt = store.Milliseconds(h.now())
		return true, nil
	})
	return told("revoke hook", "hotline_hook_unknown", err)
}

// AuthenticateHook finds the hook of a token. Unauthenticated "hotline_hook_refused", whether it never was or is revoked.
func (h *Hotline) AuthenticateHook(ctx context.Context, token string) (Hook, error) {
	refused := fault.New(fault.Unauthenticated, "hotline_hook_refused")
	if !strings.HasPrefix(token, HookPrefix) || len(token) > 100 {
		return Hook{}, refused
	}
	found, err := h.hooks.First(ctx, store.Query{Index: "hash", Equal: []any{hashOf(token)}})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Hook{}, refused
	case err != nil:
		return Hook{}, told("read hook", "hotline_hook_unknown", err)
	case !found.Value.RevokedAt.IsZero():
		return Hook{}, refused
	}
	return found.Value, nil
}
