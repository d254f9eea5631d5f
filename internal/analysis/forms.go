package analysis

import (
	"cmp"

	"github.com/hailong-vn/hailong/internal/questionnaire"
)

// Forms answers the published questionnaires.
type Forms interface {
	// Questionnaires lists every version.
	Questionnaires() []*questionnaire.Questionnaire
}

// forms are the published questionnaires as they are read for one answer.
type forms struct {
	byKey map[string]*questionnaire.Questionnaire
	all   []*questionnaire.Questionnaire
}

func (a *Analysis) forms() forms {
	f := forms{byKey: map[string]*questionnaire.Questionnaire{}}
	if a.config.Forms != nil {
		f.all = a.config.Forms.Questionnaires()
	}
	for _, q := range f.all {
		f.byKey[q.Key()] = q
	}
	return f
}

// newest finds what the newest version among some says, by its first day of use, its number and its id.
func newest[T any](f forms, among func(*questionnaire.Questionnaire) bool, says func(*questionnaire.Questionnaire) (T, bool)) (found T, ok bool) {
	var by *questionnaire.Questionnaire
	for _, q := range f.all {
		if !among(q) || by != nil && cmp.Or(cmp.Compare(q.ValidFrom, by.ValidFrom), cmp.Compare(q.Version, by.Version), cmp.Compare(by.ID, q.ID)) < 0 {
			continue
		}
		if said, has := says(q); has {
			found, ok, by = said, true, q
		}
	}
	return found, ok
}

// choice finds a choice of a question.
func choice(q questionnaire.Question, id string) (questionnaire.Choice, bool) {
	for _, c := range q.Choices {
		if c.ID == id {
			return c, true
		}
	}
	return questionnaire.Choice{}, false
}
