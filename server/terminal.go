package server

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	ratingimport "github.com/hailong-vn/hailong/internal/importing/ratings"
)

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// printSummary tells what an import did, or would do.
func (t *terminal) printSummary(s ratingimport.Summary, dryRun bool, errorsPath string, took time.Duration) {
	if dryRun {
		t.say("import.dry_run")
	}
	t.say("import.ratings_done", "rows", s.Rows, "stored", s.Stored, "duplicate", s.Duplicate, "conflict", s.Conflict,
		"rejected", s.Rejected, "skipped", s.Skipped, "errors", s.Errors, "seconds", t.seconds(took))
	if s.ResumedAt > 0 {
		t.say("import.resumed", "line", s.ResumedAt)
	}
	if s.Ready > 0 {
		t.say("import.period", "from", t.moment(s.First), "to", t.moment(s.Last))
		t.say("import.identical", "identical", s.Identical, "same", s.SameIdentity, "other", s.OtherContent)
		t.table(t.Text("import.by_unit"), []string{"1", "2", "3", "4", "5", t.Text("import.not_asked")}, s.Units)
	}
	for _, list := range []struct {
		key    string
		counts map[string]int64
	}{{"import.ignored", s.Labels}, {"import.unknown_labels", s.UnknownLabels}, {"import.unknown_units", s.UnknownUnits}, {"import.error_kinds", s.ErrorKinds}} {
		if len(list.counts) == 0 {
			continue
		}
		t.say(list.key)
		for _, name := range slices.Sorted(maps.Keys(list.counts)) {
			_, _ = fmt.Fprintf(t.stderr, "  %8d  %s\n", list.counts[name], name)
		}
	}
	if s.Errors+s.Rejected+s.Conflict > 0 {
		t.say("import.errors_file", "path", errorsPath)
	}
}

func (t *terminal) moment(at time.Time) string {
	return at.In(zone).Format("02/01/2006 15:04")
}

func (t *terminal) table(title string, columns []string, units map[string]*ratingimport.UnitScores) {
	width := len([]rune(title))
	for name := range units {
		width = max(width, len([]rune(name)))
	}
	_, _ = fmt.Fprintf(t.stdout, "%s", pad(title, width))
	for _, column := range columns {
		_, _ = fmt.Fprintf(t.stdout, "%s", padLeft(column, 9))
	}
	_, _ = fmt.Fprintln(t.stdout)
	for _, name := range slices.Sorted(maps.Keys(units)) {
		_, _ = fmt.Fprintf(t.stdout, "%s", pad(name, width))
		ready := units[name].Ready
		for _, score := range []int{1, 2, 3, 4, 5, 0} {
			_, _ = fmt.Fprintf(t.stdout, "%s", padLeft(t.Number(float64(ready[score]), 0), 9))
		}
		_, _ = fmt.Fprintln(t.stdout)
	}
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(width-len([]rune(text)), 0))
}

func padLeft(text string, width int) string {
	return strings.Repeat(" ", max(width-len([]rune(text)), 0)) + text
}
