package server

import (
	"context"
	"os"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	callimport "github.com/hailong-vn/hailong/internal/importing/calls"
)

// importCalls reads the log of a telephone exchange into the log of calls. It writes to the store directly, also beside a running server.
func importCalls(ctx context.Context, t *terminal, args []string) error {
	var config Config
	flags := t.flags("hailong-server import calls FILE")
	config.registerStore(flags, t.Language)
	of := flags.String("unit", "", t.Text("flag.calls-unit"))
	files, err := parseWith(flags, args, 1)
	if err != nil {
		return err
	}
	file, err := os.Open(files[0])
	if err != nil {
		return fault.New(fault.NotFound, "file_unreadable", "file", files[0]).Because(err)
	}
	defer func() { _ = file.Close() }()
	a, err := openAtMachine(ctx, t, config)
	if err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	unitID := ""
	if *of != "" {
		if unitID, err = (unitResolver{a.directory}).find(*of); err != nil {
			return err
		}
	}
	size := int64(0)
	if about, err := file.Stat(); err == nil {
		size = about.Size()
	}
	started, bar := time.Now(), t.bar()
	summary, err := callimport.Import(ctx, a.hotline, file, callimport.Options{
		Unit: unitID, Progress: func(read int64, _ int) { bar.show(read, size) },
	})
	bar.end()
	for _, line := range summary.Errors {
		t.say("import.line_error", "line", line.Line, "reason", t.Text("fault."+line.Err.Reason, line.Err.Args...))
	}
	if err == nil || summary.Rows > 0 {
		t.say("import.calls_done", "rows", summary.Rows, "stored", summary.Stored, "there", summary.There, "errors", summary.Failed, "seconds", t.seconds(time.Since(started)))
	}
	if err == nil && summary.Failed > 0 {
		return fault.New(fault.Invalid, "import_lines_failed", "count", summary.Failed)
	}
	return err
}
