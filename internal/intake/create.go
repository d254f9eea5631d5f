package intake

import (
	"context"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Create stores one rating given on the web or typed at a desk. It fills in what a browser need not know, always the
// same way for the same id, so that sent twice is stored once.
func (s *Service) Create(ctx context.Context, caller identity.Caller, r *pb.Rating, private *pb.Private, in language.Language) (*pb.ItemOutcome, error) {
	if r == nil {
		return nil, fault.New(fault.Invalid, "rating_missing")
	}
	r, private = proto.CloneOf(r), proto.CloneOf(private)
	if err := s.fill(r, caller, in); err != nil {
		return nil, err
	}
	sealed := &pb.SealedRating{Private: private}
	if rating.HasPrivate(private) && len(r.GetPrivateCommitment()) == 0 {
		if len(private.GetSalt()) == 0 {
			private.Salt = s.salt(r)
		}
		commitment, err := rating.Commitment(private)
		if err != nil {
			return nil, fault.New(fault.Invalid, "rating_unreadable").Because(err)
		}
		r.PrivateCommitment = commitment
	}
	var err error
	if sealed.Rating, err = (proto.MarshalOptions{Deterministic: true}).Marshal(r); err != nil {
		return nil, fault.New(fault.Invalid, "rating_unreadable").Because(err)
	}
	outcomes, err := s.Submit(ctx, caller, Batch{Items: []*pb.SealedRating{sealed}, Language: in})
	if err != nil {
		return nil, err
	}
	return outcomes[0], nil
}

func (s *Service) fill(r *pb.Rating, caller identity.Caller, in language.Language) error {
	if r.GetId() == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return fault.New(fault.Internal, "internal").Because(err)
		}
		r.Id = id.String()
	}
	if r.GetOccurredAt() == nil {
		r.OccurredAt = timestamppb.New(s.timeOf(r.GetId()))
	}
	if r.GetLanguage() == "" {
		r.Language = string(in)
	}
	if r.GetRecordedBy() == "" && caller.Kind == identity.CallerAccount {
		r.RecordedBy = caller.AccountID
	}
	return nil
}

// timeOf is the time a UUIDv7 was made, which a retry with the same id repeats; now for other ids.
func (s *Service) timeOf(id string) time.Time {
	parsed, err := uuid.Parse(id)
	if err != nil || parsed.Version() != 7 {
		return s.Clock()
	}
	seconds, nanoseconds := parsed.Time().UnixTime()
	return time.Unix(seconds, nanoseconds)
}

// salt is derived from the rating's identity under a secret, so that a retry commits to the same words.
func (s *Service) salt(r *pb.Rating) []byte {
	return s.Salts.Sum([]byte(r.GetUnitId() + "\x00" + r.GetId()))[:16]
}
