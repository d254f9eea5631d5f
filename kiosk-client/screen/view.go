package screen

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hailong-vn/hailong/internal/face"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/poster"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/keyboard"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// view is what a screen is drawn from. It holds nothing of the flow's that changes.
type view struct {
	words
	Template string // of the screen
	Main     template.HTML
	Tag      string
	Classes  string
	Tab      string
	Moved    bool // another tab is the screen
	State    State
	Revision uint64
	Problem  string // words; "" = nothing is wrong
	Title    string // of the screen
	Warned   bool

	Office, Counter, Ticket string
	Clock                   string // hh:mm
	Now                     int64  // Unix milliseconds, for the clock
	Languages               []option
	Low, Bold               bool
	Prompt                  string // address; "" = none
	Quiet                   string // a small sign for staff; "" = all is well
	Tools                   bool   // the row of tools shows
	Corner                  bool   // staff may hold it

	Remedies []remedyView
	Options  []option
	Faces    []faceView
	Chosen   *faceView
	Multiple bool
	Number   string // which of the further questions
	Draft    string
	Phone    string
	Agreed   bool
	CanGoBack,
	CanSayMore,
	Unfinished bool
	Keyboard template.HTML
	Code     template.HTML // QR
	Official *officialView
	Kept     bool // on Unkept: what was touched first is kept
	Seconds  int  // after which the thank-you ends
	Thanks   string

	AskServer bool
	TypedCode,
	TypedServer string
	Busy    bool
	Retried bool
	Device  string
	Pairs   []pair
	Shifts  []shiftView
}

// T is Text, for templates.
func (v view) T(key string, args ...any) string { return v.Text(key, args...) }

type option struct {
	ID, Words, More string
	On              bool
	Official        *officialView
}

type faceView struct {
	ID    string
	Score int32
	Words string
	On    bool
}

// SVG is the face itself.
func (f faceView) SVG() template.HTML { return face.SVG(int(f.Score)) }

type officialView struct {
	ID, Name, Position, Initials string
	Photo                        bool
}

type remedyView struct{ Text, When string }

type pair struct {
	Name, Words string
	Bad         bool
}

type shiftView struct {
	Key, Place, Name string
	SignedIn, Mine   bool
}

type callView struct {
	view
	Counter, Name, Said string
	May                 bool
}

func parseTemplates() (*template.Template, error) {
	return template.New("").ParseFS(files, "templates/*.html")
}

// view gathers what is shown now; the lock is held.
func (s *Screen) view(tab string, status journal.Status) view {
	f := s.flow
	w, ok := s.languages[f.tag]
	if !ok {
		w = s.languages["vi"]
	}
	now := f.now.Wall
	if now.IsZero() {
		now = s.options.Clock.Now()
	}
	v := view{
		words: w, Tag: w.tag, Tab: tab, Moved: tab != s.tab, State: f.state, Template: string(f.state), Revision: f.revision, Warned: f.warned,
		Low: f.low, Bold: f.bold, Device: f.setting.Configuration.GetDeviceName(), Tools: true,
		Clock: now.In(localday.Zone).Format("15:04"), Now: s.options.Clock.Now().UnixMilli(),
	}
	v.Title = v.T("kiosk." + v.Template + ".title")
	if v.Moved {
		v.Template, v.Tools, v.Title, v.State = "moved", false, v.T("kiosk.moved.title"), "moved"
		v.Classes = classes(v)
		return v
	}
	if f.problem.key != "" {
		v.Problem = v.T(f.problem.key, f.problem.args...)
	}
	for _, tag := range f.settings().GetLanguages() {
		if one, ok := s.languages[tag]; ok {
			v.Languages = append(v.Languages, option{ID: tag, Words: one.Text("kiosk.language"), On: tag == f.tag})
		}
	}
	if len(v.Languages) < 2 {
		v.Languages = nil
	}
	v.Prompt = s.promptOf(v.Tag, f.state)
	s.placeOf(&v)
	switch f.state {
	case Setup, Ready:
		s.viewSetup(&v)
	case Idle, Closed:
		v.Corner = true
		s.viewIdle(&v)
	case Place:
		v.Corner = true
		for _, place := range f.setting.Configuration.GetPlaces() {
			o := option{ID: placeKey(place), Words: placeName(place), More: place.GetCounterCode()}
			if place.GetCounterName() != "" {
				o.Official = s.officialOf(f.onDuty(place))
			}
			v.Options = append(v.Options, o)
		}
	case Official:
		s.viewCalled(&v)
		v.Corner = true
		for _, official := range f.officials() {
			v.Options = append(v.Options, option{ID: official.GetId(), Official: s.officialOf(official.GetId())})
		}
	case StaffWho:
		for _, official := range f.guarded() {
			v.Options = append(v.Options, option{ID: official.GetId(), Official: s.officialOf(official.GetId())})
		}
	case StaffPIN:
		v.Official = s.officialOf(f.staff)
		v.Keyboard = s.keys(v, keyboard.Number)
	case Staff:
		s.viewStaff(&v, status)
	default:
		s.viewSession(&v)
	}
	v.Classes = classes(v)
	return v
}

func classes(v view) string {
	out := []string{"s-" + string(v.State)}
	if v.Low {
		out = append(out, "low")
	}
	if v.Bold {
		out = append(out, "bold")
	}
	return strings.Join(out, " ")
}

// placeOf says where the screen stands: the place chosen, the only one, or the office they share.
func (s *Screen) placeOf(v *view) {
	places := s.flow.setting.Configuration.GetPlaces()
	place := s.flow.session.place
	if place == nil && len(places) == 1 {
		place = places[0]
	}
	if place != nil {
		v.Office, v.Counter = place.GetUnitName(), counterName(place)
		return
	}
	for i, one := range places {
		if i > 0 && one.GetUnitName() != places[0].GetUnitName() {
			return
		}
		v.Office = one.GetUnitName()
	}
}

func counterName(place *pb.ConfiguredPlace) string {
	return place.GetCounterName()
}

func placeName(place *pb.ConfiguredPlace) string {
	if place.GetCounterName() != "" {
		return place.GetCounterName()
	}
	return place.GetUnitName()
}

func (s *Screen) officialOf(id string) *officialView {
	official := s.flow.official(id)
	if official == nil {
		return nil
	}
	jpeg, ok := s.options.Uplink.Photo(id)
	return &officialView{
		ID: id, Name: official.GetName(), Position: official.GetPosition(), Initials: initials(official.GetName()), Photo: ok && isJPEG(jpeg),
	}
}

// initials are those of the family name and of the name one is called by.
func initials(name string) string {
	parts := strings.Fields(name)
	if len(parts) == 0 {
		return "?"
	}
	first := func(word string) string { return string(unicode.ToUpper([]rune(word)[0])) }
	if len(parts) == 1 {
		return first(parts[0])
	}
	return first(parts[0]) + first(parts[len(parts)-1])
}

func (s *Screen) viewSetup(v *view) {
	v.Tools = false
	v.AskServer = s.options.Server == "" && !s.flow.setting.Enrolled
	v.Busy, v.Retried = s.flow.busy, s.flow.retried
	v.TypedCode, v.TypedServer = s.flow.typed[0], s.flow.typed[1]
	if s.flow.state == Setup {
		if !v.Busy {
			v.Keyboard = s.keys(*v, keyboard.Plain)
		}
		return
	}
	if v.Device == "" {
		v.Device = s.link.DeviceName
	}
	for _, place := range s.flow.setting.Configuration.GetPlaces() {
		v.Options = append(v.Options, option{Words: place.GetUnitName(), More: place.GetCounterName()})
	}
}

func (s *Screen) keys(v view, kinds ...keyboard.Kind) template.HTML {
	style := keyboard.OldStyle
	if s.flow.settings().GetNewToneStyle() {
		style = keyboard.NewStyle
	}
	return keyboard.Part(v.base, style, kinds...)
}

func (s *Screen) viewIdle(v *view) {
	var remedies []*pb.Remedy
	for _, place := range s.flow.setting.Configuration.GetPlaces() {
		for _, remedy := range place.GetRemedies() {
			if !slices.ContainsFunc(remedies, func(r *pb.Remedy) bool { return r.GetId() == remedy.GetId() }) {
				remedies = append(remedies, remedy)
			}
		}
	}
	slices.SortStableFunc(remedies, func(a, b *pb.Remedy) int { return strings.Compare(b.GetDoneOn(), a.GetDoneOn()) })
	for _, remedy := range remedies[:min(len(remedies), 3)] {
		v.Remedies = append(v.Remedies, remedyView{remedy.GetText(), day(remedy.GetDoneOn())})
	}
	if words := local(v.Tag, s.flow.settings().GetInvitations()); words != "" {
		v.Title = words
	}
	if form := s.flow.form(); form != nil {
		v.Faces = faces(form.first, v.Tag, nil)
	}
	v.Quiet = s.quiet(*v)
}

// quiet is the small sign for staff: what they must do something about first, then a network that is away, which mends itself.
func (s *Screen) quiet(v view) string {
	switch trouble := s.link.Trouble; {
	case len(s.troubles) > 0:
		return v.troubleText(s.troubles[0])
	case trouble != "" && trouble != uplink.TroubleUnreachable:
		return v.troubleText(trouble)
	case trouble != "" || !s.link.Connected:
		return v.T("kiosk.quiet")
	}
	return ""
}

// day is dd/MM/yyyy.
func day(text string) string {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return ""
	}
	return t.Format("02/01/2006")
}

func faces(question *pb.Question, tag string, chosen *pb.Choice) []faceView {
	var all []faceView
	for _, choice := range question.GetChoices() {
		all = append(all, faceView{choice.GetId(), choice.GetScore(), local(tag, choice.GetTexts()), chosen != nil && choice.GetId() == chosen.GetId()})
	}
	return all
}

// viewCalled invites the person who was called, until the first touch of a face.
func (s *Screen) viewCalled(v *view) {
	if x := s.flow.session; x.woken && x.rating == "" {
		v.Draft, v.Ticket = v.T("kiosk.ask.called"), x.ticket
	}
}

func (s *Screen) viewSession(v *view) {
	f := s.flow
	x := f.session
	v.Official = s.officialOf(x.official)
	v.Ticket = x.ticket
	v.Unfinished = x.rating != ""
	if x.form == nil {
		return
	}
	for _, face := range faces(x.form.first, v.Tag, x.face) {
		if face.On {
			v.Chosen = &face
		}
	}
	switch f.state {
	case Ask:
		v.Corner = x.rating == ""
		v.Faces = faces(x.form.first, v.Tag, x.face)
		v.Title = local(v.Tag, x.form.first.GetTexts())
		s.viewCalled(v)
		v.CanGoBack = x.rating == "" && !x.woken
	case Reasons, Question:
		question := f.question()
		v.Title, v.Multiple = local(v.Tag, question.GetTexts()), question.GetMultiple()
		answer := x.answers[question.GetId()]
		if question.GetKind() == kindChoices {
			for _, choice := range question.GetChoices() {
				v.Options = append(v.Options, option{ID: choice.GetId(), Words: local(v.Tag, choice.GetTexts()), On: slices.Contains(answer.GetChoiceIds(), choice.GetId())})
			}
			v.Template = string(Reasons)
		} else {
			for _, choice := range question.GetChoices() {
				on := answer != nil && answer.GetScore() == choice.GetScore()
				v.Faces = append(v.Faces, faceView{choice.GetId(), choice.GetScore(), local(v.Tag, choice.GetTexts()), on})
			}
		}
		v.Number = s.number(*v, question)
	case Words:
		if x.form.text != nil && x.step < len(f.steps()) {
			v.Title = local(v.Tag, x.form.text.GetTexts())
		}
		v.Draft = x.draft
		if v.Draft == "" {
			v.Draft = x.comment
		}
		v.Keyboard = s.keys(*v, keyboard.Text)
	case CallBack:
		v.Phone, v.Agreed = x.phone, x.agreed
		v.Keyboard = s.keys(*v, keyboard.Phone)
	case Thanks:
		_, end, _ := f.end()
		v.Seconds = max(int((end-f.now.Since)/time.Second), 1)
		v.CanSayMore = !x.settings.GetSkipComment()
		if words := local(v.Tag, x.settings.GetThanks()); words != "" {
			v.Thanks = words
		}
		if link := x.place.GetFormUrl(); link != "" {
			v.Code = s.codeOf(link, v.T("kiosk.thanks.code"))
		}
	case Unkept:
		v.Kept = x.rating != ""
	}
}

// codeOf draws the QR code of a place's form; nothing where it cannot be. A place's is drawn once, before the first thank-you waits for it.
func (s *Screen) codeOf(link, title string) template.HTML {
	key := link + "\n" + title
	drawn, known := s.codes[key]
	if !known {
		if code, err := poster.QR(link); err == nil {
			drawn = code.SVG(title)
		}
		s.codes[key] = drawn
	}
	return drawn
}

// number is which of the further questions is shown, "2/18"; "" where there is one only.
func (s *Screen) number(v view, question *pb.Question) string {
	further := s.flow.session.form.further
	if at := slices.Index(further, question); at >= 0 && len(further) > 1 {
		return v.T("kiosk.question.number", "number", at+1, "of", len(further))
	}
	return ""
}

func (s *Screen) viewStaff(v *view, status journal.Status) {
	moment := func(t time.Time) string {
		if t.IsZero() {
			return v.T("kiosk.staff.never")
		}
		return t.In(localday.Zone).Format("15:04 02/01/2006")
	}
	add := func(key, words string, bad bool) {
		v.Pairs = append(v.Pairs, pair{v.T("kiosk.staff." + key), words, bad})
	}
	count := func(n uint64) string { return v.base.Number(float64(n), 0) }
	connection := v.T("kiosk.staff.connected")
	if !s.link.Connected {
		connection = v.T("kiosk.staff.apart")
	}
	if trouble := s.link.Trouble; trouble != "" {
		connection = v.troubleText(trouble)
	}
	add("connection", connection, !s.link.Connected || s.link.Trouble != "")
	add("contact", moment(s.link.LastContact), false)
	add("queue", count(status.Queue), false)
	add("stored", v.T("kiosk.staff.stored_of", "stored", count(status.AcknowledgedThrough), "of", count(status.HighestSequence)), false)
	add("touch", moment(status.LastTouch), false)
	if status.FreeBytes > 0 {
		add("free", v.base.Number(float64(status.FreeBytes)/1e9, 1)+" GB", false)
	}
	add("skew", v.T("kiosk.staff.seconds", "seconds", v.base.Number(s.link.Skew.Seconds(), 1)), s.link.Skew.Abs() > 2*time.Minute)
	add("device", v.Device, false)
	add("version", s.options.Version, false)
	for _, trouble := range status.Troubles {
		add("trouble", v.troubleText(trouble), true)
	}
	v.Official = s.officialOf(s.flow.staff)
	holder := s.flow.official(s.flow.staff)
	for _, place := range s.flow.setting.Configuration.GetPlaces() {
		if holder == nil || holder.GetUnitId() != place.GetUnitId() {
			continue
		}
		v.Shifts = append(v.Shifts, shiftView{
			Key: placeKey(place), Place: placeName(place), Name: s.flow.official(s.flow.onDuty(place)).GetName(),
			SignedIn: s.flow.signedIn(place) != "", Mine: s.flow.signedIn(place) == s.flow.staff,
		})
	}
}

// troubleText is what a stable code means; the code itself where no words are known.
func (v view) troubleText(code string) string {
	key := "kiosk.trouble." + code
	if words := v.T(key); words != key {
		return words
	}
	return fmt.Sprintf("%s (%s)", v.T("kiosk.trouble.other"), code)
}
