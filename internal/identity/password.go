package identity

import (
	"context"
	"errors"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// ChangePassword sets the caller's own password and ends all other sessions of the account. Denied
// "password_wrong" for a wrong current one, Exhausted after too many; Invalid for a new one that cannot be;
// Stale where the password was changed elsewhere meanwhile. Caller: any account.
func (a *Accounts) ChangePassword(ctx context.Context, caller Caller, current, wanted string) error {
	if caller.Kind != CallerAccount {
		return fault.New(fault.Unauthenticated, "sign_in_needed")
	}
	doc, _, err := a.accounts.Get(ctx, caller.AccountID)
	if errors.Is(err, store.ErrNotFound) {
		return sessionEnded()
	}
	if err != nil {
		return typed("read account", err)
	}
	wanted, err = cleanPassword(wanted, doc.Name)
	if err != nil {
		return err
	}
	// Who holds a stolen session may not guess here either.
	right, err := a.prove(ctx, doc, current, []budget{{"password/" + doc.ID, wrongForName}})
	if err != nil {
		return err
	}
	if !right {
		return fault.New(fault.Denied, "password_wrong")
	}
	same, _, err := a.hasher.matches(ctx, doc.Hash, wanted)
	if err != nil {
		return err
	}
	if same {
		return fault.New(fault.Invalid, "password_same")
	}
	changed, err := a.setPassword(ctx, doc.ID, wanted, false, func(now accountDoc) error {
		// prove may have renewed the hash of the same password; a new password ends the session's generation.
		if now.Generation != doc.Generation || now.DisabledAt != nil {
			return fault.New(fault.Stale, "password_changed_meanwhile")
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = a.sessions.Update(ctx, caller.SessionID, func(session *sessionDoc) (bool, error) {
		session.Generation = changed.Generation
		return true, nil
	})
	a.tell(ctx, "account", doc.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return typed("keep session", err)
	}
	a.log.InfoContext(ctx, "password changed", "account", doc.ID)
	return nil
}

// ResetPassword gives an account another password and ends its sessions: the one given, or, where that is empty, a
// one-time password, which is answered. Either must be changed at the next sign-in. At the machine it works a disabled account
// again; over the network that is Enable, and this is Invalid "account_disabled".
// Caller: an administrator of its unit; the own password is changed by ChangePassword.
func (a *Accounts) ResetPassword(ctx context.Context, caller Caller, within Within, id, password string) (oneTime string, err error) {
	return a.reset(ctx, caller, within, id, password, func(now accountDoc) error {
		if now.DisabledAt != nil && caller.Kind != CallerSystem {
			return fault.New(fault.Invalid, "account_disabled")
		}
		return nil
	})
}

// Enable lets a disabled account sign in again, with a one-time password, which is answered. Invalid "account_enabled" where it
// is not disabled: nobody loses a password by it. Caller: an administrator of its unit.
func (a *Accounts) Enable(ctx context.Context, caller Caller, within Within, id string) (oneTime string, err error) {
	oneTime, err = a.reset(ctx, caller, within, id, "", func(now accountDoc) error {
		if now.DisabledAt == nil {
			return fault.New(fault.Invalid, "account_enabled")
		}
		return nil
	})
	if err == nil {
		a.log.InfoContext(ctx, "account enabled", "account", id, "by", caller.AccountID)
	}
	return oneTime, err
}

func (a *Accounts) reset(ctx context.Context, caller Caller, within Within, id, password string, allowed func(accountDoc) error) (oneTime string, err error) {
	account, err := a.Get(ctx, caller, within, id)
	if err != nil {
		return "", err
	}
	if caller.Kind == CallerAccount && caller.AccountID == id {
		return "", fault.New(fault.Denied, "account_own")
	}
	if password == "" {
		oneTime = oneTimePassword()
		password = oneTime
	}
	if password, err = cleanPassword(password, account.Name); err != nil {
		return "", err
	}
	_, err = a.setPassword(ctx, id, password, true, func(now accountDoc) error {
		if !governs(Scope(caller), now.Unit, within) {
			return fault.New(fault.NotFound, "account_unknown")
		}
		return allowed(now)
	})
	if err != nil {
		return "", err
	}
	a.tell(ctx, "account", id)
	a.log.InfoContext(ctx, "password reset", "account", id, "by", caller.AccountID)
	return oneTime, nil
}

// setPassword keeps a password and ends all sessions, in one write, if allowed says so of the account as it stands.
func (a *Accounts) setPassword(ctx context.Context, id, password string, mustChange bool, allowed func(accountDoc) error) (accountDoc, error) {
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return accountDoc{}, err
	}
	doc, err := a.accounts.Update(ctx, id, func(doc *accountDoc) (bool, error) {
		if err := allowed(*doc); err != nil {
			return false, err
		}
		doc.Hash, doc.MustChange = hash, mustChange
		doc.DisabledAt, doc.DisabledBy = nil, ""
		doc.Generation++
		return true, nil
	})
	return doc, typed("keep password", err)
}
