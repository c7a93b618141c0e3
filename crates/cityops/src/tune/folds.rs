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
    let Some((&first, later)) = months.split_first() else {
        return Vec::new();
    };
    let month = |month: u32| history.part(move |_, sample| sample.period == month);
    let mut folds = Vec::new();
    let alone = month(first);
    let mut from_first = match later {
        [] => None,
        _ => Past::of(rules, &alone, name(first), budget),
    };
    let mut before = first;
    for (at, &own) in later.iter().enumerate() {
        let from = if at == 0 {
            name(first)
        } else {
            format!("{} to {}", name(first), name(before))
        };
        before = own;
        let Some(judged) = Later::of(rules, month(own), name(own)) else {
            continue;
        };
        let past = history.part(|_, sample| sample.period < own);
        let mut learned;
        // The second month's past is the first month, but for the rests of others.
        let whole_past = if past.samples().len() == alone.samples().len() {
            &mut from_first
        } else {
            learned = Past::of(rules, &past, from, budget);
            &mut learned
        };
        folds.extend(whole_past.as_mut().map(|past| past.fold(&judged, true)));
        if at > 0 {
            folds.extend(from_first.as_mut().map(|past| past.fold(&judged, false)));
        }
    }
    for &own in &months {
        let whole = month(own);
        let middle = whole.samples().len() / 2;
        let half = |late: bool| whole.part(move |at, _: &Sample| (at >= middle) == late);
        let of = |half: &str| format!("{}, {half} half", name(own));
        let Some(judged) = Later::of(rules, half(true), of("second")) else {
            continue;
        };
        let mut past = Past::of(rules, &half(false), of("first"), budget);
        folds.extend(past.as_mut().map(|past| past.fold(&judged, later.is_empty())));
    }
    folds
}

/// What was learned from a part of a history.
struct Past<'a> {
    name: String,
    rules: &'a Rules,
    grouping: Grouping<'a>,
    budget: f64,
    /// The threshold that the budget picked.
    kept: Option<i32>,
}

/// A part of a history that learned rules are judged on.
struct Later {
    name: String,
    history: History,
    /// What the present rules do to it.
    present: Judged,
}

impl Later {
    /// Without labels nothing can be judged.
    fn of(rules: &Rules, history: History, name: String) -> Option<Later> {
        (!history.links().is_empty()).then(|| Later {
            name,
            present: judge(&history, &Grouping::plain(rules).group(&history)),
            history,
        })
    }
}

impl<'a> Past<'a> {
    /// Without labels nothing can be learned.
    fn of(rules: &'a Rules, history: &History, name: String, budget: f64) -> Option<Past<'a>> {
        if history.links().is_empty() {
            return None;
        }
        let mut grouping = Grouping::learned(rules, &lesson(rules, history));
        let kept = Curve::of(&mut grouping, history, budget)
            .within(budget)
            .map(|step| step.threshold);
        Some(Past {
            name,
            rules,
            grouping,
            budget,
            kept,
        })
    }

    fn fold(&mut self, later: &Later, is_whole_past: bool) -> Fold {
        // Nothing within the budget: then nothing is merged.
        self.grouping.set_threshold(self.kept.unwrap_or(i32::MAX));
        let under_kept = judge(&later.history, &self.grouping.group(&later.history));
        let mut budgets = BUDGETS.to_vec();
        if !budgets.contains(&self.budget) {
            budgets.push(self.budget);
            budgets.sort_by(f64::total_cmp);
        }
        let up_to = budgets.iter().copied().fold(0.0, f64::max);
        let curve = Curve::of(&mut self.grouping, &later.history, up_to);
        let at = budgets.iter().filter_map(|budget| {
            let step = curve.within_overall(*budget)?;
            Some(Reached::of(&step.judged, Some(*budget), Some(step.threshold)))
        });
        let at = at.collect();
        let (others, _) = later.present.without_biggest();
        let biggest = later.present.biggest();
        Fold {
            learned_from: self.name.clone(),
            judged_on: later.name.clone(),
            is_whole_past,
            links: later.present.links,
            links_without_biggest: others,
            biggest: biggest.map(|kind| self.rules.kind(kind).name.to_string()),
            kept: Reached::of(&under_kept, Some(self.budget), self.kept),
            at,
            present: Reached::of(&later.present, None, None),
        }
    }
}

fn name(month: u32) -> String {
    format!("{:04}-{:02}", month / 12, month % 12 + 1)
}
