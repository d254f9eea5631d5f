package ratingimport

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// line is one physical line of a file, without its end.
type line struct {
	text    []byte // valid until the next call of next; nil where tooLong
	number  int64  // from 1
	end     int64  // bytes of the file up to and with the line's end
	tooLong bool   // longer than the limit: what was read was let go
	owned   bool   // text is a copy that stays valid
}

// lineReader reads lines of which none is held beyond a limit, and can take lines back.
type lineReader struct {
	in     *bufio.Reader
	limit  int
	number int64
	offset int64
	long   []byte // of a line longer than in's buffer
	back   []line // lines taken back, the next one first
}

func newLineReader(in io.Reader, limit int, number, offset int64) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(in, 64<<10), limit: limit, number: number, offset: offset}
}

// next answers the next line, io.EOF at the end, or the failure of the file.
func (r *lineReader) next() (line, error) {
	if len(r.back) > 0 {
		l := r.back[0]
		r.back = r.back[1:]
		return l, nil
	}
	r.long = r.long[:0]
	tooLong := false
	for {
		part, err := r.in.ReadSlice('\n')
		r.offset += int64(len(part))
		if err == nil && len(r.long) == 0 && !tooLong {
			return r.line(part, false), nil
		}
		if len(r.long)+len(part) > r.limit+2 {
			tooLong = true
			r.long = r.long[:0]
		} else if !tooLong {
			r.long = append(r.long, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(r.long) == 0 && !tooLong:
			return line{}, io.EOF
		case err == nil, errors.Is(err, io.EOF):
			return r.line(r.long, tooLong), nil
		default:
			return line{}, err
		}
	}
}

func (r *lineReader) line(text []byte, tooLong bool) line {
	r.number++
	if n := len(text); n > 0 && text[n-1] == '\n' {
		text = text[:n-1]
	}
	if n := len(text); n > 0 && text[n-1] == '\r' {
		text = text[:n-1]
	}
	if len(text) > r.limit {
		tooLong = true
	}
	if tooLong {
		text = nil
	}
	return line{text: text, number: r.number, end: r.offset, tooLong: tooLong}
}

// keep answers the line with a text that stays valid.
func (l line) keep() line {
	if !l.owned {
		l.text, l.owned = bytes.Clone(l.text), true
	}
	return l
}

// takeBack makes kept lines the next ones again. It takes the slice over.
func (r *lineReader) takeBack(lines []line) { r.back = append(lines, r.back...) }
