package screen

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/keyboard"
)

// Limits of a request.
const (
	maxBody = 64 << 10
	maxCode = 200
)

func (s *Screen) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.open)
	mux.HandleFunc("GET /screen", s.again)
	mux.HandleFunc("POST /do", s.do)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("GET /photo/{official}", s.photo)
	mux.HandleFunc("GET /prompt/{tag}/{screen}", s.prompt)
	mux.HandleFunc("GET /assets/{name}", s.asset)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	s.hook(mux)
	return s.guarded(mux)
}

// open answers the whole page; its tab is the screen from now on.
func (s *Screen) open(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.tabs++
	s.tab = fmt.Sprintf("%s-%d", s.process, s.tabs)
	tab := s.tab
	s.tell()
	s.mu.Unlock()
	s.answer(w, r, "page", tab)
}

// again answers the present screen.
func (s *Screen) again(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, "app", r.URL.Query().Get("tab"))
}

// browserMay are the events that come from a browser.
func browserMay() []Name {
	return []Name{Start, Pick, Key, Toggle, Next, Say, Contact, Again, Back, More, Done, Stay, Draft, Speak, Contrast, Low, OpenStaff, SignIn, SignOut, Enrol, Code, Scan, Call}
}

// tryPIN is not an event of the flow: a PIN is looked at here, and the flow is told whether it was right.
const tryPIN = "pin"

// do takes a touch and answers the screen that follows.
func (s *Screen) do(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "400", http.StatusBadRequest)
		return
	}
	tab := r.PostForm.Get("tab")
	name, value, _ := strings.Cut(r.PostForm.Get("do"), ":")
	revision, err := strconv.ParseUint(r.PostForm.Get("revision"), 10, 64)
	if err != nil || revision == 0 || name != tryPIN && !slices.Contains(browserMay(), Name(name)) {
		http.Error(w, "400", http.StatusBadRequest)
		return
	}
	if s.isTab(tab) {
		e := Event{Name: Name(name), Revision: revision, Value: value, On: r.PostForm.Get("on") == "1"}
		switch e.Name {
		case tryPIN:
			e = s.judgePIN(revision, keyboard.Digits(r.PostForm.Get("pin")))
		case Say, Draft:
			e.Value = r.PostForm.Get("comment")
		case Contact:
			e.Phone, e.On = keyboard.Digits(r.PostForm.Get("phone")), r.PostForm.Get("consent") == "yes"
		case Code:
			e.Value, e.Server = clip(strings.TrimSpace(r.PostForm.Get("code")), maxCode), clip(r.PostForm.Get("server"), maxCode)
		case Scan:
			e.Ticket, e.Dossier = s.scanned(r.PostForm.Get("scan"))
			e.Revision = 0 // a scanner looks at no screen
		case Call:
			e.Revision = 0 // it may come while somebody answers
		case Toggle:
			e.Value, e.On = toggled(value)
		case Contrast, Low:
			e.On = value == "1"
		}
		s.event(r.Context(), e)
	}
	if quiet := name == string(Stay) || name == string(Draft); quiet || name == string(Toggle) && s.ticks(tab, revision) && r.Header.Get("X-Kiosk") != "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if r.Header.Get("X-Kiosk") == "" { // a form without the script
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.answer(w, r, "app", tab)
}

// ticks tells whether the screen that was touched is still shown and holds boxes to be ticked, which the browser has done already.
func (s *Screen) ticks(tab string, revision uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return tab == s.tab && revision == s.flow.revision && s.flow.question().GetMultiple()
}

// toggled reads "on:ID" or "off:ID".
func toggled(value string) (id string, on bool) {
	how, id, _ := strings.Cut(value, ":")
	return id, how == "on"
}

func (s *Screen) judgePIN(revision uint64, pin string) Event {
	s.mu.Lock()
	official := s.flow.official(s.flow.staff)
	current := s.flow.revision == revision && s.flow.state == StaffPIN
	s.mu.Unlock()
	if official == nil || !current {
		return Event{Name: Refused, Revision: revision}
	}
	if why := s.pins.try(official.GetId(), official.GetPinHash(), pin, s.options.Clock.SinceStart()); why != "" {
		return Event{Name: Refused, Revision: revision, Value: why}
	}
	return Event{Name: Proved, Revision: revision}
}

func (s *Screen) isTab(tab string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return tab != "" && tab == s.tab
}

// answer draws what is shown now: as a page, or as its part that changes.
func (s *Screen) answer(w http.ResponseWriter, r *http.Request, name, tab string) {
	var status journal.Status
	if s.showsStatus() {
		var err error
		if status, err = s.options.Journal.Status(r.Context()); err != nil {
			s.log.ErrorContext(r.Context(), "the journal does not tell how it is", "error", err)
		}
	}
	s.mu.Lock()
	v := s.view(tab, status)
	s.mu.Unlock()
	var body bytes.Buffer
	if err := s.templates.ExecuteTemplate(&body, v.Template, v); err != nil {
		s.log.ErrorContext(r.Context(), "a screen cannot be drawn", "state", v.Template, "error", err)
		http.Error(w, "500", http.StatusInternalServerError)
		return
	}
	v.Main = template.HTML(body.String()) //nolint:gosec // html/template made it
	var out bytes.Buffer
	if err := s.templates.ExecuteTemplate(&out, name, v); err != nil {
		s.log.ErrorContext(r.Context(), "a screen cannot be drawn", "state", v.Template, "error", err)
		http.Error(w, "500", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(out.Bytes())
}

func (s *Screen) showsStatus() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flow.state == Staff
}

// keepAlive is how often a silent stream says that it lives.
const keepAlive = 15 * time.Second

// events tells a tab when to look again. Events: "changed" (the revision that is shown), "warned" (1 or 0: the screen will soon be idle),
// "moved" (another tab is the screen), "restarted" (the program was started again).
func (s *Screen) events(w http.ResponseWriter, r *http.Request) {
	tab := r.URL.Query().Get("tab")
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{})
	_ = control.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(name string, data any) bool {
		_, err := fmt.Fprintf(w, "event: %s\ndata: %v\n\n", name, data)
		return err == nil && control.Flush() == nil
	}
	_, _ = io.WriteString(w, "retry: 1000\n\n") // milliseconds until a tab whose stream broke asks again
	if !strings.HasPrefix(tab, s.process+"-") {
		send("restarted", 1)
		return
	}
	s.watch1(1)
	defer s.watch1(-1)
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for {
		s.mu.Lock()
		changed, current, revision, warned := s.changed, s.tab == tab, s.flow.revision, s.flow.warned
		s.mu.Unlock()
		if !current {
			send("moved", 1)
			return
		}
		on := 0
		if warned {
			on = 1
		}
		if !send("changed", revision) || !send("warned", on) {
			return
		}
		select {
		case <-changed:
		case <-alive.C:
		case <-r.Context().Done():
			return
		}
	}
}

func (s *Screen) watch1(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watching += n
}

// photo is an official's. What is not a JPEG is not served: the initials stand in its place.
func (s *Screen) photo(w http.ResponseWriter, r *http.Request) {
	jpeg, ok := s.options.Uplink.Photo(r.PathValue("official"))
	if !ok || !isJPEG(jpeg) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "private, max-age=3600")
	_, _ = w.Write(jpeg)
}

func isJPEG(b []byte) bool { return http.DetectContentType(b) == "image/jpeg" }
