//! What each threshold merges and finds, so that a budget of merges can pick one.

use crate::{Grouping, History, Judged, judge};

/// Thresholds are tried down to this; below it a rate is one in a million.
const LOWEST: i32 = -200;

/// A threshold and what it does.
#[derive(Debug, Clone)]
pub struct Step {
    /// The points from which on an event joins.
    pub threshold: i32,
    /// What it merges and finds.
    pub judged: Judged,
}

/// The steps of a history, from the strictest on.
#[derive(Debug, Clone, Default)]
pub struct Curve {
    /// Those that do something else than the one before.
    pub steps: Vec<Step>,
}

impl Curve {
    /// Tries one threshold after the other until the merged share passes `up_to` in some period.
    pub fn of(grouping: &mut Grouping<'_>, history: &History, up_to: f64) -> Curve {
        let mut curve = Curve::default();
        // One more than anything can have, so that the strictest step merges nothing.
        for threshold in (LOWEST..=grouping.highest() + 1).rev() {
            grouping.set_threshold(threshold);
            let judged = judge(history, &grouping.group(history));
            let is_beyond = judged.share() > up_to;
            if curve.steps.last().is_none_or(|last| last.judged != judged) {
                curve.steps.push(Step { threshold, judged });
            }
            if is_beyond {
                break;
            }
        }
        curve
    }

    /// The step that finds most labels while no period has a larger share merged than `budget`; of equals the strictest. So a
    /// larger budget never finds fewer.
    pub fn within(&self, budget: f64) -> Option<&Step> {
        self.best(|judged| judged.worst_share() <= budget)
    }

    /// The same where the share of the whole history counts.
    pub fn within_overall(&self, budget: f64) -> Option<&Step> {
        self.best(|judged| judged.share() <= budget)
    }

    fn best(&self, fits: impl Fn(&Judged) -> bool) -> Option<&Step> {
        let fitting = self.steps.iter().filter(|step| fits(&step.judged));
        fitting.fold(None, |best: Option<&Step>, step| match best {
            Some(best) if best.judged.found >= step.judged.found => Some(best),
            _ => Some(step),
        })
    }
}
