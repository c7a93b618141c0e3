//! How a schema registry answers: read from it when the metrics are, so that nobody has to pass counts on.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounterVec, IntGauge, Opts};
use wire_format::SchemaSource;

/// Collects a source's counts.
pub(super) struct SchemaCollector {
    source: Arc<dyn SchemaSource>,
    descriptions: Vec<Desc>,
}

fn requests() -> prometheus::Result<IntCounterVec> {
    let help = "Requests to the schema registry, by what came of them; after a failed one, records wait.";
    IntCounterVec::new(
        Opts::new("schema_registry_requests_total", help).namespace("cityops"),
        &["result"],
    )
}

fn up() -> prometheus::Result<IntGauge> {
    let help = "Whether the schema registry answered the last request; absent before the first.";
    IntGauge::with_opts(Opts::new("schema_registry_up", help).namespace("cityops"))
}

impl SchemaCollector {
    pub(super) fn new(source: Arc<dyn SchemaSource>) -> prometheus::Result<SchemaCollector> {
        let (requests, up) = (requests()?, up()?);
        let descriptions = requests.desc().into_iter().chain(up.desc());
        Ok(SchemaCollector {
            descriptions: descriptions.cloned().collect(),
            source,
        })
    }
}

impl Collector for SchemaCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let counts = self.source.counts();
        let mut families = Vec::new();
        // The same names were good when this was registered.
        if let Ok(requests) = requests()
            && counts.up.is_some()
        {
            for (result, count) in [
                ("found", counts.found),
                ("unknown", counts.unknown),
                ("unusable", counts.unusable),
                ("failed", counts.failed),
            ] {
                requests.with_label_values(&[result]).inc_by(count);
            }
            families.extend(requests.collect());
        }
        if let (Ok(gauge), Some(answers)) = (up(), counts.up) {
            gauge.set(i64::from(answers));
            families.extend(gauge.collect());
        }
        families
    }
}

#[cfg(test)]
mod tests {
    use city_model::EventTime;
    use wire_format::{SchemaAnswer, SchemaCounts};

    use super::*;
    use crate::metrics::Metrics;

    #[derive(Debug)]
    struct Fixed(SchemaCounts);

    impl SchemaSource for Fixed {
        fn ask(&self, _id: u32) -> SchemaAnswer {
            SchemaAnswer::Later
        }

        fn last(&self, _id: u32) -> SchemaAnswer {
            SchemaAnswer::Later
        }

        fn counts(&self) -> SchemaCounts {
            self.0
        }
    }

    fn text(counts: SchemaCounts) -> String {
        let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
        metrics.show_schemas(Arc::new(Fixed(counts))).unwrap();
        // Twice: a scrape adds nothing.
        metrics.text(EventTime::default()).unwrap();
        metrics.text(EventTime::default()).unwrap()
    }

    #[test]
    fn shows_what_the_registry_answered_and_nothing_before_the_first_request() {
        assert!(!text(SchemaCounts::default()).contains("schema_registry"));
        let shown = text(SchemaCounts {
            found: 2,
            failed: 3,
            up: Some(false),
            ..SchemaCounts::default()
        });
        for line in [
            "cityops_schema_registry_up 0",
            "cityops_schema_registry_requests_total{result=\"found\"} 2",
            "cityops_schema_registry_requests_total{result=\"failed\"} 3",
            "cityops_schema_registry_requests_total{result=\"unknown\"} 0",
        ] {
            assert!(
                shown.lines().any(|found| found == line),
                "{line} is not in\n{shown}"
            );
        }
    }
}
