package casebook

import (
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// document is a case as it is stored.
type document struct {
	Kept `bson:",inline"`
	// Above are "" for everything, the receiving unit and the unit in charge, and all units those stand in: today, and where they
	// ever stood. So whoever may see the case finds it, also when its unit was merged.
	Above []string `bson:"above"`
	// Waits is the same while the case is open, and Floor a day on or before Due: the index of what waits. Floor is lowered at once and
	// raised by the clock, so that most of what happens to a case moves it in no index. Whoever reads by it puts in order by Due.
	Waits []string     `bson:"waits,omitempty"`
	Floor localday.Day `bson:"floor,omitempty"`
	Next  localday.Day `bson:"next,omitempty"` // on or before the next day on which the case has something to say or to do by itself
	// Owed is who is still to be told, and OwedAt since when. What was told is struck out with the next event, or by a sweep, because a
	// write of its own for each would double the work.
	Owed   []owed    `bson:"owed,omitempty"`
	OwedAt time.Time `bson:"owed_at,omitempty"`
	Tries  int       `bson:"tries,omitempty"` // times telling failed
	Said   string    `bson:"said,omitempty"`  // id of the citizen's words at the opening
	Reach  string    `bson:"reach,omitempty"` // id of the contact
	Digest []byte    `bson:"digest"`          // of all it was opened with, under a key
	Asks   []string  `bson:"asks,omitempty"`  // of a collective request: its unit and those above it
	Marks  []byte    `bson:"marks,omitempty"` // of the words of its opening, by which a search passes over it: see marks
	More   bool      `bson:"more,omitempty"`  // more was said after it
}

// kept is the case as others see it.
func (d document) kept() Kept {
	k := d.Kept
	k.Version = d.version()
	return k
}

func (d document) version() store.Version { return store.Version(len(d.History)) }

// owed is somebody who is still to be told of an entry of the history, or something that is still to be done because of it.
type owed struct {
	N         int               `bson:"n"` // entry of the history
	Do        duty              `bson:"do"`
	To        casework.Audience `bson:"to,omitempty"`
	Unit      string            `bson:"unit,omitempty"`
	Accounts  []string          `bson:"accounts,omitempty"`
	Officials []string          `bson:"officials,omitempty"`
	Level     int               `bson:"level,omitempty"`
	Clock     string            `bson:"clock,omitempty"`
	Case      string            `bson:"case,omitempty"`
	Ratings   []string          `bson:"ratings,omitempty"`
}

type duty string

const (
	tell     duty = "tell"
	move     duty = "move"     // ratings to the case it was merged into
	remember duty = "remember" // the explanation, for whoever looks whether the next is a copy
)

// numbered is what a register needs of a case.
type numbered struct {
	ID     string          `bson:"_id"`
	Number casework.Number `bson:"number"`
}

// The indexes of cases.
const (
	byCode     = "code"
	byNumber   = "number"
	byWaits    = "waits"  // what is open
	byOpened   = "opened" // everything in the order it came
	byAbout    = "about"
	byAsked    = "asked"
	byRating   = "ratings"
	byNext     = "next"
	byOwed     = "owed"
	byAsks     = "asks"
	byAsksUnit = "asks_unit"
	byChanged  = "changed"
)

var (
	caseType = store.Define[document]("cases",
		store.Index{Name: byCode, Fields: []string{"code"}, Unique: true},
		store.Index{Name: byNumber, Fields: []string{"number.unit", "number.year", "number.n"}, Unique: true},
		store.Index{Name: byWaits, Fields: []string{"waits", "floor"}, Multi: true},
		store.Index{Name: byOpened, Fields: []string{"above", "opened_at"}, Multi: true},
		store.Index{Name: byAbout, Fields: []string{"about", "opened_at"}, Multi: true},
		store.Index{Name: byAsked, Fields: []string{"asked", "floor"}, Multi: true},
		store.Index{Name: byRating, Fields: []string{"ratings"}, Multi: true},
		store.Index{Name: byNext, Fields: []string{"next"}},
		store.Index{Name: byOwed, Fields: []string{"owed_at"}},
		store.Index{Name: byAsks, Fields: []string{"asks", "opened_at"}, Multi: true},
		store.Index{Name: byAsksUnit, Fields: []string{"collective.unit"}, Multi: true},
		store.Index{Name: byChanged, Fields: []string{"changed_at"}},
	)
	numberType  = store.Type[numbered](caseType) // the same documents, read in part and never written
	holdingType = store.Type[Holding](caseType)

	wordsType = store.Define[wordsDoc]("case_words",
		store.Index{Name: "case", Fields: []string{"case", "at"}},
		store.Index{Name: "words", Fields: []string{"words", "at"}, Multi: true},
		store.Index{Name: "at", Fields: []string{"at"}},
	)
	contactType = store.Define[contactDoc]("case_contacts",
		store.Index{Name: "phones", Fields: []string{"phones", "at"}, Multi: true},
		store.Index{Name: "last_four", Fields: []string{"last_four", "at"}, Multi: true},
		store.Index{Name: "at", Fields: []string{"at"}},
		store.Index{Name: "erase_on", Fields: []string{"erase_on"}},
	)
	draftType    = store.Define[draftDoc]("case_drafts")
	fileType     = store.Define[fileDoc]("case_files", store.Index{Name: "case", Fields: []string{"case", "at"}}, store.Index{Name: "loose", Fields: []string{"loose_since"}})
	shinglesType = store.Define[shinglesDoc]("case_shingles",
		store.Index{Name: "unit", Fields: []string{"unit", "at"}},
		store.Index{Name: "author", Fields: []string{"author", "at"}},
	)
	sweepType = store.Define[sweepDoc]("case_sweeps")
)

// Kinds lists the kinds of documents kept here.
func Kinds() []store.Kind {
	return []store.Kind{
		caseType.Kind, wordsType.Kind, contactType.Kind, draftType.Kind, fileType.Kind, shinglesType.Kind, sweepType.Kind,
	}
}
