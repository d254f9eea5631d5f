package screen

import (
	"encoding/json"
	"io/fs"
	"regexp"

	"github.com/hailong-vn/hailong/internal/language"
)

var keyForm = regexp.MustCompile(`"((?:kiosk|citizenpage)\.[a-z_.]+[a-z])"`)

// LanguageTemplate is what a translator starts from: every text that citizens see, in Vietnamese. Translated and put into the state
// folder as languages/TAG.json it is a language of the screen, once the device's settings offer TAG.
func LanguageTemplate() ([]byte, error) {
	texts := map[string]string{}
	add := func(key string) { texts[key] = language.Vietnamese.Text(key) }
	for _, key := range []string{
		"kiosk.language", "kiosk.ask.called", "kiosk.question.number", "kiosk.problem.consent", "kiosk.problem.phone", "kiosk.problem.phone_missing",
	} {
		add(key)
	}
	for _, state := range []State{Closed, Idle, Place, Official, Ask, Reasons, Question, Words, CallBack, Thanks, Unkept} {
		add("kiosk." + string(state) + ".title")
	}
	for _, name := range []string{"templates/page.html", "templates/rating.html"} {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		for _, key := range keyForm.FindAllSubmatch(text, -1) {
			add(string(key[1]))
		}
	}
	return json.MarshalIndent(texts, "", "  ")
}
