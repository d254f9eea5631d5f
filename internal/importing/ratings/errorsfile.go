package ratingimport

import (
	"bufio"
	"encoding/csv"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
)

// maxValue is how many bytes of a wrong value are shown.
const maxValue = 80

// errorsFile is the CSV of what was not imported: line, column, reason, value, message. It begins with a byte order mark, for
// spreadsheets would take Vietnamese for something else without one.
type errorsFile struct {
	file   *os.File
	buffer *bufio.Writer
	csv    *csv.Writer
	offset int64 // bytes that were flushed
	speak  language.Language
}

// openErrors opens the file at offset: what stands behind it was written by a run that did not get to acknowledge it. With an
// empty path everything written is dropped.
func openErrors(path string, offset int64, speak language.Language) (*errorsFile, error) {
	e := &errorsFile{speak: speak}
	if path == "" {
		return e, nil
	}
	failed := func(err error) error {
		return fault.New(fault.Unavailable, "import_ratings_errors_file", "path", path).Because(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, failed(err)
	}
	e.file = file
	if info, err := file.Stat(); err != nil || info.Size() < offset {
		offset = 0
	}
	if err := file.Truncate(offset); err != nil {
		return nil, failed(errorsClose(file, err))
	}
	if e.offset, err = file.Seek(offset, io.SeekStart); err != nil {
		return nil, failed(errorsClose(file, err))
	}
	e.buffer = bufio.NewWriterSize(countingWriter{e}, 64<<10)
	e.csv = csv.NewWriter(e.buffer)
	if offset == 0 {
		if _, err := e.buffer.WriteString("\ufeff"); err != nil {
			return nil, failed(errorsClose(file, err))
		}
		if err := e.csv.Write([]string{"line", "column", "reason", "value", "message"}); err != nil {
			return nil, failed(errorsClose(file, err))
		}
	}
	return e, e.flush()
}

func errorsClose(file *os.File, err error) error {
	_ = file.Close() // the first error says more
	return err
}

type countingWriter struct{ e *errorsFile }

func (w countingWriter) Write(p []byte) (int, error) {
	n, err := w.e.file.Write(p)
	w.e.offset += int64(n)
	return n, err
}

func (e *errorsFile) write(f rowFault) error {
	if e.file == nil {
		return nil
	}
	words := f.words
	if words == "" {
		words = e.speak.Text("import.reason." + f.reason)
	}
	return e.csv.Write([]string{strconv.FormatInt(f.line, 10), harmless(f.column), f.reason, harmless(store.Clip(f.value, maxValue)), words})
}

func (e *errorsFile) flush() error {
	if e.file == nil {
		return nil
	}
	e.csv.Flush()
	if err := e.csv.Error(); err != nil {
		return err
	}
	return e.buffer.Flush()
}

func (e *errorsFile) close() error {
	if e.file == nil {
		return nil
	}
	err := e.flush()
	if closing := e.file.Close(); err == nil {
		err = closing
	}
	return err
}

// harmless keeps a spreadsheet from taking a value for a formula.
func harmless(value string) string {
	if value != "" && strings.ContainsRune("=+-@\t\r", rune(value[0])) {
		return "'" + value
	}
	return value
}

// cutBytes is a copy of the start of a text, long enough to be cut again.
func cutBytes(text []byte) []byte { return append([]byte(nil), text[:min(len(text), 2*maxValue)]...) }
