//! Others that are asked something, and how they answer: read from whoever asks when the metrics are, so that nobody has to pass counts on.

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounterVec, IntGauge};

/// How often what came of it, by the label `result`, and whether it answered last; `None` before the first time.
pub(super) struct Answers {
    pub(super) results: Vec<(&'static str, u64)>,
    pub(super) up: Option<bool>,
}

/// What the two metrics are called.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) results: fn() -> prometheus::Result<IntCounterVec>,
    pub(super) up: fn() -> prometheus::Result<IntGauge>,
}

/// Collects the answers of one that is asked.
pub(super) struct AskedCollector<F> {
    names: Names,
    answers: F,
    descriptions: Vec<Desc>,
}

impl<F: Fn() -> Answers + Send + Sync> AskedCollector<F> {
    pub(super) fn new(names: Names, answers: F) -> prometheus::Result<AskedCollector<F>> {
        let (results, up) = ((names.results)()?, (names.up)()?);
        Ok(AskedCollector {
            names,
            answers,
            descriptions: results.desc().into_iter().chain(up.desc()).cloned().collect(),
        })
    }
}

impl<F: Fn() -> Answers + Send + Sync> Collector for AskedCollector<F> {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let answers = (self.answers)();
        let mut families = Vec::new();
        // The same names were good when this was registered.
        if let Ok(results) = (self.names.results)()
            && !answers.results.is_empty()
        {
            for (result, count) in answers.results {
                results.with_label_values(&[result]).inc_by(count);
            }
            families.extend(results.collect());
        }
        if let (Ok(gauge), Some(answers)) = ((self.names.up)(), answers.up) {
            gauge.set(i64::from(answers));
            families.extend(gauge.collect());
        }
        families
    }
}
