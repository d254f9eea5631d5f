package hotline

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// kept is what the script is told of a save.
type kept struct {
	Version  int64  `json:"version,omitempty"`
	Said     string `json:"said"`               // words for the mark beside the form
	Changed  bool   `json:"changed,omitempty"`  // somebody saved it elsewhere: Version is of what stands
	Standing string `json:"standing,omitempty"` // the summary that stands
	Ended    bool   `json:"ended,omitempty"`    // it was finished elsewhere
}

// autosave saves the call as it is typed, and answers the script.
func (p pages) autosave(v *web.Visit) error {
	page := &callPage{ID: v.R.PathValue("id"), Kinds: kinds(), Errors: map[string]string{}}
	draft := page.take(v)
	call, err := v.Calls.SaveCall(v.Context(), &pb.SaveCallRequest{Call: draft, Version: page.Version})
	if err == nil {
		return tell(v, http.StatusOK, kept{Version: call.GetVersion(), Said: v.Text("hotlinepage.saved_at", "time", clockOf(v))})
	}
	words, mendable := web.Message(err)
	switch code := status.Code(err); {
	case code == codes.Aborted || code == codes.FailedPrecondition:
		standing, getErr := v.Calls.GetCall(v.Context(), &pb.GetCallRequest{CallId: page.ID})
		if getErr != nil {
			return getErr
		}
		return tell(v, http.StatusConflict, kept{Version: standing.GetVersion(), Said: words, Changed: true, Standing: standing.GetSummary(), Ended: !standing.GetOpen()})
	case mendable || code == codes.NotFound:
		return tell(v, http.StatusUnprocessableEntity, kept{Said: words})
	}
	return err // a page that the script reads the status of
}

func tell(v *web.Visit, code int, answer kept) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	v.W.Header().Set("Content-Type", "application/json")
	v.W.WriteHeader(code)
	_, _ = v.W.Write(body)
	return nil
}

// clockOf is the time now, as in Vietnam.
func clockOf(v *web.Visit) string { return v.Clock().In(vietnam()).Format("15:04:05") }

func vietnam() *time.Location { return localday.Day("2026-01-01").Start().Location() }

func parseStamp(text string) (time.Time, bool) {
	at, err := time.Parse(stamp, text)
	return at, err == nil
}

var (
	written = regexp.MustCompile(`^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})$`)
	iso     = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
)

// isoDay reads a day as people write it, 22/11/2026, or as programs do; "" stays "".
func isoDay(text string) (string, bool) {
	if text == "" {
		return "", true
	}
	if parts := written.FindStringSubmatch(text); parts != nil {
		day, _ := strconv.Atoi(parts[1])
		month, _ := strconv.Atoi(parts[2])
		text = parts[3] + "-" + two(month) + "-" + two(day)
	}
	if !iso.MatchString(text) {
		return "", false
	}
	_, err := localday.Parse(text)
	return text, err == nil
}

func two(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}
