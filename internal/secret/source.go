package secret

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hailong-vn/hailong/internal/fault"
)

// FileName is the key file made in a data folder.
const FileName = "contact.key"

// Source says where the encryption keys come from. Keys are 32 bytes each, in hexadecimal or base64, one a line; lines
// that begin with # are left out. The first key encrypts; the others only open what was encrypted before, so a
// key is changed by writing a new one above it.
type Source struct {
	Text   string // the keys themselves, from the environment; goes first
	File   string // a file that holds them
	Folder string // where a file is made where neither is given; "" = one of them is required
	// ForgetLost starts even where a key that this store was used with is missing. What was encrypted with it
	// stays unreadable.
	ForgetLost bool
}

// read answers the keys, the first being the one that encrypts.
func (s Source) read() ([][keySize]byte, error) {
	switch {
	case strings.TrimSpace(s.Text) != "":
		return parse(s.Text)
	case s.File != "":
		return readFile(s.File)
	case s.Folder == "":
		return nil, fault.New(fault.Invalid, "key_missing")
	}
	path := filepath.Join(s.Folder, FileName)
	keys, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeFile(path); err != nil {
			return nil, fault.New(fault.Unavailable, "key_unwritable", "file", path).Because(err)
		}
		return readFile(path)
	}
	return keys, err
}

// maxFile bounds a key file: a wrong path should not read a disk image.
const maxFile = 64 << 10

func readFile(path string) ([][keySize]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxFile {
		return nil, fault.New(fault.Invalid, "key_malformed", "line", 1)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "key_unreadable", "file", path).Because(err)
	}
	return parse(string(data))
}

// parse never puts what it read into an error: it may be a key with a slip of the hand in it.
func parse(text string) ([][keySize]byte, error) {
	var keys [][keySize]byte
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, ok := parseKey(line)
		if !ok {
			return nil, fault.New(fault.Invalid, "key_malformed", "line", i+1)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fault.New(fault.Invalid, "key_malformed", "line", 1)
	}
	return keys, nil
}

func parseKey(text string) ([keySize]byte, bool) {
	decoders := []func(string) ([]byte, error){
		hex.DecodeString,
		base64.StdEncoding.Strict().DecodeString, base64.RawStdEncoding.Strict().DecodeString,
		base64.URLEncoding.Strict().DecodeString, base64.RawURLEncoding.Strict().DecodeString,
	}
	for _, decode := range decoders {
		if key, err := decode(text); err == nil && len(key) == keySize && [keySize]byte(key) != [keySize]byte{} {
			return [keySize]byte(key), true
		}
	}
	return [keySize]byte{}, false
}

// makeFile writes a new key, whole or not at all; a file that came meanwhile stays.
func makeFile(path string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), FileName+".*") // 0600
	if err != nil {
		return fmt.Errorf("make key file: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	var key [keySize]byte
	_, _ = rand.Read(key[:]) // never fails
	_, err = fmt.Fprintf(file, "# Key that encrypts how to reach a person. Keep a copy apart from the data: without it they cannot be read.\n%s\n",
		hex.EncodeToString(key[:]))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("place key file: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
