package ratingimport

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// several parts the texts of a JSON array; a mapping's separator parts those of a CSV field.
const several = "\x1f"

// jsonRecords reads one JSON object a line. A column is a key, or a path of keys joined with points.
type jsonRecords struct {
	lines   *lineReader
	columns []string
	seen    []bool
	values  []string
}

func newNDJSON(lines *lineReader, columns []string) *jsonRecords {
	return &jsonRecords{lines: lines, columns: columns, seen: make([]bool, len(columns)), values: make([]string, len(columns))}
}

func (j *jsonRecords) unseen() []string {
	var names []string
	for i, seen := range j.seen {
		if !seen {
			names = append(names, j.columns[i])
		}
	}
	return names
}

func (j *jsonRecords) next() (record, error) {
	l, err := j.lines.next()
	if err != nil {
		return record{}, err
	}
	r := record{line: l.number, last: l.number, end: l.end, raw: l.text, values: j.values}
	if l.tooLong {
		r.reason = reasonTooLong
		return r, nil
	}
	if r.reason = unfit(l.text); r.reason != "" {
		return r, nil
	}
	if r.blank = len(bytes.TrimSpace(l.text)) == 0; r.blank {
		return r, nil
	}
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(l.text))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil || object == nil {
		r.reason, r.value = reasonJSON, string(cutBytes(l.text))
		return r, nil
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		r.reason, r.value = reasonJSON, string(cutBytes(l.text))
		return r, nil
	}
	for i, column := range j.columns {
		text, found, fine := lookUp(object, column)
		if !fine {
			r.reason, r.value = reasonJSON, column
			return r, nil
		}
		j.seen[i] = j.seen[i] || found
		j.values[i] = text
	}
	return r, nil
}

// lookUp finds a value by its key or path. fine is false where an object stands in place of a text.
func lookUp(object map[string]any, path string) (text string, found, fine bool) {
	if value, ok := object[path]; ok {
		text, fine = jsonText(value, true)
		return text, true, fine
	}
	if first, rest, ok := strings.Cut(path, "."); ok {
		if inner, ok := object[first].(map[string]any); ok {
			return lookUp(inner, rest)
		}
	}
	return "", false, true
}

func jsonText(value any, arrays bool) (string, bool) {
	switch v := value.(type) {
	case nil:
		return "", true
	case string:
		return v, !strings.Contains(v, "\x00")
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	case []any:
		if !arrays {
			return "", false
		}
		texts := make([]string, len(v))
		for i, element := range v {
			var fine bool
			if texts[i], fine = jsonText(element, false); !fine {
				return "", false
			}
		}
		return strings.Join(texts, several), true
	}
	return "", false
}
