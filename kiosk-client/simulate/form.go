package simulate

import (
	"time"

	"github.com/hailong-vn/hailong/internal/duty"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// form is what a device asks, and where.
type form struct {
	configuration *pb.Configuration
	questionnaire *pb.Questionnaire
	faces         *pb.Question
	reasons       *pb.Question // nil where there is none
}

// formOf takes the newest questionnaire whose day has come, as the screen does.
func formOf(c *pb.Configuration, now time.Time) (form, error) {
	f := form{configuration: c}
	today, _ := localday.Of(now)
	for _, q := range c.GetQuestionnaires() {
		if q.GetValidFrom() <= string(today) && (f.questionnaire == nil || q.GetValidFrom() > f.questionnaire.GetValidFrom() ||
			q.GetValidFrom() == f.questionnaire.GetValidFrom() && q.GetVersion() > f.questionnaire.GetVersion()) {
			f.questionnaire = q
		}
	}
	for _, question := range f.questionnaire.GetQuestions() {
		switch {
		case question.GetOverall() && f.faces == nil && len(question.GetChoices()) > 0:
			f.faces = question
		case question.GetKind() == "choices" && f.reasons == nil && len(question.GetChoices()) > 0:
			f.reasons = question
		}
	}
	if f.faces == nil || len(c.GetPlaces()) == 0 {
		return form{}, fault.New(fault.NotFound, "kiosksim_no_form", "name", c.GetDeviceName())
	}
	return f, nil
}

// start is the first touch of a person.
func (f form) start(p person, run string, now time.Time) journal.Start {
	place := f.configuration.GetPlaces()[p.ticket%len(f.configuration.GetPlaces())]
	score := p.score
	if p.first != 0 {
		score = p.first
	}
	return journal.Start{
		UnitID: place.GetUnitId(), CounterID: place.GetCounterId(), TicketCode: ticket(run, p.ticket), Language: "vi",
		OfficialID:      duty.OnDuty(f.configuration.GetDuties(), place.GetUnitId(), place.GetCounterId(), now),
		QuestionnaireID: f.questionnaire.GetId(), QuestionnaireVersion: f.questionnaire.GetVersion(), Answers: f.answers(score, nil),
	}
}

// answers are a face, and reasons beside it.
func (f form) answers(score int32, reasons []float64) journal.Answers {
	out := journal.Answers{OverallScore: score}
	if f.faces.GetKind() == "buttons" { // fewer faces than scores: the nearest, which is kept beside its score
		nearest := f.faces.GetChoices()[0]
		for _, choice := range f.faces.GetChoices() {
			if (choice.GetScore()-score)*(choice.GetScore()-score) < (nearest.GetScore()-score)*(nearest.GetScore()-score) {
				nearest = choice
			}
		}
		out.OverallScore = nearest.GetScore()
		out.Answers = append(out.Answers, &pb.Answer{QuestionId: f.faces.GetId(), Score: nearest.GetScore(), ChoiceIds: []string{nearest.GetId()}})
	}
	if len(reasons) == 0 || f.reasons == nil {
		return out
	}
	taken := map[int]bool{}
	for _, r := range reasons {
		taken[int(r*float64(len(f.reasons.GetChoices())))] = true
		if !f.reasons.GetMultiple() {
			break
		}
	}
	answer := &pb.Answer{QuestionId: f.reasons.GetId()}
	for i, choice := range f.reasons.GetChoices() {
		if taken[i] {
			answer.ChoiceIds = append(answer.ChoiceIds, choice.GetId())
		}
	}
	out.Answers = append(out.Answers, answer)
	return out
}
