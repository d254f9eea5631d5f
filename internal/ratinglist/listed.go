package ratinglist

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// decoded is the rating as it was received; an empty one where it cannot be read.
func decoded(record *rating.Record) *pb.Rating {
	var r pb.Rating
	if err := proto.Unmarshal(record.Bytes, &r); err != nil {
		return &pb.Rating{}
	}
	return &r
}

// listed is a row as the caller may see it.
func (l *List) listed(ctx context.Context, q *query, r *row, in language.Language) (*pb.ListedRating, error) {
	counted := r.record.Counted
	listed := &pb.ListedRating{
		Id: r.Name, UnitId: counted.Unit, ProcedureCode: r.record.Procedure, Channel: counted.Channel,
		Day: string(counted.Day), Hour: int32(counted.Hour), OverallScore: r.record.Score, //nolint:gosec // 0 to 23
		Revised: r.revised, Revises: r.record.Revises != "", Questionnaire: questionnaire.Key(counted.Questionnaire, counted.Version),
	}
	if u, ok := q.tree.Get(counted.Unit); ok {
		listed.UnitName = u.Near(counted.Day).Name
	}
	if counter, ok := l.Directory.Counter(r.record.Counter); ok {
		listed.CounterName = counter.Name
	}
	form, _ := l.Directory.Questionnaire(counted.Questionnaire, counted.Version)
	for _, answer := range r.record.Answers {
		listed.Answers = append(listed.Answers, answerWords(form, answer, in))
	}
	for _, doubt := range r.doubts {
		listed.Doubts = append(listed.Doubts, doubtWords(doubt, in))
	}
	if !q.readsComment {
		return listed, nil
	}
	if err := l.readPrivate(ctx, r); err != nil {
		return nil, err
	}
	listed.Comment = r.private.Comment
	call, err := l.Comments.WantsCall(r.private)
	if err != nil {
		// A contact that cannot be opened (its key is missing) must not hide the ratings beside it.
		l.Logger.WarnContext(ctx, "a contact cannot be opened", "rating", r.record.ID, "error", err)
	}
	listed.CallBack = call
	return listed, nil
}

// answerWords puts an answer into words; what the questionnaire does not hold is told by its id.
func answerWords(form *questionnaire.Questionnaire, answer rating.Answer, in language.Language) *pb.ListedAnswer {
	words := &pb.ListedAnswer{QuestionId: answer.Question, Question: answer.Question, Score: answer.Score}
	var question questionnaire.Question
	if form != nil {
		if known, ok := form.Question(answer.Question); ok {
			question, words.Question = known, questionnaire.Says(known.Texts, string(in))
		}
	}
	for _, id := range answer.Choices {
		text := id
		for _, choice := range question.Choices {
			if choice.ID == id {
				text = questionnaire.Says(choice.Texts, string(in))
			}
		}
		words.Choices = append(words.Choices, text)
	}
	return words
}

// doubtWords puts a doubt into words; one that is not known here is told as such, without what it says.
func doubtWords(code string, in language.Language) string {
	key := "ratinglist.doubt." + code
	if text := in.Text(key); text != key {
		return text
	}
	return in.Text("ratinglist.doubt.other")
}
