//! `cityops tune`: learns correlation rules from a labelled history, and says what they gain on months that they did not see.
//!
//! The learning is `rule-tuner`'s; here rows become its samples, months become periods, and the findings become words. Labels
//! are `duplicate_of`; where a history has none of these, each event counts as a duplicate of the one before it in its `truth`.

mod folds;
mod report;
mod samples;

use std::io::Read;

use anyhow::Context;
use city_rules::{KindId, Rules};
use jiff::tz::TimeZone;
use rule_tuner::{Curve, Grouping, History, Lesson, learn};

use crate::backtest;

pub use folds::{Fold, Reached};
pub use report::TuneReport;
pub use samples::samples;

/// Thresholds are tried until so much more than the budget is merged, so that the report can show what more would bring.
const BEYOND_BUDGET: f64 = 0.03;

/// Rules that were learned.
pub struct Tuned {
    /// The rules file.
    pub rules: String,
    /// What was found on the way.
    pub report: TuneReport,
}

/// Learns rules on top of `rules` from a history whose times without a zone are in `timezone`, merging at most `budget` of the
/// located events of any month.
///
/// # Errors
/// When the history cannot be read, lacks a mandatory column, or has no labels to learn from.
pub fn tune(timezone: &str, mut rules: Rules, csv: impl Read, budget: f64) -> anyhow::Result<Tuned> {
    let zone = TimeZone::get(timezone).with_context(|| format!("find the time zone {timezone:?}"))?;
    let rows = backtest::History::read(csv, &zone)?;
    for row in &rows.rows {
        rules.with_plain_kind(&row.kind);
    }
    let history = samples(&rules, &zone, &rows.rows);
    anyhow::ensure!(
        !history.links().is_empty(),
        "the history has no labels to learn from: no located pair by duplicate_of or truth, at most 500 m and 30 days apart"
    );
    let lesson = lesson(&rules, &history);
    let mut grouping = Grouping::learned(&rules, &lesson);
    let curve = Curve::of(&mut grouping, &history, budget + BEYOND_BUDGET);
    let step = curve
        .within(budget)
        .context("find a threshold within the budget")?;
    let folds = folds::run(&rules, &history, budget);
    let report = TuneReport::of(&rules, &rows, &history, &lesson, &curve, step, folds, budget);
    let text = rule_tuner::to_toml(&rules, &lesson, step.threshold, &step.judged, &report.head());
    Ok(Tuned { rules: text, report })
}

/// Whether the city allows that two kinds are one incident: only those of one safety class.
fn may_merge(rules: &Rules, one: KindId, other: KindId) -> bool {
    rules.kind(one).safety_class == rules.kind(other).safety_class
}

/// Learns from a history or a part of one.
fn lesson(rules: &Rules, history: &History) -> Lesson {
    learn(history, |one, other| may_merge(rules, one, other))
}

#[cfg(test)]
mod tests;
