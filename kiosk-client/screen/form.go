package screen

import (
	"slices"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Kinds of questions.
const (
	kindScore   = "score"
	kindButtons = "buttons"
	kindChoices = "choices"
	kindText    = "text"
)

// consentVersion names the words of consent that this screen shows (citizenpage.call_back and citizenpage.consent, the
// same as on a telephone): changed words are a new version.
const consentVersion = "call-back-1"

// consentKnown tells whether the words in force are the ones at hand. Where they are not, nobody is asked for a number.
func (f *Flow) consentKnown() bool {
	version := f.setting.Configuration.GetConsentVersion()
	return version == "" || version == consentVersion
}

// form is a questionnaire as the screen asks it.
type form struct {
	id      string
	version int32
	first   *pb.Question // the faces
	reasons *pb.Question // nil = none
	further []*pb.Question
	text    *pb.Question // words of the comment; nil = the product's
}

// form is the newest questionnaire whose day has come; nil where there is none that can be asked.
func (f *Flow) form() *form {
	today, _ := localday.Of(f.now.Wall)
	var newest *pb.Questionnaire
	for _, q := range f.setting.Configuration.GetQuestionnaires() {
		if q.GetValidFrom() > string(today) {
			continue
		}
		if newest == nil || q.GetValidFrom() > newest.GetValidFrom() || q.GetValidFrom() == newest.GetValidFrom() && q.GetVersion() > newest.GetVersion() {
			newest = q
		}
	}
	if newest == nil {
		return nil
	}
	faces := func(q *pb.Question) bool {
		return (q.GetKind() == kindScore || q.GetKind() == kindButtons) && len(q.GetChoices()) > 0
	}
	first := slices.IndexFunc(newest.GetQuestions(), func(q *pb.Question) bool { return q.GetOverall() && faces(q) })
	if first < 0 {
		first = slices.IndexFunc(newest.GetQuestions(), faces)
	}
	if first < 0 {
		return nil
	}
	out := &form{id: newest.GetId(), version: newest.GetVersion(), first: newest.GetQuestions()[first]}
	for i, question := range newest.GetQuestions() {
		switch {
		case i == first:
		case question.GetKind() == kindText:
			if out.text == nil {
				out.text = question
			}
		case question.GetKind() == kindChoices && out.reasons == nil:
			out.reasons = question
		case faces(question) || question.GetKind() == kindChoices && len(question.GetChoices()) > 0:
			out.further = append(out.further, question)
		}
	}
	return out
}

// scored is the answer to a question of faces. Of buttons the one that was pressed is kept beside its score.
func scored(question *pb.Question, choice *pb.Choice) *pb.Answer {
	answer := &pb.Answer{QuestionId: question.GetId(), Score: choice.GetScore()}
	if question.GetKind() == kindButtons {
		answer.ChoiceIds = []string{choice.GetId()}
	}
	return answer
}

// local is a text in a language, in Vietnamese where it is not there, or else the first there is.
func local(tag string, texts []*pb.LocalText) string {
	for _, want := range []string{tag, "vi"} {
		for _, text := range texts {
			if text.GetLanguage() == want && text.GetText() != "" {
				return text.GetText()
			}
		}
	}
	if len(texts) > 0 {
		return texts[0].GetText()
	}
	return ""
}
