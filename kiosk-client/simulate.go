package kiosk

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/release"
	"github.com/hailong-vn/hailong/kiosk-client/simulate"
)

// simulatePassword is the environment variable of the account's password: a flag would stand in the list of processes.
const simulatePassword = "HAILONG_KIOSK_SIM_PASSWORD"

// simulateDevices drives virtual kiosks against a server and tells whether what they gave is what it holds.
func simulateDevices(ctx context.Context, t *terminal, args []string) error {
	options := simulate.Defaults()
	options.Language, options.Version = t.Language, release.Version()
	config := Config{Stderr: t.stderr}
	verbose := false
	if _, err := t.parse("simulate", args, 0, func(flags *flag.FlagSet) {
		config.registerServer(flags, t.Language)
		options.Register(flags, t.Language)
		flags.BoolVar(&verbose, "log", false, t.Text("kiosksim.flag.log"))
	}); err != nil {
		return err
	}
	var err error
	if options.Roots, err = config.roots(); err != nil {
		return err
	}
	if config.Server != "" {
		options.Server = config.Server
	}
	options.AllowPlain = config.AllowPlain
	if verbose {
		options.Logger = slog.New(slog.NewTextHandler(t.stderr, nil))
	}
	options.Figures, options.Words = t.stdout, t.stderr
	if width, ok := widthOf(t.stdout); ok {
		options.Terminal = width
	}
	if err := options.Check(); err != nil {
		return err
	}
	if len(options.Codes) == 0 {
		if options.Password, err = passwordOf(t, options); err != nil {
			return err
		}
	}
	abort, stop := secondInterrupt(ctx)
	defer stop()
	options.Abort = abort
	summary, err := simulate.Run(ctx, options)
	if summary.Devices > 0 {
		err = errors.Join(err, t.tellSimulated(summary))
	}
	return err
}

// tellSimulated tells what came of it; an error says that it is not what it should be.
func (t *terminal) tellSimulated(s simulate.Summary) error {
	number := func(n uint64) string { return t.Number(float64(n), 0) }
	lines := []string{t.Text("kiosksim.summary", "devices", s.Devices, "sealed", number(s.Sealed), "acknowledged", number(s.Acknowledged),
		"queued", number(s.Queued), "duplicates", number(s.Duplicates), "refused", number(s.Refused))}
	for _, reason := range slices.Sorted(maps.Keys(s.Reasons)) {
		lines = append(lines, fmt.Sprintf("  %6d  %s", s.Reasons[reason], reason))
	}
	lines = append(lines, t.Text("kiosksim.compared", "compared", s.Compared, "devices", s.Devices, "lost", number(s.Lost), "doubled", number(s.Doubled)))
	if _, err := fmt.Fprintln(t.stdout, strings.Join(lines, "\n")); err != nil {
		return err
	}
	switch {
	case !s.Sound():
		return fault.New(fault.Internal, "kiosksim_differs", "lost", number(s.Lost), "doubled", number(s.Doubled), "refused", number(s.Refused))
	case s.Queued > 0:
		return fault.New(fault.Unavailable, "kiosksim_waiting", "queued", number(s.Queued))
	}
	return nil
}

// passwordOf is the account's password: of the environment, the demonstration's own, or as it is typed.
func passwordOf(t *terminal, options simulate.Options) (string, error) {
	if password := os.Getenv(simulatePassword); password != "" {
		return password, nil
	}
	if options.Account == "quantri" && simulate.Loopback(options.Server) {
		return "quantri-demo", nil // the demonstration's
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", fault.New(fault.Invalid, "kiosksim_no_password")
	}
	_, _ = fmt.Fprint(t.stderr, t.Text("kiosksim.password", "account", options.Account))
	password, err := term.ReadPassword(int(os.Stdin.Fd()))
	_, _ = fmt.Fprintln(t.stderr)
	return string(password), err
}

// widthOf answers how to ask for the width of a terminal; false where it is none.
func widthOf(w io.Writer) (func() int, bool) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil, false
	}
	return func() int {
		width, _, err := term.GetSize(int(file.Fd()))
		if err != nil {
			return 80
		}
		return width
	}, true
}

// secondInterrupt is closed at the interrupt after the one that ended ctx.
func secondInterrupt(ctx context.Context) (abort <-chan struct{}, stop func()) {
	closed, done := make(chan struct{}), make(chan struct{})
	signals := make(chan os.Signal, 1)
	go func() {
		select {
		case <-ctx.Done():
		case <-done:
			return
		}
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(signals)
		select {
		case <-signals:
			close(closed)
		case <-done:
		}
	}()
	return closed, func() { close(done) }
}
