// Package fault is the one kind of error that leaves a package of Hailong for a person: a code that programs
// act on, a reason that a catalogue turns into words, and a cause that only the log sees.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Code says what kind of fault it is. There is one map from codes to gRPC status, in the server.
type Code string

// The codes.
const (
	Invalid         Code = "invalid"         // the request cannot be right, whenever it is sent
	NotFound        Code = "not_found"       // what it names is not there, or not for the caller
	Exists          Code = "exists"          // it is there already
	Stale           Code = "stale"           // somebody else changed it meanwhile
	Unauthenticated Code = "unauthenticated" // who is asking is not known
	Denied          Code = "denied"          // who is asking may not
	Exhausted       Code = "exhausted"       // too much or too often; again later
	Unavailable     Code = "unavailable"     // a part is down; again later
	Internal        Code = "internal"        // a fault of ours; nothing inside is told
)

// Error is a typed fault. Reason is a stable key such as "unit_unknown"; the catalogue entry
// "fault."+Reason holds its words, with {name} where Args gives a value.
type Error struct {
	Code   Code
	Reason string
	Args   []any // name, value, name, value, ...
	Cause  error
}

// New makes a fault. args are pairs of a name and a value for the catalogue's text.
func New(code Code, reason string, args ...any) *Error {
	return &Error{Code: code, Reason: reason, Args: args}
}

// Because keeps the cause for the log.
func (e *Error) Because(cause error) *Error {
	with := *e
	with.Cause = cause
	return &with
}

// Error is for the log, never for a person.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code) + ": " + e.Reason)
	for i := 0; i+1 < len(e.Args); i += 2 {
		fmt.Fprintf(&b, " %v=%v", e.Args[i], e.Args[i+1])
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

// Unwrap answers the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Of finds the fault in err; what is not one of ours is internal.
func Of(err error) *Error {
	var fault *Error
	if errors.As(err, &fault) {
		return fault
	}
	return &Error{Code: Internal, Reason: "internal", Cause: err}
}

// Is tells whether err is a fault of this code.
func Is(err error, code Code) bool { return err != nil && Of(err).Code == code }
