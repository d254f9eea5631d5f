// Package identity knows who calls and what they may do: accounts, their passwords and sessions, and the one
// table from roles to actions. Where an account may do it, the subtree of its unit, is asked of the tree of units.
package identity

import (
	"slices"

	"github.com/hailong-vn/hailong/internal/fault"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// CallerKind tells the sorts of callers.
type CallerKind int

// The sorts of callers. The zero value is the one that may least.
const (
	CallerAnonymous CallerKind = iota // nobody is known: a citizen on the web, or a call without a token
	CallerAccount                     // a person who signed in
	CallerDevice                      // a device that proved its key
	CallerExchange                    // a telephone exchange that proved its token
	CallerSystem                      // the program itself: import, demonstration, the command line at the machine
)

// Caller is who calls, as an entrance of the server found out. It is a value: what it says was true when the
// call was let in.
type Caller struct {
	Kind       CallerKind
	AccountID  string   // CallerAccount
	Name       string   // CallerAccount: the name signed in with; CallerDevice: the device's name
	Role       pb.Role  // CallerAccount
	UnitID     string   // CallerAccount: top of the subtree it may act in; "" = everywhere
	Display    string   // CallerAccount: what colleagues call the person
	OfficialID string   // CallerAccount: who that is among the officials; "" = none of them
	Heads      []string // CallerAccount: all units the person heads
	DeviceID   string   // CallerDevice
	HookID     string   // CallerExchange
	SessionID  string   // CallerAccount: the session's id in the store, never the token
	Address    string   // network address without port, as the entrance saw it; may be empty
	MustChange bool     // CallerAccount: the password was given for one use; nothing but changing it is allowed
}

// System is the program itself.
func System() Caller { return Caller{Kind: CallerSystem} }

// Anonymous is nobody known, from an address.
func Anonymous(address string) Caller { return Caller{Kind: CallerAnonymous, Address: address} }

// At is the same caller with the address it calls from.
func (c Caller) At(address string) Caller {
	c.Address = address
	return c
}

// Scope is the top of the subtree the caller may act in; "" = everywhere. Whether a unit lies within is asked of
// unit.Tree.Within. A device's right to send for a unit is in its bindings, not here.
func Scope(c Caller) string { return c.UnitID }

// May tells whether the caller may do this at all; where is a question of Scope.
func (c Caller) May(action Action) bool {
	switch c.Kind {
	case CallerSystem:
		return true
	case CallerDevice:
		return deviceActions[action]
	case CallerAccount:
		return !c.MustChange && roleActions[c.Role][action]
	case CallerExchange:
		return exchangeActions[action]
	case CallerAnonymous:
		return anonymousActions[action]
	}
	return false
}

// Actions lists what the caller may do, sorted; nothing for the program itself, which may do everything.
func (c Caller) Actions() []string {
	var list []string
	for _, row := range matrix() {
		if c.Kind != CallerSystem && c.May(row.action) {
			list = append(list, string(row.action))
		}
	}
	if c.Kind == CallerDevice {
		list = append(list, string(SubmitRatings))
	}
	slices.Sort(list)
	return list
}

// Check is May as an error: Unauthenticated "sign_in_needed" where nobody is known, Denied "password_must_change" or
// "action_denied" otherwise.
func (c Caller) Check(action Action) error {
	switch {
	case c.May(action):
		return nil
	case c.Kind == CallerAnonymous:
		return fault.New(fault.Unauthenticated, "sign_in_needed")
	case c.Kind == CallerAccount && c.MustChange:
		return fault.New(fault.Denied, "password_must_change")
	}
	return fault.New(fault.Denied, "action_denied")
}
