//! Whether a grid is good enough to start with: its findings against `[grid.limits]`.

use std::collections::BTreeMap;
use std::fmt;

use city_grid::{Finding, Layer, Limits, Verdict, check};
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
pub(crate) fn admit(loaded: &Loaded, layer: &Layer) -> Result<(), ConfigError> {
    let limits = &loaded.config.grid.limits;
    let mut findings = if limits.need_measuring() {
        check::check_by(layer, limits)
    } else {
        check::loaded(layer)
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

/// # Errors
/// The worst finding that the limits refuse, with the key of its limit.
pub(crate) fn judge(loaded: &Loaded, layer: &Layer, findings: &[Finding]) -> Result<(), ConfigError> {
    let limits = &loaded.config.grid.limits;
    let mut refused = findings
        .iter()
        .filter(|finding| limits.judge(finding) == Verdict::Refuse);
    let Some(worst) = refused.next() else {
        return Ok(());
    };
    let more = match refused.count() {
        0 => String::new(),
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
