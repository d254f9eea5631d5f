package questionnaire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/questionnaire"
)

const sample = `id: mot-cua
version: 3
valid_from: 2026-01-01
titles: {vi: "Phiếu", en: "Form", km-KH: "ទម្រង់"}
source: {text: "Ours", verified: false, note: "none"}
scale:
  - {score: 5, texts: {vi: "5", en: "5"}}
  - {score: 4, texts: {vi: "4", en: "4"}}
  - {score: 3, texts: {vi: "3", en: "3"}}
  - {score: 2, texts: {vi: "2", en: "2"}}
  - {score: 1, texts: {vi: "1", en: "1"}}
factors:
  - {id: f1, titles: {vi: "Yếu tố", en: "Factor"}}
questions:
  - id: overall
    kind: score
    overall: true
    texts: {vi: "Chung?", en: "Overall?"}
  - id: three
    kind: buttons
    factor: f1
    texts: {vi: "Ba nút?", en: "Three?"}
    choices:
      - {id: good, score: 5, texts: {vi: "Tốt", en: "Good"}}
      - {id: fair, score: 3, texts: {vi: "Vừa", en: "Fair"}}
      - {id: poor, score: 1, texts: {vi: "Kém", en: "Poor"}}
  - id: why
    kind: choices
    multiple: true
    texts: {vi: "Vì sao?", en: "Why?"}
    choices:
      - {id: slow, texts: {vi: "Chậm", en: "Slow"}}
      - {id: rude, texts: {vi: "Thô lỗ", en: "Rude"}}
  - id: channel
    kind: choices
    texts: {vi: "Qua đâu?", en: "How?"}
    choices:
      - {id: desk, texts: {vi: "Quầy", en: "Desk"}}
      - {id: web, texts: {vi: "Mạng", en: "Web"}}
  - id: said
    kind: text
    texts: {vi: "Góp ý?", en: "Words?"}
`

func parsed(t testing.TB, text string) *questionnaire.Questionnaire {
	t.Helper()
	q, err := questionnaire.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestParse(t *testing.T) {
	q := parsed(t, sample)
	if q.Key() != "mot-cua@3" || q.ValidFrom != "2026-01-01" || len(q.Questions) != 5 {
		t.Errorf("got %s from %s with %d questions", q.Key(), q.ValidFrom, len(q.Questions))
	}
	if overall, ok := q.Overall(); !ok || overall.ID != "overall" || len(overall.Labels) != 5 {
		t.Errorf("overall: %+v", overall)
	}
	if why, ok := q.Question("why"); !ok || !why.Multiple || questionnaire.Says(why.Choices[0].Texts, "en") != "Slow" {
		t.Errorf("why: %+v", why)
	}
	if got := questionnaire.Says(q.Titles, "fr"); got != "Phiếu" {
		t.Errorf("a language that is missing says %q", got)
	}
	crlf := parsed(t, "\ufeff"+strings.ReplaceAll(sample, "\n", "\r\n"))
	if crlf.YAML != q.YAML {
		t.Error("a BOM and CRLF make it another text")
	}
	if nfd := parsed(t, norm.NFD.String(sample)); questionnaire.Says(nfd.Titles, "vi") != "Phiếu" {
		t.Error("NFD text is not brought to NFC")
	}
}

func TestWhatParseRefuses(t *testing.T) {
	replace := func(old, new string) string {
		if !strings.Contains(sample, old) {
			panic("not in the sample: " + old)
		}
		return strings.Replace(sample, old, new, 1)
	}
	manyQuestions := sample
	for i := range 200 {
		manyQuestions += fmt.Sprintf("  - {id: q%d, kind: text, texts: {vi: a, en: b}}\n", i)
	}
	for name, c := range map[string]struct{ text, reason, line, field string }{
		"nothing":                     {"", "questionnaire_yaml", "1", ""},
		"no YAML":                     {"id: [", "questionnaire_yaml", "1", ""},
		"a list":                      {"- a", "questionnaire_mapping_wanted", "1", ""},
		"a tab":                       {replace("questions:\n  - id", "questions:\n\t- id"), "questionnaire_yaml", "15", ""},
		"two documents":               {sample + "---\nid: x\n", "questionnaire_several", "", ""},
		"not UTF-8":                   {sample + "\xff", "questionnaire_not_utf8", "", ""},
		"too long":                    {strings.Repeat("#", questionnaire.MaxBytes+1), "questionnaire_too_long", "", ""},
		"alias":                       {replace(`titles: {vi`, `titles: &a {vi`), "questionnaire_alias", "4", ""},
		"misspelt field":              {replace("    factor: f1", "    facter: f1"), "questionnaire_field_unknown", "21", "questions[2].facter"},
		"field twice":                 {replace("version: 3", "version: 3\nversion: 4"), "questionnaire_field_twice", "3", "version"},
		"no English":                  {replace(`{vi: "Ba nút?", en: "Three?"}`, `{vi: "Ba nút?"}`), "questionnaire_field_missing", "22", "questions[2].texts.en"},
		"no Vietnamese":               {replace(`{vi: "Chậm", en: "Slow"}`, `{en: "Slow"}`), "questionnaire_field_missing", "32", "questions[3].choices[1].texts.vi"},
		"empty text":                  {replace(`"Chậm"`, `" "`), "questionnaire_text_invalid", "32", "questions[3].choices[1].texts.vi"},
		"text that is a number":       {replace(`{vi: "5"`, `{vi: 5`), "questionnaire_text_wanted", "7", "scale[1].texts.vi"},
		"control character":           {replace(`"Chậm"`, `"Ch\u0007"`), "questionnaire_text_invalid", "32", "questions[3].choices[1].texts.vi"},
		"unknown kind":                {replace("kind: text", "kind: stars"), "questionnaire_form_invalid", "41", "questions[5].kind"},
		"id with a dash":              {replace("id: three", "id: three-x"), "questionnaire_form_invalid", "19", "questions[2].id"},
		"id with a slash":             {replace("id: mot-cua", "id: mot/cua"), "questionnaire_form_invalid", "1", "id"},
		"id twice":                    {replace("id: channel", "id: why"), "questionnaire_id_twice", "34", "questions[4].id"},
		"choice twice":                {replace("id: rude", "id: slow"), "questionnaire_id_twice", "33", "questions[3].choices[2].id"},
		"version 0":                   {replace("version: 3", "version: 0"), "questionnaire_number_invalid", "2", "version"},
		"version a text":              {replace("version: 3", "version: \"3\""), "questionnaire_number_invalid", "2", "version"},
		"day that is none":            {replace("2026-01-01", "2026-02-30"), "questionnaire_form_invalid", "3", "valid_from"},
		"verified left out":           {replace("verified: false, ", ""), "questionnaire_field_missing", "5", "source.verified"},
		"verified maybe":              {replace("verified: false", "verified: maybe"), "questionnaire_yes_invalid", "5", "source.verified"},
		"no source":                   {replace(`source: {text: "Ours", verified: false, note: "none"}`, ""), "questionnaire_field_missing", "1", "source"},
		"unknown factor":              {replace("factor: f1", "factor: f2"), "questionnaire_factor_unknown", "21", "questions[2].factor"},
		"two overall questions":       {replace("    factor: f1", "    overall: true"), "questionnaire_overall_twice", "19", "questions[2].overall"},
		"overall of choices":          {replace("    multiple: true", "    overall: true"), "questionnaire_field_unknown", "29", "questions[3].overall"},
		"button without a score":      {replace("id: good, score: 5,", "id: good,"), "questionnaire_field_missing", "24", "questions[2].choices[1].score"},
		"button with score 6":         {replace("id: good, score: 5,", "id: good, score: 6,"), "questionnaire_number_invalid", "24", "questions[2].choices[1].score"},
		"choice with a score":         {replace("id: slow,", "id: slow, score: 1,"), "questionnaire_field_unknown", "32", "questions[3].choices[1].score"},
		"four labels":                 {replace(`  - {score: 1, texts: {vi: "1", en: "1"}}`+"\n", ""), "questionnaire_labels_five", "7", "scale"},
		"questions not a list":        {sample[:strings.Index(sample, "questions:")] + "questions: 5\n", "questionnaire_list_wanted", "14", "questions"},
		"no questions":                {sample[:strings.Index(sample, "questions:")] + "questions: []\n", "questionnaire_list_length", "14", "questions"},
		"more than 200 questions":     {manyQuestions, "questionnaire_list_length", "15", "questions"},
		"a question that is a number": {sample + "  - 7\n", "questionnaire_mapping_wanted", "43", "questions[6]"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := questionnaire.Parse([]byte(c.text))
			var faults questionnaire.Faults
			if !errors.As(err, &faults) || len(faults) != 1 {
				t.Fatalf("got %v, want one fault", err)
			}
			f := fault.Of(err)
			args := map[string]string{}
			for i := 0; i+1 < len(f.Args); i += 2 {
				args[fmt.Sprint(f.Args[i])] = fmt.Sprint(f.Args[i+1])
			}
			if f.Code != fault.Invalid || f.Reason != c.reason || args["line"] != c.line || c.field != "" && args["field"] != c.field {
				t.Errorf("got %v, want %s line=%s field=%s", f, c.reason, c.line, c.field)
			}
			for _, l := range language.All {
				if said := l.Text("fault."+f.Reason, f.Args...); strings.Contains(said, "{") || strings.HasPrefix(said, "fault.") {
					t.Errorf("%s says %q", l, said)
				}
			}
		})
	}
}

func TestEverythingWrongIsToldAtOnce(t *testing.T) {
	_, err := questionnaire.Parse([]byte("id: a/b\nversion: x\nquestions:\n  - {id: A, kind: k}\n"))
	var got []string
	var faults questionnaire.Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			got = append(got, fmt.Sprint(f.Args[1], " ", f.Args[3]))
		}
	}
	want := []string{"1 id", "2 version", "1 titles", "1 source", "4 questions[1].id", "4 questions[1].kind", "4 questions[1].texts"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBuiltIn(t *testing.T) {
	all, err := questionnaire.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, q := range all {
		keys = append(keys, q.Key())
		if _, ok := q.Overall(); !ok {
			t.Errorf("%s has no overall question", q.Key())
		}
		if q.Source.Verified || q.Source.Note == "" {
			t.Errorf("%s does not say what was not verified", q.Key())
		}
	}
	if diff := cmp.Diff([]string{"kiosk@1", "kiosk3@1", "sipas@1"}, keys); diff != "" {
		t.Error(diff)
	}
	items := map[string]int{}
	for _, question := range all[2].Questions {
		if question.Kind == questionnaire.Score && !question.Overall {
			items[question.Factor]++
		}
	}
	if diff := cmp.Diff(map[string]int{"access": 4, "procedure": 4, "staff": 5, "result": 3, "feedback": 3}, items); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		q, err := questionnaire.Parse(text)
		if err == nil {
			if _, err := questionnaire.Parse([]byte(q.YAML)); err != nil {
				t.Errorf("read once, not twice: %v", err)
			}
			q.ToProto()
		} else if fault.Of(err).Code != fault.Invalid {
			t.Errorf("an error that is no fault: %v", err)
		}
	})
}
