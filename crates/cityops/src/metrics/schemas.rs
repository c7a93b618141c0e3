//! How a schema registry answers: read from it when the metrics are, so that nobody has to pass counts on.

use std::sync::Arc;

use prometheus::core::Collector;
use prometheus::{IntCounterVec, IntGauge, Opts};
use wire_format::SchemaSource;

use super::asked::{Answers, AskedCollector, Names};

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

/// Collects a source's counts.
pub(super) fn collector(source: Arc<dyn SchemaSource>) -> prometheus::Result<impl Collector> {
    let names = Names {
        results: requests,
        up,
    };
    AskedCollector::new(names, move || {
        let counts = source.counts();
        let results = [
            ("found", counts.found),
            ("unknown", counts.unknown),
            ("unusable", counts.unusable),
            ("failed", counts.failed),
        ];
        Answers {
            results: counts.up.map_or_else(Vec::new, |_| results.to_vec()),
            up: counts.up,
        }
    })
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
