package identity

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Within tells whether a unit lies in the subtree of root, today or in the past; root "" = everywhere. It is
// unit.Tree.Within.
type Within func(unit, root string) bool

// NewAccount describes an account to be made.
type NewAccount struct {
	Name       string
	Password   string
	Role       pb.Role
	UnitID     string // top of its subtree; "" = everywhere
	MustChange bool   // the password is for one use
	Person
}

// Person is who an account is.
type Person struct {
	Display    string   // what colleagues call the person; "" = the name
	OfficialID string   // among the officials of the directory; whether there is one is asked before
	Heads      []string // units, likewise
}

// governs tells whether who acts in scope may act on what belongs to unit.
func governs(scope, unit string, within Within) bool {
	return scope == "" || unit != "" && within(unit, scope)
}

// Create makes an account. Caller: an administrator of its unit; only one of everything may make an account for
// everything. Whether the unit is there is asked before. Exists "account_name_taken"; Invalid for a name,
// password or role that cannot be; Denied.
func (a *Accounts) Create(ctx context.Context, caller Caller, within Within, wanted NewAccount) (Account, error) {
	if err := caller.Check(ManageAccounts); err != nil {
		return Account{}, err
	}
	if !governs(Scope(caller), wanted.UnitID, within) {
		return Account{}, fault.New(fault.Denied, "account_outside_unit")
	}
	doc, err := a.insert(ctx, wanted, caller.AccountID)
	if err != nil {
		return Account{}, err
	}
	a.log.InfoContext(ctx, "account made", "account", doc.ID, "role", doc.Role, "unit", doc.Unit, "by", caller.AccountID)
	return doc.account(), nil
}

// CreateWithOneTime is Create with a one-time password, which is answered and must be changed at the first sign-in.
func (a *Accounts) CreateWithOneTime(ctx context.Context, caller Caller, within Within, wanted NewAccount) (Account, string, error) {
	wanted.Password, wanted.MustChange = oneTimePassword(), true
	account, err := a.Create(ctx, caller, within, wanted)
	return account, wanted.Password, err
}

func (a *Accounts) insert(ctx context.Context, wanted NewAccount, by string) (accountDoc, error) {
	name, err := cleanName(wanted.Name)
	if err != nil {
		return accountDoc{}, err
	}
	password, err := cleanPassword(wanted.Password, name)
	if err != nil {
		return accountDoc{}, err
	}
	role := roleName(wanted.Role)
	if role == "" {
		return accountDoc{}, fault.New(fault.Invalid, "account_role_unknown")
	}
	// Before the work of hashing; the unique index decides.
	if _, taken, err := a.byName(ctx, fold(name)); err != nil || taken {
		if err == nil {
			err = fault.New(fault.Exists, "account_name_taken", "name", name)
		}
		return accountDoc{}, err
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return accountDoc{}, err
	}
	display, err := cleanDisplay(wanted.Display)
	if err != nil {
		return accountDoc{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return accountDoc{}, err
	}
	doc := accountDoc{ID: id.String(), Name: name, Folded: fold(name), Role: role, Unit: wanted.UnitID,
		CreatedAt: store.Milliseconds(a.now()), CreatedBy: by, Hash: hash, MustChange: wanted.MustChange, Generation: 1,
		Display: display, Official: wanted.OfficialID, Heads: wanted.Heads}
	err = a.accounts.Insert(ctx, doc)
	if errors.Is(err, store.ErrTaken) {
		return accountDoc{}, fault.New(fault.Exists, "account_name_taken", "name", name)
	}
	return doc, typed("keep account", err)
}

// AdministratorName is the first administrator's.
const AdministratorName = "admin"

// EnsureAdministrator makes the first account, an administrator of everything, where there is no account at all: with the
// password given, or with a one-time password that is answered, to be shown once, and must be changed at the
// first sign-in. Any number of processes may call it at once: one makes the account.
func (a *Accounts) EnsureAdministrator(ctx context.Context, password string) (oneTime string, created bool, err error) {
	_, err = a.accounts.First(ctx, store.Query{Index: "name"})
	if err == nil {
		return "", false, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return "", false, typed("look for accounts", err)
	}
	wanted := NewAccount{Name: AdministratorName, Password: password, Role: pb.Role_ROLE_ADMINISTRATOR}
	if password == "" {
		oneTime = oneTimePassword()
		wanted.Password, wanted.MustChange = oneTime, true
	}
	doc, err := a.insert(ctx, wanted, "")
	if fault.Is(err, fault.Exists) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	a.log.InfoContext(ctx, "first administrator made", "account", doc.ID, "name", doc.Name)
	return oneTime, true, nil
}

// Get answers an account. NotFound where there is none, or none within the caller's scope. Caller: an administrator.
func (a *Accounts) Get(ctx context.Context, caller Caller, within Within, id string) (Account, error) {
	if err := caller.Check(ManageAccounts); err != nil {
		return Account{}, err
	}
	doc, _, err := a.accounts.Get(ctx, id)
	return a.visible(doc, err, caller, within)
}

// Named answers the account of a name, for the command line. NotFound. Caller: an administrator.
func (a *Accounts) Named(ctx context.Context, caller Caller, within Within, name string) (Account, error) {
	if err := caller.Check(ManageAccounts); err != nil {
		return Account{}, err
	}
	doc, found, err := a.byName(ctx, fold(name))
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return a.visible(doc, err, caller, within)
}

func (a *Accounts) visible(doc accountDoc, err error, caller Caller, within Within) (Account, error) {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) ||
		err == nil && !governs(Scope(caller), doc.Unit, within) {
		return Account{}, fault.New(fault.NotFound, "account_unknown")
	}
	return doc.account(), typed("read account", err)
}

// List answers accounts of the caller's scope by name, at most size of them, and the token of the next page, empty at
// the end. Invalid "account_page_invalid". Caller: an administrator.
func (a *Accounts) List(ctx context.Context, caller Caller, within Within, size int, page string) ([]Account, string, error) {
	if err := caller.Check(ManageAccounts); err != nil {
		return nil, "", err
	}
	var accounts []Account
	var last store.Cursor
	for doc, err := range a.accounts.Find(ctx, store.Query{Index: "name", After: store.Cursor(page)}) {
		if err != nil {
			return nil, "", typed("list accounts", err)
		}
		if !governs(Scope(caller), doc.Value.Unit, within) {
			continue
		}
		if len(accounts) == size {
			return accounts, string(last), nil
		}
		accounts, last = append(accounts, doc.Value.account()), doc.Cursor
	}
	return accounts, "", nil
}

// Disable ends an account and its sessions at once; one that is disabled stays as it is. Nobody disables the own
// account, so that not the last administrator goes by a slip. Caller: an administrator of its unit.
func (a *Accounts) Disable(ctx context.Context, caller Caller, within Within, id string) (Account, error) {
	if err := caller.Check(ManageAccounts); err != nil {
		return Account{}, err
	}
	if caller.Kind == CallerAccount && caller.AccountID == id {
		return Account{}, fault.New(fault.Denied, "account_own")
	}
	doc, err := a.accounts.Update(ctx, id, func(doc *accountDoc) (bool, error) {
		if !governs(Scope(caller), doc.Unit, within) {
			return false, store.ErrNotFound
		}
		if doc.DisabledAt != nil {
			return false, nil
		}
		at := store.Milliseconds(a.now())
		doc.DisabledAt, doc.DisabledBy = &at, caller.AccountID
		doc.Generation++
		return true, nil
	})
	account, err := a.visible(doc, err, caller, within)
	if err != nil {
		return Account{}, err
	}
	a.tell(ctx, "account", id)
	a.log.InfoContext(ctx, "account disabled", "account", id, "by", caller.AccountID)
	return account, nil
}

// AwaitsFirstPassword tells whether the first administrator still has the one-time password: nobody set the installation up.
func (a *Accounts) AwaitsFirstPassword(ctx context.Context) bool {
	first, found, err := a.byName(ctx, fold(AdministratorName))
	return err == nil && found && first.MustChange && first.DisabledAt == nil
}
