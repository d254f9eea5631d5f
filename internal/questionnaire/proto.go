package questionnaire

import (
	"strconv"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// ToProto is the version as the contract shows it. The labels of a scored question come as choices with a score,
// their ids "1" to "5"; they are words for the screen, and an answer names the score alone.
func (q *Questionnaire) ToProto() *pb.Questionnaire {
	out := &pb.Questionnaire{
		Id: q.ID, Version: q.Version, ValidFrom: string(q.ValidFrom),
		Titles: localTexts(q.Titles), Source: q.Source.line(),
	}
	for _, factor := range q.Factors {
		out.Factors = append(out.Factors, &pb.Factor{Id: factor.ID, Titles: localTexts(factor.Titles)})
	}
	for _, question := range q.Questions {
		to := &pb.Question{
			Id: question.ID, Kind: string(question.Kind), Texts: localTexts(question.Texts),
			FactorId: question.Factor, Overall: question.Overall, Multiple: question.Multiple,
		}
		for _, choice := range question.Choices {
			to.Choices = append(to.Choices, &pb.Choice{Id: choice.ID, Texts: localTexts(choice.Texts), Score: choice.Score})
		}
		for _, label := range question.Labels {
			to.Choices = append(to.Choices, &pb.Choice{Id: strconv.Itoa(int(label.Score)), Texts: localTexts(label.Texts), Score: label.Score})
		}
		out.Questions = append(out.Questions, to)
	}
	return out
}

// line is the source in one line; whether it was verified is said first, as a plain mark for programs and people.
func (s Source) line() string {
	line := "verified: " + strconv.FormatBool(s.Verified) + "; " + s.Text
	if s.Note != "" {
		line += " (" + s.Note + ")"
	}
	return line
}

func localTexts(texts []LocalText) []*pb.LocalText {
	out := make([]*pb.LocalText, len(texts))
	for i, text := range texts {
		out[i] = &pb.LocalText{Language: text.Language, Text: text.Text}
	}
	return out
}
