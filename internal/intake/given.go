package intake

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Given is what a person gave beside a rating, as it was received but for its salt: for a correction that keeps it, and for nobody
// to read. nil and true where it was erased; nil and false where nothing is kept.
func (s *Service) Given(ctx context.Context, unit, ratingID string) (*pb.Private, bool, error) {
	kept, there, err := s.Private(ctx, rating.RecordID(s.Directory.Tree().Home(unit), unit, ratingID))
	if err != nil {
		return nil, false, unavailable(err)
	}
	if !there || !kept.ErasedAt.IsZero() {
		return nil, there, nil
	}
	given := &pb.Private{Comment: kept.Comment, ConsentVersion: kept.Consent}
	if len(kept.Contact) > 0 {
		plain, err := s.Contacts.Open(kept.Contact, []byte(kept.ID))
		if err != nil {
			return nil, false, fmt.Errorf("open contact: %w", err)
		}
		given.Contact = &pb.Contact{}
		if err := proto.Unmarshal(plain, given.GetContact()); err != nil {
			return nil, false, fmt.Errorf("decode contact: %w", err)
		}
	}
	return given, true, nil
}
