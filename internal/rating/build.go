package rating

import (
	"time"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Sender is how a rating came in.
type Sender struct {
	Device  string
	Account string
	Source  string // an import's name; such ratings may be years old
}

// NewRecord makes the record of a rating that was judged good. home is the unit's home region, bytes the Rating as
// received.
func NewRecord(home string, r *pb.Rating, bytes []byte, sender Sender, received time.Time) Record {
	counted, flags := Place(r, received, sender.Source != "")
	record := Record{
		ID: RecordID(home, r.GetUnitId(), r.GetId()), Kind: KindRating, Counted: counted, Cell: counted.Cell(),
		ReceivedAt: received.UTC().Truncate(time.Millisecond),
		OccurredAt: r.GetOccurredAt().AsTime().Truncate(time.Millisecond),
		Flags:      flags, Bytes: bytes,
		Score: r.GetOverallScore(), Counter: r.GetCounterId(), Official: r.GetOfficialId(),
		Procedure: r.GetProcedureCode(), Revises: r.GetRevises(),
		Device: sender.Device, Sequence: int64(r.GetDeviceSequence()), //nolint:gosec // judged to be below 2^63
		Account: sender.Account, Source: sender.Source,
	}
	if answers := r.GetAnswers(); len(answers) > 0 {
		record.Answers = make([]Answer, len(answers))
		for i, a := range answers {
			record.Answers[i] = Answer{Question: a.GetQuestionId(), Score: a.GetScore(), Choices: a.GetChoiceIds()}
		}
	}
	return record
}

// Recount gives a correction the place of what it corrects, so that both stand in one cell and the fold sees both.
func (r *Record) Recount(original Counted) {
	r.Counted = original
	r.Cell = original.Cell()
}
