package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	// ticketsKept is how long it is known which rating stands for a ticket: no rating from a kiosk or the web counts for a day further back.
	ticketsKept = 400 * 24 * time.Hour
	// claimOpen is how long a claim waits for its rating. One that never came (a page closed after a failed attempt) then stands
	// in nobody's way.
	claimOpen = time.Hour
	// maxTicketBytes is how long a code may be within a claim's id; of a longer one its hash stands there.
	maxTicketBytes = 128
	// claimAttempts is how often a claim meets another that a change of primary then takes back.
	claimAttempts = 5
)

// Ticket says which rating stands for a queue ticket of a unit and day. Of the ratings given for one ticket the first that
// arrives claims it and counts; later ones are kept with rating.FlagTicketAgain. A claim is durable before its rating is, so of two
// that arrive at once one wins, and a rating that is sent again after a failure finds its own claim.
type Ticket struct {
	ID        string    `bson:"_id"`               // home region / unit / local day / code
	Rating    string    `bson:"rating"`            // id of the rating that stands for it
	Unknown   bool      `bson:"unknown,omitempty"` // claimed by a caller nobody knows
	ClaimedAt time.Time `bson:"claimed_at"`
	ExpiresAt time.Time `bson:"expires_at"`
}

var tickets = store.Define[Ticket]("tickets", store.Index{Name: "expires", Fields: []string{"expires_at"}, Expire: true})

// ticketCode is a ticket's code as it is compared: without control characters, in lower case, with single spaces. Letters keep
// their marks, for a queue may have both D and Đ.
func ticketCode(r *pb.Rating) string {
	code := r.GetTicketCode()
	if code == "" {
		return ""
	}
	shown := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, norm.NFC.String(code))
	code = strings.Join(strings.Fields(strings.ToLower(shown)), " ")
	if len(code) > maxTicketBytes {
		sum := sha256.Sum256([]byte(code))
		return hex.EncodeToString(sum[:])
	}
	return code
}

// ticketID names the ticket a record was given for; "" where it names none. Only what people give at a kiosk or on the web takes part:
// on paper and by telephone somebody else wrote the number down, and what is imported was counted elsewhere by its own rules.
func ticketID(record *rating.Record, r *pb.Rating) string {
	channel := record.Counted.Channel
	if record.Source != "" || channel != pb.Channel_CHANNEL_KIOSK && channel != pb.Channel_CHANNEL_WEB {
		return ""
	}
	code := ticketCode(r)
	if code == "" {
		return ""
	}
	home, unitID, _ := rating.SplitRecordID(record.ID)
	return home + "/" + unitID + "/" + string(record.Counted.Day) + "/" + code
}

// inheritTicket lets a correction that names the same ticket as its original stand or fall with it. One that names
// another is judged by that.
func (it *item) inheritTicket(original *rating.Record) error {
	var r pb.Rating
	if err := proto.Unmarshal(original.Bytes, &r); err != nil {
		return fmt.Errorf("read %s: %w", original.ID, err)
	}
	if it.inherited = ticketCode(&r) == ticketCode(it.rating); it.inherited && original.Repeats() {
		it.repeatsTicket()
	}
	return nil
}

func (it *item) repeatsTicket() {
	if !it.record.Repeats() {
		it.record.Flags = append(it.record.Flags, rating.FlagTicketAgain)
	}
}

// claimTickets claims the tickets of items that are about to be stored, all in one write, and flags those whose ticket another
// rating stands for. What names no ticket costs nothing.
func (s *Service) claimTickets(ctx context.Context, items []*item) error {
	var ids []string
	var sharing map[string][]*item // in the order of the call: its first is the one that claims
	for _, it := range items {
		if it.inherited {
			continue
		}
		id := ticketID(&it.record, it.rating)
		if id == "" {
			continue
		}
		if sharing == nil {
			sharing = make(map[string][]*item)
		}
		if sharing[id] == nil {
			ids = append(ids, id)
		}
		sharing[id] = append(sharing[id], it)
	}
	for range claimAttempts {
		if len(ids) == 0 {
			return nil
		}
		var err error
		if ids, err = s.claim(ctx, ids, sharing); err != nil {
			return unavailable(err)
		}
	}
	return unavailable(fmt.Errorf("ticket %s is neither claimed nor found", ids[0]))
}

// claim tries to claim each ticket for the first of its items; lost are those that another had and then had no more.
func (s *Service) claim(ctx context.Context, ids []string, sharing map[string][]*item) (lost []string, err error) {
	claims := make([]Ticket, len(ids))
	for i, id := range ids {
		claims[i] = s.newClaim(id, sharing[id][0])
	}
	errs, err := s.tickets.InsertAll(ctx, claims)
	if err != nil {
		return nil, err
	}
	var taken []string
	for i, err := range errs {
		switch {
		case err == nil:
			settle(sharing[ids[i]], claims[i].Rating)
		case errors.Is(err, store.ErrExists):
			taken = append(taken, ids[i])
		default:
			return nil, fmt.Errorf("claim %s: %w", ids[i], err)
		}
	}
	holders, err := s.holders(ctx, taken)
	if err != nil {
		return nil, err
	}
	for _, id := range taken {
		holder, ok := holders[id]
		if !ok {
			lost = append(lost, id)
			continue
		}
		switch stands, err := s.stands(ctx, holder, sharing[id]); {
		case err != nil:
			return nil, err
		case !stands:
			if holder, err = s.takeOver(ctx, holder, sharing[id]); isNotFound(err) {
				lost = append(lost, id)
				continue
			} else if err != nil {
				return nil, err
			}
		}
		settle(sharing[id], holder.Rating)
	}
	return lost, nil
}

func (s *Service) newClaim(id string, it *item) Ticket {
	now := store.Milliseconds(s.Clock())
	return Ticket{ID: id, Rating: it.rating.GetId(), Unknown: unknown(it),
		ClaimedAt: now, ExpiresAt: now.Add(ticketsKept)}
}

// settle flags those of a ticket's items that are not the one that stands for it.
func settle(items []*item, ratingID string) {
	for _, it := range items {
		if it.rating.GetId() != ratingID {
			it.repeatsTicket()
		}
	}
}

// holders reads who claimed some tickets, sorted for it: a device that sends a batch again names many of one unit and day, which
// lie together.
func (s *Service) holders(ctx context.Context, ids []string) (map[string]Ticket, error) {
	const few, spread = 4, 8 // read one by one; documents read for each that is looked for
	found := make(map[string]Ticket, len(ids))
	sorted := slices.Sorted(slices.Values(ids))
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sameDay(sorted[0], sorted[n]) {
			n++
		}
		day := sorted[:n]
		sorted = sorted[n:]
		if n > few {
			query := store.Query{From: day[0], To: day[n-1] + "\x01", Limit: spread * n}
			for doc, err := range s.tickets.Find(ctx, query) {
				if err != nil {
					return nil, err
				}
				found[doc.Value.ID] = doc.Value
			}
		}
		for _, id := range day {
			if _, ok := found[id]; ok {
				continue
			}
			ticket, _, err := s.tickets.Get(ctx, id)
			switch {
			case err == nil:
				found[id] = ticket
			case !isNotFound(err):
				return nil, err
			}
		}
	}
	return found, nil
}

// sameDay tells whether two tickets are of one unit and day.
func sameDay(a, b string) bool {
	from := strings.SplitN(a, "/", 4)
	return strings.HasPrefix(b, strings.Join(from[:len(from)-1], "/")+"/")
}

// stands tells whether the rating that claimed a ticket stands for it before these items, or may yet come to.
func (s *Service) stands(ctx context.Context, claim Ticket, items []*item) (bool, error) {
	if slices.ContainsFunc(items, func(it *item) bool { return it.rating.GetId() == claim.Rating }) {
		return true, nil
	}
	// Whoever can reach the form could name every ticket of a day in advance. It must not keep those who hold them from being counted.
	if claim.Unknown && !unknown(items[0]) {
		return false, nil
	}
	record, err := s.Engine.Ratings().Get(ctx, items[0].sibling(claim.Rating))
	if isNotFound(err) {
		return s.Clock().Sub(claim.ClaimedAt) < claimOpen, nil
	}
	if err != nil {
		return false, err
	}
	// Other content may be stored under its id, which then was the first: the claim was that of a conflict. And it may have been stored
	// as repeating another, where two calls with it crossed while that one gave way.
	var r pb.Rating
	if err := proto.Unmarshal(record.Bytes, &r); err != nil {
		return false, fmt.Errorf("read %s: %w", record.ID, err)
	}
	return ticketID(&record, &r) == claim.ID && !record.Repeats(), nil
}

// takeOver claims a ticket in the place of a claim that no longer stands, for the first of the items that is not stored yet (what is
// stored keeps the flags it has), and answers the claim that stands then.
func (s *Service) takeOver(ctx context.Context, claim Ticket, items []*item) (Ticket, error) {
	for _, it := range items {
		_, err := s.Engine.Ratings().Get(ctx, it.record.ID)
		if err == nil {
			continue
		}
		if !isNotFound(err) {
			return claim, err
		}
		mine := s.newClaim(claim.ID, it)
		return s.tickets.Update(ctx, claim.ID, func(now *Ticket) (bool, error) {
			if stands, err := s.stands(ctx, *now, items); err != nil || stands {
				return false, err
			}
			*now = mine
			return true, nil
		})
	}
	return claim, nil
}

// unknown tells whether nobody knows who sent the item.
func unknown(it *item) bool { return it.record.Device == "" && it.record.Account == "" }

// sibling is the RecordID of another rating of the same unit.
func (it *item) sibling(ratingID string) string {
	home, unitID, _ := rating.SplitRecordID(it.record.ID)
	return rating.RecordID(home, unitID, ratingID)
}
