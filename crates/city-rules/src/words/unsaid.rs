//! What a text names and does not say: "no ponding", "not parking but a collapse", a hospital that is called after a pond.

use std::collections::{BTreeMap, BTreeSet};

use super::scan::Seen;
use crate::file::RawUnsaid;

/// Most words of `between` behind one of `before`.
const MOST_BETWEEN: usize = 2;
/// How far before one of `after` a word may end, in bytes: 3 Chinese characters. Proposal: "积水都已经退了".
const AFTER_REACH: usize = 9;
/// How far behind a denial one of `either` may stand, in bytes: 12 Chinese characters, the two sides of "not A then B".
const EITHER_REACH: usize = 36;

/// How far behind a feared danger may stand what makes it real, in bytes: 12 Chinese characters, the next clause.
const REAL_REACH: usize = 36;
/// How far around a word of the present what is said belongs to it, in bytes: 30 Chinese characters, the clauses before
/// and behind.
const NOW_REACH: usize = 90;

/// How far behind a word of a story what it tells may begin, in bytes: 8 Chinese characters. Proposal: "以前楼里有过".
const TOLD_REACH: usize = 24;

/// The numbers of the words that deny others, or hold them.
#[derive(Debug, Clone, Default)]
pub(super) struct Unsaid {
    before: Vec<u32>,
    between: Vec<u32>,
    right_before: Vec<u32>,
    after: Vec<u32>,
    asks: Vec<u32>,
    either: Vec<u32>,
    /// Names and idioms.
    holding: Vec<u32>,
    missed: BTreeSet<u32>,
    told: Vec<u32>,
    over: Vec<u32>,
    once: Vec<u32>,
    again: Vec<u32>,
    present: Vec<u32>,
    real: Vec<u32>,
    withdrawn: Vec<u32>,
    /// Exclusions that one of `real` takes back.
    feared: BTreeSet<u32>,
    /// Exclusions that begin with a denial of so many bytes, as "nobody is trapped".
    denying: BTreeMap<u32, usize>,
    /// Words from this number on are no phrases' of kinds or hints, and are left alone.
    said: u32,
}

impl Unsaid {
    /// `said` words belong to kinds and hints so far; `denying` of them are exclusions that begin with a denial, `feared`
    /// those that one of `real` takes back.
    pub(super) fn new(
        raw: &RawUnsaid,
        said: usize,
        denying: BTreeMap<u32, usize>,
        feared: BTreeSet<u32>,
        mut number: impl FnMut(&str) -> u32,
    ) -> Unsaid {
        let mut numbers = |words: &[String]| -> Vec<u32> {
            let words = words.iter().filter(|word| !word.trim().is_empty());
            words.map(|word| number(word)).collect()
        };
        let mut holding = numbers(&raw.names);
        holding.extend(numbers(&raw.idioms));
        Unsaid {
            before: numbers(&raw.before),
            between: numbers(&raw.between),
            right_before: numbers(&raw.right_before),
            after: numbers(&raw.after),
            asks: numbers(&raw.asks),
            either: numbers(&raw.either),
            holding,
            told: numbers(&raw.told),
            over: numbers(&raw.over),
            once: numbers(&raw.once),
            again: numbers(&raw.again),
            present: numbers(&raw.present),
            real: numbers(&raw.real),
            feared,
            withdrawn: numbers(&raw.withdrawn),
            missed: numbers(&raw.missed).into_iter().collect(),
            denying,
            said: u32::try_from(said).unwrap_or(u32::MAX),
        }
    }

    /// Takes what is not said out of what was seen. Most texts deny nothing, and stay as they are.
    pub(super) fn strike(&self, seen: &mut Seen) {
        let asks = places(seen, &self.asks);
        // "Whether nobody is trapped" excludes nothing.
        if !asks.is_empty() {
            let is_asked = |from: usize, to: usize| asks.iter().any(|ask| ask.0 <= from && to <= ask.1);
            seen.strike(|_, word, (from, _)| {
                let denial = self.denying.get(&word);
                denial.is_some_and(|bytes| is_asked(from, from + bytes))
            });
        }
        // "After the fire" is a story, "after the fire it still burns" is none.
        let real = places(seen, &self.real);
        if !real.is_empty() && !self.feared.is_empty() {
            seen.strike(|seen, word, (from, to)| {
                let is_real = |(start, _): &(usize, usize)| {
                    (to..=to + REAL_REACH).contains(start) && seen.sentence(*start) == seen.sentence(from)
                };
                self.feared.contains(&word) && real.iter().any(is_real)
            });
        }
        let places = |words: &[u32]| places(seen, words);
        let either = places(&self.either);
        let is_none = |(from, to): &(usize, usize)| {
            asks.iter().any(|ask| ask.0 <= *from && *to <= ask.1)
                || either
                    .iter()
                    .any(|(start, _)| (*to..=*to + EITHER_REACH).contains(start))
        };
        let ends = |words: &[u32]| -> BTreeSet<usize> {
            let places = places(words).into_iter().filter(|place| !is_none(place));
            places.map(|(_, end)| end).collect()
        };
        let mut denied = ends(&self.before);
        let right_before = ends(&self.right_before);
        // What stands inside a word that is denied outright is denied with it: the leak in "no leakage".
        let inside: Vec<(usize, usize)> = if denied.is_empty() && right_before.is_empty() {
            Vec::new()
        } else {
            let is_meant = |word: u32, from: usize| {
                self.is_deniable(word) && (denied.contains(&from) || right_before.contains(&from))
            };
            seen.spans(is_meant)
        };
        if !denied.is_empty() {
            let between = places(&self.between);
            for _ in 0..MOST_BETWEEN {
                let next = between.iter().filter(|(from, _)| denied.contains(from));
                let next: Vec<usize> = next.map(|(_, to)| *to).collect();
                denied.extend(next);
            }
        }
        denied.extend(right_before);
        let after = places(&self.after).into_iter().filter(|place| !is_none(place));
        let mut after: Vec<usize> = after.map(|(start, _)| start).collect();
        let once = if places(&self.again).is_empty() {
            after.extend(places(&self.over).into_iter().map(|(start, _)| start));
            places(&self.once)
                .into_iter()
                .filter(|place| !is_none(place))
                .collect()
        } else {
            Vec::new()
        };
        let holding = places(&self.holding);
        if denied.is_empty() && after.is_empty() && holding.is_empty() && once.is_empty() {
            return;
        }
        seen.strike(|seen, word, (from, to)| {
            let is_held = || holding.iter().any(|(start, end)| *start <= from && to <= *end);
            let is_over = |start: &usize| {
                (to..=to + AFTER_REACH).contains(start) && seen.sentence(*start) == seen.sentence(from)
            };
            let is_inside = || inside.iter().any(|(start, end)| *start <= from && to <= *end);
            let was_once = |(start, _): &(usize, usize)| {
                *start <= from
                    && seen.clause(*start) == seen.clause(from)
                    && seen.sentence(*start) == seen.sentence(from)
            };
            let is_past = || after.iter().any(is_over) || once.iter().any(was_once);
            let is_denied = || denied.contains(&from) || is_inside() || is_past();
            word < self.said && (is_held() || (self.is_deniable(word) && is_denied()))
        });
    }

    /// Whether a text takes back what another one said.
    pub(super) fn withdraws(&self, seen: &Seen) -> bool {
        self.withdrawn
            .iter()
            .any(|word| seen.places(*word).next().is_some())
    }

    /// What a text says without what it tells of other times or fears: within the reach of such a word in its sentence, until the
    /// text comes to the present. `None` where it tells of none, as most texts do.
    pub(super) fn without_told(&self, seen: &Seen) -> Option<Seen> {
        let told = places(seen, &self.told);
        if told.is_empty() {
            return None;
        }
        let present: BTreeSet<usize> = self.present_places(seen).into_iter().map(|(at, _)| at).collect();
        let reach = |(_, end): (usize, usize)| {
            let (_, sentence) = seen.sentence_at(end);
            let until = present.range(end..).next().copied().unwrap_or(usize::MAX);
            end..(end + TOLD_REACH + 1).min(sentence).min(until)
        };
        let told: Vec<std::ops::Range<usize>> = told.into_iter().map(reach).collect();
        let mut rest = seen.clone();
        rest.strike(|_, word, (from, _)| word < self.said && told.iter().any(|told| told.contains(&from)));
        Some(rest)
    }

    /// Where the text says now, but for words that only sound so.
    fn present_places(&self, seen: &Seen) -> Vec<(usize, usize)> {
        let mut present = places(seen, &self.present);
        if !present.is_empty() {
            let holding = places(seen, &self.holding);
            present.retain(|(start, end)| !holding.iter().any(|(from, to)| from <= start && end <= to));
        }
        present
    }

    /// The stretches of a text that tell of the present: so far around each of its words, within the sentence; what overlaps is one.
    pub(super) fn present(&self, seen: &Seen) -> Vec<std::ops::Range<usize>> {
        let around = |(start, end): (usize, usize)| {
            let (from, to) = seen.sentence_at(start);
            start.saturating_sub(NOW_REACH).max(from)..(end + NOW_REACH).min(to)
        };
        let mut stretches: Vec<std::ops::Range<usize>> =
            self.present_places(seen).into_iter().map(around).collect();
        stretches.sort_unstable_by_key(|stretch| stretch.start);
        stretches.dedup_by(|next, before| {
            let is_one = next.start <= before.end;
            if is_one {
                before.end = before.end.max(next.end);
            }
            is_one
        });
        stretches
    }

    fn is_deniable(&self, word: u32) -> bool {
        word < self.said && !self.missed.contains(&word)
    }
}

fn places(seen: &Seen, words: &[u32]) -> Vec<(usize, usize)> {
    words.iter().flat_map(|word| seen.places(*word)).collect()
}
