package admin

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/questionnaire"
)

// A version that is downloaded says what was published: read again it is the same but for its number.
func TestDraftSaysTheSame(t *testing.T) {
	all, err := questionnaire.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, ownLabels(t))
	for _, q := range all {
		t.Run(q.Key(), func(t *testing.T) {
			text, err := draft(q.ToProto(), q.Version+1)
			if err != nil {
				t.Fatal(err)
			}
			again, err := questionnaire.Parse([]byte(text))
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			want, got := q.ToProto(), again.ToProto()
			if want.Version++; !proto.Equal(want, got) {
				t.Errorf("\n%v\nbecame\n%v\nby\n%s", want, got, text)
			}
		})
	}
}

// ownLabels has questions with different words on their scales, a day that looks like one, and words that YAML reads as others.
func ownLabels(t *testing.T) *questionnaire.Questionnaire {
	t.Helper()
	q, err := questionnaire.Parse([]byte(`
id: thu
version: 3
valid_from: "2026-02-01"
titles: {vi: "yes: không", en: "# 1"}
source: {text: "ở đây; và kia", verified: true}
questions:
  - id: a
    kind: score
    overall: true
    texts: {vi: "Một?", en: "One?"}
    labels:
      - {score: 5, texts: {vi: "năm", en: "five"}}
      - {score: 4, texts: {vi: "bốn", en: "four"}}
      - {score: 3, texts: {vi: "ba", en: "three"}}
      - {score: 2, texts: {vi: "hai", en: "two"}}
      - {score: 1, texts: {vi: "một", en: "one"}}
  - id: b
    kind: score
    texts: {vi: "Hai?", en: "Two?"}
`))
	if err != nil {
		t.Fatal(err)
	}
	return q
}
