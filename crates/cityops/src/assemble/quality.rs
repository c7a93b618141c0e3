//! Whether a grid is good enough to start with: its findings against `[grid.limits]`.

use std::collections::BTreeMap;
use std::fmt;

use city_grid::{Finding, Geometry, Layer, Limits, Timeline, Verdict, check};
use city_rules::ConfigError;
use serde_json::json;

use crate::config::Loaded;

/// So many flaws of a layer are logged one by one at a start.
const LOGGED_MAX: usize = 20;

/// Lets a layer in, with its flaws in the log. What loading found is judged always; the ground is measured only when a limit
/// asks for it, for that takes seconds on a large layer.
///
/// # Errors
/// When a finding is one that the limits refuse.
pub(crate) fn admit(loaded: &Loaded, layer: &Timeline) -> Result<(), ConfigError> {
    let limits = &loaded.config.grid.limits;
    let mut findings = if limits.need_measuring() {
        measured(layer, limits)
    } else {
        of_states(layer, check::loaded)
    };
    findings.retain(|finding| limits.judge(finding) != Verdict::Ignore);
    judge(loaded, layer, &findings)?;
    for finding in findings.iter().take(LOGGED_MAX) {
        tracing::warn!(layer = %layer.name(), %finding, "the grid has a flaw");
    }
    if findings.len() > LOGGED_MAX {
        let more = findings.len() - LOGGED_MAX;
        tracing::warn!(layer = %layer.name(), more, "the grid has more flaws: cityops grid check lists them");
    }
    Ok(())
}

/// Everything that is wrong with a layer, the ground measured, worst first.
pub(crate) fn measured(layer: &Timeline, limits: &Limits) -> Vec<Finding> {
    of_states(layer, |state| check::check_by(state, limits))
}

/// What is wrong with a cell is told once, however many states of the layer it lasts.
fn of_states(layer: &Timeline, check: impl Fn(&Layer) -> Vec<Finding>) -> Vec<Finding> {
    let states = layer.states();
    let mut findings: Vec<Finding> = states.flat_map(|(_, state)| check(state)).collect();
    findings.sort();
    findings.dedup_by(|again, kept| {
        let is_same = again == kept;
        // where the cell is not there yet, or no more, the finding has no ground to show
        if is_same && kept.geometry == Geometry::None {
            std::mem::swap(again, kept);
        }
        is_same
    });
    findings.sort_by(Finding::worst_first);
    findings
}

/// # Errors
/// The worst finding that the limits refuse, with the key of its limit.
fn judge(loaded: &Loaded, layer: &Timeline, findings: &[Finding]) -> Result<(), ConfigError> {
    let limits = &loaded.config.grid.limits;
    let mut refused = findings
        .iter()
        .filter(|finding| limits.judge(finding) == Verdict::Refuse);
    let Some(worst) = refused.next() else {
        return Ok(());
    };
    let more = match refused.count() {
        0 => String::new(),
        1 => ", and 1 more finding that is refused".to_owned(),
        more => format!(", and {more} more findings that are refused"),
    };
    let key = Limits::key(worst.what);
    let message = format!(
        "layer \"{}\": {worst}{more}; refused by \"grid.limits.{key}\"",
        layer.name()
    );
    Err(loaded.wrong("grid.limits", key, &message))
}

/// How many findings of each kind a layer has.
pub(crate) struct Counts {
    layer: String,
    /// By kind: how many, their ground in m², the largest.
    kinds: BTreeMap<&'static str, (usize, f64, f64)>,
}

impl Counts {
    pub(crate) fn of(layer: &str, findings: &[Finding]) -> Counts {
        let mut kinds = BTreeMap::new();
        for finding in findings {
            let (count, sum, largest) = kinds.entry(finding.what.name()).or_insert((0, 0.0, 0.0f64));
            let area_m2 = finding.area_m2.unwrap_or(0.0);
            *count += 1;
            *sum += area_m2;
            *largest = largest.max(area_m2);
        }
        let layer = layer.to_owned();
        Counts { layer, kinds }
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        let counts: BTreeMap<&str, usize> = self.kinds.iter().map(|(kind, told)| (*kind, told.0)).collect();
        json!({ "layer": self.layer, "findings": counts })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.layer)?;
        if self.kinds.is_empty() {
            return f.write_str("no flaw");
        }
        for (at, (kind, &(count, sum, largest))) in self.kinds.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}{count} {kind}")?;
            if sum > 0.0 {
                write!(f, " ({sum:.0} m², the largest {largest:.0} m²)")?;
            }
        }
        Ok(())
    }
}
