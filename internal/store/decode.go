package store

import "go.mongodb.org/mongo-driver/v2/bson"

// Decode reads BSON; it spares what reads BSON by itself the driver's copy of it.
func Decode[T any](body []byte, into *T) error {
	if own, ok := any(into).(bson.Unmarshaler); ok {
		return own.UnmarshalBSON(body)
	}
	return bson.Unmarshal(body, into)
}
