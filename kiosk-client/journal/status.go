package journal

import (
	"context"
	"slices"
	"time"
)

const (
	statusDays = 14
	// tellDamage is how long a damaged file is told of.
	tellDamage = 7 * 24 * time.Hour
	// LowBytes is the free space under which acknowledged ratings go before their time and the trouble "storage_low" is told.
	LowBytes = 256 << 20
)

// Status answers how the journal is, from memory.
func (j *Journal) Status(ctx context.Context) (Status, error) {
	if err := ctx.Err(); err != nil {
		return Status{}, err
	}
	j.mu.Lock()
	s, touch, damaged := j.now, j.lastTouch, j.damaged
	j.mu.Unlock()
	days := slices.Clone(s.position.Days)
	status := Status{Queue: s.queue(), HighestSequence: s.position.Next - 1, AcknowledgedThrough: s.position.Through, Held: len(s.held),
		Days: days[max(0, len(days)-statusDays):], FreeBytes: freeBytes(j.folder), LastTouch: touch, Open: int(j.openCount.Load())}
	if now := j.clock.Now(); !damaged.IsZero() && now.Sub(damaged) < tellDamage {
		status.Troubles = append(status.Troubles, "journal_damaged")
	}
	if status.FreeBytes > 0 && status.FreeBytes < LowBytes {
		status.Troubles = append(status.Troubles, "storage_low")
	}
	return status, nil
}
