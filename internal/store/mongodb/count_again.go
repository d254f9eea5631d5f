package mongodb

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strconv"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// CountAgain counts the overall scores of ratings by cell: $group counts all of them, and in the few cells where ratings
// revise others, those that do not count are taken off. What repeats a ticket is left out from the start. All is read as it stood at one time.
func (r ratings) CountAgain(ctx context.Context, from, to string) iter.Seq2[store.CellScores, error] {
	return func(yield func(store.CellScores, error) bool) {
		ctx, cancel := longer(ctx, countTimeout)
		defer cancel()
		session, err := r.e.client.StartSession(options.Session().SetSnapshot(true))
		if err != nil {
			yield(store.CellScores{}, unavailable(err))
			return
		}
		defer session.EndSession(context.WithoutCancel(ctx))
		stopped := false
		err = r.countAgain(mongo.NewSessionContext(ctx, session), from, to, func(scores store.CellScores) bool {
			stopped = !yield(scores, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(store.CellScores{}, err)
		}
	}
}

func (r ratings) countAgain(ctx context.Context, from, to string, use func(store.CellScores) bool) error {
	repeats := bson.D{{Key: "$in", Value: bson.A{rating.FlagTicketAgain, bson.D{{Key: "$ifNull", Value: bson.A{"$flags", bson.A{}}}}}}}
	group := bson.D{
		{Key: "_id", Value: "$cell"},
		{Key: "revising", Value: bson.D{{Key: "$sum", Value: bson.D{{Key: "$cond", Value: bson.A{
			bson.D{{Key: "$gt", Value: bson.A{"$revises", ""}}}, 1, 0}}}}}},
	}
	for score := range len(tally.Counts{}) {
		group = append(group, bson.E{Key: "s" + strconv.Itoa(score), Value: bson.D{{Key: "$sum", Value: bson.D{{Key: "$cond", Value: bson.A{
			bson.D{{Key: "$and", Value: bson.A{
				bson.D{{Key: "$eq", Value: bson.A{"$score", score}}}, bson.D{{Key: "$not", Value: repeats}}}}}, 1, 0}}}}}})
	}
	pipeline := mongo.Pipeline{
		{{Key: "$match", Value: append(between("cell", from, to), bson.E{Key: "kind", Value: string(rating.KindRating)})}},
		{{Key: "$group", Value: group}},
		{{Key: "$sort", Value: bson.D{{Key: "_id", Value: 1}}}},
	}
	return each(ctx, r.coll, pipeline, indexCell, func(raw bson.Raw) (bool, error) {
		scores := store.CellScores{Cell: lookupString(raw, "_id")}
		for score := range scores.Overall {
			n, _ := raw.Lookup("s" + strconv.Itoa(score)).AsInt64OK()
			scores.Overall[score] = uint32(n)
		}
		if revising, _ := raw.Lookup("revising").AsInt64OK(); revising > 0 {
			if err := r.leaveOut(ctx, &scores); err != nil {
				return false, err
			}
		}
		if scores.Overall == (tally.Counts{}) {
			return true, nil
		}
		return use(scores), nil
	})
}

// claim is what counts of a rating in a cell with revisions.
type claim struct {
	id, revises string
	record      string
	received    int64
	score       int32
	repeats     bool // it was not counted
}

// leaveOut takes off the ratings of a cell that others stand for.
func (r ratings) leaveOut(ctx context.Context, scores *store.CellScores) error {
	cursor, err := r.coll.Find(ctx,
		bson.D{{Key: "cell", Value: scores.Cell}, {Key: "kind", Value: string(rating.KindRating)}},
		options.Find().SetHint(indexCell).SetProjection(bson.D{{Key: "revises", Value: 1}, {Key: "received_at", Value: 1}, {Key: "score", Value: 1}, {Key: "flags", Value: 1}}))
	if err != nil {
		return unavailable(err)
	}
	defer closeCursor(ctx, cursor)
	var claims []claim
	for cursor.Next(ctx) {
		raw := cursor.Current
		c := claim{record: lookupString(raw, "_id"), revises: lookupString(raw, "revises")}
		_, _, c.id = rating.SplitRecordID(c.record)
		c.received, _ = raw.Lookup("received_at").DateTimeOK()
		score, _ := raw.Lookup("score").AsInt64OK()
		c.score = int32(score)
		c.repeats = hasText(raw, "flags", rating.FlagTicketAgain)
		if c.revises == c.id {
			c.revises = ""
		}
		claims = append(claims, c)
	}
	if err := cursor.Err(); err != nil {
		return unavailable(err)
	}
	for _, c := range replaced(claims) {
		if !c.repeats && c.score >= 0 && int(c.score) < len(scores.Overall) && scores.Overall[c.score] > 0 {
			scores.Overall[c.score]--
		}
	}
	return nil
}

// replaced answers the ratings that do not count: those that another revises, and of several that revise the same one all but
// the last. Of a ring the earliest is taken for the original, as the fold does.
func replaced(claims []claim) []claim {
	slices.SortFunc(claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.received, b.received), cmp.Compare(a.id, b.id), cmp.Compare(a.record, b.record))
	})
	byID := make(map[string]int, len(claims))
	for i, c := range claims {
		byID[c.id] = i
	}
	walks := make([]int, len(claims)) // which walk along the names came by first, from 1
	for i := range claims {
		at, ok := i, true
		for ok && claims[at].revises != "" && walks[at] == 0 {
			walks[at] = i + 1
			at, ok = byID[claims[at].revises]
		}
		if !ok || claims[at].revises == "" || walks[at] != i+1 {
			continue
		}
		first := at
		for on := byID[claims[at].revises]; on != at; on = byID[claims[on].revises] {
			first = min(first, on)
		}
		claims[first].revises = ""
	}
	last := make(map[string]int)
	for i, c := range claims {
		if c.revises != "" {
			last[c.revises] = i
		}
	}
	var out []claim
	for i, c := range claims {
		if _, revised := last[c.id]; revised || c.revises != "" && last[c.revises] != i {
			out = append(out, c)
		}
	}
	return out
}

// hasText tells whether an array holds a text.
func hasText(raw bson.Raw, key, text string) bool {
	array, ok := raw.Lookup(key).ArrayOK()
	if !ok {
		return false
	}
	values, err := array.Values()
	return err == nil && slices.ContainsFunc(values, func(v bson.RawValue) bool {
		held, _ := v.StringValueOK()
		return held == text
	})
}
