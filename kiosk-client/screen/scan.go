package screen

import (
	"regexp"
	"strings"
)

// nationalDossier is the form of a dossier's code at every public office: the office, the day, a number
// ("000.00.00.H00-000000-0000", Circular 01/2018/TT-VPCP).
const nationalDossier = `^\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}-\d{6}-\d{4,5}$`

const maxScan = 64

// scanned tells what a scanner read: a dossier's code, a ticket's number, or neither.
func (s *Screen) scanned(text string) (ticket, dossier string) {
	text = strings.ToUpper(strings.TrimSpace(text))
	if text == "" || len(text) > maxScan || clean(text, maxScan) != text {
		return "", ""
	}
	s.mu.Lock()
	settings := s.flow.settings()
	s.mu.Unlock()
	pattern := settings.GetDossierPattern()
	if pattern == "" {
		pattern = nationalDossier
	}
	if fits(pattern, text) {
		return "", text
	}
	if pattern = settings.GetTicketPattern(); pattern == "" || fits(pattern, text) {
		return text, ""
	}
	return "", ""
}

// fits tells whether the whole text has the form. RE2 takes time in proportion to the text, whatever an administrator wrote.
func fits(pattern, text string) bool {
	form, err := regexp.Compile(`^(?:` + pattern + `)$`)
	return err == nil && form.MatchString(text)
}
