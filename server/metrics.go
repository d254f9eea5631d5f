package server

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hailong-vn/hailong/internal/bus"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// metrics are the numbers an installation is watched by.
type metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.HistogramVec
	outcomes *prometheus.CounterVec
	sent     *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hailong_call_seconds", Help: "Duration of gRPC calls, JSON ones included.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"method", "code"}),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hailong_ratings_total", Help: "Ratings by outcome and reason.",
		}, []string{"outcome", "reason"}),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hailong_deliveries_total", Help: "Attempts to send e-mail and webhooks, by outcome.",
		}, []string{"channel", "outcome"}),
	}
	m.registry.MustRegister(m.calls, m.outcomes, m.sent,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watch tells what the bus dropped or could not ask.
func (m *metrics) watch(of bus.Bus) {
	for _, counter := range []struct {
		name, help string
		value      func(bus.Stats) uint64
	}{
		{"hailong_hints_dropped_total", "Hints the bus gave up; each costs one sweep.", func(s bus.Stats) uint64 { return s.HintsDropped }},
		{"hailong_feed_missed_total", "Times a subscriber was told that it missed something.", func(s bus.Stats) uint64 { return s.FeedMissed }},
		{"hailong_limits_alone_total", "Limits this process held by itself because the shared bus did not answer.", func(s bus.Stats) uint64 { return s.LimitsAlone }},
		{"hailong_bus_failures_total", "Calls the shared bus failed or did not answer in time.", func(s bus.Stats) uint64 { return s.Failures }},
	} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: counter.name, Help: counter.help},
			func() float64 { return float64(counter.value(of.Stats())) }))
	}
}

func (m *metrics) count(outcomes []*pb.ItemOutcome) {
	for _, outcome := range outcomes {
		m.outcomes.WithLabelValues(outcome.GetOutcome().String(), outcome.GetReasonCode()).Inc()
	}
}

func (m *metrics) delivered(channel, outcome string) { m.sent.WithLabelValues(channel, outcome).Inc() }

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
