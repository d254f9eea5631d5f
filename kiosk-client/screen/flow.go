package screen

import (
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// State is what the screen shows.
type State string

// The states.
const (
	Setup    State = "setup"     // waiting for the code of an administrator
	Ready    State = "ready"     // just enrolled: what it is and where it stands
	Closed   State = "closed"    // nothing to ask yet, or nobody to ask for
	Idle     State = "idle"      // nobody is there
	Place    State = "place"     // which counter?
	Official State = "official"  // who served?
	Ask      State = "ask"       // the one question
	Reasons  State = "reasons"   // why not content
	Question State = "question"  // a further question
	Words    State = "words"     // a comment
	CallBack State = "call_back" // a telephone number, with consent
	Thanks   State = "thanks"
	Unkept   State = "unkept"    // what was touched could not be written
	StaffWho State = "staff_who" // who of the staff is it?
	StaffPIN State = "staff_pin" // the number that proves it
	Staff    State = "staff"     // how the device is, and who is on duty
)

// Name is what happened.
type Name string

// What a person does.
const (
	Start     Name = "start"    // touched the idle screen
	Pick      Name = "pick"     // a place, an official, an answer; Value names it
	Key       Name = "key"      // a key 1 to 5
	Toggle    Name = "toggle"   // a reason taken (On) or given back
	Next      Name = "next"     // go on
	Say       Name = "say"      // words are sent
	Contact   Name = "contact"  // a number is sent
	Again     Name = "again"    // choose the face again
	Back      Name = "back"     // one step back
	More      Name = "more"     // say more, after the thank-you
	Done      Name = "done"     // stop here
	Stay      Name = "stay"     // is still there
	Draft     Name = "draft"    // is typing
	Scan      Name = "scan"     // a scanner read a ticket or a dossier
	Speak     Name = "language" // another language
	Contrast  Name = "contrast" // high contrast on or off
	Low       Name = "low"      // buttons in the lower half, on or off
	OpenStaff Name = "staff"    // held the corner
	SignIn    Name = "sign_in"  // the official is on duty at the place Value
	SignOut   Name = "sign_out" // nobody signed in at the place Value any longer
	Enrol     Name = "enrol"    // opens the set-up screen again
	Code      Name = "code"     // a code was sent
	Call      Name = "call"     // an official's key calls for the place Value, counted from 1
)

// What happens by itself.
const (
	Tick        Name = "tick"       // time has passed
	Woken       Name = "woken"      // an official or a queue calls for a rating
	Configured  Name = "configured" // enrolment or configuration are others
	Began       Name = "began"      // the rating Value is durable
	Failed      Name = "failed"     // an act was not carried out
	Proved      Name = "proved"     // the PIN is right
	Refused     Name = "refused"    // the PIN is wrong; Value says why
	Enrolled    Name = "enrolled"
	NotEnrolled Name = "not_enrolled" // Value says why
)

// Event is one thing that happened.
type Event struct {
	Name            Name
	Revision        uint64 // of the screen that was touched; 0 = whatever is shown
	Value           string
	Args            []any // of the words that Value is the key of, with Refused and NotEnrolled
	On              bool
	Phone           string // with Contact
	Server          string // with Code
	Ticket, Dossier string // with Scan
	Wake            Wake
	Setting         Setting // with Configured
	Act             Act     // with Failed
}

// Setting is what the flow works by.
type Setting struct {
	Enrolled      bool
	Configuration *pb.Configuration // nil before the first
}

// Wake calls for the rating of somebody just served.
type Wake struct {
	Place                     string // key of a place
	Ticket, Dossier, Official string
	at                        time.Duration // since the start
}

// ActKind is what the flow asks to be done.
type ActKind string

// The acts. Begin must be answered by Began or Failed before anything else; the others by Failed where they fail.
const (
	Begin   ActKind = "begin"
	Change  ActKind = "change"
	Confirm ActKind = "confirm"
	Seal    ActKind = "seal"
	Enroll  ActKind = "enroll"  // with the code and the server's address
	OnShift ActKind = "on_duty" // who signed in is to be remembered
)

// Act is one thing to be done.
type Act struct {
	Kind         ActKind
	Rating       string
	Begin        journal.Start
	Answers      journal.Answers
	Private      *pb.Private
	Code, Server string
}

// Times of the screens that end by themselves.
const (
	defaultIdle   = 30 * time.Second
	thanksTime    = 8 * time.Second
	thanksCode    = 15 * time.Second // with a code to be scanned
	thanksWaiting = 3 * time.Second  // somebody else is called
	unkeptTime    = 15 * time.Second
	staffTime     = 90 * time.Second
	wakeHolds     = 3 * time.Minute // of those that wait
	maxWarning    = 20 * time.Second
)

// Moment is a time by two clocks: days and duties are told by the wall, waiting by the one that nobody sets.
type Moment struct {
	Wall  time.Time
	Since time.Duration // the program's start
}

// Flow is the state machine of the screen: it is told what happens and says what is to be done. It is pure; its callers take turns.
type Flow struct {
	state    State
	revision uint64 // names the screen that is shown; it changes whenever another screen is
	now      Moment
	touched  time.Duration // since the start
	warned   bool
	acts     []Act

	setting Setting
	tag     string // language
	low     bool
	bold    bool // high contrast

	session session
	waiting []Wake
	problem told // why a screen is shown again

	staff   string // the official who holds the corner
	shifts  map[string]Shift
	busy    bool      // a code is on its way
	typed   [2]string // the code and the server's address, as last sent
	retried bool      // the set-up screen was opened by staff
}

// told is a key of the catalogue with the values in its words; the zero value says nothing.
type told struct {
	key  string
	args []any
}

// Shift is who signed in at a place, for a local day.
type Shift struct {
	Official string       `json:"official"`
	Day      localday.Day `json:"day"`
}

// NewFlow begins where nothing is known yet; an event Configured follows.
func NewFlow(now Moment) *Flow {
	f := &Flow{now: now, touched: now.Since, revision: 1, state: Setup, shifts: map[string]Shift{}}
	f.fresh()
	return f
}

// Handle takes in one event and answers what is to be done. A touch of a screen that is no longer shown does nothing.
func (f *Flow) Handle(now Moment, e Event) []Act {
	f.now, f.acts = now, nil
	if e.Revision != 0 && e.Revision != f.revision {
		return nil
	}
	for _, rule := range rules() {
		if rule.on != e.Name || rule.in != nil && !slices.Contains(rule.in, f.state) {
			continue
		}
		if !rule.quiet {
			f.touched, f.warned, f.problem = now.Since, false, told{}
		}
		rule.do(f, e)
		break
	}
	return f.acts
}

// rule is a line of the table: in which states an event does what.
type rule struct {
	on    Name
	in    []State // nil = all
	do    func(*Flow, Event)
	quiet bool // nobody touched the screen
}

func rules() []rule {
	free := []State{Idle, Place, Official, Ask, Closed}
	answering := []State{Reasons, Question, Words, CallBack, Thanks}
	return []rule{
		{on: Tick, do: (*Flow).tick, quiet: true},
		{on: Configured, do: (*Flow).configured, quiet: true},
		{on: Woken, do: (*Flow).woken, quiet: true},
		{on: Call, do: (*Flow).call, quiet: true},
		{on: Failed, do: (*Flow).failed},
		{on: Began, in: []State{Ask}, do: (*Flow).began},

		{on: Start, in: []State{Idle}, do: (*Flow).start},
		{on: Key, in: []State{Idle, Place, Ask, Question}, do: (*Flow).key},
		{on: Scan, in: []State{Idle, Place, Official, Ask, Thanks}, do: (*Flow).scan},
		{on: Pick, in: []State{Place}, do: (*Flow).pickPlace},
		{on: Pick, in: []State{Official}, do: (*Flow).pickOfficial},
		{on: Pick, in: []State{Ask}, do: (*Flow).pickFace},
		{on: Pick, in: []State{Question}, do: (*Flow).pickAnswer},
		{on: Toggle, in: []State{Reasons, Question}, do: (*Flow).toggle},
		{on: Next, in: []State{Reasons, Question, Words, CallBack}, do: (*Flow).next},
		{on: Next, in: []State{Ready}, do: (*Flow).leave},
		{on: Next, in: []State{Ask}, do: (*Flow).keepFace},
		{on: Say, in: []State{Words}, do: (*Flow).say},
		{on: Draft, in: []State{Words, CallBack}, do: (*Flow).draft},
		{on: Contact, in: []State{CallBack}, do: (*Flow).contact},
		{on: Again, in: answering, do: (*Flow).again},
		{on: More, in: []State{Thanks}, do: (*Flow).more},
		{on: Done, in: []State{Reasons, Question, Words, CallBack}, do: (*Flow).thank},
		{on: Done, in: []State{Thanks, Unkept, Place, Official, Ask}, do: (*Flow).leave},
		{on: Back, do: (*Flow).back},
		{on: Stay, do: func(*Flow, Event) {}},

		{on: Speak, do: (*Flow).speak},
		{on: Contrast, do: func(f *Flow, e Event) { f.bold = e.On }},
		{on: Low, do: func(f *Flow, e Event) { f.low = e.On }},

		{on: OpenStaff, in: free, do: (*Flow).openStaff},
		{on: Pick, in: []State{StaffWho}, do: (*Flow).pickStaff},
		{on: Proved, in: []State{StaffPIN}, do: func(f *Flow, _ Event) { f.show(Staff) }},
		{on: Refused, in: []State{StaffPIN}, do: func(f *Flow, e Event) { f.problem = told{e.Value, e.Args} }},
		{on: SignIn, in: []State{Staff}, do: (*Flow).signIn},
		{on: SignOut, in: []State{Staff}, do: (*Flow).signOut},
		{on: Enrol, in: []State{Staff}, do: func(f *Flow, _ Event) { f.retried = true; f.show(Setup) }},
		{on: Code, in: []State{Setup}, do: (*Flow).code},
		{on: Enrolled, in: []State{Setup}, do: func(f *Flow, _ Event) { f.busy, f.retried, f.typed = false, false, [2]string{}; f.show(Ready) }},
		{on: NotEnrolled, in: []State{Setup}, do: (*Flow).notEnrolled},
	}
}

// show turns to another screen.
func (f *Flow) show(state State) {
	f.state = state
	f.revision++
	f.touched, f.warned, f.problem = f.now.Since, false, told{}
}

// base is the state when nobody is there.
func (f *Flow) base() State {
	switch {
	case !f.setting.Enrolled:
		return Setup
	case len(f.setting.Configuration.GetPlaces()) == 0 || f.form() == nil:
		return Closed
	}
	return Idle
}

// fresh puts back what one person chose for their own eyes and hands.
func (f *Flow) fresh() {
	settings := f.setting.Configuration.GetSettings()
	f.tag, f.low, f.bold = "vi", settings.GetLowButtons(), false
	if len(settings.GetLanguages()) > 0 {
		f.tag = settings.GetLanguages()[0]
	}
	f.session, f.staff, f.retried = session{}, "", false
}

// dressed tells whether somebody changed what fresh puts back.
func (f *Flow) dressed() bool {
	as := Flow{setting: f.setting}
	as.fresh()
	return f.tag != as.tag || f.low != as.low || f.bold != as.bold
}

// leave ends whatever is shown: a rating that was begun is sealed, words that were not sent are gone. Who was called meanwhile
// is next.
func (f *Flow) leave(Event) {
	if f.session.rating != "" {
		f.acts = append(f.acts, Act{Kind: Seal, Rating: f.session.rating})
	}
	f.fresh()
	for len(f.waiting) > 0 && f.base() == Idle {
		wake := f.waiting[0]
		f.waiting = f.waiting[1:]
		if f.now.Since-wake.at < wakeHolds && f.invite(wake) {
			return
		}
	}
	f.show(f.base())
}

// end is when the screen ends by itself, and when it warns of it: since the start; false where it does not. Zero warn = it does not warn.
func (f *Flow) end() (warn, end time.Duration, ends bool) {
	idle := time.Duration(f.settings().GetIdleSeconds()) * time.Second
	if idle <= 0 {
		idle = defaultIdle
	}
	switch f.state {
	case Idle, Closed:
		if !f.dressed() {
			return 0, 0, false
		}
	case Setup:
		if f.busy || !f.retried {
			return 0, 0, false
		}
		idle = staffTime
	case Staff, StaffPIN, StaffWho, Ready:
		idle = max(idle, staffTime)
	case Thanks:
		switch {
		case len(f.waiting) > 0:
			idle = thanksWaiting
		case f.session.place.GetFormUrl() != "":
			idle = thanksCode
		default:
			idle = thanksTime
		}
	case Unkept:
		idle = unkeptTime
	}
	end = f.touched + idle
	if f.session.rating != "" && f.state != Thanks && f.state != Unkept {
		warn = end - min(maxWarning, idle/2)
	}
	return warn, end, true
}

func (f *Flow) tick(Event) {
	warn, end, ends := f.end()
	switch {
	case !ends:
	case f.now.Since >= end:
		f.leave(Event{})
	case warn != 0 && f.now.Since >= warn:
		f.warned = true
	}
}

// configured takes over another configuration: at once where nobody is answering, otherwise with the next person.
func (f *Flow) configured(e Event) {
	f.setting = e.Setting
	switch f.state {
	case Idle, Closed:
		f.fresh()
		f.show(f.base())
	case Setup:
		if !f.busy && !f.retried && f.base() != Setup {
			f.fresh()
			f.show(f.base())
		} else if !f.busy && !f.retried {
			f.fresh()
		}
	case Ready:
		f.fresh()
		f.revision++
	}
}

func (f *Flow) settings() *pb.KioskSettings {
	if f.session.settings != nil {
		return f.session.settings
	}
	return f.setting.Configuration.GetSettings()
}

func (f *Flow) speak(e Event) {
	if e.Value == "vi" || slices.Contains(f.settings().GetLanguages(), e.Value) {
		f.tag = e.Value
	}
}

func (f *Flow) failed(e Event) {
	if e.Act.Kind == Begin || e.Act.Kind == Change || e.Act.Kind == Confirm {
		f.show(Unkept)
	}
}

func (f *Flow) code(e Event) {
	if f.busy {
		return
	}
	f.busy = true
	f.typed = [2]string{e.Value, e.Server}
	f.show(Setup)
	f.acts = append(f.acts, Act{Kind: Enroll, Code: e.Value, Server: e.Server})
}

func (f *Flow) notEnrolled(e Event) {
	f.busy = false
	f.show(Setup)
	f.problem = told{e.Value, e.Args}
}
