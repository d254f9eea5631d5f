package bus

import "context"

// Event is one thing a subscriber hears.
type Event struct {
	// Missed says that events may have been lost before this one: whoever keeps a cache by the feed drops all of
	// it, whoever shows a figure reads it again. Topic and Body are empty. While the bus is away, Missed is said
	// again every few seconds, so that a cache never grows older than that unnoticed.
	Missed bool
	Topic  string
	Body   []byte // shared with other subscribers: not to be changed
}

// Feed tells every process what just happened: live figures, and what caches must forget (a device revoked, a session
// ended, the directory changed).
type Feed interface {
	// Publish tells all subscribers of topic, in this process too. topic is at most MaxName bytes, body at most
	// MaxBody. Subscribers may hear an event twice. When it fails, subscribers of this process heard it
	// nevertheless. ErrUnavailable, ErrInvalid, ErrClosed.
	Publish(ctx context.Context, topic string, body []byte) error
	// Subscribe hears topics until ctx ends or the bus is closed, which closes the channel. What is published after
	// Subscribe returned is heard or told as Missed: so subscribe first, then read what is to be cached. A
	// subscriber that reads slowly loses the oldest events and hears Missed instead.
	Subscribe(ctx context.Context, topics ...string) <-chan Event
}
