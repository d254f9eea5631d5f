package server

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// metrics are the numbers an installation is watched by.
type metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.HistogramVec
	outcomes *prometheus.CounterVec
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
	}
	m.registry.MustRegister(m.calls, m.outcomes,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) count(outcomes []*pb.ItemOutcome) {
	for _, outcome := range outcomes {
		m.outcomes.WithLabelValues(outcome.GetOutcome().String(), outcome.GetReasonCode()).Inc()
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
