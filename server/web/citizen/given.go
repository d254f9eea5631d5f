package citizen

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	gate "github.com/hailong-vn/hailong/internal/citizen"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// given is what a person sent.
type given struct {
	Score    string // id of a face
	Reasons  []string
	Comment  string
	CallBack bool
	Name     string
	Phone    string

	ratingID, token, questionnaire, proof string
}

// Limits of the contract, in characters.
const (
	maxComment = 10_000
	maxName    = 200
	maxPhone   = 40
	maxReasons = 50
)

func readGiven(v *web.Visit) given {
	g := given{
		Score: v.Value("score"), Reasons: v.Values("reason"), Comment: words(v.Value("comment")), CallBack: v.Value("call_back") == "yes",
		Name: words(v.Value("name")), Phone: words(v.Value("phone")),
		ratingID: v.Value("rating_id"), token: v.Value("form_token"), questionnaire: v.Value("questionnaire"), proof: v.Value("proof_of_work"),
	}
	g.Reasons = g.Reasons[:min(len(g.Reasons), maxReasons)]
	return g
}

// words is a text as every machine writes it: one kind of line end, composed letters, no bytes that are no text.
func words(text string) string {
	return norm.NFC.String(strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n"))
}

// kept are the fields to send again, all of them.
func (g given) kept() []web.Field {
	fields := []web.Field{
		{Name: "rating_id", Value: g.ratingID}, {Name: "form_token", Value: g.token}, {Name: "questionnaire", Value: g.questionnaire},
		{Name: "score", Value: g.Score}, {Name: "comment", Value: g.Comment}, {Name: "name", Value: g.Name}, {Name: "phone", Value: g.Phone},
	}
	for _, reason := range g.Reasons {
		fields = append(fields, web.Field{Name: "reason", Value: reason})
	}
	if g.CallBack {
		fields = append(fields, web.Field{Name: "call_back", Value: "yes"})
	}
	return fields
}

// rating makes of it what is sent, or says what is wrong. Who is content is asked neither for reasons nor for a telephone
// number; what was filled in before the mind was changed is left out.
func (g given) rating(v *web.Visit, form *pb.GetFormResponse) (*pb.CreateRatingRequest, []problem) {
	a := askedBy(form)
	chosen := -1
	faces := a.faces(v, g.Score)
	for i, face := range faces {
		if face.Checked {
			chosen = i
		}
	}
	if chosen < 0 {
		return nil, []problem{{"score", v.Text("citizenpage.problem.score")}}
	}
	score := faces[chosen].Score
	var problems []problem
	if length := utf8.RuneCountInString(g.Comment); length > maxComment {
		problems = append(problems, problem{"comment", v.Text("citizenpage.problem.comment",
			"length", web.Count(v.Language, length), "limit", web.Count(v.Language, maxComment))})
	}
	if score < content {
		problems = append(problems, g.contactProblems(v)...)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	q := form.GetQuestionnaire()
	r := &pb.Rating{
		Id: g.ratingID, UnitId: form.GetUnitId(), CounterId: form.GetCounterId(), Channel: pb.Channel_CHANNEL_WEB,
		QuestionnaireId: q.GetId(), QuestionnaireVersion: q.GetVersion(), OverallScore: score, Language: string(v.Language),
	}
	if a.overall.GetKind() == "buttons" {
		r.Answers = append(r.Answers, &pb.Answer{QuestionId: a.overall.GetId(), Score: score, ChoiceIds: []string{g.Score}})
	}
	request := &pb.CreateRatingRequest{Rating: r, FormToken: g.token, ProofOfWork: g.proof}
	if reasons := g.reasons(a.reasons); score < content && len(reasons) > 0 {
		r.Answers = append(r.Answers, &pb.Answer{QuestionId: a.reasons.GetId(), ChoiceIds: reasons})
	}
	if g.Comment != "" {
		request.Private = &pb.Private{Comment: g.Comment}
	}
	if g.CallBack && score < content {
		if request.Private == nil {
			request.Private = &pb.Private{}
		}
		request.Private.ConsentVersion = gate.ConsentVersion
		request.Private.Contact = &pb.Contact{Name: g.Name, Phone: g.Phone, CallBack: true}
	}
	return request, nil
}

// reasons are the boxes ticked that the question has, in its order.
func (g given) reasons(question *pb.Question) []string {
	ticked := map[string]bool{}
	for _, id := range g.Reasons {
		ticked[id] = true
	}
	var ids []string
	for _, choice := range question.GetChoices() {
		if ticked[choice.GetId()] && (question.GetMultiple() || len(ids) == 0) {
			ids = append(ids, choice.GetId())
		}
	}
	return ids
}

func (g given) contactProblems(v *web.Visit) []problem {
	var problems []problem
	switch {
	case !g.CallBack && (g.Name != "" || g.Phone != ""):
		problems = append(problems, problem{"call_back", v.Text("citizenpage.problem.consent")})
	case g.CallBack && g.Phone == "":
		problems = append(problems, problem{"phone", v.Text("citizenpage.problem.phone_missing")})
	case g.CallBack && !isPhone(g.Phone):
		problems = append(problems, problem{"phone", v.Text("citizenpage.problem.phone")})
	}
	if utf8.RuneCountInString(g.Name) > maxName {
		problems = append(problems, problem{"name", v.Text("citizenpage.problem.name", "limit", maxName)})
	}
	return problems
}

// isPhone tells whether somebody could be called: 8 to 15 digits, with what people write between them.
func isPhone(text string) bool {
	digits := 0
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune("+-.() ", r):
			return false
		}
	}
	return digits >= 8 && digits <= 15 && len(text) <= maxPhone
}
