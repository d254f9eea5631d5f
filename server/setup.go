package server

import (
	"context"
	"crypto/rand"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
)

// setupMongoDB makes the layout, the role and the service's account with a database administrator's account, so that the
// service itself may do no more than it needs: with its account no rating can be changed or removed.
func setupMongoDB(ctx context.Context, t *terminal, args []string) error {
	flags := t.flags("hailong-server setup mongodb")
	admin := flags.String("admin", environment("HAILONG_MONGODB_ADMIN_URI", ""), t.Text("flag.admin")+" (HAILONG_MONGODB_ADMIN_URI)")
	database := flags.String("database", mongodb.DefaultDatabase, t.Text("flag.database"))
	user := flags.String("user", "hailong", t.Text("flag.user"))
	if _, err := parseWith(flags, args, 0); err != nil {
		return err
	}
	if *admin == "" {
		return fault.New(fault.Invalid, "admin_uri_missing")
	}
	password := environment("HAILONG_MONGODB_PASSWORD", "")
	made := false
	if password == "" { // the password of an account that is there stays
		exists, err := mongodb.AccountExists(ctx, *admin, *database, *user)
		if err != nil {
			return err
		}
		if made = !exists; made {
			password = rand.Text()
		}
	}
	if err := mongodb.Setup(ctx, *admin, *database, Kinds(), *user, password); err != nil {
		return err
	}
	t.say("setup.done", "user", *user, "database", *database)
	if made {
		t.say("setup.password", "user", *user, "password", password)
	}
	return nil
}
