// Package uplink is how a device reaches the server: it enrols, proves who it is, sends what the journal has sealed, tells how the
// device is, and keeps the configuration and the photos it works by. It tries for ever, and nothing waits for it: with
// no server the device works from what it keeps.
//
// Ratings travel by one stream, in the order of their sequences, a few batches ahead of the answers. An answer of STORED or
// DUPLICATE is an acknowledgement; CONFLICT and REJECTED with a quarantine id have arrived too. What comes back without
// one has not: the journal holds it and it is tried again slowly, while those after it go on.
package uplink

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/kiosk-client/clock"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Options of an uplink. Journal is required; the zero value of everything else is good.
type Options struct {
	Journal    *journal.Journal
	Server     string            // https://host:port; empty = where the device was enrolled
	AllowPlain bool              // http:// is allowed to other machines too: whoever listens reads the words people wrote
	Roots      *x509.CertPool    // whom certificates are believed from; nil = the machine's
	Version    string            // of the program, told in heartbeats
	MachineID  string            // see MachineID; empty = it cannot be told
	Clock      clock.Clock       // nil = clock.System()
	Logger     *slog.Logger      // nil = nothing is logged
	Random     func() float64    // 0 to 1, for the jitter; nil = math/rand
	Dial       []grpc.DialOption // further ones, for simulators and tests

	HeartbeatEvery time.Duration // 0 = a minute
	RetryHeldEvery time.Duration // what came back is tried again; 0 = 30 minutes
	BatchItems     int           // ratings sent together; 0 = 500
	BatchBytes     int           // 0 = 512 KB
}

// State is how the uplink is.
type State struct {
	Enrolled    bool
	Connected   bool
	DeviceName  string
	LastContact time.Time // by the device's clock; zero before the first since the start
	Trouble     string    // one of the codes below, or empty
	Queue       uint64    // ratings that wait to be acknowledged
	Skew        time.Duration
}

// The troubles.
const (
	TroubleUnreachable     = "server_unreachable" // no answer, or one of a server that is not ready
	TroubleCertificate     = "certificate"        // the server's certificate is expired, of another name, or of nobody known
	TroublePortal          = "portal"             // something else answers: a sign-in page of the network
	TroubleClock           = "clock"              // the device's clock is wrong by more than two minutes
	TroubleRevoked         = "revoked"            // an administrator revoked the device
	TroubleUnauthenticated = "unauthenticated"    // the server knows another key, or none: the device must enrol again
	TroubleCopied          = "copied"             // this machine is not the one that was enrolled: the disk is a copy
	TroubleCloned          = "cloned"             // another machine speaks with this device's identity
)

// wrongClock is how far a clock may be off.
const wrongClock = 2 * time.Minute

// Uplink is a device's way to its server. Its methods may be called by many goroutines.
type Uplink struct {
	options Options
	journal *journal.Journal
	log     *slog.Logger
	clock   clock.Clock
	photos  *photos
	wake    chan struct{} // something was sealed
	anew    chan struct{} // enrolled, or to be tried again at once
	held    chan struct{} // what is held may be tried again

	mu            sync.Mutex
	state         State
	screen        pb.ScreenState
	configuration *pb.Configuration
	changed       chan struct{}
	rewound       rewinding
	jumps         jumps
	batchBytes    int
	batchItems    int
}

// New makes an uplink with the configuration that was kept last. Run makes it work.
func New(ctx context.Context, options Options) (*Uplink, error) {
	if options.Clock == nil {
		options.Clock = clock.System()
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Random == nil {
		options.Random = rand.Float64
	}
	if options.HeartbeatEvery <= 0 {
		options.HeartbeatEvery = time.Minute
	}
	if options.RetryHeldEvery <= 0 {
		options.RetryHeldEvery = 30 * time.Minute
	}
	if options.BatchItems <= 0 || options.BatchItems > maxItems {
		options.BatchItems = 500
	}
	if options.BatchBytes <= 0 {
		options.BatchBytes = 512 << 10
	}
	if options.Server != "" {
		if _, err := parseServer(options.Server, options.AllowPlain); err != nil {
			return nil, err
		}
	}
	u := &Uplink{options: options, journal: options.Journal, log: options.Logger, clock: options.Clock, wake: make(chan struct{}, 1), anew: make(chan struct{}, 1),
		held: make(chan struct{}, 1), changed: make(chan struct{}), batchBytes: options.BatchBytes, batchItems: options.BatchItems}
	var err error
	if u.photos, err = openPhotos(options.Journal.Folder()); err != nil {
		return nil, err
	}
	if u.configuration, err = u.journal.Configuration(ctx); err != nil {
		// The next one from the server takes its place.
		u.log.ErrorContext(ctx, "the configuration that was kept cannot be read", "error", err)
	}
	u.refresh(ctx)
	return u, nil
}

// State answers how the uplink is, without waiting.
func (u *Uplink) State() State {
	status, _ := u.journal.Status(context.Background()) // from memory: never fails
	u.mu.Lock()
	defer u.mu.Unlock()
	state := u.state
	state.Queue = status.Queue
	return state
}

// Configuration answers what the device works by; nil before the first. Nobody may change it.
func (u *Uplink) Configuration() *pb.Configuration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.configuration
}

// Photo answers an official's photo, a JPEG; false where there is none, or none yet.
func (u *Uplink) Photo(officialID string) ([]byte, bool) {
	for _, official := range u.Configuration().GetOfficials() {
		if official.GetId() == officialID && official.GetPhotoVersion() != "" {
			return u.photos.get(officialID, official.GetPhotoVersion())
		}
	}
	return nil, false
}

// Changed is closed at the next change of State or Configuration, or when a photo came; ask again for the following one.
func (u *Uplink) Changed() <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.changed
}

// SetScreen says what the screen shows, for the next heartbeat.
func (u *Uplink) SetScreen(screen pb.ScreenState) {
	u.mu.Lock()
	u.screen = screen
	u.mu.Unlock()
}

// Wake says that something was sealed.
func (u *Uplink) Wake() { signal(u.wake) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// change changes the state and tells who waits, where it is another one.
func (u *Uplink) change(do func(*State)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	before := u.state
	do(&u.state)
	quiet := u.state
	quiet.LastContact, quiet.Skew = before.LastContact, before.Skew // these change with every heartbeat and nobody waits for them
	if quiet != before {
		u.tell()
	}
}

// tell wakes who waits for a change. The caller holds mu.
func (u *Uplink) tell() {
	close(u.changed)
	u.changed = make(chan struct{})
}

// refresh takes over who the journal says the device is; it answers whether it may speak for it.
func (u *Uplink) refresh(ctx context.Context) bool {
	who, enrolled := u.journal.Identity()
	copied := enrolled && u.options.MachineID != "" && who.MachineID != "" && who.MachineID != u.options.MachineID
	if enrolled && who.MachineID == "" && u.options.MachineID != "" {
		if err := u.journal.OnMachine(ctx, u.options.MachineID); err != nil {
			u.log.WarnContext(ctx, "the machine's name could not be kept; the next start tries again", "error", err)
		}
	}
	u.change(func(s *State) {
		s.Enrolled, s.DeviceName = enrolled, who.Name
		switch {
		case copied:
			s.Trouble, s.Connected = TroubleCopied, false
		case !enrolled || s.Trouble == TroubleCopied:
			s.Trouble = ""
		}
	})
	return enrolled && !copied
}

// Enroll makes this machine the device whose one-time code this is, at a server; "" = the one configured or enrolled at. Where the answer
// is lost, ask again with the same code. What is queued is kept: for the same device as it is, for another one under its
// name. The errors are for people: *fault.Error, or the server's own words as a gRPC status.
func (u *Uplink) Enroll(ctx context.Context, server, code string) error {
	server = u.server(server)
	if server == "" {
		return fault.New(fault.Invalid, "kioskuplink_server_missing")
	}
	address, err := parseServer(server, u.options.AllowPlain)
	if err != nil {
		return err
	}
	line, err := u.dial(address)
	if err != nil {
		return err
	}
	defer line.close()
	calls := u.calls(line)
	var other bool
	for try := range 3 {
		if try > 0 && wait(ctx, time.Duration(try)*time.Second) != nil {
			break
		}
		within, cancel := context.WithTimeout(ctx, callTime)
		other, err = calls.enroll(within, server, code)
		cancel()
		if err == nil || classify(err, line).trouble != TroubleUnreachable {
			break
		}
		if _, enrolled := u.journal.Identity(); enrolled && calls.known() {
			break // the answer came, and the first heartbeat did not: Run asks again
		}
	}
	if other {
		if failed := u.becomeOther(ctx); failed != nil {
			return failed
		}
	}
	if err != nil && !calls.known() {
		return u.explain(err, line)
	}
	u.refresh(ctx)
	u.change(func(s *State) { s.Trouble = "" })
	signal(u.anew)
	return nil
}

// becomeOther forgets what was the former device's.
func (u *Uplink) becomeOther(ctx context.Context) error {
	if err := u.journal.KeepConfiguration(ctx, nil); err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.configuration, u.rewound = nil, rewinding{}
	u.tell()
	return nil
}

// server is the address asked for, or the one configured, or the one the device was enrolled at.
func (u *Uplink) server(asked string) string {
	if asked != "" {
		return asked
	}
	if u.options.Server != "" {
		return u.options.Server
	}
	who, _ := u.journal.Identity()
	return who.Server
}

// explain turns what came of a call into words for a person.
func (u *Uplink) explain(err error, l *line) error {
	var typed *fault.Error
	if errors.As(err, &typed) || errors.Is(err, context.Canceled) {
		return err
	}
	switch found := classify(err, l); found.trouble {
	case "":
		return err
	case TroubleRevoked, TroubleUnauthenticated:
		return err // in the server's words
	default:
		return fault.New(fault.Unavailable, "kioskuplink_"+found.trouble).Because(err)
	}
}

// Run keeps the uplink working until ctx ends.
func (u *Uplink) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { u.keepHouse(ctx) })
	delay := backoff{random: u.options.Random}
	for ctx.Err() == nil {
		if !u.refresh(ctx) {
			select {
			case <-u.anew:
			case <-ctx.Done():
			}
			continue
		}
		reached, err := u.session(ctx)
		if ctx.Err() != nil {
			break
		}
		if reached {
			delay.reset()
		}
		pause := delay.next()
		u.log.WarnContext(ctx, "the server cannot be used; tried again", "in", pause, "trouble", u.State().Trouble, "error", err)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-u.anew:
			delay.reset()
		case <-ctx.Done():
		}
		timer.Stop()
	}
	u.change(func(s *State) { s.Connected = false })
	return nil
}

// keepHouse does what needs no server.
func (u *Uplink) keepHouse(ctx context.Context) {
	for {
		now := u.serverTime()
		if now.IsZero() {
			now = time.Unix(0, 0) // nothing is old by a clock that may be wrong by years; a full disk is full all the same
		}
		if err := u.journal.Prune(ctx, now); err != nil && ctx.Err() == nil {
			u.log.WarnContext(ctx, "what arrived long ago could not be deleted; tried again", "error", err)
		}
		if wait(ctx, 10*time.Minute) != nil {
			return
		}
	}
}

// serverTime is the time by the server's clock where it is known; zero otherwise.
func (u *Uplink) serverTime() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.state.LastContact.IsZero() {
		return time.Time{}
	}
	return u.clock.Now().Add(-u.state.Skew)
}

// session is one connection, from the first heartbeat to the first failure. It answers whether the server was reached.
func (u *Uplink) session(ctx context.Context) (reached bool, err error) {
	address, err := parseServer(u.server(""), u.options.AllowPlain)
	if err != nil {
		u.change(func(s *State) { s.Connected, s.Trouble = false, TroubleUnreachable })
		return false, err
	}
	line, err := u.dial(address)
	if err != nil {
		u.change(func(s *State) { s.Connected, s.Trouble = false, TroubleUnreachable })
		return false, err
	}
	defer line.close()
	calls := u.calls(line)
	defer func() {
		if err == nil || ctx.Err() != nil {
			return
		}
		found := cmp.Or(classify(err, line).trouble, TroubleUnreachable) // or it answers and cannot do its work
		u.change(func(s *State) { s.Connected, s.Trouble = false, found })
	}()
	if err := u.beat(ctx, calls); err != nil {
		return false, err
	}
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var parts sync.WaitGroup
	for _, part := range []func(context.Context, *Calls) error{u.beatOn, u.drainOn, u.watchOn} {
		parts.Go(func() { cancel(part(within, calls)) })
	}
	parts.Go(func() { // enrolled anew: another identity, perhaps another server
		select {
		case <-u.anew:
			cancel(errAnew)
			signal(u.anew)
		case <-within.Done():
		}
	})
	parts.Wait()
	if err = context.Cause(within); errors.Is(err, errAnew) {
		err = nil
	}
	return true, err
}

var errAnew = errors.New("enrolled anew")

func (u *Uplink) calls(l *line) *Calls {
	calls := NewCalls(u.journal, l.conn, u.clock)
	calls.machine = u.options.MachineID
	return calls
}

// known tells whether the server that is called gave this device its present key: the enrolment has come about.
func (c *Calls) known() bool { return c.bound.Load() }

// wait waits, unless ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// backoff doubles from a second to a minute, each with a jitter down to a half.
type backoff struct {
	random func() float64
	last   time.Duration
}

const (
	firstPause = time.Second
	maxPause   = time.Minute
)

func (b *backoff) reset() { b.last = 0 }

func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, firstPause), maxPause)
	return b.last/2 + time.Duration(b.random()*float64(b.last/2))
}
