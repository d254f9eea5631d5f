package intake

import (
	"context"
	"errors"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
)

// Erase removes for good what a person wrote with a rating and how to reach them, at the person's wish (Law 91/2025/QH15 on
// personal data). The rating stands, with nothing but the commitment to what is gone; what was erased stays erased when the
// rating is sent again. It answers whether there was something to erase. NotFound: "private_unknown".
func (s *Service) Erase(ctx context.Context, unit, ratingID string) (bool, error) {
	id := rating.RecordID(s.Directory.Tree().Home(unit), unit, ratingID)
	erased := false
	_, err := s.privates.Update(ctx, id, func(p *Private) (bool, error) {
		if erased = p.ErasedAt.IsZero(); erased {
			*p = Private{ID: p.ID, Unit: p.Unit, ReceivedAt: p.ReceivedAt, At: p.At, ErasedAt: store.Milliseconds(s.Clock())}
		}
		return erased, nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return false, fault.New(fault.NotFound, "private_unknown", "rating", ratingID)
	}
	if err != nil {
		return false, unavailable(err)
	}
	return erased, nil
}
