package document

import (
	"regexp"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/hailong-vn/hailong/internal/fault"
)

// words is a text with fields: "Ngày {{.case_day}}{{if .case_title}}, về việc {{.case_title}}{{end}}". It is the smallest part
// of Go's template language: fields, {{if .x}}, {{if not .x}}, {{else}}, and {{upper .x}}. Nothing in it can call, loop or reach
// anything, so that filling takes no more time than writing.
type words struct {
	line int // in the template's file
	root *parse.ListNode
}

// functions the parser is told of; the parser only looks at the names.
func functions() map[string]any { return map[string]any{"not": true, "upper": true} }

// parseWords reads a text that begins at a line. Invalid "document_template_words", "document_template_unknown_field",
// "document_template_not_allowed", each with the line.
func parseWords(text string, line int, known map[string]Field, used func(name string)) (words, error) {
	trees, err := parse.Parse("words", text, "", "", functions())
	if err != nil {
		return words{}, fault.New(fault.Invalid, "document_template_words", "line", line+lineOf(err)-1, "near", near(text, lineOf(err))).Because(err)
	}
	if len(trees) > 1 || trees["words"] == nil && strings.TrimSpace(text) != "" {
		return words{}, fault.New(fault.Invalid, "document_template_not_allowed", "line", line, "what", "define")
	}
	if trees["words"] == nil {
		return words{line: line, root: &parse.ListNode{}}, nil
	}
	w := words{line: line, root: trees["words"].Root}
	at := func(node parse.Node) int {
		return line + strings.Count(text[:min(int(node.Position()), len(text))], "\n")
	}
	return w, w.check(w.root, at, known, used)
}

func (w words) check(list *parse.ListNode, at func(parse.Node) int, known map[string]Field, used func(string)) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.TextNode, *parse.CommentNode:
		case *parse.ActionNode:
			if err := checkPipe(node.Pipe, at, known, used, "upper"); err != nil {
				return err
			}
		case *parse.IfNode:
			if err := checkPipe(node.Pipe, at, known, used, "not"); err != nil {
				return err
			}
			for _, branch := range []*parse.ListNode{node.List, node.ElseList} {
				if err := w.check(branch, at, known, used); err != nil {
					return err
				}
			}
		default:
			return notAllowed(node, at)
		}
	}
	return nil
}

// checkPipe lets a field alone stand, or one function before it.
func checkPipe(pipe *parse.PipeNode, at func(parse.Node) int, known map[string]Field, used func(string), function string) error {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 {
		return notAllowed(pipe, at)
	}
	args := pipe.Cmds[0].Args
	if len(args) == 2 {
		if name, ok := args[0].(*parse.IdentifierNode); !ok || name.Ident != function {
			return notAllowed(pipe, at)
		}
		args = args[1:]
	}
	if len(args) != 1 {
		return notAllowed(pipe, at)
	}
	field, ok := args[0].(*parse.FieldNode)
	if !ok || len(field.Ident) != 1 {
		return notAllowed(pipe, at)
	}
	if _, ok := known[field.Ident[0]]; !ok {
		return fault.New(fault.Invalid, "document_template_unknown_field", "line", at(pipe), "field", clip(field.Ident[0], 60))
	}
	used(field.Ident[0])
	return nil
}

func notAllowed(node parse.Node, at func(parse.Node) int) error {
	return fault.New(fault.Invalid, "document_template_not_allowed", "line", at(node), "what", clip(node.String(), 60))
}

// filler writes values into texts. What a template repeats may become endless: left is how many bytes may still be written,
// negative once there were too many.
type filler struct {
	values map[string]string
	left   int
}

// fill writes the text with values; what has no value is left out.
func (f *filler) fill(w words) string {
	var b strings.Builder
	f.list(&b, w.root)
	return b.String()
}

func (f *filler) list(b *strings.Builder, list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.TextNode:
			f.write(b, string(node.Text))
		case *parse.ActionNode:
			value, function := valueOf(node.Pipe, f.values)
			if function == "upper" {
				value = strings.ToUpper(value)
			}
			f.write(b, value)
		case *parse.IfNode:
			value, function := valueOf(node.Pipe, f.values)
			if (value != "") != (function == "not") {
				f.list(b, node.List)
			} else {
				f.list(b, node.ElseList)
			}
		}
	}
}

func (f *filler) write(b *strings.Builder, text string) {
	if f.left -= len(text); f.left >= 0 {
		b.WriteString(text)
	}
}

// valueOf reads a pipe that was checked.
func valueOf(pipe *parse.PipeNode, values map[string]string) (value, function string) {
	args := pipe.Cmds[0].Args
	if name, ok := args[0].(*parse.IdentifierNode); ok {
		function = name.Ident
	}
	field := args[len(args)-1].(*parse.FieldNode) //nolint:forcetypeassert // checked when it was read
	return values[field.Ident[0]], function
}

var lineInError = regexp.MustCompile(`:(\d+):`)

// lineOf finds the line in a parser's error, which gives it in words only.
func lineOf(err error) int {
	found := lineInError.FindStringSubmatch(err.Error())
	if found == nil {
		return 1
	}
	n, err := strconv.Atoi(found[1])
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// near is the line of the text at which something is wrong.
func near(text string, line int) string {
	lines := strings.Split(text, "\n")
	return clip(strings.TrimSpace(lines[min(line, len(lines))-1]), 60)
}

func clip(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}
