package citizen

import (
	"context"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
)

// A case's code is the only key to its public page: 12 digits, one of 90,000,000,000 and a check digit. Whoever tries codes is
// held back by the wrong ones: each counts against the network it comes from and against all together. Where either is used up, a code
// is looked up only with a proof of work for that very code, so that nobody who has a right one is ever shut out, while a million tries
// cost days of computing.

// CodeAttempt is one code on its way to be looked up.
type CodeAttempt struct {
	Code    string // as it was read
	Address string // where it comes from
	Token   string // of IssueWork; "" = none
	Proof   string // "" = none
}

// codeForm is what a token of work for a code is good for. No unit's id holds a slash.
func codeForm(code string) Form { return Form{Unit: "case/code", Rating: code} }

// IssueWork makes the token that a proof of work for a code is made of.
func (g *Gate) IssueWork(code string) string { return g.Issue(codeForm(code)) }

// AdmitCode says whether a code may be looked up: Exhausted "work_needed" (the same again with a proof of work helps), Exhausted
// "too_often" (waiting helps). Whoever looked it up and found nothing tells so by WrongCode.
func (g *Gate) AdmitCode(ctx context.Context, a CodeAttempt) error {
	from := network(a.Address)
	if err := g.take(ctx, "code/looked/"+from, g.Budgets.CodesOfAddress); err != nil {
		return err
	}
	if g.left(ctx, "code/wrong/"+from, g.Budgets.WrongOfAddress) && g.left(ctx, "code/wrong", g.Budgets.WrongOfAll) {
		return nil
	}
	if g.Check(codeForm(a.Code), a.Token) != nil || !Proves(a.Token, a.Proof, g.WorkBits) {
		return fault.New(fault.Exhausted, "work_needed")
	}
	return g.take(ctx, "code/proven/"+from, g.Budgets.ProvenCodes)
}

// WrongCode counts a code that no case has, or that cannot be one.
func (g *Gate) WrongCode(ctx context.Context, address string) {
	g.limits.Allow(ctx, "code/wrong/"+network(address), g.Budgets.WrongOfAddress, 1)
	g.limits.Allow(ctx, "code/wrong", g.Budgets.WrongOfAll, 1)
}

// left tells whether something of a budget is left, without taking it.
func (g *Gate) left(ctx context.Context, key string, limit bus.Limit) bool {
	return g.limits.Allow(ctx, key, limit, 0).Remaining > 0
}
