package ratingimport

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// maxRecordLines is how many lines one record may span. A comment has fewer; where a quote was never closed, this is how
// far is looked for its end before the record is given up and the rows behind its first line are read for themselves.
const maxRecordLines = 200

// csvRecords reads CSV (RFC 4180) that people made: LF or CRLF, quoted fields with lines in them, bare quotes within
// unquoted fields as they stand.
type csvRecords struct {
	lines     *lineReader
	separator byte
	limit     int
	fields    int   // of the header
	from      []int // by the plan's column: the field
	buffer    []byte
	ends      []int
	parts     [][]byte
	values    []string
	raw       []byte
}

// newCSV reads the header and finds the plan's columns in it.
func newCSV(lines *lineReader, separator string, columns []string, limit int) (*csvRecords, error) {
	c := &csvRecords{lines: lines, separator: ',', limit: limit, values: make([]string, len(columns))}
	if separator != "" {
		c.separator = separator[0]
	}
	header, err := c.read()
	for err == nil && header.blank {
		header, err = c.read()
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil, fault.New(fault.Invalid, "import_ratings_file_empty")
	case err != nil:
		return nil, err
	case header.reason != "":
		return nil, fault.New(fault.Invalid, "import_ratings_header", "line", header.line).Because(errors.New(header.reason))
	}
	return c, c.find(columns)
}

// find gives each column its field. Case and spaces around a name do not matter.
func (c *csvRecords) find(columns []string) error {
	names := make([]string, len(c.parts))
	for i, part := range c.parts {
		names[i] = tidy(string(part))
	}
	c.fields = len(names)
	c.from = make([]int, len(columns))
	for i, column := range columns {
		same := func(name string) bool { return strings.EqualFold(name, column) }
		c.from[i] = slices.IndexFunc(names, same)
		switch {
		case c.from[i] < 0:
			return fault.New(fault.Invalid, "import_ratings_column_missing", "column", column, "columns", store.Clip(strings.Join(names, ", "), 400))
		case slices.IndexFunc(names[c.from[i]+1:], same) >= 0:
			return fault.New(fault.Invalid, "import_ratings_column_twice", "column", column)
		}
	}
	return nil
}

func (c *csvRecords) unseen() []string { return nil }

// next answers the next row that is not blank.
func (c *csvRecords) next() (record, error) {
	r, err := c.read()
	if err != nil || r.reason != "" || r.blank {
		return r, err
	}
	for i, from := range c.from {
		c.values[i] = string(c.parts[from])
	}
	r.values = c.values
	return r, nil
}

// read reads one record into c.parts.
func (c *csvRecords) read() (record, error) {
	l, err := c.lines.next()
	if err != nil {
		return record{}, err
	}
	r := record{line: l.number, last: l.number, end: l.end, raw: l.text}
	if l.tooLong {
		r.reason = reasonTooLong
		return r, nil
	}
	if r.reason = unfit(l.text); r.reason != "" {
		return r, nil
	}
	if bytes.IndexByte(l.text, '"') < 0 {
		c.split(l.text)
	} else if reason := c.quoted(l, &r); reason != "" {
		r.reason, r.value = reason, string(cutBytes(r.raw))
		return r, nil
	}
	r.blank = !slices.ContainsFunc(c.parts, func(part []byte) bool { return len(bytes.TrimSpace(part)) > 0 })
	if c.fields > 0 && !r.blank && len(c.parts) != c.fields {
		r.reason, r.value = reasonFieldCount, string(cutBytes(r.raw))
	}
	return r, nil
}

// split is the quick way for a line without quotes.
func (c *csvRecords) split(text []byte) {
	c.parts = c.parts[:0]
	for {
		i := bytes.IndexByte(text, c.separator)
		if i < 0 {
			c.parts = append(c.parts, text)
			return
		}
		c.parts = append(c.parts, text[:i])
		text = text[i+1:]
	}
}

// quoted reads a record that has quotes, over as many lines as they enclose. Where that fails, or what comes out has not
// the header's number of fields, the lines behind the first are given back: a quote that was never closed costs its own
// row and no other.
func (c *csvRecords) quoted(first line, r *record) (reason string) {
	c.buffer, c.ends = c.buffer[:0], c.ends[:0]
	open, reason := c.scan(first.text, false)
	if reason != "" || !open {
		c.cutFields()
		return reason
	}
	var held []line
	first = first.keep()
	c.raw = append(c.raw[:0], first.text...)
	for open && reason == "" {
		l, err := c.lines.next()
		if err == nil {
			l = l.keep()
			held = append(held, l)
		}
		if err != nil || l.tooLong || len(held) >= maxRecordLines || len(c.raw)+len(l.text) > c.limit || unfit(l.text) != "" {
			reason = reasonQuoteOpen
			break
		}
		c.raw = append(append(c.raw, '\n'), l.text...)
		c.buffer = append(c.buffer, '\n')
		if open, reason = c.scan(l.text, true); reason != "" {
			reason = reasonQuoteOpen
		}
		r.last, r.end = l.number, l.end
	}
	if reason == "" {
		c.cutFields()
		if c.fields == 0 || len(c.parts) == c.fields {
			r.raw = c.raw
			return ""
		}
		reason = reasonQuoteOpen
	}
	c.lines.takeBack(held)
	r.last, r.end, r.raw = first.number, first.end, first.text
	return reason
}

// scan appends a line's fields to the buffer. within says that the line begins inside quotes; open, that it ends there.
func (c *csvRecords) scan(text []byte, within bool) (open bool, reason string) {
	for {
		if !within {
			if len(text) == 0 || text[0] != '"' {
				i := bytes.IndexByte(text, c.separator)
				if i < 0 {
					c.endField(text)
					return false, ""
				}
				c.endField(text[:i])
				text = text[i+1:]
				continue
			}
			text = text[1:]
		}
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			c.buffer = append(c.buffer, text...)
			return true, ""
		}
		c.buffer = append(c.buffer, text[:i]...)
		text = text[i+1:]
		within = false
		switch {
		case len(text) == 0:
			c.endField(nil)
			return false, ""
		case text[0] == '"':
			c.buffer = append(c.buffer, '"')
			text, within = text[1:], true
		case text[0] == c.separator:
			c.endField(nil)
			text = text[1:]
		default:
			return false, reasonQuoteWrong
		}
	}
}

func (c *csvRecords) endField(text []byte) {
	c.buffer = append(c.buffer, text...)
	c.ends = append(c.ends, len(c.buffer))
}

func (c *csvRecords) cutFields() {
	c.parts = c.parts[:0]
	start := 0
	for _, end := range c.ends {
		c.parts = append(c.parts, c.buffer[start:end])
		start = end
	}
}
