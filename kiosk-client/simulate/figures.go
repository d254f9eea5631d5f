package simulate

import (
	"context"
	"fmt"
	"time"
)

const (
	drawEvery = time.Second
	tellEvery = 5 * time.Second // where nobody looks on
)

// figures are how it stands.
type figures struct {
	Summary   // without what is only known in the end
	connected int
	oldest    time.Time // since when the first of the queues waits; zero where nothing does
}

func (s *simulation) look(ctx context.Context) figures {
	var f figures
	for _, d := range s.devices {
		kept, link := d.now()
		status, err := kept.Status(ctx)
		if err != nil {
			return f
		}
		if link.State().Connected {
			f.connected++
		}
		f.Sealed += d.sealed.Load()
		f.Queued += status.Queue
		f.Acknowledged += status.HighestSequence - status.Queue - min(d.before, status.HighestSequence-status.Queue)
		if status.Queue > 0 {
			if at, err := d.oldest(ctx); err == nil && !at.IsZero() && (f.oldest.IsZero() || at.Before(f.oldest)) {
				f.oldest = at
			}
		}
		d.answers.addTo(&f.Summary)
	}
	return f
}

// show writes the live line until ctx ends: over itself on a terminal, below the last one otherwise.
func (s *simulation) show(ctx context.Context) {
	every := tellEvery
	if s.options.Terminal != nil {
		every = drawEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	before, last := s.look(ctx), time.Now()
	for {
		ended := false
		select {
		case <-ticker.C:
		case <-ctx.Done():
			ended = true
		}
		now, at := s.look(context.WithoutCancel(ctx)), time.Now()
		line := s.line(now, float64(now.Sealed-before.Sealed)/max(at.Sub(last).Seconds(), 1e-3), at)
		before, last = now, at
		switch {
		case s.options.Terminal == nil:
			_, _ = fmt.Fprintln(s.options.Figures, line)
		case ended:
			_, _ = fmt.Fprintf(s.options.Figures, "\r\x1b[K%s\n", fit(line, s.options.Terminal()))
		default:
			_, _ = fmt.Fprintf(s.options.Figures, "\r\x1b[K%s", fit(line, s.options.Terminal()))
		}
		if ended {
			return
		}
	}
}

// fit keeps a line from running over the edge, where it could not be written over.
func fit(line string, width int) string {
	runes := []rune(line)
	if width > 1 && len(runes) >= width {
		return string(runes[:width-1])
	}
	return line
}

func (s *simulation) line(f figures, rate float64, now time.Time) string {
	in := s.options.Language
	number := func(n uint64) string { return in.Number(float64(n), 0) }
	oldest := 0.0
	if !f.oldest.IsZero() {
		oldest = max(0, now.Sub(f.oldest).Seconds())
	}
	return in.Text("kiosksim.line", "connected", f.connected, "devices", len(s.devices), "sealed", number(f.Sealed), "acknowledged", number(f.Acknowledged),
		"queue", number(f.Queued), "oldest", in.Number(oldest, 0), "rate", in.Number(rate, 1), "duplicates", number(f.Duplicates), "refused", number(f.Refused))
}
