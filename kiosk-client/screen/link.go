package screen

import "time"

// LinkState is how the way to the server is.
type LinkState struct {
	Enrolled, Connected bool
	DeviceName          string
	LastContact         time.Time
	Trouble             string
	Queue               uint64
	Skew                time.Duration
}
