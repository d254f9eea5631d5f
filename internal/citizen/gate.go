// Package citizen is the gate for people without an account: the token that comes with a form, the budgets that hold a
// script back without an office of a hundred people behind one address ever noticing, and the proof of work that is
// asked for instead of a refusal when too much comes at once.
package citizen

import (
	"cmp"
	"context"
	"net/netip"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/secret"
)

// Budgets are how much is let in. A budget of an address is asked before that of a unit: one address can use up no more of
// a unit's budget than its own share, so a flood from one place leaves the unit open to everybody else.
type Budgets struct {
	Forms          bus.Limit // forms handed out to an address
	Address, Unit  bus.Limit // ratings sent with a form's token
	StrictAddress  bus.Limit // ratings sent without one
	StrictUnit     bus.Limit
	ProvenAddress  bus.Limit // ratings above Address or Unit, each with a proof of work: the hard ceiling
	TriesOfOneForm bus.Limit // how often one form may be sent: retries of a bad connection, and no more

	CodesOfAddress bus.Limit // codes of cases looked up
	WrongOfAddress bus.Limit // those that no case has; above it each needs a proof of work
	WrongOfAll     bus.Limit // the same of everybody together
	ProvenCodes    bus.Limit // codes with a proof of work, of an address: the hard ceiling
}

// DefaultBudgets let in a hall of three hundred people behind one address who press at the same moment, and after
// that five a second. Without a token they are those of a person trying things out.
func DefaultBudgets() Budgets {
	return Budgets{
		Forms:          bus.Limit{Rate: 1200, Per: time.Minute, Burst: 2400}, // a visit takes three: form, sending, thanks
		Address:        bus.Limit{Rate: 300, Per: time.Minute, Burst: 300},
		Unit:           bus.Limit{Rate: 1200, Per: time.Minute, Burst: 2400},
		StrictAddress:  bus.Limit{Rate: 60, Per: time.Minute, Burst: 120},
		StrictUnit:     bus.Limit{Rate: 120, Per: time.Minute, Burst: 600},
		ProvenAddress:  bus.Limit{Rate: 300, Per: time.Minute, Burst: 300},
		TriesOfOneForm: bus.Limit{Rate: 12, Per: time.Hour, Burst: 12},
		CodesOfAddress: bus.Limit{Rate: 60, Per: time.Minute, Burst: 120},
		WrongOfAddress: bus.Limit{Rate: 20, Per: time.Hour, Burst: 20},
		WrongOfAll:     bus.Limit{Rate: 1000, Per: time.Hour, Burst: 2000},
		ProvenCodes:    bus.Limit{Rate: 120, Per: time.Hour, Burst: 120},
	}
}

// Options are how a gate is set up; the zero value is useful.
type Options struct {
	Questionnaire string           // id of the short form that is asked; "" = "kiosk"
	WorkBits      uint             // leading zero bits of a proof of work; 0 = 18, about a second of a cheap phone's script
	Budgets       Budgets          // the zero value = DefaultBudgets
	Now           func() time.Time // nil = time.Now
}

// Gate lets citizens in. Its methods may be called by many goroutines.
type Gate struct {
	Options
	signer secret.Signer
	limits bus.Limits
}

// SignerPurpose is what the key of form tokens is derived for.
const SignerPurpose = "form-token"

// New makes a gate. All processes of an installation must hold the same signer (of SignerPurpose) and share the limits.
func New(signer secret.Signer, limits bus.Limits, options Options) *Gate {
	options.Questionnaire = cmp.Or(options.Questionnaire, "kiosk")
	options.WorkBits = cmp.Or(options.WorkBits, 18)
	if options.Budgets == (Budgets{}) {
		options.Budgets = DefaultBudgets()
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Gate{Options: options, signer: signer, limits: limits}
}

// Attempt is one rating on its way in.
type Attempt struct {
	Form           // of the rating, not of the token: that they belong together is what is checked
	Address string // where it comes from
	Token   string // "" = none
	Proof   string // "" = none
}

// Admit lets a rating through or says why not: Invalid "citizen_form_expired" or "citizen_form_invalid" (a fresh form helps),
// Exhausted "work_needed" (the same again with a proof of work helps), Exhausted "too_often" (waiting helps, so many seconds).
func (g *Gate) Admit(ctx context.Context, a Attempt) error {
	from := network(a.Address)
	if a.Token == "" {
		if err := g.take(ctx, "web/address/"+from, g.Budgets.StrictAddress); err != nil {
			return err
		}
		return g.take(ctx, "web/unit/"+a.Unit, g.Budgets.StrictUnit)
	}
	if err := g.Check(a.Form, a.Token); err != nil {
		return err
	}
	// A token is good for one rating, which is stored once however often it is sent; what is left to bound is the work
	// and the quarantine that other contents under the same id would cost.
	if err := g.take(ctx, "form/tries/"+a.Token, g.Budgets.TriesOfOneForm); err != nil {
		return err
	}
	if g.take(ctx, "form/address/"+from, g.Budgets.Address) == nil && g.take(ctx, "form/unit/"+a.Unit, g.Budgets.Unit) == nil {
		return nil
	}
	if !Proves(a.Token, a.Proof, g.WorkBits) {
		return fault.New(fault.Exhausted, "work_needed")
	}
	return g.take(ctx, "form/proven/"+from, g.Budgets.ProvenAddress)
}

// AllowForm says whether an address may be given another form: Exhausted "too_often" where not.
func (g *Gate) AllowForm(ctx context.Context, address string) error {
	return g.take(ctx, "form/given/"+network(address), g.Budgets.Forms)
}

func (g *Gate) take(ctx context.Context, key string, limit bus.Limit) error {
	if decision := g.limits.Allow(ctx, key, limit, 1); !decision.Allowed {
		return fault.New(fault.Exhausted, "too_often", "seconds", int(decision.RetryAfter.Seconds())+1)
	}
	return nil
}

// network is what a budget of an address holds for: the address, or the /64 of an IPv6 address, because one household has
// as many of those as it likes.
func network(address string) string {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	parsed = parsed.Unmap().WithZone("")
	if parsed.Is4() {
		return parsed.String()
	}
	prefix, err := parsed.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
