// Package rating is one person's answers at one time (lượt đánh giá), as it is judged, counted and kept.
// It is pure: no clock, no store, no network.
package rating

import (
	"slices"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Kind tells the two sorts of records that a cell considers.
type Kind string

// A rating is what a citizen said; an annotation is a doubt somebody else put beside it.
const (
	KindRating     Kind = "rating"
	KindAnnotation Kind = "annotation"
)

// Record is what the store keeps of a rating or an annotation, append-only. Fields beside Bytes repeat what the bytes
// say, so that engines can index and count them a second way; Bytes is what was hashed and signed.
type Record struct {
	ID         string    `bson:"_id"` // RecordID: home / unit / id
	Kind       Kind      `bson:"kind"`
	Cell       string    `bson:"cell"`    // Counted.Cell(), frozen at intake; the figures' address
	Counted    Counted   `bson:"counted"` // where the record counts, frozen at intake
	ReceivedAt time.Time `bson:"received_at"`
	OccurredAt time.Time `bson:"occurred_at"`
	Flags      []string  `bson:"flags,omitempty"` // doubts seen at intake, such as FlagFuture

	Bytes     []byte   `bson:"bytes,omitempty"` // the Rating as received, byte for byte
	Score     int32    `bson:"score"`           // overall score 1 to 5; 0 = not asked
	Answers   []Answer `bson:"answers,omitempty"`
	Counter   string   `bson:"counter,omitempty"`
	Official  string   `bson:"official,omitempty"`
	Procedure string   `bson:"procedure,omitempty"`
	Revises   string   `bson:"revises,omitempty"` // id (not RecordID) of the rating this one corrects

	Device   string `bson:"device,omitempty"` // the device that sent it
	Sequence int64  `bson:"sequence,omitempty"`
	Account  string `bson:"account,omitempty"` // the account that sent it
	Source   string `bson:"source,omitempty"`  // an import's name

	About string `bson:"about,omitempty"` // annotation: id of the rating it doubts
	Doubt string `bson:"doubt,omitempty"` // annotation: why
}

// Answer is an answer as it is counted.
type Answer struct {
	Question string   `bson:"q"`
	Score    int32    `bson:"s,omitempty"`
	Choices  []string `bson:"c,omitempty"`
}

// Counted is where a record counts. It is frozen on the stored record and never derived again.
type Counted struct {
	Unit          string       `bson:"unit"`
	Day           localday.Day `bson:"day"`
	Hour          int          `bson:"hour"`
	Channel       pb.Channel   `bson:"channel"`
	Questionnaire string       `bson:"questionnaire"`
	Version       int32        `bson:"version"`
	Fallback      bool         `bson:"fallback,omitempty"` // counted by received_at: occurred_at was absurd
}

// Flags that intake may put on a rating. Flagged ratings are counted, and counted apart; only what repeats a ticket is not counted.
const (
	FlagFuture      = "time_future"  // occurred_at more than ten minutes ahead
	FlagOld         = "time_old"     // occurred_at more than 400 days back, from a device or the web
	FlagTooSoon     = "too_soon"     // from a kiosk, sooner after the rating before it than people follow each other there
	FlagTicketAgain = "ticket_again" // another rating stands for its ticket; kept and told, not counted
)

// Repeats tells whether another rating stands for the ticket of this one: it is kept and listed, and in no figure.
func (r *Record) Repeats() bool { return slices.Contains(r.Flags, FlagTicketAgain) }

// RecordID is the identity of a record across the whole store: a rating is (unit, id); home, the unit's home
// region, stands first so that a sharded cluster keeps a region's ratings together.
func RecordID(home, unit, id string) string { return home + "/" + unit + "/" + id }

// SplitRecordID takes a RecordID apart. Home and unit ids hold no slash.
func SplitRecordID(recordID string) (home, unit, id string) {
	parts := strings.SplitN(recordID, "/", 3)
	if len(parts) != 3 {
		return "", "", recordID
	}
	return parts[0], parts[1], parts[2]
}
