package identity

import (
	"context"
	"errors"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// The limits on wrong passwords. What is right is never charged, so that an office behind one address can come to
// work at the same minute. Nobody can keep another out from where that person has signed in before: the third limit
// holds only elsewhere, and the first two only for who shares the guesser's address.
var (
	// wrongFromAddress: of all names, from one address.
	wrongFromAddress = bus.Limit{Rate: 30, Per: time.Minute, Burst: 60}
	// wrongForName: of one name, from one address.
	wrongForName = bus.Limit{Rate: 10, Per: 10 * time.Minute, Burst: 10}
	// wrongAnywhere: of one name, from all addresses from which it never signed in.
	wrongAnywhere = bus.Limit{Rate: 30, Per: time.Hour, Burst: 30}
)

// budget is one limit as it holds for one try.
type budget struct {
	key   string
	limit bus.Limit
}

// SignIn answers a session's token for a name and password. address is the caller's network address.
// Unauthenticated "sign_in_wrong" whether the name, the password or both are wrong or the account is disabled;
// Exhausted "sign_in_too_often" with the seconds to wait, "sign_in_busy".
func (a *Accounts) SignIn(ctx context.Context, name, password, address string) (string, Session, error) {
	address = Network(address)
	folded := fold(name)
	var doc accountDoc
	found := false
	if _, err := cleanName(name); err == nil { // nobody has another name, and the store is not asked for it
		if doc, found, err = a.byName(ctx, folded); err != nil {
			return "", Session{}, err
		}
	}
	budgets := []budget{
		{"sign-in/address/" + address, wrongFromAddress},
		{"sign-in/name-address/" + address + "/" + folded, wrongForName},
	}
	if !slices.Contains(doc.Known, address) {
		budgets = append(budgets, budget{"sign-in/name/" + folded, wrongAnywhere})
	}
	right, err := a.prove(ctx, doc, password, budgets)
	if err != nil {
		return "", Session{}, err
	}
	if !right || !found || doc.DisabledAt != nil {
		a.log.InfoContext(ctx, "sign-in refused", "account", doc.ID, "address", address)
		return "", Session{}, fault.New(fault.Unauthenticated, "sign_in_wrong")
	}
	if doc.Known = a.noteKnown(ctx, doc, address); doc.MustChange {
		a.log.InfoContext(ctx, "signed in with a one-time password", "account", doc.ID, "address", address)
	}
	token, session, err := a.startSession(ctx, doc, address)
	if err == nil {
		a.log.InfoContext(ctx, "signed in", "account", doc.ID, "address", address)
	}
	return token, session, err
}

// prove tells whether the password is that of the account, which is empty for a name nobody has. It takes the same work
// either way, and no answer where a budget of wrong tries is spent, before the work or by others during it.
func (a *Accounts) prove(ctx context.Context, doc accountDoc, password string, budgets []budget) (bool, error) {
	if err := a.spent(ctx, budgets); err != nil {
		return false, err
	}
	hash := doc.Hash
	if hash == "" {
		hash = a.hasher.dummy
	}
	right, outdated, err := a.hasher.matches(ctx, hash, password)
	if err != nil {
		return false, err
	}
	right = right && doc.Hash != "" && doc.DisabledAt == nil
	if err := a.spent(ctx, budgets); err != nil {
		return false, err
	}
	if !right {
		for _, b := range budgets {
			a.options.Limits.Allow(ctx, b.key, b.limit, 1)
		}
		return false, nil
	}
	if outdated {
		a.rehash(ctx, doc, password)
	}
	return true, nil
}

// spent answers the fault of a budget in which nothing is left.
func (a *Accounts) spent(ctx context.Context, budgets []budget) error {
	for _, b := range budgets {
		// Cost 0 asks without charging and is always allowed; what is left tells.
		decision := a.options.Limits.Allow(ctx, b.key, b.limit, 0)
		if decision.Allowed && decision.Remaining > 0 {
			continue
		}
		wait := time.Duration(b.limit.Interval()) * time.Microsecond
		return fault.New(fault.Exhausted, "sign_in_too_often", "seconds", int(math.Ceil(wait.Seconds())))
	}
	return nil
}

// rehash keeps the password's hash at the present cost. It failing costs nothing but the next try.
func (a *Accounts) rehash(ctx context.Context, doc accountDoc, password string) {
	hash, err := a.hasher.hash(ctx, password)
	if err == nil {
		_, err = a.accounts.Update(ctx, doc.ID, func(now *accountDoc) (bool, error) {
			if now.Hash != doc.Hash {
				return false, nil
			}
			now.Hash = hash
			return true, nil
		})
	}
	if err != nil {
		a.log.WarnContext(ctx, "a password's hash was not renewed", "account", doc.ID, "error", err)
	}
}

// noteKnown keeps that the account signed in from this address, and answers the addresses known.
func (a *Accounts) noteKnown(ctx context.Context, doc accountDoc, address string) []string {
	if address == "" || slices.Contains(doc.Known, address) {
		return doc.Known
	}
	updated, err := a.accounts.Update(ctx, doc.ID, func(now *accountDoc) (bool, error) {
		if slices.Contains(now.Known, address) {
			return false, nil
		}
		now.Known = append([]string{address}, now.Known[:min(len(now.Known), maxKnown-1)]...)
		return true, nil
	})
	if err != nil {
		a.log.WarnContext(ctx, "the address of a sign-in was not kept", "account", doc.ID, "error", err)
		return doc.Known
	}
	return updated.Known
}

func (a *Accounts) byName(ctx context.Context, folded string) (accountDoc, bool, error) {
	doc, err := a.accounts.First(ctx, store.Query{Index: "name", Equal: []any{folded}})
	if errors.Is(err, store.ErrNotFound) {
		return accountDoc{}, false, nil
	}
	return doc.Value, err == nil, typed("find account", err)
}

// Network is what stands for who is behind an address: the address in IPv4, the /64 in IPv6, where one household has
// 2^64 of them. Port and zone are left out; what is not an address is one caller.
func Network(address string) string {
	if withPort, err := netip.ParseAddrPort(address); err == nil {
		address = withPort.Addr().String()
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return ""
	}
	return prefix.String()
}
