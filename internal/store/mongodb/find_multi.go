package mongodb

import "go.mongodb.org/mongo-driver/v2/bson"

// multiFilter is the span as a filter, for a multi-valued index: MongoDB sorts documents by the least element of an
// array, not by the one that was looked for, so neither bounds nor order may name the array. The first field is always
// given, and what follows it is plain.
func (s *span) multiFilter() bson.D {
	var all bson.A
	for i, k := range s.from[:s.equal] {
		all = append(all, bson.D{{Key: s.fields[i], Value: k.bson()}})
	}
	if s.low != nil {
		all = append(all, bson.D{{Key: s.fields[s.equal], Value: bson.D{{Key: "$gte", Value: s.low.bson()}}}})
	}
	if s.high != nil {
		all = append(all, bson.D{{Key: s.fields[s.equal], Value: bson.D{{Key: "$lt", Value: s.high.bson()}}}})
	}
	if s.after != nil {
		all = append(all, s.beyond(s.fields[s.equal:]))
	}
	return bson.D{{Key: "$and", Value: all}}
}

// beyond is: the fields are past the last place read, in the query's order.
func (s *span) beyond(fields []string) bson.D {
	ways := bson.A{}
	same := bson.D{}
	for i, field := range fields {
		k := s.after[i]
		isNull := bson.D{{Key: field, Value: nil}}
		var past bson.A
		switch {
		case k.rank == rankNull && !s.desc:
			past = bson.A{bson.D{{Key: field, Value: bson.D{{Key: "$ne", Value: nil}}}}}
		case k.rank == rankNull: // nothing stands before null
		case s.desc:
			past = bson.A{bson.D{{Key: field, Value: bson.D{{Key: "$lt", Value: k.bson()}}}}, isNull}
		default:
			past = bson.A{bson.D{{Key: field, Value: bson.D{{Key: "$gt", Value: k.bson()}}}}}
		}
		for _, way := range past {
			ways = append(ways, append(same[:len(same):len(same)], way.(bson.D)...))
		}
		same = append(same, bson.E{Key: field, Value: k.bson()})
	}
	if len(ways) == 0 {
		return bson.D{{Key: "$nor", Value: bson.A{bson.D{}}}} // nothing is beyond
	}
	return bson.D{{Key: "$or", Value: ways}}
}
