package desk

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// maxComment is how many characters a comment may have.
const maxComment = 10_000

// form is a questionnaire as it is typed: a key or a few for each question, words at the end.
type form struct {
	ID      string
	Version int32
	Title   string
	Scale   []key // of the scored questions, where all have the same words
	Asks    []*ask
	Comment words
}

// words is the field for free words.
type words struct{ Label, Value, Error string }

// ask is one question that is answered with keys.
type ask struct {
	Field    string // name and id of the input
	Number   int    // from 1
	Words    string
	Keys     []key  // in the order they are shown
	Accepts  string // the keys that answer it
	Many     bool   // several keys may be typed
	Scored   bool   // its keys are those of the form's scale
	Value    string // as typed
	Error    string
	question *pb.Question
}

// key is a key and what it stands for.
type key struct {
	Key, Words string
	choice     *pb.Choice // nil for a score
}

// choiceKeys are given to choices in their order: a form has at most 50 of them.
const choiceKeys = "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO"

// fieldOf is the name of a question's input.
func fieldOf(question *pb.Question) string { return "q." + question.GetId() }

func newForm(v *web.Visit, q *pb.Questionnaire) form {
	f := form{ID: q.GetId(), Version: q.GetVersion(), Title: web.Local(v.Language, q.GetTitles())}
	same := true
	for _, question := range q.GetQuestions() {
		a := &ask{Field: fieldOf(question), Words: web.Local(v.Language, question.GetTexts()), question: question}
		switch question.GetKind() {
		case "text":
			f.Comment.Label = cmp.Or(f.Comment.Label, a.Words)
			continue
		case "score":
			a.Scored = true
			for score := int32(5); score >= 1; score-- {
				a.Keys = append(a.Keys, key{Key: strconv.Itoa(int(score)), Words: scaleWords(v, question, score)})
			}
		default:
			a.Many = question.GetKind() == "choices" && question.GetMultiple()
			for i, choice := range question.GetChoices() {
				if i < len(choiceKeys) {
					a.Keys = append(a.Keys, key{Key: choiceKeys[i : i+1], Words: web.Local(v.Language, choice.GetTexts()), choice: choice})
				}
			}
		}
		for _, k := range a.Keys {
			a.Accepts += k.Key
		}
		f.Asks = append(f.Asks, a)
		a.Number = len(f.Asks)
		if a.Scored {
			if f.Scale == nil {
				f.Scale = a.Keys
			}
			same = same && slices.Equal(f.Scale, a.Keys)
		}
	}
	if !same { // each question then shows its own
		f.Scale = nil
		for _, a := range f.Asks {
			a.Scored = false
		}
	}
	f.Comment.Label = cmp.Or(f.Comment.Label, v.Text("deskpage.comment"))
	return f
}

func scaleWords(v *web.Visit, question *pb.Question, score int32) string {
	for _, choice := range question.GetChoices() {
		if choice.GetScore() == score {
			return web.Local(v.Language, choice.GetTexts())
		}
	}
	return v.Text("web.score." + strconv.Itoa(int(score)))
}

// answered is what a form's keys say.
type answered struct {
	Overall int32
	Answers []*pb.Answer
	Comment string
}

// read reads what was typed into the form, which keeps it. ok is false where something must be mended; errors then stand beside
// their questions.
func (f *form) read(v *web.Visit) (answered, bool) {
	var said answered
	ok := true
	for _, a := range f.Asks {
		a.Value = v.Value(a.Field)
		answer, wrong := a.read()
		if wrong != "" {
			a.Error = v.Text("deskpage.wrong_key", "key", wrong)
			ok = false
			continue
		}
		if a.question.GetOverall() {
			said.Overall = answer.GetScore()
			if a.question.GetKind() == "score" { // said by the overall score
				continue
			}
		}
		if answer != nil {
			said.Answers = append(said.Answers, answer)
		}
	}
	f.Comment.Value = v.Value("comment")
	if utf8.RuneCountInString(f.Comment.Value) > maxComment {
		f.Comment.Error = v.Text("deskpage.comment_long", "limit", maxComment)
		ok = false
	}
	said.Comment = f.Comment.Value
	return said, ok
}

// read answers what the keys typed stand for, nil where the question was not answered; wrong is a key that stands for nothing here.
func (a *ask) read() (answer *pb.Answer, wrong string) {
	typed := strings.Join(strings.FieldsFunc(a.Value, func(r rune) bool { return r == ' ' || r == ',' || r == '0' }), "")
	if typed == "" {
		return nil, ""
	}
	answer = &pb.Answer{QuestionId: a.question.GetId()}
	for i, r := range typed {
		k, ok := a.key(string(r))
		switch {
		case !ok:
			return nil, string(r)
		case i > 0 && !a.Many:
			return nil, typed
		case k.choice == nil:
			answer.Score = int32(k.Key[0] - '0')
		case !slices.Contains(answer.ChoiceIds, k.choice.GetId()):
			answer.ChoiceIds = append(answer.ChoiceIds, k.choice.GetId())
			if a.question.GetKind() == "buttons" {
				answer.Score = k.choice.GetScore()
			}
		}
	}
	return answer, ""
}

func (a *ask) key(typed string) (key, bool) {
	for _, wanted := range []string{typed, strings.ToLower(typed)} {
		for _, k := range a.Keys {
			if k.Key == wanted {
				return k, true
			}
		}
	}
	return key{}, false
}

// fill puts a slip's answers into the form, as they would be typed.
func (f *form) fill(slip *pb.Slip) {
	for _, a := range f.Asks {
		a.Value = a.keys(slip)
	}
}

// keys are the keys that give a slip's answer; "0" = not answered.
func (a *ask) keys(slip *pb.Slip) string {
	typed := ""
	for _, answer := range slip.GetAnswers() {
		if answer.GetQuestionId() != a.question.GetId() {
			continue
		}
		if a.question.GetKind() == "score" {
			typed = strconv.Itoa(int(answer.GetScore()))
			continue
		}
		for _, k := range a.Keys {
			if k.choice != nil && slices.Contains(answer.GetChoiceIds(), k.choice.GetId()) {
				typed += k.Key
			}
		}
	}
	if typed == "" && a.question.GetOverall() && a.question.GetKind() == "score" {
		typed = strconv.Itoa(int(slip.GetOverallScore()))
	}
	return cmp.Or(typed, "0")
}

// said is a slip's answer in words.
func (a *ask) said(v *web.Visit, slip *pb.Slip) string {
	var all []string
	for _, r := range a.keys(slip) {
		if k, ok := a.key(string(r)); ok {
			all = append(all, k.Key+" "+k.Words)
		}
	}
	return cmp.Or(strings.Join(all, ", "), v.Text("deskpage.not_answered"))
}

// slip is what was typed now as a slip, to be set beside another.
func (s answered) slip() *pb.Slip {
	return &pb.Slip{OverallScore: s.Overall, Answers: s.Answers, HasComment: s.Comment != ""}
}

// questionnaires answers all published questionnaires.
func questionnaires(v *web.Visit) ([]*pb.Questionnaire, error) {
	var all []*pb.Questionnaire
	for page := ""; ; {
		answer, err := v.Directory.ListQuestionnaires(v.Context(), &pb.ListQuestionnairesRequest{PageSize: 1000, PageToken: page})
		if err != nil {
			return nil, err
		}
		all = append(all, answer.GetQuestionnaires()...)
		if page = answer.GetNextPageToken(); page == "" {
			return all, nil
		}
	}
}

// current are the newest versions in use today, the short forms first.
func current(v *web.Visit, all []*pb.Questionnaire) []*pb.Questionnaire {
	newest := map[string]*pb.Questionnaire{}
	for _, q := range all {
		if q.GetValidFrom() <= string(v.Today()) && q.GetVersion() > newest[q.GetId()].GetVersion() {
			newest[q.GetId()] = q
		}
	}
	var list []*pb.Questionnaire
	for _, q := range newest {
		list = append(list, q)
	}
	slices.SortFunc(list, func(a, b *pb.Questionnaire) int {
		return cmp.Or(cmp.Compare(len(a.GetQuestions()), len(b.GetQuestions())), cmp.Compare(a.GetId(), b.GetId()))
	})
	return list
}

// address is a questionnaire's version as a form field has it.
func address(q *pb.Questionnaire) string { return q.GetId() + "@" + strconv.Itoa(int(q.GetVersion())) }

// find answers the version of an address, nil where there is none.
func find(all []*pb.Questionnaire, wanted string) *pb.Questionnaire {
	for _, q := range all {
		if address(q) == wanted {
			return proto.CloneOf(q)
		}
	}
	return nil
}
