package questionnaire

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
)

// MaxBytes is the longest text Parse reads.
const MaxBytes = 256 << 10

var (
	questionnaireID = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	partID          = regexp.MustCompile(`^[a-z0-9_]{1,64}$`) // of questions, choices and factors: they stand in the figures' keys
	kindName        = regexp.MustCompile(`^(score|buttons|choices|text)$`)
	dayForm         = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
)

// Parse reads one version. Everything that is wrong is told at once: the error is Faults, each naming line and field.
func Parse(text []byte) (*Questionnaire, error) {
	text = bytes.ReplaceAll(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("\r\n"), []byte("\n"))
	if len(text) > MaxBytes {
		return nil, Faults{fault.New(fault.Invalid, "questionnaire_too_long", "limit", MaxBytes)}
	}
	if !utf8.Valid(text) {
		return nil, Faults{fault.New(fault.Invalid, "questionnaire_not_utf8")}
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); err != nil {
		return nil, Faults{fault.New(fault.Invalid, "questionnaire_yaml", "line", yamlLine(err)).Because(err)}
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, Faults{fault.New(fault.Invalid, "questionnaire_several")}
	}
	r := &reader{}
	if alias := findAlias(&document); alias != nil {
		r.fault(alias, clip(alias.Value), "questionnaire_alias")
		return nil, r.faults
	}
	q := &Questionnaire{YAML: string(text)}
	r.questionnaire(document.Content[0], q)
	if len(r.faults) > 0 {
		return nil, r.faults
	}
	q.prepare()
	return q, nil
}

var lineOf = regexp.MustCompile(`line (\d+)`)

// yamlLine finds the line in a syntax error; the library gives it in words only.
func yamlLine(err error) int {
	if found := lineOf.FindStringSubmatch(err.Error()); found != nil {
		line, _ := strconv.Atoi(found[1])
		return line
	}
	return 1
}

// findAlias: aliases let a short text stand for an endless one, and a questionnaire needs none.
func findAlias(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		return node
	}
	for _, child := range node.Content {
		if found := findAlias(child); found != nil {
			return found
		}
	}
	return nil
}

func (r *reader) questionnaire(node *yaml.Node, q *Questionnaire) {
	f, ok := r.mapping(node, "")
	if !ok {
		return
	}
	q.ID = f.matching("id", true, questionnaireID)
	q.Version = f.number("version", true, 1, 1_000_000)
	if day := f.matching("valid_from", false, dayForm); day != "" {
		parsed, err := localday.Parse(day)
		if err != nil {
			f.fault(f.values["valid_from"], "valid_from", "questionnaire_form_invalid", "value", day)
		}
		q.ValidFrom = parsed
	}
	q.Titles = f.local("titles")
	if source := f.source(true); source != nil {
		q.Source = *source
	}
	factors := map[string]bool{}
	for i, node := range f.list("factors", false, maxFactors) {
		q.Factors = append(q.Factors, r.factor(node, item("factors", i), factors))
	}
	scale := f.labels("scale")
	ids, overall := map[string]bool{}, false
	for i, node := range f.list("questions", true, maxQuestions) {
		question := r.question(node, item("questions", i), ids, factors)
		if question.Overall && overall {
			r.fault(node, item("questions", i)+".overall", "questionnaire_overall_twice")
		}
		overall = overall || question.Overall
		if question.Kind == Score && question.Labels == nil {
			question.Labels = scale
		}
		q.Questions = append(q.Questions, question)
	}
	f.done()
}

func (f *fields) source(required bool) *Source {
	node, ok := f.take("source", required)
	if !ok {
		return nil
	}
	m, ok := f.mapping(node, f.at("source"))
	if !ok {
		return nil
	}
	source := &Source{Text: m.text("text", true), Verified: m.yes("verified", true), Note: m.text("note", false)}
	m.done()
	return source
}

// id reads a part's id and notes one that stands twice.
func (f *fields) id(ids map[string]bool) string {
	id := f.matching("id", true, partID)
	if id != "" && ids[id] {
		f.fault(f.values["id"], f.at("id"), "questionnaire_id_twice", "value", id)
	}
	ids[id] = true
	return id
}

func (r *reader) factor(node *yaml.Node, path string, ids map[string]bool) Factor {
	f, ok := r.mapping(node, path)
	if !ok {
		return Factor{}
	}
	factor := Factor{ID: f.id(ids), Titles: f.local("titles")}
	f.done()
	return factor
}

func (r *reader) question(node *yaml.Node, path string, ids, factors map[string]bool) Question {
	f, ok := r.mapping(node, path)
	if !ok {
		return Question{}
	}
	q := Question{ID: f.id(ids), Kind: Kind(f.matching("kind", true, kindName)), Texts: f.local("texts")}
	if q.Factor = f.matching("factor", false, partID); q.Factor != "" && !factors[q.Factor] {
		f.fault(f.values["factor"], f.at("factor"), "questionnaire_factor_unknown", "value", q.Factor)
	}
	q.Source = f.source(false)
	switch q.Kind {
	case Score:
		q.Overall = f.yes("overall", false)
		q.Labels = f.labels("labels")
	case Buttons:
		q.Overall = f.yes("overall", false)
		q.Choices = f.choices(true)
	case Choices:
		q.Multiple = f.yes("multiple", false)
		q.Choices = f.choices(false)
	}
	f.done()
	return q
}

func (f *fields) choices(scored bool) []Choice {
	var choices []Choice
	ids := map[string]bool{}
	for i, node := range f.list("choices", true, maxChoices) {
		m, ok := f.mapping(node, f.at(item("choices", i)))
		if !ok {
			continue
		}
		choice := Choice{ID: m.id(ids), Texts: m.local("texts")}
		if scored { // there is no default: a button's score is always a decision somebody wrote down
			choice.Score = m.number("score", true, 1, 5)
		}
		m.done()
		choices = append(choices, choice)
	}
	return choices
}

// labels are the words of a scale: all five scores or none.
func (f *fields) labels(name string) []Label {
	nodes := f.list(name, false, 5)
	if nodes == nil {
		return nil
	}
	var labels []Label
	seen := map[int32]bool{}
	for i, node := range nodes {
		m, ok := f.mapping(node, f.at(item(name, i)))
		if !ok {
			continue
		}
		label := Label{Score: m.number("score", true, 1, 5), Texts: m.local("texts")}
		seen[label.Score] = true
		m.done()
		labels = append(labels, label)
	}
	if len(seen) != 5 {
		f.fault(f.values[name], f.at(name), "questionnaire_labels_five")
	}
	return labels
}
