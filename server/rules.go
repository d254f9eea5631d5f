package server

import (
	"slices"
	"strings"

	"buf.build/go/protovalidate"

	"github.com/hailong-vn/hailong/internal/language"
)

// ruleWords says in a language which rule of the contract a field broke. A rule without words of its own is told as the
// contract words it.
func ruleWords(in language.Language, violation *protovalidate.Violation) string {
	return wordsOfRule(in, violation.Proto.GetRuleId(), violation.RuleValue.Interface(), violation.Proto.GetMessage())
}

func wordsOfRule(in language.Language, id string, value any, otherwise string) string {
	// "string.max_len" and "bytes.max_len" are the same to a person, as are "int32.gte" and "uint32.gte".
	_, rule, _ := strings.Cut(id, ".")
	if id == "required" {
		rule = "required"
	}
	key := "rule." + rule
	if words := in.Text(key, "value", value); words != key {
		return words
	}
	return otherwise
}

// inWords puts the rule among the names and values of a reason into a language. Items that were refused before rules were kept by
// their ids have them as the contract words them.
func inWords(in language.Language, args []any) []any {
	named := map[any]any{}
	for i := 0; i+1 < len(args); i += 2 {
		named[args[i]] = args[i+1]
	}
	id, known := named["rule_id"].(string)
	if !known {
		return args
	}
	told := slices.Clone(args)
	for i := 0; i+1 < len(told); i += 2 {
		if otherwise, text := told[i+1].(string); told[i] == "rule" && text {
			told[i+1] = wordsOfRule(in, id, named["rule_value"], otherwise)
		}
	}
	return told
}
