package register

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/localday"
)

// Row is a line of the book. Units and cases are named by their ids, so that a row says the same whatever they are called later.
// It holds nothing of who spoke but that somebody left a name. Its JSON is what is sealed: a field is never renamed, moved or given
// another meaning; a new one comes last and is left out where it is empty.
type Row struct {
	N          int               `json:"n"`
	Case       string            `json:"case,omitempty"` // "" = no case has this number
	Received   localday.Day      `json:"received,omitempty"`
	Content    string            `json:"content,omitempty"`
	Source     casework.Source   `json:"source,omitempty"`
	Kind       string            `json:"kind,omitempty"` // Opinion, or the kind of its route
	People     int               `json:"people,omitempty"`
	Person     bool              `json:"person,omitempty"` // a name or an address was left
	SettledBy  string            `json:"settled_by,omitempty"`
	Handling   casework.Handling `json:"handling,omitempty"`
	PassedTo   string            `json:"passed_to,omitempty"`
	PassedBy   string            `json:"passed_by,omitempty"` // number and date of the paper
	Result     Result            `json:"result"`
	Returns    int               `json:"returns,omitempty"`
	Reopened   bool              `json:"reopened,omitempty"`
	MergedInto string            `json:"merged_into,omitempty"`
}

// Result is what came of a case.
type Result struct {
	State   casework.State   `json:"state,omitempty"`
	Finding casework.Finding `json:"finding,omitempty"`
	On      localday.Day     `json:"on,omitempty"` // of the reply, the result or the ending; "" = there is none
	Text    string           `json:"text,omitempty"`
	Unit    string           `json:"unit,omitempty"` // in charge
}

// Opinion is the kind of a case that went no way of its own.
const Opinion = "opinion"

// maxText is how many characters of a reply stand in the book; all of it stands in the case.
const maxText = 300

// Missing tells that no result stands in the row ("chưa cập nhật kết quả").
func (r Row) Missing() bool { return r.Case != "" && r.Result.missing() }

func (r Result) missing() bool { return casework.Case{State: r.State}.ResultMissing() }

// Gap tells that no case has this number, which must not be.
func (r Row) Gap() bool { return r.Case == "" }

// RowOf is the row of a case as it stood before an instant; false where it was not yet received then. The zero time is now.
func RowOf(k casebook.Kept, before time.Time) (Row, bool, error) {
	c := k.Case
	if n := len(c.History); !before.IsZero() && n > 0 && !c.History[n-1].At.Before(before) {
		for n > 0 && !c.History[n-1].At.Before(before) {
			n--
		}
		if n == 0 {
			return Row{}, false, nil
		}
		was, err := casework.Replay(c.Opening, c.History[:n])
		if err != nil {
			return Row{}, false, fmt.Errorf("replay case %s: %w", c.ID, err)
		}
		c = was
	}
	received, _ := localday.Of(c.OpenedAt)
	row := Row{
		N: c.Number.N, Case: c.ID, Received: received, Content: k.Title, Source: c.Source, Kind: Opinion, People: max(1, len(c.Attached)), Person: k.HasContact,
		SettledBy: c.Assigned, Handling: c.Handling(), PassedTo: c.Route.To, Returns: c.Returns, Reopened: c.Reopened, MergedInto: c.MergedInto,
		Result: resultOf(c),
	}
	if c.Route.Kind != "" {
		row.Kind = string(c.Route.Kind)
	}
	if c.Collective != nil {
		row.People = 0
	}
	for _, e := range c.History {
		switch e.Event.Name { //nolint:exhaustive // only what concerns the paper it went with
		case casework.HandOver:
			row.PassedBy = e.Event.Document
		case casework.PutBack:
			row.PassedBy = ""
		}
	}
	return row, true, nil
}

// resultOf is what came of a case so far.
func resultOf(c casework.Case) Result {
	r := Result{State: c.State, Finding: c.Finding, Unit: c.Assigned}
	for _, e := range c.History {
		switch e.Event.Name { //nolint:exhaustive // only what is a result, or takes one back
		case casework.Reply, casework.RouteResult:
			r.On, r.Text = e.Day(), clip(e.Event.Text)
		case casework.File, casework.Merge, casework.Withdraw:
			r.On, r.Text = e.Day(), ""
		case casework.Reopen, casework.PutBack:
			r.On, r.Text = "", ""
		}
	}
	return r
}

func clip(text string) string {
	if utf8.RuneCountInString(text) <= maxText {
		return text
	}
	return string([]rune(text)[:maxText]) + "…"
}

// line is a row as it is sealed: one line of JSON.
func (r Row) line() (string, error) {
	text, err := json.Marshal(r)
	return string(text), err
}

func parseLine(line string) (Row, error) {
	var r Row
	err := json.Unmarshal([]byte(line), &r)
	return r, err
}

// The chain: the first link is of which register it is and as of when, each further one of the link before and a row's line. Whoever has
// the lines can compute it with any program for SHA-256.
func firstLink(unit string, year int, asOf localday.Day) []byte {
	sum := sha256.Sum256([]byte("hailong register 1\n" + unit + "\n" + strconv.Itoa(year) + "\n" + string(asOf) + "\n"))
	return sum[:]
}

func nextLink(before []byte, line string) []byte {
	sum := sha256.Sum256(append(append(make([]byte, 0, len(before)+len(line)), before...), line...))
	return sum[:]
}
