package hotline

import (
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// Limits of a call, in characters.
const (
	MaxSummary = 4000
	MaxResult  = 300
	MaxReason  = 500
	MaxName    = 200
	maxHistory = 100 // corrections of one call
)

// Direction of a call.
type Direction string

// The directions.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// Kind is what a call was about. "" = not said yet, which only a call under way may be.
type Kind string

// The kinds.
const (
	Complaint   Kind = "complaint"
	Rating      Kind = "rating"
	Question    Kind = "question"
	Praise      Kind = "praise"
	WrongNumber Kind = "wrong_number"
	Other       Kind = "other"
)

// CallKinds lists the kinds in the order of the keys that choose them: 1 is the first.
func CallKinds() []Kind { return []Kind{Complaint, Rating, Question, Praise, WrongNumber, Other} }

// The results that are told by a key; an office's own words may stand in their place.
const (
	Answered   = "answered"
	CaseOpened = "case"
	Rated      = "rating"
	WillCall   = "call_back"
	PassedOn   = "passed_on"
	BrokenOff  = "broken_off"
	NoAnswer   = "no_answer"
)

// Results lists the keys of results.
func Results() []string {
	return []string{Answered, CaseOpened, Rated, WillCall, PassedOn, BrokenOff, NoAnswer}
}

// Call is one line of the log.
type Call struct {
	ID           string    `bson:"_id"`           // UUIDv7, made by whoever begins to write it down
	Unit         string    `bson:"unit"`          // whose hotline it is
	Operator     string    `bson:"operator"`      // account; of an imported call as the file names it, after "import:"
	OperatorName string    `bson:"operator_name"` // then
	Direction    Direction `bson:"direction"`
	StartedAt    time.Time `bson:"started_at"`
	EndedAt      time.Time `bson:"ended_at,omitempty"` // zero while Open
	Open         bool      `bson:"open"`
	Written      `bson:",inline"`

	Case   string `bson:"case,omitempty"`   // opened from it
	Rating string `bson:"rating,omitempty"` // given in it
	// Returns is the call, or the rating as a record id, that this outgoing call answers; "" = none.
	Returns string `bson:"returns,omitempty"`

	Sealed        []byte `bson:"sealed,omitempty"` // who called, encrypted
	NumberIndex   string `bson:"number_index,omitempty"`
	LastFourIndex string `bson:"last_four_index,omitempty"`
	Erased        bool   `bson:"erased,omitempty"` // who called was known and was erased

	CalledBack []Attempt    `bson:"called_back,omitempty"` // attempts to call back
	History    []Correction `bson:"history,omitempty"`     // what stood here before; append-only
	ChangedAt  time.Time    `bson:"changed_at"`
	Imported   bool         `bson:"imported,omitempty"`

	Above      []string `bson:"above"`                 // the lists it stands in: Unit, the units above it then, and ""
	WaitsAbove []string `bson:"waits_above,omitempty"` // the same while it waits for a call-back
	PraiseFor  []string `bson:"praise_for,omitempty"`  // who may read its praise: units, and "official:ID"

	Version store.Version `bson:"-"`
}

// Written is what an operator writes down, and what may be corrected later.
type Written struct {
	Kind       Kind         `bson:"kind"`
	About      string       `bson:"about,omitempty"`    // unit
	Official   string       `bson:"official,omitempty"` // of the directory
	Summary    string       `bson:"summary,omitempty"`  // in the operator's words
	Result     string       `bson:"result,omitempty"`   // a key of Results, or words
	CallBackOn localday.Day `bson:"call_back_on,omitempty"`
}

// Caller is who is at the other end.
type Caller struct {
	Name  string
	Phone string // as written; see package telephone
}

// Attempt is one try to call somebody back.
type Attempt struct {
	At      time.Time `bson:"at"`
	By      string    `bson:"by"`      // account
	ByName  string    `bson:"by_name"` // then
	Reached bool      `bson:"reached"` // nothing waits any more
	Result  string    `bson:"result,omitempty"`
	Call    string    `bson:"call,omitempty"` // the outgoing call
}

// Correction is what a finished call said before it was corrected.
type Correction struct {
	At     time.Time `bson:"at"`
	By     string    `bson:"by"` // account
	ByName string    `bson:"by_name"`
	Reason string    `bson:"reason"`
	Before Written   `bson:"before"`
	Caller bool      `bson:"caller,omitempty"` // who called was corrected too; what stood there is not kept
}

// Waits tells whether somebody is to be called back.
func (c Call) Waits() bool { return len(c.WaitsAbove) > 0 }

// Lasted is how long the call lasted; zero while it goes on.
func (c Call) Lasted() time.Duration {
	if c.Open || c.EndedAt.Before(c.StartedAt) {
		return 0
	}
	return c.EndedAt.Sub(c.StartedAt)
}
