package questionnaire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func answer(question string, score int32, choices ...string) *pb.Answer {
	return &pb.Answer{QuestionId: question, Score: score, ChoiceIds: choices}
}

func TestCheck(t *testing.T) {
	q := parsed(t, sample)
	for name, c := range map[string]struct {
		overall int32
		answers []*pb.Answer
		reason  string // "" = accepted
	}{
		"nothing answered":             {0, nil, ""},
		"overall alone":                {4, nil, ""},
		"everything":                   {4, []*pb.Answer{answer("overall", 4), answer("three", 3, "fair"), answer("why", 0, "rude", "slow"), answer("channel", 0, "web")}, ""},
		"asked, not answered":          {4, []*pb.Answer{answer("overall", 0), answer("three", 0), answer("why", 0), answer("channel", 0)}, ""},
		"overall as an answer only":    {0, []*pb.Answer{answer("overall", 2)}, ""},
		"overall 6":                    {6, nil, "answer_overall_range"},
		"overall -1":                   {-1, nil, "answer_overall_range"},
		"overall differs":              {4, []*pb.Answer{answer("overall", 5)}, "answer_overall_differs"},
		"unknown question":             {0, []*pb.Answer{answer("nobody", 5)}, "answer_question_unknown"},
		"no question":                  {0, []*pb.Answer{answer("", 5)}, "answer_question_unknown"},
		"twice":                        {0, []*pb.Answer{answer("overall", 5), answer("overall", 5)}, "answer_twice"},
		"score 6":                      {0, []*pb.Answer{answer("overall", 6)}, "answer_score_range"},
		"score -1":                     {0, []*pb.Answer{answer("overall", -1)}, "answer_score_range"},
		"score for choices":            {0, []*pb.Answer{answer("why", 5, "slow")}, "answer_score_not_asked"},
		"choice for a score":           {0, []*pb.Answer{answer("overall", 5, "good")}, "answer_choice_unknown"},
		"unknown choice":               {0, []*pb.Answer{answer("why", 0, "nothing")}, "answer_choice_unknown"},
		"another question's choice":    {0, []*pb.Answer{answer("why", 0, "web")}, "answer_choice_unknown"},
		"choice twice":                 {0, []*pb.Answer{answer("why", 0, "slow", "slow")}, "answer_choice_twice"},
		"two where one is taken":       {0, []*pb.Answer{answer("channel", 0, "web", "desk")}, "answer_choices_several"},
		"two buttons":                  {0, []*pb.Answer{answer("three", 5, "good", "poor")}, "answer_choices_several"},
		"button with another's score":  {0, []*pb.Answer{answer("three", 5, "fair")}, "answer_button_score"},
		"button without its score":     {0, []*pb.Answer{answer("three", 0, "fair")}, "answer_button_score"},
		"score without the raw button": {0, []*pb.Answer{answer("three", 5)}, "answer_choice_missing"},
		"unknown button":               {0, []*pb.Answer{answer("three", 5, "best")}, "answer_choice_unknown"},
		"words in the rating":          {0, []*pb.Answer{answer("said", 0)}, "answer_text_elsewhere"},
		"words as choices":             {0, []*pb.Answer{answer("said", 0, "tôi chờ hai giờ")}, "answer_choice_unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			err := q.Check(&pb.Rating{OverallScore: c.overall, Answers: c.answers})
			if c.reason == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			f := fault.Of(err)
			if err == nil || f.Code != fault.Invalid || f.Reason != c.reason {
				t.Fatalf("got %v, want %s", err, c.reason)
			}
			for _, l := range language.All {
				if said := l.Text("fault."+f.Reason, f.Args...); strings.Contains(said, "{") || strings.HasPrefix(said, "fault.") {
					t.Errorf("%s says %q", l, said)
				}
			}
		})
	}
	without := parsed(t, strings.Replace(sample, "    overall: true\n", "", 1))
	if err := without.Check(&pb.Rating{OverallScore: 3}); err == nil || fault.Of(err).Reason != "answer_overall_not_asked" {
		t.Errorf("an overall score that was not asked: %v", err)
	}
	if err := q.Check(&pb.Rating{Answers: []*pb.Answer{nil}}); err == nil {
		t.Error("an answer that is nil was taken")
	}
}

func TestOverallOf(t *testing.T) {
	q := parsed(t, sample)
	for name, c := range map[string]struct {
		rating *pb.Rating
		want   int32
	}{
		"given":          {&pb.Rating{OverallScore: 4}, 4},
		"answered":       {&pb.Rating{Answers: []*pb.Answer{answer("why", 0), answer("overall", 2)}}, 2},
		"not answered":   {&pb.Rating{Answers: []*pb.Answer{answer("overall", 0)}}, 0},
		"neither":        {&pb.Rating{}, 0},
		"given and said": {&pb.Rating{OverallScore: 3, Answers: []*pb.Answer{answer("overall", 3)}}, 3},
	} {
		if got := q.OverallOf(c.rating); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// What the form itself offers is always accepted, and survives the wire.
func TestAnswersMadeFromTheFormPass(t *testing.T) {
	all, err := questionnaire.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, parsed(t, sample))
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.SampledFrom(all).Draw(t, "form")
		rating := &pb.Rating{}
		for _, question := range rapid.Permutation(q.ToProto().Questions).Draw(t, "order") {
			a := &pb.Answer{QuestionId: question.Id}
			switch question.Kind {
			case "score":
				a.Score = rapid.Int32Range(0, 5).Draw(t, "score")
			case "buttons":
				choice := rapid.SampledFrom(question.Choices).Draw(t, "button")
				a.Score, a.ChoiceIds = choice.Score, []string{choice.Id}
			case "choices":
				a.ChoiceIds = []string{rapid.SampledFrom(question.Choices).Draw(t, "choice").Id}
			case "text":
				continue
			}
			if question.Overall {
				rating.OverallScore = a.Score
			}
			rating.Answers = append(rating.Answers, a)
		}
		wire, err := proto.Marshal(rating)
		if err != nil {
			t.Fatal(err)
		}
		back := &pb.Rating{}
		if err := proto.Unmarshal(wire, back); err != nil {
			t.Fatal(err)
		}
		if err := q.Check(back); err != nil {
			t.Fatalf("%s refuses %v: %v", q.Key(), back, err)
		}
		if got := q.OverallOf(back); got != rating.OverallScore {
			t.Fatalf("overall %d, want %d", got, rating.OverallScore)
		}
	})
}

func TestToProto(t *testing.T) {
	got := parsed(t, sample).ToProto()
	var lines []string
	for _, q := range got.Questions {
		lines = append(lines, fmt.Sprint(q.Id, " ", q.Kind, " ", q.FactorId, " ", q.Overall, " ", len(q.Choices)))
	}
	want := []string{"overall score  true 5", "three buttons f1 false 3", "why choices  false 2", "channel choices  false 2", "said text  false 0"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if got.Source != "verified: false; Ours (none)" || got.ValidFrom != "2026-01-01" || len(got.Titles) != 3 || got.Titles[2].Language != "km-KH" {
		t.Errorf("got %v", got)
	}
}

func BenchmarkCheck(b *testing.B) {
	q := parsed(b, sample)
	all, err := questionnaire.BuiltIn()
	if err != nil {
		b.Fatal(err)
	}
	long := &pb.Rating{OverallScore: 4}
	for _, question := range all[2].Questions[:20] {
		long.Answers = append(long.Answers, answer(question.ID, 4))
	}
	short := &pb.Rating{OverallScore: 4, Answers: []*pb.Answer{answer("overall", 4), answer("three", 3, "fair"), answer("why", 0, "rude", "slow")}}
	for name, c := range map[string]struct {
		q *questionnaire.Questionnaire
		r *pb.Rating
	}{"kiosk": {q, short}, "19 items": {all[2], long}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.q.Check(c.r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
