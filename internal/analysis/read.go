package analysis

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/tally"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// sum is what ratings add up to.
type sum struct {
	counts  tally.Counts
	flagged uint32
}

func (s *sum) add(counts tally.Counts, flagged uint32) {
	s.counts = s.counts.Plus(counts)
	s.flagged += flagged
}

func (s sum) distribution() figure.Distribution {
	return figure.Distribute(s.counts.Scores(), s.flagged)
}

// sums are sums by channel number.
type sums []sum

// maxChannels bounds what is believed of a stored channel number.
const maxChannels = 256

func (s *sums) add(channel pb.Channel, counts tally.Counts, flagged uint32) {
	if channel < 0 || channel >= maxChannels {
		return
	}
	for int(channel) >= len(*s) {
		*s = append(*s, sum{})
	}
	(*s)[channel].add(counts, flagged)
}

func (s sums) pooled() sum {
	var all sum
	for _, one := range s {
		all.add(one.counts, one.flagged)
	}
	return all
}

const (
	// manyUnits is the part of all units from which reading all strips of a year as one range is quicker than one by one.
	manyUnits = 4
	// fewUnits are read one by one in any case.
	fewUnits = 8
)

// inYear is a stretch's days within one year, and who counts where on them.
type inYear struct {
	first, last int // days of the year
	of          map[string][]int32
}

// strips reads the strips that a cover needs, year by year, of the questionnaire asked for. For each year, begin is given what of the
// cover falls into it.
func (a *Analysis) strips(ctx context.Context, q asked, c *cover, begin func(year int, parts []inYear), use func(tally.Strip)) error {
	units := c.units()
	if len(units)*manyUnits > q.tree.Len() && len(units) > fewUnits {
		units = nil
	}
	for year := q.period.From.Year(); year <= q.period.To.Year(); year++ {
		var parts []inYear
		for _, s := range c.stretches {
			if first, last, ok := s.within(year); ok {
				parts = append(parts, inYear{first, last, s.of})
			}
		}
		begin(year, parts)
		strips, err := a.stripsOf(ctx, year, units)
		if err != nil {
			return err
		}
		for _, strip := range strips {
			if q.Questionnaire == "" || strip.Key.Questionnaire == q.Questionnaire {
				use(strip)
			}
		}
	}
	return nil
}

// stripsOf reads a year's strips, together with whoever asks for the same: a page asks a dozen questions at once about one unit.
func (a *Analysis) stripsOf(ctx context.Context, year int, units []string) ([]tally.Strip, error) {
	key := strconv.Itoa(year)
	if units != nil {
		key += "/" + strings.Join(units, "/")
	}
	return a.reading.do(ctx, key, func(ctx context.Context) ([]tally.Strip, error) { return a.readStrips(ctx, key, year, units) })
}

// within cuts a period to a year and answers its first and last day of the year; false where they do not meet.
func (p Period) within(year int) (first, last int, ok bool) {
	start := dayOf(year)
	end := dayOf(year + 1).Add(-1)
	if p.To < start || end < p.From {
		return 0, 0, false
	}
	return max(p.From, start).OfYear(), min(p.To, end).OfYear(), true
}

// total adds up all groups of a cover, by channel.
func (a *Analysis) total(ctx context.Context, q asked, c *cover) (totals []sums, questionnaires []string, err error) {
	totals = make([]sums, len(c.groups))
	forms := map[string]bool{}
	var parts []inYear
	own := make(sums, 0, 8)
	begin := func(_ int, of []inYear) { parts = of }
	err = a.strips(ctx, q, c, begin, func(strip tally.Strip) {
		for _, part := range parts {
			groups := part.of[strip.Key.Unit]
			if len(groups) == 0 {
				continue
			}
			own = own[:0]
			strip.Each(part.first, part.last, func(channel pb.Channel, counts tally.Counts, flagged uint32) {
				if q.wants(channel) {
					own.add(channel, counts, flagged)
				}
			})
			any := false
			for channel, part := range own {
				if part == (sum{}) {
					continue
				}
				any = any || part.counts.N() > 0
				for _, group := range groups {
					totals[group].add(pb.Channel(channel), part.counts, part.flagged)
				}
			}
			if any {
				forms[form(strip.Key)] = true
			}
		}
	})
	return totals, sortedKeys(forms), err
}

// form names a questionnaire's version.
func form(key tally.StripKey) string {
	return key.Questionnaire + "@" + strconv.Itoa(int(key.QVersion))
}

func (q asked) wants(channel pb.Channel) bool {
	return len(q.channels) == 0 || slices.Contains(q.channels, channel)
}
