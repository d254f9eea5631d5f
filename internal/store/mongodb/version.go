package mongodb

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Version is the primary's latest write that a majority holds: equal answers mean that nothing was written. A member that keeps
// nothing itself (mongos) does not know.
func (r rollups) Version(ctx context.Context) (string, error) {
	var hello struct {
		LastWrite struct {
			MajorityOpTime struct {
				TS bson.Timestamp `bson:"ts"`
				T  int64          `bson:"t"`
			} `bson:"majorityOpTime"`
		} `bson:"lastWrite"`
	}
	if err := r.strips.Database().RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return "", unavailable(err)
	}
	at := hello.LastWrite.MajorityOpTime
	if at.TS.T == 0 {
		return "", nil
	}
	return fmt.Sprintf("%d.%d.%d", at.T, at.TS.T, at.TS.I), nil
}
