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
	bills    *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		in:       prometheus.NewCounter(prometheus.CounterOpts{Name: "lanekeeper_events_in_total", Help: "Events of Matrix that were stored."}),
		sends:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lanekeeper_sends_total", Help: "Attempts to send, by destination and outcome (sent, retried, refused; for WhatsApp also unknown, and then found)."}, []string{"destination", "outcome"}),
		drift:    prometheus.NewCounter(prometheus.CounterOpts{Name: "lanekeeper_drift_undone_total", Help: "Steps that put a room back to what the record says."}),
		bills:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lanekeeper_whatsapp_messages_total", Help: "Messages of which Twilio bills each: out when Twilio took it, in when it came."}, []string{"direction"}),
	}
	for _, direction := range []string{"out", "in"} {
		m.bills.WithLabelValues(direction)
	}
	for destination, outcomes := range map[string][]string{
		"matrix": {"sent", "retried", "refused"}, "whatsapp": {"sent", "retried", "refused", "unknown", "found"},
	} { // from 0 on, so that the first refusal is an increase
		for _, outcome := range outcomes {
			m.sends.WithLabelValues(destination, outcome)
		}
	}
	m.registry.MustRegister(m.in, m.sends, m.drift, m.bills, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) eventsIn(n int)    { m.in.Add(float64(n)) }
func (m *metrics) driftUndone(n int) { m.drift.Add(float64(n)) }

func (m *metrics) sent(destination string) func(outcome string) {
	return func(outcome string) { m.sends.WithLabelValues(destination, outcome).Inc() }
}

func (m *metrics) billed(direction string) func() {
	return func() { m.bills.WithLabelValues(direction).Inc() }
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

// listenMetrics takes the address that Prometheus asks.
func (b *Bridge) listenMetrics() (net.Listener, error) {
	address := net.JoinHostPort(b.cfg.Metrics.Hostname, fmt.Sprint(b.cfg.Metrics.Port))
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, exit(ExitListen, "Cannot listen on %s for metrics: %v. Change metrics.hostname and metrics.port, or stop what listens there.", address, err)
	}
	return l, nil
}

// serveMetrics answers Prometheus until ctx ends.
func (b *Bridge) serveMetrics(ctx context.Context, l net.Listener) error {
	w := waiting{ctx, b.store}
	b.metrics.registry.MustRegister(w)
	defer b.metrics.registry.Unregister(w) // the next term as owner has its own
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(b.metrics.registry, promhttp.HandlerOpts{}))
	return serve(ctx, l, mux)
}
