package mongodb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
)

// expireSuffix names the index by which documents expire; MongoDB takes only one of a single field for it, and the index
// declared has the id too.
const expireSuffix = ".expire"

// index is a declared index as it stands in MongoDB.
type index struct {
	store.Index
	fields []string   // of its key: those declared, then _id where that is needed to order documents
	paths  [][]string // of the fields declared
}

// byID is the index of the empty name.
var byID = index{Index: store.Index{Name: "_id_"}, fields: []string{"_id"}}

func readIndex(declared store.Index) index {
	x := index{Index: declared, fields: slices.Clone(declared.Fields)}
	for _, field := range declared.Fields {
		x.paths = append(x.paths, strings.Split(field, "."))
	}
	if !x.Unique && !slices.Contains(x.fields, "_id") {
		x.fields = append(x.fields, "_id")
	}
	return x
}

// models is what has to stand in MongoDB for the index.
func (x index) models() []mongo.IndexModel {
	pattern := make(bson.D, len(x.fields))
	for i, field := range x.fields {
		pattern[i] = bson.E{Key: field, Value: int32(1)}
	}
	o := options.Index().SetName(x.Name)
	switch {
	case x.Unique && x.Multi:
		// An empty array has an entry of its own in MongoDB, which would be unique too.
		o.SetUnique(true).SetPartialFilterExpression(bson.D{{Key: x.Fields[0], Value: bson.D{
			{Key: "$type", Value: bson.A{"string", "int", "long", "bool", "date"}},
		}}})
	case x.Unique:
		o.SetUnique(true).SetSparse(true)
	}
	models := []mongo.IndexModel{{Keys: pattern, Options: o}}
	if x.Expire {
		models = append(models, mongo.IndexModel{
			Keys:    bson.D{{Key: x.Fields[0], Value: int32(1)}},
			Options: options.Index().SetName(x.Name + expireSuffix).SetExpireAfterSeconds(0),
		})
	}
	return models
}

// Documents opens a kind. Indexes that are missing or were declared otherwise are built, where the account may do so;
// an account that Setup made may not, and then Setup has to be run again.
func (e *Engine) Documents(ctx context.Context, declared store.Kind) (store.Documents, error) {
	if err := store.CheckKind(declared); err != nil {
		return nil, err
	}
	if slices.Contains(reserved, declared.Name) {
		return nil, fmt.Errorf("%w: kind %q: the name is taken by the engine", store.ErrInvalid, declared.Name)
	}
	coll := e.db.Collection(declared.Name)
	d := &documents{
		e: e, kind: declared, coll: coll,
		snapshot: e.db.Collection(declared.Name, options.Collection().SetReadConcern(readconcern.Snapshot())),
	}
	var models []mongo.IndexModel
	for _, x := range declared.Indexes {
		x := readIndex(x)
		d.indexes = append(d.indexes, x)
		models = append(models, x.models()...)
	}
	if err := ensureIndexes(ctx, coll, models); err != nil {
		if hasCode(err, codeUnauthorized) {
			err = fmt.Errorf("the account may not change the layout; run the set-up again with an administrator's account: %w", err)
		}
		return nil, fmt.Errorf("kind %s: %w", declared.Name, err)
	}
	return d, nil
}

// ensureIndexes makes the collection and the indexes that are missing, and makes anew those that are not as they should be.
func ensureIndexes(ctx context.Context, coll *mongo.Collection, models []mongo.IndexModel) error {
	standing, err := standingIndexes(ctx, coll)
	if err == nil && len(standing) == 0 && len(models) == 0 { // where there are indexes to make, the first makes the collection
		err = coll.Database().CreateCollection(ctx, coll.Name())
		if hasCode(err, codeNamespaceExists) {
			err = nil
		}
	}
	if err != nil {
		return unavailable(err)
	}
	var missing []mongo.IndexModel
	for _, model := range models {
		want, err := specification(model)
		if err != nil {
			return err
		}
		is, found := standing[want.Name]
		if found && is.equal(want) {
			continue
		}
		if found {
			if err := coll.Indexes().DropOne(ctx, want.Name); err != nil {
				return unavailable(err)
			}
		}
		missing = append(missing, model)
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := coll.Indexes().CreateMany(ctx, missing); err != nil {
		if hasCode(err, codeDuplicateKey) {
			return fmt.Errorf("%w: documents share a value of a unique index: %w", store.ErrInvalid, err)
		}
		return unavailable(err)
	}
	return nil
}

// spec is what matters of an index, as listIndexes answers it.
type spec struct {
	Name   string   `bson:"name"`
	Key    bson.Raw `bson:"key"`
	Unique bool     `bson:"unique"`
	Sparse bool     `bson:"sparse"`
	Expire *int64   `bson:"expireAfterSeconds"`
	Filter bson.Raw `bson:"partialFilterExpression"`
}

func (s spec) equal(other spec) bool {
	return s.Key.String() == other.Key.String() && s.Unique == other.Unique && s.Sparse == other.Sparse &&
		(s.Expire == nil) == (other.Expire == nil) && (s.Expire == nil || *s.Expire == *other.Expire) && string(s.Filter) == string(other.Filter)
}

// specification answers what listIndexes will say of a model.
func specification(model mongo.IndexModel) (spec, error) {
	var o options.IndexOptions
	for _, set := range model.Options.List() {
		if err := set(&o); err != nil {
			return spec{}, err
		}
	}
	document := bson.D{{Key: "name", Value: o.Name}, {Key: "key", Value: model.Keys}, {Key: "unique", Value: o.Unique != nil && *o.Unique},
		{Key: "sparse", Value: o.Sparse != nil && *o.Sparse}, {Key: "expireAfterSeconds", Value: o.ExpireAfterSeconds}}
	if o.PartialFilterExpression != nil {
		document = append(document, bson.E{Key: "partialFilterExpression", Value: o.PartialFilterExpression})
	}
	raw, err := bson.Marshal(document)
	if err != nil {
		return spec{}, err
	}
	var s spec
	return s, bson.Unmarshal(raw, &s)
}

// standingIndexes answers a collection's indexes by name; none where there is no collection.
func standingIndexes(ctx context.Context, coll *mongo.Collection) (map[string]spec, error) {
	cursor, err := coll.Indexes().List(ctx)
	if err != nil {
		return nil, err
	}
	var list []spec
	if err := cursor.All(ctx, &list); err != nil {
		return nil, err
	}
	standing := make(map[string]spec, len(list))
	for _, s := range list {
		standing[s.Name] = s
	}
	return standing, nil
}
