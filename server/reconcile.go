package server

import (
	"context"
	"fmt"
	"time"

	"github.com/hailong-vn/hailong/analytics"
	"github.com/hailong-vn/hailong/internal/fault"
)

// reconcile folds all figures again from the ratings, counts them a second way, and reports any drift.
func reconcile(ctx context.Context, t *terminal, args []string) error {
	var config Config
	flags := t.flags("hailong-server reconcile")
	config.registerStore(flags, t.Language)
	repair := flags.Bool("repair", false, t.Text("flag.repair"))
	if _, err := parseWith(flags, args, 0); err != nil {
		return err
	}
	a, err := openExisting(ctx, t, config)
	if err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	started := time.Now()
	bar := t.bar()
	report, err := analytics.Reconcile(ctx, a.engine, analytics.Reconciling{
		Repair: *repair, Clock: a.Clock, Progress: func(done, total int) { bar.show(int64(done), int64(total)) },
	})
	bar.end()
	for _, finding := range report.Findings {
		if finding.Problem != analytics.Behind { // the worker gets to those; they are only counted
			_, _ = fmt.Fprintln(t.stdout, t.Text("reconcile.finding", "problem", t.Text("reconcile.problem."+string(finding.Problem)),
				"name", finding.Name, "stands", finding.Stands, "folded", finding.Folded))
		}
	}
	number := func(n int) string { return t.Number(float64(n), 0) }
	t.say("reconcile.done", "cells", number(report.Cells), "ratings", number(report.Records), "again", number(report.CountedAgain),
		"seconds", t.seconds(time.Since(started)))
	for problem, count := range report.Counts {
		t.say("reconcile.problem", "problem", t.Text("reconcile.problem."+string(problem)), "count", number(count))
	}
	if report.Repaired > 0 {
		t.say("reconcile.repaired", "count", number(report.Repaired), "epoch", report.Epoch)
	}
	if err != nil {
		return err
	}
	if !report.Clean() && !*repair {
		return fault.New(fault.Invalid, "figures_drift")
	}
	if behind := report.Counts[analytics.Behind]; behind > 0 {
		t.say("reconcile.clean_but", "count", number(behind))
	} else {
		t.say("reconcile.clean")
	}
	return nil
}
