package screen

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// player plays events to a flow and carries out what it asks for, as the screen does.
type player struct {
	flow  *Flow
	now   Moment
	notes notebook
	acts  []Act
}

func newPlayer(config *pb.Configuration) *player {
	p := &player{now: Moment{Wall: monday(), Since: time.Hour}}
	p.flow = NewFlow(p.now)
	p.do(Event{Name: Configured, Setting: Setting{Enrolled: true, Configuration: config}})
	return p
}

func (p *player) do(e Event) {
	for _, act := range p.flow.Handle(p.now, e) {
		p.acts = append(p.acts, act)
		var id string
		var err error
		switch act.Kind {
		case Begin:
			if id, err = p.notes.Begin(nil, act.Begin); err == nil { //nolint:staticcheck // the notebook asks no context
				p.do(Event{Name: Began, Value: id})
			}
		case Change:
			err = p.notes.Change(nil, act.Rating, act.Answers) //nolint:staticcheck // as above
		case Confirm:
			err = p.notes.Confirm(nil, act.Rating, act.Private) //nolint:staticcheck // as above
		case Seal:
			err = p.notes.Seal(nil, act.Rating) //nolint:staticcheck // as above
		}
		if err != nil {
			p.do(Event{Name: Failed, Act: act})
		}
	}
}

func (p *player) pass(d time.Duration) {
	p.now = Moment{Wall: p.now.Wall.Add(d), Since: p.now.Since + d}
	p.do(Event{Name: Tick})
}

// play plays a line of text: "pick:5 pass:31s …".
func (p *player) play(t testing.TB, script string) {
	t.Helper()
	for _, word := range strings.Fields(script) {
		name, value, _ := strings.Cut(word, ":")
		e := Event{Name: Name(name), Value: value}
		switch e.Name {
		case "pass":
			d, err := time.ParseDuration(value)
			if err != nil {
				t.Fatal(err)
			}
			p.pass(d)
			continue
		case "refuse":
			p.notes.refuse = errRefused
			continue
		case Toggle:
			e.Value, e.On = toggled(value)
		case Woken:
			place, ticket, _ := strings.Cut(value, "=")
			e.Wake = Wake{Place: "ward/" + place, Ticket: ticket}
		case Scan:
			e.Ticket = value
		case Contact:
			e.Phone, e.On = strings.TrimPrefix(value, "yes="), strings.HasPrefix(value, "yes=")
		}
		p.do(e)
	}
}

// told is a rating in short: "overall [answers] 'comment' phone ticket sealed".
func (n noted) told() string {
	parts := []string{fmt.Sprint(n.answers.OverallScore)}
	for _, answer := range n.answers.Answers {
		parts = append(parts, fmt.Sprintf("%s=%d%s", answer.GetQuestionId(), answer.GetScore(), strings.Join(answer.GetChoiceIds(), "+")))
	}
	if n.private.GetComment() != "" {
		parts = append(parts, "'"+n.private.GetComment()+"'")
	}
	if n.private.GetContact() != nil {
		parts = append(parts, n.private.GetContact().GetPhone()+"/"+n.private.GetConsentVersion())
	}
	if n.start.TicketCode != "" {
		parts = append(parts, "#"+n.start.TicketCode)
	}
	if n.start.OfficialID != "" {
		parts = append(parts, n.start.OfficialID)
	}
	parts = append(parts, n.start.CounterID, fmt.Sprintf("sealed %d", n.sealed))
	return strings.Join(parts, " ")
}

func TestFlow(t *testing.T) {
	type config []func(*pb.Configuration)
	for _, c := range []struct {
		name   string
		config config
		script string
		state  State
		kept   []string
	}{
		{"content: thanked at once, sealed by itself", nil, "start pick:5 pass:16s", Idle, []string{"5 o1 c1 sealed 1"}},
		{"content, still there", nil, "start pick:4", Thanks, []string{"4 o1 c1 sealed 0"}},
		{"not content: asked why", nil, "start pick:2", Reasons, []string{"2 o1 c1 sealed 0"}},
		{"neither: asked why", nil, "start pick:3", Reasons, []string{"3 o1 c1 sealed 0"}},
		{"reasons, words, a number", nil, "start pick:1 toggle:on:waiting toggle:on:attitude next say:lâu contact:yes=0912345678 done", Idle, []string{"1 reasons=0attitude+waiting 'lâu' 0912345678/call-back-1 o1 c1 sealed 1"}},
		{"a reason given back", nil, "start pick:1 toggle:on:waiting toggle:off:waiting done", Thanks, []string{"1 o1 c1 sealed 0"}},
		{"a reason there is not", nil, "start pick:1 toggle:on:nonsense", Reasons, []string{"1 o1 c1 sealed 0"}},
		{"a number without consent", nil, "start pick:1 next next contact:0912345678", CallBack, []string{"1 o1 c1 sealed 0"}},
		{"a number that is none", nil, "start pick:1 next next contact:yes=12", CallBack, []string{"1 o1 c1 sealed 0"}},
		{"nothing more to say", nil, "start pick:1 next next next", Thanks, []string{"1 o1 c1 sealed 0"}},
		{"a change of mind takes the reasons away", nil, "start pick:1 toggle:on:waiting again pick:5 pass:16s", Idle, []string{"5 o1 c1 sealed 1"}},
		{"a change of mind and back", nil, "start pick:1 toggle:on:waiting again pick:5 again pick:2", Reasons, []string{"2 reasons=0waiting o1 c1 sealed 0"}},
		{"the same face again is no change", nil, "start pick:1 again pick:1", Reasons, []string{"1 o1 c1 sealed 0"}},
		{"gone while choosing again", nil, "start pick:1 again pass:41s", Idle, []string{"1 o1 c1 sealed 1"}},
		{"idle at the reasons: what was touched counts", nil, "start pick:1 toggle:on:waiting pass:41s", Idle, []string{"1 reasons=0waiting o1 c1 sealed 1"}},
		{"idle while typing: words not sent are gone", nil, "start pick:1 next draft:abc pass:41s", Idle, []string{"1 o1 c1 sealed 1"}},
		{"who types is there", nil, "start pick:1 next pass:30s draft:abc pass:30s", Words, []string{"1 o1 c1 sealed 0"}},
		{"content and says more", nil, "start pick:5 more say:tốt done", Idle, []string{"5 'tốt' o1 c1 sealed 1"}},
		{"nobody touched a face", nil, "start pass:41s", Idle, nil},
		{"back from the faces", nil, "start back", Idle, nil},
		{"back and forth", nil, "start pick:2 next next back back back next", Reasons, []string{"2 o1 c1 sealed 0"}},
		{"a key at the idle screen counts", nil, "key:2", Reasons, []string{"2 o1 c1 sealed 0"}},
		{"keys go on", nil, "start key:5 key:1 pass:16s", Idle, []string{"5 o1 c1 sealed 1"}},
		{"key of nothing", nil, "start key:9", Ask, nil},
		{"another language at the idle screen", nil, "language:en pass:41s start pick:5", Thanks, []string{"5 o1 c1 sealed 0"}},
		{"two counters: picked", config{twoCounters}, "start pick:ward/c2 pick:5", Thanks, []string{"5 c2 sealed 0"}},
		{"two counters: by key", config{twoCounters}, "key:2 key:1 key:4", Thanks, []string{"4 o1 c1 sealed 0"}},
		{"two counters: a place there is not", config{twoCounters}, "start pick:ward/c9", Place, nil},
		{"the official is picked", config{chooseOfficial}, "start pick:o2 pick:5", Thanks, []string{"5 o2 c1 sealed 0"}},
		{"the official is not known", config{chooseOfficial}, "start pick: pick:5", Thanks, []string{"5 c1 sealed 0"}},
		{"an official there is not", config{chooseOfficial}, "start pick:o9", Official, nil},
		{"called", nil, "woken:c1=A012 pick:4", Thanks, []string{"4 #A012 o1 c1 sealed 0"}},
		{"called by the official's key", config{twoCounters}, "call:2 pick:4", Thanks, []string{"4 c2 sealed 0"}},
		{"called by a key while somebody answers", nil, "start pick:2 call:1 call:7 call:x done pass:4s", Ask, []string{"2 o1 c1 sealed 1"}},
		{"called, nobody comes", nil, "woken:c1=A012 pass:41s", Idle, nil},
		{"called again before the touch", nil, "woken:c1=A012 woken:c1=A013 pick:4", Thanks, []string{"4 #A013 o1 c1 sealed 0"}},
		{"called while somebody answers: waits until the thank-you is over", nil, "start pick:2 woken:c1=A013 done pass:4s", Ask, []string{"2 o1 c1 sealed 1"}},
		{"one that waits a counter", config{twoCounters}, "woken:c1=A1 pick:2 woken:c1=A2 woken:c2=B1 woken:c1=A3 done pass:4s pick:5 pass:4s pick:5", Thanks,
			[]string{"2 #A1 o1 c1 sealed 1", "5 #A3 o1 c1 sealed 1", "5 #B1 c2 sealed 0"}},
		{"a call that waited too long", nil, "start pick:2 woken:c1=A013 pass:30s stay pass:30s stay pass:30s stay pass:30s stay pass:30s stay pass:30s stay done pass:4s", Idle, []string{"2 o1 c1 sealed 1"}},
		{"called for a counter that is not here", nil, "woken:c7=A1", Idle, nil},
		{"another counter is called before the touch", config{twoCounters}, "woken:c1=A1 woken:c2=B1 pick:5 pass:4s", Ask, []string{"5 #A1 o1 c1 sealed 1"}},
		{"a ticket is scanned", nil, "scan:A7 pick:5", Thanks, []string{"5 #A7 o1 c1 sealed 0"}},
		{"a ticket is scanned before the touch", nil, "start scan:A7 pick:5", Thanks, []string{"5 #A7 o1 c1 sealed 0"}},
		{"a ticket is scanned at the thank-you: the next person", nil, "start pick:5 scan:A8 pick:4", Thanks, []string{"5 o1 c1 sealed 1", "4 #A8 o1 c1 sealed 0"}},
		{"a ticket is scanned amid a rating", nil, "start pick:2 scan:A8 done", Thanks, []string{"2 o1 c1 sealed 0"}},
		{"three buttons", config{asking(t, "kiosk3")}, "start pick:neutral done pass:16s", Idle, []string{"3 overall=3neutral o1 c1 sealed 1"}},
		{"a long form, stopped", config{asking(t, "sipas")}, "start pick:5 pick:4 key:3 done pass:16s", Idle, []string{"5 access_information=4 access_signs=3 o1 c1 sealed 1"}},
		{"a long form: skipped and back", config{asking(t, "sipas")}, "start pick:5 next pick:4 back pick:2", Question, []string{"5 access_signs=2 o1 c1 sealed 0"}},
		{"the disk is full at the first touch", nil, "start refuse pick:5", Unkept, nil},
		{"the disk is full: never a thank-you", nil, "start refuse pick:5 next more again pass:16s", Idle, nil},
		{"the disk is full later", nil, "start pick:1 refuse toggle:on:waiting", Unkept, []string{"1 o1 c1 sealed 0"}},
		{"no words, no number", config{func(c *pb.Configuration) { c.Settings.SkipComment, c.Settings.SkipCallBack = true, true }}, "start pick:1 next more", Thanks, []string{"1 o1 c1 sealed 0"}},
		{"words of consent that are not at hand", config{func(c *pb.Configuration) { c.ConsentVersion = "call-back-2" }}, "start pick:1 next next", Thanks, []string{"1 o1 c1 sealed 0"}},
		{"no questionnaire", config{func(c *pb.Configuration) { c.Questionnaires = nil }}, "start key:5 woken:c1=A1", Closed, nil},
		{"a questionnaire of tomorrow", config{func(c *pb.Configuration) { c.Questionnaires[0].ValidFrom = "2026-11-24" }}, "start", Closed, nil},
		{"no place", config{func(c *pb.Configuration) { c.Places = nil }}, "start", Closed, nil},
		{"nobody has a PIN: how it is may be read", nil, "staff", Staff, nil},
		{"staff goes away by itself", nil, "staff pass:91s", Idle, nil},
		{"the corner is not there amid a rating", nil, "start pick:2 staff", Reasons, []string{"2 o1 c1 sealed 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlayer(configuration(t, c.config...))
			p.play(t, c.script)
			if p.flow.state != c.state {
				t.Errorf("shows %s, want %s", p.flow.state, c.state)
			}
			var kept []string
			for _, one := range p.notes.all() {
				kept = append(kept, one.told())
			}
			if !slices.Equal(kept, c.kept) {
				t.Errorf("kept %q, want %q", kept, c.kept)
			}
			if len(p.notes.wrong) > 0 {
				t.Error(p.notes.wrong)
			}
		})
	}
}

func TestStaleTouch(t *testing.T) {
	p := newPlayer(configuration(t))
	p.play(t, "start")
	seen := p.flow.revision
	p.do(Event{Name: Pick, Value: "5", Revision: seen})
	p.do(Event{Name: Again, Revision: seen}) // the second tap of two
	if p.flow.state != Thanks || p.notes.all()[0].told() != "5 o1 c1 sealed 0" {
		t.Errorf("shows %s", p.flow.state)
	}
}

// A clock that is set back does not keep the screen from going idle, nor does one that is set forward send anybody away.
func TestClockJumps(t *testing.T) {
	p := newPlayer(configuration(t))
	p.play(t, "start pick:2")
	p.now.Wall = p.now.Wall.Add(24 * time.Hour)
	p.pass(time.Second)
	if p.flow.state != Reasons {
		t.Errorf("a clock set forward shows %s", p.flow.state)
	}
	p.now.Wall = p.now.Wall.Add(-25 * time.Hour)
	p.pass(41 * time.Second)
	if p.flow.state != Idle {
		t.Errorf("a clock set back shows %s", p.flow.state)
	}
}

// What one person chose for their eyes and hands is not the next one's.
func TestFresh(t *testing.T) {
	p := newPlayer(configuration(t))
	p.do(Event{Name: Speak, Value: "en"})
	p.do(Event{Name: Low, On: true})
	p.do(Event{Name: Contrast, On: true})
	p.play(t, "start pass:41s")
	if p.flow.tag != "vi" || p.flow.low || p.flow.bold {
		t.Error("kept after a person had gone")
	}
	p.do(Event{Name: Speak, Value: "en"})
	p.pass(41 * time.Second)
	if p.flow.tag != "vi" || p.flow.state != Idle {
		t.Error("kept on the idle screen")
	}
}

func TestWarning(t *testing.T) {
	p := newPlayer(configuration(t))
	p.play(t, "start pass:30s")
	if p.flow.warned {
		t.Error("warned before a touch")
	}
	p.play(t, "pick:2 pass:21s")
	if !p.flow.warned || p.flow.state != Reasons {
		t.Errorf("not warned 20 seconds before the end")
	}
	revision := p.flow.revision
	p.play(t, "stay")
	if p.flow.warned || p.flow.revision != revision {
		t.Error("the warning stays, or the screen is another one")
	}
}

func TestDuty(t *testing.T) {
	hash := func(c *pb.Configuration) { c.Officials[1].PinHash = pinHash("4711") }
	p := newPlayer(configuration(t, hash))
	p.play(t, "staff")
	if p.flow.state != StaffWho {
		t.Fatalf("shows %s", p.flow.state)
	}
	p.play(t, "pick:o1 pick:o2 refused:kiosk.staff.pin_wrong")
	if p.flow.state != StaffPIN || p.flow.problem.key == "" {
		t.Fatalf("shows %s %q", p.flow.state, p.flow.problem.key)
	}
	p.play(t, "sign_in:ward/c1 proved sign_in:ward/c9 sign_in:ward/c1 back start pick:5 done")
	today, _ := localday.Of(monday())
	if shift := p.flow.shifts["ward/c1"]; shift.Official != "o2" || shift.Day != today {
		t.Errorf("on duty: %v", shift)
	}
	p.pass(24 * time.Hour)
	p.play(t, "start pick:5 done")
	p.play(t, "staff pick:o2 proved sign_in:ward/c1 sign_out:ward/c1 back start pick:5 done")
	var who []string
	for _, one := range p.notes.all() {
		who = append(who, one.start.OfficialID)
	}
	if !slices.Equal(who, []string{"o2", "o1", "o1"}) {
		t.Errorf("served by %v: signed in, the day after, signed out", who)
	}
}

func TestConfigured(t *testing.T) {
	p := newPlayer(configuration(t))
	other := configuration(t, func(c *pb.Configuration) { c.Version, c.Places[0].CounterId = "2", "c5" })
	p.play(t, "start pick:2")
	p.do(Event{Name: Configured, Setting: Setting{Enrolled: true, Configuration: other}})
	if p.flow.state != Reasons {
		t.Fatalf("a new configuration amid a rating shows %s", p.flow.state)
	}
	p.play(t, "toggle:on:waiting done done start pick:5")
	if got := p.notes.all(); got[0].told() != "2 reasons=0waiting o1 c1 sealed 1" || got[1].start.CounterID != "c5" {
		t.Errorf("kept %v", got)
	}
	p.do(Event{Name: Done})
	p.do(Event{Name: Configured, Setting: Setting{}})
	if p.flow.state != Setup {
		t.Errorf("not enrolled any more shows %s", p.flow.state)
	}
}

func TestSetup(t *testing.T) {
	p := &player{now: Moment{Wall: monday()}}
	p.flow = NewFlow(p.now)
	p.do(Event{Name: Configured})
	p.do(Event{Name: Code, Value: "7F3K", Server: "https://a.vn"})
	p.do(Event{Name: Code, Value: "7F3K"}) // a second press while the first is on its way
	if len(p.acts) != 1 || p.acts[0].Code != "7F3K" || p.acts[0].Server != "https://a.vn" {
		t.Fatalf("asked for %v", p.acts)
	}
	p.do(Event{Name: NotEnrolled, Value: "kiosk.setup.no_network"})
	if p.flow.problem.key != "kiosk.setup.no_network" || p.flow.busy {
		t.Fatal("the problem is not said")
	}
	p.do(Event{Name: Code, Value: "7F3K"})
	p.do(Event{Name: Enrolled})
	p.do(Event{Name: Configured, Setting: Setting{Enrolled: true, Configuration: configuration(t)}})
	if p.flow.state != Ready {
		t.Fatalf("shows %s", p.flow.state)
	}
	p.do(Event{Name: Next})
	if p.flow.state != Idle {
		t.Errorf("shows %s", p.flow.state)
	}
}

// Whatever happens in whatever order: a rating that was begun is sealed exactly once, nothing is written to it afterwards, and
// nobody is thanked for what was not kept.
func TestNoRatingIsLost(t *testing.T) {
	hash := pinHash("4711")
	configs := []*pb.Configuration{
		configuration(t), configuration(t, twoCounters, chooseOfficial, func(c *pb.Configuration) { c.Officials[0].PinHash = hash }),
		configuration(t, asking(t, "sipas")), configuration(t, asking(t, "kiosk3")),
	}
	values := []string{"", "1", "2", "3", "4", "5", "o1", "o2", "ward/c1", "ward/c2", "neutral", "satisfied", "waiting", "attitude", "en", "vi"}
	names := append(browserMay(), Tick, Woken, Configured, Proved, Refused, Enrolled, NotEnrolled, "pass")
	rapid.Check(t, func(t *rapid.T) {
		p := newPlayer(rapid.SampledFrom(configs).Draw(t, "configuration"))
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			name := rapid.SampledFrom(names).Draw(t, "event")
			if name == "pass" {
				p.pass(time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds")) * time.Second)
			} else {
				value := rapid.SampledFrom(values).Draw(t, "value")
				p.do(Event{Name: name, Value: value, On: rapid.Bool().Draw(t, "on"), Phone: "0912345678", Ticket: "A1", Wake: Wake{Place: value, Ticket: "W"},
					Setting: Setting{Enrolled: rapid.IntRange(0, 9).Draw(t, "enrolled") > 0, Configuration: rapid.SampledFrom(configs).Draw(t, "next configuration")}})
			}
			open := 0
			for _, one := range p.notes.begun {
				if one.sealed == 0 {
					open++
				}
			}
			if open > 1 || open == 1 != (p.flow.session.rating != "") {
				t.Fatalf("%d ratings are open, the screen knows of %q", open, p.flow.session.rating)
			}
			if p.flow.state == Thanks && open != 1 {
				t.Fatal("thanked for nothing")
			}
		}
		for range 4 { // everybody goes away; who was called does not come
			p.pass(10 * time.Minute)
		}
		for _, one := range p.notes.begun {
			if one.sealed != 1 {
				t.Fatalf("%s is sealed %d times", one.id, one.sealed)
			}
		}
		if len(p.notes.wrong) > 0 {
			t.Fatal(p.notes.wrong)
		}
	})
}
