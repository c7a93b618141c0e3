//! Where words stand in a text, and whether the parts of a phrase stand close enough together to belong together.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;

/// How far the parts of one phrase may stand from its first, in bytes: 30 Chinese characters. Proposal: what lies farther
/// apart in the same sentence speaks of different things more often than not.
const REACH: usize = 90;

const SENTENCE_ENDS: [char; 5] = ['。', '!', '?', ';', '\n'];

/// Word numbers: any phrase of all parts of any alternative.
#[derive(Debug, Clone, Default)]
pub(super) struct Phrases {
    pub(super) any: Vec<Vec<Vec<u32>>>,
    /// Rules everything out.
    pub(super) veto: Vec<u32>,
    /// Hides the words inside it.
    pub(super) mask: Vec<u32>,
}

/// Every word of a text: where it begins and ends.
#[derive(Debug, Default)]
pub(super) struct Seen {
    at: BTreeMap<u32, Vec<(usize, usize)>>,
    /// Where sentences end, in order.
    ends: Vec<usize>,
    length: usize,
}

impl Seen {
    pub(super) fn new(finder: Option<&AhoCorasick>, text: &str) -> Seen {
        let mut seen = Seen {
            length: text.len(),
            ends: text.match_indices(SENTENCE_ENDS).map(|(at, _)| at).collect(),
            at: BTreeMap::new(),
        };
        for found in finder
            .into_iter()
            .flat_map(|finder| finder.find_overlapping_iter(text))
        {
            let places = seen.at.entry(found.pattern().as_u32()).or_default();
            places.push((found.start(), found.end()));
        }
        seen
    }

    /// This text and, as a sentence of its own, another one after it.
    pub(super) fn followed_by(mut self, other: Seen) -> Seen {
        let shift = self.length + 1;
        self.ends.push(self.length);
        self.ends.extend(other.ends.iter().map(|at| at + shift));
        for (word, places) in other.at {
            let moved = places
                .into_iter()
                .map(|(start, end)| (start + shift, end + shift));
            self.at.entry(word).or_default().extend(moved);
        }
        self.length = shift + other.length;
        self
    }

    /// Forgets the places of words for which `is_unsaid` holds.
    pub(super) fn strike(&mut self, is_unsaid: impl Fn(u32, (usize, usize)) -> bool) {
        self.at.retain(|word, places| {
            places.retain(|place| !is_unsaid(*word, *place));
            !places.is_empty()
        });
    }

    /// Where sentences end, in order.
    pub(super) fn ends(&self) -> &[usize] {
        &self.ends
    }

    pub(super) fn places(&self, word: u32) -> &[(usize, usize)] {
        self.at.get(&word).map_or(&[], Vec::as_slice)
    }

    fn sentence(&self, at: usize) -> usize {
        self.ends.partition_point(|end| *end < at)
    }
}

impl Phrases {
    /// The most characters that a phrase matched, and where it begins.
    pub(super) fn strength(&self, lengths: &[u32], seen: &Seen) -> Option<(u32, usize)> {
        if seen.at.is_empty() || self.veto.iter().any(|word| !seen.places(*word).is_empty()) {
            return None;
        }
        let length = |word: u32| lengths.get(word as usize).copied().unwrap_or(0);
        let mut best: Option<(u32, Reverse<usize>)> = None;
        for parts in &self.any {
            let Some((first, others)) = parts.split_first() else {
                continue;
            };
            for (word, start) in self.visible(first, seen) {
                let mut others = others.iter().map(|part| {
                    let near = self.visible(part, seen).filter(|(_, at)| {
                        at.abs_diff(start) <= REACH && seen.sentence(*at) == seen.sentence(start)
                    });
                    near.map(|(word, at)| (length(word), Reverse(at))).max()
                });
                let hit = others.try_fold((length(word), start), |(characters, at), part| {
                    let (more, Reverse(other)) = part?;
                    Some((characters + more, at.min(other)))
                });
                best = best.max(hit.map(|(characters, at)| (characters, Reverse(at))));
            }
        }
        best.map(|(characters, Reverse(at))| (characters, at))
    }

    /// Where words of a part stand that no exclusion hides.
    fn visible<'a>(&'a self, part: &'a [u32], seen: &'a Seen) -> impl Iterator<Item = (u32, usize)> + 'a {
        let hidden = move |start: usize, end: usize| {
            let masks = self.mask.iter().flat_map(|word| seen.places(*word));
            masks.into_iter().any(|(from, to)| *from <= start && end <= *to)
        };
        part.iter()
            .flat_map(move |word| seen.places(*word).iter().map(move |place| (*word, *place)))
            .filter(move |(_, (start, end))| !hidden(*start, *end))
            .map(|(word, (start, _))| (word, start))
    }
}

/// A text's first sentence and the rest.
pub(super) fn first_sentence(text: &str) -> (&str, &str) {
    match text.find(SENTENCE_ENDS) {
        Some(end) => (&text[..end], text[end..].trim_start_matches(SENTENCE_ENDS)),
        None => (text, ""),
    }
}
