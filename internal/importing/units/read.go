package unitimport

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/unit"
)

// Limits of a list. The official one has 3,355 lines and 190 KB.
const (
	MaxFile = 64 << 20 // bytes
	MaxRows = 200_000
	MaxLine = 64 << 10 // bytes
)

// columns a list must have, in any order, and no others: a misspelt one must not be passed over.
var columns = []string{"code", "level", "name", "full_name", "name_en", "parent_code"}

// line is one unit as the list says it.
type line struct {
	number                                   int
	code, level, name, full, english, parent string
}

func (l line) words() unit.Words {
	name := l.full
	if name == "" {
		name = l.name
	}
	return unit.Words{Code: l.code, Name: name, NameEN: l.english, Level: l.level}
}

// read takes a list apart. The error is a *fault.Error about the whole file; errors of single lines are collected.
func read(list io.Reader) (lines []line, refused []LineError, err error) {
	limited := &io.LimitedReader{R: list, N: MaxFile + 1}
	in := bufio.NewReaderSize(limited, MaxLine)
	refuse := func(number int, reason string, args ...any) {
		refused = append(refused, LineError{number, fault.New(fault.Invalid, reason, args...)})
	}
	var header []int
	comma := ','
	for number := 1; ; number++ {
		text, long, err := nextLine(in)
		if limited.N <= 0 {
			return nil, nil, fault.New(fault.Invalid, "unitimport_file_too_large", "limit", MaxFile>>20)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, nil, fault.New(fault.Unavailable, "unitimport_read_failed", "line", number).Because(err)
		}
		ended := err != nil
		if header == nil {
			text = strings.TrimPrefix(text, "\ufeff")
			if long || text == "" && ended {
				return nil, nil, fault.New(fault.Invalid, "unitimport_header_missing")
			}
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				return nil, nil, fault.New(fault.Invalid, "unitimport_not_utf8")
			}
			if !strings.ContainsRune(text, ',') && strings.ContainsRune(text, ';') { // as spreadsheets here save it
				comma = ';'
			}
			if header, err = readHeader(text, comma); err != nil {
				return nil, nil, err
			}
		} else if strings.Trim(text, " \t,;") != "" || long {
			if len(lines)+len(refused) >= MaxRows {
				return nil, nil, fault.New(fault.Invalid, "unitimport_too_many_rows", "limit", MaxRows)
			}
			switch fields, err := split(text, comma); {
			case long:
				refuse(number, "unitimport_line_too_long", "limit", MaxLine>>10)
			case !utf8.ValidString(text):
				refuse(number, "unitimport_line_not_utf8")
			case err != nil:
				refuse(number, "unitimport_line_quotes")
			case len(fields) != len(header):
				refuse(number, "unitimport_line_fields", "found", len(fields), "want", len(header))
			default:
				if l := pick(number, fields, header); l.code == "" {
					refuse(number, "unitimport_code_missing")
				} else {
					lines = append(lines, l)
				}
			}
		}
		if ended {
			return lines, refused, nil
		}
	}
}

// nextLine reads up to the next line break; of a line that is too long, it answers nothing and reads on to its end.
func nextLine(in *bufio.Reader) (text string, long bool, err error) {
	piece, err := in.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		piece, err = in.ReadSlice('\n')
	}
	if long {
		return "", true, err
	}
	return strings.TrimRight(string(piece), "\r\n"), false, err
}

func split(text string, comma rune) ([]string, error) {
	if !strings.ContainsRune(text, '"') {
		return strings.Split(text, string(comma)), nil
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = comma
	r.FieldsPerRecord = -1
	return r.Read()
}

// readHeader answers for each field of a line which column it is.
func readHeader(text string, comma rune) ([]int, error) {
	fields, err := split(text, comma)
	if err != nil {
		return nil, fault.New(fault.Invalid, "unitimport_header_missing").Because(err)
	}
	header := make([]int, len(fields))
	for i, field := range fields {
		name := strings.ToLower(strings.TrimSpace(field))
		at := slices.Index(columns, name)
		if at < 0 {
			return nil, fault.New(fault.Invalid, "unitimport_column_unknown", "column", clip(name), "columns", strings.Join(columns, ", "))
		}
		if slices.Contains(header[:i], at) {
			return nil, fault.New(fault.Invalid, "unitimport_column_twice", "column", name)
		}
		header[i] = at
	}
	for at, name := range columns {
		if !slices.Contains(header, at) {
			return nil, fault.New(fault.Invalid, "unitimport_column_missing", "column", name, "columns", strings.Join(columns, ", "))
		}
	}
	return header, nil
}

// pick reads a line's fields; text is brought to NFC, so that a list typed on another machine is the same list.
func pick(number int, fields []string, header []int) line {
	byColumn := make([]string, len(columns))
	for i, field := range fields {
		byColumn[header[i]] = norm.NFC.String(strings.TrimSpace(field))
	}
	return line{number, byColumn[0], byColumn[1], byColumn[2], byColumn[3], byColumn[4], byColumn[5]}
}
