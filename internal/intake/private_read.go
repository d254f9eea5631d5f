package intake

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// HourOf writes the local day and hour for which a rating counts, such as "2026-11-22/14": its order as text is its order in time.
func HourOf(c rating.Counted) string { return fmt.Sprintf("%s/%02d", c.Day, c.Hour) }

// Private reads what was kept apart from a rating, by its RecordID; false where there is nothing. Errors of these three
// are the engine's own.
func (s *Service) Private(ctx context.Context, recordID string) (Private, bool, error) {
	private, _, err := s.privates.Get(ctx, recordID)
	if errors.Is(err, store.ErrNotFound) {
		return Private{}, false, nil
	}
	if err != nil {
		return Private{}, false, err
	}
	return private, true, nil
}

// PrivatesSince reads what was kept apart at or after a time, in that order. It may be later than its rating, where a sender came again
// after a power cut.
func (s *Service) PrivatesSince(ctx context.Context, since time.Time) iter.Seq2[Private, error] {
	return func(yield func(Private, error) bool) {
		for doc, err := range s.privates.Find(ctx, store.Query{Index: "received", From: since}) {
			if !yield(doc.Value, err) || err != nil {
				return
			}
		}
	}
}

// CallsWanted reads what was kept apart of people who asked to be called back, received at or after a time, in that order.
func (s *Service) CallsWanted(ctx context.Context, since time.Time) iter.Seq2[Private, error] {
	return func(yield func(Private, error) bool) {
		for doc, err := range s.privates.Find(ctx, store.Query{Index: "call", Equal: []any{true}, From: since}) {
			if !yield(doc.Value, err) || err != nil {
				return
			}
		}
	}
}

// Commented reads what was kept apart with a folded word in the comment, newest first by HourOf, for from <= hour < to; of one unit,
// or of all where unit is "".
func (s *Service) Commented(ctx context.Context, word, unit, from, to string) iter.Seq2[Private, error] {
	query := store.Query{Index: "words", Equal: []any{word}, From: from, To: to, Desc: true}
	if unit != "" {
		query.Index, query.Equal = "unit_words", []any{word, unit}
	}
	return func(yield func(Private, error) bool) {
		for doc, err := range s.privates.Find(ctx, query) {
			if err != nil {
				yield(Private{}, err)
				return
			}
			if !yield(doc.Value, nil) {
				return
			}
		}
	}
}

// WantsCall tells whether the person asked to be called back, and nothing else of the contact.
func (s *Service) WantsCall(private Private) (bool, error) {
	contact, err := s.Contact(private)
	return contact.GetCallBack(), err
}

// Contact reads how to reach the person; an empty one where nothing was left. It is personal: whoever asks is entitled to it, and the
// asking is audited.
func (s *Service) Contact(private Private) (*pb.Contact, error) {
	contact := &pb.Contact{}
	if len(private.Contact) == 0 {
		return contact, nil
	}
	plain, err := s.Contacts.Open(private.Contact, []byte(private.ID))
	if err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(plain, contact); err != nil {
		return nil, fmt.Errorf("decode contact: %w", err)
	}
	return contact, nil
}
