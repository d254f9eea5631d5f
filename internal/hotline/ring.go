package hotline

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/telephone"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Ring is a telephone that rings now.
type Ring struct {
	ID     string
	Number string // as people read it; "" = withheld
	Line   string
	At     time.Time
}

// ringDoc is a ring as it is kept: for minutes only.
type ringDoc struct {
	ID     string    `bson:"_id"`
	To     []string  `bson:"to"` // whose pages show it
	Sealed []byte    `bson:"sealed,omitempty"`
	Line   string    `bson:"line,omitempty"`
	At     time.Time `bson:"at"`
	OverAt time.Time `bson:"over_at"`
}

// seatDoc is who sits at a line.
type seatDoc struct {
	Account string    `bson:"_id"`
	Line    string    `bson:"line"`
	Since   time.Time `bson:"since"`
}

const (
	// ringsFor is for how long a ring is shown: who does not pick up in two minutes was not reached.
	ringsFor = 2 * time.Minute
	// TopicRing is where open pages hear that a telephone rings; its body is the ring's id, which tells nothing.
	TopicRing = "hotline/ring"
	maxLine   = 32 // bytes
	atLine    = 20 // people who may sit at one line
	shownAt   = 5  // rings shown at once
)

func toAccount(id string) string { return "a:" + id }
func toUnit(id string) string    { return "u:" + id }

// Sit says at which line somebody sits; "" = at none. Invalid "hotline_line".
func (h *Hotline) Sit(ctx context.Context, account, line string) error {
	line, err := lineOf(line)
	if err != nil {
		return err
	}
	seat := seatDoc{Account: account, Line: line, Since: store.Milliseconds(h.now())}
	for {
		_, version, err := h.seats.Get(ctx, account)
		switch {
		case errors.Is(err, store.ErrNotFound) && line == "":
			return nil
		case errors.Is(err, store.ErrNotFound):
			err = h.seats.Insert(ctx, seat)
		case err == nil && line == "":
			err = h.seats.Delete(ctx, account, version)
		case err == nil:
			_, err = h.seats.Replace(ctx, account, seat, version)
		}
		if errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrNotFound) {
			continue
		}
		return told("write seat", "hotline_line", err)
	}
}

// Seat is the line at which somebody sits; "" = at none.
func (h *Hotline) Seat(ctx context.Context, account string) (string, error) {
	seat, _, err := h.seats.Get(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return seat.Line, told("read seat", "hotline_line", err)
}

func lineOf(text string) (string, error) {
	line := strings.ToLower(strings.TrimSpace(text))
	if len(line) > maxLine || strings.Trim(line, "abcdefghijklmnopqrstuvwxyz0123456789._-/*#") != "" {
		return "", fault.New(fault.Invalid, "hotline_line", "limit", maxLine)
	}
	return line, nil
}

// Ringing tells the pages of whoever sits at a line, or of one account, that a number rings; where neither is known, those of all operators
// who may act in the hook's unit. may tells whether an account may be told by this hook. It is told at once; a page that was not
// listening finds it for two minutes. Invalid "hotline_line"; a number that cannot be read rings as withheld.
func (h *Hotline) Ringing(ctx context.Context, hook Hook, number, line, account string, may func(account string) bool) (Ring, error) {
	line, err := lineOf(line)
	if err != nil {
		return Ring{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Ring{}, err
	}
	ring := ringDoc{ID: id.String(), Line: line, At: store.Milliseconds(h.now())}
	ring.OverAt = ring.At.Add(ringsFor)
	if account != "" && may(account) {
		ring.To = append(ring.To, toAccount(account))
	}
	if line != "" && len(ring.To) == 0 {
		seats, _, err := h.seats.Page(ctx, store.Query{Index: "line", Equal: []any{line}}, atLine)
		if err != nil {
			return Ring{}, told("read seats", "hotline_line", err)
		}
		for _, seat := range seats {
			if may(seat.Account) {
				ring.To = append(ring.To, toAccount(seat.Account))
			}
		}
	}
	if len(ring.To) == 0 {
		for _, unitID := range h.above(hook.Unit) {
			ring.To = append(ring.To, toUnit(unitID))
		}
	}
	shown := Ring{ID: ring.ID, Line: line, At: ring.At}
	if known, err := telephone.Parse(number); err == nil {
		shown.Number = known.Shown()
		plain, err := proto.Marshal(&pb.Contact{Phone: shown.Number})
		if err != nil {
			return Ring{}, err
		}
		if ring.Sealed, err = h.options.Keys.Seal(plain, ringing(ring.ID)); err != nil {
			return Ring{}, err
		}
	}
	if err := h.rings.Insert(ctx, ring); err != nil {
		return Ring{}, told("keep ring", "hotline_ring_unknown", err)
	}
	if err := h.options.Feed.Publish(ctx, TopicRing, []byte(ring.ID)); err != nil {
		h.log.WarnContext(ctx, "pages of other processes were not told of a ring; they look again within seconds", "error", err)
	}
	return shown, nil
}

func ringing(id string) []byte { return []byte("ring\x00" + id) }

// Rings answers what rings now for an account that may act in a unit's subtree, newest first.
func (h *Hotline) Rings(ctx context.Context, account, scope string) ([]Ring, error) {
	now := h.now()
	var rings []Ring
	for _, to := range []string{toAccount(account), toUnit(scope)} {
		docs, _, err := h.rings.Page(ctx, store.Query{Index: "to", Equal: []any{to}, From: store.Milliseconds(now.Add(-ringsFor)), Desc: true}, shownAt)
		if err != nil {
			return nil, told("read rings", "hotline_ring_unknown", err)
		}
		for _, doc := range docs {
			ring := Ring{ID: doc.ID, Line: doc.Line, At: doc.At}
			if len(doc.Sealed) > 0 {
				plain, err := h.options.Keys.Open(doc.Sealed, ringing(doc.ID))
				if err != nil {
					return nil, err
				}
				var contact pb.Contact
				if err := proto.Unmarshal(plain, &contact); err != nil {
					return nil, fault.New(fault.Internal, "internal").Because(err)
				}
				ring.Number = contact.GetPhone()
			}
			rings = append(rings, ring)
		}
	}
	return rings, nil
}

// Watch answers a channel that says that something may ring, until ctx ends.
func (h *Hotline) Watch(ctx context.Context) <-chan struct{} {
	events := h.options.Feed.Subscribe(ctx, TopicRing)
	heard := make(chan struct{}, 1)
	go func() {
		defer close(heard)
		for range events {
			select {
			case heard <- struct{}{}:
			default: // one is waiting already
			}
		}
	}()
	return heard
}
