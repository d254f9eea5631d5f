package journal

import (
	"context"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/seal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// maxProbes bounds how many rows are asked for one by one between two damaged pages.
const maxProbes = 1_000_000

// each hands on every row of a table that can be read, in no particular order: from the front and from the back up to damaged pages,
// and one by one in between.
func (s *salvage) each(ctx context.Context, table, key string, keep func(key int64, columns [][]byte) error, columns ...string) error {
	if s.from == nil {
		return nil
	}
	if _, err := s.from.statement(ctx, "SELECT "+key+" FROM "+table); err != nil { //nolint:sqlclosecheck // kept until the connection is closed
		return nil //nolint:nilerr // not even the table's description can be read: nothing of it is had
	}
	list := key
	for _, c := range columns {
		list += ", " + c
	}
	var failed error // of keep: of the new file, and so of everything
	scan := func(last int64, query string, args ...any) (int64, bool) {
		err := s.from.rows(ctx, func(scan func(...any) error) error {
			values := make([][]byte, len(columns))
			into := []any{new(int64)}
			for i := range values {
				into = append(into, &values[i])
			}
			if err := scan(into...); err != nil {
				return err
			}
			last = *into[0].(*int64)
			failed = keep(last, values)
			return failed
		}, query, args...)
		return last, err == nil
	}
	first, whole := scan(-1, "SELECT "+list+" FROM "+table+" ORDER BY "+key)
	if whole || failed != nil {
		return failed
	}
	last, _ := scan(first, "SELECT "+list+" FROM "+table+" WHERE "+key+" > ? ORDER BY "+key+" DESC", first)
	if failed != nil {
		return failed
	}
	// The rows from the back were handed on down to last; where none could be read, how far the table goes is not known.
	if last == first {
		last = first + 10_000
	}
	for at := first + 1; at < last && at-first <= maxProbes && failed == nil; at++ {
		scan(at, "SELECT "+list+" FROM "+table+" WHERE "+key+" = ?", at)
	}
	return failed
}

// copyRatings takes the sealed ratings over and works out what is missing among them.
func (s *salvage) copyRatings(ctx context.Context, best state, known bool) error {
	live := s.j.state().position.Next > 1 // what is in memory is exact
	days := []DayCount(nil)
	if err := s.each(ctx, "ratings", "sequence", func(sequence int64, columns [][]byte) error {
		r := &pb.Rating{}
		if sequence < 1 || proto.Unmarshal(columns[0], r) != nil || int64(r.GetDeviceSequence()) != sequence || //nolint:gosec // a row id
			len(columns[2]) != len(seal.Head{}) {
			return nil // not sound: it stays in the file that is set aside
		}
		if best.identity.DeviceID == "" { // neither file says who the device is; its key is lost with them
			return nil
		}
		if r.GetDeviceId() != best.identity.DeviceID {
			return nil
		}
		result, err := s.to.exec(ctx, "INSERT INTO ratings (sequence, id, rating, private, previous) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			sequence, r.GetId(), columns[0], columns[1], columns[2])
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		s.ratings++
		days = count(days, r)
		return nil
	}, "rating", "private", "previous"); err != nil {
		return err
	}
	if err := s.each(ctx, "acknowledgements", "hour", func(hour int64, columns [][]byte) error {
		_, err := s.to.exec(ctx, "INSERT INTO acknowledgements (hour, through) VALUES (?, CAST(? AS INTEGER)) ON CONFLICT DO NOTHING", hour, string(columns[0]))
		return err
	}, "CAST(through AS TEXT)"); err != nil {
		return err
	}
	p := &best.position
	if !known {
		p.Days = days
	}
	best.holes = nil
	at := p.Pruned
	missing := func(before uint64) error {
		if before > at+1 {
			h := hole{at + 1, before - 1}
			if err := keepHole(ctx, s.to, &best, h); err != nil {
				return err
			}
		}
		at = before
		return nil
	}
	var gaps []uint64
	if err := s.to.rows(ctx, func(scan func(...any) error) error {
		var sequence uint64
		err := scan(&sequence)
		gaps = append(gaps, sequence)
		return err
	}, "SELECT sequence FROM ratings ORDER BY sequence"); err != nil {
		return err
	}
	for _, sequence := range gaps {
		if sequence <= p.Pruned {
			continue
		}
		if err := missing(sequence); err != nil {
			return err
		}
	}
	if !live {
		next := max(p.Next, at+1, best.reserved+1, notedSequence(s.j.folder, best.identity.DeviceID)+1)
		if next > 1 || at > 0 {
			p.Next, p.Head = next, make([]byte, len(seal.Head{}))
		}
	}
	if err := missing(p.Next); err != nil {
		return err
	}
	return s.finish(ctx, best)
}

// finish writes what is held and the position.
func (s *salvage) finish(ctx context.Context, best state) error {
	for _, sequence := range best.held {
		if _, err := s.to.exec(ctx, "INSERT INTO held (sequence, reason) SELECT sequence, '-' FROM ratings WHERE sequence = ?", sequence); err != nil {
			return err
		}
	}
	if best.position.Through >= best.position.Next {
		encoded, _ := json.Marshal(best.position)
		return fmt.Errorf("position %s: %w", encoded, errDamaged)
	}
	if best.position.Next > best.reserved+1 {
		if err := s.j.reserve(&best); err != nil {
			return err
		}
	}
	return keepPosition(ctx, s.to, best.position)
}
