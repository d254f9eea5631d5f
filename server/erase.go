package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/audit"
)

// erasePrivate removes what a person wrote with a rating and how to reach them, at the person's wish.
func erasePrivate(ctx context.Context, t *terminal, args []string) error {
	return administer(ctx, t, "erase private UNIT RATING", args, nil, func(a *application, words []string) error {
		unit, err := unitResolver{a.directory}.find(words[0])
		if err != nil {
			return err
		}
		erased, err := a.intake.Erase(ctx, unit, words[1])
		if err != nil {
			return err
		}
		if !erased {
			return t.tell(t.Text("erase.before"))
		}
		a.audit.Add(ctx, audit.Entry{Action: "ErasePrivate", Subject: words[1], Outcome: "OK"})
		return t.tell(t.Text("erase.done"))
	})
}
