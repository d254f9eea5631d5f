package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations bring a file from each version of the schema to the next; the file's version is how many were applied (PRAGMA
// user_version). The list only grows: an entry that was released is never changed.
var migrations = []string{
	// 1: the first schema. Tables of kinds are made when a kind is opened (kind.go).
	`
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- The declared indexes of all kinds, and their entries in order.
CREATE TABLE indexes (
	no   INTEGER PRIMARY KEY,
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	spec TEXT NOT NULL,
	UNIQUE (kind, name)
);
CREATE TABLE entries (
	no   INTEGER NOT NULL,
	key  BLOB NOT NULL,
	id   TEXT NOT NULL,
	uniq INTEGER NOT NULL,
	PRIMARY KEY (no, key, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX entries_unique ON entries (no, key) WHERE uniq = 1;

-- Ratings and annotations. seq grows with every append; columns before body serve indexes and counting. bare is the id
-- without home and unit, which hold no slash: what revises names.
CREATE TABLE ratings (
	seq      INTEGER PRIMARY KEY,
	id       TEXT NOT NULL UNIQUE,
	cell     TEXT NOT NULL,
	received INTEGER NOT NULL,
	kind     TEXT NOT NULL,
	score    INTEGER NOT NULL,
	revises  TEXT,
	body     BLOB NOT NULL,
	bare     TEXT AS (substr(substr(id, instr(id, '/') + 1), instr(substr(id, instr(id, '/') + 1), '/') + 1)) VIRTUAL
);
CREATE INDEX ratings_cell ON ratings (cell);
CREATE INDEX ratings_revises ON ratings (cell, revises) WHERE revises IS NOT NULL;
CREATE TRIGGER ratings_no_update BEFORE UPDATE ON ratings BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER ratings_no_delete BEFORE DELETE ON ratings BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- INSERT OR REPLACE removes what it replaces without the trigger before it, unless it is stopped here.
CREATE TRIGGER ratings_no_replace BEFORE INSERT ON ratings
WHEN EXISTS (SELECT 1 FROM ratings WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM ratings WHERE seq = NEW.seq)
BEGIN SELECT RAISE(IGNORE); END;

-- Folded figures.
CREATE TABLE leaves (id TEXT PRIMARY KEY, day TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX leaves_day ON leaves (day, id);
CREATE TABLE strips (id TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE facets (id TEXT PRIMARY KEY, body BLOB NOT NULL);
`,
	// 2: ratings that repeat a ticket (rating.Record.Repeats) are told apart where scores are counted. None were stored before.
	`ALTER TABLE ratings ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0`,
}

// reserved are the tables above: no kind may be named so.
func reserved(name string) bool {
	switch name {
	case "meta", "indexes", "entries", "ratings", "leaves", "strips", "facets":
		return true
	}
	return false
}

// migrate applies the migrations that the file lacks, each in its own transaction.
func migrate(ctx context.Context, conn *sql.Conn) error {
	for {
		done, err := migrateOne(ctx, conn)
		if err != nil || done {
			return err
		}
	}
}

func migrateOne(ctx context.Context, conn *sql.Conn) (done bool, err error) {
	version, err := schemaVersion(ctx, conn)
	if err != nil {
		return false, err
	}
	if version == len(migrations) {
		return true, nil
	}
	if version > len(migrations) {
		return false, fmt.Errorf("the data folder was written by a newer version of the program (schema %d, this one knows %d)", version, len(migrations))
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	// Another process may have migrated while this one waited for the lock.
	now, err := schemaVersion(ctx, conn)
	if err != nil {
		return false, err
	}
	if now == version {
		if _, err := conn.ExecContext(ctx, migrations[version]); err != nil {
			return false, fmt.Errorf("migration %d: %w", version+1, err)
		}
		if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1)); err != nil {
			return false, err
		}
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return false, err
}

func schemaVersion(ctx context.Context, conn *sql.Conn) (version int, err error) {
	err = conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	return version, err
}
