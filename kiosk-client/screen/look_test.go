package screen

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// portrait is a JPEG that stands for somebody's photo.
func portrait(t testing.TB) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 240, 240))
	for y := range 240 {
		for x := range 240 {
			shade := color.RGBA{0xb9, 0xd4, 0xd6, 0xff}
			head, body := (x-120)*(x-120)+(y-95)*(y-95) < 55*55, (x-120)*(x-120)/2+(y-250)*(y-250) < 85*85
			if body {
				shade = color.RGBA{0x0f, 0x5e, 0x63, 0xff}
			}
			if head {
				shade = color.RGBA{0xe8, 0xc3, 0x9e, 0xff}
			}
			picture.Set(x, y, shade)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// scene is one screen and how to get there from the idle one.
type scene struct {
	name   string
	config []func(*pb.Configuration)
	before func(testing.TB, *kiosk)
	events []Event
}

func scenes() []scene {
	go_ := func(events ...Event) []Event { return append([]Event{{Name: Start}}, events...) }
	one, two, five := Event{Name: Pick, Value: "1"}, Event{Name: Pick, Value: "2"}, Event{Name: Pick, Value: "5"}
	next := Event{Name: Next}
	pins := func(c *pb.Configuration) {
		c.Officials[0].PinHash, c.Officials[1].PinHash = pinHash("4711"), pinHash("4711")
	}
	return []scene{
		{name: "idle"},
		{name: "idle-quiet", config: []func(*pb.Configuration){func(c *pb.Configuration) { c.Places[0].Remedies = nil }}, before: func(t testing.TB, k *kiosk) {
			k.line.set(func(l *line) { l.state.Connected, l.state.Trouble = false, "server_unreachable" })
			k.until(t, "apart", func(*Flow) bool { return !k.link.Connected })
		}},
		{name: "place", config: []func(*pb.Configuration){twoCounters}, events: go_()},
		{name: "official", config: []func(*pb.Configuration){chooseOfficial}, events: go_()},
		{name: "ask", events: go_()},
		{name: "called", events: []Event{{Name: Woken, Wake: Wake{Place: "ward/c1", Ticket: "A012"}}}},
		{name: "called-official", config: []func(*pb.Configuration){chooseOfficial}, events: []Event{{Name: Woken, Wake: Wake{Place: "ward/c1", Ticket: "A012"}}}},
		{name: "again", events: go_(two, Event{Name: Again})},
		{name: "ask3", config: []func(*pb.Configuration){func(c *pb.Configuration) {}}, events: go_()},
		{name: "reasons", events: go_(two, Event{Name: Toggle, Value: "waiting", On: true}, Event{Name: Toggle, Value: "attitude", On: true})},
		{name: "question", events: go_(five)},
		{name: "words", events: go_(two, next)},
		{name: "call_back", events: go_(one, next, next, Event{Name: Contact, Phone: "0912"})},
		{name: "thanks", events: go_(five)},
		{name: "unkept", before: func(t testing.TB, k *kiosk) { k.notes.refuseAll(errRefused) }, events: go_(five)},
		{name: "closed", config: []func(*pb.Configuration){func(c *pb.Configuration) { c.Questionnaires = nil }}},
		{name: "setup", before: func(t testing.TB, k *kiosk) {
			k.options.Server = ""
			k.line.set(func(l *line) { l.state, l.config = uplink.State{}, nil })
			k.until(t, "not enrolled", func(f *Flow) bool { return f.state == Setup })
		}, events: []Event{{Name: NotEnrolled, Value: "kiosk.setup.enrollment_code_wrong"}}},
		{name: "ready", before: func(t testing.TB, k *kiosk) {
			k.line.set(func(l *line) { l.state.Enrolled = false })
			k.until(t, "not enrolled", func(f *Flow) bool { return f.state == Setup })
		}, events: []Event{{Name: Enrolled}}},
		{name: "staff_who", config: []func(*pb.Configuration){pins}, events: []Event{{Name: OpenStaff}}},
		{name: "staff_pin", config: []func(*pb.Configuration){pins}, events: []Event{{Name: OpenStaff}, {Name: Pick, Value: "o1"}, {Name: Refused, Value: "kiosk.staff.pin_wrong"}}},
		{name: "staff", config: []func(*pb.Configuration){pins, twoCounters}, events: []Event{{Name: OpenStaff}, {Name: Pick, Value: "o1"}, {Name: Proved}, {Name: SignIn, Value: "ward/c1"}}},
	}
}

// show starts a kiosk that shows a scene.
func (s scene) show(t *testing.T) *kiosk {
	t.Helper()
	config := configuration(t, s.config...)
	switch s.name {
	case "ask3":
		config.Questionnaires = configuration(t, asking(t, "kiosk3")).Questionnaires
	case "question":
		config.Questionnaires = configuration(t, asking(t, "sipas")).Questionnaires
	}
	k := run(t, config)
	k.line.photos = map[string][]byte{"o1": portrait(t)}
	if s.before != nil {
		s.before(t, k)
	}
	for _, e := range s.events {
		k.event(t.Context(), e)
	}
	return k
}

// Every screen is for everybody: axe in both languages, upright and small, at 200 %, with lowered buttons and high contrast.
func TestLook(t *testing.T) {
	page := browser.Open(t).Page(t, browser.Options{Reduced: true})
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			page := page.In(t)
			k := s.show(t)
			page.Resize(1280, 800, 1)
			page.Go(k.URL())
			picture(page, s.name+"-wide")
			page.CheckAccessible()
			page.Resize(1080, 1920, 1)
			page.NoHorizontalScroll()
			large(page)
			picture(page, s.name+"-upright")
			page.Resize(600, 1024, 1)
			page.NoHorizontalScroll()
			picture(page, s.name+"-small")
			page.Resize(1280, 800, 2) // 200 %
			page.NoHorizontalScroll()
			picture(page, s.name+"-200")
			k.event(t.Context(), Event{Name: Speak, Value: "en"})
			k.event(t.Context(), Event{Name: Low, On: true})
			k.event(t.Context(), Event{Name: Contrast, On: true})
			page.Resize(1280, 800, 1)
			page.Go(k.URL())
			picture(page, s.name+"-low")
			page.CheckAccessible()
			if low := browser.Eval[[]string](page, above); len(low) > 0 {
				t.Errorf("in the upper half, though buttons are lowered: %v", low)
			}
			page.CheckConsole()
			page.Go("about:blank") // the next one is another kiosk
		})
	}
}

// above lists what is touched in the upper half. Fields take the focus by themselves; a keyboard with letters needs the room.
const above = `[...document.querySelectorAll("button, a[href]")].filter(e => !e.closest(".kb") && !document.querySelector(".s-words, .s-setup, .s-staff") &&
	e.checkVisibility() && e.getBoundingClientRect().top < innerHeight / 2 - 1).map(e => e.textContent.trim())`

// large holds everything one can touch to 60 pixels each way.
func large(page *browser.Page) {
	page.Until(`![...document.querySelectorAll("button, a[href], input:not([type=hidden])")].some(e => {
		const r = e.getBoundingClientRect();
		return !e.closest(".kb") && e.checkVisibility() && (r.width < 59.9 || r.height < 59.9);
	})`)
}

// picture draws what is seen, where somebody wants to look.
func picture(page *browser.Page, name string) {
	if os.Getenv("HAILONG_SCREENSHOTS") != "" {
		page.ScreenshotTop("kiosk/" + name)
	}
}
