package server

import (
	"os"
	"strings"

	"github.com/hailong-vn/hailong/internal/language"
)

// terminalLanguage is the language of a terminal: English where the machine is set to it, Vietnamese otherwise.
func terminalLanguage() language.Language {
	for _, name := range []string{"HAILONG_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			if strings.HasPrefix(strings.ToLower(value), "en") {
				return language.English
			}
			return language.Vietnamese
		}
	}
	return language.Vietnamese
}
