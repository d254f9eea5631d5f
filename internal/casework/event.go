package casework

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Name of an event.
type Name string

// The events of a case.
const (
	Open               Name = "open"
	Assign             Name = "assign"              // put a unit in charge
	Reassign           Name = "reassign"            // put another in charge
	RequestExplanation Name = "request_explanation" // ask the unit, or officials of it
	Submit             Name = "submit"              // hand in the explanation
	Return             Name = "return"              // it does not do
	Accept             Name = "accept"              // it does, with a finding
	Reply              Name = "reply"               // tell the citizen
	File               Name = "file"                // a collective request ends without a reply
	Satisfied          Name = "satisfied"           // the citizen: it answers
	Reopen             Name = "reopen"              // the citizen: it does not
	StillDissatisfied  Name = "still_dissatisfied"  // the citizen, after the one reopening: it still does not
	Close              Name = "close"               // nobody said anything in time
	PutOutOfScope      Name = "route"               // a complaint, a denunciation, a legal request: not ours to explain
	HandOver           Name = "hand_over"           // it is with whoever is competent
	TakenUp            Name = "taken_up"            // they took it up
	RouteResult        Name = "route_result"        // and settled it
	PutBack            Name = "put_back"            // it was ours after all
	Merge              Name = "merge"               // the same as an earlier case
	Withdraw           Name = "withdraw"            // the citizen takes it back
	Extend             Name = "extend"              // more time, once a clock
	Suspend            Name = "suspend"             // time stands still
	Resume             Name = "resume"
	Escalate           Name = "escalate" // a clock is late; one level up is told
	Attach             Name = "attach"   // one more rating belongs to it
)

// Event is something that is to happen, with what it needs: see Row.Needs. Other fields are not kept.
type Event struct {
	Name        Name         `bson:"name"`
	Unit        string       `bson:"unit,omitempty"`      // put in charge
	Officials   []string     `bson:"officials,omitempty"` // asked; may be empty
	Reason      string       `bson:"reason,omitempty"`    // in words of the office
	Reasons     []Reason     `bson:"reasons,omitempty"`   // with one tap: of a return, of a reopening
	Explanation *Explanation `bson:"explanation,omitempty"`
	Finding     Finding      `bson:"finding,omitempty"`
	Text        string       `bson:"text,omitempty"`     // of a reply; of a result
	Document    string       `bson:"document,omitempty"` // number and date of the paper that proves it
	Route       Route        `bson:"route,omitempty"`
	Into        Target       `bson:"into,omitempty"` // case it is merged into
	Ratings     []string     `bson:"ratings,omitempty"`
	Clock       string       `bson:"clock,omitempty"` // name
	Days        int          `bson:"days,omitempty"`
	Private     string       `bson:"private,omitempty"` // id of the citizen's own words, kept apart
}

// Reason is a reason given with one tap.
type Reason string

// Reasons to return an explanation.
const (
	NoCause           Reason = "no_cause"           // no cause is named
	TooGeneral        Reason = "too_general"        // it says nothing about this matter
	NobodyResponsible Reason = "nobody_responsible" // no person is named
	Copied            Reason = "copied"             // from an earlier one
	Other             Reason = "other"              // in words, which are needed then
)

// Reasons of a citizen to whom the reply is no answer.
const (
	NotAnswered Reason = "not_answered" // it is about something else
	NotTrue     Reason = "not_true"     // it was otherwise
	NotDone     Reason = "not_done"     // what was promised did not happen
	OtherReason Reason = "said"         // in the citizen's own words, kept apart
)

// ReturnReasons lists those of a return, ReopenReasons those of a citizen.
func ReturnReasons() []Reason { return []Reason{NoCause, TooGeneral, NobodyResponsible, Copied, Other} }

// ReopenReasons lists the reasons of a citizen to whom the reply is no answer.
func ReopenReasons() []Reason { return []Reason{NotAnswered, NotTrue, NotDone, OtherReason} }

// RouteKind is what a matter turned out to be.
type RouteKind string

// The kinds. A low rating is none of these; what becomes one leaves casework, on the way and by the clocks of its law.
const (
	Complaint    RouteKind = "complaint"    // khiếu nại
	Denunciation RouteKind = "denunciation" // tố cáo
	LegalRequest RouteKind = "request"      // a citizen's legal request for accountability
	Elsewhere    RouteKind = "elsewhere"    // another body's matter, without a clock of ours
)

// RouteKinds lists them.
func RouteKinds() []RouteKind {
	return []RouteKind{Complaint, Denunciation, LegalRequest, Elsewhere}
}

// Route is where a matter that is out of scope goes, and how far it came.
type Route struct {
	Kind       RouteKind `bson:"kind,omitempty"`
	To         string    `bson:"to,omitempty"` // the body, by name
	HandedOver bool      `bson:"handed_over,omitempty"`
	TakenUp    bool      `bson:"taken_up,omitempty"`
}

// Target is what is known of the case another is merged into.
type Target struct {
	ID         string    `bson:"id,omitempty"`
	Receiving  string    `bson:"-"`
	State      State     `bson:"-"`
	OpenedAt   time.Time `bson:"-"`
	MergedInto string    `bson:"-"`
}

// TargetOf is what Merge needs to know of a case.
func TargetOf(c Case) Target {
	return Target{ID: c.ID, Receiving: c.Receiving, State: c.State, OpenedAt: c.OpenedAt, MergedInto: c.MergedInto}
}

// Limits.
const (
	MaxReason    = 1000  // characters of a reason and of a document's number
	MaxReply     = 8000  // characters
	MaxName      = 300   // characters of a name, such as that of a body
	MaxRatings   = 1000  // a case holds
	MaxOfficials = 50    // a case is about, or that are asked
	MaxReturns   = 50    // of one case
	MaxHistory   = 500   // entries, above which a case can only go on to another state
	maxID        = 200   // bytes; a rating is named by its home, its unit and its own id
	maxLong      = 12000 // characters of the long texts of an explanation
)

// clean answers text as it is kept: NFC, trimmed. Invalid with "field" and "limit": "casework_text_long", "casework_text_unreadable".
func clean(field, text string, limit int) (string, error) {
	if len(text) > 8*limit {
		return "", fault.New(fault.Invalid, "casework_text_long", "field", field, "limit", limit)
	}
	if !utf8.ValidString(text) {
		return "", fault.New(fault.Invalid, "casework_text_unreadable", "field", field)
	}
	text = strings.TrimSpace(norm.NFC.String(strings.ReplaceAll(text, "\r\n", "\n")))
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return "", fault.New(fault.Invalid, "casework_text_unreadable", "field", field)
	}
	if utf8.RuneCountInString(text) > limit {
		return "", fault.New(fault.Invalid, "casework_text_long", "field", field, "limit", limit)
	}
	return text, nil
}

// isID tells whether text can be an id.
func isID(text string) bool {
	return text != "" && len(text) <= maxID && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

func areIDs(list []string, limit int) bool {
	for _, id := range list {
		if !isID(id) {
			return false
		}
	}
	return len(list) <= limit
}
