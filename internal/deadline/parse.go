package deadline

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Limits of what Parse reads.
const (
	MaxBytes = 64 << 10
	maxRules = 100
	maxMarks = 10
	maxText  = 500 // characters of a title, a source, a note
)

// Faults is everything that is wrong with a text, in the order of its lines.
type Faults = fault.Faults

var (
	ruleID = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	lineOf = regexp.MustCompile(`line (\d+)`)
)

// Parse reads a table of deadlines. Everything that is wrong is told at once: the error is Faults, each Invalid with "line" and,
// but for the first three, "field": "deadline_text_long", "deadline_text_not_utf8", "deadline_text_yaml", "deadline_field_unknown",
// "deadline_field_twice", "deadline_field_missing", "deadline_field_kind", "deadline_field_number", "deadline_field_count",
// "deadline_field_id", "deadline_field_text", "deadline_field_many", "deadline_field_order", "deadline_rule_twice", "deadline_source_missing".
func Parse(text []byte) (Rules, error) {
	text = bytes.ReplaceAll(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("\r\n"), []byte("\n"))
	if len(text) > MaxBytes {
		return Rules{}, Faults{fault.New(fault.Invalid, "deadline_text_long", "limit", MaxBytes)}
	}
	if !utf8.Valid(text) {
		return Rules{}, Faults{fault.New(fault.Invalid, "deadline_text_not_utf8")}
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	err := decoder.Decode(&document)
	if err == nil {
		if rest := decoder.Decode(new(yaml.Node)); !errors.Is(rest, io.EOF) {
			err = errors.New("more than one document")
		}
	}
	if err != nil {
		line := 1
		if found := lineOf.FindStringSubmatch(err.Error()); found != nil {
			line, _ = strconv.Atoi(found[1])
		}
		return Rules{}, Faults{fault.New(fault.Invalid, "deadline_text_yaml", "line", line).Because(err)}
	}
	r := &reader{}
	rules := Rules{text: string(text)}
	top := r.mapping(document.Content[0], "")
	seen := map[string]bool{}
	for i, node := range r.items(top.take("rules", true), "rules", maxRules) {
		rule := r.rule(node, "rules["+strconv.Itoa(i+1)+"]")
		if rule.ID != "" && seen[rule.ID] {
			r.fault(node, "id", "deadline_rule_twice", "value", rule.ID)
		}
		seen[rule.ID] = true
		rules.list = append(rules.list, rule)
	}
	top.done()
	if len(r.faults) > 0 {
		slices.SortStableFunc(r.faults, func(a, b *fault.Error) int { return a.Args[1].(int) - b.Args[1].(int) })
		return Rules{}, r.faults
	}
	return rules, nil
}

func (r *reader) rule(node *yaml.Node, path string) Rule {
	f := r.mapping(node, path)
	rule := Rule{Titles: map[string]string{}}
	if id := f.take("id", true); id != nil {
		if rule.ID = id.Value; id.Kind != yaml.ScalarNode || !ruleID.MatchString(id.Value) {
			r.fault(id, f.at("id"), "deadline_field_id")
		}
	}
	if node := f.take("titles", true); node != nil {
		titles := r.mapping(node, f.at("titles"))
		for _, language := range []string{"vi", "en"} {
			rule.Titles[language] = titles.words(language, true)
		}
		titles.done()
	}
	rule.Term.Days = r.number(f.take("days", true), f.at("days"), 0)
	if count := f.take("count", true); count != nil {
		if rule.Term.Count = Count(count.Value); rule.Term.Count != Working && rule.Term.Count != Calendar {
			r.fault(count, f.at("count"), "deadline_field_count", "working", Working, "calendar", Calendar)
		}
	}
	if extension := f.take("extension", false); extension != nil {
		rule.Extension = r.number(extension, f.at("extension"), 0)
	}
	rule.Suspends = f.yes("suspends", false)
	rule.RemindBefore = r.numbers(f.take("remind_before", false), f.at("remind_before"), 0)
	rule.RemindAfter = r.numbers(f.take("remind_after", false), f.at("remind_after"), 1)
	escalate := f.take("escalate_after", false)
	if rule.EscalateAfter = r.numbers(escalate, f.at("escalate_after"), 1); !slices.IsSorted(rule.EscalateAfter) {
		r.fault(escalate, f.at("escalate_after"), "deadline_field_order")
	}
	rule.NotLaw = f.yes("not_law", true)
	rule.Source = f.words("source", false)
	rule.Note = f.words("note", false)
	if node.Kind == yaml.MappingNode && !rule.NotLaw && rule.Source == "" {
		r.fault(node, f.at("source"), "deadline_source_missing")
	}
	f.done()
	return rule
}

// reader walks a YAML tree and notes what is wrong, by line and field.
type reader struct{ faults Faults }

func (r *reader) fault(node *yaml.Node, field, reason string, args ...any) {
	if len(r.faults) < 100 {
		r.faults = append(r.faults, fault.New(fault.Invalid, reason, append([]any{"line", node.Line, "field", field}, args...)...))
	}
}

// fields is a mapping; each field is taken once, and done notes those that nobody took.
type fields struct {
	*reader
	node   *yaml.Node
	path   string
	values map[string]*yaml.Node
	keys   []*yaml.Node
}

func (r *reader) mapping(node *yaml.Node, path string) *fields {
	f := &fields{reader: r, node: node, path: path, values: map[string]*yaml.Node{}}
	if node.Kind != yaml.MappingNode {
		r.fault(node, path, "deadline_field_kind")
		return f
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if f.values[key.Value] != nil {
			r.fault(key, f.at(clip(key.Value)), "deadline_field_twice")
		}
		f.values[key.Value], f.keys = node.Content[i+1], append(f.keys, key)
	}
	return f
}

func (f *fields) at(name string) string {
	if f.path == "" {
		return name
	}
	return f.path + "." + name
}

func (f *fields) take(name string, required bool) *yaml.Node {
	node := f.values[name]
	delete(f.values, name)
	if node == nil && required && f.node.Kind == yaml.MappingNode {
		f.fault(f.node, f.at(name), "deadline_field_missing")
	}
	return node
}

func (f *fields) done() {
	for _, key := range f.keys {
		if _, left := f.values[key.Value]; left {
			delete(f.values, key.Value)
			f.fault(key, f.at(clip(key.Value)), "deadline_field_unknown")
		}
	}
}

func (f *fields) words(name string, required bool) string {
	node := f.take(name, required)
	if node == nil {
		return ""
	}
	text := strings.TrimSpace(norm.NFC.String(node.Value))
	n := utf8.RuneCountInString(text)
	if node.Kind != yaml.ScalarNode || n > maxText || required && n == 0 || strings.ContainsFunc(text, unicode.IsControl) {
		f.fault(node, f.at(name), "deadline_field_text", "limit", maxText)
	}
	return text
}

func (f *fields) yes(name string, required bool) bool {
	node := f.take(name, required)
	if node == nil {
		return false
	}
	var value bool
	if err := node.Decode(&value); err != nil || node.Kind != yaml.ScalarNode {
		f.fault(node, f.at(name), "deadline_field_kind")
	}
	return value
}

func (r *reader) number(node *yaml.Node, field string, least int) int {
	if node == nil {
		return 0
	}
	value, err := strconv.Atoi(node.Value)
	if err != nil || node.Kind != yaml.ScalarNode || value < least || value > MaxDays {
		r.fault(node, field, "deadline_field_number", "least", least, "most", MaxDays)
		return 0
	}
	return value
}

func (r *reader) items(node *yaml.Node, field string, limit int) []*yaml.Node {
	switch {
	case node == nil:
		return nil
	case node.Kind != yaml.SequenceNode:
		r.fault(node, field, "deadline_field_kind")
		return nil
	case len(node.Content) > limit:
		r.fault(node, field, "deadline_field_many", "limit", limit)
		return nil
	}
	return node.Content
}

func (r *reader) numbers(node *yaml.Node, field string, least int) []int {
	var out []int
	for _, item := range r.items(node, field, maxMarks) {
		out = append(out, r.number(item, field, least))
	}
	return out
}

func clip(text string) string {
	if len(text) > 40 {
		text = text[:40]
	}
	return strings.ToValidUTF8(text, "")
}
