package analysis

import (
	"context"

	"github.com/hailong-vn/hailong/internal/figure"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Summary answers the distribution of a unit's subtree over a period, by default the last thirty days and today.
func (a *Analysis) Summary(ctx context.Context, query Query) (Summary, error) {
	q, err := a.ask(ctx, query, thirtyDays)
	if err != nil {
		return Summary{}, err
	}
	totals, questionnaires, err := a.total(ctx, q, q.subtree())
	if err != nil {
		return Summary{}, err
	}
	return a.summarize(q, totals[0], questionnaires), nil
}

func (a *Analysis) summarize(q asked, total sums, questionnaires []string) Summary {
	summary := Summary{Unit: q.Unit, Period: q.period, Questionnaires: questionnaires, FreshThrough: q.fresh}
	var parts []figure.Distribution
	for channel, part := range total {
		if part.counts.N() > 0 {
			parts = append(parts, part.distribution())
			summary.Channels = append(summary.Channels, ChannelDistribution{Channel: pb.Channel(channel)})
		}
	}
	summary.Pooled, parts = figure.SuppressChannels(total.pooled().distribution(), parts, a.config.MinCell)
	for i := range parts {
		summary.Channels[i].Distribution = parts[i]
	}
	return summary
}
