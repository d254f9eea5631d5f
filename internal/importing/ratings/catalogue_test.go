package ratingimport

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/hailong-vn/hailong/internal/language"
)

// Every reason and every fault of this package has words in every language.
func TestWordsAreComplete(t *testing.T) {
	var keys []string
	for _, reason := range reasons {
		keys = append(keys, "import.reason."+reason)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fault := regexp.MustCompile(`"(import_ratings_[a-z0-9_]*[a-z0-9])"`)
	rule := regexp.MustCompile(`c\.fail\("([a-z]+)"|rule: "([a-z]+)"`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range fault.FindAllStringSubmatch(string(text), -1) {
			keys = append(keys, "fault."+m[1])
		}
		for _, m := range rule.FindAllStringSubmatch(string(text), -1) {
			keys = append(keys, "fault.import_ratings_mapping_rule_"+m[1]+m[2])
		}
	}
	if len(keys) < 40 {
		t.Fatalf("only %d keys were found in the source", len(keys))
	}
	for _, speak := range language.All {
		for _, key := range keys {
			if speak.Text(key) == key {
				t.Errorf("%s has no words in %s", key, speak)
			}
		}
	}
}
