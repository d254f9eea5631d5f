package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// The engine's own collections.
const (
	collRatings    = "ratings"
	collLeaves     = "leaves"
	collStrips     = "strips"
	collFacets     = "facets"
	collMigrations = "migrations"
	collPulse      = "pulse" // what Ping writes
)

// reserved are names that no kind may have. GridFS's have a dot, which a kind's name cannot.
var reserved = []string{collRatings, collLeaves, collStrips, collFacets, collMigrations, collPulse, bucketBlobs, "system"}

// migration is one step of the layout. It must bear being run again, for the process that ran it may have died before it was recorded.
type migration struct {
	Number int
	Name   string
	Run    func(ctx context.Context, db *mongo.Database) error
}

// migrations are all steps in order. Only ever append: what has been released stays as it was.
func migrations() []migration {
	return []migration{
		{1, "ratings", migrateRatings},
		{2, "figures", migrateRollups},
		{3, "blobs", migrateBlobs},
		{4, "pulse", func(ctx context.Context, db *mongo.Database) error {
			return ensureIndexes(ctx, db.Collection(collPulse), nil)
		}},
	}
}

func migrateRatings(ctx context.Context, db *mongo.Database) error {
	if err := ensureIndexes(ctx, db.Collection(collRatings), []mongo.IndexModel{
		{Keys: bson.D{{Key: "cell", Value: int32(1)}}, Options: options.Index().SetName(indexCell)},
		{Keys: bson.D{{Key: "received_at", Value: int32(1)}, {Key: "cell", Value: int32(1)}}, Options: options.Index().SetName(indexReceived)},
	}); err != nil {
		return err
	}
	return db.RunCommand(ctx, bson.D{
		{Key: "collMod", Value: collRatings},
		{Key: "validator", Value: bson.D{{Key: "$jsonSchema", Value: ratingSchema()}}},
		{Key: "validationLevel", Value: "strict"},
		{Key: "validationAction", Value: "error"},
	}).Err()
}

// ratingSchema is what every rating and annotation holds, whoever writes it.
func ratingSchema() bson.D {
	one := func(kind string) bson.D { return bson.D{{Key: "bsonType", Value: kind}} }
	whole := bson.A{"int", "long"}
	text := bson.D{{Key: "bsonType", Value: "string"}, {Key: "minLength", Value: 1}}
	return bson.D{
		{Key: "bsonType", Value: "object"},
		{Key: "required", Value: bson.A{"_id", "kind", "cell", "counted", "received_at", "occurred_at", "score"}},
		{Key: "properties", Value: bson.D{
			{Key: "_id", Value: text},
			{Key: "kind", Value: text},
			{Key: "cell", Value: text},
			{Key: "counted", Value: bson.D{
				{Key: "bsonType", Value: "object"},
				{Key: "required", Value: bson.A{"unit", "day", "hour", "channel", "questionnaire", "version"}},
				{Key: "properties", Value: bson.D{
					{Key: "unit", Value: one("string")},
					{Key: "day", Value: one("string")},
					{Key: "hour", Value: bson.D{{Key: "bsonType", Value: whole}, {Key: "minimum", Value: 0}, {Key: "maximum", Value: 23}}},
					{Key: "channel", Value: bson.D{{Key: "bsonType", Value: whole}}},
					{Key: "questionnaire", Value: one("string")},
					{Key: "version", Value: bson.D{{Key: "bsonType", Value: whole}}},
				}},
			}},
			{Key: "received_at", Value: one("date")},
			{Key: "occurred_at", Value: one("date")},
			{Key: "score", Value: bson.D{{Key: "bsonType", Value: whole}, {Key: "minimum", Value: 0}, {Key: "maximum", Value: 5}}},
			{Key: "bytes", Value: one("binData")},
			{Key: "revises", Value: one("string")},
			{Key: "about", Value: one("string")},
		}},
	}
}

func migrateRollups(ctx context.Context, db *mongo.Database) error {
	if err := ensureIndexes(ctx, db.Collection(collLeaves), []mongo.IndexModel{
		{Keys: bson.D{{Key: "day", Value: int32(1)}}, Options: options.Index().SetName(indexDay)},
	}); err != nil {
		return err
	}
	if err := ensureIndexes(ctx, db.Collection(collStrips), []mongo.IndexModel{
		{Keys: bson.D{{Key: "year", Value: int32(1)}, {Key: "unit", Value: int32(1)}}, Options: options.Index().SetName(indexYearUnit)},
	}); err != nil {
		return err
	}
	return ensureIndexes(ctx, db.Collection(collFacets), nil)
}

// migrateBlobs makes the indexes that GridFS wants (and would make itself, which a service may not) and the unique one.
func migrateBlobs(ctx context.Context, db *mongo.Database) error {
	if err := ensureIndexes(ctx, db.Collection(collBlobFiles), []mongo.IndexModel{
		{Keys: bson.D{{Key: fileName, Value: int32(1)}}, Options: options.Index().SetName(indexBlobName).SetUnique(true)},
		{Keys: bson.D{{Key: fileName, Value: int32(1)}, {Key: "uploadDate", Value: int32(1)}}, Options: options.Index().SetName("filename_1_uploadDate_1")},
	}); err != nil {
		return err
	}
	return ensureIndexes(ctx, db.Collection(collBlobChunks), []mongo.IndexModel{
		{Keys: bson.D{{Key: indexChunksField, Value: int32(1)}, {Key: "n", Value: int32(1)}}, Options: options.Index().SetName("files_id_1_n_1").SetUnique(true)},
	})
}
