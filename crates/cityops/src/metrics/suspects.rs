//! Sources that look like another coordinate system than they declare.

use city_grid::suspicion::Evidence;

use super::Metrics;

impl Metrics {
    /// A source looks like another coordinate system than it declares.
    pub fn source_suspect(&self, evidence: &Evidence) {
        self.source_suspect
            .with_label_values(&suspect_labels(evidence))
            .set(evidence.share);
    }

    /// It does no longer.
    pub fn source_cleared(&self, evidence: &Evidence) {
        // A series that is not there needs no removing.
        let _ = self.source_suspect.remove_label_values(&suspect_labels(evidence));
    }
}

/// Configured sources and `other`, and two closed sets.
fn suspect_labels(evidence: &Evidence) -> [&str; 3] {
    [
        &evidence.source_system,
        evidence.declared.name(),
        evidence.looks_like,
    ]
}
