package fault

import "strings"

// Faults is everything that is wrong with what somebody wrote, in the order in which it stands there: a person mends it at once.
type Faults []*Error

// Error is for the log.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "; ")
}

// Unwrap lets Of find the first.
func (f Faults) Unwrap() []error {
	all := make([]error, len(f))
	for i, one := range f {
		all[i] = one
	}
	return all
}
