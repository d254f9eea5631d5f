package admin

import (
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// What a questionnaire looks like as YAML, in the order people write it.
type draftForm struct {
	ID        string          `yaml:"id"`
	Version   int32           `yaml:"version"`
	ValidFrom string          `yaml:"valid_from,omitempty"`
	Titles    *yaml.Node      `yaml:"titles"`
	Source    draftSource     `yaml:"source"`
	Scale     []draftLabel    `yaml:"scale,omitempty"` // the words of all scored questions, where they are the same
	Factors   []draftFactor   `yaml:"factors,omitempty"`
	Questions []draftQuestion `yaml:"questions"`
}

type draftSource struct {
	Text     string `yaml:"text"`
	Verified bool   `yaml:"verified"`
}

type draftFactor struct {
	ID     string     `yaml:"id"`
	Titles *yaml.Node `yaml:"titles"`
}

type draftQuestion struct {
	ID       string        `yaml:"id"`
	Kind     string        `yaml:"kind"`
	Factor   string        `yaml:"factor,omitempty"`
	Overall  bool          `yaml:"overall,omitempty"`
	Multiple bool          `yaml:"multiple,omitempty"`
	Texts    *yaml.Node    `yaml:"texts"`
	Labels   []draftLabel  `yaml:"labels,omitempty"`
	Choices  []draftChoice `yaml:"choices,omitempty"`
}

type draftLabel struct {
	Score int32      `yaml:"score"`
	Texts *yaml.Node `yaml:"texts"`
}

type draftChoice struct {
	ID    string     `yaml:"id"`
	Score int32      `yaml:"score,omitempty"`
	Texts *yaml.Node `yaml:"texts"`
}

// draft writes a published version as YAML under another number: the text to begin the next version with. It says the same as
// the text that was published, without its remarks.
func draft(q *pb.Questionnaire, version int32) (string, error) {
	verified, source, _ := strings.Cut(q.GetSource(), "; ")
	out := draftForm{
		ID: q.GetId(), Version: version, ValidFrom: q.GetValidFrom(), Titles: texts(q.GetTitles()),
		Source: draftSource{Text: source, Verified: verified == "verified: "+strconv.FormatBool(true)},
	}
	for _, f := range q.GetFactors() {
		out.Factors = append(out.Factors, draftFactor{f.GetId(), texts(f.GetTitles())})
	}
	for _, asked := range q.GetQuestions() {
		to := draftQuestion{
			ID: asked.GetId(), Kind: asked.GetKind(), Factor: asked.GetFactorId(), Overall: asked.GetOverall(), Multiple: asked.GetMultiple(),
			Texts: texts(asked.GetTexts()),
		}
		for _, c := range asked.GetChoices() {
			if asked.GetKind() == "score" {
				to.Labels = append(to.Labels, draftLabel{c.GetScore(), flow(texts(c.GetTexts()))})
			} else {
				to.Choices = append(to.Choices, draftChoice{c.GetId(), c.GetScore(), flow(texts(c.GetTexts()))})
			}
		}
		out.Questions = append(out.Questions, to)
	}
	out.share()
	var b strings.Builder
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(out); err != nil {
		return "", err
	}
	return b.String(), encoder.Close()
}

// share writes the words of the scale once, where every scored question has the same.
func (d *draftForm) share() {
	var scored []int
	for i, asked := range d.Questions {
		if asked.Kind == "score" {
			scored = append(scored, i)
		}
	}
	for _, i := range scored {
		if !reflect.DeepEqual(d.Questions[i].Labels, d.Questions[scored[0]].Labels) {
			return
		}
	}
	for _, i := range scored {
		d.Scale, d.Questions[i].Labels = d.Questions[i].Labels, nil
	}
}

// texts are words by language, in the order in which they are published: Vietnamese first.
func texts(list []*pb.LocalText) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode}
	for _, t := range list {
		out.Content = append(out.Content,
			&yaml.Node{Kind: yaml.ScalarNode, Value: t.GetLanguage()},
			&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: t.GetText(), Style: yaml.DoubleQuotedStyle})
	}
	return out
}

// flow writes words in one line.
func flow(words *yaml.Node) *yaml.Node {
	words.Style = yaml.FlowStyle
	return words
}
