package screen

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a translator starts from is complete: translated word by word, no Vietnamese is left on a citizen's way.
func TestLanguageTemplate(t *testing.T) {
	template, err := LanguageTemplate()
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(template, &texts); err != nil {
		t.Fatal(err)
	}
	for key, text := range texts {
		if text == key {
			t.Errorf("%s has no words", key)
		}
		texts[key] = "¤" + key + "¤"
	}
	folder := t.TempDir()
	data, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(folder, "languages"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "languages", "tay.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	config := configuration(t, twoCounters, chooseOfficial)
	config.Settings.Languages = []string{"tay", "vi"}
	k := run(t, config, func(o *Options) { o.Folder = folder })
	b := k.open(t)
	ours := []string{"Nguyễn Thị Hoa", "Trần Văn Bình"} // not words of the product
	for _, doing := range []string{"", "start", "pick:ward/c1", "pick:o1", "pick:2", "next", "next", "contact", "done"} {
		if doing != "" {
			b.do(doing)
		}
		if doing == "" || strings.HasPrefix(doing, "pick:o") {
			continue // remedies and the question are the office's own words
		}
		for _, key := range []string{"Quay lại", "Tiếp tục", "Gửi", "Xin cảm ơn", "Chọn lại", "Xong<", "Nói thêm", "Tương phản", "Tôi "} {
			page := b.page
			if at := strings.Index(page, `<div class="kb"`); at >= 0 {
				page = page[:at] // its words are the keyboard's
			}
			for _, name := range ours {
				page = strings.ReplaceAll(page, name, "")
			}
			if strings.Contains(page, key) {
				t.Errorf("after %s the screen still says %q", doing, key)
			}
		}
	}
}
