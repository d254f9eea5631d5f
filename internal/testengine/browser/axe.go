package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"github.com/hailong-vn/hailong/internal/testengine"
)

// Violation is a rule of WCAG 2.2 A or AA that the page breaks, as axe-core found it.
type Violation struct {
	ID     string // of axe's rule, such as "label"
	Impact string // "minor", "moderate", "serious" or "critical"
	Help   string
	Nodes  []Node
}

// Node is an element that breaks the rule.
type Node struct {
	Target string // a selector
	HTML   string
	Why    string
}

func (v Violation) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s (%s): %s", v.ID, v.Impact, v.Help)
	for i, node := range v.Nodes {
		if i == 5 {
			fmt.Fprintf(&text, "\n    and %d more", len(v.Nodes)-i)
			break
		}
		fmt.Fprintf(&text, "\n    %s\n      %s\n      %s", node.Target, node.HTML, strings.ReplaceAll(node.Why, "\n", "\n      "))
	}
	return text.String()
}

// Axe lists the rules of WCAG 2.2 A and AA that the page breaks as it is now. It runs beside the page and is no exception to the
// page's content security policy. Where axe-core was not fetched the test is skipped, or failed where HAILONG_REQUIRE names chromium.
func (p *Page) Axe() []Violation {
	p.t.Helper()
	script := axeScript(p.t)
	if p.options.NoScript {
		call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
		defer call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
	before := len(p.ConsoleErrors())
	defer func() { p.seen.forget(before) }() // what axe tries is not the page's doing
	if _, err := run[bool](p, script+"; true"); err != nil {
		p.fatal("axe-core does not start: %v", err)
	}
	ctx, cancel := context.WithTimeout(p.ctx, 3*Limit) // a large page on a busy machine takes a while
	defer cancel()
	found, err := evaluate[[]Violation](ctx, runAxe)
	if err != nil {
		p.fatal("axe-core does not finish: %v", err)
	}
	return found
}

// target-size is off in axe unless it is asked for, though WCAG 2.2 AA has it.
const runAxe = `axe.run(document, {
	runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
	rules: {"target-size": {enabled: true}}, resultTypes: ["violations"],
}).then(result => result.violations.map(v => ({ID: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.map(n => ({
	Target: n.target.flat().join(" "), HTML: n.html.slice(0, 300), Why: n.failureSummary,
}))})))`

// CheckAccessible fails the test where the page breaks a rule of WCAG 2.2 A or AA, save the rules of axe-core named.
func (p *Page) CheckAccessible(except ...string) {
	p.t.Helper()
	var texts []string
	for _, violation := range p.Axe() {
		if !slices.Contains(except, violation.ID) {
			texts = append(texts, violation.String())
		}
	}
	if len(texts) > 0 {
		p.t.Errorf("the page is not for everybody:\n  %s\n  at %s", strings.Join(texts, "\n  "), p.URL())
	}
}

// axeScript reads what make engines fetched.
func axeScript(t testing.TB) string {
	t.Helper()
	path := filepath.Join(".cache", "engines", "axe.min.js")
	for dir, err := os.Getwd(); err == nil; dir = filepath.Dir(dir) {
		if script, err := os.ReadFile(filepath.Join(dir, path)); err == nil { //nolint:gosec // a file of our own tree
			return string(script)
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	const missing = "axe-core is not in .cache/engines; run `make engines`"
	if slices.Contains(strings.Split(os.Getenv("HAILONG_REQUIRE"), ","), testengine.NameChromium) {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}
