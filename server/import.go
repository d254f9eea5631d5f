package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	ratingimport "github.com/hailong-vn/hailong/internal/importing/ratings"
	unitimport "github.com/hailong-vn/hailong/internal/importing/units"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// importUnits reads a list of units from a file, or the built-in list of Vietnam.
func importUnits(ctx context.Context, t *terminal, args []string) error {
	var config Config
	flags := t.flags("hailong-server import units FILE")
	config.registerStore(flags, t.Language)
	builtin := flags.Bool("builtin", false, t.Text("flag.builtin"))
	validFrom := flags.String("valid-from", string(unitimport.BuiltInFrom), t.Text("flag.valid-from"))
	edition := flags.String("edition", "", t.Text("flag.edition"))
	files, err := parseAny(flags, args)
	if err != nil {
		return err
	}
	if *builtin != (len(files) == 0) || len(files) > 1 {
		flags.Usage()
		return errUsage
	}
	var list io.Reader
	if *builtin {
		list, err = unitimport.BuiltIn()
	} else {
		var file *os.File
		if file, err = os.Open(files[0]); err != nil {
			return fault.New(fault.NotFound, "file_unreadable", "file", files[0]).Because(err)
		}
		defer func() { _ = file.Close() }()
		list = file
	}
	if err != nil {
		return err
	}
	a, err := openAtMachine(ctx, t, config)
	if err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	started := time.Now()
	bar := t.bar()
	summary, err := unitimport.Import(ctx, a.directory, list, unitimport.Options{
		ValidFrom: localday.Day(*validFrom), Edition: *edition,
		Progress: func(done, total int) { bar.show(int64(done), int64(total)) },
	})
	bar.end()
	for _, line := range summary.Errors {
		t.say("import.line_error", "line", line.Line, "reason", t.Text("fault."+line.Err.Reason, line.Err.Args...))
	}
	if err != nil {
		return err
	}
	t.say("import.units_done", "created", summary.Created, "changed", summary.Changed, "unchanged", summary.Unchanged,
		"errors", summary.Failed, "seconds", t.seconds(time.Since(started)))
	if summary.Failed > 0 {
		return fault.New(fault.Invalid, "import_lines_failed", "count", summary.Failed)
	}
	return nil
}

// importRatings reads ratings from a file under a mapping. It writes to the store directly: beside a running server the
// sweep folds what it stored.
func importRatings(ctx context.Context, t *terminal, args []string) error {
	var config Config
	flags := t.flags("hailong-server import ratings FILE")
	config.registerStore(flags, t.Language)
	mappingPath := flags.String("mapping", "", t.Text("flag.mapping"))
	dryRun := flags.Bool("dry-run", false, t.Text("flag.dry-run"))
	errorsPath := flags.String("errors", "", t.Text("flag.errors"))
	files, err := parseWith(flags, args, 1)
	if err != nil {
		return err
	}
	mapping, err := readMapping(*mappingPath)
	if err != nil {
		return err
	}
	a, err := openAtMachine(ctx, t, config)
	if err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	if *errorsPath == "" {
		*errorsPath = files[0] + ".errors.csv"
	}
	name := filepath.Base(files[0])
	started := time.Now()
	bar := t.bar()
	summary, err := ratingimport.Run(ctx, ratingimport.Source{Name: name, Path: files[0]}, mapping, importer{a, t, name}, ratingimport.Options{
		DryRun: *dryRun, ErrorsPath: *errorsPath, StatePath: files[0] + "." + a.mark() + ".state.json", Units: unitResolver{a.directory},
		SaltKey: a.importSalt, Language: t.Language,
		Progress: func(p ratingimport.Progress) { bar.show(p.Bytes, p.Size) },
	})
	bar.end()
	if err == nil || summary.Rows > 0 {
		t.printSummary(summary, *dryRun, *errorsPath, time.Since(started))
	}
	if err == nil && !*dryRun && summary.Stored > 0 {
		if err := a.foldNow(ctx, t); err != nil {
			return err
		}
	}
	if failed := summary.Errors + summary.Rejected + summary.Conflict; err == nil && failed > 0 {
		return fault.New(fault.Invalid, "import_lines_failed", "count", failed)
	}
	return err
}

// mark tells this store from others, so that the state an import into one of them left is not taken for another's: what
// the one holds, the other may lack.
func (a *application) mark() string {
	sum := sha256.Sum256(append([]byte("state of imports\x00"), a.importSalt...))
	return hex.EncodeToString(sum[:4])
}

// maxMapping is how long a mapping may be; a wrong path should not read a disk image.
const maxMapping = 1 << 20

func readMapping(path string) (*ratingimport.Mapping, error) {
	if path == "" {
		return nil, fault.New(fault.Invalid, "mapping_missing")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fault.New(fault.NotFound, "file_unreadable", "file", path).Because(err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxMapping+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "file_unreadable", "file", path).Because(err)
	}
	return ratingimport.ParseMapping(text)
}

// importer hands batches to intake as the program itself.
type importer struct {
	*application
	terminal *terminal
	source   string
}

func (i importer) Submit(ctx context.Context, items []*pb.SealedRating) ([]*pb.ItemOutcome, error) {
	return i.intake.Submit(ctx, identity.System(), intake.Batch{Items: items, Source: i.source, Language: i.terminal.Language})
}

// openAtMachine opens the store for a command: quietly, and without a worker.
func openAtMachine(ctx context.Context, t *terminal, config Config) (*application, error) {
	config.Stdout, config.Stderr = t.stdout, t.stderr
	config.Logger = slog.New(slog.NewTextHandler(t.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	return open(ctx, config)
}

// openExisting is openAtMachine for commands that only make sense on a store that is there: a slip in -data must not make a
// new one.
func openExisting(ctx context.Context, t *terminal, config Config) (*application, error) {
	if config.MongoDB == "" {
		if _, err := os.Stat(filepath.Join(config.Data, sqlite.FileName)); err != nil {
			return nil, fault.New(fault.NotFound, "store_missing", "folder", config.Data).Because(err)
		}
	}
	return openAtMachine(ctx, t, config)
}

func (t *terminal) seconds(d time.Duration) string { return t.Number(d.Seconds(), 1) }

// bar shows how far a long command has come, on a terminal as a bar that moves, elsewhere not at all.
type bar struct {
	terminal *terminal
	moves    bool
	last     time.Time
}

func (t *terminal) bar() *bar { return &bar{terminal: t, moves: isTerminal(t.stderr)} }

func (b *bar) show(done, total int64) {
	if !b.moves || total <= 0 || done < total && time.Since(b.last) < 100*time.Millisecond {
		return
	}
	b.last = time.Now()
	const width = 40
	filled := int(min(done, total) * width / total)
	_, _ = fmt.Fprintf(b.terminal.stderr, "\r%s%s %3d %%", strings.Repeat("█", filled), strings.Repeat("░", width-filled), min(done, total)*100/total)
}

func (b *bar) end() {
	if b.moves && !b.last.IsZero() {
		_, _ = fmt.Fprintln(b.terminal.stderr)
	}
}
