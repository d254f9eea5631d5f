package language

import (
	"os"
	"strings"
)

// OfTerminal is the language of a terminal: English where the machine is set to it, Vietnamese otherwise.
func OfTerminal() Language {
	for _, name := range []string{"HAILONG_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			if strings.HasPrefix(strings.ToLower(value), "en") {
				return English
			}
			return Vietnamese
		}
	}
	return Vietnamese
}
