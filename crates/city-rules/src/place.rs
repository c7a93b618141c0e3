//! What a place itself adds to urgency, by the codes of cells: many people live there, or a major event is held there.

use std::collections::{BTreeMap, BTreeSet};

use city_model::{EventTime, Severity};

use crate::{KindId, Text};

/// The cells in the top tenth of population.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DenseCells {
    codes: BTreeSet<String>,
    lengths: BTreeSet<usize>,
}

impl DenseCells {
    /// The most populous tenth of the cells of each level, rounded down, and those that are as populous; codes of one length are
    /// one level, for codes nest.
    pub(crate) fn of(population: &BTreeMap<String, u64>) -> DenseCells {
        let mut levels: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for (code, people) in population {
            levels.entry(code.len()).or_default().push(*people);
        }
        let least = |people: &mut Vec<u64>| {
            people.sort_unstable_by(|a, b| b.cmp(a));
            (people.len() / 10).checked_sub(1).map(|last| people[last])
        };
        let least: BTreeMap<usize, Option<u64>> = levels
            .iter_mut()
            .map(|(length, people)| (*length, least(people)))
            .collect();
        let is_dense = |code: &str, people: u64| {
            least
                .get(&code.len())
                .copied()
                .flatten()
                .is_some_and(|least| people >= least && people > 0)
        };
        let codes: BTreeSet<String> = population
            .iter()
            .filter(|(code, people)| is_dense(code, **people))
            .map(|(code, _)| code.clone())
            .collect();
        DenseCells {
            lengths: codes.iter().map(String::len).collect(),
            codes,
        }
    }

    /// Whether a cell is one of them, or lies in one.
    pub fn contains(&self, code: &str) -> bool {
        let mut wider = self.lengths.iter().filter_map(|length| code.get(..*length));
        wider.any(|code| self.codes.contains(code))
    }
}

/// A declared area of a major event (进博会, 中高考 and the like).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaRule {
    /// Its name in the rules.
    pub name: String,
    /// Codes of cells; one stands for all cells whose codes begin with it.
    pub cells: Vec<String>,
    /// From then on.
    pub from: EventTime,
    /// Until before then.
    pub until: EventTime,
    /// For these kinds; empty means all.
    pub kinds: Vec<KindId>,
    /// The reason.
    pub text: Text,
}

impl AreaRule {
    /// Whether it holds for a kind at a moment, wherever it is.
    pub fn holds(&self, kind: KindId, at: EventTime) -> bool {
        self.from <= at && at < self.until && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }

    /// Whether a cell lies in it.
    pub fn contains(&self, code: &str) -> bool {
        self.cells.iter().any(|cell| code.starts_with(cell.as_str()))
    }
}

/// What holds while a warning stands, and for a while after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StormRules {
    /// Gap and longest life of kinds that mind the weather are so many times as long; at least 1.
    pub stretch: i64,
    /// How long after a warning that is so, in milliseconds.
    pub aftermath_ms: i64,
    /// From this severity on one reading of a sensor is confirmation enough, while the warning stands. `None`: never.
    pub confirm_at: Option<Severity>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_tenth_of_each_level_is_dense_with_all_that_lies_in_it() {
        let cells = (0..20).map(|n| (format!("3101170{n:02}"), n * 100));
        let mut population: BTreeMap<String, u64> = cells.collect();
        population.insert("31".to_owned(), 9_999_999); // one of a level is no tenth of it
        let dense = DenseCells::of(&population);
        assert!(dense.contains("310117019") && dense.contains("310117018003"));
        assert!(!dense.contains("310117017") && !dense.contains("3101") && !dense.contains("格格格格"));
        assert!(!DenseCells::default().contains("310117019"));
    }
}
