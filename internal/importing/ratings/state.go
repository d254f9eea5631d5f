package ratingimport

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/hailong-vn/hailong/internal/fault"
)

// What of a file is looked at to know it again: its head, and what stands before the place where reading goes on. A file
// to which rows were added meanwhile is still the same.
const (
	headBytes = 64 << 10
	tailBytes = 4 << 10
)

// state is where a run stood after a batch was acknowledged. Because ids are deterministic, a state that is too old
// costs time and nothing else; one of another file or another mapping is not used.
type state struct {
	Version      int      `json:"version"`
	Mapping      string   `json:"mapping"` // digest of its text
	Source       string   `json:"source"`
	HeadBytes    int64    `json:"head_bytes"`
	Head         string   `json:"head"`
	Tail         string   `json:"tail"` // digest of what stands before Offset
	Offset       int64    `json:"offset"`
	Line         int64    `json:"line"`
	ErrorsPath   string   `json:"errors_path"`
	ErrorsOffset int64    `json:"errors_offset"`
	Summary      *Summary `json:"summary"`
}

const stateVersion = 1

// readState answers nil where there is no state that fits the file and the mapping.
func readState(path string, file *os.File, fresh state) *state {
	text, err := os.ReadFile(path) //nolint:gosec // the caller's own path
	if err != nil {
		return nil
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil || s.Version != stateVersion || s.Summary == nil ||
		s.Mapping != fresh.Mapping || s.Source != fresh.Source || s.Offset <= 0 || s.Line <= 0 {
		return nil
	}
	head, err := digestOf(file, 0, s.HeadBytes)
	if err != nil || head != s.Head {
		return nil
	}
	if tail, err := tailOf(file, s.Offset); err != nil || tail != s.Tail {
		return nil
	}
	s.Summary.complete()
	return &s
}

// write replaces the state as a whole: a crash leaves the old one or the new one.
func (s *state) write(path string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return fault.New(fault.Unavailable, "import_ratings_state_file", "path", path).Because(err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fault.New(fault.Unavailable, "import_ratings_state_file", "path", path).Because(err)
	}
	return nil
}

func removeState(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fault.New(fault.Unavailable, "import_ratings_state_file", "path", path).Because(err)
	}
	return nil
}

func digestOf(file *os.File, from, length int64) (string, error) {
	hash := sha256.New()
	n, err := io.Copy(hash, io.NewSectionReader(file, from, length))
	if err == nil && n < length {
		err = io.ErrUnexpectedEOF
	}
	return hex.EncodeToString(hash.Sum(nil)), err
}

// tailOf digests what stands before an offset, which must be the end of a line.
func tailOf(file *os.File, offset int64) (string, error) {
	length := min(offset, tailBytes)
	tail := make([]byte, length)
	if _, err := file.ReadAt(tail, offset-length); err != nil {
		return "", err
	}
	digest := sha256.Sum256(bytes.TrimRight(tail, "\r\n"))
	return hex.EncodeToString(digest[:]), nil
}
