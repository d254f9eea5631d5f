//go:build linux || darwin

package server

import "syscall"

// freeDisk is how many bytes are free to the program, and how many there are, where folder is.
func freeDisk(folder string) (free, total uint64, err error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(folder, &stat); err != nil {
		return 0, 0, err
	}
	size := uint64(stat.Bsize) //nolint:gosec // its type differs between systems; never negative
	return stat.Bavail * size, stat.Blocks * size, nil
}
