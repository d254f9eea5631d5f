package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"
)

const (
	salvagedName = "journal-salvaged.db" // whole, and not in its place yet
	workingName  = "journal-salvaging.db"
)

// endings are the files of one database.
func endings() []string { return []string{"-shm", "-wal", ""} }

// replaceDamaged sets a damaged file aside and goes on with a new one that holds what could still be read. What is known in memory
// goes before what is read. The caller holds turn.
func (j *Journal) replaceDamaged(ctx context.Context, failed *database, cause error) error {
	if j.folder == "" {
		return cause
	}
	j.log.ErrorContext(ctx, "the journal is damaged; it is set aside and what is sound is taken over", "folder", j.folder, "error", cause)
	j.reading.Lock()
	j.db = nil
	j.reading.Unlock()
	if failed != nil {
		_ = failed.close() // it is damaged: what closing says tells nothing
	}
	for _, ending := range endings() {
		if err := os.Remove(filepath.Join(j.folder, workingName) + ending); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("salvage journal: %w", err)
		}
	}
	path := filepath.Join(j.folder, workingName)
	fresh, err := openDatabase(ctx, path, j.opts.Volatile)
	if err != nil {
		return fmt.Errorf("salvage journal: %w", err)
	}
	s := &salvage{j: j, to: fresh.write}
	err = errors.Join(s.run(ctx), fresh.close())
	if err != nil {
		return fmt.Errorf("salvage journal: %w", err)
	}
	if err := errors.Join(os.Rename(path, filepath.Join(j.folder, salvagedName)), syncFolder(j.folder)); err != nil {
		return fmt.Errorf("salvage journal: %w", err)
	}
	if err := j.finishReplacing(); err != nil {
		return err
	}
	before := j.open
	if err := j.load(ctx); err != nil {
		return fmt.Errorf("open salvaged journal: %w", err)
	}
	maps.Copy(j.open, before)
	j.openCount.Store(int64(len(j.open)))
	j.log.WarnContext(ctx, "the journal was salvaged", "ratings", s.ratings, "sessions", s.sessions, "next", j.state().position.Next)
	return nil
}

// finishReplacing puts a salvaged file in its place and what stands there aside, also where an earlier start was cut off in between.
func (j *Journal) finishReplacing() error {
	salvaged := filepath.Join(j.folder, salvagedName)
	if _, err := os.Stat(salvaged); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var aside string
	for n := 1; ; n++ {
		aside = filepath.Join(j.folder, fmt.Sprintf("journal-damaged-%d.db", n))
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	for _, ending := range endings() { // the file itself last: until it is there, the name is not taken
		if err := os.Rename(filepath.Join(j.folder, fileName)+ending, aside+ending); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("set damaged journal aside: %w", err)
		}
	}
	if err := errors.Join(os.Rename(salvaged, filepath.Join(j.folder, fileName)), syncFolder(j.folder)); err != nil {
		return fmt.Errorf("put salvaged journal in place: %w", err)
	}
	return nil
}

// salvage reads what can be read of the damaged file in its place, without changing it.
type salvage struct {
	j                 *Journal
	from              *conn // nil where not even the first page can be read
	to                *conn
	ratings, sessions int
}

func (s *salvage) run(ctx context.Context) error {
	path := filepath.Join(s.j.folder, fileName)
	if info, err := os.Stat(path); err == nil && info.Size() > 0 { // of an empty file SQLite would delete the log
		from, err := connect(ctx, source(path,
			"writable_schema(1)", // first: with it, a file shorter than it says is read as far as it goes
			"query_only(1)", "busy_timeout(1000)")+"&mode=ro")
		if err == nil {
			s.from = from
			defer func() { _ = from.close() }()
		}
	}
	if _, err := s.to.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := s.copy(ctx); err != nil {
		return err // the working file is thrown away
	}
	_, err := s.to.exec(ctx, "COMMIT")
	return err
}

func (s *salvage) copy(ctx context.Context) error {
	state, known := s.state(ctx)
	if err := s.j.noteDamage(ctx, s.to); err != nil {
		return err
	}
	for _, name := range s.factNames(ctx) {
		if value, err := readFact(ctx, s.from, name); err == nil && value != nil && name != factDamaged && name != factIdentity {
			if err := keepFact(ctx, s.to, name, value); err != nil {
				return err
			}
		}
	}
	if err := keepIdentity(ctx, s.to, state.identity); err != nil {
		return err
	}
	if err := s.copySessions(ctx); err != nil {
		return err
	}
	if err := s.copyFormer(ctx); err != nil {
		return err
	}
	return s.copyRatings(ctx, state, known)
}

// state is the best that is known of identity and position: memory, else the file, else identity.json.
func (s *salvage) state(ctx context.Context) (best state, known bool) {
	if now := s.j.state(); now.identity.DeviceID != "" || now.position.Next > 1 {
		return now, true
	}
	best = newState()
	kept, hasSpare := readSpare(s.j.folder)
	best.identity = kept.Identity
	if s.from != nil {
		read, fresh, err := readState(ctx, s.from)
		if err == nil && !fresh {
			if read.identity.DeviceID == "" {
				read.identity = kept.Identity
			}
			best, known = read, true
		}
	}
	if hasSpare && kept.Identity.DeviceID == best.identity.DeviceID {
		best.reserved = kept.Reserved
	}
	return best, known
}

func (s *salvage) factNames(ctx context.Context) (names []string) {
	if s.from == nil {
		return nil
	}
	_ = s.from.rows(ctx, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	}, "SELECT name FROM facts")
	if names == nil { // by name, where the list cannot be read
		names = []string{factConfiguration}
	}
	return names
}

func (s *salvage) copySessions(ctx context.Context) error {
	written := map[int64]bool{}
	keep := func(n int64, value []byte) error {
		if written[n] {
			return nil
		}
		written[n] = true
		s.sessions++
		_, err := s.to.exec(ctx, "INSERT INTO sessions (n, value) VALUES (?, ?)", n, value)
		return err
	}
	for _, session := range s.j.open { // memory first
		value, err := session.encode()
		if err == nil {
			err = keep(session.n, value)
		}
		if err != nil {
			return err
		}
	}
	return s.each(ctx, "sessions", "n", func(n int64, columns [][]byte) error {
		if _, err := decodeSession(n, columns[0]); err != nil {
			return nil //nolint:nilerr // not sound: it stays in the file that is set aside
		}
		return keep(n, columns[0])
	}, "value")
}

func (s *salvage) copyFormer(ctx context.Context) error {
	return s.each(ctx, "former", "n", func(n int64, columns [][]byte) error {
		_, err := s.to.exec(ctx, "INSERT INTO former (n, at, rating, private) VALUES (?, ?, ?, ?)", n, time.Now().Unix(), columns[0], columns[1])
		return err
	}, "rating", "private")
}
