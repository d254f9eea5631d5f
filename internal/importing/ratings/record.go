package ratingimport

import (
	"bytes"
	"unicode/utf8"
)

// The formats a file can have.
const (
	formatCSV    = "csv"
	formatNDJSON = "ndjson"
)

// record is one row of a file.
type record struct {
	line   int64    // its first line
	last   int64    // its last line
	end    int64    // bytes of the file up to its end
	raw    []byte   // as it stands, for comparing to the letter; valid until the next call of next
	values []string // by the plan's columns, valid until the next call of next; the strings stay
	blank  bool     // nothing stands in it
	reason string   // why it could not be read; empty = it could
	value  string   // of what could not be read
}

// records reads a file row by row. A row that cannot be read is answered with its reason and the next call goes on behind it;
// io.EOF is the end, any other error the failure of the file.
type records interface {
	next() (record, error)
	// unseen lists the plan's columns that never stood in the file.
	unseen() []string
}

// unfit tells why a text cannot be a row of a text file.
func unfit(text []byte) string {
	switch {
	case bytes.IndexByte(text, 0) >= 0:
		return reasonNUL
	case !utf8.Valid(text):
		return reasonUTF8
	}
	return ""
}

// withoutBOM lets a byte order mark at the start of the file go and tells whether the file is in UTF-16, which is not read.
func withoutBOM(head []byte) (skip int, utf16 bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return 3, false
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return 0, true
	}
	// UTF-16 without a mark: every other byte of Latin text is NUL.
	zeros := bytes.Count(head, []byte{0})
	return 0, len(head) >= 16 && zeros >= len(head)*2/5 && zeros <= len(head)*3/5
}
