package questionnaire

import (
	"github.com/hailong-vn/hailong/internal/fault"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Limits of a questionnaire; Check relies on the first two.
const (
	maxQuestions = 200
	maxChoices   = 50
	maxFactors   = 50
	maxText      = 2000 // characters
)

// Check tells whether a rating's answers are answers to this version. The error is a *fault.Error. It reads nothing but
// the rating and stays in the microsecond, for it stands in the way of every rating.
func (q *Questionnaire) Check(rating *pb.Rating) error {
	if rating.OverallScore < 0 || rating.OverallScore > 5 {
		return fault.New(fault.Invalid, "answer_overall_range", "score", rating.OverallScore)
	}
	if rating.OverallScore != 0 && q.overall < 0 {
		return fault.New(fault.Invalid, "answer_overall_not_asked")
	}
	var seen [(maxQuestions + 63) / 64]uint64
	for _, answer := range rating.Answers {
		if answer == nil { // only a program can make one; nothing on the wire decodes to it
			return fault.New(fault.Invalid, "answer_question_unknown", "question", "")
		}
		at, ok := q.byID[answer.QuestionId]
		if !ok {
			return fault.New(fault.Invalid, "answer_question_unknown", "question", clip(answer.QuestionId))
		}
		if seen[at/64]&(1<<(at%64)) != 0 {
			return fault.New(fault.Invalid, "answer_twice", "question", answer.QuestionId)
		}
		seen[at/64] |= 1 << (at % 64)
		if err := q.checkAnswer(at, answer); err != nil {
			return err
		}
		if at == q.overall && answer.Score != 0 && rating.OverallScore != 0 && answer.Score != rating.OverallScore {
			return fault.New(fault.Invalid, "answer_overall_differs", "question", answer.QuestionId, "score", answer.Score, "overall", rating.OverallScore)
		}
	}
	return nil
}

func (q *Questionnaire) checkAnswer(at int, answer *pb.Answer) error {
	question := &q.Questions[at]
	if answer.Score < 0 || answer.Score > 5 {
		return fault.New(fault.Invalid, "answer_score_range", "question", question.ID, "score", answer.Score)
	}
	if answer.Score != 0 && question.Kind != Score && question.Kind != Buttons {
		return fault.New(fault.Invalid, "answer_score_not_asked", "question", question.ID)
	}
	if len(answer.ChoiceIds) > 0 && question.Kind != Choices && question.Kind != Buttons {
		return fault.New(fault.Invalid, "answer_choice_unknown", "question", question.ID, "choice", clip(answer.ChoiceIds[0]))
	}
	switch question.Kind {
	case Score:
		return nil
	case Text:
		return fault.New(fault.Invalid, "answer_text_elsewhere", "question", question.ID)
	case Buttons:
		if answer.Score != 0 && len(answer.ChoiceIds) == 0 {
			return fault.New(fault.Invalid, "answer_choice_missing", "question", question.ID)
		}
	}
	if len(answer.ChoiceIds) > 1 && !question.Multiple {
		return fault.New(fault.Invalid, "answer_choices_several", "question", question.ID)
	}
	var seen uint64
	for _, id := range answer.ChoiceIds {
		choice, ok := q.choices[at][id]
		if !ok {
			return fault.New(fault.Invalid, "answer_choice_unknown", "question", question.ID, "choice", clip(id))
		}
		if seen&(1<<choice) != 0 {
			return fault.New(fault.Invalid, "answer_choice_twice", "question", question.ID, "choice", id)
		}
		seen |= 1 << choice
		if want := question.Choices[choice].Score; question.Kind == Buttons && answer.Score != want {
			return fault.New(fault.Invalid, "answer_button_score", "question", question.ID, "choice", id, "score", answer.Score, "want", want)
		}
	}
	return nil
}

// OverallOf is the overall score of a rating that passed Check: overall_score, or where that was left out the score
// answered to the overall question; 0 = not asked or not answered.
func (q *Questionnaire) OverallOf(rating *pb.Rating) int32 {
	if rating.OverallScore != 0 || q.overall < 0 {
		return rating.OverallScore
	}
	for _, answer := range rating.Answers {
		if answer.QuestionId == q.Questions[q.overall].ID {
			return answer.Score
		}
	}
	return 0
}

// clip keeps what a stranger sent short enough for a message.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64]
	}
	return s
}
