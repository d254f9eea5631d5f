// Package bus is the port to what may be lost without harm: hints to the workers, limits, the live feed, who is
// present on a page, and which one-time keys were used. Figures and casework never depend on it being right, only on
// it being quick. Package local keeps it within one process, package redisbus shares it among many; bustest is the
// contract suite that both pass.
package bus

import (
	"context"
	"errors"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
)

// What a bus can answer, to be tested with errors.Is.
var (
	// ErrUnavailable: the bus could not be asked. Such errors are also a fault.Unavailable, fit for a person.
	ErrUnavailable = errors.New("bus: unavailable")
	// ErrClosed: Close was called.
	ErrClosed = errors.New("bus: closed")
	// ErrInvalid: a name or body that is empty or over its limit; a fault of the caller's code.
	ErrInvalid = errors.New("bus: invalid")
)

// Unavailable makes the error of a bus that could not be asked.
func Unavailable(cause error) error {
	return fault.New(fault.Unavailable, "bus_unavailable").Because(errors.Join(ErrUnavailable, cause))
}

// Bus is one process's end of the bus. All of its methods may be called by many goroutines. A part of the program
// that needs one of the five things takes that interface only.
type Bus interface {
	Hints
	Feed
	Limits
	Presence
	Nonces
	// Ping tells whether the bus can be asked now. ErrUnavailable, ErrClosed.
	Ping(ctx context.Context) error
	// Stats counts what happened since this end was opened.
	Stats() Stats
	// Close ends every consumer and subscription, gives hints under way a moment to leave, and waits. It may be
	// called twice.
	Close() error
}

// Presence says who has a page open: "chị Lan đang mở".
type Presence interface {
	// Announce says that who is at place until ttl from now; it is repeated while the page stays open. place is at
	// most MaxName bytes, who at most MaxWho. Of very many in one place the ones that leave last are kept
	// (MaxPresent). ErrUnavailable, ErrInvalid.
	Announce(ctx context.Context, place, who string, ttl time.Duration) error
	// Leave says that who left before the time was over. ErrUnavailable, ErrInvalid.
	Leave(ctx context.Context, place, who string) error
	// Present lists who is at place, sorted. ErrUnavailable, ErrInvalid.
	Present(ctx context.Context, place string) ([]string, error)
}

// Nonces remembers one-time keys.
type Nonces interface {
	// UseOnce answers true the first time a key is used within ttl, and false after that. On an error nothing is
	// known, and the key must be refused. ErrUnavailable, ErrInvalid.
	//
	// Over a Redis that lost its memory within ttl, a key can be used once again through another process; each
	// process remembers by itself too.
	UseOnce(ctx context.Context, key string, ttl time.Duration) (bool, error)
}

// Stats counts since a bus was opened. They only grow.
type Stats struct {
	HintsPublished   uint64 // cells taken for publishing, those joined with a waiting hint among them
	HintsDropped     uint64 // cells given up: no room, malformed, or delivered too often
	HintsRedelivered uint64 // hints delivered again because the first worker did not acknowledge
	FeedMissed       uint64 // times a subscriber was told that it missed something
	LimitsAlone      uint64 // limit decisions made by this process alone because the shared bus did not answer
	Failures         uint64 // calls the shared bus failed or did not answer in time
}
