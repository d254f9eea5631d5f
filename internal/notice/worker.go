package notice

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
)

// Outcome is what came of an attempt, in words in the catalogue as "notice.outcome.<key>".
type Outcome string

// The outcomes.
const (
	OutcomeSent        Outcome = "sent"
	OutcomeUnreachable Outcome = "unreachable" // no connection, or it broke
	OutcomeTimeout     Outcome = "timeout"     // it was too slow
	OutcomeTLS         Outcome = "tls"         // no connection that is safe
	OutcomeInside      Outcome = "inside"      // the address leads inside
	OutcomeRedirect    Outcome = "redirect"    // it sent us elsewhere, where we do not go
	OutcomeStatus      Outcome = "status"      // it answered otherwise than with success
	OutcomeRefused     Outcome = "refused"     // it will not take this one, ever
	OutcomeSignIn      Outcome = "sign_in"     // the server of e-mail does not know us
	OutcomeUnwanted    Outcome = "unwanted"    // nobody wants it any more
	OutcomeOurs        Outcome = "ours"        // a fault of ours
)

// failure is why an attempt came to nothing.
type failure struct {
	outcome Outcome
	status  int
	final   bool // trying again is of no use
	down    bool // others of the lane would fare no better now
	cause   error
}

func (f *failure) Error() string {
	if f.cause == nil {
		return string(f.outcome)
	}
	return string(f.outcome) + ": " + f.cause.Error()
}

func (f *failure) Unwrap() error { return f.cause }

// failureOf makes a failure of whatever went wrong.
func failureOf(err error) *failure {
	var known *failure
	if errors.As(err, &known) {
		return known
	}
	return &failure{outcome: OutcomeOurs, cause: err}
}

const (
	lease       = 2 * time.Minute // a worker that died holds a delivery so long
	maxAttempts = 40              // about a week, at the pace of pause
	perDrain    = 500             // deliveries of a lane at a stretch
	maxParallel = 32              // lanes at once
	firstPause  = 30 * time.Second
	longest     = 6 * time.Hour
	lanePause   = 2 * time.Second
	longestLane = time.Minute
)

// pause is how long a delivery waits after so many attempts: twice as long each time, up to six hours, spread so that not all that
// failed together come back together.
func pause(attempts int, random float64) time.Duration {
	wait := longest
	if attempts < 12 {
		wait = min(firstPause<<max(attempts-1, 0), longest)
	}
	return time.Duration(float64(wait) * (0.8 + 0.4*random))
}

// lane is how one address for deliveries is doing, as far as this process knows. Guarded by Notices.mu.
type lane struct {
	busy     bool
	failures int
	until    time.Time // nothing is tried before
}

// enter takes a lane for one goroutine of this process; false where another has it, or where it rests.
func (n *Notices) enter(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lanes[name] == nil {
		n.lanes[name] = &lane{}
	}
	l := n.lanes[name]
	if l.busy || n.Now().Before(l.until) {
		return false
	}
	l.busy = true
	return true
}

func (n *Notices) leave(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lanes[name].busy = false
}

// rest lets a lane wait whose other end is down.
func (n *Notices) rest(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.lanes[name]
	l.failures++
	l.until = n.Now().Add(min(lanePause<<min(l.failures-1, 10), longestLane))
}

// resume lets a lane go on at once.
func (n *Notices) resume(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l := n.lanes[name]; l != nil {
		l.failures, l.until = 0, time.Time{}
	}
}

// Run sends what is due, and digests, until ctx ends; it returns nil then. Any number of processes may run it on one store.
func (n *Notices) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	if n.Digest != nil {
		running.Go(func() { n.runDigests(ctx) })
	}
	ticker := time.NewTicker(n.Every)
	defer ticker.Stop()
	slots := make(chan struct{}, maxParallel)
	for ctx.Err() == nil {
		n.each(ctx, &running, slots)
		select {
		case <-ticker.C:
		case <-n.wake:
		case <-ctx.Done():
		}
	}
	return nil
}

// Deliver sends what is due now, and returns when each was tried.
func (n *Notices) Deliver(ctx context.Context) {
	var running sync.WaitGroup
	n.each(ctx, &running, make(chan struct{}, maxParallel))
	running.Wait()
}

// each starts on every lane that nobody of this process is on.
func (n *Notices) each(ctx context.Context, running *sync.WaitGroup, slots chan struct{}) {
	names := []string{}
	if n.Mailer != nil {
		names = append(names, laneEmail)
	}
	hooks, err := n.all(ctx)
	if err != nil && ctx.Err() == nil {
		n.Logger.WarnContext(ctx, "webhooks cannot be read", "error", err)
	}
	for _, hook := range hooks {
		if hook.Paused == "" {
			names = append(names, hook.ID)
		}
	}
	for _, name := range names {
		if !n.enter(name) {
			continue
		}
		running.Go(func() {
			defer n.leave(name)
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				if err := n.drain(ctx, name); err != nil && ctx.Err() == nil {
					n.Logger.WarnContext(ctx, "deliveries cannot be made", "lane", name, "error", err)
				}
			case <-ctx.Done():
			}
		})
	}
}

// drain tries what is due of a lane, one after the other.
func (n *Notices) drain(ctx context.Context, name string) error {
	for range perDrain {
		now := store.Milliseconds(n.Now())
		due, err := n.deliveries.First(ctx, store.Query{Index: byLane, Equal: []any{name}, To: now.Add(time.Millisecond)})
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		d := due.Value
		d.Attempts++
		d.NextAt = now.Add(lease)
		_, err = n.deliveries.Replace(ctx, d.ID, d, due.Version)
		if errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrNotFound) { // another worker took it
			continue
		}
		if err != nil {
			return err
		}
		down, err := n.attempt(ctx, d)
		if err != nil || down {
			return err
		}
	}
	n.hurry()
	return nil
}

// attempt tries a delivery that this worker claimed and notes what came of it; down tells that the lane should rest.
func (n *Notices) attempt(ctx context.Context, d Delivery) (down bool, err error) {
	began := n.Now()
	status, err := n.send(ctx, d)
	if err != nil && ctx.Err() != nil { // the program ends: nothing is known, so the next one tries again at once
		_, err := n.deliveries.Update(context.WithoutCancel(ctx), d.ID, func(kept *Delivery) (bool, error) {
			if kept.State != Waiting || kept.Attempts != d.Attempts {
				return false, nil
			}
			kept.Attempts, kept.NextAt = kept.Attempts-1, store.Milliseconds(n.Now())
			return true, nil
		})
		return true, err
	}
	tried := Attempt{At: store.Milliseconds(began), Milliseconds: n.Now().Sub(began).Milliseconds(), Outcome: OutcomeSent, Status: status}
	var why *failure
	if err != nil {
		why = failureOf(err)
		tried.Outcome, tried.Status = why.outcome, why.status
		n.Logger.InfoContext(ctx, "a delivery was not made", "channel", channelOf(d), "lane", d.Channel, "delivery", d.PublicID(), "attempt", d.Attempts, "outcome", why.outcome, "status", why.status)
	}
	n.Observe(channelOf(d), string(tried.Outcome))
	kept, err := n.note(ctx, d, tried, why)
	if err != nil {
		return false, err
	}
	if d.Channel != laneEmail && tried.Outcome != OutcomeUnwanted {
		if err := n.judge(ctx, d.Channel, why); err != nil {
			return false, err
		}
	}
	switch {
	case why == nil:
		n.resume(d.Channel)
	case why.down:
		n.rest(d.Channel)
		return true, nil
	case kept.State == Waiting && !kept.NextAt.After(n.Now()): // it would only be tried again in this very loop
		return true, nil
	}
	return false, nil
}

func channelOf(d Delivery) string {
	if d.Channel == laneEmail {
		return laneEmail
	}
	return "webhook"
}

// note writes what came of an attempt. Another worker may have come between, where this one was slower than its lease: then both stand in the log, and
// what was sent stays sent.
func (n *Notices) note(ctx context.Context, d Delivery, tried Attempt, why *failure) (Delivery, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	kept, err := n.deliveries.Update(ctx, d.ID, func(kept *Delivery) (bool, error) {
		kept.tried(tried)
		switch {
		case why == nil:
			kept.end(Sent)
		case kept.State != Waiting:
		case why.outcome == OutcomeUnwanted:
			kept.end(Dropped)
		case why.final || kept.Attempts >= maxAttempts:
			kept.end(GivenUp)
		case kept.Attempts == d.Attempts:
			kept.NextAt = store.Milliseconds(n.Now().Add(pause(kept.Attempts, rand.Float64()))) //nolint:gosec // spreads load, keeps no secret
		}
		return true, nil
	})
	if errors.Is(err, store.ErrNotFound) { // it expired meanwhile
		return d, nil
	}
	return kept, err
}

// send makes one attempt and answers what the other side said; errors are failures.
func (n *Notices) send(ctx context.Context, d Delivery) (status int, err error) {
	if d.Channel == laneEmail {
		return n.sendMail(ctx, d)
	}
	hook, _, err := n.hooks.Get(ctx, d.Channel)
	if errors.Is(err, store.ErrNotFound) {
		return 0, &failure{outcome: OutcomeUnwanted}
	}
	if err != nil {
		return 0, &failure{outcome: OutcomeOurs, cause: err}
	}
	return n.post(ctx, hook, d)
}
