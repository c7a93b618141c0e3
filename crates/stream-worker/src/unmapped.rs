//! The most frequent of very many things, in little memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most codes that are kept.
const MOST_KEPT: usize = 200;
/// Most samples of words that are told: as many as somebody reads.
const MOST_SAMPLES: usize = 200;
/// The length of a sample, in characters.
const SAMPLE_CHARS: usize = 4;
/// In how many records a sample must have stood. A name that nothing announces cannot be told from other words; but what many
/// tickets say is what they are about, not who.
const LEAST_RECORDS: u32 = 10;
/// Most different samples that are counted.
const MOST_COUNTED: usize = 20_000;
/// What records without a code or a name are counted under, whose words no rule maps either.
const WORDS: &str = "(words alone)";

/// Counts codes that no rule maps. At most 200 are kept by the space-saving method (Metwally et al., 2005): a new one takes
/// the place and the count of the least frequent, so a count is never too low, and too high by `over` at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unmapped {
    counts: BTreeMap<String, Frequency>,
    total: u64,
    samples: HashMap<String, u32>,
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

    /// Counts a record whose words alone could have told a kind, and every four characters of them.
    pub fn add_words(&mut self, words: Option<&str>) {
        self.add(WORDS, 1);
        let letters: Vec<char> = words.unwrap_or_default().chars().collect();
        let said: BTreeSet<String> = letters
            .windows(SAMPLE_CHARS)
            .filter(|window| window.iter().all(|c| c.is_alphabetic()))
            .map(|window| window.iter().collect())
            .collect();
        for sample in said {
            if let Some(records) = self.samples.get_mut(&sample) {
                *records = records.saturating_add(1);
            } else if self.samples.len() < MOST_COUNTED {
                self.samples.insert(sample, 1);
            }
        }
    }

    /// Four characters at a time, what the words of at least ten records have in common; the most frequent first.
    pub fn samples(&self) -> impl Iterator<Item = &str> {
        let common = self
            .samples
            .iter()
            .filter(|(_, records)| **records >= LEAST_RECORDS);
        let mut common: Vec<_> = common
            .map(|(said, records)| (std::cmp::Reverse(*records), said))
            .collect();
        common.sort_unstable();
        common.truncate(MOST_SAMPLES);
        common.into_iter().map(|(_, said)| said.as_str())
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
    fn of_words_is_told_what_several_records_say() {
        let mut unmapped = Unmapped::default();
        for _ in 0..5 {
            unmapped.add_words(Some("我家楼道灯不亮"));
            unmapped.add_words(Some("三楼楼道灯不亮。张小明"));
        }
        unmapped.add_words(None);
        assert_eq!(unmapped.top(), [(WORDS, Frequency { count: 11, over: 0 })]);
        let samples: Vec<&str> = unmapped.samples().collect();
        assert_eq!(
            samples,
            ["楼道灯不", "道灯不亮"],
            "what stands in few is not told"
        );
    }

    #[test]
    fn a_count_tells_what_it_was() {
        let mut unmapped = Unmapped::default();
        assert_eq!(unmapped.add("a", 3), (0, 3));
        assert_eq!(unmapped.add("a", 2), (3, 5));
        assert_eq!(unmapped.top(), [("a", Frequency { count: 5, over: 0 })]);
    }
}
