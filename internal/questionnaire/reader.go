package questionnaire

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Faults is everything that is wrong with a text, in the order of its lines.
type Faults = fault.Faults

// maxFaults stops a text that is wrong throughout.
const maxFaults = 100

// reader walks a YAML tree and notes what is wrong, by line and field.
type reader struct{ faults Faults }

func (r *reader) fault(node *yaml.Node, field, reason string, args ...any) {
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, fault.New(fault.Invalid, reason, append([]any{"line", node.Line, "field", field}, args...)...))
	}
}

// fields is a mapping, each field taken once; done notes those that nobody took.
type fields struct {
	*reader
	node   *yaml.Node
	path   string
	values map[string]*yaml.Node
	keys   []*yaml.Node
	taken  map[string]bool
}

func (r *reader) mapping(node *yaml.Node, path string) (*fields, bool) {
	if node.Kind != yaml.MappingNode {
		r.fault(node, path, "questionnaire_mapping_wanted")
		return nil, false
	}
	f := &fields{reader: r, node: node, path: path, values: map[string]*yaml.Node{}, taken: map[string]bool{}}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if _, twice := f.values[key.Value]; twice {
			r.fault(key, f.at(key.Value), "questionnaire_field_twice")
			continue
		}
		f.values[key.Value] = node.Content[i+1]
		f.keys = append(f.keys, key)
	}
	return f, true
}

func (f *fields) at(name string) string {
	name = clip(name)
	if f.path == "" {
		return name
	}
	return f.path + "." + name
}

// take answers a field; missing and required is noted.
func (f *fields) take(name string, required bool) (*yaml.Node, bool) {
	f.taken[name] = true
	node, ok := f.values[name]
	if !ok || node.Tag == "!!null" {
		if required {
			f.fault(f.node, f.at(name), "questionnaire_field_missing")
		}
		return nil, false
	}
	return node, true
}

// done notes fields that nothing reads: a misspelt field must not be passed over.
func (f *fields) done() {
	for _, key := range f.keys {
		if !f.taken[key.Value] {
			f.fault(key, f.at(key.Value), "questionnaire_field_unknown")
		}
	}
}

func (f *fields) text(name string, required bool) string {
	node, ok := f.take(name, required)
	if !ok {
		return ""
	}
	return f.words(node, f.at(name))
}

// words is a text for people: not empty, not endless, printable, in NFC.
func (r *reader) words(node *yaml.Node, field string) string {
	if node.Kind != yaml.ScalarNode || node.Tag != "!!str" {
		r.fault(node, field, "questionnaire_text_wanted")
		return ""
	}
	text := norm.NFC.String(strings.TrimSpace(node.Value))
	unprintable := strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\n' || c == 0x7f || c == utf8.RuneError })
	if text == "" || unprintable || utf8.RuneCountInString(text) > maxText {
		r.fault(node, field, "questionnaire_text_invalid", "limit", maxText)
	}
	return text
}

// matching is a text of a given form, such as an id. YAML reads some of them as numbers or days; the letters count.
func (f *fields) matching(name string, required bool, form *regexp.Regexp) string {
	node, ok := f.take(name, required)
	if !ok {
		return ""
	}
	if node.Kind != yaml.ScalarNode || !form.MatchString(node.Value) {
		f.fault(node, f.at(name), "questionnaire_form_invalid", "value", clip(node.Value))
		return ""
	}
	return node.Value
}

func (f *fields) number(name string, required bool, low, high int) int32 {
	node, ok := f.take(name, required)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(node.Value)
	if node.Kind != yaml.ScalarNode || node.Tag != "!!int" || err != nil || n < low || n > high {
		f.fault(node, f.at(name), "questionnaire_number_invalid", "low", low, "high", high)
		return 0
	}
	return int32(n)
}

func (f *fields) yes(name string, required bool) bool {
	node, ok := f.take(name, required)
	if !ok {
		return false
	}
	if node.Tag != "!!bool" || node.Value != "true" && node.Value != "false" {
		f.fault(node, f.at(name), "questionnaire_yes_invalid")
	}
	return node.Value == "true"
}

// list answers a sequence's items.
func (f *fields) list(name string, required bool, limit int) []*yaml.Node {
	node, ok := f.take(name, required)
	if !ok {
		return nil
	}
	if node.Kind != yaml.SequenceNode {
		f.fault(node, f.at(name), "questionnaire_list_wanted")
		return nil
	}
	if len(node.Content) > limit || required && len(node.Content) == 0 {
		f.fault(node, f.at(name), "questionnaire_list_length", "limit", limit)
		return nil
	}
	return node.Content
}

var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)

// local is a text in Vietnamese, English and perhaps more languages.
func (f *fields) local(name string) []LocalText {
	node, ok := f.take(name, true)
	if !ok {
		return nil
	}
	m, ok := f.mapping(node, f.at(name))
	if !ok {
		return nil
	}
	texts := []LocalText{{"vi", m.text("vi", true)}, {"en", m.text("en", true)}}
	for _, key := range m.keys {
		if !m.taken[key.Value] && languageTag.MatchString(key.Value) {
			texts = append(texts, LocalText{key.Value, m.text(key.Value, true)})
		}
	}
	slices.SortFunc(texts[2:], func(a, b LocalText) int { return strings.Compare(a.Language, b.Language) })
	m.done()
	return texts
}

func item(name string, i int) string { return fmt.Sprintf("%s[%d]", name, i+1) }
