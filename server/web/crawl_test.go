package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

// strict is the policy that every page must have.
const strict = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// TestEveryPage follows every link of every role, as far as pages differ by more than a number or a day, and looks at each page's
// source: no link is dead, nothing is inline, everything has its label.
func TestEveryPage(t *testing.T) {
	p := webtest.Shared(t)
	for _, c := range []struct {
		who webtest.Who
		in  string
	}{{"", "vi"}, {webtest.Administrator, "vi"}, {webtest.Leader, "vi"}, {webtest.Leader, "en"}, {webtest.Operator, "vi"}, {webtest.Official, "en"}} {
		who := c.who
		t.Run(string(who)+" "+c.in, func(t *testing.T) {
			v := p.Visitor(t, who)
			v.SetCookie("hailong_language", c.in)
			queue, seen := []string{"/", "/sign-in", "/nowhere", "/r/" + p.WardOffice, "/r/TN-99"}, map[string]int{}
			missing := []string{"/nowhere", "/r/TN-99"} // these are not there, and their pages are looked at too
			for pages := 0; len(queue) > 0; pages++ {
				at := queue[0]
				queue = queue[1:]
				answer := v.Get(at)
				switch {
				case answer.Status == http.StatusSeeOther:
					queue = append(queue, follow(t, at, answer.Location(), seen)...)
					continue
				case answer.Status == http.StatusNotFound && slices.Contains(missing, at):
				case answer.Status == http.StatusUnauthorized && who == "":
				case answer.Status != http.StatusOK:
					t.Errorf("%s is answered %d", at, answer.Status)
					continue
				}
				if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
					continue
				}
				if got := answer.Header.Get("Content-Security-Policy"); got != strict {
					t.Errorf("%s has the policy %q", at, got)
				}
				for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin"} {
					if got := answer.Header.Get(name); got != want {
						t.Errorf("%s has %s: %s", at, name, got)
					}
				}
				for _, link := range checkSource(t, at, c.in, answer.Body) {
					queue = append(queue, follow(t, at, strings.TrimPrefix(link, p.HTTP), seen)...)
				}
			}
			if want := map[webtest.Who]int{webtest.Administrator: 12, webtest.Official: 6, webtest.Leader: 10}[who]; len(seen) < want {
				t.Errorf("only %d kinds of pages were found: %v", len(seen), seen)
			}
		})
	}
}

var variable = regexp.MustCompile(`[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}|=[^&]*|\d+`)

// follow answers the address a link leads to where it is one of ours and few of its kind were seen.
func follow(t *testing.T, at, link string, seen map[string]int) []string {
	t.Helper()
	base, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	to, err := base.Parse(link)
	if err != nil || to.Scheme != "" || to.Host != "" {
		t.Errorf("%s leads to %q", at, link)
		return nil
	}
	to.Fragment = ""
	kind := to.Path
	for _, name := range slices.Sorted(maps.Keys(to.Query())) {
		kind += " " + name
	}
	kind = variable.ReplaceAllString(kind, "*")
	if strings.HasSuffix(to.Path, ".pdf") || to.Query().Has("lang") || seen[kind] == 2 || len(seen) > 60 {
		return nil
	}
	seen[kind]++
	return []string{to.String()}
}

// checkSource looks at a page's source and answers its links.
func checkSource(t *testing.T, at, in, source string) (links []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	ids, labelled, fields, headings := map[string]int{}, map[string]bool{}, []*html.Node{}, 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			switch {
			case a.Key == "style", strings.HasPrefix(a.Key, "on"), strings.HasPrefix(a.Key, "hx-on"), strings.HasPrefix(a.Key, "data-hx-on"):
				t.Errorf("%s: <%s %s=%q> is inline", at, n.Data, a.Key, a.Val)
			case strings.HasPrefix(value, "javascript:"), a.Key == "srcdoc":
				t.Errorf("%s: <%s %s=%q> runs", at, n.Data, a.Key, a.Val)
			case a.Key == "id":
				ids[a.Val]++
			}
		}
		switch n.Data {
		case "style", "iframe", "object", "embed", "base":
			t.Errorf("%s: <%s>", at, n.Data)
		case "script":
			if attr(n, "src") == "" || n.FirstChild != nil {
				t.Errorf("%s: an inline script", at)
			}
		case "html":
			if attr(n, "lang") != in {
				t.Errorf("%s: lang=%q", at, attr(n, "lang"))
			}
		case "h1":
			headings++
		case "label":
			labelled[attr(n, "for")] = true
			for child := range n.Descendants() {
				labelled[attr(child, "id")] = true
			}
		case "input", "select", "textarea":
			if kind := attr(n, "type"); kind != "hidden" && kind != "submit" {
				fields = append(fields, n)
			}
		case "title":
			if n.FirstChild == nil || strings.HasPrefix(n.FirstChild.Data, " ") {
				t.Errorf("%s: no title", at)
			}
		case "a":
			if link := attr(n, "href"); link != "" && !strings.HasPrefix(link, "#") && !strings.HasPrefix(link, "tel:") {
				links = append(links, link)
			}
		}
	}
	if headings != 1 {
		t.Errorf("%s: %d headings of the first rank", at, headings)
	}
	for id, count := range ids {
		if count > 1 {
			t.Errorf("%s: %d elements have the id %q", at, count, id)
		}
	}
	for _, field := range fields {
		if id := attr(field, "id"); attr(field, "aria-label") == "" && attr(field, "aria-labelledby") == "" && (id == "" || !labelled[id]) && !inLabel(field) {
			t.Errorf("%s: the field %q has no label", at, attr(field, "name"))
		}
	}
	for _, wrong := range []string{"%!", "ZgotmplZ", "<no value>", "<nil>", "web.", "overview.", "fault."} {
		if text := text(root); strings.Contains(text, wrong) {
			i := strings.Index(text, wrong)
			t.Errorf("%s: the page says %q", at, text[max(0, i-30):min(len(text), i+40)])
		}
	}
	return links
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func inLabel(n *html.Node) bool {
	for above := range n.Ancestors() {
		if above.Data == "label" {
			return true
		}
	}
	return false
}

func text(root *html.Node) string {
	var words strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			words.WriteString(n.Data)
			words.WriteByte(' ')
		}
	}
	return words.String()
}

func TestAssetsStayAsTheyAre(t *testing.T) {
	p := webtest.Shared(t)
	v := p.Visitor(t, webtest.Leader)
	addresses := regexp.MustCompile(`/assets/[^")]+`)
	queue, seen := addresses.FindAllString(v.Get("/units/"+p.Ward).Body, -1), map[string]bool{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		answer := v.Get(at)
		sum := sha256.Sum256([]byte(answer.Body))
		if answer.Status != http.StatusOK || !strings.HasPrefix(at, "/assets/"+hex.EncodeToString(sum[:6])+"/") {
			t.Errorf("%s is answered %d with other content", at, answer.Status)
		}
		if got := answer.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %q", at, got)
		}
		want := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".woff2": "font/woff2"}[path.Ext(at)]
		if got := answer.Header.Get("Content-Type"); got != want {
			t.Errorf("%s is %q", at, got)
		}
		queue = append(queue, addresses.FindAllString(answer.Body, -1)...)
	}
	if len(seen) < 5 {
		t.Errorf("only %v", seen)
	}
	for at := range seen {
		if answer := v.Get(strings.Replace(at, "/assets/", "/assets/0", 1)); answer.Status != http.StatusNotFound || strings.Contains(answer.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("a stale address is answered %d, %q", answer.Status, answer.Header.Get("Cache-Control"))
		}
	}
}
