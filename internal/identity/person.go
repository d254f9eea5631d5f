package identity

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// MaxHeads is how many units one person heads.
const MaxHeads = 50

// cleanDisplay answers what colleagues call a person, as it is kept.
func cleanDisplay(text string) (string, error) {
	text = strings.TrimSpace(norm.NFC.String(text))
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > MaxName || strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.C, r) }) {
		return "", fault.New(fault.Invalid, "account_display_invalid", "max", MaxName)
	}
	return text, nil
}

// Update changes who an account is; sessions go on. Caller: an administrator of its unit. NotFound "account_unknown"; Invalid
// "account_display_invalid", "account_heads_many".
func (a *Accounts) Update(ctx context.Context, caller Caller, within Within, id string, who Person) (Account, error) {
	if err := caller.Check(ManageAccounts); err != nil {
		return Account{}, err
	}
	display, err := cleanDisplay(who.Display)
	if err != nil {
		return Account{}, err
	}
	if len(who.Heads) > MaxHeads {
		return Account{}, fault.New(fault.Invalid, "account_heads_many", "limit", MaxHeads)
	}
	doc, err := a.accounts.Update(ctx, id, func(doc *accountDoc) (bool, error) {
		if !governs(Scope(caller), doc.Unit, within) {
			return false, store.ErrNotFound
		}
		doc.Display, doc.Official, doc.Heads = display, who.OfficialID, who.Heads
		return true, nil
	})
	account, err := a.visible(doc, err, caller, within)
	if err == nil {
		a.tell(ctx, "account", id)
	}
	return account, err
}

// Known answers an account by id, whoever asks: for the program itself, which writes who did something. NotFound "account_unknown".
func (a *Accounts) Known(ctx context.Context, id string) (Account, error) {
	doc, _, err := a.accounts.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return Account{}, fault.New(fault.NotFound, "account_unknown")
	}
	return doc.account(), typed("read account", err)
}

// OfUnit answers the accounts that can sign in, whose unit is exactly this one, in one of the roles; for the program itself.
func (a *Accounts) OfUnit(ctx context.Context, unit string, roles ...pb.Role) ([]Account, error) {
	var out []Account
	for _, role := range roles {
		found, err := a.find(ctx, store.Query{Index: byUnit, Equal: []any{unit, roleName(role)}})
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// OfOfficial answers the accounts of an official that can sign in; for the program itself.
func (a *Accounts) OfOfficial(ctx context.Context, official string) ([]Account, error) {
	if official == "" {
		return nil, nil
	}
	return a.find(ctx, store.Query{Index: byOfficial, Equal: []any{official}})
}

// Heading answers the accounts that can sign in and head a unit: heads of that unit, and whoever is said to head it; for the program itself.
func (a *Accounts) Heading(ctx context.Context, unit string) ([]Account, error) {
	if unit == "" {
		return nil, nil
	}
	heads, err := a.OfUnit(ctx, unit, pb.Role_ROLE_HEAD)
	if err != nil {
		return nil, err
	}
	others, err := a.find(ctx, store.Query{Index: byHead, Equal: []any{unit}})
	for _, other := range others {
		if other.Role != pb.Role_ROLE_HEAD || other.UnitID != unit {
			heads = append(heads, other)
		}
	}
	return heads, err
}

func (a *Accounts) find(ctx context.Context, query store.Query) ([]Account, error) {
	var out []Account
	for doc, err := range a.accounts.Find(ctx, query) {
		if err != nil {
			return nil, typed("find accounts", err)
		}
		if doc.Value.DisabledAt == nil {
			out = append(out, doc.Value.account())
		}
	}
	return out, nil
}
