package server

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/device"
	"github.com/hailong-vn/hailong/internal/duty/roster"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	// topicRemedies is where processes tell each other that a unit's remedies changed: the unit's id.
	topicRemedies = "remedies"
	// settle is how long a change waits for others that come with it.
	settle = 100 * time.Millisecond
	// spreadEach is how much later each further watcher looks after a change that concerns many, and spreadMost the latest: ten
	// thousand devices do not all ask the store in one moment.
	spreadEach, spreadMost = time.Millisecond, 10 * time.Second
	// echoAfter is when devices look once more after a change: what processes remember of duties and remedies may be so old.
	echoAfter = 20 * time.Second
	maxEchoes = 10_000
	// lookAgain is when a device looks though nothing was told: what a lost hint costs.
	lookAgain = 5 * time.Minute
	// retryAfter is when a configuration that could not be read is read again.
	retryAfter = 10 * time.Second
	maxKept    = 50_000
)

// watchLimit bounds how often a device may begin to watch: two copies of one disk end each other's streams by turns.
var watchLimit = bus.Limit{Rate: 6, Per: time.Minute, Burst: 20}

// configurations tells devices of this process when their configuration may have changed, and remembers which version holds.
type configurations struct {
	*application

	mu       sync.Mutex
	watchers map[string]*configurationWatcher // by device: the newest
	kept     map[string]keptVersion           // by device
	echoes   []echo
	changes  uint64 // that were heard of
	day      localday.Day
	revision int64
}

// keptVersion is the version of a device's configuration.
type keptVersion struct {
	version string
	units   []string
	at      time.Time
	until   time.Time // zero = open
}

func (k keptVersion) holds(now time.Time) bool {
	return now.Sub(k.at) < lookAgain && (k.until.IsZero() || now.Before(k.until))
}

// configurationWatcher is one stream.
type configurationWatcher struct {
	deviceID string
	end      context.CancelCauseFunc
	changed  chan struct{} // one waiting signal at most

	mu    sync.Mutex
	due   time.Time // of the next look, by the machine's own clock; zero = none
	units []string
	next  time.Time // by the clock of the program: when it looks though nothing was told; zero while it looks
}

// concern is what a change concerns: a device, a unit with all below it, or, where both are empty, everything.
type concern struct{ device, unit string }

type echo struct {
	concern
	at time.Time
}

func newConfigurations(a *application) *configurations {
	return &configurations{application: a, watchers: map[string]*configurationWatcher{}, kept: map[string]keptVersion{},
		day: a.directory.Tree().Today(), revision: a.directory.Revision()}
}

// hears hears of everything that changes configurations.
func (c *configurations) hears(ctx context.Context) <-chan bus.Event {
	return c.bus.Subscribe(ctx, device.Topic, topicDirectory, roster.Topic, topicRemedies)
}

// run tells devices of changes until ctx ends.
func (c *configurations) run(ctx context.Context, events <-chan bus.Event) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event, ok := <-events:
			if !ok {
				return
			}
			c.hear(ctx, event)
		case <-ticker.C:
			c.tick()
		}
	}
}

func (c *configurations) hear(ctx context.Context, event bus.Event) {
	switch {
	case event.Missed:
		c.change(concern{}, true)
	case event.Topic == device.Topic:
		c.change(concern{device: string(event.Body)}, false)
	case event.Topic == topicDirectory:
		if err := c.directory.Refresh(ctx); err != nil && ctx.Err() == nil {
			return // it is refreshed from time to time too, and then noticed by its revision
		}
		c.turned()
	default:
		c.change(concern{unit: string(event.Body)}, true)
	}
}

// turned looks whether the directory or the day is another one.
func (c *configurations) turned() {
	day, revision := c.directory.Tree().Today(), c.directory.Revision()
	c.mu.Lock()
	same := day == c.day && revision == c.revision
	c.day, c.revision = day, revision
	c.mu.Unlock()
	if !same {
		c.change(concern{}, false)
	}
}

// tick looks what time alone has changed.
func (c *configurations) tick() {
	c.turned()
	now := c.Clock()
	c.mu.Lock()
	var again []concern
	for len(c.echoes) > 0 && !now.Before(c.echoes[0].at) {
		again = append(again, c.echoes[0].concern)
		c.echoes = c.echoes[1:]
	}
	for _, w := range c.watchers {
		w.mu.Lock()
		late := !w.next.IsZero() && !now.Before(w.next)
		w.mu.Unlock()
		if late {
			w.look(0)
		}
	}
	c.mu.Unlock()
	for _, concerned := range again {
		c.change(concerned, false)
	}
}

// change makes the devices it concerns look again. echoed ones do so once more a little later.
func (c *configurations) change(of concern, echoed bool) {
	tree := c.directory.Tree()
	concerned := func(deviceID string, units []string) bool {
		switch {
		case of.device != "":
			return deviceID == of.device
		case of.unit != "":
			return slices.ContainsFunc(units, func(unit string) bool { return tree.Within(unit, of.unit) })
		}
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	for id, kept := range c.kept {
		if concerned(id, kept.units) {
			delete(c.kept, id)
		}
	}
	var many []*configurationWatcher
	for id, w := range c.watchers {
		w.mu.Lock()
		units := w.units
		w.mu.Unlock()
		if concerned(id, units) || len(units) == 0 && of.device == "" { // it is about to learn its first
			many = append(many, w)
		}
	}
	spread := min(time.Duration(len(many)-1)*spreadEach, spreadMost)
	for _, w := range many {
		w.look(settle + jitter(spread))
	}
	if !echoed {
		return
	}
	if len(c.echoes) >= maxEchoes {
		c.echoes, of = nil, concern{}
	}
	c.echoes = append(c.echoes, echo{of, c.Clock().Add(echoAfter)})
}

func jitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return rand.N(most) //nolint:gosec // spreads load, keeps no secret
}

// look makes the watcher look after a while, or earlier if it was to already.
func (w *configurationWatcher) look(after time.Duration) {
	due := time.Now().Add(after)
	w.mu.Lock()
	if w.due.IsZero() || due.Before(w.due) {
		w.due = due
	}
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// wait waits until it is time to look.
func (w *configurationWatcher) wait(ctx context.Context) error {
	for {
		w.mu.Lock()
		due := w.due
		w.mu.Unlock()
		var timer *time.Timer
		var fire <-chan time.Time
		if !due.IsZero() {
			timer = time.NewTimer(time.Until(due))
			fire = timer.C
		}
		select {
		case <-ctx.Done():
			if timer != nil {
				timer.Stop()
			}
			return context.Cause(ctx)
		case <-w.changed:
			if timer != nil {
				timer.Stop()
			}
		case <-fire:
			w.mu.Lock()
			w.due, w.next = time.Time{}, time.Time{} // what changes from here on is looked at again
			w.mu.Unlock()
			return nil
		}
	}
}

// join makes the watcher the device's own; one it had before ends.
func (c *configurations) join(w *configurationWatcher) {
	c.mu.Lock()
	older := c.watchers[w.deviceID]
	c.watchers[w.deviceID] = w
	c.mu.Unlock()
	if older != nil {
		older.end(fault.New(fault.Stale, "device_other_watches"))
	}
}

func (c *configurations) leave(w *configurationWatcher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watchers[w.deviceID] == w {
		delete(c.watchers, w.deviceID)
	}
}

// begin is asked before a configuration is made that is to be kept.
func (c *configurations) begin() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changes
}

// keep remembers which version holds for a device, unless something changed while it was made.
func (c *configurations) keep(deviceID string, made configured, begun uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes != begun {
		return
	}
	if len(c.kept) >= maxKept {
		clear(c.kept)
	}
	c.kept[deviceID] = keptVersion{version: made.message.GetVersion(), units: made.units, at: c.Clock(), until: made.until}
}

// configurationVersion is the version that holds for a device: what a heartbeat is answered. Where it cannot be told it is the one the
// device has, so that it does not ask for what is not to be had.
func (a *application) configurationVersion(ctx context.Context, deviceID, known string) string {
	c := a.configurations
	c.mu.Lock()
	kept, ok := c.kept[deviceID]
	c.mu.Unlock()
	if ok && kept.holds(a.Clock()) {
		return kept.version
	}
	begun := c.begin()
	made, err := a.configure(ctx, deviceID)
	if err != nil {
		a.Logger.DebugContext(ctx, "a heartbeat is answered without the configuration's version", "device", deviceID, "error", err)
		return known
	}
	c.keep(deviceID, made, begun)
	return made.message.GetVersion()
}

// WatchConfiguration outlives the token it was begun with, so that ten thousand devices do not begin anew every hour; it ends when the
// device is revoked or enrolled anew.
func (s deviceService) WatchConfiguration(request *pb.WatchConfigurationRequest, stream grpc.ServerStreamingServer[pb.Configuration]) error {
	id := request.GetDeviceId()
	if err := itself(stream.Context(), id); err != nil {
		return err
	}
	if decision := s.bus.Allow(stream.Context(), "watch-configuration/"+id, watchLimit, 1); !decision.Allowed {
		return fault.New(fault.Exhausted, "device_watch_too_often", "seconds", int(math.Ceil(decision.RetryAfter.Seconds())))
	}
	ctx, end := context.WithCancelCause(stream.Context())
	defer end(nil)
	// A server that stops does not wait for its watchers.
	defer context.AfterFunc(s.ending, func() { end(fault.New(fault.Unavailable, "server_stopping")) })()
	w := &configurationWatcher{deviceID: id, end: end, changed: make(chan struct{}, 1)}
	s.configurations.join(w)
	defer s.configurations.leave(w)
	// The caller learns that it is heard before anything changes.
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	var enrolments int64
	for known := request.GetKnownVersion(); ; {
		made, err := s.lookFor(ctx, w)
		switch {
		case err == nil && enrolments != 0 && made.enrolments != enrolments: // this one does not have the key any more
			return fault.New(fault.Unauthenticated, "device_token_ended")
		case err == nil && made.message.GetVersion() != known:
			if err := stream.Send(made.message); err != nil {
				return err
			}
			known = made.message.GetVersion()
		case err == nil:
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case known == "" || !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Internal): // who has none yet should know
			return err
		default:
			s.Logger.WarnContext(ctx, "a device's configuration cannot be read", "device", id, "error", err)
			w.look(retryAfter + jitter(retryAfter))
		}
		enrolments = max(enrolments, made.enrolments)
		if err := w.wait(ctx); err != nil {
			return err
		}
	}
}

// lookFor makes the watcher's configuration, and notes when it has to look again though nothing was told.
func (a *application) lookFor(ctx context.Context, w *configurationWatcher) (configured, error) {
	c := a.configurations
	begun := c.begin()
	made, err := a.configure(ctx, w.deviceID)
	if err != nil {
		return made, err
	}
	c.keep(w.deviceID, made, begun)
	next := a.Clock().Add(lookAgain + jitter(lookAgain/5))
	if !made.until.IsZero() && made.until.Before(next) {
		next = made.until
	}
	w.mu.Lock()
	w.units, w.next = made.units, next
	w.mu.Unlock()
	return made, nil
}
