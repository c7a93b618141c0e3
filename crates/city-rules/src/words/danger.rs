//! Which of several readings of one text comes first where somebody may die. It decides no priority.

use city_model::Grade;

use super::WordHit;
use crate::kind::{KindId, KindRule};

/// How a kind's reading stands among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// It endangers life and says what does: fire, gas, a pit.
    Cause,
    /// It is about a person whose life is in danger, from whatever cause.
    Person,
    Usual,
    /// A matter of order.
    Minor,
}

/// What each kind weighs, by its number.
#[derive(Debug, Clone)]
pub(crate) struct Danger {
    weights: Vec<Weight>,
}

impl Danger {
    /// By the kinds' safety classes, grades and readers.
    pub(crate) fn new(kinds: &[KindRule]) -> Danger {
        let weight = |kind: &KindRule| match (kind.endangers_life(), kind.restricted) {
            (true, false) => Weight::Cause,
            (true, true) => Weight::Person,
            (false, _) if kind.grade == Grade::D => Weight::Minor,
            (false, _) => Weight::Usual,
        };
        Danger {
            weights: kinds.iter().map(weight).collect(),
        }
    }

    fn weight(&self, kind: KindId) -> Weight {
        let weight = self.weights.get(kind.index());
        weight.copied().unwrap_or(Weight::Usual)
    }

    /// Whether somebody may die of it.
    pub(super) fn is_vital(&self, kind: KindId) -> bool {
        matches!(self.weight(kind), Weight::Cause | Weight::Person)
    }

    /// What comes first among dangers to life: what says what endangers.
    pub(super) fn rank(&self, kind: KindId) -> u8 {
        match self.weight(kind) {
            Weight::Cause => 0,
            Weight::Person => 1,
            Weight::Usual | Weight::Minor => 2,
        }
    }

    /// Puts danger to life first among the readings that stand at the beginning, each with whether it does: a heap of
    /// garbage that burns is a fire. Who is in danger comes before matters of order alone: of a tree that fell on somebody
    /// the tree is the finer word, and a hint says the rest.
    pub(super) fn lead(&self, hits: &mut [(WordHit, bool)]) {
        let is_about_a_person = hits
            .iter()
            .any(|(hit, is_early)| *is_early && self.weight(hit.kind) == Weight::Person);
        hits.sort_by_key(|(hit, is_early)| match self.weight(hit.kind) {
            Weight::Cause if *is_early => 0,
            Weight::Minor if is_about_a_person => 2,
            _ => 1,
        });
    }
}
