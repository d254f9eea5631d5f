package analytics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Measured answers Metrics that are kept in a Prometheus registry.
func Measured(registry prometheus.Registerer) Metrics {
	folds := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "hailong_fold_seconds", Help: "Time to fold the hour cells that were due together.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
	})
	failed := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hailong_fold_failures_total", Help: "Cells or facets that could not be folded; each is tried again.",
	})
	restored := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hailong_restored_cells_total", Help: "Cells that had seen more ratings than there are: the store was restored from a copy.",
	})
	dropped := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hailong_hints_left_to_sweep_total", Help: "Cells beyond the limit of what waits in memory.",
	})
	fresh := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hailong_fresh_through_seconds", Help: "Every rating accepted up to this Unix time is in the figures.",
	})
	waiting := prometheus.NewGauge(prometheus.GaugeOpts{Name: "hailong_cells_due", Help: "Hour cells waiting to be folded."})
	registry.MustRegister(folds, failed, restored, dropped, fresh, waiting)
	return Metrics{
		Folded:   func(_, _ int, took time.Duration) { folds.Observe(took.Seconds()) },
		Failed:   failed.Inc,
		Fresh:    func(through time.Time) { fresh.Set(float64(through.Unix())) },
		Restored: func(string) { restored.Inc() },
		Dropped:  func(cells int) { dropped.Add(float64(cells)) },
		Waiting:  func(cells, _, _ int) { waiting.Set(float64(cells)) },
	}
}
