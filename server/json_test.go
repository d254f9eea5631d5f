package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestJSON(t *testing.T) {
	s := start(t, Config{})
	status, session := s.json("POST", "/v1/sessions", "", `{"name":"admin","password":"`+adminPassword+`"}`)
	token, _ := session["token"].(string)
	if status != http.StatusOK || token == "" {
		t.Fatalf("sign-in: %d %v", status, session)
	}
	status, unit := s.json("POST", "/v1/units", token, `{"id":"xa-thu","code":"09999","name":"Xã Thạch Hà","level":"commune"}`)
	if status != http.StatusOK || unit["id"] != "xa-thu" {
		t.Fatalf("unit: %d %v", status, unit)
	}
	id := uuid.Must(uuid.NewV7()).String()
	body := fmt.Sprintf(`{"rating":{"id":%q,"unit_id":"xa-thu","channel":"CHANNEL_PAPER","questionnaire_id":"kiosk","questionnaire_version":1,"overall_score":4},
		"private":{"comment":"Cán bộ nhiệt tình"}}`, id)
	t.Run("a rating sent twice is stored once", func(t *testing.T) {
		for _, want := range []string{"OUTCOME_STORED", "OUTCOME_DUPLICATE"} {
			if status, answer := s.json("POST", "/v1/ratings", token, body); status != http.StatusOK || answer["outcome"] != want {
				t.Errorf("%d %v, want %s", status, answer, want)
			}
		}
	})
	t.Run("other content conflicts, with words", func(t *testing.T) {
		_, answer := s.json("POST", "/v1/ratings", token, strings.Replace(body, `"overall_score":4`, `"overall_score":1`, 1))
		if answer["outcome"] != "OUTCOME_CONFLICT" || !strings.Contains(fmt.Sprint(answer["reason"]), "quarantine") {
			t.Errorf("%v", answer)
		}
	})
	t.Run("score 6 is rejected, not lost", func(t *testing.T) {
		status, answer := s.json("POST", "/v1/ratings", token, strings.Replace(strings.Replace(body, id, uuid.NewString(), 1), `"overall_score":4`, `"overall_score":6`, 1))
		if status != http.StatusOK || answer["outcome"] != "OUTCOME_REJECTED" || answer["quarantine_id"] == "" {
			t.Errorf("%d %v", status, answer)
		}
	})
	for _, c := range []struct {
		name, method, path, token, body string
		status                          int
		words                           string
	}{
		{"an unknown field is refused", "POST", "/v1/ratings", token, `{"rating":{"unit_id":"xa-thu","stars":5}}`, 400, "stars"},
		{"what is no JSON is refused", "POST", "/v1/ratings", token, `{"rating":`, 400, ""},
		{"a number as text is refused", "POST", "/v1/ratings", token, `{"rating":{"overall_score":"good"}}`, 400, ""},
		{"no rating", "POST", "/v1/ratings", token, `{}`, 400, "missing"},
		{"a wrong token", "GET", "/v1/units", "wrong", "", 401, ""},
		{"no token", "GET", "/v1/units", "", "", 401, ""},
		{"a wrong password", "POST", "/v1/sessions", "", `{"name":"admin","password":"no"}`, 401, ""},
		{"an unknown unit", "GET", "/v1/units/nowhere/summary", token, "", 404, "nowhere"},
		{"a reversed period", "GET", "/v1/units/xa-thu/summary?from=2026-02-02&to=2026-01-01", token, "", 400, ""},
		{"a day that is none", "GET", "/v1/units/xa-thu/summary?from=2026-02-30", token, "", 400, ""},
		{"an unknown path", "GET", "/v1/nothing", token, "", 404, ""},
		{"a page beyond the limit", "GET", "/v1/units?page_size=100000", token, "", 400, "page_size"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, answer := s.json(c.method, c.path, c.token, c.body)
			if status != c.status || !strings.Contains(fmt.Sprint(answer["message"]), c.words) {
				t.Errorf("%d %v, want %d with %q", status, answer, c.status, c.words)
			}
			if strings.Contains(fmt.Sprint(answer["message"]), "fault.") {
				t.Errorf("no words for %v", answer)
			}
		})
	}
	t.Run("units are found without diacritics", func(t *testing.T) {
		_, answer := s.json("GET", "/v1/units?query=thach+ha&page_size=10", token, "")
		units, _ := answer["units"].([]any)
		if len(units) != 1 {
			t.Fatalf("%v", answer)
		}
		found, _ := units[0].(map[string]any)
		for _, field := range []string{"id", "parent_id", "code", "name", "level", "valid_from", "valid_to"} {
			if _, ok := found[field]; !ok {
				t.Errorf("a unit has no %q: %v", field, found)
			}
		}
	})
	t.Run("figures carry n, interval and formula", func(t *testing.T) {
		_, answer := s.json("GET", "/v1/units/xa-thu/summary", token, "")
		pooled, _ := answer["pooled"].(map[string]any)
		satisfied, _ := pooled["satisfied"].(map[string]any)
		for _, field := range []string{"formula", "n", "value", "low", "high", "suppressed"} {
			if _, ok := satisfied[field]; !ok {
				t.Errorf("a figure has no %q: %v", field, answer)
			}
		}
	})
	t.Run("the document of the calls", func(t *testing.T) {
		_, answer := s.json("GET", "/v1/openapi.json", "", "")
		paths, _ := answer["paths"].(map[string]any)
		for _, path := range []string{"/v1/ratings", "/v1/ratings:submit", "/v1/units/{unit_id}/summary", "/v1/sessions"} {
			if paths[path] == nil {
				t.Errorf("the document lacks %s", path)
			}
		}
	})
}

func TestHealthAndMetrics(t *testing.T) {
	s := start(t, Config{})
	for path, words := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/metrics": "hailong_call_seconds"} {
		_, _ = s.json("GET", "/v1/units", "", "")
		status, answer := s.json("GET", path, "", "")
		if status != http.StatusOK || !strings.Contains(fmt.Sprint(answer["text"]), words) {
			t.Errorf("%s: %d %v", path, status, answer)
		}
	}
}

func TestAnonymousMayOnlyGiveAWebRating(t *testing.T) {
	s := start(t, Config{})
	unit := s.unit(s.admin(), "", "Phường Thử")
	send := func(channel string) map[string]any {
		_, answer := s.json("POST", "/v1/ratings", "", fmt.Sprintf(`{"rating":{"unit_id":%q,"channel":%q,"questionnaire_id":"kiosk","questionnaire_version":1,"overall_score":5}}`, unit, channel))
		return answer
	}
	if got := send("CHANNEL_WEB"); got["outcome"] != "OUTCOME_STORED" {
		t.Errorf("web: %v", got)
	}
	if got := send("CHANNEL_KIOSK"); got["outcome"] != "OUTCOME_REJECTED" || got["reason_code"] != "channel_denied" {
		t.Errorf("kiosk: %v", got)
	}
	limited := false
	for range 200 {
		if answer := send("CHANNEL_WEB"); answer["outcome"] == nil {
			limited = strings.Contains(fmt.Sprint(answer["message"]), "seconds")
			break
		}
	}
	if !limited {
		t.Error("200 ratings at once from one address met no limit")
	}
}

func TestWatchSendsGroupsOfFive(t *testing.T) {
	s := start(t, Config{})
	ctx := s.admin()
	unit := s.unit(ctx, "", "Xã Thử")
	_, session := s.json("POST", "/v1/sessions", "", `{"name":"admin","password":"`+adminPassword+`"}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http+"/v1/units/"+unit+"/watch", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+fmt.Sprint(session["token"]))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	events := json.NewDecoder(response.Body)
	next := func() float64 {
		var event struct {
			Result struct {
				Pooled struct {
					N float64 `json:"n"`
				} `json:"pooled"`
			} `json:"result"`
		}
		if err := events.Decode(&event); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		return event.Result.Pooled.N
	}
	last := next()
	if last != 0 {
		t.Errorf("first %v", last)
	}
	for range 12 {
		s.submit(ctx, seal(t, freshRating(unit, 4)))
	}
	for last < 10 {
		n := next()
		if n-last < 5 {
			t.Fatalf("%v after %v: fewer than five ratings can be told apart", n, last)
		}
		last = n
	}
}
