// Package questionnaire is what people are asked: immutable, published versions, written as YAML so that wording can be
// reviewed and changed without a programmer, and the check that a rating answers the version it names.
package questionnaire

import (
	"strconv"

	"github.com/hailong-vn/hailong/internal/localday"
)

// Kind is how a question is answered.
type Kind string

// The kinds.
const (
	Score   Kind = "score"   // 1 (worst) to 5 (best)
	Buttons Kind = "buttons" // one of a few buttons, each standing for a score; the raw choice is kept beside the score
	Choices Kind = "choices" // one or, with Multiple, several of a list
	Text    Kind = "text"    // free words; they travel in Private.comment, never in the rating
)

// Questionnaire is one published version. It is never changed after Parse, and may be read by many goroutines.
type Questionnaire struct {
	ID        string
	Version   int32
	ValidFrom localday.Day // first day it is used; "" = always
	Titles    []LocalText  // Vietnamese, English, then others by tag
	Source    Source
	Factors   []Factor
	Questions []Question
	YAML      string // the text it was read from

	byID    map[string]int // question's place
	choices []map[string]int
	overall int // the overall question's place; -1 = none
}

// LocalText is a text in one language.
type LocalText struct{ Language, Text string }

// Source says where wording comes from. What was not found in an official text says so.
type Source struct {
	Text     string // where it comes from
	Verified bool   // found in a source that can be shown
	Note     string
}

// Factor groups questions, such as SIPAS's five.
type Factor struct {
	ID     string
	Titles []LocalText
}

// Question is one question.
type Question struct {
	ID       string
	Kind     Kind
	Texts    []LocalText
	Factor   string // id; may be empty
	Overall  bool   // its score is the rating's overall score
	Multiple bool   // for Choices: several may be taken
	Choices  []Choice
	Labels   []Label // for Score: the words of its scale (by default the questionnaire's), in the order they are shown; may be empty
	Source   *Source // where it differs from the questionnaire's
}

// Choice is one button or box.
type Choice struct {
	ID    string
	Texts []LocalText
	Score int32 // for Buttons: 1 to 5
}

// Label is the word for a score.
type Label struct {
	Score int32
	Texts []LocalText
}

// Key is the address of a version, such as "kiosk@3".
func Key(id string, version int32) string { return id + "@" + strconv.Itoa(int(version)) }

// Key is the version's address.
func (q *Questionnaire) Key() string { return Key(q.ID, q.Version) }

// Question answers a question by its id.
func (q *Questionnaire) Question(id string) (Question, bool) {
	at, ok := q.byID[id]
	if !ok {
		return Question{}, false
	}
	return q.Questions[at], true
}

// Overall answers the overall question; false where the questionnaire has none.
func (q *Questionnaire) Overall() (Question, bool) {
	if q.overall < 0 {
		return Question{}, false
	}
	return q.Questions[q.overall], true
}

// Says answers the text in a language, Vietnamese where there is none.
func Says(texts []LocalText, language string) string {
	for _, text := range texts {
		if text.Language == language {
			return text.Text
		}
	}
	if len(texts) > 0 {
		return texts[0].Text
	}
	return ""
}

// prepare makes what Check looks things up in.
func (q *Questionnaire) prepare() {
	q.overall = -1
	q.byID = make(map[string]int, len(q.Questions))
	q.choices = make([]map[string]int, len(q.Questions))
	for i, question := range q.Questions {
		q.byID[question.ID] = i
		if question.Overall {
			q.overall = i
		}
		q.choices[i] = make(map[string]int, len(question.Choices))
		for j, choice := range question.Choices {
			q.choices[i][choice.ID] = j
		}
	}
}
