package journal

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/seal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Identity answers who the device is; false before it is enrolled.
func (j *Journal) Identity() (Identity, bool) {
	i := j.state().identity
	if i.DeviceID == "" {
		return Identity{Server: i.Server}, false
	}
	return Identity{DeviceID: i.DeviceID, Name: i.Name, MachineID: i.MachineID, Server: i.Server, Key: ed25519.NewKeyFromSeed(i.Key)}, true
}

// ID is the device's id; empty before it is enrolled.
func (j *Journal) ID() string { return j.state().identity.DeviceID }

// Name is the name the administrator gave it.
func (j *Journal) Name() string { return j.state().identity.Name }

// NextSequence is that of the next rating to be sealed.
func (j *Journal) NextSequence() uint64 { return j.state().position.Next }

// String is the device's id, so that a print-out shows nothing else.
func (j *Journal) String() string { return j.ID() }

// GoString is String.
func (j *Journal) GoString() string { return "journal.Journal(" + j.ID() + ")" }

// Request is the batch as it is sent, signed with the device's present key. ErrNotEnrolled.
func (j *Journal) Request(batch Batch) (*pb.SubmitRatingsRequest, error) {
	who, ok := j.Identity()
	if !ok {
		return nil, ErrNotEnrolled
	}
	return &pb.SubmitRatingsRequest{Items: batch.Items, Seal: seal.Sign(who.Key, who.DeviceID, batch.First, batch.Previous, batch.Bytes())}, nil
}

// Enrolling answers the public key to enrol with at a server, the same until it is bound. It is kept before it is answered, so
// that a lost answer can be asked for again, even by the next start.
func (j *Journal) Enrolling(ctx context.Context, server string) (ed25519.PublicKey, error) {
	j.turn.Lock()
	defer j.turn.Unlock()
	now := j.state().identity
	if len(now.NextKey) == 0 || now.DeviceID == "" && now.Server != server {
		now.NextKey = make([]byte, ed25519.SeedSize)
		_, _ = rand.Read(now.NextKey) // never fails
		if now.DeviceID == "" {
			now.Server = server
		}
		if err := j.keepIdentity(ctx, now); err != nil {
			return nil, err
		}
	}
	return ed25519.NewKeyFromSeed(now.NextKey).Public().(ed25519.PublicKey), nil
}

func (j *Journal) keepIdentity(ctx context.Context, i identity) error {
	if err := j.update(ctx, func(ctx context.Context, c *conn, next *state) error {
		next.identity = i
		return keepIdentity(ctx, c, i)
	}); err != nil {
		return j.wrap("keep identity", err)
	}
	return j.wrap("keep identity", j.keepSpare(j.state()))
}

// Enrolled takes over the key that a server bound to a device. The same device as before keeps its sequence, chain and queue; as
// another one, what has not arrived is sealed again under its name, with the same ids, and what has arrived is set apart.
// It answers whether it is another device than before.
func (j *Journal) Enrolled(ctx context.Context, who Identity, public ed25519.PublicKey) (other bool, err error) {
	j.turn.Lock()
	defer j.turn.Unlock()
	before := j.state().identity
	if len(before.NextKey) == 0 || !ed25519.NewKeyFromSeed(before.NextKey).Public().(ed25519.PublicKey).Equal(public) {
		return false, nil // another caller was answered first
	}
	if who.DeviceID == "" {
		return false, fmt.Errorf("enrolled: no device is named")
	}
	after := identity{DeviceID: who.DeviceID, Name: who.Name, MachineID: who.MachineID, Server: who.Server, Key: before.NextKey}
	if before.DeviceID == who.DeviceID || before.DeviceID == "" {
		return false, j.keepIdentity(ctx, after)
	}
	if err := j.update(ctx, func(ctx context.Context, c *conn, next *state) error {
		next.identity = after
		if err := resealAll(ctx, c, next, j.clock.Now().Unix()); err != nil {
			return err
		}
		return keepIdentity(ctx, c, after)
	}); err != nil {
		return false, j.wrap("become another device", err)
	}
	return true, j.wrap("become another device", j.keepSpare(j.state()))
}

// Renamed keeps the name the administrator gives the device now.
func (j *Journal) Renamed(ctx context.Context, name string) error {
	j.turn.Lock()
	defer j.turn.Unlock()
	now := j.state().identity
	if now.DeviceID == "" || now.Name == name {
		return nil
	}
	now.Name = name
	return j.keepIdentity(ctx, now)
}

// resealAll begins a new chain with what has not arrived. It works through the queue a piece at a time, so that its memory does not grow.
func resealAll(ctx context.Context, c *conn, next *state, now int64) error {
	through := next.position.Through
	// Rows move to a table of their own first: their sequences are about to be given again, to others, in another chain.
	for _, query := range []string{
		"DROP TABLE IF EXISTS moving",
		"CREATE TABLE moving (sequence INTEGER PRIMARY KEY, rating BLOB NOT NULL, private BLOB)",
		"INSERT INTO moving SELECT sequence, rating, private FROM ratings WHERE sequence > " + fmt.Sprint(through) + " OR sequence IN (SELECT sequence FROM held)",
		"INSERT INTO former (at, rating, private) SELECT " + fmt.Sprint(now) + ", rating, private FROM ratings WHERE sequence NOT IN (SELECT sequence FROM moving) ORDER BY sequence",
		"DELETE FROM ratings", "DELETE FROM held", "DELETE FROM holes", "DELETE FROM acknowledgements",
	} {
		if _, err := c.conn.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	days := next.position.Days
	next.position, next.held, next.holes, next.reserved = newState().position, nil, nil, 0
	next.position.Days = days
	for after := int64(-1); ; {
		waiting, err := readMoving(ctx, c, &after)
		if err != nil {
			return err
		}
		if len(waiting) == 0 {
			break
		}
		for _, item := range waiting {
			item.Rating.DeviceId, item.Rating.DeviceSequence = next.identity.DeviceID, next.position.Next
			if _, err := appendOne(ctx, c, &next.position, item.Rating, item.Private); err != nil {
				return err
			}
		}
	}
	if _, err := c.conn.ExecContext(ctx, "DROP TABLE moving"); err != nil {
		return err
	}
	return keepPosition(ctx, c, next.position)
}

// readMoving reads some of what is to be sealed again, after a sequence, and moves that on.
func readMoving(ctx context.Context, c *conn, after *int64) (items []Item, err error) {
	rows, err := c.conn.QueryContext(ctx, "SELECT sequence, rating, private FROM moving WHERE sequence > ? ORDER BY sequence LIMIT 200", *after)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var encoded, words []byte
		if err := rows.Scan(after, &encoded, &words); err != nil {
			return nil, err
		}
		item := Item{Rating: &pb.Rating{}}
		if proto.Unmarshal(encoded, item.Rating) != nil {
			return nil, fmt.Errorf("a queued rating: %w", errDamaged)
		}
		if words != nil {
			item.Private = &pb.Private{}
			if proto.Unmarshal(words, item.Private) != nil {
				return nil, fmt.Errorf("a queued rating: %w", errDamaged)
			}
		}
		items = append(items, item)
	}
	return items, rows.Err()
}

// OnMachine keeps the machine the device works on, where that was not known when it was enrolled.
func (j *Journal) OnMachine(ctx context.Context, machineID string) error {
	j.turn.Lock()
	defer j.turn.Unlock()
	now := j.state().identity
	if now.DeviceID == "" || now.MachineID != "" {
		return nil
	}
	now.MachineID = machineID
	return j.keepIdentity(ctx, now)
}
