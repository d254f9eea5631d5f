package server

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"buf.build/go/protovalidate"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/health"

	"github.com/hailong-vn/hailong/analytics"
	"github.com/hailong-vn/hailong/internal/analysis"
	"github.com/hailong-vn/hailong/internal/audit"
	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/bus/redisbus"
	"github.com/hailong-vn/hailong/internal/casework/actions"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/casework/coverage"
	"github.com/hailong-vn/hailong/internal/casework/office"
	"github.com/hailong-vn/hailong/internal/casework/opener"
	"github.com/hailong-vn/hailong/internal/casework/register"
	"github.com/hailong-vn/hailong/internal/citizen"
	"github.com/hailong-vn/hailong/internal/desk"
	"github.com/hailong-vn/hailong/internal/device"
	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/document/archive"
	"github.com/hailong-vn/hailong/internal/duty/roster"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/followup"
	"github.com/hailong-vn/hailong/internal/hotline"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/job"
	"github.com/hailong-vn/hailong/internal/notice"
	"github.com/hailong-vn/hailong/internal/officehours"
	"github.com/hailong-vn/hailong/internal/officehours/calendar"
	"github.com/hailong-vn/hailong/internal/ratinglist"
	"github.com/hailong-vn/hailong/internal/remedy"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
)

// application is everything opened and wired, for serving and for the commands at the machine alike.
type application struct {
	Config
	engine     store.Engine
	bus        bus.Bus
	directory  *directory.Directory
	roster     *roster.Roster
	hours      *calendar.Calendar
	office     *office.Office
	casebook   *casebook.Book
	actions    *actions.Actions
	keys       secret.Keys
	documents  *archive.Archive
	coverage   *coverage.Coverage
	opener     *opener.Opener
	registers  *register.Registers
	devices    *device.Devices
	accounts   *identity.Accounts
	intake     *intake.Service
	desk       *desk.Desk
	analysis   *analysis.Analysis
	followUps  *followup.Notes
	hotline    *hotline.Hotline
	ratingList *ratinglist.List
	gate       *citizen.Gate
	remedies   *remedy.Remedies
	metrics    *metrics
	jobs       *job.Runner
	audit      *audit.Audit
	notices    *notice.Notices
	started    time.Time
	validator  protovalidate.Validator
	health     []*health.Server

	configurations *configurations
	caseOptions    casebook.Options // of the casebook; the demonstration opens another on other days

	importSalt   []byte // derives salts of imported comments
	fresh        func(context.Context) (time.Time, error)
	grpcAddress  atomic.Value                      // string, once it listens
	filled       atomic.Bool                       // the demonstration province, where asked for, is in
	demoAccounts atomic.Pointer[[]account]         // nil until they are made
	lastHours    atomic.Pointer[officehours.Hours] // as they were read last
	ending       context.Context                   // ends when the program is asked to stop
	end          context.CancelFunc
	closers      []func() error
}

// Kinds lists every kind of document the product keeps: what a MongoDB role is made from.
func Kinds() []store.Kind {
	var all []store.Kind
	for _, kinds := range [][]store.Kind{
		audit.Kinds(), job.Kinds(),
		analytics.Kinds(), calendar.Kinds(), desk.Kinds(), device.Kinds(), directory.Kinds(), roster.Kinds(), followup.Kinds(), hotline.Kinds(), identity.Kinds(), intake.Kinds(), notice.Kinds(), remedy.Kinds(), secret.Kinds(),
		archive.Kinds(), actions.Kinds(), casebook.Kinds(), coverage.Kinds(), office.Kinds(), opener.Kinds(), register.Kinds(),
		{demoKind.Kind},
	} {
		all = append(all, kinds...)
	}
	return all
}

// open opens engine and bus and wires what stands on them.
func open(ctx context.Context, config Config) (_ *application, err error) {
	a := &application{Config: config, metrics: newMetrics(), started: config.Clock()}
	a.ending, a.end = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			_ = a.close()
		}
	}()
	if a.validator, err = protovalidate.New(); err != nil {
		return nil, err
	}
	if a.engine, err = openEngine(ctx, config); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, a.engine.Close)
	if a.bus, err = openBus(config); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, a.bus.Close)
	a.metrics.watch(a.bus)
	keys, err := loadKeys(ctx, a.engine, config)
	a.keys = keys
	if err != nil {
		return nil, err
	}
	if a.directory, err = directory.Open(ctx, a.engine, directory.Options{Now: config.Clock, Logger: config.Logger, Changed: a.directoryChanged}); err != nil {
		return nil, err
	}
	if err := a.directory.PublishBuiltIn(ctx); err != nil {
		return nil, err
	}
	if a.roster, err = roster.Open(ctx, a.engine, roster.Options{Feed: a.bus, Logger: config.Logger, Now: config.Clock}); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, closing(a.roster.Close))
	if a.hours, err = calendar.Open(ctx, a.engine, calendar.Options{Feed: a.bus, Logger: config.Logger, Now: config.Clock}); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, closing(a.hours.Close))
	if err = a.openOffice(ctx); err != nil {
		return nil, err
	}
	a.accounts, err = identity.Open(ctx, a.engine, identity.Options{Limits: a.bus, Feed: a.bus, Logger: config.Logger, Now: config.Clock})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, closing(a.accounts.Close))
	a.devices, err = device.Open(ctx, a.engine, device.Options{
		Keys: keys, Limits: a.bus, Nonces: a.bus, Feed: a.bus, Logger: config.Logger, Now: config.Clock,
	})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, closing(a.devices.Close))
	salts, err := keys.Signer("private-salt")
	if err != nil {
		return nil, err
	}
	a.importSalt = salts.Sum([]byte("import"))
	a.intake, err = intake.New(ctx, intake.Config{
		Engine: a.engine, Directory: a.directory, Devices: a.devices, Hints: hinter{a.bus},
		Contacts: keys, Salts: salts, Clock: config.Clock, Logger: config.Logger, MinimumInterval: a.minimumInterval,
		Accepted: a.ratingsAccepted,
	})
	if err != nil {
		return nil, err
	}
	forms, err := keys.Signer(citizen.SignerPurpose)
	if err != nil {
		return nil, err
	}
	a.gate = citizen.New(forms, a.bus, citizen.Options{Now: config.Clock})
	if a.remedies, err = remedy.Open(ctx, a.engine, remedy.Options{Now: config.Clock}); err != nil {
		return nil, err
	}
	if a.desk, err = desk.Open(ctx, a.engine, desk.Options{Intake: a.intake, Directory: a.directory, Salts: salts, Logger: config.Logger, Now: config.Clock}); err != nil {
		return nil, err
	}
	if err = a.openRatingList(keys); err != nil {
		return nil, err
	}
	if err = a.openDocuments(ctx, keys); err != nil {
		return nil, err
	}
	if a.fresh, err = analytics.FreshReader(ctx, a.engine); err != nil {
		return nil, err
	}
	if a.audit, err = audit.Open(ctx, a.engine, audit.Options{Now: config.Clock, Logger: config.Logger}); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, closing(a.audit.Close))
	if err = a.openNotices(ctx, keys); err != nil {
		return nil, err
	}
	if err = a.openCasebook(ctx, keys); err != nil {
		return nil, err
	}
	if err = a.openActions(ctx); err != nil {
		return nil, err
	}
	if err = a.openOpener(ctx); err != nil {
		return nil, err
	}
	if a.registers, err = register.Open(ctx, a.engine, register.Options{Book: a.casebook, Now: config.Clock}); err != nil {
		return nil, err
	}
	if a.jobs, err = a.openJobs(ctx); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, closing(a.jobs.Close))
	if a.followUps, err = followup.Open(ctx, a.engine, followup.Options{Limits: a.bus, Now: config.Clock}); err != nil {
		return nil, err
	}
	if a.hotline, err = hotline.Open(ctx, a.engine, hotline.Options{Directory: a.directory, Keys: keys, Feed: a.bus, Logger: config.Logger, Now: config.Clock}); err != nil {
		return nil, err
	}
	a.analysis = analysis.New(analysis.Config{
		Engine: a.engine, Units: a.directory, Forms: a.directory, Clock: config.Clock, MinCell: uint32(min(config.MinCell, 1<<20)), //nolint:gosec // bounded just here
		Fresh: a.fresh,
	})
	if err = a.openCoverage(ctx); err != nil {
		return nil, err
	}
	a.configurations = newConfigurations(a)
	a.metrics.registry.MustRegister(newFleetGauge(a))
	return a, nil
}

func openEngine(ctx context.Context, config Config) (store.Engine, error) {
	if config.MongoDB != "" {
		return mongodb.Open(ctx, config.MongoDB, mongodb.Options{Logger: config.Logger})
	}
	if err := os.MkdirAll(config.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	return sqlite.Open(ctx, config.Data, sqlite.Options{Logger: config.Logger, Now: config.Clock})
}

func openBus(config Config) (bus.Bus, error) {
	if config.Redis != "" {
		return redisbus.Open(config.Redis, redisbus.Options{Now: config.Clock, Log: config.Logger})
	}
	return local.New(local.Options{Now: config.Clock}), nil
}

// loadKeys makes a key file in the data folder when embedded; on MongoDB, which many processes share, the key must be given.
func loadKeys(ctx context.Context, engine store.Engine, config Config) (secret.Keys, error) {
	source := secret.Source{Text: config.ContactKey}
	if config.MongoDB == "" {
		source.Folder = config.Data
	}
	return secret.Load(ctx, engine, source)
}

func closing(f func()) func() error {
	return func() error { f(); return nil }
}

// close closes in the opposite order of opening.
func (a *application) close() error {
	a.end()
	var first error
	for i := len(a.closers) - 1; i >= 0; i-- {
		if err := a.closers[i](); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// hinter tells the workers which cells were touched.
type hinter struct{ bus bus.Hints }

func (h hinter) Touched(ctx context.Context, cells []string) {
	h.bus.PublishHint(ctx, bus.Hint{Cells: cells})
}

// topicDirectory is where processes tell each other that the directory changed.
const topicDirectory = "directory"

func (a *application) directoryChanged(int64) {
	if err := a.bus.Publish(a.ending, topicDirectory, []byte("changed")); err != nil {
		a.Logger.Warn("other processes were not told that the directory changed; they notice within seconds", "error", err)
	}
}

// start runs what goes on beside serving.
func (a *application) start(ctx context.Context, group *errgroup.Group) {
	group.Go(func() error { a.directory.Watch(ctx); return nil })
	group.Go(func() error { a.jobs.Resume(ctx); return nil })
	group.Go(func() error { return a.notices.Run(ctx) })
	group.Go(func() error { a.casebook.Run(ctx); return nil })
	group.Go(func() error { a.actions.Run(ctx); return nil })
	group.Go(func() error { a.coverage.Run(ctx); return nil })
	changes := a.configurations.hears(ctx)
	group.Go(func() error { a.configurations.run(ctx, changes); return nil })
	changed := a.bus.Subscribe(ctx, topicDirectory)
	group.Go(func() error {
		for range changed {
			if err := a.directory.Refresh(ctx); err != nil && ctx.Err() == nil {
				a.Logger.WarnContext(ctx, "directory cannot be refreshed", "error", err)
			}
		}
		return nil
	})
}

// startWorker keeps the figures in this process, where that is asked for.
func (a *application) startWorker(ctx context.Context, group *errgroup.Group) error {
	if a.Worker == "off" || a.Worker == "auto" && a.MongoDB != "" {
		return nil
	}
	worker, err := analytics.New(analytics.Config{
		Engine: a.engine, Hints: a.bus, Feed: a.bus, Logger: a.Logger, Clock: a.Clock,
		Alone: a.MongoDB == "", Metrics: analytics.Measured(a.metrics.registry),
	})
	if err != nil {
		return err
	}
	group.Go(func() error { return worker.Run(ctx) })
	return nil
}

// stopping tells load balancers and watchers that the end is near.
func (a *application) stopping() {
	for _, server := range a.health {
		server.Shutdown()
	}
	a.end()
}

// authenticate finds out who holds a token: a person's session or a device.
func (a *application) authenticate(ctx context.Context, token string) (identity.Caller, error) {
	if token == "" || len(token) > 1000 {
		return identity.Caller{}, fault.New(fault.Unauthenticated, "session_ended")
	}
	if strings.HasPrefix(token, device.TokenPrefix) {
		return a.devices.Authenticate(ctx, token)
	}
	if strings.HasPrefix(token, hotline.HookPrefix) {
		return a.authenticateExchange(ctx, token)
	}
	return a.accounts.Authenticate(ctx, token)
}

// minimumInterval is the least time between people who rate at a device, by its settings; 0 where they do not say, or cannot be read.
func (a *application) minimumInterval(ctx context.Context, deviceID string) time.Duration {
	d, err := a.devices.Known(ctx, deviceID)
	if err != nil {
		return 0
	}
	return time.Duration(d.Settings.MinimumInterval) * time.Second
}
