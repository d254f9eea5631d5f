package casework_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/language"
)

func TestTablesAreWhole(t *testing.T) {
	for name, c := range map[string]struct {
		rows   []casework.Row
		states []casework.State
	}{
		"cases":   {casework.Rows(), casework.States()},
		"actions": {casework.ActionRows(), casework.ActionStates()},
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			reached := map[casework.State]bool{"": true}
			ends := map[casework.State]bool{}
			for _, state := range c.states {
				ends[state] = state.Terminal()
			}
			for range c.rows { // long enough for both to be closed
				for _, row := range c.rows {
					reached[row.To] = reached[row.To] || reached[row.From]
					ends[row.From] = ends[row.From] || ends[row.To]
				}
			}
			for _, row := range c.rows {
				if seen[rowKey(row)] {
					t.Errorf("%s stands twice", rowKey(row))
				}
				seen[rowKey(row)] = true
				if row.From.Terminal() || row.From != "" && !slices.Contains(c.states, row.From) || !slices.Contains(c.states, row.To) {
					t.Errorf("%s leads from an end or to nowhere", rowKey(row))
				}
				if len(row.Who) == 0 {
					t.Errorf("%s: nobody may", rowKey(row))
				}
				for _, who := range row.Who {
					if who.Role == casework.Inspector || who.Role == casework.Administrator {
						t.Errorf("%s: %s acts", rowKey(row), who.Role)
					}
					if (who.Relation == casework.Anyone) != (who.Role == casework.System || who.Role == casework.Citizen) {
						t.Errorf("%s: %s in no relation", rowKey(row), who.Role)
					}
				}
			}
			for _, state := range c.states {
				if !reached[state] {
					t.Errorf("%s is never reached", state)
				}
				if !ends[state] {
					t.Errorf("%s has no way to an end", state)
				}
			}
			for _, row := range c.rows {
				if row.Event == casework.Accept || row.Event == casework.Return {
					for _, guard := range []casework.Guard{casework.NotAuthor, casework.NotSubject, casework.NotHead} {
						if !slices.Contains(row.Guards, guard) {
							t.Errorf("%s lacks %s", rowKey(row), guard)
						}
					}
				}
			}
		})
	}
}

// TestEveryRowIsTakenAndNeedsWhatItSays: each row happens in some case; without any one thing it needs it does not, nor for a role it does not name.
func TestEveryRowIsTakenAndNeedsWhatItSays(t *testing.T) {
	m := machine(t)
	found := explore(t, m)
	drop := map[casework.Need]func(*casework.Event){
		casework.NeedUnit:          func(e *casework.Event) { e.Unit = "" },
		casework.NeedReason:        func(e *casework.Event) { e.Reason = " \n" },
		casework.NeedReturnReasons: func(e *casework.Event) { e.Reasons = nil },
		casework.NeedReopenReasons: func(e *casework.Event) { e.Reasons = nil },
		casework.NeedWithdrawal:    func(e *casework.Event) { e.Reason, e.Private = "", "" },
		casework.NeedExplanation:   func(e *casework.Event) { e.Explanation = nil },
		casework.NeedFinding:       func(e *casework.Event) { e.Finding = "" },
		casework.NeedText:          func(e *casework.Event) { e.Text = "" },
		casework.NeedDocument:      func(e *casework.Event) { e.Document = "" },
		casework.NeedRoute:         func(e *casework.Event) { e.Route.Kind = "" },
		casework.NeedTarget:        func(e *casework.Event) { e.Into.ID = "" },
		casework.NeedRatings:       func(e *casework.Event) { e.Ratings = nil },
		casework.NeedClock:         func(e *casework.Event) { e.Clock = "" },
		casework.NeedDays:          func(e *casework.Event) { e.Days = 0 },
	}
	for _, row := range casework.Rows() {
		way, ok := found[rowKey(row)]
		if !ok {
			t.Errorf("%s is never taken", rowKey(row))
			continue
		}
		next, effects, err := m.Apply(way.before, way.event, way.by, way.at)
		if err != nil || next.State != row.To || len(next.History) != len(way.before.History)+1 {
			t.Fatalf("%s: %v", rowKey(row), err)
		}
		for _, effect := range effects {
			if effect.Kind == casework.Tell && !slices.Contains(row.Tell, effect.To) {
				t.Errorf("%s tells %s", rowKey(row), effect.To)
			}
		}
		for _, need := range row.Needs {
			without := way.event
			drop[need](&without)
			if _, _, err := m.Apply(way.before, without, way.by, way.at); reason(err) != "casework_missing_"+string(need) {
				t.Errorf("%s without %s: %v", rowKey(row), need, err)
			}
		}
		for _, by := range cast() {
			_, _, err := m.Apply(way.before, way.event, by, way.at)
			role := by.Role
			if by.For != nil {
				role = by.For.Role
			}
			if named := slices.ContainsFunc(row.Who, func(w casework.Who) bool { return w.Role == role }); !named && reason(err) != "casework_denied" {
				t.Errorf("%s by %s: %v", rowKey(row), role, err)
			}
		}
		if row.From == "" {
			continue
		}
		for _, by := range []casework.Actor{stranger(), actor("x", "", casework.Operator, other), actor("y", "", casework.Official, culture)} {
			if _, _, err := m.Apply(way.before, way.event, by, way.at); reason(err) != "casework_denied" {
				t.Errorf("%s by %s of another unit: %v", rowKey(row), by.Role, err)
			}
		}
	}
}

var named = regexp.MustCompile(`"(casework_[a-z0-9_]+)"`)

// TestEverythingHasWords: every state, event, role, reason and fault can be read.
func TestEverythingHasWords(t *testing.T) {
	var keys []string
	for _, row := range append(casework.Rows(), casework.ActionRows()...) {
		keys = append(keys, "casework.event."+string(row.Event), "casework.state."+string(row.To))
		for _, need := range row.Needs {
			keys = append(keys, "casework.need."+string(need), "fault.casework_missing_"+string(need))
		}
	}
	add := func(prefix string, list ...string) {
		for _, one := range list {
			keys = append(keys, prefix+one)
		}
	}
	add("casework.role.", texts(casework.Roles())...)
	add("casework.source.", texts(casework.Sources())...)
	add("casework.cause.", texts(casework.Causes())...)
	add("casework.finding.", texts(casework.Findings())...)
	add("casework.apology.", texts(casework.Apologies())...)
	add("casework.return.", texts(casework.ReturnReasons())...)
	add("casework.reopen.", texts(casework.ReopenReasons())...)
	add("casework.route.", texts(casework.RouteKinds())...)
	add("casework.contest.", "open", "upheld", "dismissed", "dropped")
	add("casework.coverage.", "answered", "in_hand", "noted", "set_aside", "untouched")
	add("casework.register.", "handling", "not_handled", "form")
	for _, column := range casework.Columns() {
		add("casework.register.", column.Key)
	}
	add("fault.casework_", "once_reopened", "never_reopened", "handed_over", "not_handed_over")
	add("fault.casework_explanation_", "cause", "analysis", "remedy", "responsible", "apology", "finding", "attachments")
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range named.FindAllStringSubmatch(string(source), -1) {
			if !strings.HasSuffix(found[1], "_") {
				add("fault.", found[1])
			}
		}
	}
	for _, key := range keys {
		for _, l := range language.All {
			if l.Text(key) == key {
				t.Errorf("%s: %q has no words", l, key)
			}
		}
	}
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, one := range list {
		out[i] = string(one)
	}
	return out
}
