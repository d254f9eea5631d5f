package mongodb

import (
	"context"
	"fmt"

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
// With that account ratings and append-only kinds can be read and added to, and nothing else; all others can be read,
// written and removed from. It cannot make indexes (one that expires documents would remove ratings), change
// validation, or see other databases.
func Setup(ctx context.Context, adminURI, database string, kinds []store.Kind, user, password string) error {
	if user == "" || password == "" {
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

func (e *Engine) setUser(ctx context.Context, user, password string) error {
	fields := bson.D{
		{Key: "pwd", Value: password},
		{Key: "roles", Value: bson.A{bson.D{{Key: "role", Value: Role}, {Key: "db", Value: e.db.Name()}}}},
	}
	return e.createOrUpdate(ctx, "createUser", "updateUser", codeUserExists, user, fields)
}

// createOrUpdate sets everything of a role or an account, so that what it was granted before is gone.
func (e *Engine) createOrUpdate(ctx context.Context, create, update string, exists int, name string, fields bson.D) error {
	run := func(verb string) error {
		command := append(bson.D{{Key: verb, Value: name}}, fields...)
		command = append(command, bson.E{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}}})
		return e.db.RunCommand(ctx, command).Err()
	}
	err := run(create)
	if hasCode(err, exists) {
		err = run(update)
	}
	return unavailable(err)
}
