// Package notices are the pages on which people find what they were told and choose how, and on which administrators keep webhooks and see
// what left the house.
package notices

import (
	"embed"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html
var files embed.FS

//go:embed notices.css
var sheet []byte

type pages struct{ *web.Pages }

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	site.Style(sheet)
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	p := pages{read}
	own, keep := web.Needs("read_notices"), web.Needs("manage_webhooks")
	for _, page := range []struct {
		pattern string
		handler func(*web.Visit) error
		needs   web.Option
	}{
		{"GET /notices", p.show, own},
		{"POST /notices", p.read, own},
		{"GET /notices/settings", p.showSettings, own},
		{"POST /notices/settings", p.choose, own},
		{"POST /notices/settings/email", p.setEmail, own},
		{"GET /notices/settings/email", toSettings, own},
		{"POST /notices/settings/code", p.confirm, own},
		{"GET /notices/settings/code", toSettings, own},
		{"POST /notices/settings/remove", p.removeEmail, own},

		{"GET /admin/webhooks", p.webhooks, keep},
		{"GET /admin/webhooks/new", p.newWebhook, keep},
		{"POST /admin/webhooks/new", p.makeWebhook, keep},
		{"GET /admin/webhooks/{webhook}", p.webhook, keep},
		{"POST /admin/webhooks/{webhook}", p.press, keep},
		{"GET /admin/webhooks/{webhook}/change", p.editWebhook, keep},
		{"POST /admin/webhooks/{webhook}/change", p.changeWebhook, keep},
		{"GET /admin/webhooks/{webhook}/rotate", p.askRotate, keep},
		{"POST /admin/webhooks/{webhook}/rotate", p.rotate, keep},
		{"GET /admin/webhooks/{webhook}/remove", p.askRemove, keep},
		{"POST /admin/webhooks/{webhook}/remove", p.remove, keep},
		{"GET /admin/deliveries", p.mails, keep},
		{"POST /admin/deliveries", p.retryMail, keep},
	} {
		site.Handle(page.pattern, web.SignedIn, page.handler, page.needs)
	}
	return nil
}

func toSettings(v *web.Visit) error { return v.Redirect("/notices/settings") }

const rows = 50

type noticesPage struct {
	Notices    []*pb.Notice
	UnreadOnly bool
	Unread     bool // some of them are
	Until      string
	Next       string
}

func (p pages) show(v *web.Visit) error {
	page := noticesPage{UnreadOnly: v.Value("unread") != ""}
	list, err := v.Notices.ListNotices(v.Context(), &pb.ListNoticesRequest{UnreadOnly: page.UnreadOnly, PageSize: rows, PageToken: v.Value("page")})
	if status.Code(err) == codes.InvalidArgument {
		return v.Redirect("/notices")
	}
	if err != nil {
		return err
	}
	page.Notices = list.GetNotices()
	for i, one := range page.Notices {
		page.Unread = page.Unread || one.GetReadAt() == nil
		if i == 0 { // what comes after this page was made stays unread
			page.Until = one.GetAt().AsTime().Format(stamp)
		}
	}
	if token := list.GetNextPageToken(); token != "" {
		query := url.Values{"page": {token}}
		if page.UnreadOnly {
			query.Set("unread", "1")
		}
		page.Next = "/notices?" + query.Encode()
	}
	return v.Render(p.Pages, "notices", page)
}

// stamp is how a form carries a time.
const stamp = "2006-01-02T15:04:05.000Z07:00"

// read marks one notice and goes where it leads, or marks all that were shown and those before.
func (p pages) read(v *web.Visit) error {
	request := &pb.MarkNoticesReadRequest{}
	if id := v.Value("id"); id != "" {
		request.NoticeIds = []string{id}
	} else if until, err := parseStamp(v.Value("until")); err == nil {
		request.AllUntil = until
	}
	_, err := v.Notices.MarkNoticesRead(v.Context(), request)
	if err != nil && status.Code(err) != codes.NotFound { // one that expired meanwhile is read too
		return err
	}
	if to := v.Value("to"); to != "" {
		return v.Redirect(to)
	}
	v.Notice(v.Text("noticespage.marked"))
	if v.Value("unread") != "" {
		return v.Redirect("/notices?unread=1")
	}
	return v.Redirect("/notices")
}

type settingsPage struct {
	Settings   *pb.NoticeSettings
	Groups     []choice
	Languages  []choice
	Digest     bool
	Email      string // as typed
	Code       string
	EmailWrong string
	CodeWrong  string
	Problem    string
}

type choice struct {
	Value, Words string
	Chosen       bool
}

func (p pages) showSettings(v *web.Visit) error {
	settings, err := v.Notices.GetNoticeSettings(v.Context(), &pb.GetNoticeSettingsRequest{})
	if err != nil {
		return err
	}
	return p.renderSettings(v, http.StatusOK, settings, settingsPage{})
}

func (p pages) renderSettings(v *web.Visit, code int, settings *pb.NoticeSettings, page settingsPage) error {
	page.Settings, page.Digest = settings, settings.GetWeeklyDigest()
	for _, group := range []string{"tasks", "late", "progress"} {
		page.Groups = append(page.Groups, choice{group, v.Text("notice.group." + group), contains(settings.GetEmailGroups(), group)})
	}
	for _, in := range []string{"vi", "en"} {
		page.Languages = append(page.Languages, choice{in, v.Text("web.language." + in), settings.GetLanguage() == in})
	}
	return v.RenderStatus(code, p.Pages, "settings", page)
}

func contains(list []string, one string) bool {
	for _, have := range list {
		if have == one {
			return true
		}
	}
	return false
}

func (p pages) choose(v *web.Visit) error {
	wanted := &pb.UpdateNoticeSettingsRequest{Language: v.Value("language"), EmailGroups: v.Values("group"), WeeklyDigest: v.Value("digest") != ""}
	_, err := v.Notices.UpdateNoticeSettings(v.Context(), wanted)
	if words, mend := web.Message(err); err != nil && mend {
		settings, err := v.Notices.GetNoticeSettings(v.Context(), &pb.GetNoticeSettingsRequest{})
		if err != nil {
			return err
		}
		settings.Language, settings.EmailGroups, settings.WeeklyDigest = wanted.GetLanguage(), wanted.GetEmailGroups(), wanted.GetWeeklyDigest()
		return p.renderSettings(v, http.StatusUnprocessableEntity, settings, settingsPage{Problem: words})
	}
	if err != nil {
		return err
	}
	v.Notice(v.Text("noticespage.saved"))
	return toSettings(v)
}

// mended shows the settings again with what was typed and what is wrong with it; other errors are answered.
func (p pages) mended(v *web.Visit, err error, page func(words string) settingsPage) error {
	words, mend := web.Message(err)
	if !mend {
		return err
	}
	settings, err := v.Notices.GetNoticeSettings(v.Context(), &pb.GetNoticeSettingsRequest{})
	if err != nil {
		return err
	}
	return p.renderSettings(v, http.StatusUnprocessableEntity, settings, page(words))
}

func (p pages) setEmail(v *web.Visit) error {
	email := v.Value("email")
	if email == "" {
		return p.mended(v, status.Error(codes.InvalidArgument, v.Text("web.required")), func(words string) settingsPage { return settingsPage{EmailWrong: words} })
	}
	settings, err := v.Notices.SetNoticeEmail(v.Context(), &pb.SetNoticeEmailRequest{Email: email})
	if err != nil {
		return p.mended(v, err, func(words string) settingsPage { return settingsPage{Email: email, EmailWrong: words} })
	}
	v.Notice(v.Text("noticespage.email_sent", "address", settings.GetPendingEmail()))
	return toSettings(v)
}

func (p pages) confirm(v *web.Visit) error {
	code := v.Value("code")
	if code == "" {
		return p.mended(v, status.Error(codes.InvalidArgument, v.Text("web.required")), func(words string) settingsPage { return settingsPage{CodeWrong: words} })
	}
	if _, err := v.Notices.ConfirmNoticeEmail(v.Context(), &pb.ConfirmNoticeEmailRequest{Code: code}); err != nil {
		return p.mended(v, err, func(words string) settingsPage { return settingsPage{Code: code, CodeWrong: words} })
	}
	v.Notice(v.Text("noticespage.email_confirmed"))
	return toSettings(v)
}

func (p pages) removeEmail(v *web.Visit) error {
	if _, err := v.Notices.RemoveNoticeEmail(v.Context(), &pb.RemoveNoticeEmailRequest{}); err != nil {
		return err
	}
	v.Notice(v.Text("noticespage.email_removed"))
	return toSettings(v)
}

// deliveryRow is a delivery as a log shows it.
type deliveryRow struct {
	*pb.Delivery
	Last *pb.DeliveryAttempt // nil = it was not tried yet
}

// Again tells whether it can be tried again by hand.
func (d deliveryRow) Again() bool {
	return (d.GetState() == "given_up" || d.GetState() == "dropped" || d.GetState() == "waiting" && d.Last != nil) &&
		!strings.HasSuffix(d.GetTopic(), ".test") && d.GetTopic() != "email.code"
}

// Tone is the colour of its state.
func (d deliveryRow) Tone() string {
	switch d.GetState() {
	case "sent":
		return "good"
	case "given_up":
		return "bad"
	}
	return ""
}

// logPage is a list of deliveries.
type logPage struct {
	Rows   []deliveryRow
	Next   string
	Action string // where a retry is posted
}

func deliveries(v *web.Visit, channel, at string) (logPage, error) {
	list, err := v.Notices.ListDeliveries(v.Context(), &pb.ListDeliveriesRequest{Channel: channel, PageSize: rows, PageToken: v.Value("page")})
	if err != nil {
		return logPage{}, err
	}
	page := logPage{Action: at}
	for _, one := range list.GetDeliveries() {
		row := deliveryRow{Delivery: one}
		if n := len(one.GetLog()); n > 0 {
			row.Last = one.GetLog()[n-1]
		}
		page.Rows = append(page.Rows, row)
	}
	if token := list.GetNextPageToken(); token != "" {
		page.Next = at + "?" + url.Values{"page": {token}}.Encode()
	}
	return page, nil
}

func (p pages) mails(v *web.Visit) error {
	page, err := deliveries(v, "email", "/admin/deliveries")
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "mails", page)
}

func retry(v *web.Visit, back string) error {
	_, err := v.Notices.RetryDelivery(v.Context(), &pb.RetryDeliveryRequest{DeliveryId: v.Value("delivery")})
	words, mend := web.Message(err)
	if err != nil && !mend {
		return err
	}
	if err == nil {
		words = v.Text("noticespage.retried")
	}
	v.Notice(words)
	return v.Redirect(back)
}

func (p pages) retryMail(v *web.Visit) error { return retry(v, "/admin/deliveries") }
