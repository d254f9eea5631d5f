package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// State is how far a delivery came.
type State string

// The states.
const (
	Waiting State = "waiting"
	Sent    State = "sent"     // whoever it went to took it
	GivenUp State = "given_up" // tried too often, or refused for good; can be retried by hand
	Dropped State = "dropped"  // nobody wants it any more
)

// laneEmail is the lane of e-mail; other lanes are webhooks, by id. Each lane is served by itself, so that one that is slow holds up nobody else.
const laneEmail = "email"

// Delivery is a message that leaves the house, to an address or a webhook.
type Delivery struct {
	ID        string            `bson:"_id"`
	Channel   string            `bson:"channel"`        // "email" or a webhook's id: where it is listed
	Lane      string            `bson:"lane,omitempty"` // the same while it waits
	Account   string            `bson:"account,omitempty"`
	Message   string            `bson:"message"` // id of what happened
	Topic     string            `bson:"topic"`
	Unit      string            `bson:"unit,omitempty"`
	Link      string            `bson:"link,omitempty"`
	Args      map[string]string `bson:"args,omitempty"`
	Lines     []Line            `bson:"lines,omitempty"`
	At        time.Time         `bson:"at"`
	State     State             `bson:"state"`
	Attempts  int               `bson:"attempts"` // since it was made, or retried by hand
	NextAt    time.Time         `bson:"next_attempt_at"`
	Log       []Attempt         `bson:"log,omitempty"` // the last ones
	CreatedAt time.Time         `bson:"created_at"`
	ExpiresAt time.Time         `bson:"expires_at"`
}

// Attempt is one try.
type Attempt struct {
	At           time.Time `bson:"at"`
	Milliseconds int64     `bson:"ms"`
	Outcome      Outcome   `bson:"outcome"`
	Status       int       `bson:"status,omitempty"` // what the other side answered; 0 = nothing
}

const (
	byLane    = "lane"
	byChannel = "channel"
	maxLog    = 20
)

// deliveryLives is how long a delivery is kept, and tried at most.
const deliveryLives = 30 * 24 * time.Hour

var deliveryType = store.Define[Delivery]("deliveries",
	store.Index{Name: byLane, Fields: []string{"lane", "next_attempt_at"}},
	store.Index{Name: byChannel, Fields: []string{"channel", "created_at"}},
	store.Index{Name: expires, Fields: []string{"expires_at"}, Expire: true},
)

func (m Message) delivery(lane, account string, now time.Time) Delivery {
	return Delivery{
		ID: idOf(m.ID, lane, account), Channel: lane, Lane: lane, Account: account, Message: m.ID, Topic: m.Topic, Unit: m.Unit, Link: m.Link,
		Args: m.Args, Lines: m.Lines, At: m.At, State: Waiting, NextAt: now, CreatedAt: now, ExpiresAt: now.Add(deliveryLives),
	}
}

// PublicID is the id under which a delivery leaves the house: the same each time it is tried.
func (d Delivery) PublicID() string {
	sum := sha256.Sum256([]byte(d.ID))
	return "msg_" + hex.EncodeToString(sum[:16])
}

// tried notes an attempt.
func (d *Delivery) tried(a Attempt) {
	d.Log = append(d.Log, a)
	if len(d.Log) > maxLog {
		d.Log = d.Log[len(d.Log)-maxLog:]
	}
}

// end takes a delivery out of its lane.
func (d *Delivery) end(state State) { d.State, d.Lane = state, "" }

// Deliveries lists what left, or is to leave, by a channel ("email" or a webhook's id), newest first. Invalid "notice_page_token".
func (n *Notices) Deliveries(ctx context.Context, channel string, after store.Cursor, limit int) ([]Delivery, store.Cursor, error) {
	list, next, err := n.deliveries.Page(ctx, store.Query{Index: byChannel, Equal: []any{channel}, After: after, Desc: true}, limit)
	return list, next, told(err)
}

// Delivery answers one. NotFound "notice_delivery_unknown".
func (n *Notices) Delivery(ctx context.Context, id string) (Delivery, error) {
	d, _, err := n.deliveries.Get(ctx, id)
	return d, deliveryError(err)
}

func deliveryError(err error) error {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return fault.New(fault.NotFound, "notice_delivery_unknown")
	}
	return told(err)
}

// Retry tries a delivery again soon, and again from the beginning where it fails. One that was sent already is not: Invalid "notice_delivery_sent".
// NotFound "notice_delivery_unknown".
func (n *Notices) Retry(ctx context.Context, id string) (Delivery, error) {
	now := store.Milliseconds(n.Now())
	d, err := n.deliveries.Update(ctx, id, func(d *Delivery) (bool, error) {
		if d.State == Sent || d.Topic == codeTopic || d.Topic == testTopic {
			return false, fault.New(fault.Invalid, "notice_delivery_sent")
		}
		d.State, d.Lane, d.Attempts, d.NextAt, d.ExpiresAt = Waiting, d.Channel, 0, now, now.Add(deliveryLives)
		return true, nil
	})
	if err != nil {
		return Delivery{}, deliveryError(err)
	}
	n.resume(d.Channel)
	n.hurry()
	return d, nil
}
