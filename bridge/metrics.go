package bridge

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"lanekeeper/bridge/store"
)

// metrics answers what operators ask: what comes in, what waits and for how long,
// what was sent where and how that went, how many people wait for a human, how
// often somebody had to be put right.
type metrics struct {
	registry *prometheus.Registry
	in       prometheus.Counter
	sends    *prometheus.CounterVec
	drift    prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		in:       prometheus.NewCounter(prometheus.CounterOpts{Name: "lanekeeper_events_in_total", Help: "Events of Matrix that were stored."}),
		sends:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lanekeeper_sends_total", Help: "Attempts to send, by destination and outcome (sent, retried, refused)."}, []string{"destination", "outcome"}),
		drift:    prometheus.NewCounter(prometheus.CounterOpts{Name: "lanekeeper_drift_undone_total", Help: "Steps that put a room back to what the record says."}),
	}
	m.registry.MustRegister(m.in, m.sends, m.drift, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) eventsIn(n int)    { m.in.Add(float64(n)) }
func (m *metrics) driftUndone(n int) { m.drift.Add(float64(n)) }

func (m *metrics) sent(destination string) func(outcome string) {
	return func(outcome string) { m.sends.WithLabelValues(destination, outcome).Inc() }
}

// waiting reads from the database what is asked for at that moment.
type waiting struct {
	ctx   context.Context
	store *store.Store
}

var (
	descDepth    = prometheus.NewDesc("lanekeeper_queue_depth", "Jobs that wait, by queue; timers that are not due do not count.", []string{"queue"}, nil)
	descAge      = prometheus.NewDesc("lanekeeper_queue_oldest_seconds", "Age of the oldest job that waits, by queue.", []string{"queue"}, nil)
	descHandoffs = prometheus.NewDesc("lanekeeper_handoffs", "Handoffs that are not closed, by state (open, taken).", []string{"state"}, nil)
)

func (w waiting) Describe(c chan<- *prometheus.Desc) {
	c <- descDepth
	c <- descAge
	c <- descHandoffs
}

func (w waiting) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
	defer cancel()
	depth, err := w.store.Queue.Depth(ctx)
	if err != nil {
		c <- prometheus.NewInvalidMetric(descDepth, err)
		return
	}
	for name, s := range depth {
		age := 0.0
		if !s.Oldest.IsZero() {
			age = time.Since(s.Oldest).Seconds()
		}
		c <- prometheus.MustNewConstMetric(descDepth, prometheus.GaugeValue, float64(s.Count), name)
		c <- prometheus.MustNewConstMetric(descAge, prometheus.GaugeValue, age, name)
	}
	states, err := w.store.HandoffCounts(ctx)
	if err != nil {
		c <- prometheus.NewInvalidMetric(descHandoffs, err)
		return
	}
	for _, state := range []string{"open", "taken"} {
		c <- prometheus.MustNewConstMetric(descHandoffs, prometheus.GaugeValue, float64(states[state]), state)
	}
}

// serveMetrics answers Prometheus on a listener of its own.
func (b *Bridge) serveMetrics(ctx context.Context) error {
	b.metrics.registry.MustRegister(waiting{ctx, b.store})
	address := net.JoinHostPort(b.cfg.Metrics.Hostname, fmt.Sprint(b.cfg.Metrics.Port))
	l, err := net.Listen("tcp", address)
	if err != nil {
		return exit(ExitListen, "Cannot listen on %s for metrics: %v. Change metrics.hostname and metrics.port, or stop what listens there.", address, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(b.metrics.registry, promhttp.HandlerOpts{}))
	return serve(ctx, l, mux)
}
