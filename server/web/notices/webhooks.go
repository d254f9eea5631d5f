package notices

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

func parseStamp(text string) (*timestamppb.Timestamp, error) {
	at, err := time.Parse(stamp, text)
	return timestamppb.New(at), err
}

// families are what a webhook hears, as people choose it.
func families() []string { return []string{"case", "clock", "action", "contest"} }

type webhookRow struct {
	*pb.Webhook
	Link, Unit string
}

// Tone is the colour of its state.
func (w webhookRow) Tone() string {
	switch {
	case w.GetPaused() == "failing" || w.GetPaused() == "" && w.GetFailingSince() != nil:
		return "bad"
	case w.GetPaused() != "":
		return ""
	}
	return "good"
}

func rowOf(v *web.Visit, hook *pb.Webhook, names web.UnitNames) webhookRow {
	return webhookRow{hook, "/admin/webhooks/" + url.PathEscape(hook.GetId()), unitWords(v, names, hook.GetUnitId())}
}

func unitWords(v *web.Visit, names web.UnitNames, id string) string {
	if id == "" {
		return v.Text("noticespage.everything")
	}
	return v.Text("noticespage.and_below", "unit", names.Of(id))
}

type webhooksPage struct{ Webhooks []webhookRow }

func (p pages) webhooks(v *web.Visit) error {
	list, err := v.Notices.ListWebhooks(v.Context(), &pb.ListWebhooksRequest{PageSize: 1000})
	if err != nil {
		return err
	}
	page, names := webhooksPage{}, v.UnitNames()
	for _, hook := range list.GetWebhooks() {
		page.Webhooks = append(page.Webhooks, rowOf(v, hook, names))
	}
	return v.Render(p.Pages, "webhooks", page)
}

// formPage is the form of a webhook, to make one or to change one.
type formPage struct {
	ID      string // of what the form will make: a form sent twice makes one
	Link    string // of the one that is changed; "" = a new one
	Name    string
	URL     string
	Topics  []choice
	Unit    string // id
	Of      string // its words
	Query   string
	Found   []choice // units to choose instead
	Nothing bool
	Problem string
	Errors  map[string]string
}

func topicChoices(v *web.Visit, chosen []string) []choice {
	var list []choice
	for _, family := range families() {
		list = append(list, choice{family + ".*", v.Text("notice.family." + family), contains(chosen, family+".*")})
	}
	for _, topic := range chosen { // what a program chose in more detail stays
		if !contains([]string{"case.*", "clock.*", "action.*", "contest.*"}, topic) {
			list = append(list, choice{topic, topic, true})
		}
	}
	return list
}

func (p pages) newWebhook(v *web.Visit) error {
	page := formPage{ID: uuid.NewString(), Unit: cmp.Or(v.Value("unit"), v.Account.GetUnitId()), Query: v.Value("q"), Topics: topicChoices(v, []string{"case.*"})}
	if page.Query != "" {
		found, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{Query: cut(page.Query, 200), PageSize: 20})
		if err != nil {
			return err
		}
		for _, unit := range found.GetUnits() {
			page.Found = append(page.Found, choice{Value: "/admin/webhooks/new?" + url.Values{"unit": {unit.GetId()}}.Encode(), Words: unit.GetName()})
		}
		page.Nothing = len(page.Found) == 0
	}
	return p.renderForm(v, http.StatusOK, page)
}

func cut(text string, characters int) string {
	if letters := []rune(text); len(letters) > characters {
		return string(letters[:characters])
	}
	return text
}

func (p pages) renderForm(v *web.Visit, code int, page formPage) error {
	if page.Errors == nil {
		page.Errors = map[string]string{}
	}
	page.Of = unitWords(v, v.UnitNames(), page.Unit)
	return v.RenderStatus(code, p.Pages, "webhook-form", page)
}

// typed reads the form; what is missing is told beside its field.
func typed(v *web.Visit) formPage {
	page := formPage{
		ID: v.Value("id"), Name: v.Value("name"), URL: v.Value("url"), Unit: v.Value("unit"), Topics: topicChoices(v, v.Values("topic")), Errors: map[string]string{},
	}
	for field, value := range map[string]string{"name": page.Name, "url": page.URL} {
		if value == "" {
			page.Errors[field] = v.Text("web.required")
		}
	}
	if len(v.Values("topic")) == 0 {
		page.Errors["topic"] = v.Text("web.required")
	}
	if len(page.Errors) > 0 {
		page.Problem = v.Text("noticespage.mend")
	}
	return page
}

// refused puts what a service says of a form beside it; other errors are answered.
func (p pages) refused(v *web.Visit, err error, page formPage) error {
	words, mend := web.Message(err)
	if !mend && status.Code(err) != codes.NotFound {
		return err
	}
	page.Problem = words
	if !mend {
		page.Problem = status.Convert(err).Message()
	}
	return p.renderForm(v, http.StatusUnprocessableEntity, page)
}

func (p pages) makeWebhook(v *web.Visit) error {
	page := typed(v)
	if page.Problem != "" {
		return p.renderForm(v, http.StatusUnprocessableEntity, page)
	}
	made, err := v.Notices.CreateWebhook(v.Context(), &pb.CreateWebhookRequest{
		Id: page.ID, UnitId: page.Unit, Name: page.Name, Topics: v.Values("topic"), Url: page.URL,
	})
	if err != nil {
		if status.Code(err) == codes.AlreadyExists {
			page.ID = uuid.NewString()
		}
		return p.refused(v, err, page)
	}
	v.Notice(v.Text("noticespage.webhook_made"))
	return v.TellOnce("/admin/webhooks/"+url.PathEscape(made.GetWebhook().GetId()), made.GetSecret())
}

// hookOf is the webhook that a page's address names.
func hookOf(v *web.Visit) (webhookRow, error) {
	hook, err := v.Notices.GetWebhook(v.Context(), &pb.GetWebhookRequest{WebhookId: cut(v.R.PathValue("webhook"), 64)})
	if err != nil {
		return webhookRow{}, err
	}
	return rowOf(v, hook, v.UnitNames()), nil
}

type webhookPage struct {
	webhookRow
	Secret string // shown once
	Hears  []string
	Log    logPage
}

func (p pages) webhook(v *web.Visit) error {
	row, err := hookOf(v)
	if err != nil {
		return err
	}
	page := webhookPage{webhookRow: row, Secret: v.ToldOnce()}
	for _, topic := range topicChoices(v, row.GetTopics()) {
		if topic.Chosen {
			page.Hears = append(page.Hears, topic.Words)
		}
	}
	if page.Log, err = deliveries(v, row.GetId(), row.Link); err != nil {
		return err
	}
	return v.Render(p.Pages, "webhook", page)
}

// press does what a button of a webhook's page says.
func (p pages) press(v *web.Visit) error {
	row, err := hookOf(v)
	if err != nil {
		return err
	}
	var said string
	switch v.Value("do") {
	case "test":
		tried, err := v.Notices.TestWebhook(v.Context(), &pb.TestWebhookRequest{WebhookId: row.GetId()})
		words, mend := web.Message(err)
		switch {
		case err != nil && !mend:
			return err
		case err != nil:
			said = words
		case tried.GetState() == "sent":
			said = v.Text("noticespage.tested_good")
		default:
			said = v.Text("noticespage.tested_bad", "outcome", tried.GetLog()[0].GetText())
		}
	case "pause":
		_, err = v.Notices.PauseWebhook(v.Context(), &pb.PauseWebhookRequest{WebhookId: row.GetId()})
		said = v.Text("noticespage.paused")
	case "resume":
		_, err = v.Notices.ResumeWebhook(v.Context(), &pb.ResumeWebhookRequest{WebhookId: row.GetId()})
		said = v.Text("noticespage.resumed")
	case "retry":
		return retry(v, row.Link)
	default:
		return v.Redirect(row.Link)
	}
	if err != nil {
		return err
	}
	v.Notice(said)
	return v.Redirect(row.Link)
}

func (p pages) editWebhook(v *web.Visit) error {
	row, err := hookOf(v)
	if err != nil {
		return err
	}
	return p.renderForm(v, http.StatusOK, formPage{
		Link: row.Link, Name: row.GetName(), URL: row.GetUrl(), Unit: row.GetUnitId(), Topics: topicChoices(v, row.GetTopics()),
	})
}

func (p pages) changeWebhook(v *web.Visit) error {
	row, err := hookOf(v)
	if err != nil {
		return err
	}
	page := typed(v)
	page.Link, page.Unit = row.Link, row.GetUnitId()
	if page.Problem != "" {
		return p.renderForm(v, http.StatusUnprocessableEntity, page)
	}
	if _, err := v.Notices.UpdateWebhook(v.Context(), &pb.UpdateWebhookRequest{
		WebhookId: row.GetId(), Name: page.Name, Url: page.URL, Topics: v.Values("topic"),
	}); err != nil {
		return p.refused(v, err, page)
	}
	v.Notice(v.Text("noticespage.changed"))
	return v.Redirect(row.Link)
}

// askPage asks before something that cannot be taken back.
type askPage struct {
	webhookRow
	Title, Help, Button, Action string
	Danger                      bool
}

func (p pages) ask(v *web.Visit, what string, danger bool) error {
	row, err := hookOf(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "ask", askPage{
		webhookRow: row, Title: v.Text("noticespage.sure_"+what, "name", row.GetName()), Help: v.Text("noticespage." + what + "_help"),
		Button: v.Text("noticespage." + what), Action: row.Link + "/" + what, Danger: danger,
	})
}

func (p pages) askRotate(v *web.Visit) error { return p.ask(v, "rotate", false) }
func (p pages) askRemove(v *web.Visit) error { return p.ask(v, "remove", true) }

func (p pages) rotate(v *web.Visit) error {
	row, err := hookOf(v)
	if err != nil {
		return err
	}
	made, err := v.Notices.RotateWebhookSecret(v.Context(), &pb.RotateWebhookSecretRequest{WebhookId: row.GetId()})
	if err != nil {
		return err
	}
	return v.TellOnce(row.Link, made.GetSecret())
}

func (p pages) remove(v *web.Visit) error {
	row, err := hookOf(v)
	if err != nil {
		return err
	}
	if _, err := v.Notices.DeleteWebhook(v.Context(), &pb.DeleteWebhookRequest{WebhookId: row.GetId()}); err != nil {
		return err
	}
	v.Notice(v.Text("noticespage.removed"))
	return v.Redirect("/admin/webhooks")
}
