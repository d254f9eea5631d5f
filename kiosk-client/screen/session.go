package screen

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/kiosk-client/journal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// session is one person at the screen, from the first touch or the call to the end. It keeps the configuration it began with.
type session struct {
	settings *pb.KioskSettings
	place    *pb.ConfiguredPlace
	official string
	ticket   string
	dossier  string
	woken    bool

	form    *form
	rating  string     // its id; "" before the first face is touched
	face    *pb.Choice // what was touched; nil before
	answers map[string]*pb.Answer
	step    int // of steps; len(steps) = the thank-you

	draft   string // typed, not sent
	comment string // sent
	phone   string // as last sent, right or wrong
	agreed  bool   // to it
	person  *pb.Contact
}

// content is the least score of somebody who is not asked why.
const content = 4

// Limits of what is typed, in characters.
const (
	maxComment = 2000
	maxPhone   = 40
)

// start begins a session.
func (f *Flow) start(Event) {
	f.session = session{settings: f.settings(), form: f.form(), answers: map[string]*pb.Answer{}}
	if places := f.setting.Configuration.GetPlaces(); len(places) == 1 {
		f.session.place = places[0]
		f.chosen()
		return
	}
	f.show(Place)
}

// chosen goes on once the place is known.
func (f *Flow) chosen() {
	f.session.official = f.onDuty(f.session.place)
	if f.session.settings.GetChooseOfficial() && len(f.officials()) > 0 {
		f.show(Official)
		return
	}
	f.show(Ask)
}

func (f *Flow) pickPlace(e Event) {
	if place := f.place(e.Value); place != nil {
		f.session.place = place
		f.chosen()
	}
}

// pickOfficial takes the official named; "" = the person does not know.
func (f *Flow) pickOfficial(e Event) {
	if e.Value != "" && !slices.ContainsFunc(f.officials(), func(o *pb.ConfiguredOfficial) bool { return o.GetId() == e.Value }) {
		return
	}
	f.session.official = e.Value
	f.show(Ask)
}

// key is a button of a box beside the screen, or of a keyboard: a score, or a place in the order they are shown.
func (f *Flow) key(e Event) {
	n, err := strconv.Atoi(e.Value)
	if err != nil || n < 1 || n > 9 {
		return
	}
	if f.state == Idle {
		f.start(e)
		if f.state != Ask {
			return
		}
	}
	var choices []*pb.Choice
	switch f.state {
	case Place:
		if places := f.setting.Configuration.GetPlaces(); n <= len(places) {
			f.pickPlace(Event{Value: placeKey(places[n-1])})
		}
		return
	case Ask:
		choices = f.session.form.first.GetChoices()
	case Question:
		choices = f.question().GetChoices()
	}
	for _, choice := range choices {
		if int(choice.GetScore()) == n {
			if f.state == Ask {
				f.pickFace(Event{Value: choice.GetId()})
			} else {
				f.pickAnswer(Event{Value: choice.GetId()})
			}
			return
		}
	}
}

// scan keeps the number of a ticket or dossier for the rating that follows.
func (f *Flow) scan(e Event) {
	if f.state == Thanks {
		f.leave(e)
		if f.state != Idle {
			return
		}
	}
	if f.session.rating != "" {
		return
	}
	if f.state == Idle {
		f.start(e)
	}
	if e.Ticket != "" {
		f.session.ticket = e.Ticket
	}
	if e.Dossier != "" {
		f.session.dossier = e.Dossier
	}
	f.revision++
}

// woken invites the person just served, at once where nobody is answering.
func (f *Flow) woken(e Event) {
	wake := e.Wake
	wake.at = f.now.Since
	if f.place(wake.Place) == nil || f.base() != Idle {
		return
	}
	same := f.session.place == nil || placeKey(f.session.place) == wake.Place
	switch f.state {
	case Idle, Place:
		f.invite(wake)
		return
	case Official, Ask:
		if f.session.rating == "" && same {
			f.invite(wake)
			return
		}
	}
	for i := range f.waiting {
		if f.waiting[i].Place == wake.Place {
			f.waiting[i] = wake
			return
		}
	}
	f.waiting = append(f.waiting, wake)
}

// call is woken by a key: the official's button, plugged into the device.
func (f *Flow) call(e Event) {
	n, err := strconv.Atoi(e.Value)
	if places := f.setting.Configuration.GetPlaces(); err == nil && n >= 1 && n <= len(places) {
		f.woken(Event{Wake: Wake{Place: placeKey(places[n-1])}})
	}
}

// invite turns the screen to whoever is called; false where the place is not served any more.
func (f *Flow) invite(wake Wake) bool {
	place := f.place(wake.Place)
	if place == nil {
		return false
	}
	tag, low, bold := f.tag, f.low, f.bold
	f.fresh()
	if f.state == Place || f.state == Official || f.state == Ask {
		f.tag, f.low, f.bold = tag, low, bold // the same person
	}
	f.session = session{
		settings: f.settings(), form: f.form(), answers: map[string]*pb.Answer{}, place: place,
		official: wake.Official, ticket: wake.Ticket, dossier: wake.Dossier, woken: true,
	}
	if wake.Official == "" {
		f.chosen()
	} else {
		f.show(Ask)
	}
	return true
}

// pickFace is the touch that counts: the rating begins, or a begun one changes.
func (f *Flow) pickFace(e Event) {
	s := &f.session
	for _, choice := range s.form.first.GetChoices() {
		if choice.GetId() != e.Value {
			continue
		}
		if s.rating != "" && s.face == choice {
			f.enter(0)
			return
		}
		s.face = choice
		if s.rating != "" {
			f.enter(0)
			f.change()
			return
		}
		f.acts = append(f.acts, Act{Kind: Begin, Begin: journal.Start{
			UnitID: s.place.GetUnitId(), CounterID: s.place.GetCounterId(), OfficialID: s.official, TicketCode: s.ticket, DossierCode: s.dossier,
			QuestionnaireID: s.form.id, QuestionnaireVersion: s.form.version, Language: f.tag, Answers: f.answers(),
		}})
		return
	}
}

func (f *Flow) began(e Event) {
	f.session.rating = e.Value
	f.enter(0)
}

// keepFace leaves the face as it was when somebody wanted to choose again.
func (f *Flow) keepFace(Event) {
	if f.session.rating != "" {
		f.enter(0)
	}
}

// step is one screen between the face and the thank-you.
type step struct {
	state    State
	question *pb.Question
}

// steps are what the person is asked after the face that was touched.
func (f *Flow) steps() []step {
	s := f.session
	if s.face == nil {
		return nil
	}
	var all []step
	discontent := s.face.GetScore() < content
	if discontent && s.form.reasons != nil {
		all = append(all, step{Reasons, s.form.reasons})
	}
	for _, question := range s.form.further {
		all = append(all, step{Question, question})
	}
	if discontent && !s.settings.GetSkipComment() {
		all = append(all, step{Words, s.form.text})
	}
	if discontent && !s.settings.GetSkipCallBack() && f.consentKnown() {
		all = append(all, step{CallBack, nil})
	}
	return all
}

func (f *Flow) enter(n int) {
	steps := f.steps()
	f.session.step = n
	if n >= len(steps) {
		f.thank(Event{})
		return
	}
	f.show(steps[n].state)
}

func (f *Flow) next(Event) { f.enter(f.session.step + 1) }

func (f *Flow) thank(Event) {
	f.session.step = len(f.steps())
	f.session.draft = ""
	f.show(Thanks)
}

// question is the one that is shown; nil where none is.
func (f *Flow) question() *pb.Question {
	if steps := f.steps(); f.session.step < len(steps) {
		return steps[f.session.step].question
	}
	return nil
}

func (f *Flow) pickAnswer(e Event) {
	question := f.question()
	for _, choice := range question.GetChoices() {
		if choice.GetId() != e.Value || question.GetKind() == kindChoices {
			continue
		}
		f.session.answers[question.GetId()] = scored(question, choice)
		f.next(e)
		f.change()
		return
	}
}

// toggle takes a choice or gives it back. What is touched counts at once.
func (f *Flow) toggle(e Event) {
	question := f.question()
	if question.GetKind() != kindChoices {
		return
	}
	taken := map[string]bool{}
	for _, id := range f.session.answers[question.GetId()].GetChoiceIds() {
		taken[id] = question.GetMultiple()
	}
	taken[e.Value] = e.On
	answer := &pb.Answer{QuestionId: question.GetId()}
	for _, choice := range question.GetChoices() { // in the question's order, and nothing that is not its own
		if taken[choice.GetId()] {
			answer.ChoiceIds = append(answer.ChoiceIds, choice.GetId())
		}
	}
	if slices.Equal(answer.GetChoiceIds(), f.session.answers[question.GetId()].GetChoiceIds()) {
		return
	}
	f.session.answers[question.GetId()] = answer
	f.change()
}

func (f *Flow) change() {
	f.acts = append(f.acts, Act{Kind: Change, Rating: f.session.rating, Answers: f.answers()})
}

// answers are the whole state of the rating. Who is content gives no reasons.
func (f *Flow) answers() journal.Answers {
	s := f.session
	var out journal.Answers
	if s.form.first.GetOverall() {
		out.OverallScore = s.face.GetScore()
	}
	if !s.form.first.GetOverall() || s.form.first.GetKind() == kindButtons {
		out.Answers = append(out.Answers, scored(s.form.first, s.face))
	}
	for _, step := range f.steps() {
		if answer := s.answers[step.question.GetId()]; step.question != nil && answer != nil && (answer.GetScore() != 0 || len(answer.GetChoiceIds()) > 0) {
			out.Answers = append(out.Answers, answer)
		}
	}
	return out
}

func (f *Flow) say(e Event) {
	text := clean(e.Value, maxComment)
	f.session.draft = ""
	if text != f.session.comment {
		f.session.comment = text
		f.confirm()
	}
	f.next(e)
}

// draft keeps what is being typed in memory, for a browser that is started again; it is gone with the session.
func (f *Flow) draft(e Event) {
	if f.state == Words {
		f.session.draft = clip(e.Value, maxComment)
	}
}

func (f *Flow) contact(e Event) {
	phone := clean(e.Phone, maxPhone)
	f.session.phone, f.session.agreed = phone, e.On
	switch {
	case phone == "" && !e.On:
		f.next(e)
		return
	case !e.On:
		f.problem.key = "kiosk.problem.consent"
		return
	case phone == "":
		f.problem.key = "kiosk.problem.phone_missing"
		return
	case !isPhone(phone):
		f.problem.key = "kiosk.problem.phone"
		return
	}
	f.session.person = &pb.Contact{Phone: phone, CallBack: true}
	f.confirm()
	f.next(e)
}

func (f *Flow) confirm() {
	private := &pb.Private{Comment: f.session.comment}
	if f.session.person != nil {
		private.Contact, private.ConsentVersion = f.session.person, consentVersion
	}
	f.acts = append(f.acts, Act{Kind: Confirm, Rating: f.session.rating, Private: private})
}

// again goes back to the faces; the rating stays begun.
func (f *Flow) again(Event) { f.show(Ask) }

func (f *Flow) more(Event) {
	if !f.session.settings.GetSkipComment() {
		f.show(Words)
	}
}

// back is one step back.
func (f *Flow) back(e Event) {
	switch f.state {
	case Reasons, Question, CallBack, Words:
		switch step := f.session.step; {
		case step >= len(f.steps()):
			f.thank(e)
		case step > 0:
			f.enter(step - 1)
		default:
			f.again(e)
		}
	case Ask, Official:
		switch {
		case f.session.rating != "":
			f.keepFace(e)
		case f.state == Ask && f.session.settings.GetChooseOfficial() && len(f.officials()) > 0:
			f.show(Official)
		case len(f.setting.Configuration.GetPlaces()) > 1 && !f.session.woken:
			f.session.place = nil
			f.show(Place)
		default:
			f.leave(e)
		}
	case Place, StaffWho, StaffPIN, Staff, Unkept:
		f.leave(e)
	case Setup:
		if f.retried && !f.busy {
			f.leave(e)
		}
	}
}

// clean is a text as every machine writes it: composed letters, one kind of line end, nothing that is no text, no longer than
// the limit.
func clean(text string, limit int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
	return clip(strings.TrimSpace(norm.NFC.String(text)), limit)
}

// clip cuts a text at so many characters.
func clip(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit])
}

// isPhone tells whether somebody could be called: 8 to 15 digits, with what people write between them.
func isPhone(text string) bool {
	digits := 0
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune("+-.() ", r):
			return false
		}
	}
	return digits >= 8 && digits <= 15
}
