//! What tuning found, as JSON and as text for a terminal.

use std::fmt::Write;

use city_rules::{KindId, Rules};
use rule_tuner::{Curve, Evidence, History, Lesson, Step, wilson};
use serde::Serialize;

use super::folds::{Fold, Reached};
use crate::backtest::{self, percent, rounded};

/// The text shows so many kinds, pairs and kinds that never merge.
const SHOWN: usize = 12;

/// What tuning found.
#[derive(Debug, Clone, Serialize)]
pub struct TuneReport {
    /// Events of the history.
    pub events: usize,
    /// Those with a position.
    pub located: usize,
    /// Labels that count.
    pub links: usize,
    /// The largest share of a month that may be merged.
    pub merge_budget: f64,
    /// On the months that the rules had not seen, each judged once.
    pub expected: Option<Expected>,
    /// Folds in time.
    pub folds: Vec<Fold>,
    /// What the rules do to the history that they were learned from: better than what they will do.
    pub learned: Reached,
    /// Other thresholds on the same history, from strict to loose.
    pub thresholds: Vec<Reached>,
    /// Kinds of which two never merge by nearness, most events first.
    pub never: Vec<KindTold>,
    /// Kinds that are one thing under two names, most labels first.
    pub pairs: Vec<PairTold>,
    /// The kinds that merge, most labels first.
    pub kinds: Vec<KindTold>,
    /// Rows that could not be read, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<backtest::Skipped>,
}

/// What is to be expected: the sum over the folds that learned from the whole past.
#[derive(Debug, Clone, Serialize)]
pub struct Expected {
    /// Labels judged.
    pub links: usize,
    /// Found with the threshold that the past picked.
    pub found: usize,
    /// Their share.
    pub link_recall: f64,
    /// Its 95 % interval (Wilson).
    pub interval: Option<(f64, f64)>,
    /// The largest share of a judged month that was merged.
    pub merge_share: f64,
    /// The present rules on the same months: labels found.
    pub present_found: usize,
    /// Their share.
    pub present_recall: f64,
    /// The largest share of a judged month that they merged.
    pub present_merge_share: f64,
}

/// A kind and what was seen of it.
#[derive(Debug, Clone, Serialize)]
pub struct KindTold {
    /// Its name.
    pub kind: String,
    /// Located events.
    pub events: usize,
    /// Those that are merged.
    pub merged: usize,
    /// Those that had a candidate of their own kind within the widest bands.
    pub candidates: usize,
    /// Labels within the kind.
    pub links: usize,
    /// The farthest distance at which two merge, in metres.
    pub radius_m: Option<f64>,
    /// The longest gap after which two merge, in hours.
    pub gap_h: Option<f64>,
    /// The highest threshold at which two can merge at all; none where nothing was marked.
    pub merges_from: Option<i32>,
}

/// Two kinds that are one thing.
#[derive(Debug, Clone, Serialize)]
pub struct PairTold {
    /// The two.
    pub kinds: [String; 2],
    /// Labels between them; none where a third kind joins the two.
    pub links: usize,
    /// Events of one whose best candidate was of the other.
    pub candidates: usize,
}

impl TuneReport {
    #[expect(clippy::too_many_arguments, reason = "everything that was found, each once")]
    pub(super) fn of(
        rules: &Rules,
        rows: &backtest::History,
        history: &History,
        lesson: &Lesson,
        curve: &Curve,
        step: &Step,
        folds: Vec<Fold>,
        merge_budget: f64,
    ) -> TuneReport {
        let table = lesson.table.clone().with_threshold(step.threshold);
        let name = |kind: KindId| rules.kind(kind).name.to_string();
        let (mut never, mut kinds) = (Vec::new(), Vec::new());
        for (kind, [events, merged, _, _]) in &step.judged.kinds {
            let Evidence {
                candidates, links, ..
            } = lesson.evidence.get(&(*kind, *kind)).copied().unwrap_or_default();
            let reach = table.reach(*kind, *kind);
            let told = KindTold {
                kind: name(*kind),
                events: *events,
                merged: *merged,
                candidates,
                links,
                radius_m: reach.map(|(mm, _)| mm as f64 / 1_000.0),
                gap_h: reach.map(|(_, ms)| ms as f64 / 3_600_000.0),
                merges_from: table.highest(*kind, *kind),
            };
            if reach.is_some() {
                kinds.push(told)
            } else {
                never.push(told)
            }
        }
        // Stable sorts: equal ones stay in alphabetical order.
        never.sort_by_key(|told| std::cmp::Reverse(told.events));
        kinds.sort_by_key(|told| std::cmp::Reverse((told.links, told.merged)));
        let mut pairs: Vec<PairTold> = lesson
            .pairs
            .iter()
            .filter(|(one, other)| table.reach(*one, *other).is_some())
            .map(|pair| {
                let evidence = lesson.evidence.get(pair).copied().unwrap_or_default();
                PairTold {
                    kinds: [name(pair.0), name(pair.1)],
                    links: evidence.links,
                    candidates: evidence.candidates,
                }
            })
            .collect();
        pairs.sort_by_key(|told| std::cmp::Reverse(told.links));
        TuneReport {
            events: rows.rows.len(),
            located: history.samples().len(),
            links: history.links().len(),
            merge_budget,
            expected: Expected::of(&folds),
            folds,
            learned: Reached::of(&step.judged, Some(merge_budget), Some(step.threshold)),
            thresholds: curve
                .steps
                .iter()
                .map(|step| Reached::of(&step.judged, None, Some(step.threshold)))
                .collect(),
            never,
            pairs,
            kinds,
            skipped: (rows.skipped.rows > 0).then(|| rows.skipped.clone()),
        }
    }

    /// The comments that stand above the rules.
    pub(super) fn head(&self) -> Vec<String> {
        let mut head = vec![
            "Correlation rules learned from a labelled history by `cityops tune`.".to_owned(),
            format!(
                "{} events, {} of them with a position, {} labelled pairs; merge budget {} of any month.",
                self.events,
                self.located,
                self.links,
                percent(self.merge_budget)
            ),
        ];
        if let Some(expected) = &self.expected {
            head.push(expected.sentence());
        }
        head.push("On the history itself, which flatters (a higher threshold merges less):".to_owned());
        let mut shown = 0;
        for step in &self.thresholds {
            // The first beyond each whole percent, and the one that was picked.
            let percents = (step.merge_share * 100.0) as i64;
            if percents <= shown && step.threshold != self.learned.threshold {
                continue;
            }
            shown = percents;
            let mark = if step.threshold == self.learned.threshold {
                "  <"
            } else {
                ""
            };
            head.push(format!(
                "  threshold {:>4}: {:>6} of the events merged, {:>6} of the links found{mark}",
                step.threshold.unwrap_or_default(),
                percent(step.merge_share),
                percent(step.link_recall),
            ));
        }
        head
    }

    /// The share of the located events that staff marked as a duplicate, where that is more than may be merged.
    fn marked_beyond_budget(&self) -> Option<f64> {
        let marked = self.links as f64 / self.located.max(1) as f64;
        (marked > self.merge_budget).then_some(marked)
    }

    /// The report as text for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let mut line = |line: String| {
            let _ = writeln!(text, "{}", line.trim_end());
        };
        line(format!(
            "{} events, {} with a position, {} labelled pairs; at most {} of any month may be merged",
            self.events,
            self.located,
            self.links,
            percent(self.merge_budget)
        ));
        if let Some(expected) = &self.expected {
            line(expected.sentence());
        }
        if let Some(marked) = self.marked_beyond_budget() {
            line(format!(
                "staff marked {} as duplicates, more than may be merged: so many of them are left out by the budget, whatever the rules",
                percent(marked)
            ));
        }
        line(format!(
            "threshold {}: merges {} of this history and finds {} of its links",
            self.learned.threshold.unwrap_or_default(),
            percent(self.learned.merge_share),
            percent(self.learned.link_recall)
        ));
        line(String::new());
        line(
            "links found in months that were not learned from (all kinds / all but the one with most links)"
                .to_owned(),
        );
        for fold in &self.folds {
            line(format!(
                "  from {}, judged on {}: {} links, {} without {}",
                fold.learned_from,
                fold.judged_on,
                fold.links,
                fold.links_without_biggest,
                fold.biggest.as_deref().unwrap_or("the biggest kind")
            ));
            for reached in &fold.at {
                let at = format!("at most {}", percent(reached.budget.unwrap_or_default()));
                line(format!("    {at:<22}{}", told(reached)));
            }
            line(format!("    {:<22}{}", "threshold kept", told(&fold.kept)));
            line(format!("    {:<22}{}", "present rules", told(&fold.present)));
        }
        line(String::new());
        line("kinds that merge (links, merged of events, farthest, latest)".to_owned());
        for kind in self.kinds.iter().take(SHOWN) {
            line(format!(
                "  {}: {} links, {} of {}, {} m, {} h",
                kind.kind,
                kind.links,
                kind.merged,
                kind.events,
                kind.radius_m.unwrap_or_default(),
                kind.gap_h.unwrap_or_default()
            ));
        }
        line(String::new());
        line("one thing under two names (links between them, candidates)".to_owned());
        for pair in self.pairs.iter().take(SHOWN) {
            let [one, other] = &pair.kinds;
            line(format!(
                "  {one} = {other}: {} links, {} candidates",
                pair.links, pair.candidates
            ));
        }
        line(String::new());
        line(format!(
            "{} kinds never merge at threshold {}: even at their nearest they are marked too rarely for it",
            self.never.len(),
            self.learned.threshold.unwrap_or_default()
        ));
        for kind in self.never.iter().take(SHOWN) {
            let from = match kind.merges_from {
                Some(from) if kind.links > 0 => format!(", would merge from threshold {from} on"),
                _ => String::new(),
            };
            line(format!(
                "  {}: {} events, {} with a neighbour, {} links{from}",
                kind.kind, kind.events, kind.candidates, kind.links
            ));
        }
        if let Some(skipped) = &self.skipped {
            line(format!("{} rows could not be read", skipped.rows));
            for reason in &skipped.first {
                line(format!("  {reason}"));
            }
        }
        text
    }
}

impl Expected {
    fn of(folds: &[Fold]) -> Option<Expected> {
        let whole: Vec<&Fold> = folds.iter().filter(|fold| fold.is_whole_past).collect();
        let sum = |of: fn(&Fold) -> usize| whole.iter().map(|fold| of(fold)).sum::<usize>();
        let most = |of: fn(&Fold) -> f64| whole.iter().map(|fold| of(fold)).fold(0.0, f64::max);
        let (links, found) = (sum(|fold| fold.links), sum(|fold| fold.kept.found));
        let present_found = sum(|fold| fold.present.found);
        (links > 0).then(|| Expected {
            links,
            found,
            link_recall: rounded(found as f64 / links as f64),
            interval: wilson(found, links).map(|(low, high)| (rounded(low), rounded(high))),
            merge_share: most(|fold| fold.kept.merge_share),
            present_found,
            present_recall: rounded(present_found as f64 / links as f64),
            present_merge_share: most(|fold| fold.present.merge_share),
        })
    }

    fn sentence(&self) -> String {
        let (low, high) = self.interval.unwrap_or_default();
        format!(
            "Expected on unseen months: {} of the links ({} to {}, 95 %) at {} merged or less; the present rules find {} at up to {}.",
            percent(self.link_recall),
            percent(low),
            percent(high),
            percent(self.merge_share),
            percent(self.present_recall),
            percent(self.present_merge_share)
        )
    }
}

fn told(reached: &Reached) -> String {
    let (low, high) = reached.interval.unwrap_or_default();
    format!(
        "{} ({} to {}) / {} at {} merged",
        percent(reached.link_recall),
        percent(low),
        percent(high),
        percent(reached.recall_without_biggest),
        percent(reached.merge_share)
    )
}
