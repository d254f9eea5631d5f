package deadline

import (
	_ "embed"
	"fmt"
	"slices"
)

//go:embed defaults.yaml
var defaults []byte

// Rule is how long one thing may take, and when people hear of it.
type Rule struct {
	ID            string            // what it is for, such as "explain"
	Titles        map[string]string // by language: "vi", "en"
	Term          Term
	Extension     int   // days that may be given once more at most; 0 = none
	Suspends      bool  // whether its time may stand still
	RemindBefore  []int // days before the due day; 0 = on it
	RemindAfter   []int // days after it
	EscalateAfter []int // days after it; the first tells one level up, the second two
	NotLaw        bool  // a default of the product or the office's own choice, which no statute stands behind
	Source        string
	Note          string
}

// Title in a language; in Vietnamese where it has none in that.
func (r Rule) Title(language string) string {
	if title, ok := r.Titles[language]; ok {
		return title
	}
	return r.Titles["vi"]
}

// Rules are the table of deadlines an office edits. They are never changed; Parse makes them.
type Rules struct {
	list []Rule
	text string
}

// Rule finds a rule.
func (r Rules) Rule(id string) (Rule, bool) {
	at := slices.IndexFunc(r.list, func(rule Rule) bool { return rule.ID == id })
	if at < 0 {
		return Rule{}, false
	}
	return r.list[at], true
}

// All lists the rules in the order of the text.
func (r Rules) All() []Rule { return slices.Clone(r.list) }

// YAML is the text the rules were read from, for the page where they are edited.
func (r Rules) YAML() string { return r.text }

// Defaults are the rules that hold until an office changes them.
func Defaults() (Rules, error) {
	rules, err := Parse(defaults)
	if err != nil {
		return Rules{}, fmt.Errorf("defaults of deadlines: %w", err)
	}
	return rules, nil
}
