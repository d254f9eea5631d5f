package kiosks

import (
	"cmp"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// states are all states of devices, what asks for help first.
func states() []pb.DeviceState {
	return []pb.DeviceState{
		pb.DeviceState_DEVICE_STATE_CLONED, pb.DeviceState_DEVICE_STATE_SILENT, pb.DeviceState_DEVICE_STATE_BEHIND, pb.DeviceState_DEVICE_STATE_WAITING,
		pb.DeviceState_DEVICE_STATE_LIVE, pb.DeviceState_DEVICE_STATE_RESTING, pb.DeviceState_DEVICE_STATE_REVOKED,
	}
}

// state is a device's state as it is shown: a shape of its own, words, and a tone that only repeats them.
type state struct {
	Key  string // "silent"; of its words: kioskspage.state.KEY, and what it means: kioskspage.state_help.KEY
	Tone string // "bad", "good" or ""
}

func stateOf(s pb.DeviceState) state {
	key := strings.ToLower(strings.TrimPrefix(s.String(), "DEVICE_STATE_"))
	switch s { //nolint:exhaustive // the others have no tone
	case pb.DeviceState_DEVICE_STATE_CLONED, pb.DeviceState_DEVICE_STATE_SILENT:
		return state{key, "bad"}
	case pb.DeviceState_DEVICE_STATE_BEHIND:
		return state{key, "warn"}
	case pb.DeviceState_DEVICE_STATE_LIVE:
		return state{key, "good"}
	}
	return state{key, ""}
}

// Sign is the state's shape, 16 pixels wide, in the colour of the text. Words always stand beside it.
func (s state) Sign() template.HTML {
	shapes := map[string]string{
		"cloned":      `<rect x="1.5" y="1.5" width="9" height="9"/><rect x="5.5" y="5.5" width="9" height="9"/>`,
		"silent":      `<circle cx="8" cy="8" r="6.5"/><path d="M8 4v5M8 11v1.2"/>`,
		"behind":      `<path d="M3 1.5h10M3 14.5h10M4 1.5v3l4 3.5-4 3.5v3M12 1.5v3L8 8l4 3.5v3"/>`,
		"waiting":     `<circle cx="8" cy="8" r="6.5" stroke-dasharray="2.5 2.5"/>`,
		"live":        `<circle cx="8" cy="8" r="6.5"/><path d="M4.5 8.5 7 11l4.5-5.5"/>`,
		"resting":     `<path d="M12.5 10.5A6 6 0 0 1 6 2.5a6 6 0 1 0 6.5 8z"/>`,
		"revoked":     `<path d="M3 3l10 10M13 3 3 13"/>`,
		"unspecified": `<path d="M3 8h10"/>`,
	}
	return template.HTML(`<svg class="kiosk-sign" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.8" aria-hidden="true">` + shapes[s.Key] + `</svg>`) //nolint:gosec // of constants
}

// ago says how long ago something was, in words; after a month its day.
func ago(v *web.Visit, at *timestamppb.Timestamp) string {
	if at == nil {
		return v.Text("kioskspage.never")
	}
	since := v.Clock().Sub(at.AsTime())
	switch {
	case since < time.Minute:
		return v.Text("kioskspage.ago_now")
	case since < 30*24*time.Hour:
		return v.Text("kioskspage.ago", "time", span(v, since))
	}
	return web.Moment(v.Language, at)
}

// span says how long something takes, in its largest unit.
func span(v *web.Visit, of time.Duration) string {
	for _, unit := range []struct {
		name string
		long time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		if n := int(of / unit.long); n == 1 {
			return v.Text("kioskspage.one_" + unit.name)
		} else if n > 1 {
			return v.Text("kioskspage.span_"+unit.name+"s", "n", web.Count(v.Language, n))
		}
	}
	return v.Text("kioskspage.seconds", "n", web.Count(v.Language, int(of/time.Second)))
}

// skew says how wrong a device's clock is; a few seconds are none.
func skew(v *web.Visit, of time.Duration) string {
	of = of.Round(time.Second) // a message was under way for some milliseconds
	switch {
	case of.Abs() < 5*time.Second:
		return v.Text("kioskspage.clock_right")
	case of > 0:
		return v.Text("kioskspage.clock_ahead", "time", span(v, of))
	}
	return v.Text("kioskspage.clock_behind", "time", span(v, -of))
}

// room says how many bytes are free.
func room(v *web.Visit, bytes uint64) string {
	if bytes < 1<<30 {
		return v.Text("kioskspage.megabytes", "n", web.Count(v.Language, bytes>>20))
	}
	return v.Text("kioskspage.gigabytes", "n", v.Language.Number(float64(bytes)/(1<<30), 1))
}

// trouble says what a device's code means; one without words here is told as it is.
func trouble(v *web.Visit, code string) string {
	key := "kioskspage.trouble." + code
	if words := v.Text(key); words != key {
		return words
	}
	return v.Text("kioskspage.trouble_other", "code", code)
}

// clock writes a minute of a day: 07:30, and 24:00 for its end.
func clock(minute int32) string { return two(minute/60) + ":" + two(minute%60) }

func two(n int32) string {
	text := strconv.Itoa(int(n))
	if len(text) < 2 {
		return "0" + text
	}
	return text
}

// Fields of times and days are of words, because browsers show their own by the language they were installed in: an English one
// in a Vietnamese office would ask for "01:00 PM" and mm/dd/yyyy.
var (
	times24      = regexp.MustCompile(`^([0-9]{1,2}) ?(?:[:hH.] ?([0-9]{0,2})|([0-9]{2}))?$`)
	dayMonthYear = regexp.MustCompile(`^([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})$`)
)

// minute reads a time as people type it: 07:30, 7:30, 7h30, 7h, 0730; at most 24:00.
func minute(text string) (int32, bool) {
	parts := times24.FindStringSubmatch(text)
	if parts == nil {
		return 0, false
	}
	hours, err := strconv.Atoi(parts[1])
	minutes, minutesErr := strconv.Atoi(cmp.Or(parts[2], parts[3], "0"))
	n := hours*60 + minutes
	return int32(n), err == nil && minutesErr == nil && minutes < 60 && n <= 24*60 //nolint:gosec // of two digits each
}

// dayOf reads a day as people type it, 08/02/2027, or as programs do.
func dayOf(text string) (localday.Day, bool) {
	if parts := dayMonthYear.FindStringSubmatch(text); parts != nil {
		text = parts[3] + "-" + pad(parts[2]) + "-" + pad(parts[1])
	}
	day, err := localday.Parse(text)
	return day, err == nil
}

func pad(digits string) string {
	if len(digits) < 2 {
		return "0" + digits
	}
	return digits
}
