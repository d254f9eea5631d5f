// Package callimport reads the log of a telephone exchange, or one that was kept in a spreadsheet, into the log of calls: CSV in UTF-8, one call a line.
// Columns are known by their names in Vietnamese or English. A bad line is told and fails no other; the same file again changes nothing.
package callimport

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/hotline"
	"github.com/hailong-vn/hailong/internal/store"
)

// Limits of a file.
const (
	MaxLine   = 64 << 10 // bytes
	MaxErrors = 1000     // that a summary keeps
	batch     = 500      // calls in one write
	mostAgain = 1 << 20  // different lines whose repetition is noticed
)

// Log is where calls go.
type Log interface {
	Import(ctx context.Context, calls []hotline.Imported) ([]error, error)
}

// Options say how a file is meant.
type Options struct {
	Unit     string                     // whose hotline it was
	Progress func(read int64, rows int) // bytes and lines so far; may be nil
}

// Summary says what an import did.
type Summary struct {
	Rows   int // lines with a call
	Stored int
	There  int         // that were there already
	Failed int         // lines that were refused
	Errors []LineError // the first MaxErrors of them, by line
}

// LineError is why a line was refused. The header is line 1.
type LineError struct {
	Line int
	Err  *fault.Error
}

// Import reads a file. The error means that it could not be read, or the log not written; what was written until then stands, and the import
// can be repeated.
func Import(ctx context.Context, log Log, file io.Reader, options Options) (Summary, error) {
	r := &reader{in: bufio.NewReaderSize(file, MaxLine), seen: map[string]int{}, log: log, options: options}
	header, err := r.line()
	if err != nil && !errors.Is(err, io.EOF) {
		return r.summary, err
	}
	header = strings.TrimPrefix(header, "\ufeff")
	if strings.TrimSpace(header) == "" {
		return r.summary, fault.New(fault.Invalid, "hotline_import_empty")
	}
	if !utf8.ValidString(header) || strings.ContainsRune(header, 0) { // UTF-16 among others
		return r.summary, fault.New(fault.Invalid, "hotline_import_text")
	}
	r.comma = comma(header)
	fields, err := r.split(header)
	if err != nil {
		return r.summary, fault.New(fault.Invalid, "hotline_import_line")
	}
	if r.columns, err = columnsOf(fields); err != nil {
		return r.summary, err
	}
	return r.rows(ctx)
}

// reader takes a file apart.
type reader struct {
	in      *bufio.Reader
	comma   rune
	columns map[column]int
	number  int // of the line read last
	read    int64
	seen    map[string]int // how often a line came
	log     Log
	options Options
	summary Summary
	waiting []hotline.Imported
	lines   []int // of those waiting
}

func (r *reader) rows(ctx context.Context) (Summary, error) {
	for {
		text, err := r.line()
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended && !errors.Is(err, errLong) {
			return r.summary, err
		}
		if err := ctx.Err(); err != nil {
			return r.summary, err
		}
		if strings.Trim(text, " \t,;\r\n") != "" || errors.Is(err, errLong) {
			r.summary.Rows++
			call, fail := r.call(text, errors.Is(err, errLong))
			if fail != nil {
				r.refuse(r.number, fail)
			} else {
				r.waiting, r.lines = append(r.waiting, call), append(r.lines, r.number)
			}
		}
		if len(r.waiting) == batch || ended {
			if err := r.write(ctx); err != nil {
				return r.summary, err
			}
		}
		if ended {
			return r.summary, nil
		}
	}
}

func (r *reader) write(ctx context.Context) error {
	if len(r.waiting) > 0 {
		answers, err := r.log.Import(ctx, r.waiting)
		if err != nil {
			return err
		}
		for i, err := range answers {
			switch {
			case err == nil:
				r.summary.Stored++
			case errors.Is(err, store.ErrExists):
				r.summary.There++
			default:
				r.refuse(r.lines[i], fault.Of(err))
			}
		}
		r.waiting, r.lines = r.waiting[:0], r.lines[:0]
	}
	if r.options.Progress != nil {
		r.options.Progress(r.read, r.summary.Rows)
	}
	return nil
}

func (r *reader) refuse(line int, why *fault.Error) {
	r.summary.Failed++
	if len(r.summary.Errors) < MaxErrors {
		r.summary.Errors = append(r.summary.Errors, LineError{line, why})
	}
}

var errLong = errors.New("the line is too long")

// line reads one line. Of one that is too long the rest is passed over.
func (r *reader) line() (string, error) {
	r.number++
	text, err := r.in.ReadSlice('\n')
	r.read += int64(len(text))
	line := string(text)
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		text, err = r.in.ReadSlice('\n')
		r.read += int64(len(text))
	}
	if err != nil {
		return "", err
	}
	return "", errLong
}

// comma finds what stands between the columns: a comma, or what spreadsheets here write.
func comma(header string) rune {
	best, most := ',', 0
	for _, sign := range []rune{',', ';', '\t'} {
		if n := strings.Count(header, string(sign)); n > most {
			best, most = sign, n
		}
	}
	return best
}

func (r *reader) split(line string) ([]string, error) {
	in := csv.NewReader(strings.NewReader(line))
	in.Comma, in.FieldsPerRecord, in.LazyQuotes = r.comma, -1, false
	fields, err := in.Read()
	if err != nil {
		return nil, err
	}
	if _, err := in.Read(); !errors.Is(err, io.EOF) {
		return nil, errLong
	}
	return fields, nil
}

// call reads one line.
func (r *reader) call(text string, long bool) (hotline.Imported, *fault.Error) {
	if long {
		return hotline.Imported{}, fault.New(fault.Invalid, "hotline_import_line")
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return hotline.Imported{}, fault.New(fault.Invalid, "hotline_import_text")
	}
	fields, err := r.split(text)
	if err != nil {
		return hotline.Imported{}, fault.New(fault.Invalid, "hotline_import_line")
	}
	value := func(c column) string {
		if at, ok := r.columns[c]; ok && at < len(fields) {
			return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(fields[at]), "'")) // what guards a cell from being a formula
		}
		return ""
	}
	call := hotline.Imported{Unit: r.options.Unit, Operator: value(operator), Number: value(number)}
	var fail *fault.Error
	if call.StartedAt, fail = moment(value(started)); fail != nil {
		return call, fail
	}
	if call.EndedAt, fail = ending(call.StartedAt, value(ended), value(duration)); fail != nil {
		return call, fail
	}
	way, missed, fail := directionOf(value(direction))
	if fail != nil {
		return call, fail
	}
	call.Direction = way
	call.Kind, call.Summary, call.Result = kindOf(value(kind)), value(summary), resultOf(value(result))
	if call.Result == "" {
		call.Result = map[bool]string{true: hotline.NoAnswer, false: hotline.Answered}[missed]
	}
	same := strings.Join([]string{call.StartedAt.Format(time.RFC3339), call.Number, call.Operator, string(call.Direction)}, "\x00")
	if call.Again = r.seen[same]; len(r.seen) < mostAgain {
		r.seen[same]++
	}
	return call, nil
}
