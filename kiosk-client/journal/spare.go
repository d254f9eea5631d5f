package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const (
	spareName    = "identity.json"
	sequenceName = "sequence"
	// reserveAhead is how many sequences are reserved at once: a sync more each so many ratings, and at most so many sequences
	// left out after damage.
	reserveAhead = 32
)

// spare is identity.json: what a damaged journal must not take with it.
type spare struct {
	Identity identity `json:"identity"`
	Reserved uint64   `json:"reserved"` // no rating has a higher sequence
	Sum      string   `json:"sum"`      // SHA-256 of all before, in hex
}

func (s spare) sum() string {
	s.Sum = ""
	encoded, _ := json.Marshal(s) // numbers, texts and bytes: never fails
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}

// reserve makes room for the sequences that a transaction gives, before it is durable.
func (j *Journal) reserve(next *state) error {
	next.reserved = next.position.Next - 1 + reserveAhead
	return j.keepSpare(*next)
}

// keepSpare writes identity.json whole or not at all, for the owner alone.
func (j *Journal) keepSpare(s state) error {
	if j.folder == "" {
		return nil
	}
	content := spare{Identity: s.identity, Reserved: s.reserved}
	content.Sum = content.sum()
	data, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(j.folder, spareName), append(data, '\n'), !j.opts.Volatile)
}

// readSpare answers identity.json; false where it is missing or not sound.
func readSpare(folder string) (spare, bool) {
	data, err := os.ReadFile(filepath.Join(folder, spareName))
	if err != nil {
		return spare{}, false
	}
	var s spare
	decoder := json.NewDecoder(bytes.NewReader(data))
	if decoder.Decode(&s) != nil || s.Sum != s.sum() || !s.Identity.sound() {
		return spare{}, false
	}
	return s, true
}

// noteSequence writes the last sequence beside the journal. Nothing depends on it but the finding out that a disk lost what it
// said was synced; so it is not synced itself, and a failure tells nothing.
func (j *Journal) noteSequence(s state) {
	if j.folder == "" {
		return
	}
	file, err := os.OpenFile(filepath.Join(j.folder, sequenceName), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }()
	_, _ = file.WriteAt(sequenceNote(s.identity.DeviceID, s.position.Next-1), 0)
}

func sequenceNote(device string, sequence uint64) []byte {
	note := binary.BigEndian.AppendUint64(nil, sequence)
	sum := sha256.Sum256(append(bytes.Clone(note), device...))
	return append(note, sum[:8]...)
}

// notedSequence is the last sequence of a device that was noted; 0 where there is none.
func notedSequence(folder, device string) uint64 {
	note, err := os.ReadFile(filepath.Join(folder, sequenceName))
	if err != nil || len(note) != 16 {
		return 0
	}
	sequence := binary.BigEndian.Uint64(note)
	if sequence > maxSequence || !bytes.Equal(note, sequenceNote(device, sequence)) {
		return 0
	}
	return sequence
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, data []byte, durable bool) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil && durable {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	if !durable {
		return nil
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a folder's entries durable.
func syncFolder(folder string) error {
	opened, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return errors.Join(opened.Sync(), opened.Close())
}
