package server

import (
	"testing"

	"github.com/hailong-vn/hailong/internal/language"
)

func TestInWords(t *testing.T) {
	for name, c := range map[string]struct {
		in   language.Language
		args []any
		want string
	}{
		"a rule with words":      {language.Vietnamese, []any{"field", "overall_score", "rule", "must be <= 5", "rule_id", "int32.lte", "rule_value", "5"}, "phải không quá 5"},
		"in English":             {language.English, []any{"field", "overall_score", "rule", "must be <= 5", "rule_id", "int32.lte", "rule_value", "5"}, ""},
		"a rule without words":   {language.Vietnamese, []any{"rule", "must rhyme", "rule_id", "string.rhyme", "rule_value", "x"}, "must rhyme"},
		"kept before it had one": {language.Vietnamese, []any{"field", "id", "rule", "must be a UUID"}, "must be a UUID"},
		"no rule at all":         {language.Vietnamese, []any{"unit", "x"}, ""},
		"nothing":                {language.Vietnamese, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for i, arg := range inWords(c.in, c.args) {
				if arg == "rule" {
					got = inWords(c.in, c.args)[i+1].(string)
				}
			}
			if c.in == language.English {
				c.want = language.English.Text("rule.lte", "value", "5")
			}
			if got != c.want {
				t.Errorf("the rule is told as %q, want %q", got, c.want)
			}
		})
	}
}
