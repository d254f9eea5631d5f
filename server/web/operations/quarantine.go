package operations

import (
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

const quarantineRows = 50

type waiting struct {
	*pb.QuarantinedItem
	Unit   string // its name
	Sender string
	Chosen bool
}

// Settled tells whether it no longer waits.
func (w waiting) Settled() bool { return w.GetReleasedAt() != nil || w.GetDiscardedAt() != nil }

type quarantinePage struct {
	Tabs    []tab
	Items   []waiting
	All     bool // what no longer waits too
	Next    string
	Problem string
	Reason  string // typed for a discard
	Wrong   string // with the reason
}

func (p pages) showQuarantine(v *web.Visit) error {
	return p.renderQuarantine(v, http.StatusOK, quarantinePage{}, nil)
}

func (p pages) renderQuarantine(v *web.Visit, code int, page quarantinePage, chosen map[string]bool) error {
	query := v.R.URL.Query()
	page.Tabs, page.All = tabs(v, "quarantine"), query.Get("all") != ""
	answer, err := v.Operations.ListQuarantine(v.Context(), &pb.ListQuarantineRequest{
		PageSize: quarantineRows, PageToken: query.Get("page"), IncludeReleased: page.All,
	})
	if err != nil {
		return err
	}
	units := v.UnitNames()
	for _, item := range answer.GetItems() {
		page.Items = append(page.Items, waiting{item, unitOf(v, units, item.GetUnitId()), senderOf(v, item), chosen[item.GetId()]})
	}
	if answer.GetNextPageToken() != "" {
		query.Set("page", answer.GetNextPageToken())
		page.Next = "/admin/quarantine?" + query.Encode()
	}
	return v.RenderStatus(code, p.Pages, "quarantine", page)
}

// unitOf is a unit's name; its id where it is nowhere (that may be why the item is here), and words where none was given.
func unitOf(v *web.Visit, names web.UnitNames, id string) string {
	if id == "" {
		return v.Text("operationspage.unit_unknown")
	}
	return names.Of(id)
}

func senderOf(v *web.Visit, item *pb.QuarantinedItem) string {
	switch {
	case item.GetDeviceId() != "":
		return v.Text("operationspage.from_device")
	case item.GetAccountId() != "":
		return v.Text("operationspage.from_account")
	}
	return v.Text("operationspage.from_other")
}

type quarantinedPage struct {
	Tabs    []tab
	Item    waiting
	Rating  *pb.Rating
	Has     bool // a comment or contact
	Channel string
	Wrong   string
	Reason  string
}

func (p pages) showQuarantined(v *web.Visit) error {
	return p.renderQuarantined(v, http.StatusOK, v.R.PathValue("id"), quarantinedPage{})
}

func (p pages) renderQuarantined(v *web.Visit, code int, id string, page quarantinedPage) error {
	answer, err := v.Operations.GetQuarantined(v.Context(), &pb.GetQuarantinedRequest{QuarantineId: id})
	if err != nil {
		return err
	}
	item := answer.GetItem()
	page.Tabs, page.Rating, page.Has = tabs(v, "quarantine"), answer.GetRating(), answer.GetHasPrivate()
	page.Item = waiting{QuarantinedItem: item, Unit: unitOf(v, v.UnitNames(), item.GetUnitId()), Sender: senderOf(v, item)}
	channel := answer.GetRating().GetChannel().String() // a number where it is none that is known
	if page.Channel = v.Text("web.channel." + channel); page.Channel == "web.channel."+channel {
		page.Channel = channel
	}
	return v.RenderStatus(code, p.Pages, "quarantined", page)
}

// settle releases, vouches for or discards one item or several.
func (p pages) settle(v *web.Visit) error {
	ids, do, reason := v.Values("id"), v.Value("do"), v.Value("reason")
	chosen := map[string]bool{}
	for _, id := range ids {
		chosen[id] = true
	}
	one := v.Value("one") != "" && len(ids) == 1 // from the page of one item
	problem, wrong := "", ""
	switch {
	case len(ids) == 0:
		problem = v.Text("operationspage.choose")
	case len(ids) > quarantineRows || do != "release" && do != "vouch" && do != "discard":
		return status.Error(codes.InvalidArgument, v.Text("web.form_unreadable"))
	case do == "discard" && reason == "":
		problem, wrong = v.Text("operationspage.mend"), v.Text("operationspage.reason_missing")
	}
	switch {
	case problem != "" && one:
		return p.renderQuarantined(v, http.StatusUnprocessableEntity, ids[0], quarantinedPage{Wrong: wrong})
	case problem != "":
		return p.renderQuarantine(v, http.StatusUnprocessableEntity, quarantinePage{Problem: problem, Wrong: wrong, Reason: reason}, chosen)
	}
	done, whys := 0, []string{}
	for _, id := range ids {
		why, err := settleOne(v, id, do, reason)
		if err != nil {
			return err
		}
		if why == "" {
			done++
		} else if words := v.Text("operationspage.still_waits", "reason", why); len(whys) < 5 {
			whys = append(whys, words)
		}
	}
	said := v.Text("operationspage.settled."+do, "count", web.Count(v.Language, done))
	if rest := len(ids) - done; rest > 0 {
		said += " " + v.Text("operationspage.not_settled", "count", web.Count(v.Language, rest)) + " " + strings.Join(whys, " ")
	}
	v.Notice(clip(said))
	back := "/admin/quarantine"
	if v.R.URL.Query().Get("all") != "" {
		back += "?all=1"
	}
	if one && done == 0 {
		back = "/admin/quarantine/" + url.PathEscape(ids[0])
	}
	return v.Redirect(back)
}

// settleOne settles one item; why it could not be is answered in words.
func settleOne(v *web.Visit, id, do, reason string) (why string, err error) {
	if do == "discard" {
		_, err = v.Operations.DiscardQuarantined(v.Context(), &pb.DiscardQuarantinedRequest{QuarantineId: id, Reason: reason})
	} else {
		var answer *pb.ReleaseQuarantinedResponse
		answer, err = v.Operations.ReleaseQuarantined(v.Context(), &pb.ReleaseQuarantinedRequest{QuarantineId: id, Vouch: do == "vouch"})
		switch answer.GetOutcome().GetOutcome() { //nolint:exhaustive // all others wait on
		case pb.Outcome_OUTCOME_STORED, pb.Outcome_OUTCOME_DUPLICATE:
		default:
			why = answer.GetOutcome().GetReason()
		}
	}
	if words, mend := web.Message(err); mend || status.Code(err) == codes.NotFound {
		return words, nil
	}
	return why, err
}

// clip keeps a notice short enough to be carried to the next page.
func clip(words string) string {
	letters := []rune(words)
	if len(letters) > 300 {
		return string(letters[:300]) + "…"
	}
	return words
}
