package document

import (
	"bytes"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Template is a kind of paper as an office lays it out: YAML with blocks, read and checked. It is never changed and may be
// used by many goroutines.
type Template struct {
	Series   string   // papers of one series are numbered together, by unit and year: "BC"
	Own      []Field  // fields the template adds
	Used     []Field  // fields it says, in the order in which they first stand there
	Required []string // fields without which no paper is issued
	Forms    []string // who may be signed for: "KT. CHỦ TỊCH"
	Posts    []string // positions of signers

	symbol  words // after the number: "BC-{{.organ}}"
	size    float64
	font    string // of the DOCX
	margins margins
	parent  words
	issuer  words
	subject words // below the number, of letters that have no title
	place   words
	title   words
	about   words
	to      []words
	body    []block
	copies  []words
}

// margins of a page, in millimetres.
type margins struct{ top, bottom, left, right float64 }

// block is a part of the body.
type block struct {
	when, unless string // a field
	style        style
	text         words
	table        *table
}

type style string

const (
	paragraphStyle style = "text"
	headingStyle   style = "heading"
	centerStyle    style = "center"
	tableStyle     style = "table"
)

type table struct {
	widths []float64 // shares
	header []words
	rows   [][]words
}

// ReadTemplate reads a template. What is wrong is Invalid and says in which line: "document_template_yaml", "…_key",
// "…_words", "…_unknown_field", "…_not_allowed" and others; where several things are wrong, fault.Faults.
func ReadTemplate(source []byte) (*Template, error) {
	if len(source) > MaxSource {
		return nil, fault.New(fault.Invalid, "document_template_long", "limit", MaxSource>>10)
	}
	if !utf8.Valid(source) {
		return nil, fault.New(fault.Invalid, "document_template_unreadable")
	}
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	if err := decoder.Decode(&root); err != nil {
		return nil, fault.New(fault.Invalid, "document_template_yaml", "line", yamlLine(err)).Because(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "document_template_yaml", "line", 1).Because(err)
	}
	r := &reader{t: &Template{size: 14, font: defaultFont, margins: margins{20, 20, 30, 15}}, known: map[string]Field{}}
	for _, f := range Fields() {
		r.known[f.Name] = f
	}
	r.template(root.Content[0])
	if len(r.wrong) > 0 {
		return nil, r.wrong
	}
	return r.t, nil
}

const defaultFont = "Times New Roman"

var yamlLines = regexp.MustCompile(`line (\d+)`)

// yamlLine finds the line in a syntax error; the library gives it in words only.
func yamlLine(err error) int {
	if found := yamlLines.FindStringSubmatch(err.Error()); found != nil {
		if n, err := strconv.Atoi(found[1]); err == nil {
			return n
		}
	}
	return 1
}

// reader reads the parts of a template and gathers what is wrong.
type reader struct {
	t     *Template
	known map[string]Field
	wrong fault.Faults
}

const maxWrong = 20

func (r *reader) bad(node *yaml.Node, reason string, args ...any) {
	if len(r.wrong) < maxWrong {
		r.wrong = append(r.wrong, fault.New(fault.Invalid, "document_template_"+reason, append([]any{"line", node.Line}, args...)...))
	}
}

// each walks over the keys of a mapping; what takes none is told.
func (r *reader) each(node *yaml.Node, take func(key string, value *yaml.Node) bool) {
	if node.Kind != yaml.MappingNode {
		r.bad(node, "mapping")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case value.Kind == yaml.AliasNode || value.Anchor != "" || key.Kind != yaml.ScalarNode:
			r.bad(value, "alias")
		case seen[key.Value]:
			r.bad(key, "twice", "key", clip(key.Value, 40))
		case !take(key.Value, value):
			r.bad(key, "key", "key", clip(key.Value, 40))
		}
		seen[key.Value] = true
	}
}

func (r *reader) template(node *yaml.Node) {
	// Fields that are added are known to all that stands before them, too.
	if node.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == "fields" {
				r.fields(node.Content[i+1])
			}
		}
	}
	r.each(node, func(key string, value *yaml.Node) bool {
		switch key {
		case "fields":
		case "series":
			r.t.Series = r.series(value)
		case "symbol":
			r.t.symbol = r.words(value)
		case "size":
			r.t.size = r.number(value, 11, 16)
		case "font":
			r.t.font = r.line(value)
		case "margins":
			r.margins(value)
		case "head":
			r.head(value)
		case "title":
			r.t.title = r.words(value)
		case "about":
			r.t.about = r.words(value)
		case "to":
			r.t.to = r.list(value)
		case "body":
			r.body(value)
		case "copies":
			r.t.copies = r.list(value)
		case "required":
			for _, name := range r.lines(value) {
				if _, ok := r.known[name]; !ok {
					r.bad(value, "unknown_field", "field", clip(name, 60))
				}
				r.t.Required = append(r.t.Required, name)
			}
		case "sign":
			r.sign(value)
		default:
			return false
		}
		return true
	})
	if r.t.Series == "" {
		r.bad(node, "series")
	}
	if len(r.t.body) == 0 {
		r.bad(node, "body")
	}
}

var seriesName = regexp.MustCompile(`^[\p{Lu}0-9]{1,12}$`)

func (r *reader) series(node *yaml.Node) string {
	if node.Kind != yaml.ScalarNode || !seriesName.MatchString(node.Value) {
		r.bad(node, "series")
		return "?"
	}
	return node.Value
}

func (r *reader) number(node *yaml.Node, least, most float64) float64 {
	n, err := strconv.ParseFloat(node.Value, 64)
	if node.Kind != yaml.ScalarNode || err != nil || math.IsNaN(n) || n < least || n > most {
		r.bad(node, "number", "least", least, "most", most)
		return most
	}
	return n
}

// words reads a text with fields.
func (r *reader) words(node *yaml.Node) words {
	if node.Kind != yaml.ScalarNode || node.Tag != "!!str" && node.Tag != "!!int" && node.Tag != "!!float" && node.Tag != "!!null" {
		r.bad(node, "text")
		return words{root: nil}
	}
	line := node.Line
	if node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		line++ // the text begins below its mark
	}
	w, err := parseWords(node.Value, line, r.known, r.uses)
	if err != nil && len(r.wrong) < maxWrong {
		r.wrong = append(r.wrong, fault.Of(err))
	}
	return w
}

func (r *reader) uses(name string) {
	if !slices.ContainsFunc(r.t.Used, func(f Field) bool { return f.Name == name }) {
		r.t.Used = append(r.t.Used, r.known[name])
	}
}

// line reads a text without fields.
func (r *reader) line(node *yaml.Node) string {
	text := Clean(node.Value, true)
	if node.Kind != yaml.ScalarNode || text == "" || utf8.RuneCountInString(text) > MaxLabel {
		r.bad(node, "text")
	}
	return text
}

func (r *reader) items(node *yaml.Node, most int) []*yaml.Node {
	if node.Kind != yaml.SequenceNode || len(node.Content) > most {
		r.bad(node, "list", "most", most)
		return nil
	}
	for _, item := range node.Content {
		if item.Kind == yaml.AliasNode || item.Anchor != "" {
			r.bad(item, "alias")
			return nil
		}
	}
	return node.Content
}

func (r *reader) lines(node *yaml.Node) (lines []string) {
	for _, item := range r.items(node, MaxOwn) {
		lines = append(lines, r.line(item))
	}
	return lines
}

func (r *reader) list(node *yaml.Node) (list []words) {
	if node.Kind == yaml.ScalarNode {
		return []words{r.words(node)}
	}
	for _, item := range r.items(node, MaxOwn) {
		list = append(list, r.words(item))
	}
	return list
}

func (r *reader) fields(node *yaml.Node) {
	for _, item := range r.items(node, MaxOwn) {
		f := Field{}
		r.each(item, func(key string, value *yaml.Node) bool {
			switch key {
			case "name":
				f.Name = value.Value
			case "label":
				f.Label = r.line(value)
			case "long":
				f.Long = value.Value == "true"
			default:
				return false
			}
			return true
		})
		if _, known := r.known[f.Name]; known || !fieldName.MatchString(f.Name) || f.Label == "" {
			r.bad(item, "own_field", "field", clip(f.Name, 60))
			continue
		}
		r.known[f.Name] = f
		r.t.Own = append(r.t.Own, f)
	}
}

func (r *reader) margins(node *yaml.Node) {
	r.each(node, func(key string, value *yaml.Node) bool {
		side := map[string]*float64{"top": &r.t.margins.top, "bottom": &r.t.margins.bottom, "left": &r.t.margins.left, "right": &r.t.margins.right}[key]
		if side != nil {
			*side = r.number(value, 10, 50)
		}
		return side != nil
	})
}

func (r *reader) head(node *yaml.Node) {
	r.each(node, func(key string, value *yaml.Node) bool {
		part := map[string]*words{"parent": &r.t.parent, "issuer": &r.t.issuer, "subject": &r.t.subject, "place": &r.t.place}[key]
		if part != nil {
			*part = r.words(value)
		}
		return part != nil
	})
}

func (r *reader) sign(node *yaml.Node) {
	r.each(node, func(key string, value *yaml.Node) bool {
		switch key {
		case "forms":
			r.t.Forms = r.lines(value)
		case "positions":
			r.t.Posts = r.lines(value)
		default:
			return false
		}
		return true
	})
}

func (r *reader) body(node *yaml.Node) {
	for _, item := range r.items(node, MaxBlocks) {
		b := block{}
		r.each(item, func(key string, value *yaml.Node) bool {
			switch key {
			case "text", "heading", "center":
				b.style, b.text = style(key), r.words(value)
			case "table":
				b.style, b.table = tableStyle, r.table(value)
			case "when", "unless":
				if _, ok := r.known[value.Value]; !ok || value.Kind != yaml.ScalarNode {
					r.bad(value, "unknown_field", "field", clip(value.Value, 60))
				} else {
					r.uses(value.Value)
				}
				if key == "when" {
					b.when = value.Value
				} else {
					b.unless = value.Value
				}
			default:
				return false
			}
			return true
		})
		if b.style == "" {
			r.bad(item, "block")
		}
		r.t.body = append(r.t.body, b)
	}
}

func (r *reader) table(node *yaml.Node) *table {
	t := &table{}
	r.each(node, func(key string, value *yaml.Node) bool {
		switch key {
		case "widths":
			for _, item := range r.items(value, MaxCells) {
				t.widths = append(t.widths, r.number(item, 1, 100))
			}
		case "header":
			for _, item := range r.items(value, MaxCells) {
				t.header = append(t.header, r.words(item))
			}
		case "rows":
			for _, row := range r.items(value, MaxRows) {
				var cells []words
				for _, item := range r.items(row, MaxCells) {
					cells = append(cells, r.words(item))
				}
				t.rows = append(t.rows, cells)
			}
		default:
			return false
		}
		return true
	})
	columns := len(t.widths)
	even := columns > 0 && len(t.rows) > 0 && (len(t.header) == 0 || len(t.header) == columns)
	for _, row := range t.rows {
		even = even && len(row) == columns
	}
	if !even {
		r.bad(node, "table")
	}
	return t
}
