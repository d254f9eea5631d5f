package clock

import (
	"syscall"
	"time"
	"unsafe"
)

// bootTime is CLOCK_BOOTTIME (linux/time.h): the time since the machine's start, its sleep counted. Go's own clock, CLOCK_MONOTONIC,
// stands still while a machine sleeps.
const bootTime = 7

// sinceNow answers a clock that starts now.
func sinceNow() func() time.Duration {
	start, ok := running()
	if !ok {
		return plainSinceNow()
	}
	return func() time.Duration {
		now, _ := running()
		return now - start
	}
}

func running() (time.Duration, bool) {
	var at syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, bootTime, uintptr(unsafe.Pointer(&at)), 0)
	return time.Duration(at.Nano()), errno == 0
}
