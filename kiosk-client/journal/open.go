package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hailong-vn/hailong/kiosk-client/clock"
)

// Open opens a folder's journal, making both (for their owner alone) where they are missing, and seals what an earlier start left
// open. folder "" keeps everything in memory: for simulators and tests. ErrInUse.
func Open(ctx context.Context, folder string, options Options) (*Journal, error) {
	if options.Clock == nil {
		options.Clock = clock.System()
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	j := &Journal{folder: folder, opts: options, log: options.Logger, clock: options.Clock, open: map[string]*session{}, begun: -1, now: newState()}
	if folder != "" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("journal folder: %w", err)
		}
		if err := j.takeLock(); err != nil {
			return nil, err
		}
		if err := j.finishReplacing(); err != nil {
			return nil, errors.Join(err, j.unlock())
		}
	}
	j.turn.Lock()
	defer j.turn.Unlock()
	ctx = context.WithoutCancel(ctx) // an opening that is broken off is worse than one that takes a second longer
	err := j.load(ctx)
	if isDamage(err) {
		if folder == "" {
			return nil, err
		}
		err = j.replaceDamaged(ctx, j.db, err)
	}
	if err != nil {
		if j.db != nil {
			err = errors.Join(err, j.db.close())
		}
		return nil, errors.Join(fmt.Errorf("open journal in %s: %w", folder, err), j.unlock())
	}
	if err := j.sealLeft(ctx); err != nil {
		j.log.WarnContext(ctx, "ratings that an earlier start left open could not be sealed; they are kept and tried again", "error", err)
	}
	return j, nil
}

// load opens the file, makes sure that it is sound and reads the state. The caller holds turn.
func (j *Journal) load(ctx context.Context) error {
	path := ""
	if j.folder != "" {
		path = filepath.Join(j.folder, fileName)
	}
	missing := false
	if info, err := os.Stat(path); path != "" && errors.Is(err, fs.ErrNotExist) {
		missing = true
	} else if path != "" && err == nil && info.Size() == 0 {
		// SQLite would delete the log of an empty file, which may hold everything.
		if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
			return fmt.Errorf("the file is empty and its log is not: %w", errDamaged)
		}
	}
	db, err := openDatabase(ctx, path, j.opts.Volatile)
	if err != nil {
		return err
	}
	j.reading.Lock()
	j.db = db
	j.reading.Unlock()
	if err := db.check(ctx); err != nil {
		return err
	}
	s, fresh, err := readState(ctx, db.write)
	if err != nil {
		return err
	}
	open, err := readSessions(ctx, db.write)
	if err != nil {
		return err
	}
	damaged, err := readDamaged(ctx, db.write)
	if err != nil {
		return err
	}
	kept, hasSpare := readSpare(j.folder)
	if j.folder == "" {
		s.reserved = 1 << 62
	} else if hasSpare && kept.Identity.DeviceID == s.identity.DeviceID {
		s.reserved = kept.Reserved
	}
	if fresh && hasSpare && kept.Identity.DeviceID != "" {
		// The file is gone, or empty; who the device is has been kept.
		return fmt.Errorf("the journal is empty (missing: %v) and the device was enrolled: %w", missing, errDamaged)
	}
	j.mu.Lock()
	j.now, j.damaged = s, damaged
	j.mu.Unlock()
	j.open = open
	j.openCount.Store(int64(len(open)))
	return j.notBehind(ctx)
}

// notBehind goes on after the reserve where the disk has lost what it said was synced.
func (j *Journal) notBehind(ctx context.Context) error {
	s := j.state()
	if j.folder == "" || notedSequence(j.folder, s.identity.DeviceID) < s.position.Next {
		return nil
	}
	j.log.ErrorContext(ctx, "the journal is behind what it has given: the disk lost what it said was kept; some ratings may be lost",
		"next", s.position.Next, "reserved", s.reserved)
	noted := notedSequence(j.folder, s.identity.DeviceID)
	return j.transaction(ctx, func(ctx context.Context, c *conn, next *state) error {
		if err := j.noteDamage(ctx, c); err != nil {
			return err
		}
		return skipTo(ctx, c, next, max(noted, next.reserved)+1)
	})
}

// noteDamage keeps that the file was found damaged now.
func (j *Journal) noteDamage(ctx context.Context, c *conn) error {
	at := j.clock.Now()
	encoded, err := json.Marshal(at)
	if err != nil {
		return err
	}
	j.mu.Lock()
	j.damaged = at
	j.mu.Unlock()
	return keepFact(ctx, c, factDamaged, encoded)
}

func readDamaged(ctx context.Context, c *conn) (at time.Time, err error) {
	value, err := readFact(ctx, c, factDamaged)
	if err == nil && value != nil && json.Unmarshal(value, &at) != nil {
		at = time.Time{}
	}
	return at, err
}

// check reads the whole file once: a page that is not what it was is found now, and not when it is needed.
func (d *database) check(ctx context.Context) error {
	if d.path == "" {
		return nil
	}
	return d.write.rows(ctx, func(scan func(...any) error) error {
		var said string
		if err := scan(&said); err != nil {
			return err
		}
		if said != "ok" {
			return fmt.Errorf("%s: %w", said, errDamaged)
		}
		return nil
	}, "PRAGMA quick_check(1)")
}
