// Package tally keeps counts: it folds the records of an hour into a cell, cells into leaves, leaves into strips. Every
// function is pure and does not depend on the order of records, so the worker, the reconcile and the verifier
// get the same figures on every engine.
//
// Figures are folded again, never adjusted: because ratings and annotations only grow, the number of records
// a fold has considered (Seen) is the version of its result, and a write lands only where its (Epoch, Seen) is larger.
package tally

import (
	"strconv"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Counts counts ratings by score: [0] not asked, [1] to [5] the scores.
type Counts [6]uint32

// N is how many ratings have a score.
func (c Counts) N() uint32 { return c[1] + c[2] + c[3] + c[4] + c[5] }

// Scores are the counts for scores 1 to 5, without those that were not asked.
func (c Counts) Scores() [5]uint32 { return [5]uint32(c[1:]) }

// Plus is the sum, score by score.
func (c Counts) Plus(other Counts) Counts {
	for i, n := range other {
		c[i] += n
	}
	return c
}

// Version orders two states of the same cell. Epoch grows when the store was restored from a copy.
type Version struct {
	Epoch uint32 `bson:"e,minsize"`
	Seen  uint32 `bson:"n,minsize"`
}

// Less tells whether v is older than other.
func (v Version) Less(other Version) bool {
	return v.Epoch < other.Epoch || v.Epoch == other.Epoch && v.Seen < other.Seen
}

// Cell is one hour of one unit, channel and questionnaire version.
type Cell struct {
	Version   `bson:",inline"`
	Overall   Counts            `bson:"o"`                   // ratings that count, by overall score
	Flagged   Counts            `bson:"f"`                   // those of them that carry a doubt
	Questions map[string]Counts `bson:"q,omitempty"`         // by question id
	Choices   map[string]uint32 `bson:"c,omitempty,minsize"` // by "question/choice"
}

// LeafKey names a leaf: one unit, day, channel and questionnaire version.
type LeafKey struct {
	Unit          string       `bson:"unit"`
	Day           localday.Day `bson:"day"`
	Channel       pb.Channel   `bson:"channel"`
	Questionnaire string       `bson:"questionnaire"`
	QVersion      int32        `bson:"version"`
}

// ID is the leaf's document id, unit first: a unit's period is one range.
func (k LeafKey) ID() string {
	return k.Unit + "/" + string(k.Day) + "/" + strconv.Itoa(int(k.Channel)) + "/" + k.Questionnaire + "@" + strconv.Itoa(int(k.QVersion))
}

// Cell is the address of one of the leaf's hour cells, the same text as rating.Counted.Cell.
func (k LeafKey) Cell(hour int) string {
	return rating.Counted{
		Unit: k.Unit, Day: k.Day, Hour: hour, Channel: k.Channel, Questionnaire: k.Questionnaire, Version: k.QVersion,
	}.Cell()
}

// HourCell is a cell with its address: what a fold answers and Raise takes.
type HourCell struct {
	Leaf LeafKey
	Hour int // 0 to 23
	Cell Cell
}

// Leaf holds the hour cells of a unit's day in one channel and questionnaire version. Hours without records are absent.
type Leaf struct {
	Key   LeafKey
	Hours map[int]Cell
}

// StripKey names the strip in which the leaf's day stands.
func (l Leaf) StripKey() StripKey {
	return StripKey{Year: l.Key.Day.Year(), Unit: l.Key.Unit, Questionnaire: l.Key.Questionnaire, QVersion: l.Key.QVersion}
}

// Slot sums the leaf's hours: the day as its strip keeps it.
func (l Leaf) Slot() (SlotKey, Slot) {
	var slot Slot
	for _, cell := range l.Hours {
		slot.Epoch += cell.Epoch
		slot.Seen += cell.Seen
		slot.Overall = slot.Overall.Plus(cell.Overall)
		slot.Flagged += cell.Flagged.N()
	}
	return SlotKey{Day: l.Key.Day.OfYear(), Channel: l.Key.Channel}, slot
}
