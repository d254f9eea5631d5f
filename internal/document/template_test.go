package document_test

import (
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/document"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
)

func TestTemplatesSayWhatIsWrongAndWhere(t *testing.T) {
	const good = "series: BC\nbody:\n  - text: \"{{.reply}}\"\n"
	for name, c := range map[string]struct {
		source, reason string
		line           int
	}{
		"as it should be":     {good, "", 0},
		"empty":               {"", "document_template_yaml", 1},
		"not YAML":            {"series: BC\nbody: [\n", "document_template_yaml", 2},
		"a list":              {"- a\n", "document_template_mapping", 1},
		"two documents":       {good + "---\n" + good, "document_template_yaml", 1},
		"no series":           {"body:\n  - text: a\n", "document_template_series", 1},
		"series of words":     {"series: báo cáo\nbody:\n  - text: a\n", "document_template_series", 1},
		"no body":             {"series: BC\n", "document_template_body", 1},
		"an unknown key":      {good + "\nfooter: a\n", "document_template_key", 5},
		"a key twice":         {good + "size: 13\nsize: 14\n", "document_template_twice", 5},
		"an unknown field":    {good + "  - text: \"a\"\n  - text: \"{{.replly}}\"\n", "document_template_unknown_field", 5},
		"in a long text":      {good + "  - text: |\n      một\n      hai {{.replly}}\n", "document_template_unknown_field", 6},
		"an unknown when":     {good + "  - text: a\n    when: replly\n", "document_template_unknown_field", 5},
		"an open brace":       {good + "  - text: \"{{.reply\"\n", "document_template_words", 4},
		"an if left open":     {good + "  - text: |\n      a\n      {{if .reply}}b\n", "document_template_words", 7},
		"a loop":              {good + "  - text: \"{{range 1000000000}}a{{end}}\"\n", "document_template_not_allowed", 4},
		"a function":          {good + "  - text: \"{{printf `%99999999d` 1}}\"\n", "document_template_words", 4},
		"a pipe":              {good + "  - text: \"{{.reply | upper}}\"\n", "document_template_not_allowed", 4},
		"a definition":        {good + "  - text: '{{define \"a\"}}b{{end}}'\n", "document_template_not_allowed", 4},
		"itself":              {good + "  - text: '{{template \"words\"}}'\n", "document_template_not_allowed", 4},
		"a variable":          {good + "  - text: '{{$a := .reply}}'\n", "document_template_not_allowed", 4},
		"a field of a field":  {good + "  - text: '{{.reply.Name}}'\n", "document_template_not_allowed", 4},
		"the dot":             {good + "  - text: '{{.}}'\n", "document_template_not_allowed", 4},
		"an alias":            {"series: &a BC\nsymbol: *a\nbody:\n  - text: a\n", "document_template_alias", 1},
		"a block of nothing":  {good + "  - when: reply\n", "document_template_block", 4},
		"an uneven table":     {good + "  - table:\n      widths: [1, 2]\n      rows:\n        - [a]\n", "document_template_table", 5},
		"margins of nothing":  {good + "margins: {top: 2}\n", "document_template_number", 4},
		"a known own field":   {good + "fields:\n  - {name: reply, label: x}\n", "document_template_own_field", 5},
		"own without a label": {good + "fields:\n  - {name: ly_do}\n", "document_template_own_field", 5},
		"not UTF-8":           {"series: \xff\n", "document_template_unreadable", 0},
		"too long":            {good + strings.Repeat("#", document.MaxSource), "document_template_long", 0},
		"deep":                {"series: BC\nbody: " + strings.Repeat("[", 20_000) + "\n", "document_template_yaml", 2},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := document.ReadTemplate([]byte(c.source))
			if got := reason(err); got != c.reason {
				t.Fatalf("%v, want %q", err, c.reason)
			}
			if err == nil {
				return
			}
			told := fault.Of(err)
			if line := argument(told, "line"); c.line > 0 && line != c.line {
				t.Errorf("line %v, want %d: %v", line, c.line, err)
			}
			for _, l := range language.All {
				if words := l.Text("fault."+told.Reason, told.Args...); strings.HasPrefix(words, "fault.") || strings.Contains(words, "{line}") {
					t.Errorf("%s says %q", l, words)
				}
			}
		})
	}
}

func argument(f *fault.Error, name string) any {
	for i := 0; i+1 < len(f.Args); i += 2 {
		if f.Args[i] == name {
			return f.Args[i+1]
		}
	}
	return nil
}

func TestEverythingWrongIsToldAtOnce(t *testing.T) {
	_, err := document.ReadTemplate([]byte("series: BC\nsize: 99\nbody:\n  - text: \"{{.a}}\"\n  - text: \"{{.b}}\"\n"))
	wrong, ok := err.(fault.Faults) //nolint:errorlint // it is answered as it is
	if !ok || len(wrong) != 3 {
		t.Errorf("%v", err)
	}
}

func TestTemplateOfAnOffice(t *testing.T) {
	template, err := document.ReadTemplate([]byte(`series: GT
symbol: "GT-{{.organ}}"
fields:
  - {name: meeting_day, label: "Ngày họp", long: false}
title: GIẤY MỜI
to: ["{{.to}}", "Các thành viên"]
required: [meeting_day]
body:
  - center: "Kính mời"
  - text: "{{if not .reply}}Họp ngày {{.meeting_day}}{{else}}Không họp{{end}} - {{upper .meeting_day}}"
  - text: không in
    when: reply
  - text: có in
    unless: reply
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(template.Own) != 1 || template.Own[0].Words(language.English) != "Ngày họp" || template.Series != "GT" {
		t.Errorf("%+v", template)
	}
	var used []string
	for _, f := range template.Used {
		used = append(used, f.Name)
	}
	if got := strings.Join(used, " "); got != "organ to reply meeting_day" {
		t.Errorf("fields %q", got)
	}
	paper := fill(t, template, map[string]string{"organ": "VP", "to": "Bà A\nÔng B", "meeting_day": "thứ hai"}, issued)
	text := textOf(t, draw(t, paper, document.DOCX), document.DOCX)
	contains(t, text, "Số: 12/GT-VP", "- Bà A - Ông B - Các thành viên", "Kính mời", "Họp ngày thứ hai - THỨ HAI", "có in")
	if strings.Contains(text, "không in") {
		t.Error("a block is there that was not to be")
	}
}

func TestEveryFieldHasWords(t *testing.T) {
	for _, f := range document.Fields() {
		for _, l := range language.All {
			if words := f.Words(l); strings.HasPrefix(words, "document.") {
				t.Errorf("%s has no words in %s", f.Name, l)
			}
		}
		if sample, ok := document.Samples(nil)[f.Name]; ok == f.Given || strings.HasPrefix(sample, "document.") {
			t.Errorf("%s has the sample %q", f.Name, sample)
		}
	}
	for _, kind := range document.Kinds() {
		if key := "document.kind." + string(kind); language.Vietnamese.Text(key) == key {
			t.Errorf("%s has no name", kind)
		}
	}
}

func FuzzReadTemplate(f *testing.F) {
	for _, kind := range document.Kinds() {
		source, err := document.BuiltIn(kind)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		template, err := document.ReadTemplate(source)
		if err != nil {
			return
		}
		if _, err := template.Fill(document.Samples(template.Own), document.SampleSigner(), document.Number{}); err != nil && fault.Of(err).Code != fault.Invalid {
			t.Fatal(err)
		}
	})
}
