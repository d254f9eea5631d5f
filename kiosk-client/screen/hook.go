package screen

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const maxHook = 4 << 10

// hookHandler is all that the office's network may reach.
func (s *Screen) hookHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{name}", s.asset)
	s.hook(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		harden(w.Header())
		// A link to the own page may be opened from anywhere; it shows a button and presses none.
		if r.Method != http.MethodGet && !cameFromHere(r) {
			http.Error(w, "403", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// hook adds the calls of queue systems and of officials; without a token there are none.
func (s *Screen) hook(mux *http.ServeMux) {
	if s.options.HookToken == "" {
		return
	}
	mux.HandleFunc("POST /hook/wake", s.wakeHook)
	mux.HandleFunc("GET /call/{counter}", s.callPage)
	mux.HandleFunc("POST /call/{counter}", s.call)
}

// wakeRequest is what a queue system sends when somebody was served. Counter is the counter's id or the sign on it; it may be empty
// where the device serves one place.
type wakeRequest struct {
	Counter  string `json:"counter"`
	Ticket   string `json:"ticket"`
	Dossier  string `json:"dossier"`
	Official string `json:"official"` // id
}

func (s *Screen) wakeHook(w http.ResponseWriter, r *http.Request) {
	if !same(r.Header.Get("Authorization"), "Bearer "+s.options.HookToken) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		tellHook(w, http.StatusUnauthorized, "token")
		return
	}
	var request wakeRequest
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxHook))
	if err := decoder.Decode(&request); err != nil || decoder.More() {
		tellHook(w, http.StatusBadRequest, "json")
		return
	}
	status, what := s.wake(r, request)
	tellHook(w, status, what)
}

// wake turns the screen to a counter's person, now or after who is answering.
func (s *Screen) wake(r *http.Request, request wakeRequest) (status int, what string) {
	if len(request.Ticket) > 64 || len(request.Dossier) > 64 {
		return http.StatusBadRequest, "too_long"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	place := s.counter(request.Counter)
	if place == nil {
		return http.StatusNotFound, "counter_unknown"
	}
	if s.flow.base() != Idle {
		return http.StatusConflict, "not_ready"
	}
	if request.Official != "" && s.flow.official(request.Official) == nil {
		return http.StatusNotFound, "official_unknown"
	}
	before := s.flow.revision
	s.handle(r.Context(), Event{Name: Woken, Wake: Wake{Place: placeKey(place), Ticket: clean(request.Ticket, 64), Dossier: clean(request.Dossier, 64), Official: request.Official}})
	if s.flow.revision == before {
		return http.StatusAccepted, "waits"
	}
	return http.StatusOK, "shown"
}

// counter finds the place that a caller means; nil where there is none, or more than one.
func (s *Screen) counter(name string) *pb.ConfiguredPlace {
	places := s.flow.setting.Configuration.GetPlaces()
	if name == "" && len(places) == 1 {
		return places[0]
	}
	var found *pb.ConfiguredPlace
	for _, place := range places {
		if name != "" && (place.GetCounterId() == name || place.GetCounterId() == "" && place.GetUnitId() == name) {
			return place
		}
		if name != "" && place.GetCounterCode() == name {
			if found != nil {
				return nil
			}
			found = place
		}
	}
	return found
}

func tellHook(w http.ResponseWriter, status int, what string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"result": what})
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// CallKey is what the address of a counter's page carries, "/call/COUNTER?key=KEY": it calls for that counter and is of no other use.
func CallKey(hookToken, counter string) string {
	mac := hmac.New(sha256.New, []byte(hookToken))
	mac.Write([]byte("hailong.kiosk.call\x00" + counter))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

// showCall draws the official's page; said is a key, or "".
func (s *Screen) showCall(w http.ResponseWriter, status int, counter, said string) {
	s.mu.Lock()
	v := callView{view: view{words: s.languages["vi"], Tag: "vi"}, Counter: counter, Said: said, May: status == http.StatusOK}
	if place := s.counter(counter); place != nil {
		v.Name = placeName(place)
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := s.templates.ExecuteTemplate(w, "call", v); err != nil {
		s.log.Error("the page of an official cannot be drawn", "error", err)
	}
}

const callCookie = "hailong-call"

// callPage is the official's own page: one big button. Its address carries the key once; a cookie keeps it out of the address afterwards.
func (s *Screen) callPage(w http.ResponseWriter, r *http.Request) {
	counter := r.PathValue("counter")
	path := "/call/" + url.PathEscape(counter)
	if key := r.URL.Query().Get("key"); key != "" {
		if same(key, CallKey(s.options.HookToken, counter)) {
			http.SetCookie(w, &http.Cookie{Name: callCookie, Value: key, Path: path, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 400 * 24 * 3600}) //nolint:gosec // the office's network has no certificates
			http.Redirect(w, r, path, http.StatusSeeOther)
			return
		}
	}
	if !s.mayCall(r, counter) {
		s.showCall(w, http.StatusForbidden, counter, "kiosk.call.no_key")
		return
	}
	s.showCall(w, http.StatusOK, counter, sentResult(r.URL.Query().Get("said")))
}

func (s *Screen) mayCall(r *http.Request, counter string) bool {
	cookie, err := r.Cookie(callCookie)
	return err == nil && same(cookie.Value, CallKey(s.options.HookToken, counter))
}

func (s *Screen) call(w http.ResponseWriter, r *http.Request) {
	counter := r.PathValue("counter")
	if !s.mayCall(r, counter) {
		s.showCall(w, http.StatusForbidden, counter, "kiosk.call.no_key")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxHook)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "400", http.StatusBadRequest)
		return
	}
	_, what := s.wake(r, wakeRequest{Counter: counter, Ticket: strings.TrimSpace(r.PostForm.Get("ticket"))})
	http.Redirect(w, r, "/call/"+url.PathEscape(counter)+"?said="+what, http.StatusSeeOther)
}

// sentResult is the key of the words for what a call came to; "" where nothing was called.
func sentResult(what string) string {
	switch what {
	case "shown", "waits", "not_ready", "counter_unknown", "too_long":
		return "kiosk.call." + what
	}
	return ""
}
