package admin

import (
	"context"
	"net/url"
	"strings"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type accountRow struct {
	*pb.Account
	Link string
	Unit string // name; "" = everywhere
	Self bool
}

type accountsPage struct {
	Accounts []accountRow
	Next     string
}

func accountLink(id string) string { return "/admin/accounts/" + url.PathEscape(id) }

func accountRowOf(v *web.Visit, a *pb.Account, names web.UnitNames) accountRow {
	row := accountRow{Account: a, Link: accountLink(a.GetId()), Self: a.GetId() == v.Account.GetId()}
	if a.GetUnitId() != "" {
		row.Unit = names.Of(a.GetUnitId())
	}
	return row
}

func (p pages) accounts(v *web.Visit) error {
	list, err := v.Identity.ListAccounts(v.Context(), &pb.ListAccountsRequest{PageSize: 100, PageToken: v.Value("page")})
	if err != nil {
		return err
	}
	page := accountsPage{}
	names := v.UnitNames()
	for _, a := range list.GetAccounts() {
		page.Accounts = append(page.Accounts, accountRowOf(v, a, names))
	}
	if token := list.GetNextPageToken(); token != "" {
		page.Next = "/admin/accounts?" + url.Values{"page": {token}}.Encode()
	}
	return v.Render(p.Pages, "accounts", page)
}

// accountOf answers the account that a page's address names.
func accountOf(v *web.Visit) (accountRow, error) {
	request := &pb.ListAccountsRequest{PageSize: 1000}
	for {
		list, err := v.Identity.ListAccounts(v.Context(), request)
		if err != nil {
			return accountRow{}, err
		}
		for _, a := range list.GetAccounts() {
			if a.GetId() == v.R.PathValue("account") {
				return accountRowOf(v, a, v.UnitNames()), nil
			}
		}
		if request.PageToken = list.GetNextPageToken(); request.PageToken == "" {
			return accountRow{}, web.ErrNotFound
		}
	}
}

type accountPage struct {
	accountRow
	Who      who
	Password string // one-time, told once
	Address  string // where to sign in
	OnlyHere string // the same where other machines cannot open it; "" = they can
}

func (p pages) account(v *web.Visit) error {
	row, err := accountOf(v)
	if err != nil {
		return err
	}
	is, err := whoIs(v, row)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "account", accountPage{row, is, v.ToldOnce(), v.PublicAddress() + "/sign-in", onlyHere(v)})
}

type accountForm struct {
	form
	Name  string
	Role  string
	Roles []choice
	Unit  picker
}

func newAccountForm(v *web.Visit) (accountForm, error) {
	f := accountForm{Name: v.Value("name"), Role: v.Value("role")}
	for _, role := range []pb.Role{pb.Role_ROLE_ADMINISTRATOR, pb.Role_ROLE_LEADER, pb.Role_ROLE_HEAD, pb.Role_ROLE_OPERATOR, pb.Role_ROLE_OFFICIAL, pb.Role_ROLE_INSPECTOR} {
		f.Roles = append(f.Roles, choice{
			Value: role.String(), Words: v.Text("web.role." + role.String()), Help: v.Text("adminpage.role." + role.String()), Chosen: role.String() == f.Role,
		})
	}
	picking := picker{Name: "unit", Label: v.Text("adminpage.account_unit"), Help: v.Text("adminpage.account_unit_help")}
	if everywhere(v) {
		picking.Top = v.Text("adminpage.everywhere")
	}
	var err error
	f.Unit, err = pick(v, picking)
	return f, err
}

func (p pages) newAccount(v *web.Visit) error {
	f, err := newAccountForm(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "account-form", f)
}

func (p pages) createAccount(v *web.Visit) error {
	f, err := newAccountForm(v)
	if err != nil {
		return err
	}
	f.Name = f.text(v, "name", 2, 100)
	role := pb.Role(pb.Role_value[f.Role])
	if role == pb.Role_ROLE_UNSPECIFIED {
		f.wrong(v, "role", "adminpage.choose_role")
	}
	unit, ok := f.Unit.id()
	if !ok {
		f.wrong(v, "unit", "adminpage.choose_unit")
	}
	if f.Unit.searching {
		f.forget()
	}
	if f.bad() || f.Unit.searching {
		return v.RenderStatus(again(f.form), p.Pages, "account-form", f)
	}
	// Nobody ever sees the first password: the one that is told is for one use.
	made, err := v.Identity.CreateAccount(v.Context(), &pb.CreateAccountRequest{Name: f.Name, Password: freshID(), Role: role, UnitId: unit})
	if err != nil {
		switch why := reason(err); {
		case strings.HasPrefix(why, "account_name"):
			words, _ := web.Message(err)
			f.wrong(v, "name", "adminpage.mend")
			f.Errors["name"] = words
		default:
			if err := f.refused(err); err != nil {
				return err
			}
		}
		return v.RenderStatus(again(f.form), p.Pages, "account-form", f)
	}
	told, err := v.Identity.ResetPassword(v.Context(), &pb.ResetPasswordRequest{AccountId: made.GetId()})
	if err != nil {
		return err
	}
	return v.TellOnce(accountLink(made.GetId()), told.GetOneTimePassword())
}

// asking is the page that asks before something is done to an account.
func asking(v *web.Visit, act string) (askPage, accountRow, error) {
	row, err := accountOf(v)
	if err != nil {
		return askPage{}, row, err
	}
	if row.Self || (row.GetDisabledAt() != nil) != (act == "enable") {
		return askPage{}, row, web.ErrNotFound
	}
	page := askPage{
		Title: v.Text("adminpage."+act+"_title", "name", row.GetName()), Button: v.Text("adminpage." + act), Text: []string{v.Text("adminpage." + act + "_text")},
		Rows:   []choice{{Words: row.GetName(), Help: v.Text("web.account_name")}, {Words: v.Text("web.role." + row.GetRole().String()), Help: v.Text("web.role")}},
		Action: row.Link + "/" + act, Back: row.Link, BackTo: row.GetName(), Harmless: act != "disable",
	}
	return page, row, nil
}

func (p pages) askAccount(v *web.Visit, act string) error {
	page, _, err := asking(v, act)
	if err != nil {
		return err
	}
	return p.ask(v, page)
}

func (p pages) askReset(v *web.Visit) error   { return p.askAccount(v, "reset") }
func (p pages) askDisable(v *web.Visit) error { return p.askAccount(v, "disable") }
func (p pages) askEnable(v *web.Visit) error  { return p.askAccount(v, "enable") }

func (p pages) reset(v *web.Visit) error {
	return p.newPassword(v, "reset", func(ctx context.Context, id string) (*pb.ResetPasswordResponse, error) {
		return v.Identity.ResetPassword(ctx, &pb.ResetPasswordRequest{AccountId: id})
	})
}

func (p pages) enable(v *web.Visit) error {
	return p.newPassword(v, "enable", func(ctx context.Context, id string) (*pb.ResetPasswordResponse, error) {
		return v.Identity.EnableAccount(ctx, &pb.EnableAccountRequest{AccountId: id})
	})
}

// newPassword does what ends in a one-time password.
func (p pages) newPassword(v *web.Visit, act string, call func(context.Context, string) (*pb.ResetPasswordResponse, error)) error {
	page, row, err := asking(v, act)
	if err != nil {
		return err
	}
	told, err := call(v.Context(), row.GetId())
	if err != nil {
		if err := page.refused(err); err != nil {
			return err
		}
		return p.ask(v, page)
	}
	return v.TellOnce(row.Link, told.GetOneTimePassword())
}

func (p pages) disable(v *web.Visit) error {
	page, row, err := asking(v, "disable")
	if err != nil {
		return err
	}
	if _, err := v.Identity.DisableAccount(v.Context(), &pb.DisableAccountRequest{AccountId: row.GetId()}); err != nil {
		if err := page.refused(err); err != nil {
			return err
		}
		return p.ask(v, page)
	}
	v.Notice(v.Text("adminpage.disabled", "name", row.GetName()))
	return v.Redirect(row.Link)
}
