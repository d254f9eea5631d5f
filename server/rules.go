package server

import (
	"strings"

	"buf.build/go/protovalidate"

	"github.com/hailong-vn/hailong/internal/language"
)

// ruleWords says in a language which rule of the contract a field broke. A rule without words of its own is told as the
// contract words it.
func ruleWords(in language.Language, violation *protovalidate.Violation) string {
	// "string.max_len" and "bytes.max_len" are the same to a person, as are "int32.gte" and "uint32.gte".
	_, rule, _ := strings.Cut(violation.Proto.GetRuleId(), ".")
	if violation.Proto.GetRuleId() == "required" {
		rule = "required"
	}
	key := "rule." + rule
	if words := in.Text(key, "value", violation.RuleValue.Interface()); words != key {
		return words
	}
	return violation.Proto.GetMessage()
}
