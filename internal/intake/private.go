package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/searchtext"
	"github.com/hailong-vn/hailong/internal/store"
)

// maxWords is how many different words of a comment are indexed.
const maxWords = 200

// Private is what can identify a person, kept apart from the rating under the same id and erasable without
// touching it. The comment is kept as received; Words holds it folded, for search without diacritics.
type Private struct {
	ID         string    `bson:"_id"`
	Unit       string    `bson:"unit"`
	ReceivedAt time.Time `bson:"received_at"`
	At         string    `bson:"at"` // local day and hour the rating counts for, as HourOf writes them
	Comment    string    `bson:"comment,omitempty"`
	Words      []string  `bson:"words,omitempty"`
	Contact    []byte    `bson:"contact,omitempty"` // an encoded pb.Contact, sealed
	Call       bool      `bson:"call,omitempty"`    // the person asked to be called back
	Consent    string    `bson:"consent,omitempty"` // version of the text agreed to
	Salt       []byte    `bson:"salt,omitempty"`
	ErasedAt   time.Time `bson:"erased_at,omitempty"` // set = everything else but ids is gone, for good
}

var privates = store.Define[Private]("privates",
	store.Index{Name: "words", Fields: []string{"words", "at"}, Multi: true},
	store.Index{Name: "unit_words", Fields: []string{"words", "unit", "at"}, Multi: true},
	store.Index{Name: "unit", Fields: []string{"unit", "received_at"}},
	store.Index{Name: "received", Fields: []string{"received_at"}},
	store.Index{Name: "call", Fields: []string{"call", "received_at"}},
)

// storePrivates keeps comments and contacts of acknowledged ratings. It runs for DUPLICATE too: a power cut
// between the two writes is mended by the client's retry, and what was erased stays erased because its document stands.
func (s *Service) storePrivates(ctx context.Context, items []*item) error {
	var values []Private
	for _, it := range items {
		if !it.acknowledged() || !rating.HasPrivate(it.sealed.GetPrivate()) {
			continue
		}
		value, err := s.private(it)
		if err != nil {
			return unavailable(err)
		}
		values = append(values, value)
	}
	errs, err := s.privates.InsertAll(ctx, values)
	if err != nil {
		return unavailable(err)
	}
	for _, err := range errs {
		if err != nil && !errors.Is(err, store.ErrExists) {
			return unavailable(err)
		}
	}
	return nil
}

func (s *Service) private(it *item) (Private, error) {
	p := it.sealed.GetPrivate()
	value := Private{
		ID: it.record.ID, Unit: it.record.Counted.Unit, ReceivedAt: it.record.ReceivedAt, At: HourOf(it.record.Counted),
		Comment: p.GetComment(), Consent: p.GetConsentVersion(), Salt: p.GetSalt(),
	}
	seen := map[string]bool{}
	for _, word := range searchtext.Words(p.GetComment()) {
		if len(value.Words) == maxWords {
			break
		}
		if !seen[word] && len(word) <= 64 {
			seen[word] = true
			value.Words = append(value.Words, word)
		}
	}
	if p.GetContact() != nil {
		plain, err := proto.Marshal(p.GetContact())
		if err != nil {
			return value, fmt.Errorf("encode contact: %w", err)
		}
		if value.Contact, err = s.Contacts.Seal(plain, []byte(value.ID)); err != nil {
			return value, fmt.Errorf("seal contact: %w", err)
		}
		value.Call = p.GetContact().GetCallBack()
	}
	return value, nil
}
