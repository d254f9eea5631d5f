package admin

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"regexp"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/server/web"
)

// form is what is wrong with a form: in one sentence on top, and by field beside it.
type form struct {
	Problem string
	Errors  map[string]string
}

func (f *form) wrong(v *web.Visit, field, key string, args ...any) {
	if f.Errors == nil {
		f.Errors = map[string]string{}
	}
	if f.Errors[field] == "" {
		f.Errors[field] = v.Text(key, args...)
	}
	f.Problem = v.Text("adminpage.mend")
}

func (f *form) bad() bool { return f.Problem != "" }

// text reads a field of low to high characters. Apple's systems write a letter and its accent apart; it is counted and kept as one.
func (f *form) text(v *web.Visit, field string, low, high int) string {
	value := norm.NFC.String(v.Value(field))
	switch n := utf8.RuneCountInString(value); {
	case n == 0 && low > 0:
		f.wrong(v, field, "web.required")
	case n < low:
		f.wrong(v, field, "adminpage.too_short", "limit", low)
	case n > high:
		f.wrong(v, field, "adminpage.too_long", "limit", high)
	}
	return value
}

// day reads a field that is a day.
func (f *form) day(v *web.Visit, field string) string {
	value := v.Value(field)
	if value == "" {
		f.wrong(v, field, "web.required")
	} else if _, err := localday.Parse(value); err != nil {
		f.wrong(v, field, "adminpage.day_wrong")
	}
	return value
}

// refused takes an error of a service: what the visitor can mend becomes the form's problem, the rest is returned.
func (f *form) refused(err error) error {
	if words, mend := web.Message(err); mend {
		f.Problem = words
		return nil
	}
	switch status.Code(err) { //nolint:exhaustive // the others are pages of their own
	case codes.NotFound, codes.PermissionDenied: // of what was chosen: the page itself was there
		f.Problem = status.Convert(err).Message()
		return nil
	}
	return err
}

// reason is the stable name of a refusal.
func reason(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// again shows a form that must be mended; searching within it is no mistake.
func again(f form) int {
	if f.bad() {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

var madeID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// newID is the id of what a form will make. It is made with the page, so that a form sent twice makes one thing.
func newID(v *web.Visit) string {
	if id := v.Value("id"); madeID.MatchString(id) {
		return id
	}
	return freshID()
}

func freshID() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

// used takes the refusal of an id that was used for something else already, as after going back to a form that was sent: the
// form gets another id, and its sender decides.
func (f *form) used(v *web.Visit, err error, id *string) error {
	if reason(err) == "directory_id_taken" {
		*id, f.Problem = freshID(), v.Text("adminpage.sent_before")
		return nil
	}
	return f.refused(err)
}

// choice is one line of a list to choose from.
type choice struct {
	Value, Words, Help string
	Chosen             bool
}
