package kiosk

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/release"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/screen"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
)

// terminal is where a command speaks to a person.
type terminal struct {
	language.Language
	stdout, stderr io.Writer
}

func (t *terminal) say(key string, args ...any) { _, _ = fmt.Fprintln(t.stderr, t.Text(key, args...)) }

// command is one thing hailong-kiosk can do at the device. Its words are in the catalogue under "kioskcommand.NAME".
type command struct {
	name string
	run  func(ctx context.Context, t *terminal, args []string) error
}

func commands() []command {
	return []command{
		{"serve", serve},
		{"show", show},
		{"enroll", enroll},
		{"status", tellStatus},
		{"hook", tellHook},
		{"language", func(_ context.Context, t *terminal, _ []string) error {
			texts, err := screen.LanguageTemplate()
			if err != nil {
				return err
			}
			_, err = t.stdout.Write(texts)
			return err
		}},
		{"demo", demo},
		{"simulate", simulateDevices},
		{"version", func(_ context.Context, t *terminal, _ []string) error {
			_, err := fmt.Fprintln(t.stdout, "hailong-kiosk", release.Version())
			return err
		}},
	}
}

// errUsage ends the program with status 2, after its words were said.
var errUsage = errors.New("usage")

// Main runs hailong-kiosk and answers its exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
func Main(args []string) int {
	t := &terminal{Language: language.OfTerminal(), stdout: os.Stdout, stderr: os.Stderr}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := t.dispatch(ctx, args)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return 130
	}
	t.fail(err)
	return 1
}

// fail tells a person what went wrong, in the server's words where it said them.
func (t *terminal) fail(err error) {
	var known *fault.Error
	switch said, ok := status.FromError(err); {
	case errors.As(err, &known):
		t.say("fault."+known.Reason, known.Args...)
		if known.Cause != nil {
			_, _ = fmt.Fprintln(t.stderr, " ", known.Cause)
		}
	case errors.Is(err, journal.ErrInUse):
		t.say("kioskcommand.in_use")
	case ok:
		_, _ = fmt.Fprintln(t.stderr, said.Message())
	default:
		_, _ = fmt.Fprintln(t.stderr, err)
	}
}

func (t *terminal) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") && !strings.HasPrefix(strings.TrimLeft(args[0], "-"), "h") {
		return serve(ctx, t, args)
	}
	for _, c := range commands() {
		if args[0] == c.name {
			return c.run(ctx, t, args[1:])
		}
	}
	t.say("kioskcommand.usage")
	for _, c := range commands() {
		_, _ = fmt.Fprintf(t.stderr, "  hailong-kiosk %-9s %s\n", c.name, t.Text("kioskcommand."+c.name))
	}
	t.say("kioskcommand.more")
	if strings.Contains(args[0], "help") || args[0] == "-h" {
		return nil
	}
	return errUsage
}

// parse reads flags that stand before and after the other words, of which there must be so many.
func (t *terminal) parse(name string, args []string, count int, declare func(*flag.FlagSet)) ([]string, error) {
	flags := flag.NewFlagSet("hailong-kiosk "+name, flag.ContinueOnError)
	flags.SetOutput(t.stderr)
	declare(flags)
	var words []string
	for len(args) > 0 {
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, errUsage
		}
		if args = flags.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	if len(words) != count {
		flags.Usage()
		return nil, errUsage
	}
	return words, nil
}

func serve(ctx context.Context, t *terminal, args []string) error {
	config := Config{Stdout: t.stdout, Stderr: t.stderr}
	if _, err := t.parse("serve", args, 0, func(flags *flag.FlagSet) { config.Register(flags, t.Language) }); err != nil {
		return err
	}
	return Run(ctx, config)
}

// enroll enrols a device that is not running: the set-up screen does the same.
func enroll(ctx context.Context, t *terminal, args []string) error {
	config := Config{Stderr: t.stderr}
	words, err := t.parse("enroll CODE", args, 1, func(flags *flag.FlagSet) {
		config.registerState(flags, t.Language)
		config.registerServer(flags, t.Language)
	})
	if err != nil {
		return err
	}
	config = config.complete()
	roots, err := config.roots()
	if err != nil {
		return err
	}
	kept, err := journal.Open(ctx, config.State, journal.Options{Logger: config.Logger})
	if err != nil {
		return err
	}
	defer func() { _ = kept.Close() }()
	link, err := uplink.New(ctx, uplink.Options{
		Journal: kept, Server: config.Server, AllowPlain: config.AllowPlain, Roots: roots, Version: release.Version(), MachineID: uplink.MachineID(), Logger: config.Logger,
	})
	if err != nil {
		return err
	}
	if err := link.Enroll(ctx, "", words[0]); err != nil {
		return err
	}
	t.say("kioskcommand.enrolled", "name", kept.Name(), "id", kept.ID())
	return nil
}

// tellStatus tells what the device holds, without a server.
func tellStatus(ctx context.Context, t *terminal, args []string) error {
	config := Config{Stderr: t.stderr}
	if _, err := t.parse("status", args, 0, func(flags *flag.FlagSet) { config.registerState(flags, t.Language) }); err != nil {
		return err
	}
	config = config.complete()
	if _, err := os.Stat(config.State); err != nil {
		return fault.New(fault.NotFound, "kioskcommand_no_state", "folder", config.State)
	}
	kept, err := journal.Open(ctx, config.State, journal.Options{Logger: config.Logger})
	if err != nil {
		return err
	}
	defer func() { _ = kept.Close() }()
	who, enrolled := kept.Identity()
	if !enrolled {
		t.say("kioskcommand.not_enrolled")
		return nil
	}
	is, err := kept.Status(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.stdout, t.Text("kioskcommand.is", "name", who.Name, "id", who.DeviceID, "server", who.Server,
		"highest", is.HighestSequence, "through", is.AcknowledgedThrough, "queue", is.Queue, "troubles", strings.Join(is.Troubles, ", ")))
	return err
}

// tellHook prints the token of queue systems, or with a counter's sign or id the address of its official's button.
func tellHook(_ context.Context, t *terminal, args []string) error {
	config := Config{Stderr: t.stderr}
	count := 0
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		count = 1
	}
	words, err := t.parse("hook [COUNTER]", args, count, func(flags *flag.FlagSet) { config.registerState(flags, t.Language) })
	if err != nil {
		return err
	}
	if _, err := os.Stat(config.State); err != nil {
		return fault.New(fault.NotFound, "kioskcommand_no_state", "folder", config.State)
	}
	token, err := hookToken(config.State)
	if err != nil {
		return err
	}
	said := token
	if count == 1 {
		said = "/call/" + url.PathEscape(words[0]) + "?key=" + screen.CallKey(token, words[0])
	}
	_, err = fmt.Fprintln(t.stdout, said)
	return err
}
