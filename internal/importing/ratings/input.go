package ratingimport

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hailong-vn/hailong/internal/fault"
)

// input is an opened source.
type input struct {
	file    *os.File // nil where a Reader was given
	size    int64    // 0 = not known
	format  string
	source  string // its name in ids
	records records
	state   state  // what is known of the file so far, for the next state to be written
	resumed *state // where to go on; nil = at the start
}

func (in *input) close() {
	if in.file != nil {
		_ = in.file.Close() // only read from
	}
}

// openInput opens the source, reads its head and goes to where a former run stopped.
func openInput(source Source, m *Mapping, options Options) (*input, error) {
	in := &input{format: formatOf(source, m), source: m.Source}
	if in.source == "" {
		in.source = source.Name
	}
	if in.source == "" {
		in.source = filepath.Base(source.Path)
	}
	reader := source.Reader
	if reader == nil {
		file, err := os.Open(source.Path)
		if err != nil {
			code := fault.Unavailable
			if errors.Is(err, os.ErrNotExist) {
				code = fault.NotFound
			}
			return nil, fault.New(code, "import_ratings_file", "path", source.Path).Because(err)
		}
		in.file, reader = file, file
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			in.size = info.Size()
		}
	}
	if err := in.start(reader, m, options); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

func formatOf(source Source, m *Mapping) string {
	if source.Format != "" {
		return source.Format
	}
	if m.Format != "" {
		return m.Format
	}
	for _, name := range []string{source.Path, source.Name} {
		switch strings.ToLower(filepath.Ext(name)) {
		case ".ndjson", ".jsonl":
			return formatNDJSON
		}
	}
	return formatCSV
}

func (in *input) start(reader io.Reader, m *Mapping, options Options) error {
	head := bufio.NewReaderSize(reader, 4<<10)
	begin, err := head.Peek(1 << 10)
	if err != nil && !errors.Is(err, io.EOF) && len(begin) == 0 {
		return fault.New(fault.Unavailable, "import_ratings_read", "line", 0).Because(err)
	}
	if len(begin) == 0 {
		return fault.New(fault.Invalid, "import_ratings_file_empty")
	}
	skip, utf16 := withoutBOM(begin)
	if utf16 {
		return fault.New(fault.Invalid, "import_ratings_file_utf16")
	}
	if _, err := head.Discard(skip); err != nil {
		return fault.New(fault.Unavailable, "import_ratings_read", "line", 0).Because(err)
	}
	lines := newLineReader(head, options.MaxRecord, 0, int64(skip))
	switch in.format {
	case formatNDJSON:
		in.records = newNDJSON(lines, m.plan.columns)
	case formatCSV:
		if in.records, err = newCSV(lines, m.Separator, m.plan.columns, options.MaxRecord); err != nil {
			return readFault(err, lines)
		}
	default:
		return fault.New(fault.Invalid, "import_ratings_format", "format", in.format)
	}
	if in.file == nil || in.size == 0 || options.StatePath == "" || options.DryRun {
		return nil
	}
	return in.goOn(m, options, lines)
}

// goOn moves behind what a former run had acknowledged.
func (in *input) goOn(m *Mapping, options Options, lines *lineReader) error {
	in.state = state{Version: stateVersion, Mapping: m.digest, Source: in.source, HeadBytes: min(in.size, headBytes), ErrorsPath: options.ErrorsPath}
	var err error
	if in.state.Head, err = digestOf(in.file, 0, in.state.HeadBytes); err != nil {
		return fault.New(fault.Unavailable, "import_ratings_read", "line", 0).Because(err)
	}
	in.resumed = readState(options.StatePath, in.file, in.state)
	if in.resumed == nil {
		return nil
	}
	rest := io.NewSectionReader(in.file, in.resumed.Offset, 1<<62)
	*lines = *newLineReader(rest, options.MaxRecord, in.resumed.Line, in.resumed.Offset)
	return nil
}

// readFault passes faults on and calls everything else a failure to read.
func readFault(err error, lines *lineReader) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	return fault.New(fault.Unavailable, "import_ratings_read", "line", lines.number).Because(err)
}
