// Package screen is what people see and touch: it serves the kiosk's screen on 127.0.0.1 to a full-screen browser.
//
// What is shown is decided here and not in the browser: a Flow (a table of what happens in which state) turns touches, calls,
// scans and time into the next screen and into what is to be written. The browser draws what it is answered, so that one that is
// killed and started again shows where it was. Without its script the screen works too, by forms.
//
// The newest tab is the screen; an older one says so. A touch names the screen it was made on (its revision): a double tap, or one
// that was on its way while the screen changed, does nothing.
package screen

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/kiosk-client/clock"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Journal keeps what was touched. What it answered without an error is durable.
type Journal interface {
	Begin(ctx context.Context, start journal.Start) (ratingID string, err error)
	Change(ctx context.Context, ratingID string, answers journal.Answers) error
	Confirm(ctx context.Context, ratingID string, private *pb.Private) error
	Seal(ctx context.Context, ratingID string) error
	Status(ctx context.Context) (journal.Status, error)
	// Setting and KeepSetting keep small values under a name; nil = none.
	Setting(ctx context.Context, name string) ([]byte, error)
	KeepSetting(ctx context.Context, name string, value []byte) error
}

// Uplink is the server's side of things. Nothing here waits for it but the set-up screen.
type Uplink interface {
	State() uplink.State
	Configuration() *pb.Configuration
	Photo(officialID string) ([]byte, bool)
	Changed() <-chan struct{}
	Enroll(ctx context.Context, server, code string) error
	Wake() // something was sealed
}

// Options of a screen. Journal and Uplink are needed.
type Options struct {
	Journal Journal
	Uplink  Uplink
	Clock   clock.Clock  // nil = clock.System()
	Logger  *slog.Logger // nil = slog.Default()

	Listen  string // on this machine only; "" = 127.0.0.1:0
	Folder  string // of the device's state: languages, prompts; "" = neither
	Server  string // where the set-up screen enrols; "" = it asks
	Version string // of the program, for the staff

	HookToken  string // lets a queue system and the pages of officials call; "" = nobody calls
	HookListen string // a second address, in the office's network, for them alone; "" = they call on Listen only
}

// minToken is the least length of a hook's token, in bytes.
const minToken = 16

// Screen is the kiosk's screen.
type Screen struct {
	options   Options
	log       *slog.Logger
	listener  net.Listener
	hooks     net.Listener // nil = none
	templates *template.Template
	assets    map[string]asset
	languages map[string]words
	prompts   *os.Root // nil = none
	process   string   // names this start, to the tabs
	pins      pins
	enrolling chan Act

	mu       sync.Mutex // guards what follows, and is held while the journal writes: touches are taken one after the other
	flow     *Flow
	tab      string // the newest; "" before the first
	tabs     int
	watching int           // tabs that listen
	changed  chan struct{} // closed at the next change of what is shown
	unsealed []string      // ratings whose sealing failed; tried again
	link     uplink.State  // as last seen
	codes    map[string]template.HTML
	troubles []string // of the journal, as last seen
}

// New opens the listeners and reads what is in the folder. Serve must follow.
func New(options Options) (*Screen, error) {
	if options.Journal == nil || options.Uplink == nil {
		return nil, errors.New("screen: a journal and an uplink are needed")
	}
	if options.Clock == nil {
		options.Clock = clock.System()
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	if options.Listen == "" {
		options.Listen = "127.0.0.1:0"
	}
	if options.HookToken != "" && len(options.HookToken) < minToken || options.HookListen != "" && options.HookToken == "" {
		return nil, fmt.Errorf("screen: a hook needs a token of at least %d characters", minToken)
	}
	if err := onlyHere(options.Listen); err != nil {
		return nil, err
	}
	s := &Screen{
		options: options, log: options.Logger, process: rand.Text(), changed: make(chan struct{}), enrolling: make(chan Act, 1),
		pins: newPINs(), codes: map[string]template.HTML{},
	}
	var err error
	if s.templates, err = parseTemplates(); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.languages, err = loadLanguages(options.Folder, s.log); err != nil {
		return nil, err
	}
	s.flow = NewFlow(s.now())
	if s.listener, err = net.Listen("tcp", options.Listen); err != nil {
		return nil, err
	}
	if options.HookListen != "" {
		if s.hooks, err = net.Listen("tcp", options.HookListen); err != nil {
			return nil, errors.Join(err, s.listener.Close())
		}
	}
	if s.prompts, err = openPrompts(options.Folder); err != nil {
		return nil, errors.Join(err, s.closeListeners())
	}
	return s, nil
}

// onlyHere refuses an address that others could reach.
func onlyHere(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("screen: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("screen: %q is not an address of this machine alone", address)
	}
	return nil
}

func (s *Screen) closeListeners() error {
	err := s.listener.Close()
	if s.hooks != nil {
		err = errors.Join(err, s.hooks.Close())
	}
	return err
}

// Addr is where the screen is served, "127.0.0.1:PORT".
func (s *Screen) Addr() string { return s.listener.Addr().String() }

// URL is what the browser opens.
func (s *Screen) URL() string { return "http://" + s.Addr() + "/" }

// HookAddr is the second address; "" where there is none.
func (s *Screen) HookAddr() string {
	if s.hooks == nil {
		return ""
	}
	return s.hooks.Addr().String()
}

// State is what the screen shows, for the heartbeat.
func (s *Screen) State() pb.ScreenState {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.flow.state == Setup || s.flow.state == Ready:
		return pb.ScreenState_SCREEN_STATE_SETUP
	case s.flow.state == Closed:
		return pb.ScreenState_SCREEN_STATE_OUT_OF_SERVICE
	case s.watching == 0:
		return pb.ScreenState_SCREEN_STATE_NO_BROWSER
	case s.flow.state == Idle:
		return pb.ScreenState_SCREEN_STATE_IDLE
	}
	return pb.ScreenState_SCREEN_STATE_BUSY
}

// Serve shows the screen until the context ends. It closes the listeners; a rating being given stays open in the journal, which seals it at
// its next start.
func (s *Screen) Serve(ctx context.Context) error {
	if s.prompts != nil {
		defer func() { _ = s.prompts.Close() }()
	}
	s.readShifts(ctx)
	s.configure(ctx)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	servers := []*http.Server{s.server(ctx, s.handler())}
	listeners := []net.Listener{s.listener}
	if s.hooks != nil {
		servers, listeners = append(servers, s.server(ctx, s.hookHandler())), append(listeners, s.hooks)
	}
	failed := make(chan error, len(servers))
	var running sync.WaitGroup
	for i, server := range servers {
		running.Go(func() { failed <- server.Serve(listeners[i]) })
	}
	running.Go(func() { s.watch(ctx) })
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel()
	for _, server := range servers {
		stop, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		if server.Shutdown(stop) != nil {
			_ = server.Close()
		}
		done()
	}
	running.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

func (s *Screen) server(ctx context.Context, handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// beat is how often time is looked at; once in slowly beats what waits is tried again.
const (
	beat   = 200 * time.Millisecond
	slowly = 25
)

// watch lets time pass, takes over what the uplink learned, and enrols.
func (s *Screen) watch(ctx context.Context) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	var enrolments sync.WaitGroup
	defer enrolments.Wait()
	news := s.options.Uplink.Changed()
	s.configure(ctx) // what changed before the channel was asked for
	for beats := 1; ; beats++ {
		select {
		case <-ctx.Done():
			return
		case <-news:
			news = s.options.Uplink.Changed()
			s.configure(ctx)
		case act := <-s.enrolling:
			enrolments.Go(func() { s.enrol(ctx, act) })
		case <-ticker.C:
			s.event(ctx, Event{Name: Tick})
			if beats%slowly == 1 {
				s.sealAgain(ctx)
				s.lookAtJournal(ctx)
			}
		}
	}
}

func (s *Screen) now() Moment {
	return Moment{Wall: s.options.Clock.Now(), Since: s.options.Clock.SinceStart()}
}

// configure takes over what the uplink knows now.
func (s *Screen) configure(ctx context.Context) {
	state, configuration := s.options.Uplink.State(), s.options.Uplink.Configuration()
	s.mu.Lock()
	defer s.mu.Unlock()
	same := s.flow.setting.Configuration == configuration && s.flow.setting.Enrolled == state.Enrolled
	quiet := s.link.Connected != state.Connected || s.link.Trouble != state.Trouble
	s.link = state
	if !same {
		clear(s.codes)
		for _, place := range configuration.GetPlaces() {
			s.codeOf(place.GetFormUrl(), s.languages["vi"].Text("kiosk.thanks.code"))
		}
		s.handle(ctx, Event{Name: Configured, Setting: Setting{Enrolled: state.Enrolled, Configuration: configuration}})
	} else if quiet && s.flow.state == Idle || s.flow.state == Staff {
		s.tell()
	}
}

// event tells the flow what happened and does what it asks for.
func (s *Screen) event(ctx context.Context, e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handle(ctx, e)
}

// handle is event for who holds the lock.
func (s *Screen) handle(ctx context.Context, e Event) {
	revision, warned, problem := s.flow.revision, s.flow.warned, s.flow.problem.key
	for _, act := range s.flow.Handle(s.now(), e) {
		s.perform(ctx, act)
	}
	if revision != s.flow.revision || warned != s.flow.warned || problem != s.flow.problem.key {
		s.tell()
	}
}

// tell has the tabs look again. The lock is held.
func (s *Screen) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// trimmed is a server's address as people write it.
func trimmed(server string) string { return strings.TrimRight(strings.TrimSpace(server), "/") }
