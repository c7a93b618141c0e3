//! Folds in time: rules are learned from the past and judged on what came after.

use city_rules::Rules;
use rule_tuner::{Curve, Grouping, History, Judged, Sample, judge, wilson};
use serde::Serialize;

use super::lesson;
use crate::backtest::rounded;

/// The merged shares at which folds are compared, beside the budget.
const BUDGETS: [f64; 3] = [0.065, 0.085, 0.10];

/// A part of the past and what was judged with it.
#[derive(Debug, Clone, Serialize)]
pub struct Fold {
    /// What the rules were learned from.
    pub learned_from: String,
    /// What they were judged on.
    pub judged_on: String,
    /// Whether everything before the judged month was learned from: each month is judged once by such a fold.
    pub is_whole_past: bool,
    /// Labels in the judged part.
    pub links: usize,
    /// Those of all kinds but the one with most.
    pub links_without_biggest: usize,
    /// The kind with most labels in the judged part.
    pub biggest: Option<String>,
    /// With the threshold that the budget picked in the past, kept.
    pub kept: Reached,
    /// With the loosest threshold that merges no more of the judged part than this.
    pub at: Vec<Reached>,
    /// The rules as they are at present.
    pub present: Reached,
}

/// What a threshold reached.
#[derive(Debug, Clone, Serialize)]
pub struct Reached {
    /// The share that was allowed.
    pub budget: Option<f64>,
    /// The points from which on an event joins.
    pub threshold: Option<i32>,
    /// The share of the located events that was merged.
    pub merge_share: f64,
    /// Labels found.
    pub found: usize,
    /// Of all labels.
    pub link_recall: f64,
    /// The 95 % interval of that (Wilson).
    pub interval: Option<(f64, f64)>,
    /// The labels found of all kinds but the one with most.
    pub found_without_biggest: usize,
    /// Of their labels.
    pub recall_without_biggest: f64,
}

impl Reached {
    pub(super) fn of(judged: &Judged, budget: Option<f64>, threshold: Option<i32>) -> Reached {
        let (links, found) = judged.without_biggest();
        Reached {
            budget,
            threshold,
            merge_share: rounded(judged.share()),
            found: judged.found,
            link_recall: rounded(judged.recall()),
            interval: wilson(judged.found, judged.links).map(|(low, high)| (rounded(low), rounded(high))),
            found_without_biggest: found,
            recall_without_biggest: rounded(found as f64 / links.max(1) as f64),
        }
    }
}

/// Runs all folds of a history: each month after all before it, the later ones after the first alone, and the halves of each.
pub(super) fn run(rules: &Rules, history: &History, budget: f64) -> Vec<Fold> {
    let months = history.periods();
    let mut folds = Vec::new();
    let mut fold = |past: &History, judged: &History, names: (String, String), whole: bool| {
        if !past.links().is_empty() && !judged.links().is_empty() {
            folds.push(one(rules, past, judged, names, whole, budget));
        }
    };
    for (at, &month) in months.iter().enumerate().skip(1) {
        let judged = history.part(|_, sample| sample.period == month);
        let past = history.part(|_, sample| sample.period < month);
        let from = if at == 1 {
            name(months[0])
        } else {
            format!("{} to {}", name(months[0]), name(months[at - 1]))
        };
        fold(&past, &judged, (from, name(month)), true);
        if at > 1 {
            let first = history.part(|_, sample| sample.period == months[0]);
            fold(&first, &judged, (name(months[0]), name(month)), false);
        }
    }
    for &month in &months {
        let whole = history.part(|_, sample| sample.period == month);
        let middle = whole.samples().len() / 2;
        let half = |late: bool| whole.part(move |at, _: &Sample| (at >= middle) == late);
        let names = (
            format!("{}, first half", name(month)),
            format!("{}, second half", name(month)),
        );
        fold(&half(false), &half(true), names, months.len() == 1);
    }
    folds
}

fn one(
    rules: &Rules,
    past: &History,
    judged: &History,
    (learned_from, judged_on): (String, String),
    is_whole_past: bool,
    budget: f64,
) -> Fold {
    let lesson = lesson(rules, past);
    let mut grouping = Grouping::learned(rules, &lesson);
    let kept = Curve::of(&mut grouping, past, budget)
        .within(budget)
        .map(|step| step.threshold);
    let mut under = |threshold: i32| {
        grouping.set_threshold(threshold);
        judge(judged, &grouping.group(judged))
    };
    // Nothing within the budget: then nothing is merged.
    let under_kept = under(kept.unwrap_or(i32::MAX));
    let mut budgets = BUDGETS.to_vec();
    if !budgets.contains(&budget) {
        budgets.push(budget);
        budgets.sort_by(f64::total_cmp);
    }
    let up_to = budgets.iter().copied().fold(0.0, f64::max);
    let curve = Curve::of(&mut grouping, judged, up_to);
    let at = budgets.iter().filter_map(|budget| {
        let step = curve.within_overall(*budget)?;
        Some(Reached::of(&step.judged, Some(*budget), Some(step.threshold)))
    });
    let at = at.collect();
    let present = judge(judged, &Grouping::plain(rules).group(judged));
    let (others, _) = present.without_biggest();
    Fold {
        learned_from,
        judged_on,
        is_whole_past,
        links: present.links,
        links_without_biggest: others,
        biggest: present.biggest().map(|kind| rules.kind(kind).name.to_string()),
        kept: Reached::of(&under_kept, Some(budget), kept),
        at,
        present: Reached::of(&present, None, None),
    }
}

fn name(month: u32) -> String {
    format!("{:04}-{:02}", month / 12, month % 12 + 1)
}
