package web

import "strings"

// MenuItem is one entry of the menu.
type MenuItem struct {
	Key     string // of its words: web.menu.KEY
	Link    string
	Current bool
}

// entries are the menu in its order; an entry shows to accounts that may do its action.
func entries() []struct{ key, link, action string } {
	return []struct{ key, link, action string }{
		{"cases", "/cases", "read_cases"},
		{"actions", "/actions", "read_cases"},
		{"register", "/register", "read_register"},
		{"documents", "/documents", "read_register"},
		{"overview", "/units", "read_figures"},
		{"follow_ups", "/follow-ups", "read_follow_ups"},
		{"coverage", "/coverage", "read_coverage"},
		{"ratings", "/ratings", "read_ratings"},
		{"remedies", "/remedies", "publish_remedies"},
		{"hotline", "/hotline", "take_calls"},
		{"desk", "/desk", "type_slips"},
		{"kiosks", "/kiosks", "set_duties"},
		{"praise", "/praise", "read_praise"},
		{"admin", "/admin", "change_directory"},
	}
}

func (v *Visit) menu() []MenuItem {
	if v.Account == nil || v.newcomer || v.framed {
		return nil
	}
	var menu []MenuItem
	for _, entry := range entries() {
		if v.May(entry.action) {
			here := v.R.URL.Path == entry.link || strings.HasPrefix(v.R.URL.Path, entry.link+"/")
			menu = append(menu, MenuItem{entry.key, entry.link, here})
		}
	}
	return menu
}

// Home is the page an account begins with.
func (v *Visit) Home() string {
	if menu := v.menu(); len(menu) > 0 {
		return menu[0].Link
	}
	return "/account"
}
