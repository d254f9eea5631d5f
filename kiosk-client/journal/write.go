package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// update makes one transaction, which is one sync of the disk. do gets a copy of the state to change; it becomes the state once
// the transaction is durable. do may be called twice, where the file was found damaged and replaced in between. The
// caller holds turn.
func (j *Journal) update(ctx context.Context, do func(ctx context.Context, c *conn, s *state) error) error {
	if j.closed || j.db == nil {
		return ErrClosed
	}
	ctx, err := settled(ctx)
	if err != nil {
		return err
	}
	err = j.transaction(ctx, do)
	if isDamage(err) {
		if failed := j.replaceDamaged(ctx, j.db, err); failed != nil {
			return errors.Join(err, failed)
		}
		err = j.transaction(ctx, do)
	}
	return err
}

func (j *Journal) transaction(ctx context.Context, do func(context.Context, *conn, *state) error) error {
	c, next := j.db.write, j.state()
	if _, err := c.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do(ctx, c, &next)
	if err == nil && next.position.Next > next.reserved+1 {
		err = j.reserve(&next)
	}
	if err == nil {
		_, err = c.exec(ctx, "COMMIT")
	}
	if err != nil {
		// SQLite may have rolled back by itself; then this fails, which tells nothing.
		_, _ = c.exec(ctx, "ROLLBACK")
		return err
	}
	before := j.state().position.Next
	j.mu.Lock()
	j.now = next
	j.mu.Unlock()
	if next.position.Next != before {
		j.noteSequence(next)
	}
	j.checkpointSoon(ctx)
	return nil
}

func (j *Journal) state() state {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.now
}

// view reads what was committed, beside the writer. Where the file is damaged it is replaced, and read again.
func (j *Journal) view(ctx context.Context, do func(context.Context, *conn) error) error {
	of, err := j.readOnce(ctx, do)
	if !isDamage(err) {
		return err
	}
	j.turn.Lock()
	if j.db == of { // nobody else has replaced it
		if failed := j.replaceDamaged(context.WithoutCancel(ctx), of, err); failed != nil {
			j.turn.Unlock()
			return errors.Join(err, failed)
		}
	}
	j.turn.Unlock()
	_, err = j.readOnce(ctx, do)
	return err
}

// readOnce also tells which database it read.
func (j *Journal) readOnce(ctx context.Context, do func(context.Context, *conn) error) (*database, error) {
	if j.folder == "" { // in memory there is one connection for all
		j.turn.Lock()
		defer j.turn.Unlock()
	}
	j.reading.Lock()
	defer j.reading.Unlock()
	if j.db == nil {
		return nil, ErrClosed
	}
	return j.db, do(ctx, j.db.read)
}

// checkpointSoon moves the write-ahead log into the file where it has grown, without holding up who writes.
func (j *Journal) checkpointSoon(ctx context.Context) {
	if j.folder == "" {
		return
	}
	j.commits++
	if j.commits < 64 || !j.checkpointing.CompareAndSwap(false, true) {
		return
	}
	j.commits = 0
	info, err := os.Stat(j.db.path + "-wal")
	if err != nil || info.Size() < checkpointAt*4096 {
		j.checkpointing.Store(false)
		return
	}
	j.background.Go(func() {
		defer j.checkpointing.Store(false)
		j.reading.Lock()
		defer j.reading.Unlock()
		if j.db == nil {
			return
		}
		if _, err := j.db.read.exec(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
			j.log.WarnContext(ctx, "the journal's log could not be moved into its file; a later write tries again", "error", fmt.Sprint(err))
		}
	})
}
