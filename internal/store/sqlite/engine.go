// Package sqlite keeps everything of one office in one SQLite file: the embedded engine of the store port.
//
// A file holds one table a kind (id, version, body), one order-preserving index table for all kinds, and tables for
// ratings and figures. One goroutine writes; calls that come together share one transaction and one sync to
// disk. Readers see what was committed and never wait for it. Several processes may open the same file.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/store"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// FileName is the database's name in the data folder. SQLite keeps -wal and -shm files beside it.
const FileName = "hailong.db"

// Options of an engine; the zero value is good.
type Options struct {
	Logger     *slog.Logger     // nil = nothing is logged
	Now        func() time.Time // nil = time.Now; what Expire goes by
	SweepEvery time.Duration    // how often expired documents are removed; 0 = a minute
	Readers    int              // connections that read at the same time; 0 = 8
}

// Engine is one opened data folder.
type Engine struct {
	folder  string
	log     *slog.Logger
	now     func() time.Time
	write   *sql.DB // one connection, the writer's
	read    *sql.DB
	writer  *writer
	blobs   *blobs
	stop    context.CancelFunc
	sweeper sync.WaitGroup
	opened  chan struct{} // a kind was opened: sweep soon

	lock  sync.Mutex
	kinds map[string]*documents

	prepared statements // of read
	witness  witness    // of read
}

var _ store.Engine = (*Engine)(nil)

// Open opens the data folder, making it (for its owner alone) and its file where they are missing.
func Open(ctx context.Context, folder string, options Options) (*Engine, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.SweepEvery <= 0 {
		options.SweepEvery = time.Minute
	}
	if options.Readers <= 0 {
		options.Readers = 8
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	blobs, err := openBlobs(filepath.Join(folder, "blobs"))
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	path := filepath.Join(folder, FileName)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite itself would make it readable for others
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	e := &Engine{folder: folder, log: options.Logger, now: options.Now, blobs: blobs, opened: make(chan struct{}, 1), kinds: map[string]*documents{}, prepared: statements{by: map[string]*sql.Stmt{}}}
	if err := e.connect(ctx, path, options.Readers); err != nil {
		e.disconnect()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	background, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.sweeper.Go(func() { e.sweepEvery(background, options.SweepEvery) })
	return e, nil
}

func (e *Engine) connect(ctx context.Context, path string, readers int) (err error) {
	// The writer polls for the lock itself (writer.begin); this wait is for opening and for readers.
	if e.write, err = sql.Open("sqlite", dataSource(path, "busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)",
		"cache_size(-32000)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)", "temp_store(MEMORY)")); err != nil {
		return err
	}
	e.write.SetMaxOpenConns(1)
	conn, err := e.write.Conn(ctx)
	if err != nil {
		return err
	}
	if err := migrate(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 5"); err != nil {
		return err
	}
	if e.read, err = sql.Open("sqlite", dataSource(path, "busy_timeout(10000)", "query_only(1)", "cache_size(-8000)", "temp_store(MEMORY)")); err != nil {
		return err
	}
	e.read.SetMaxOpenConns(readers)
	e.read.SetMaxIdleConns(readers)
	e.writer = newWriter(conn, path+"-wal", e.log)
	return nil
}

func (e *Engine) disconnect() {
	if e.read != nil {
		_ = e.read.Close()
	}
	if e.write != nil {
		_ = e.write.Close()
	}
}

// dataSource is the name by which the driver opens a file.
func dataSource(path string, pragmas ...string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: url.Values{"_pragma": pragmas}.Encode()}
	return u.String()
}

// Name is "sqlite".
func (e *Engine) Name() string { return "sqlite" }

// Blobs are files in the data folder.
func (e *Engine) Blobs() store.Blobs { return e.blobs }

// Ping writes durably.
func (e *Engine) Ping(ctx context.Context) error {
	now := e.now().UTC().Format(time.RFC3339Nano)
	return e.writer.do(ctx, 64, func(t *tx) error {
		_, err := t.exec("INSERT INTO meta (key, value) VALUES ('ping', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", now)
		return err
	})
}

// Close lets writes under way finish; calls that come later are refused with store.ErrUnavailable.
func (e *Engine) Close() error {
	e.stop()
	e.sweeper.Wait()
	e.writer.close()
	e.prepared.close()
	e.witness.lock.Lock()
	e.witness.close()
	e.witness.lock.Unlock()
	readErr := e.read.Close()
	if err := e.write.Close(); err != nil {
		return fmt.Errorf("close %s: %w", e.folder, err)
	}
	return readErr
}
