//! What became of trace contexts and spans. The counts of spans are read from the exporter when the metrics are.

use std::sync::Arc;

use city_model::Source;
use prometheus::core::Collector;
use prometheus::{IntCounterVec, IntGauge, Opts};
use span_export::{Exporter, Tracer};
use stream_worker::{Step, TraceObserver};
use wire_format::BadTrace;

use super::asked::{Answers, AskedCollector, Names};
use super::{Maker, Metrics};

/// A revision went out without its trace, because too many incidents waited with one.
const TOO_MANY: &str = "too_many_waiting";

/// Registers the counter of contexts.
pub(super) fn contexts(make: &Maker<'_>) -> anyhow::Result<IntCounterVec> {
    make.counters(
        "trace_contexts_dropped_total",
        "Trace contexts that were not passed on: headers that are not as W3C has them, or too many incidents that wait with one.",
        &["reason"],
    )
}

/// Begins the counter's series at zero.
pub(super) fn begin(contexts: &IntCounterVec) {
    for reason in [BadTrace::Parent.as_str(), BadTrace::State.as_str(), TOO_MANY] {
        contexts.with_label_values(&[reason]);
    }
}

/// Listens to what becomes of traced records: counts what is dropped, and hands steps to the exporter, if there is one.
pub struct Traces {
    metrics: Arc<Metrics>,
    tracer: Option<Tracer>,
}

impl Traces {
    /// Listens for these.
    pub fn new(metrics: Arc<Metrics>, tracer: Option<Tracer>) -> Traces {
        Traces { metrics, tracer }
    }
}

impl TraceObserver for Traces {
    fn step(&self, step: Step) {
        if let Some(tracer) = &self.tracer {
            tracer.step(step);
        }
    }

    fn exports(&self) -> bool {
        self.tracer.is_some()
    }

    fn bad_header(&self, source: Source, header: BadTrace) {
        let reason = header.as_str();
        tracing::debug!(%source, reason, "a trace header is passed over");
        self.metrics.trace_contexts.with_label_values(&[reason]).inc();
    }

    fn forgotten(&self) {
        self.metrics.trace_contexts.with_label_values(&[TOO_MANY]).inc();
    }
}

fn spans() -> prometheus::Result<IntCounterVec> {
    let help = "Spans for the collector, by what became of them: dropped ones found no room in the queue, failed ones no collector that took them.";
    IntCounterVec::new(Opts::new("spans_total", help).namespace("cityops"), &["result"])
}

fn up() -> prometheus::Result<IntGauge> {
    let help = "Whether the collector took the last spans; absent before the first.";
    IntGauge::with_opts(Opts::new("span_collector_up", help).namespace("cityops"))
}

/// Collects an exporter's counts.
pub(super) fn collector(exporter: Arc<Exporter>) -> prometheus::Result<impl Collector> {
    let names = Names { results: spans, up };
    AskedCollector::new(names, move || {
        let counts = exporter.counts();
        Answers {
            results: vec![
                ("exported", counts.exported),
                ("dropped", counts.dropped),
                ("failed", counts.failed),
            ],
            up: counts.up,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use city_model::EventTime;
    use city_rules::Rules;
    use span_export::{Collector as Configured, Endpoint, ExportConfig, Transaction};

    use super::*;

    #[test]
    fn what_is_dropped_is_counted_and_the_collector_shown_once_it_has_answered() {
        let metrics = Arc::new(Metrics::register(&prometheus::Registry::new()).unwrap());
        metrics.begin(&Rules::builtin(), []);
        let traces = Traces::new(metrics.clone(), None);
        traces.bad_header(Source::Report, BadTrace::Parent);
        traces.forgotten();
        // Nobody listens there: the port was free a moment ago.
        let nobody = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let config = ExportConfig {
            collector: Configured {
                endpoint: Endpoint::parse(&format!("http://{nobody}")).unwrap(),
                authorities: None,
                credentials: None,
                timeout: Duration::from_secs(20),
            },
            service_name: "cityops".to_owned(),
            attributes: Vec::new(),
            ratio: 1.0,
            queue: 64,
        };
        let exporter = Arc::new(Exporter::start(&config).unwrap());
        metrics.show_spans(exporter.clone()).unwrap();
        let text = || metrics.text(EventTime::default()).unwrap();
        assert!(!text().contains("span_collector_up"));
        exporter.tracer().committed(&Transaction {
            worker: "enrich",
            records: 1,
            written: 1,
            bytes: 1,
            duration: Duration::ZERO,
            deciding: Duration::ZERO,
            committing: Duration::ZERO,
        });
        assert!(exporter.stop(Duration::from_secs(60)));
        let text = text();
        for line in [
            "cityops_trace_contexts_dropped_total{reason=\"bad_traceparent\"} 1",
            "cityops_trace_contexts_dropped_total{reason=\"bad_tracestate\"} 0",
            "cityops_trace_contexts_dropped_total{reason=\"too_many_waiting\"} 1",
            "cityops_spans_total{result=\"failed\"} 4",
            "cityops_spans_total{result=\"dropped\"} 0",
            "cityops_span_collector_up 0",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
    }
}
