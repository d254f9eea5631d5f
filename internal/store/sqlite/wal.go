package sqlite

import (
	"context"
	"log/slog"
	"os"
)

// SQLite moves the write-ahead log into the file by itself, but it can only begin the log anew in a moment without
// readers. Where readers come without a pause the log would grow without end, so past a size the writer asks for that moment.
const (
	walLimit  = 128 << 20 // bytes
	walGroups = 64        // transactions between two looks at its size
)

type wal struct {
	path   string
	limit  int64
	groups int
	log    *slog.Logger
}

// keepLogShort begins the log anew where it has grown too long. Readers are waited for, at most two seconds.
func (w *writer) keepLogShort() {
	if w.wal.groups++; w.wal.groups < walGroups {
		return
	}
	w.wal.groups = 0
	info, err := os.Stat(w.wal.path)
	if err != nil || info.Size() < w.wal.limit {
		return
	}
	for _, step := range []string{"PRAGMA busy_timeout = 2000", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA busy_timeout = 5"} {
		if _, err := w.conn.ExecContext(context.Background(), step); err != nil {
			w.wal.log.Warn("the write-ahead log is long and could not be begun anew; the next transactions try again", "bytes", info.Size(), "error", err)
		}
	}
}
