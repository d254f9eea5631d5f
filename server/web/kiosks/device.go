package kiosks

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/chart"
)

type devicePage struct {
	Tabs []tab
	deviceRow
	Drawn template.HTML // the ratings a day
	Asked string        // title of the questionnaire
}

func deviceOf(v *web.Visit) (*pb.Device, error) {
	return v.Directory.GetDevice(v.Context(), &pb.GetDeviceRequest{DeviceId: v.R.PathValue("device")})
}

// device shows everything of one device.
func (p pages) device(v *web.Visit) error {
	d, err := deviceOf(v)
	if err != nil {
		return err
	}
	page := devicePage{Tabs: tabs(v, "fleet"), deviceRow: rowOf(v, namesOf(v), d)}
	page.Drawn = chart.Block(v.Language, "days", ratingsADay(v, d))
	forms, err := questionnaires(v)
	if err != nil {
		return err
	}
	for _, f := range forms {
		if f.Value == d.GetSettings().GetQuestionnaireId() {
			page.Asked = f.Words
		}
	}
	return v.Render(p.Pages, "device", page)
}

// Languages are the languages a device offers.
func (page devicePage) Languages() []string { return languagesOf(page.GetSettings()) }

// Idle and Interval are the seconds that hold.
func (page devicePage) Idle() int32 { return or(page.GetSettings().GetIdleSeconds(), idleSeconds) }

// Interval is the seconds within which ratings are flagged.
func (page devicePage) Interval() int32 {
	return or(page.GetSettings().GetMinimumIntervalSeconds(), intervalSeconds)
}

// What holds where nothing is set, as the contract says.
const (
	idleSeconds     = 30
	intervalSeconds = 5
	maxWords        = 120 // characters of a text on the screen
)

func or(value, otherwise int32) int32 {
	if value == 0 {
		return otherwise
	}
	return value
}

func languagesOf(s *pb.KioskSettings) []string {
	if len(s.GetLanguages()) == 0 {
		return []string{"vi"}
	}
	return s.GetLanguages()
}

// choice is one line of a list to choose from.
type choice struct {
	Value, Words string
	Chosen       bool
}

// questionnaires are those that were published, each once, with the newest title; first the short form of citizens.
func questionnaires(v *web.Visit) ([]choice, error) {
	list := []choice{{Words: v.Text("kioskspage.short_form")}}
	request := &pb.ListQuestionnairesRequest{PageSize: 1000}
	for {
		page, err := v.Directory.ListQuestionnaires(v.Context(), request)
		if err != nil {
			return nil, err
		}
		for _, q := range page.GetQuestionnaires() {
			words := web.Local(v.Language, q.GetTitles())
			if last := &list[len(list)-1]; last.Value == q.GetId() {
				last.Words = words
				continue
			}
			list = append(list, choice{Value: q.GetId(), Words: words})
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return list, nil
		}
	}
}

// settingsPage is the form of how a device's screen works, as it was typed.
type settingsPage struct {
	Tabs []tab
	form
	Device                     *pb.Device
	Link                       string
	Forms                      []choice
	Vietnamese, English        bool
	Others                     string // further languages, by their codes
	Idle, Interval             string
	NewTones                   bool
	Comment, CallBack          bool
	ChooseOfficial, LowButtons bool
	Ticket, Dossier            string
	Texts                      []screenText
}

// screenText are the words on the screen in one language.
type screenText struct{ Language, Name, Invitation, Thanks string }

func (p pages) settings(v *web.Visit) error {
	page, err := settingsOf(v)
	if err != nil {
		return err
	}
	s := page.Device.GetSettings()
	for _, code := range languagesOf(s) {
		switch code {
		case "vi":
			page.Vietnamese = true
		case "en":
			page.English = true
		default:
			page.Others = strings.TrimPrefix(page.Others+", "+code, ", ")
		}
	}
	page.Idle, page.Interval = strconv.Itoa(int(or(s.GetIdleSeconds(), idleSeconds))), strconv.Itoa(int(or(s.GetMinimumIntervalSeconds(), intervalSeconds)))
	page.NewTones, page.Comment, page.CallBack = s.GetNewToneStyle(), !s.GetSkipComment(), !s.GetSkipCallBack()
	page.ChooseOfficial, page.LowButtons = s.GetChooseOfficial(), s.GetLowButtons()
	page.Ticket, page.Dossier = s.GetTicketPattern(), s.GetDossierPattern()
	page.choose(s.GetQuestionnaireId())
	for _, code := range textLanguages(languagesOf(s)) {
		page.Texts = append(page.Texts, screenText{code, languageName(v, code), textIn(s.GetInvitations(), code), textIn(s.GetThanks(), code)})
	}
	return v.Render(p.Pages, "settings", page)
}

func settingsOf(v *web.Visit) (*settingsPage, error) {
	d, err := deviceOf(v)
	if err != nil {
		return nil, err
	}
	forms, err := questionnaires(v)
	return &settingsPage{Tabs: tabs(v, "fleet"), Device: d, Link: "/kiosks/devices/" + d.GetId(), Forms: forms}, err
}

func (page *settingsPage) choose(id string) {
	for i := range page.Forms {
		page.Forms[i].Chosen = page.Forms[i].Value == id
	}
}

// textLanguages are those in which there are words to be typed: Vietnamese, English, and what else is offered.
func textLanguages(offered []string) []string {
	list := []string{"vi", "en"}
	for _, code := range offered {
		if !slices.Contains(list, code) {
			list = append(list, code)
		}
	}
	return list
}

func languageName(v *web.Visit, code string) string {
	key := "web.language." + code
	if words := v.Text(key); words != key {
		return words
	}
	return code
}

func textIn(texts []*pb.LocalText, code string) string {
	for _, text := range texts {
		if text.GetLanguage() == code {
			return text.GetText()
		}
	}
	return ""
}

func (p pages) setSettings(v *web.Visit) error {
	page, err := settingsOf(v)
	if err != nil {
		return err
	}
	settings := page.read(v)
	if !page.bad() {
		_, err := v.Directory.SetKioskSettings(v.Context(), &pb.SetKioskSettingsRequest{DeviceId: page.Device.GetId(), Settings: settings})
		if err == nil {
			v.Notice(v.Text("kioskspage.settings_saved"))
			return v.Redirect(page.Link)
		}
		if err := page.refused(err); err != nil {
			return err
		}
	}
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "settings", page)
}

// read takes the form as it was typed, and the settings it means.
func (page *settingsPage) read(v *web.Visit) *pb.KioskSettings {
	page.Vietnamese, page.English, page.Others = v.Value("vi") != "", v.Value("en") != "", v.Value("others")
	page.Idle, page.Interval = v.Value("idle"), v.Value("interval")
	page.NewTones, page.Comment, page.CallBack = v.Value("tones") == "new", v.Value("comment") != "", v.Value("call_back") != ""
	page.ChooseOfficial, page.LowButtons = v.Value("choose_official") != "", v.Value("low_buttons") != ""
	page.Ticket, page.Dossier = v.Value("ticket"), v.Value("dossier")
	page.choose(v.Value("questionnaire"))
	s := &pb.KioskSettings{
		QuestionnaireId: v.Value("questionnaire"), NewToneStyle: page.NewTones, SkipComment: !page.Comment, SkipCallBack: !page.CallBack,
		ChooseOfficial: page.ChooseOfficial, LowButtons: page.LowButtons, TicketPattern: page.Ticket, DossierPattern: page.Dossier,
		IdleSeconds: page.seconds(v, "idle", 5), MinimumIntervalSeconds: page.seconds(v, "interval", 1),
	}
	if page.Vietnamese {
		s.Languages = append(s.Languages, "vi")
	}
	if page.English {
		s.Languages = append(s.Languages, "en")
	}
	for _, code := range strings.FieldsFunc(page.Others, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
		if !slices.Contains(s.Languages, code) {
			s.Languages = append(s.Languages, code)
		}
	}
	if len(s.Languages) == 0 {
		page.wrong(v, "languages", "kioskspage.no_language")
	}
	for _, code := range textLanguages(s.Languages) {
		text := screenText{code, languageName(v, code), page.words(v, "invitation_"+code), page.words(v, "thanks_"+code)}
		page.Texts = append(page.Texts, text)
		if text.Invitation != "" {
			s.Invitations = append(s.Invitations, &pb.LocalText{Language: code, Text: text.Invitation})
		}
		if text.Thanks != "" {
			s.Thanks = append(s.Thanks, &pb.LocalText{Language: code, Text: text.Thanks})
		}
	}
	return s
}

func (page *settingsPage) words(v *web.Visit, field string) string {
	words := norm.NFC.String(v.Value(field))
	if utf8.RuneCountInString(words) > maxWords {
		page.wrong(v, field, "kioskspage.too_long", "limit", maxWords)
	}
	return words
}

// maxSeconds is the most the contract takes.
const maxSeconds = 300

func (page *settingsPage) seconds(v *web.Visit, field string, least int) int32 {
	n, err := strconv.ParseInt(v.Value(field), 10, 32)
	if err != nil || n < int64(least) || n > maxSeconds {
		page.wrong(v, field, "kioskspage.seconds_wrong", "least", least, "most", maxSeconds)
	}
	return int32(n) //nolint:gosec // 32 bits were asked for
}
