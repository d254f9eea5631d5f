package mongodb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const (
	claimID    = "claim"         // the document that the process at work holds
	claimFor   = 5 * time.Minute // after which another may take over; by MongoDB's clock
	claimPause = 100 * time.Millisecond
)

// migrate runs the steps that are not recorded in the collection migrations. Of several processes that start at once one does,
// and the others wait for it.
func migrate(ctx context.Context, db *mongo.Database, steps []migration, log *slog.Logger) error {
	coll := db.Collection(collMigrations)
	holder := bson.NewObjectID()
	for {
		missing, err := missingSteps(ctx, coll, steps)
		if err != nil || len(missing) == 0 {
			return err
		}
		mine, err := takeClaim(ctx, coll, holder)
		if err != nil {
			return migrationError(err)
		}
		if mine {
			// Another process may have had the claim since we looked.
			if missing, err = missingSteps(ctx, coll, steps); err == nil {
				err = runSteps(ctx, coll, missing, log)
			}
			// Without the release the claim would end by itself.
			_, _ = coll.DeleteOne(context.WithoutCancel(ctx), bson.D{{Key: "_id", Value: claimID}, {Key: "holder", Value: holder}})
			return migrationError(err)
		}
		select {
		case <-ctx.Done():
			return unavailable(fmt.Errorf("another process is at the layout: %w", context.Cause(ctx)))
		case <-time.After(claimPause + rand.N(claimPause)):
		}
	}
}

func migrationError(err error) error {
	if hasCode(err, codeUnauthorized) {
		return fmt.Errorf("the database's layout is not that of this version, and the account may not change it; run the set-up with an administrator's account: %w", err)
	}
	return unavailable(err)
}

func missingSteps(ctx context.Context, coll *mongo.Collection, steps []migration) ([]migration, error) {
	cursor, err := coll.Find(ctx, bson.D{{Key: "name", Value: bson.D{{Key: "$exists", Value: true}}}})
	if err != nil {
		return nil, unavailable(err)
	}
	var recorded []struct {
		Number int    `bson:"_id"`
		Name   string `bson:"name"`
	}
	if err := cursor.All(ctx, &recorded); err != nil {
		return nil, unavailable(err)
	}
	names := make(map[int]string, len(recorded))
	for _, r := range recorded {
		names[r.Number] = r.Name
	}
	var missing []migration
	for _, step := range steps {
		name, done := names[step.Number]
		if done && name != step.Name {
			return nil, fmt.Errorf("migration %d is recorded as %q and is %q here: the database belongs to another program", step.Number, name, step.Name)
		}
		if !done {
			missing = append(missing, step)
		}
	}
	return missing, nil
}

// takeClaim takes the right to run steps; false means another process has it.
func takeClaim(ctx context.Context, coll *mongo.Collection, holder bson.ObjectID) (bool, error) {
	_, err := coll.UpdateOne(ctx, bson.D{{Key: "_id", Value: claimID}},
		bson.D{{Key: "$setOnInsert", Value: bson.D{{Key: "until", Value: time.Unix(0, 0)}}}}, options.UpdateOne().SetUpsert(true))
	if err != nil && !mongo.IsDuplicateKeyError(err) {
		return false, err
	}
	free := bson.D{{Key: "_id", Value: claimID}, {Key: "$expr", Value: bson.D{{Key: "$lt", Value: bson.A{"$until", "$$NOW"}}}}}
	until := bson.D{{Key: "$add", Value: bson.A{"$$NOW", claimFor.Milliseconds()}}}
	result, err := coll.UpdateOne(ctx, free, mongo.Pipeline{
		{{Key: "$set", Value: bson.D{{Key: "holder", Value: holder}, {Key: "until", Value: until}}}},
	})
	if err != nil {
		return false, err
	}
	return result.MatchedCount == 1, nil
}

func runSteps(ctx context.Context, coll *mongo.Collection, steps []migration, log *slog.Logger) error {
	for _, step := range steps {
		log.InfoContext(ctx, "changing the database's layout", "migration", step.Number, "name", step.Name)
		if err := step.Run(ctx, coll.Database()); err != nil {
			return fmt.Errorf("migration %d (%s): %w", step.Number, step.Name, err)
		}
		_, err := coll.UpdateOne(ctx, bson.D{{Key: "_id", Value: step.Number}}, bson.D{
			{Key: "$set", Value: bson.D{{Key: "name", Value: step.Name}}}, {Key: "$currentDate", Value: bson.D{{Key: "at", Value: true}}},
		}, options.UpdateOne().SetUpsert(true))
		if err != nil {
			return fmt.Errorf("record migration %d: %w", step.Number, err)
		}
	}
	return nil
}

var errNoName = errors.New("mongodb: an account needs a name and a password")
