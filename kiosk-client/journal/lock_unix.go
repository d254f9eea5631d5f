//go:build unix

package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// takeLock makes this program the only one on the folder; the system releases it however the program ends.
func (j *Journal) takeLock() error {
	file, err := os.OpenFile(filepath.Join(j.folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("journal folder: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { //nolint:gosec // a descriptor fits
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return errors.Join(fmt.Errorf("journal folder %s: %w", j.folder, err), file.Close())
	}
	j.lock = file
	return nil
}

func (j *Journal) unlock() error {
	if j.lock == nil {
		return nil
	}
	return j.lock.Close()
}

// freeBytes is how much the program may still write to the folder's disk; 0 where it cannot be told.
func freeBytes(folder string) uint64 {
	var stat syscall.Statfs_t
	if folder == "" || syscall.Statfs(folder, &stat) != nil {
		return 0
	}
	return stat.Bavail * uint64(stat.Bsize) //nolint:gosec // its type differs between systems; never negative
}
