package server

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/release"
)

// command is one thing hailong-server can do at the machine. Its words are in the catalogue under "command.NAME".
type command struct {
	name string // "import ratings"
	run  func(ctx context.Context, c *terminal, args []string) error
}

// terminal is where a command speaks to a person.
type terminal struct {
	language.Language
	stdout, stderr io.Writer
}

func (t *terminal) say(key string, args ...any) { _, _ = fmt.Fprintln(t.stderr, t.Text(key, args...)) }

func commands() []command {
	return append([]command{
		{"serve", serve},
		{"import units", importUnits},
		{"import ratings", importRatings},
		{"import calls", importCalls},
		{"figures", printFigures},
		{"reconcile", reconcile},
		{"setup mongodb", setupMongoDB},
		{"reset password", resetPassword},
		{"erase private", erasePrivate},
		{"call", callAtMachine},
		{"version", printVersion},
	}, administering()...)
}

// errUsage ends the program with status 2, after its words were said.
var errUsage = errors.New("usage")

// Main runs hailong-server and answers its exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
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
		t.say("command.interrupted")
		return 130
	}
	t.fail(err)
	return 1
}

// fail tells a person what went wrong; at the machine the cause is told too.
func (t *terminal) fail(err error) {
	var known *fault.Error
	if !errors.As(err, &known) {
		_, _ = fmt.Fprintln(t.stderr, err)
		return
	}
	_, _ = fmt.Fprintln(t.stderr, t.Text("fault."+known.Reason, known.Args...))
	if known.Cause != nil {
		_, _ = fmt.Fprintln(t.stderr, " ", known.Cause)
	}
}

func (t *terminal) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") && args[0] != "-h" && args[0] != "-help" && args[0] != "--help" {
		return serve(ctx, t, args)
	}
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.name {
			return c.run(ctx, t, args[len(words):])
		}
	}
	t.usage()
	t.say("command.more")
	if strings.Contains(args[0], "help") || args[0] == "-h" {
		return nil
	}
	return errUsage
}

func (t *terminal) usage() {
	t.say("command.usage")
	for _, c := range commands() {
		_, _ = fmt.Fprintf(t.stderr, "  hailong-server %-21s %s\n", c.name, t.Text("command."+strings.ReplaceAll(c.name, " ", "_")))
	}
}

// flags makes the flags of a command; wrong ones end in errUsage after their words.
func (t *terminal) flags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(t.stderr)
	return flags
}

func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	return nil
}

// parseAny lets flags stand before and after the other words, which it answers.
func parseAny(flags *flag.FlagSet, args []string) ([]string, error) {
	var words []string
	for len(args) > 0 {
		if err := parse(flags, args); err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	return words, nil
}

// parseWith is parseAny for so many words.
func parseWith(flags *flag.FlagSet, args []string, count int) ([]string, error) {
	words, err := parseAny(flags, args)
	if err != nil {
		return nil, err
	}
	if len(words) != count {
		flags.Usage()
		return nil, errUsage
	}
	return words, nil
}

func serve(ctx context.Context, t *terminal, args []string) error {
	var config Config
	flags := t.flags("hailong-server")
	config.Register(flags, t.Language)
	if _, err := parseWith(flags, args, 0); err != nil {
		return err
	}
	config.Stdout, config.Stderr = t.stdout, t.stderr
	return Run(ctx, config)
}

func printVersion(_ context.Context, t *terminal, _ []string) error {
	_, err := fmt.Fprintln(t.stdout, "hailong-server", release.Version())
	return err
}
