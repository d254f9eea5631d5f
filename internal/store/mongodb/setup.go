package mongodb

import (
	"context"
	"errors"
	"fmt"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// Role is the role of services. It is kept, with the account, in the database it is for, so the services' URI needs no
// authSource: mongodb://user:password@host/database.
const Role = "hailongService"

// Setup prepares a database with an administrator's account: its layout, every kind with its indexes, and an account for
// services that may do no more than they need. To run it again is harmless, and is needed when a new version of the
// program brings new kinds, indexes or migrations.
//
// An empty password keeps that of an account that is there (AccountExists); a new account needs one.
//
// With that account ratings and append-only kinds can be read and added to, and nothing else; all others can be read,
// written and removed from. It cannot make indexes (one that expires documents would remove ratings), change
// validation, or see other databases.
func Setup(ctx context.Context, adminURI, database string, kinds []store.Kind, user, password string) error {
	if user == "" {
		return errNoName
	}
	e, err := Open(ctx, adminURI, Options{Database: database})
	if err != nil {
		return err
	}
	defer func() { _ = e.Close() }()
	for _, kind := range kinds {
		if _, err := e.Documents(ctx, kind); err != nil {
			return err
		}
	}
	if err := e.setRole(ctx, kinds); err != nil {
		return fmt.Errorf("role %s: %w", Role, err)
	}
	if err := e.setUser(ctx, user, password); err != nil {
		return fmt.Errorf("account %s: %w", user, err)
	}
	return nil
}

func (e *Engine) setRole(ctx context.Context, kinds []store.Kind) error {
	var privileges bson.A
	allow := func(collection string, actions ...string) {
		privileges = append(privileges, bson.D{
			{Key: "resource", Value: bson.D{{Key: "db", Value: e.db.Name()}, {Key: "collection", Value: collection}}},
			{Key: "actions", Value: actions},
		})
	}
	allow(collRatings, "find", "insert", "listIndexes")
	allow(collMigrations, "find")
	allow(collPulse, "find", "insert", "update")
	for _, figures := range []string{collLeaves, collStrips, collFacets} {
		allow(figures, "find", "insert", "update")
	}
	for _, files := range []string{collBlobFiles, collBlobChunks} {
		allow(files, "find", "insert", "remove", "listIndexes")
	}
	for _, kind := range kinds {
		if kind.AppendOnly {
			allow(kind.Name, "find", "insert", "listIndexes")
		} else {
			allow(kind.Name, "find", "insert", "update", "remove", "listIndexes")
		}
	}
	fields := bson.D{{Key: "privileges", Value: privileges}, {Key: "roles", Value: bson.A{}}}
	return e.createOrUpdate(ctx, "createRole", "updateRole", codeRoleExists, Role, fields)
}

// AccountExists tells whether an earlier Setup made this account.
func AccountExists(ctx context.Context, adminURI, database, user string) (bool, error) {
	e, err := connect(adminURI, Options{Database: database})
	if err != nil {
		return false, err
	}
	defer func() { _ = e.client.Disconnect(context.WithoutCancel(ctx)) }()
	return e.hasUser(ctx, user)
}

func (e *Engine) hasUser(ctx context.Context, user string) (bool, error) {
	var found struct {
		Users []bson.Raw `bson:"users"`
	}
	err := e.db.RunCommand(ctx, bson.D{{Key: "usersInfo", Value: user}}).Decode(&found)
	return len(found.Users) > 0, mayNot(err)
}

func (e *Engine) setUser(ctx context.Context, user, password string) error {
	fields := bson.D{{Key: "roles", Value: bson.A{bson.D{{Key: "role", Value: Role}, {Key: "db", Value: e.db.Name()}}}}}
	if password != "" {
		fields = append(fields, bson.E{Key: "pwd", Value: password})
		return e.createOrUpdate(ctx, "createUser", "updateUser", codeUserExists, user, fields)
	}
	if exists, err := e.hasUser(ctx, user); err != nil || !exists {
		return errors.Join(err, errNoName)
	}
	return mayNot(e.setAll(ctx, "updateUser", user, fields))
}

// mayNot says in words that the administrator's account may not do this: the server's own text repeats the whole command.
func mayNot(err error) error {
	if hasCode(err, codeUnauthorized) {
		return fault.New(fault.Denied, "mongodb_admin_rights")
	}
	return unavailable(err)
}

// createOrUpdate sets everything of a role or an account, so that what it was granted before is gone.
func (e *Engine) createOrUpdate(ctx context.Context, create, update string, exists int, name string, fields bson.D) error {
	err := e.setAll(ctx, create, name, fields)
	if hasCode(err, exists) {
		err = e.setAll(ctx, update, name, fields)
	}
	return mayNot(err)
}

func (e *Engine) setAll(ctx context.Context, verb, name string, fields bson.D) error {
	command := append(bson.D{{Key: verb, Value: name}}, fields...)
	command = append(command, bson.E{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}}})
	return e.db.RunCommand(ctx, command).Err()
}
