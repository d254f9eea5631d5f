package server

import (
	"context"
	"fmt"
	"strings"

	"github.com/hailong-vn/hailong/internal/analysis"
	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/localday"
)

var zone = localday.Zone

// printFigures prints a unit's figures as GetUnitSummary and RankUnits answer them, with bars.
func printFigures(ctx context.Context, t *terminal, args []string) error {
	var config Config
	flags := t.flags("hailong-server figures UNIT")
	config.registerStore(flags, t.Language)
	config.registerFigures(flags, t.Language)
	from := flags.String("from", "", t.Text("flag.from"))
	to := flags.String("to", "", t.Text("flag.to"))
	names, err := parseWith(flags, args, 1)
	if err != nil {
		return err
	}
	a, err := openExisting(ctx, t, config)
	if err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	id, err := unitResolver{a.directory}.find(names[0])
	if err != nil {
		return err
	}
	query := analysis.Query{Unit: id, From: *from, To: *to}
	summary, err := a.analysis.Summary(ctx, query)
	if err != nil {
		return err
	}
	t.printSummaryOf(a, summary)
	query.From, query.To = string(summary.Period.From), string(summary.Period.To)
	ranking, err := a.analysis.Rank(ctx, query, "", 0)
	if err != nil {
		return err
	}
	t.printRanking(ranking)
	followUps, err := a.analysis.FollowUps(ctx, query)
	if err != nil {
		return err
	}
	if len(followUps.Units) > 0 {
		t.print("\n" + t.Text("figures.follow_ups", "examined", followUps.Examined))
		for _, f := range followUps.Units {
			t.print("  • " + f.Unit.Near(followUps.Day).Name + ": " + f.Sentence(t.Language))
		}
	}
	return nil
}

func (t *terminal) print(line string) { _, _ = fmt.Fprintln(t.stdout, line) }

func (t *terminal) day(day localday.Day) string { return day.Start().Format("02/01/2006") }

func (t *terminal) printSummaryOf(a *application, s analysis.Summary) {
	unit, _ := a.directory.Tree().Get(s.Unit)
	t.print(unit.Near(s.Period.To).Name)
	t.print(t.Text("figures.period", "from", t.day(s.Period.From), "to", t.day(s.Period.To)))
	if s.FreshThrough.IsZero() {
		t.print(t.Text("figures.not_fresh"))
	} else {
		t.print(t.Text("figures.fresh", "time", s.FreshThrough.In(zone).Format("15:04:05 02/01/2006")))
	}
	if len(s.Questionnaires) > 0 {
		t.print(t.Text("figures.questionnaires", "list", strings.Join(s.Questionnaires, ", ")))
	}
	for _, channel := range s.Channels {
		t.print("")
		t.printDistribution(t.Text("channel."+strings.ToLower(strings.TrimPrefix(channel.Channel.String(), "CHANNEL_"))), channel.Distribution)
	}
	t.print("")
	t.printDistribution(t.Text("figures.pooled"), s.Pooled)
}

func (t *terminal) printDistribution(title string, d figure.Distribution) {
	t.print(title + "  n = " + t.Number(float64(d.N), 0))
	if d.N == 0 {
		return
	}
	if d.Suppressed {
		t.print("  " + t.Text("figures.suppressed"))
		return
	}
	for score := 5; score >= 1; score-- {
		count := d.Counts[score-1]
		share := float64(count) / float64(d.N)
		t.print(fmt.Sprintf("  %s %s %s %s", pad(t.Text(fmt.Sprintf("score.%d", score)), 22), blocks(share, 30),
			padLeft(t.Number(float64(count), 0), 9), padLeft(t.Number(share*100, 1)+" %", 8)))
	}
	for _, line := range []struct {
		key string
		f   figure.Figure
	}{{"figures.satisfied", d.Satisfied}, {"figures.neutral", d.Neutral}, {"figures.dissatisfied", d.Dissatisfied}} {
		t.print(fmt.Sprintf("  %s %s %%  [%s – %s]  %s", pad(t.Text(line.key), 22), padLeft(t.Number(line.f.Value*100, 1), 5),
			t.Number(line.f.Low*100, 1), t.Number(line.f.High*100, 1), line.f.Formula))
	}
	t.print(fmt.Sprintf("  %s %s    [%s – %s]  %s", pad(t.Text("figures.mean"), 22), padLeft(t.Number(d.Mean.Value, 2), 5),
		t.Number(d.Mean.Low, 2), t.Number(d.Mean.High, 2), d.Mean.Formula))
	if d.Flagged > 0 {
		t.print("  " + t.Text("figures.flagged", "count", t.Number(float64(d.Flagged), 0)))
	}
}

// printRanking draws each unit's interval on one scale, so that overlap is seen.
func (t *terminal) printRanking(r analysis.Ranking) {
	if len(r.Units) == 0 {
		return
	}
	t.print("\n" + t.Text("figures.ranking"))
	width := 0
	for _, ranked := range r.Units {
		width = max(width, len([]rune(ranked.Unit.Near(r.Day).Name)))
	}
	for _, ranked := range r.Units {
		place, interval, value := "–", strings.Repeat(" ", 40), t.Text("figures.too_few")
		if f := ranked.Distribution.Satisfied; ranked.Rank.Rank > 0 {
			place = fmt.Sprintf("%d (%d–%d)", ranked.Rank.Rank, ranked.Rank.Low, ranked.Rank.High)
			interval = span(f, 40)
			value = t.Number(f.Value*100, 1) + " %"
		}
		t.print(fmt.Sprintf("  %s %s  %s  %s  n = %s", padLeft(place, 12), pad(ranked.Unit.Near(r.Day).Name, width), interval,
			padLeft(value, 8), t.Number(float64(ranked.Distribution.N), 0)))
	}
}

// span draws an interval of a share from 0 to 1: ├──●──┤.
func span(f figure.Figure, width int) string {
	at := func(share float64) int { return min(max(int(share*float64(width-1)+0.5), 0), width-1) }
	line := []rune(strings.Repeat("·", width))
	for i := at(f.Low); i <= at(f.High); i++ {
		line[i] = '─'
	}
	line[at(f.Value)] = '●'
	return string(line)
}

func blocks(share float64, width int) string {
	filled := int(share*float64(width) + 0.5)
	return strings.Repeat("█", filled) + strings.Repeat("░", width-filled)
}
