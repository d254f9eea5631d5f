package coverage

import (
	"strings"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/questionnaire"
)

// ReasonText is a reason (question:choice) in the words of the newest of some questionnaires that has it; the choice's id where none has.
func ReasonText(list []*questionnaire.Questionnaire, reason string, in language.Language) string {
	question, choice, ok := strings.Cut(reason, ":")
	if !ok {
		return reason
	}
	text := choice
	var by *questionnaire.Questionnaire
	for _, q := range list {
		asked, has := q.Question(question)
		if !has || by != nil && (q.ValidFrom < by.ValidFrom || q.ValidFrom == by.ValidFrom && q.Version < by.Version) {
			continue
		}
		for _, c := range asked.Choices {
			if c.ID == choice {
				text, by = questionnaire.Says(c.Texts, string(in)), q
			}
		}
	}
	return text
}

// Title is what a collective request for explanation is called, in the office's own words: they stand in the register, so they are
// Vietnamese whoever asks.
//
// It says no number of ratings: the same request again must be called the same.
func Title(unit, reason, official string, p Period) string {
	words := language.Vietnamese
	key := "coverage.title"
	switch {
	case reason != "":
		key = "coverage.title_reason"
	case official != "":
		key = "coverage.title_official"
	}
	day := func(text string) string { return text[8:10] + "/" + text[5:7] + "/" + text[:4] }
	return words.Text(key, "unit", unit, "reason", reason, "from", day(string(p.From)), "to", day(string(p.To)))
}
