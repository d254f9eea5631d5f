package ratingimport

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hailong-vn/hailong/internal/fault"
)

// maxMapping is how many bytes a mapping may have.
const maxMapping = 1 << 20

// Mapping says what the columns of a file mean. It is written by a person as YAML; a field that is not known is an error.
type Mapping struct {
	// Source names the collection, for ever: it is part of every id. Empty = the name of the file.
	Source string `yaml:"source"`
	// Format is "csv" or "ndjson"; empty = by the file's ending.
	Format string `yaml:"format"`
	// Separator parts the fields of CSV: ",", ";" or a tab; empty = ",".
	Separator string      `yaml:"separator"`
	Time      TimeMapping `yaml:"time"`
	Constants Constants   `yaml:"constants"`
	Columns   Columns     `yaml:"columns"`
	// Units turns a text of the unit column into a unit's id or code. A text that is not here is looked up itself.
	Units map[string]string `yaml:"units"`
	// Channels turns a text of the channel column into kiosk, web, hotline or paper.
	Channels map[string]string `yaml:"channels"`
	// Labels, Ignore, Ignored, Scale and Reverse hold for every score that does not give its own.
	ScoreRules `yaml:",inline"`
	Overall    *ScoreMapping   `yaml:"overall"`
	Answers    []AnswerMapping `yaml:"answers"`
	// Comment lists the columns that are joined into the comment, each under its label where it has one.
	Comment  []CommentMapping `yaml:"comment"`
	Identity IdentityMapping  `yaml:"identity"`

	plan   *plan
	digest string // of the text it was read from
}

// TimeMapping says how times are written.
type TimeMapping struct {
	Column  string   `yaml:"column"`
	Columns []string `yaml:"columns"` // instead of column: joined with a space, such as a date and an hour
	// Formats are patterns such as "dd/MM/yyyy HH:mm", or rfc3339, unix, unix_ms. All are tried; a text that means different
	// times under two of them is an error of its row.
	Formats []string `yaml:"formats"`
	// Zone is where times without an offset were written: an IANA name, UTC, or +07:00. Empty = Asia/Ho_Chi_Minh.
	Zone string `yaml:"zone"`
}

// Constants are the same for every row.
type Constants struct {
	Channel       string `yaml:"channel"`       // kiosk, web, hotline or paper
	Questionnaire string `yaml:"questionnaire"` // id@version
	Language      string `yaml:"language"`      // BCP 47
	Unit          string `yaml:"unit"`          // id or code
	Counter       string `yaml:"counter"`
	Official      string `yaml:"official"`
	Procedure     string `yaml:"procedure"`
}

// Columns name the columns that hold a field of the rating as it is.
type Columns struct {
	Unit      string `yaml:"unit"`
	Channel   string `yaml:"channel"`
	Counter   string `yaml:"counter"`
	Official  string `yaml:"official"`
	Procedure string `yaml:"procedure"`
	Dossier   string `yaml:"dossier"`
	Ticket    string `yaml:"ticket"`
	Slip      string `yaml:"slip"`
}

// ScoreRules turn a text into a score of 1 to 5, in this order: ignored, label, number on the scale, number.
type ScoreRules struct {
	Labels  map[string]int `yaml:"labels"`  // text: score; case, spaces and diacritics do not matter
	Ignore  []string       `yaml:"ignore"`  // texts that mean no answer; "" = an empty field
	Ignored string         `yaml:"ignored"` // what becomes of such a rating: not_asked (score 0) or skip (leave the row out)
	Scale   map[string]int `yaml:"scale"`   // ranges of numbers, both ends included: "0..2": 1
	Reverse *bool          `yaml:"reverse"` // score = 6 - score: 1 was the best
}

// ScoreMapping is a column with a score.
type ScoreMapping struct {
	Column     string `yaml:"column"`
	ScoreRules `yaml:",inline"`
}

// AnswerMapping is a column with the answer to one question. An empty field is no answer.
type AnswerMapping struct {
	Question   string `yaml:"question"`
	Column     string `yaml:"column"`
	ScoreRules `yaml:",inline"`
	// Choices turns texts into choice ids. Beside labels, the choice is kept with the score; alone, the question has no score.
	Choices map[string]string `yaml:"choices"`
	// Separator parts several choices in one field.
	Separator string `yaml:"separator"`
}

// CommentMapping is a column whose text goes into the comment.
type CommentMapping struct {
	Column string `yaml:"column"`
	Label  string `yaml:"label"`
}

// IdentityMapping says what makes a row itself.
type IdentityMapping struct {
	Columns []string // rows alike in these are one rating
	Line    bool     // every line is a rating of its own
}

// UnmarshalYAML reads "line" or {columns: [...]}.
func (i *IdentityMapping) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode && node.Value == "line" {
		i.Line = true
		return nil
	}
	if node.Kind == yaml.MappingNode && len(node.Content) == 2 && node.Content[0].Value == "columns" {
		return node.Content[1].Decode(&i.Columns)
	}
	return &mappingError{line: node.Line, field: "identity", rule: "identity"}
}

// mappingError is a semantic fault with its place.
type mappingError struct {
	line  int
	field string
	rule  string // the catalogue's "import.mapping."+rule says it
	value string
}

func (e *mappingError) Error() string {
	return fmt.Sprintf("line %d: %s: %s %q", e.line, e.field, e.rule, e.value)
}

// ParseMapping reads and checks a mapping. Faults are Invalid and name the line and the field.
func ParseMapping(text []byte) (*Mapping, error) {
	if len(text) > maxMapping {
		return nil, fault.New(fault.Invalid, "import_ratings_mapping_large", "limit", maxMapping)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	m := &Mapping{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(m); err != nil {
		return nil, mappingFault(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "import_ratings_mapping_syntax", "line", 0, "detail", "more than one YAML document")
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, mappingFault(err)
	}
	plan, err := compile(m, &root)
	if err != nil {
		return nil, mappingFault(err)
	}
	m.plan = plan
	digest := sha256.Sum256(text)
	m.digest = hex.EncodeToString(digest[:])
	return m, nil
}

var (
	unknownField = regexp.MustCompile(`line (\d+): field (\S+) not found`)
	wrongType    = regexp.MustCompile(`line (\d+): cannot unmarshal \S+ (.*?) ?into`)
	keyTwice     = regexp.MustCompile(`line (\d+): mapping key (.*) already defined`)
	anyLine      = regexp.MustCompile(`line (\d+): (.*)`)
)

// mappingFault turns what the YAML reader says into a fault that names line and field.
func mappingFault(err error) error {
	var own *mappingError
	if errors.As(err, &own) {
		return fault.New(fault.Invalid, "import_ratings_mapping_rule_"+own.rule, "line", own.line, "field", own.field, "value", own.value)
	}
	text := err.Error()
	if errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "import_ratings_mapping_empty")
	}
	number := func(digits string) int { n, _ := strconv.Atoi(digits); return n }
	if m := unknownField.FindStringSubmatch(text); m != nil {
		return fault.New(fault.Invalid, "import_ratings_mapping_field", "line", number(m[1]), "field", m[2])
	}
	if m := wrongType.FindStringSubmatch(text); m != nil {
		return fault.New(fault.Invalid, "import_ratings_mapping_value", "line", number(m[1]), "value", strings.Trim(m[2], "`"))
	}
	if m := keyTwice.FindStringSubmatch(text); m != nil {
		return fault.New(fault.Invalid, "import_ratings_mapping_twice", "line", number(m[1]), "field", strings.Trim(m[2], `"`))
	}
	if m := anyLine.FindStringSubmatch(text); m != nil {
		return fault.New(fault.Invalid, "import_ratings_mapping_syntax", "line", number(m[1]), "detail", m[2]).Because(err)
	}
	return fault.New(fault.Invalid, "import_ratings_mapping_syntax", "line", 0, "detail", text).Because(err)
}
