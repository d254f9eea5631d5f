package journal

import (
	"context"
	"time"
)

const (
	// keepAcknowledged is how long what has arrived stays: a server restored from a copy younger than this gets it again.
	keepAcknowledged = 30 * 24 * time.Hour
	// pruneItems are deleted in one transaction: a touch waits for one of them at most.
	pruneItems = 500
)

// Prune deletes what arrived more than 30 days ago and, where the disk is nearly full, the oldest of what has arrived; what has not
// arrived is never deleted. It also seals what could not be sealed at the start. now is the time by the server's clock if it is
// known; zero = the device's. Call it now and then.
func (j *Journal) Prune(ctx context.Context, now time.Time) error {
	return j.prune(ctx, now, freeBytes(j.folder))
}

// prune knows how much is free; 0 = unknown.
func (j *Journal) prune(ctx context.Context, now time.Time, free uint64) error {
	if now.IsZero() {
		now = j.clock.Now()
	}
	j.turn.Lock()
	err := j.sealLeft(ctx)
	j.turn.Unlock()
	if err != nil {
		return j.wrap("prune", err)
	}
	old := now.Add(-keepAcknowledged)
	for more := true; more; {
		if more, err = j.pruneSome(ctx, old, false); err != nil {
			return err
		}
	}
	if free == 0 || free >= LowBytes {
		return nil
	}
	// Step by step, each giving its pages back to the disk.
	for range max(1, (LowBytes-free)/(pruneItems*1024)) {
		if more, err := j.pruneSome(ctx, old, true); err != nil || !more {
			return err
		}
	}
	return nil
}

// pruneSome deletes some of what may go, oldest first; it answers whether there is more.
func (j *Journal) pruneSome(ctx context.Context, old time.Time, low bool) (more bool, err error) {
	j.turn.Lock()
	defer j.turn.Unlock()
	err = j.update(ctx, func(ctx context.Context, c *conn, next *state) error {
		p := &next.position
		through := p.Through
		if !low {
			through = 0
			if err := c.rows(ctx, func(scan func(...any) error) error { return scan(&through) },
				"SELECT coalesce(max(through), 0) FROM acknowledgements WHERE hour < ?", old.Unix()/3600); err != nil {
				return err
			}
			if _, err := c.exec(ctx, "DELETE FROM former WHERE at < ?", old.Unix()); err != nil {
				return err
			}
		} else if _, err := c.exec(ctx, "DELETE FROM former WHERE n IN (SELECT n FROM former ORDER BY n LIMIT ?)", pruneItems); err != nil {
			return err
		}
		// What is held has not arrived, and stays where it is; the first of it ends what can be pruned, so that one number tells how far that is.
		through = min(through, p.Through)
		if len(next.held) > 0 {
			through = min(through, next.held[0]-1)
		}
		if through <= p.Pruned {
			return nil
		}
		to := min(through, p.Pruned+pruneItems)
		more = to < through
		if _, err := c.exec(ctx, "DELETE FROM ratings WHERE sequence > ? AND sequence <= ?", p.Pruned, to); err != nil {
			return err
		}
		if _, err := c.exec(ctx, "DELETE FROM acknowledgements WHERE through <= ?", to); err != nil {
			return err
		}
		p.Pruned = to
		return keepPosition(ctx, c, *p)
	})
	if err == nil && low && j.folder != "" {
		_, err = j.db.write.conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA incremental_vacuum(1000)")
	}
	return more, j.wrap("prune", err)
}
