//! The most frequent of very many things, in little memory.

use std::collections::{BTreeMap, BTreeSet};

/// Most codes that are kept.
const MOST_KEPT: usize = 200;
/// Most samples of words that are kept: as many as somebody reads.
const MOST_SAMPLES: usize = 200;
/// What records without a code or a name are counted under, whose words no rule maps either.
const WORDS: &str = "(words alone)";

/// Counts codes that no rule maps. At most 200 are kept by the space-saving method (Metwally et al., 2005): a new one takes
/// the place and the count of the least frequent, so a count is never too low, and too high by `over` at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unmapped {
    counts: BTreeMap<String, Frequency>,
    total: u64,
    samples: BTreeSet<String>,
}

/// How often a code came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frequency {
    /// At most so often.
    pub count: u64,
    /// At least `count` minus this.
    pub over: u64,
}

impl Unmapped {
    /// Counts `times` more of a code; returns its count before and after.
    pub fn add(&mut self, code: &str, times: u64) -> (u64, u64) {
        self.total += times;
        if let Some(known) = self.counts.get_mut(code) {
            let before = known.count;
            known.count += times;
            return (before, known.count);
        }
        let mut new = Frequency {
            count: times,
            over: 0,
        };
        if self.counts.len() >= MOST_KEPT {
            // Of equals the first in alphabetical order goes, so that a replay keeps the same ones.
            let least = self.counts.iter().min_by_key(|(_, frequency)| frequency.count);
            if let Some((code, least)) = least.map(|(code, least)| (code.clone(), *least)) {
                self.counts.remove(&code);
                new = Frequency {
                    count: least.count + times,
                    over: least.count,
                };
            }
        }
        self.counts.insert(code.to_owned(), new);
        (new.over, new.count)
    }

    /// Counts a record whose words alone could have told a kind, and keeps a sample of them if it is among the first 200 that
    /// differ.
    pub fn add_words(&mut self, sample: Option<String>) {
        self.add(WORDS, 1);
        if self.samples.len() < MOST_SAMPLES {
            self.samples.extend(sample);
        }
    }

    /// The samples of words, in alphabetical order.
    pub fn samples(&self) -> impl Iterator<Item = &str> {
        self.samples.iter().map(String::as_str)
    }

    /// All records with an unmapped code.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The codes that are kept, the most frequent first.
    pub fn top(&self) -> Vec<(&str, Frequency)> {
        let mut top: Vec<_> = self.counts.iter().map(|(code, f)| (code.as_str(), *f)).collect();
        top.sort_by_key(|(_, frequency)| std::cmp::Reverse(frequency.count));
        top
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frequent_stay_whatever_comes_once() {
        let mut unmapped = Unmapped::default();
        for round in 0..1_000_u64 {
            unmapped.add("often", 1);
            if round % 3 == 0 {
                unmapped.add("seldom", 1);
            }
            unmapped.add(&format!("once {round}"), 1);
        }
        assert_eq!(unmapped.counts.len(), MOST_KEPT);
        assert_eq!(unmapped.total(), 2_334);
        let top = unmapped.top();
        assert_eq!(
            top[0],
            (
                "often",
                Frequency {
                    count: 1_000,
                    over: 0
                }
            )
        );
        assert_eq!(top[1], ("seldom", Frequency { count: 334, over: 0 }));
        assert!(
            top.iter()
                .all(|(_, f)| f.over < f.count && f.count - f.over <= 1_000)
        );
        let sum: u64 = top.iter().map(|(_, f)| f.count).sum();
        assert_eq!(sum, unmapped.total(), "space-saving keeps the sum");
    }

    #[test]
    fn words_are_counted_as_one_and_sampled() {
        let mut unmapped = Unmapped::default();
        for round in 0..=MOST_SAMPLES {
            unmapped.add_words(Some(format!("words {round:03}")));
            unmapped.add_words(Some("words 000".to_owned()));
        }
        unmapped.add_words(None);
        let count = 2 * (MOST_SAMPLES as u64 + 1) + 1;
        assert_eq!(unmapped.top(), [(WORDS, Frequency { count, over: 0 })]);
        let samples: Vec<&str> = unmapped.samples().collect();
        assert_eq!((samples.len(), samples[0]), (MOST_SAMPLES, "words 000"));
    }

    #[test]
    fn a_count_tells_what_it_was() {
        let mut unmapped = Unmapped::default();
        assert_eq!(unmapped.add("a", 3), (0, 3));
        assert_eq!(unmapped.add("a", 2), (3, 5));
        assert_eq!(unmapped.top(), [("a", Frequency { count: 5, over: 0 })]);
    }
}
