//! Where words stand in a text, and whether the parts of a phrase stand close enough together to belong together.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;

/// How far the parts of one phrase may stand from its first, in bytes: 30 Chinese characters. Proposal: what lies farther
/// apart in the same sentence speaks of different things more often than not.
const REACH: usize = 90;

const SENTENCE_ENDS: [char; 5] = ['。', '!', '?', ';', '\n'];
const CLAUSE_ENDS: [char; 3] = [',', '、', ':'];

/// From this many characters on, a phrase is sure although its parts stand in two clauses, so many bytes apart: 8 Chinese
/// characters. Proposal: a word and its predicate, such as "煤气" and "泄漏".
const SURE_CHARACTERS: u32 = 4;
const SURE_REACH: usize = 24;

/// What a text says about one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said<T> {
    pub(super) about: T,
    /// The most characters that a phrase matched.
    pub(super) characters: u32,
    /// Where that phrase begins, in bytes.
    pub(super) at: usize,
    /// Some phrase stands in one clause, or is long.
    pub(super) is_sure: bool,
}

/// A phrase's parts, each the numbers of its alternatives.
pub(super) type Phrase = Vec<Vec<u32>>;

/// Word numbers: any phrase of all parts of any alternative.
#[derive(Debug, Clone, Default)]
pub(super) struct Phrases {
    pub(super) any: Vec<Phrase>,
    /// Rules everything out.
    pub(super) veto: Vec<u32>,
    /// Hides the words inside it.
    pub(super) mask: BTreeSet<u32>,
}

/// Phrases about several things, found by the words that they begin with: a text holds a handful of words, the rules hold
/// thousands of phrases.
#[derive(Debug, Clone)]
pub(super) struct Lists<T> {
    of: Vec<(T, Phrases)>,
    /// By word: the lists and, in them, the phrases whose first part has it, in order.
    led_by: Vec<Vec<(u32, u32)>>,
}

impl<T: Copy> Lists<T> {
    pub(super) fn new(of: Vec<(T, Phrases)>) -> Lists<T> {
        let mut led_by: Vec<Vec<(u32, u32)>> = Vec::new();
        for (list, (_, phrases)) in of.iter().enumerate() {
            for (phrase, parts) in phrases.any.iter().enumerate() {
                for word in parts.first().into_iter().flatten() {
                    let word = *word as usize;
                    led_by.resize(led_by.len().max(word + 1), Vec::new());
                    led_by[word].push((list as u32, phrase as u32));
                }
            }
        }
        Lists { of, led_by }
    }

    /// What the text speaks of, in the order of the lists.
    pub(super) fn said(&self, lengths: &[u32], seen: &Seen) -> Vec<Said<T>> {
        let leads = |word: u32| self.led_by.get(word as usize);
        let mut led: Vec<(u32, u32)> = seen.words().filter_map(leads).flatten().copied().collect();
        led.sort_unstable();
        led.dedup();
        let of_one = led.chunk_by(|(list, _), (next, _)| list == next);
        let said = of_one.filter_map(|led| {
            let (about, phrases) = self.of.get(led.first()?.0 as usize)?;
            let led = led
                .iter()
                .filter_map(|(_, phrase)| phrases.any.get(*phrase as usize));
            let (characters, at, is_sure) = phrases.strength(led, lengths, seen)?;
            Some(Said {
                about: *about,
                characters,
                at,
                is_sure,
            })
        });
        said.collect()
    }

    /// Whether the text speaks of any of it.
    pub(super) fn is_said(&self, lengths: &[u32], seen: &Seen) -> bool {
        !self.said(lengths, seen).is_empty()
    }
}

/// A word of a text: its number, and where it begins and ends.
type Place = (u32, usize, usize);

/// Every word of a text.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Sorted.
    at: Vec<Place>,
    /// Where sentences end, in order.
    ends: Vec<usize>,
    /// Where clauses end within sentences, in order.
    commas: Vec<usize>,
    length: usize,
}

impl Seen {
    pub(super) fn new(finder: Option<&AhoCorasick>, text: &str) -> Seen {
        let found = finder
            .into_iter()
            .flat_map(|finder| finder.find_overlapping_iter(text));
        let mut at: Vec<Place> = found
            .map(|found| (found.pattern().as_u32(), found.start(), found.end()))
            .collect();
        at.sort_unstable();
        // Where a sentence ends matters only between words.
        let (mut ends, mut commas) = (Vec::new(), Vec::new());
        if !at.is_empty() {
            ends.extend(text.match_indices(SENTENCE_ENDS).map(|(at, _)| at));
            commas.extend(text.match_indices(CLAUSE_ENDS).map(|(at, _)| at));
        }
        Seen {
            at,
            ends,
            commas,
            length: text.len(),
        }
    }

    /// Of the text, in bytes.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// This text and, as a sentence of its own, another one after it.
    pub(super) fn followed_by(mut self, other: Seen) -> Seen {
        let shift = self.length + 1;
        self.ends.push(self.length);
        self.ends.extend(other.ends.iter().map(|at| at + shift));
        self.commas.extend(other.commas.iter().map(|at| at + shift));
        let moved = other.at.into_iter();
        self.at
            .extend(moved.map(|(word, start, end)| (word, start + shift, end + shift)));
        self.at.sort_unstable();
        self.length = shift + other.length;
        self
    }

    /// Forgets the places of words for which `is_unsaid` holds. What it is shown knows the sentences and no words.
    pub(super) fn strike(&mut self, is_unsaid: impl Fn(&Seen, u32, (usize, usize)) -> bool) {
        let mut at = std::mem::take(&mut self.at);
        at.retain(|(word, start, end)| !is_unsaid(self, *word, (*start, *end)));
        self.at = at;
    }

    /// Where the words begin and end for which `is_meant` holds.
    pub(super) fn spans(&self, is_meant: impl Fn(u32, usize) -> bool) -> Vec<(usize, usize)> {
        let meant = self.at.iter().filter(|(word, start, _)| is_meant(*word, *start));
        meant.map(|(_, start, end)| (*start, *end)).collect()
    }

    /// Only the words of one stretch of the text, those at its edges among them: what excludes may begin before it.
    pub(super) fn within(&self, stretch: &std::ops::Range<usize>) -> Seen {
        let is_in = |(_, start, end): &&Place| *start < stretch.end && stretch.start < *end;
        Seen {
            at: self.at.iter().filter(is_in).copied().collect(),
            ends: self.ends.clone(),
            commas: self.commas.clone(),
            length: self.length,
        }
    }

    /// The words, each once.
    fn words(&self) -> impl Iterator<Item = u32> + '_ {
        self.at
            .chunk_by(|(word, ..), (next, ..)| word == next)
            .filter_map(|places| Some(places.first()?.0))
    }

    pub(super) fn places(&self, word: u32) -> impl Iterator<Item = (usize, usize)> + '_ {
        let from = self.at.partition_point(|(other, ..)| *other < word);
        let same = self.at[from..]
            .iter()
            .take_while(move |(other, ..)| *other == word);
        same.map(|(_, start, end)| (*start, *end))
    }

    fn has(&self, word: u32) -> bool {
        self.at.binary_search_by_key(&word, |(other, ..)| *other).is_ok()
    }

    /// The number of the sentence at a place.
    pub(super) fn sentence(&self, at: usize) -> usize {
        self.ends.partition_point(|end| *end < at)
    }

    /// Where the sentence at a place begins and ends, in bytes.
    pub(super) fn sentence_at(&self, at: usize) -> (usize, usize) {
        let number = self.sentence(at);
        let from = number.checked_sub(1).and_then(|before| self.ends.get(before));
        let to = self.ends.get(number);
        (from.copied().unwrap_or(0), to.copied().unwrap_or(self.length))
    }

    /// The number of the clause at a place, within sentences.
    pub(super) fn clause(&self, at: usize) -> usize {
        self.commas.partition_point(|end| *end < at)
    }
}

impl Phrases {
    /// The most characters that one of these phrases of it matched, where it begins, and whether one is sure.
    fn strength<'a>(
        &self,
        phrases: impl Iterator<Item = &'a Phrase>,
        lengths: &[u32],
        seen: &Seen,
    ) -> Option<(u32, usize, bool)> {
        if self.veto.iter().any(|word| seen.has(*word)) {
            return None;
        }
        // A text has few words, a list may have hundreds of exclusions.
        let hidden = seen.spans(|word, _| self.mask.contains(&word));
        let length = |word: u32| lengths.get(word as usize).copied().unwrap_or(0);
        let mut best: Option<(u32, Reverse<usize>)> = None;
        let mut is_sure = false;
        for parts in phrases {
            let Some((first, others)) = parts.split_first() else {
                continue;
            };
            for (word, start) in visible(first, &hidden, seen) {
                let near = |part| {
                    visible(part, &hidden, seen).filter(|(_, at)| {
                        at.abs_diff(start) <= REACH && seen.sentence(*at) == seen.sentence(start)
                    })
                };
                let mut best_others = others
                    .iter()
                    .map(|part| near(part).map(|(word, at)| (length(word), Reverse(at))).max());
                let hit = best_others.try_fold((length(word), start), |(characters, at), part| {
                    let (more, Reverse(other)) = part?;
                    Some((characters + more, at.min(other)))
                });
                let is_sure_of = |(characters, _): (u32, usize)| {
                    let reach = if characters >= SURE_CHARACTERS {
                        SURE_REACH
                    } else {
                        0
                    };
                    let is_close =
                        |at: usize| at.abs_diff(start) <= reach || seen.clause(at) == seen.clause(start);
                    others.iter().all(|part| near(part).any(|(_, at)| is_close(at)))
                };
                is_sure |= hit.is_some_and(is_sure_of);
                best = best.max(hit.map(|(characters, at)| (characters, Reverse(at))));
            }
        }
        best.map(|(characters, Reverse(at))| (characters, at, is_sure))
    }
}

/// Where words of a part stand that no exclusion hides.
fn visible<'a>(
    part: &'a [u32],
    hidden: &'a [(usize, usize)],
    seen: &'a Seen,
) -> impl Iterator<Item = (u32, usize)> + 'a {
    let is_hidden = |start: usize, end: usize| hidden.iter().any(|(from, to)| *from <= start && end <= *to);
    part.iter()
        .flat_map(move |word| seen.places(*word).map(move |place| (*word, place)))
        .filter(move |(_, (start, end))| !is_hidden(*start, *end))
        .map(|(word, (start, _))| (word, start))
}

/// A text's first sentence and the rest.
pub(super) fn first_sentence(text: &str) -> (&str, &str) {
    match text.find(SENTENCE_ENDS) {
        Some(end) => (&text[..end], text[end..].trim_start_matches(SENTENCE_ENDS)),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LENGTHS: [u32; 6] = [1, 2, 2, 3, 4, 2];

    fn words() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec(0..6u32, 0..3)
    }

    fn phrases() -> impl Strategy<Value = Phrases> {
        let phrase = prop::collection::vec(words(), 0..3);
        let any = prop::collection::vec(phrase, 0..4);
        let mask = prop::collection::btree_set(0..6u32, 0..3);
        (any, words(), mask).prop_map(|(any, veto, mask)| Phrases { any, veto, mask })
    }

    fn seen() -> impl Strategy<Value = Seen> {
        let place = (0..6u32, 0..120usize, 3..9usize);
        let at = prop::collection::vec(place, 0..8);
        (at, prop::collection::btree_set(0..120usize, 0..4)).prop_map(|(at, ends)| {
            let mut at: Vec<Place> = at
                .into_iter()
                .map(|(word, from, length)| (word, from, from + length))
                .collect();
            at.sort_unstable();
            Seen {
                at,
                ends: ends.into_iter().collect(),
                commas: Vec::new(),
                length: 130,
            }
        })
    }

    proptest! {
        #[test]
        fn looking_where_words_lead_finds_what_looking_everywhere_finds(
            of in prop::collection::vec(phrases(), 0..5),
            seen in seen(),
        ) {
            let of: Vec<(usize, Phrases)> = of.into_iter().enumerate().collect();
            let everywhere: Vec<_> = of
                .iter()
                .filter_map(|(list, phrases)| {
                    let (characters, at, is_sure) = phrases.strength(phrases.any.iter(), &LENGTHS, &seen)?;
                    Some(Said { about: *list, characters, at, is_sure })
                })
                .collect();
            prop_assert_eq!(Lists::new(of).said(&LENGTHS, &seen), everywhere);
        }
    }
}
