package analysis

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/tally"
)

// Reasons are the choices people took.
type Reasons struct {
	Reasons      []Reason // most taken first, those withheld last
	Period       Period
	FreshThrough time.Time
}

// Reason is one choice of one question, over every questionnaire that has it.
type Reason struct {
	Question, Choice string                    // ids
	Asked, Says      []questionnaire.LocalText // words of question and choice in the newest version that has them; none = not known
	Count            uint32                    // times taken; 0 where withheld
	// Share is of the ratings that answered the question, where that is known. It is known where each rating took at most one
	// choice; where several could be taken, N are all ratings given on forms with the question.
	Share figure.Figure
}

// Reasons counts the choices people took over a unit's subtree, by default over the last thirty days and today. The buttons of the
// overall question are left out: they are what a summary answers. Where a question rests on fewer ratings than are shown, all its
// choices are listed, taken or not, and none is told.
func (a *Analysis) Reasons(ctx context.Context, query Query) (Reasons, error) {
	q, err := a.ask(ctx, query, thirtyDays)
	if err != nil {
		return Reasons{}, err
	}
	sums := map[string]*answers{} // by form
	err = a.leaves(ctx, q, q.subtree(), func(strip tally.StripKey, leaves []*digest) {
		key := form(strip)
		of := sums[key]
		if of == nil {
			of = &answers{by: map[unique.Handle[string]]uint32{}}
			sums[key] = of
		}
		for _, leaf := range leaves {
			of.add(leaf)
		}
	})
	if err != nil {
		return Reasons{}, err
	}
	return Reasons{Reasons: a.reasons(takenOf(sums)), Period: q.period, FreshThrough: q.fresh}, nil
}

// answers adds up digests of one form.
type answers struct {
	ratings uint32
	by      map[unique.Handle[string]]uint32
}

func (a *answers) add(leaf *digest) {
	a.ratings += leaf.slot.Overall.N() + leaf.slot.Overall[0]
	for _, answer := range leaf.answers {
		a.by[answer.what] += answer.n
	}
}

// taken is what was answered on one form.
type taken struct {
	ratings uint32                       // with an overall score or without
	choices map[string]map[string]uint32 // by question and choice
	scored  map[string]uint32            // ratings that answered a question by a score
}

func takenOf(sums map[string]*answers) map[string]*taken {
	byForm := make(map[string]*taken, len(sums))
	for form, sum := range sums {
		of := &taken{ratings: sum.ratings, choices: map[string]map[string]uint32{}, scored: map[string]uint32{}}
		byForm[form] = of
		for what, n := range sum.by {
			question, choice, isChoice := strings.Cut(what.Value(), "/")
			if !isChoice {
				of.scored[question] += n
				continue
			}
			if of.choices[question] == nil {
				of.choices[question] = map[string]uint32{}
			}
			of.choices[question][choice] += n
		}
	}
	return byForm
}

// answered is how many ratings answered a question of a form; false where that cannot be told, and then at most all did.
func (t *taken) answered(of *questionnaire.Questionnaire, question string) (uint32, bool) {
	var all uint32
	for _, count := range t.choices[question] {
		all += count
	}
	if of == nil {
		return t.ratings, false
	}
	asked, ok := of.Question(question)
	switch {
	case ok && asked.Kind == questionnaire.Buttons:
		return max(all, t.scored[question]), true
	case ok && asked.Kind == questionnaire.Choices && !asked.Multiple:
		return all, true
	}
	return t.ratings, false
}

func asks(form *questionnaire.Questionnaire, question string) bool {
	if form == nil {
		return false
	}
	_, ok := form.Question(question)
	return ok
}

func (a *Analysis) reasons(byForm map[string]*taken) []Reason {
	known := a.forms()
	questions := map[string]map[string]uint32{} // choices over all forms
	for key, of := range byForm {
		for question, choices := range of.choices {
			if form := known.byKey[key]; form != nil {
				if overall, ok := form.Overall(); ok && overall.ID == question {
					continue
				}
			}
			totals := questions[question]
			if totals == nil {
				totals = map[string]uint32{}
				questions[question] = totals
			}
			for choice, count := range choices {
				totals[choice] += count
			}
		}
	}
	var reasons []Reason
	for question, choices := range questions {
		var n, most uint32
		exact := true
		for key, of := range byForm {
			if len(of.choices[question]) == 0 && !asks(known.byKey[key], question) {
				continue
			}
			answered, sure := of.answered(known.byKey[key], question)
			n, most, exact = n+answered, most+of.ratings, exact && sure
		}
		if !exact {
			n = most
		}
		reasons = append(reasons, a.reasonsOf(known, question, choices, n)...)
	}
	slices.SortFunc(reasons, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Question, b.Question), cmp.Compare(a.Choice, b.Choice))
	})
	return reasons
}

// reasonsOf makes the reasons of one question that n ratings answered.
func (a *Analysis) reasonsOf(known forms, question string, choices map[string]uint32, n uint32) []Reason {
	has := func(q *questionnaire.Questionnaire) bool { _, ok := q.Question(question); return ok }
	asked, _ := newest(known, has, func(q *questionnaire.Questionnaire) (questionnaire.Question, bool) { return q.Question(question) })
	withheld := n < a.config.MinCell
	if withheld { // which of them were taken must not show
		choices = map[string]uint32{}
		for _, choice := range asked.Choices {
			choices[choice.ID] = 0
		}
	}
	reasons := make([]Reason, 0, len(choices))
	for id, count := range choices {
		reason := Reason{Question: question, Choice: id, Asked: asked.Texts, Count: count, Share: figure.Wilson(count, n)}
		if withheld {
			reason.Share = figure.Figure{Formula: reason.Share.Formula, N: n, Suppressed: true}
		}
		reason.Says, _ = newest(known, has, func(q *questionnaire.Questionnaire) ([]questionnaire.LocalText, bool) {
			of, _ := q.Question(question)
			found, ok := choice(of, id)
			return found.Texts, ok
		})
		reasons = append(reasons, reason)
	}
	return reasons
}
