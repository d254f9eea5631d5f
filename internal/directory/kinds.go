// Package directory keeps what ratings refer to: units, counters, officials, procedures and questionnaires.
//
// Everything is read from an immutable snapshot in memory; nothing on the way of a rating asks the store. Changes are few
// and must fit together (no unit above itself, no child without its parent), while a document is the store's only unit of
// atomicity. So every change goes through one document, the revision: it is raised by compare-and-swap and carries
// the change itself, which is then written to the documents it belongs to. Whoever reads a revision whose change is not
// all written yet writes the rest first; so a change is whole or not there, on any number of processes and over
// kill -9, and no two processes can decide on the same state.
package directory

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Counter is where people are served (quầy).
type Counter struct {
	ID     string `bson:"_id"`
	UnitID string `bson:"unit"`
	Code   string `bson:"code"` // on the sign; one unit has it once among its open counters
	Name   string `bson:"name"`
	// ClosedAt is when it was closed; zero while it is open. Its ratings stay.
	ClosedAt time.Time `bson:"closed_at,omitempty"`
}

// Open tells whether people are served there.
func (c Counter) Open() bool { return c.ClosedAt.IsZero() }

// ServesOn tells whether a rating of a day may name it: until the end of the day on which it was closed, so that what was
// given before is not refused when it arrives late.
func (c Counter) ServesOn(day localday.Day) bool {
	last, _ := localday.Of(c.ClosedAt)
	return c.Open() || day <= last
}

// Proto is the counter as the contract shows it.
func (c Counter) Proto() *pb.Counter {
	return &pb.Counter{Id: c.ID, UnitId: c.UnitID, Code: c.Code, Name: c.Name, ClosedAt: moment(c.ClosedAt)}
}

// Official is the person who serves (cán bộ, công chức).
type Official struct {
	ID       string `bson:"_id"`
	UnitID   string `bson:"unit"`
	Name     string `bson:"name"`
	Position string `bson:"position,omitempty"` // chức vụ
	// ClosedAt is when service at the unit ended; zero while it goes on.
	ClosedAt time.Time `bson:"closed_at,omitempty"`
	// Photo names the content of the photo; "" = none.
	Photo string `bson:"photo,omitempty"`
	// PINHash is of the number by which the official signs in at a device; "" = none. It goes to devices of the unit and nowhere else.
	PINHash string `bson:"pin,omitempty"`
}

// Open tells whether the official serves.
func (o Official) Open() bool { return o.ClosedAt.IsZero() }

// Proto is the official as the contract shows them.
func (o Official) Proto() *pb.Official {
	return &pb.Official{
		Id: o.ID, UnitId: o.UnitID, Name: o.Name, Position: o.Position, ClosedAt: moment(o.ClosedAt),
		PhotoVersion: o.Photo, HasPin: o.PINHash != "",
	}
}

// moment leaves a zero time out.
func moment(at time.Time) *timestamppb.Timestamp {
	if at.IsZero() {
		return nil
	}
	return timestamppb.New(at)
}

// Procedure is a public service (thủ tục hành chính).
type Procedure struct {
	Code  string `bson:"_id"` // national code, such as "1.000894"
	Name  string `bson:"name"`
	Field string `bson:"field,omitempty"` // lĩnh vực
}

// Proto is the procedure as the contract shows it.
func (p Procedure) Proto() *pb.Procedure {
	return &pb.Procedure{Code: p.Code, Name: p.Name, Field: p.Field}
}

// publication is a published questionnaire: the text it was published with, to the letter.
type publication struct {
	ID          string    `bson:"_id"` // questionnaire.Key
	YAML        string    `bson:"yaml"`
	PublishedAt time.Time `bson:"published_at"`
}

// kept is a document with the revision that wrote it last.
type kept[T any] struct {
	Value    T     `bson:",inline"`
	Revision int64 `bson:"revision"`
}

// Names of the kinds, as the revision's change calls them.
const (
	unitKind          = "units"
	counterKind       = "counters"
	officialKind      = "officials"
	procedureKind     = "procedures"
	questionnaireKind = "questionnaires"
	revisionKind      = "directory_revision"
)

const byRevision = "revision"

// define declares a kind that can be read from a revision on.
func define[T any](name string) store.Type[kept[T]] {
	return store.Define[kept[T]](name, store.Index{Name: byRevision, Fields: []string{"revision"}})
}

// Kinds lists what the directory keeps in the store.
func Kinds() []store.Kind {
	return []store.Kind{
		define[unit.Unit](unitKind).Kind, define[Counter](counterKind).Kind, define[Official](officialKind).Kind,
		define[Procedure](procedureKind).Kind, define[publication](questionnaireKind).Kind,
		store.Define[revision](revisionKind).Kind,
	}
}
