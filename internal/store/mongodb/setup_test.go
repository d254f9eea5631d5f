package mongodb_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/tally"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const (
	serviceName     = "svc"
	servicePassword = "pa:ss/wörd@" // what a URI has to escape
)

var (
	journal = store.Kind{Name: "journal", AppendOnly: true, Indexes: []store.Index{{Name: "by_n", Fields: []string{"n"}}}}
	cases   = store.Kind{Name: "cases", Indexes: []store.Index{{Name: "by_n", Fields: []string{"n"}}, {Name: "ends", Fields: []string{"ends"}, Expire: true}}}
)

// service sets a database up and answers the URI that a service would be given.
func service(t *testing.T, kinds ...store.Kind) (uri, database string) {
	t.Helper()
	admin, database := testDatabase(t)
	if err := mongodb.Setup(t.Context(), admin, database, kinds, serviceName, servicePassword); err != nil {
		t.Fatal(err)
	}
	return serviceURI(t, admin, database), database
}

func serviceURI(t *testing.T, admin, database string) string {
	t.Helper()
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Del("authSource")
	u.User, u.Path, u.RawQuery = url.UserPassword(serviceName, servicePassword), "/"+database, query.Encode()
	return u.String()
}

func TestServiceAccount(t *testing.T) {
	uri, database := service(t, journal, cases)
	engine := open(t, uri, "") // the URI names the database
	defer func() { _ = engine.Close() }()
	ctx := t.Context()
	if err := engine.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	added, err := engine.Documents(ctx, journal)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := engine.Documents(ctx, cases)
	if err != nil {
		t.Fatal(err)
	}
	for _, documents := range []store.Documents{added, kept} {
		insertOne(t, documents, bson.D{{Key: "_id", Value: "1"}, {Key: "n", Value: 1}})
		for _, err := range documents.Find(ctx, store.Query{Index: "by_n"}) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	item, err := kept.Get(ctx, "1")
	if err != nil {
		t.Fatal(err)
	}
	next, err := kept.Replace(ctx, item.Body, item.Version)
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.Delete(ctx, "1", next); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Ratings().Append(ctx, []rating.Record{aRating("1")}); err != nil {
		t.Fatal(err)
	}
	cell := tally.HourCell{Leaf: tally.LeafKey{Unit: "u", Day: "2026-11-22", Channel: 1, Questionnaire: "kiosk", QVersion: 3}, Hour: 9, Cell: tally.Cell{Version: tally.Version{Seen: 1}}}
	for range 2 { // made, then found
		if err := engine.Rollups().Raise(ctx, []tally.HourCell{cell}); err != nil {
			t.Fatal(err)
		}
		if err := engine.Rollups().RaiseFacets(ctx, []tally.Facet{{Key: tally.FacetKey{Unit: "u", Month: "2026-11"}, Version: tally.Version{Seen: 1}}}); err != nil {
			t.Fatal(err)
		}
		cell.Cell.Seen++
	}
	for _, err := range engine.Ratings().CountAgain(ctx, "2026", "2027") {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := engine.Blobs().Put(ctx, "a", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if err := engine.Blobs().Remove(ctx, "a"); err != nil {
		t.Fatal(err)
	}

	// What the role does not say is refused by the server itself, whatever program asks.
	raw := rawClient(t, uri).Database(database)
	any1, set := bson.D{{Key: "_id", Value: bson.D{{Key: "$exists", Value: true}}}}, bson.D{{Key: "$set", Value: bson.D{{Key: "score", Value: 1}}}}
	for _, name := range []string{"ratings", "journal"} {
		coll := raw.Collection(name)
		for what, do := range map[string]func() error{
			"update":  func() error { _, err := coll.UpdateMany(ctx, any1, set); return err },
			"replace": func() error { _, err := coll.ReplaceOne(ctx, any1, bson.D{}); return err },
			"upsert": func() error {
				_, err := coll.UpdateOne(ctx, any1, set, options.UpdateOne().SetUpsert(true))
				return err
			},
			"find, modify": func() error { return coll.FindOneAndUpdate(ctx, any1, set).Err() },
			"find, delete": func() error { return coll.FindOneAndDelete(ctx, any1).Err() },
			"delete":       func() error { _, err := coll.DeleteMany(ctx, any1); return err },
			"drop":         func() error { return coll.Drop(ctx) },
			"rename": func() error {
				return raw.Client().Database("admin").RunCommand(ctx, bson.D{{Key: "renameCollection", Value: database + "." + name}, {Key: "to", Value: database + ".x"}}).Err()
			},
			"index that expires": func() error {
				_, err := coll.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "received_at", Value: 1}}, Options: options.Index().SetExpireAfterSeconds(1)})
				return err
			},
			"validation off": func() error {
				return raw.RunCommand(ctx, bson.D{{Key: "collMod", Value: name}, {Key: "validationLevel", Value: "off"}}).Err()
			},
			"insert past validation": func() error {
				if name == "journal" {
					_, err := coll.DeleteOne(ctx, any1) // it has no validation
					return err
				}
				_, err := coll.InsertOne(ctx, bson.D{{Key: "_id", Value: "x"}}, options.InsertOne().SetBypassDocumentValidation(true))
				return err
			},
			"merge over": func() error {
				cursor, err := coll.Aggregate(ctx, mongo.Pipeline{set, {{Key: "$merge", Value: bson.D{{Key: "into", Value: name}}}}})
				if err == nil {
					err = cursor.Close(ctx)
				}
				return err
			},
			"out over": func() error {
				cursor, err := coll.Aggregate(ctx, mongo.Pipeline{{{Key: "$out", Value: name}}})
				if err == nil {
					err = cursor.Close(ctx)
				}
				return err
			},
		} {
			if err := do(); !unauthorized(err) {
				t.Errorf("%s on %s: %v", what, name, err)
			}
		}
	}
	for what, do := range map[string]func() error{
		"drop the database":  func() error { return raw.Drop(ctx) },
		"forge a migration":  func() error { _, err := raw.Collection("migrations").InsertOne(ctx, bson.D{}); return err },
		"another collection": func() error { _, err := raw.Collection("other").InsertOne(ctx, bson.D{}); return err },
		"another database": func() error {
			return raw.Client().Database("admin").Collection("system.users").FindOne(ctx, bson.D{}).Err()
		},
		"grant itself more": func() error {
			return raw.RunCommand(ctx, bson.D{{Key: "grantRolesToUser", Value: serviceName}, {Key: "roles", Value: bson.A{"dbOwner"}}}).Err()
		},
	} {
		if err := do(); !unauthorized(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if found, err := raw.Collection("ratings").CountDocuments(ctx, bson.D{}); err != nil || found != 1 {
		t.Errorf("%d ratings, %v", found, err)
	}
}

func TestSetupAgain(t *testing.T) {
	admin, database := testDatabase(t)
	ctx := t.Context()
	if err := mongodb.Setup(ctx, admin, database, []store.Kind{cases}, serviceName, "first"); err != nil {
		t.Fatal(err)
	}
	// A new version brings a kind, makes another append-only, and the password is changed.
	frozen := cases
	frozen.AppendOnly, frozen.Indexes = true, cases.Indexes[:1]
	if err := mongodb.Setup(ctx, admin, database, []store.Kind{frozen, journal}, serviceName, servicePassword); err != nil {
		t.Fatal(err)
	}
	// Without a password the account keeps its own; a new account needs one.
	if exists, err := mongodb.AccountExists(ctx, admin, database, serviceName); err != nil || !exists {
		t.Fatalf("the account exists: %v, %v", exists, err)
	}
	if err := mongodb.Setup(ctx, admin, database, []store.Kind{frozen, journal}, serviceName, ""); err != nil {
		t.Fatal(err)
	}
	if exists, err := mongodb.AccountExists(ctx, admin, database, "nobody"); err != nil || exists {
		t.Fatalf("an account nobody made exists: %v, %v", exists, err)
	}
	if err := mongodb.Setup(ctx, admin, database, []store.Kind{frozen, journal}, "nobody", ""); err == nil {
		t.Error("an account was made without a password")
	}
	uri := serviceURI(t, admin, database)
	engine := open(t, uri, "")
	defer func() { _ = engine.Close() }()
	documents, err := engine.Documents(ctx, journal)
	if err != nil {
		t.Fatal(err)
	}
	insertOne(t, documents, bson.D{{Key: "_id", Value: "1"}})
	if _, err := rawClient(t, uri).Database(database).Collection("cases").DeleteMany(ctx, bson.D{}); !unauthorized(err) {
		t.Errorf("delete in a kind that became append-only: %v", err)
	}
	_, err = engine.Documents(ctx, store.Kind{Name: "unknown", Indexes: cases.Indexes})
	if err == nil || !strings.Contains(err.Error(), "run the set-up again") {
		t.Errorf("a kind that Setup was not told: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	admin, database := testDatabase(t)
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("admin", "s3cret")
	for name, uri := range map[string]string{
		"wrong password": u.String(),
		"no such scheme": "http://admin:s3cret@localhost",
		"bad options":    "mongodb://admin:s3cret@localhost/?replicaSet=x&w=many&tls=perhaps",
		"bad escape":     "mongodb://admin:s3cret%zz@localhost/",
		"nobody there":   "mongodb://admin:s3cret@127.0.0.1:1/?replicaSet=x",
	} {
		t.Run(name, func(t *testing.T) {
			engine, err := mongodb.Open(t.Context(), uri, mongodb.Options{Database: database, SelectionTimeout: 300 * time.Millisecond})
			if err == nil {
				_ = engine.Close()
				t.Fatal("it opened")
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func unauthorized(err error) bool {
	var server mongo.ServerError
	return errors.As(err, &server) && server.HasErrorCode(13)
}

func rawClient(t testing.TB, uri string) *mongo.Client {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	return client
}

func insertOne(t testing.TB, documents store.Documents, document bson.D) {
	t.Helper()
	raw, err := bson.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	errs, err := documents.Insert(t.Context(), raw)
	if err := errors.Join(append(errs, err)...); err != nil {
		t.Fatal(err)
	}
}

func aRating(id string) rating.Record {
	at := rating.Counted{Unit: "u", Day: "2026-11-22", Hour: 9, Channel: 1, Questionnaire: "kiosk", Version: 3}
	received := time.Date(2026, 11, 22, 2, 30, 0, 0, time.UTC)
	return rating.Record{
		ID: rating.RecordID("26", "u", id), Kind: rating.KindRating, Cell: at.Cell(), Counted: at, ReceivedAt: received, OccurredAt: received,
		Bytes: []byte(id), Score: 4,
	}
}
