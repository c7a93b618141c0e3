//! Watches whether the sources' coordinates are what they declare, and tells it: on the log, as a metric, in a result.

use std::sync::{Arc, Mutex, PoisonError};

use city_grid::suspicion::{Comparison, Evidence, Suspicion, Turn};
use stream_worker::{PlaceObserver, Setup};

use crate::metrics::Metrics;

/// All workers of a process share one watch: what a source does shows in all partitions together. What it has seen is not
/// kept over a restart; it is seen again.
pub struct SourceWatch {
    suspicion: Mutex<Suspicion>,
    metrics: Option<Arc<Metrics>>,
}

impl SourceWatch {
    /// A watch over the sources of a setup.
    pub fn new(setup: &Setup, metrics: Option<Arc<Metrics>>) -> SourceWatch {
        SourceWatch {
            suspicion: Mutex::new(Suspicion::new(setup.origin, setup.intake.listed())),
            metrics,
        }
    }

    /// The sources that are suspect now, by name.
    pub fn suspects(&self) -> Vec<Evidence> {
        // Sums stay sound after any panic: nothing between two of them can fail.
        self.suspicion
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .suspects()
    }
}

impl PlaceObserver for SourceWatch {
    fn compared(&self, comparisons: Vec<Comparison>) {
        let mut suspicion = self.suspicion.lock().unwrap_or_else(PoisonError::into_inner);
        let turns: Vec<Turn> = comparisons
            .into_iter()
            .filter_map(|comparison| suspicion.compare(comparison))
            .collect();
        let suspects = match &self.metrics {
            Some(_) => suspicion.suspects(),
            None => Vec::new(),
        };
        drop(suspicion);
        for turn in &turns {
            match turn {
                Turn::Rises(evidence) => {
                    warn(evidence, "a source seems to declare the wrong coordinate system")
                }
                Turn::Falls(evidence) => warn(
                    evidence,
                    "a source's coordinates agree with its declaration again",
                ),
            }
        }
        if let Some(metrics) = &self.metrics {
            for turn in &turns {
                if let Turn::Falls(evidence) = turn {
                    metrics.source_cleared(evidence);
                }
            }
            suspects
                .iter()
                .for_each(|evidence| metrics.source_suspect(evidence));
        }
    }
}

/// Says on the log what speaks against a source.
pub fn warn(evidence: &Evidence, message: &'static str) {
    let witnesses: Vec<&str> = evidence.witnesses.iter().map(|name| &**name).collect();
    tracing::warn!(
        source_system = %evidence.source_system,
        declared = %evidence.declared,
        looks_like = evidence.looks_like,
        witnesses = witnesses.join(" "),
        pairs = evidence.pairs,
        as_declared = evidence.as_declared,
        share = format!("{:.2}", evidence.share),
        observed_east_m = evidence.observed_m.0,
        observed_north_m = evidence.observed_m.1,
        predicted_east_m = evidence.predicted_m.0,
        predicted_north_m = evidence.predicted_m.1,
        residual_m = evidence.residual_m,
        "{message}"
    );
}

#[cfg(test)]
mod tests;
