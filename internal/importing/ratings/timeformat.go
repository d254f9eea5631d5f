package ratingimport

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
)

// The years in which a rating can have been given; ids hold milliseconds since 1970.
const (
	firstYear = 1970
	lastYear  = 2999
)

// timeFormat reads one way of writing a time.
type timeFormat struct {
	pattern string // as the mapping gave it
	layout  string // Go's; empty for unix times
	unit    time.Duration
	noon    bool // has "a": AM and PM, in Vietnamese SA and CH
}

// patternParts maps the parts of a pattern to Go's layout, longest first.
var patternParts = [...]struct{ part, layout string }{
	{"yyyy", "2006"}, {"yy", "06"}, {"MM", "01"}, {"M", "1"}, {"dd", "02"}, {"d", "2"}, {"HH", "15"}, {"H", "15"}, {"hh", "03"},
	{"h", "3"}, {"mm", "04"}, {"m", "4"}, {"ss", "05"}, {"s", "5"}, {"SSSSSS", "000000"}, {"SSS", "000"}, {"XXX", "Z07:00"}, {"a", "PM"},
}

// parseTimeFormat turns a pattern such as "dd/MM/yyyy HH:mm" into a format. Letters that are meant as they stand are put in
// single quotes; T needs none.
func parseTimeFormat(pattern string) (timeFormat, error) {
	switch pattern {
	case "rfc3339":
		return timeFormat{pattern: pattern, layout: time.RFC3339}, nil
	case "unix":
		return timeFormat{pattern: pattern, unit: time.Second}, nil
	case "unix_ms":
		return timeFormat{pattern: pattern, unit: time.Millisecond}, nil
	}
	format := timeFormat{pattern: pattern}
	var layout strings.Builder
	has := map[string]bool{}
	for rest := pattern; rest != ""; {
		part, text := nextPart(rest)
		if part == "" {
			return format, fmt.Errorf("%q is not known at %q", pattern, rest)
		}
		has[part] = true
		layout.WriteString(text)
		rest = rest[len(part):]
	}
	format.layout = layout.String()
	format.noon = has["a"]
	year, month, day := has["yyyy"] || has["yy"], has["MM"] || has["M"], has["dd"] || has["d"]
	if !year || !month || !day {
		return format, fmt.Errorf("%q needs year, month and day", pattern)
	}
	if (has["hh"] || has["h"]) != has["a"] {
		return format, fmt.Errorf("%q: hh and a belong together; HH counts to 23", pattern)
	}
	if has["SSS"] && !strings.Contains(format.layout, ".000") && !strings.Contains(format.layout, ",000") {
		return format, fmt.Errorf("%q: a point or comma stands before SSS", pattern)
	}
	return format, nil
}

func nextPart(rest string) (part, layout string) {
	for _, p := range patternParts {
		if strings.HasPrefix(rest, p.part) {
			return p.part, p.layout
		}
	}
	switch c := rest[0]; {
	case c == '\'':
		if end := strings.IndexByte(rest[1:], '\''); end > 0 && !strings.ContainsAny(rest[1:end+1], "0123456789_") {
			return rest[:end+2], rest[1 : end+1]
		}
	case c == 'T', strings.IndexByte(" /-.:,", c) >= 0:
		return rest[:1], rest[:1]
	}
	return "", ""
}

// read answers the time a text means, in the zone where the text has no offset of its own.
func (f timeFormat) read(text string, zone *time.Location) (time.Time, bool) {
	if f.unit != 0 {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > int64(1<<53) {
			return time.Time{}, false
		}
		if f.unit == time.Second {
			return time.Unix(n, 0).UTC(), true
		}
		return time.UnixMilli(n).UTC(), true
	}
	if f.noon {
		text = noonWords.Replace(strings.ToUpper(text))
	}
	t, err := time.ParseInLocation(f.layout, text, zone)
	return t.UTC(), err == nil
}

var noonWords = strings.NewReplacer("SA", "AM", "CH", "PM")

// readTime tries every format. A text that means two different times is refused: nobody can know which was meant.
func readTime(text string, formats []timeFormat, zone *time.Location) (t time.Time, reason string) {
	if text == "" {
		return t, reasonTimeMissing
	}
	found := false
	for _, format := range formats {
		next, ok := format.read(text, zone)
		switch {
		case !ok:
		case found && !next.Equal(t):
			return t, reasonTimeTwoWays
		default:
			t, found = next, true
		}
	}
	switch {
	case !found:
		return t, reasonTimeUnread
	case t.Year() < firstYear || t.Year() > lastYear:
		return t, reasonTimeRange
	}
	return t.Truncate(time.Millisecond), ""
}

// parseZone reads an IANA name, UTC or an offset. Vietnam's zone needs no time zone database.
func parseZone(name string) (*time.Location, error) {
	switch name {
	case "", "Asia/Ho_Chi_Minh", "Asia/Saigon":
		return localday.Zone, nil
	case "UTC", "Z":
		return time.UTC, nil
	case "Local":
		return nil, fmt.Errorf("%q depends on the machine", name)
	}
	if offset, err := time.Parse("-07:00", name); err == nil {
		_, seconds := offset.Zone()
		return time.FixedZone(name, seconds), nil
	}
	return time.LoadLocation(name)
}
