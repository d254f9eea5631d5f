package server

import (
	"context"
	"fmt"

	"github.com/hailong-vn/hailong/internal/identity"
)

// resetPassword gives an account a one-time password: for the office whose only administrator forgot theirs. Who may write
// the data folder may do anything to it already, so no account is asked for.
func resetPassword(ctx context.Context, t *terminal, args []string) error {
	var config Config
	flags := t.flags("hailong-server reset password NAME")
	config.registerStore(flags, t.Language)
	names, err := parseWith(flags, args, 1)
	if err != nil {
		return err
	}
	a, err := openExisting(ctx, t, config)
	if err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	account, err := a.accounts.Named(ctx, identity.System(), a.within, names[0])
	if err != nil {
		return err
	}
	oneTime, err := a.accounts.ResetPassword(ctx, identity.System(), a.within, account.ID, "")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.stdout, t.Text("reset.done", "name", account.Name, "password", oneTime))
	return err
}
