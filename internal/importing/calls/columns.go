package callimport

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/hotline"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/searchtext"
)

// column is something a file may tell of a call.
type column string

const (
	started   column = "started"
	ended     column = "ended"
	duration  column = "duration"
	number    column = "number"
	operator  column = "operator"
	direction column = "direction"
	result    column = "result"
	kind      column = "kind"
	summary   column = "summary"
)

// names are what columns are called, folded: in Vietnamese offices, and by telephone exchanges. Of several that a file has, the one that stands
// first here is meant: an exchange tells both who rang ("src") and what the display said ("clid").
func names() map[column][]string {
	return map[column][]string{
		started:   {"bat dau", "thoi gian bat dau", "thoi diem goi", "thoi gian goi", "thoi gian", "ngay gio", "gio goi", "start", "start time", "started", "call start", "calldate", "call date", "date time", "datetime"},
		ended:     {"ket thuc", "thoi gian ket thuc", "end", "end time", "ended", "call end"},
		duration:  {"thoi luong", "do dai", "dai", "so giay", "billsec", "duration", "length", "seconds"},
		number:    {"so dien thoai", "so goi", "so goi den", "so khach", "dien thoai", "nguoi goi", "so nguoi goi", "number", "phone", "phone number", "src", "caller", "caller id", "callerid", "from", "clid"},
		operator:  {"nguoi nghe", "nguoi nghe may", "nguoi truc", "dien thoai vien", "tong dai vien", "nhan vien", "can bo truc", "may le", "so may le", "operator", "agent", "extension", "ext", "dst", "to"},
		direction: {"chieu", "chieu goi", "huong", "huong goi", "direction"},
		result:    {"ket qua", "trang thai", "result", "status", "disposition"},
		kind:      {"loai", "loai viec", "loai cuoc goi", "kind", "type"},
		summary:   {"noi dung", "ghi chu", "summary", "note", "notes", "remark"},
	}
}

// columnsOf finds the columns. The start must be there; columns of other names are passed over.
func columnsOf(header []string) (map[column]int, error) {
	found, rank := map[column]int{}, map[column]int{}
	for at, name := range header {
		folded := searchtext.Fold(name)
		for c, known := range names() {
			place := slices.Index(known, folded)
			before, twice := rank[c]
			switch {
			case place < 0:
			case twice && before == place:
				return nil, fault.New(fault.Invalid, "hotline_import_column_twice", "column", strings.TrimSpace(name))
			case !twice || place < before:
				found[c], rank[c] = at, place
			}
		}
	}
	if _, ok := found[started]; !ok {
		return nil, fault.New(fault.Invalid, "hotline_import_column", "column", "bat dau, start, calldate")
	}
	return found, nil
}

// forms are how times are written; those without a zone are Vietnam's.
func forms() []string {
	return []string{
		time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2/1/2006 15:04:05", "2/1/2006 15:04",
		"15:04:05 2/1/2006", "15:04 2/1/2006", "2-1-2006 15:04:05", "2.1.2006 15:04:05", "2-1-2006 15:04",
	}
}

func moment(text string) (time.Time, *fault.Error) {
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, ",", " ")), " ")
	place := localday.Day("2026-01-01").Start().Location()
	for _, form := range forms() {
		if at, err := time.ParseInLocation(form, text, place); err == nil && at.Year() >= 1990 && at.Year() < 2200 {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, "hotline_import_time", "value", clip(text))
}

// ending is when a call ended: as the line says, else after its length, else when it began.
func ending(start time.Time, end, length string) (time.Time, *fault.Error) {
	if end != "" {
		at, fail := moment(end)
		if fail == nil && at.Before(start) {
			fail = fault.New(fault.Invalid, "hotline_import_turned")
		}
		return at, fail
	}
	if length == "" {
		return start, nil
	}
	seconds := 0
	parts := strings.Split(length, ":")
	for _, part := range parts {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 0 || n > 7*24*3600 || len(parts) > 3 {
			return start, fault.New(fault.Invalid, "hotline_import_time", "value", clip(length))
		}
		seconds = seconds*60 + n
	}
	return start.Add(time.Duration(seconds) * time.Second), nil
}

// directionOf reads which way a call went; missed tells that nobody answered.
func directionOf(text string) (_ hotline.Direction, missed bool, _ *fault.Error) {
	switch searchtext.Fold(text) {
	case "", "in", "inbound", "incoming", "den", "goi den", "vao", "goi vao":
		return hotline.In, false, nil
	case "missed", "nho", "goi nho", "cuoc goi nho":
		return hotline.In, true, nil
	case "out", "outbound", "outgoing", "di", "goi di", "ra", "goi ra":
		return hotline.Out, false, nil
	}
	return "", false, fault.New(fault.Invalid, "hotline_import_direction", "value", clip(text))
}

// resultOf is a result by its key where it has one, else as the file says it.
func resultOf(text string) string {
	folded := searchtext.Fold(text)
	switch folded {
	case "answered", "da nghe", "nghe may", "thanh cong", "da tra loi", "completed":
		return hotline.Answered
	case "no answer", "khong nghe", "khong nghe may", "nho", "missed", "busy", "ban", "failed":
		return hotline.NoAnswer
	}
	for _, key := range hotline.Results() {
		if key == text || sounds("hotline.result."+key, folded) {
			return key
		}
	}
	return text
}

func kindOf(text string) hotline.Kind {
	folded := searchtext.Fold(text)
	for _, one := range hotline.CallKinds() {
		if string(one) == text || sounds("hotline.kind."+string(one), folded) {
			return one
		}
	}
	return hotline.Other
}

// sounds tells whether a folded text is what a key says in some language, or begins it.
func sounds(key, folded string) bool {
	for _, in := range language.All {
		if words := searchtext.Fold(in.Text(key)); folded != "" && (words == folded || strings.HasPrefix(words, folded+" ")) {
			return true
		}
	}
	return false
}

// clip keeps what is told of a bad value short.
func clip(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return text
}
