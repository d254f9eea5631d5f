package journal

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/seal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// keptDays is how many local days are counted.
const keptDays = 31

// Append seals ratings that were not given in a session, in order and in one transaction, and answers them as they will be
// sent. The caller's ratings and privates are filled in. ErrNotEnrolled, ErrFull.
func (j *Journal) Append(ctx context.Context, items []Item) (Batch, error) {
	j.turn.Lock()
	defer j.turn.Unlock()
	if j.state().identity.DeviceID == "" {
		return Batch{}, ErrNotEnrolled
	}
	var batch Batch
	err := j.update(ctx, func(ctx context.Context, c *conn, next *state) (err error) {
		batch, err = appendItems(ctx, c, next, items)
		return err
	})
	if err != nil {
		return Batch{}, j.wrap("seal ratings", err)
	}
	return batch, nil
}

const ratingRow = "INSERT INTO ratings (sequence, id, rating, private, previous) VALUES (?, ?, ?, ?, ?)"

// appendItems gives ratings their sequences and places in the chain.
func appendItems(ctx context.Context, c *conn, next *state, items []Item) (Batch, error) {
	p := &next.position
	batch := Batch{First: p.Next, Previous: seal.Head(p.Head)}
	for i, item := range items {
		private, commitment, err := withSalt(item.Private, func(b []byte) { _, _ = rand.Read(b) }) // never fails
		if err != nil {
			return Batch{}, fmt.Errorf("commit to item %d: %w", i, err)
		}
		if item.Private != nil && private != nil {
			item.Private.Salt = private.GetSalt()
		}
		item.Rating.DeviceId, item.Rating.DeviceSequence, item.Rating.PrivateCommitment = next.identity.DeviceID, p.Next, commitment
		sealed, err := appendOne(ctx, c, p, item.Rating, private)
		if err != nil {
			return Batch{}, err
		}
		p.Days = count(p.Days, item.Rating)
		batch.Items = append(batch.Items, sealed)
	}
	return batch, keepPosition(ctx, c, *p)
}

// appendOne writes the row of a rating that is filled in, and moves the position past it.
func appendOne(ctx context.Context, c *conn, p *position, r *pb.Rating, private *pb.Private) (*pb.SealedRating, error) {
	encoded, err := proto.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode rating: %w", err)
	}
	var words []byte
	if private != nil {
		if words, err = proto.Marshal(private); err != nil {
			return nil, fmt.Errorf("encode private: %w", err)
		}
	}
	if _, err := c.exec(ctx, ratingRow, p.Next, r.GetId(), encoded, words, p.Head); err != nil {
		return nil, err
	}
	head := seal.Chain(seal.Head(p.Head), [][]byte{encoded})
	p.Next, p.Head = p.Next+1, head[:]
	return &pb.SealedRating{Rating: encoded, Private: private}, nil
}

// count adds a rating to its local day; days is not changed in place. The clock may have been wrong, so days come in any order.
func count(days []DayCount, r *pb.Rating) []DayCount {
	name, _ := localday.Of(r.GetOccurredAt().AsTime())
	day := string(name)
	days = slices.Clone(days)
	at, found := slices.BinarySearchFunc(days, day, func(d DayCount, day string) int { return bytes.Compare([]byte(d.Day), []byte(day)) })
	if !found {
		days = slices.Insert(days, at, DayCount{Day: day})
	}
	days[at].Count++
	if len(days) > keptDays {
		days = days[len(days)-keptDays:]
	}
	return days
}

// Pending answers the ratings after a sequence that have not arrived, as far as they follow each other without a hole: at most
// maxItems of together at most maxBytes, but one at least. What is held is not among them. Empty when there is nothing.
func (j *Journal) Pending(ctx context.Context, after uint64, maxItems, maxBytes int) (Batch, error) {
	return j.read(ctx, max(after, j.state().position.Through)+1, maxItems, maxBytes)
}

// Held answers the ratings that came back without having been kept, each a batch of its own, after a sequence and at most limit.
func (j *Journal) Held(ctx context.Context, after uint64, limit int) ([]Batch, error) {
	var batches []Batch
	for _, sequence := range j.state().held {
		if sequence <= after {
			continue
		}
		if len(batches) == limit {
			break
		}
		batch, err := j.read(ctx, sequence, 1, 0)
		if err != nil {
			return batches, err
		}
		if batch.First == sequence && len(batch.Items) == 1 {
			batches = append(batches, batch)
		}
	}
	return batches, nil
}

// errEnough ends a reading.
var errEnough = errors.New("enough")

func (j *Journal) read(ctx context.Context, from uint64, maxItems, maxBytes int) (Batch, error) {
	var batch Batch
	err := j.view(ctx, func(ctx context.Context, c *conn) error {
		batch = Batch{First: from}
		var head seal.Head
		size := 0
		err := c.rows(ctx, func(scan func(...any) error) error {
			var sequence uint64
			var encoded, words, previous []byte
			if err := scan(&sequence, &encoded, &words, &previous); err != nil {
				return err
			}
			if len(previous) != len(head) {
				return fmt.Errorf("rating %d: %w", sequence, errDamaged)
			}
			if len(batch.Items) == 0 {
				batch.First, batch.Previous, head = sequence, seal.Head(previous), seal.Head(previous)
			}
			size += len(encoded) + len(words) + 32 // and what frames them
			if len(batch.Items) > 0 && (size > maxBytes || sequence != batch.Last()+1 || head != seal.Head(previous)) {
				return errEnough
			}
			item := &pb.SealedRating{Rating: encoded}
			if words != nil {
				item.Private = &pb.Private{}
				if err := proto.Unmarshal(words, item.Private); err != nil {
					return fmt.Errorf("rating %d: %w", sequence, errDamaged)
				}
			}
			batch.Items = append(batch.Items, item)
			head = seal.Chain(head, [][]byte{encoded})
			return nil
		}, "SELECT sequence, rating, private, previous FROM ratings WHERE sequence >= ? ORDER BY sequence LIMIT ?", from, max(1, maxItems))
		if errors.Is(err, errEnough) {
			err = nil
		}
		return err
	})
	if err != nil {
		return Batch{}, fmt.Errorf("read queue: %w", err)
	}
	return batch, nil
}

// Acknowledge keeps that the ratings first to last have arrived, at a time by the server's clock if it is known; zero = the
// device's. They are held no more. Those before them must have arrived, or be held.
func (j *Journal) Acknowledge(ctx context.Context, first, last uint64, at time.Time) error {
	if last < first {
		return fmt.Errorf("acknowledge ratings %d to %d", first, last)
	}
	return j.settle(ctx, first, last-first+1, nil, at)
}

// Settle keeps what became of the ratings from first on, in one transaction: reasons[i] is empty where one has arrived, else why it
// came back without having been kept by the server. Such a one stays here, held, to be tried again slowly, and those after
// it go on. at is as in Acknowledge.
func (j *Journal) Settle(ctx context.Context, first uint64, reasons []string, at time.Time) error {
	if len(reasons) == 0 {
		return nil
	}
	return j.settle(ctx, first, uint64(len(reasons)), reasons, at)
}

func (j *Journal) settle(ctx context.Context, first, n uint64, reasons []string, at time.Time) error {
	if at.IsZero() {
		at = j.clock.Now()
	}
	last := first + n - 1
	j.turn.Lock()
	defer j.turn.Unlock()
	return j.wrap("acknowledge ratings", j.update(ctx, func(ctx context.Context, c *conn, next *state) error {
		p := &next.position
		if first < 1 || last < first || last >= p.Next {
			return fmt.Errorf("%d to %d, of %d", first, last, p.Next-1)
		}
		if next.pastHoles(p.Through)+1 < first {
			return fmt.Errorf("%d follows %d", first, p.Through)
		}
		if err := next.hold(ctx, c, first, last, reasons); err != nil {
			return err
		}
		if last <= p.Through {
			return nil
		}
		p.Through = last
		if _, err := c.exec(ctx, "INSERT INTO acknowledgements (hour, through) VALUES (?, ?) ON CONFLICT (hour) DO UPDATE SET through = max(through, excluded.through)",
			at.Unix()/3600, last); err != nil {
			return err
		}
		return keepPosition(ctx, c, *p)
	}))
}

// hold brings what is held among first to last up to date.
func (s *state) hold(ctx context.Context, c *conn, first, last uint64, reasons []string) error {
	from, _ := slices.BinarySearch(s.held, first)
	to, _ := slices.BinarySearch(s.held, last+1)
	if from < to {
		if _, err := c.exec(ctx, "DELETE FROM held WHERE sequence BETWEEN ? AND ?", first, last); err != nil {
			return err
		}
	}
	var held []uint64
	for i, reason := range reasons {
		if reason == "" {
			continue
		}
		if _, err := c.exec(ctx, "INSERT INTO held (sequence, reason) VALUES (?, ?)", first+uint64(i), reason); err != nil {
			return err
		}
		held = append(held, first+uint64(i))
	}
	if from < to || len(held) > 0 {
		s.held = slices.Concat(s.held[:from], held, s.held[to:])
	}
	return nil
}

// Rewind takes back what was acknowledged after storedThrough, so that it is sent again: the server has gone back to a copy of itself.
// Nothing happens where the server holds all that it can; it answers whether something did. acknowledged is AcknowledgedThrough
// as it was before the server was asked, so that what arrived meanwhile is no reason.
func (j *Journal) Rewind(ctx context.Context, storedThrough, acknowledged uint64) (bool, error) {
	j.turn.Lock()
	defer j.turn.Unlock()
	now := j.state()
	if now.pastHoles(storedThrough) >= min(acknowledged, now.position.Through) {
		return false, nil
	}
	return true, j.wrap("rewind queue", j.update(ctx, func(ctx context.Context, c *conn, next *state) error {
		next.position.Through = max(storedThrough, next.position.Pruned)
		through := next.position.Through
		next.held = slices.DeleteFunc(slices.Clone(next.held), func(s uint64) bool { return s > through })
		for _, query := range []string{"DELETE FROM held WHERE sequence > ?", "DELETE FROM acknowledgements WHERE through > ?"} {
			if _, err := c.exec(ctx, query, through); err != nil {
				return err
			}
		}
		return keepPosition(ctx, c, next.position)
	}))
}

// Skip goes on after a sequence that the server holds and this journal does not know of: ratings were lost here, or this is
// another disk. The chain begins anew there, which the server's auditor sees. It answers whether something changed.
func (j *Journal) Skip(ctx context.Context, storedThrough uint64) (bool, error) {
	j.turn.Lock()
	defer j.turn.Unlock()
	if storedThrough < j.state().position.Next || storedThrough > maxSequence {
		return false, nil
	}
	return true, j.wrap("skip sequences", j.update(ctx, func(ctx context.Context, c *conn, next *state) error {
		return skipTo(ctx, c, next, storedThrough+1)
	}))
}

// maxSequence is the highest sequence a server follows.
const maxSequence = 1 << 53

// skipTo leaves out the sequences before to that were not given.
func skipTo(ctx context.Context, c *conn, next *state, to uint64) error {
	p := &next.position
	if to <= p.Next {
		return nil
	}
	if err := keepHole(ctx, c, next, hole{p.Next, to - 1}); err != nil {
		return err
	}
	p.Next, p.Head = to, make([]byte, len(seal.Head{}))
	return keepPosition(ctx, c, *p)
}

func keepHole(ctx context.Context, c *conn, next *state, h hole) error {
	if _, err := c.exec(ctx, "INSERT INTO holes (first, last) VALUES (?, ?) ON CONFLICT (first) DO UPDATE SET last = max(last, excluded.last)", h.first, h.last); err != nil {
		return err
	}
	next.holes = append(slices.Clone(next.holes), h)
	slices.SortFunc(next.holes, func(a, b hole) int { return int(int64(a.first) - int64(b.first)) }) //nolint:gosec // sequences stay far below
	return nil
}
