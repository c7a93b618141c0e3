//! Kinds from free text: phrases with exclusions, because one word alone misleads too often.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};
use city_model::Hint;

use crate::file::{RawWords, RulesFile};
use crate::kind::KindId;
use crate::normal::text_key;

/// All phrases, with one automaton over all their words.
#[derive(Debug, Clone)]
pub(crate) struct WordMap {
    finder: Option<AhoCorasick>,
    /// The length of each word in characters.
    lengths: Vec<u32>,
    kinds: Vec<(KindId, Phrases)>,
    hints: Vec<(Hint, Phrases)>,
}

/// Word numbers: any phrase of all conjuncts of any alternative.
#[derive(Debug, Clone, Default)]
struct Phrases {
    any: Vec<Vec<Vec<u32>>>,
    not: Vec<u32>,
}

impl WordMap {
    pub(crate) fn new(file: &RulesFile, id: impl Fn(&str) -> Option<KindId>) -> Result<WordMap, String> {
        let mut words = Vocabulary::default();
        let kinds = file
            .words
            .iter()
            .filter_map(|(kind, raw)| Some((id(kind)?, words.phrases(raw))))
            .collect();
        let hints = file
            .hints
            .iter()
            .map(|(hint, raw)| (*hint, words.phrases(raw)))
            .collect();
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&words.words);
        let finder = finder.map_err(|error| error.to_string())?;
        let lengths = words
            .words
            .iter()
            .map(|word| word.chars().count() as u32)
            .collect();
        Ok(WordMap {
            finder: Some(finder).filter(|_| !words.words.is_empty()),
            lengths,
            kinds,
            hints,
        })
    }

    /// The kinds that the text speaks of. More evidence first: conjuncts and characters that matched; of equals the one
    /// that is named first in the text, then by id.
    pub(crate) fn kinds(&self, text: &str) -> Vec<KindId> {
        let seen = self.seen(text);
        let mut found: Vec<_> = self
            .kinds
            .iter()
            .filter_map(|(kind, phrases)| {
                let (characters, at) = self.strength(phrases, &seen)?;
                Some((Reverse(characters), at, *kind))
            })
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, _, kind)| kind).collect()
    }

    pub(crate) fn hints(&self, text: &str) -> Vec<Hint> {
        let seen = self.seen(text);
        let found = self
            .hints
            .iter()
            .filter(|(_, phrases)| self.strength(phrases, &seen).is_some());
        found.map(|(hint, _)| *hint).collect()
    }

    /// Where each word of the text begins first.
    fn seen(&self, text: &str) -> BTreeMap<u32, usize> {
        let mut seen = BTreeMap::new();
        if let Some(finder) = &self.finder {
            for found in finder.find_overlapping_iter(&text_key(text)) {
                seen.entry(found.pattern().as_u32()).or_insert(found.start());
            }
        }
        seen
    }

    /// The most characters that a phrase of `phrases` matched, and where it begins.
    fn strength(&self, phrases: &Phrases, seen: &BTreeMap<u32, usize>) -> Option<(u32, usize)> {
        if seen.is_empty() || phrases.not.iter().any(|word| seen.contains_key(word)) {
            return None;
        }
        let strengths = phrases.any.iter().filter_map(|conjuncts| {
            let mut characters = 0;
            let mut at = usize::MAX;
            for alternatives in conjuncts {
                let hits = alternatives
                    .iter()
                    .filter_map(|word| Some((*word, *seen.get(word)?)));
                let (length, start) = hits
                    .map(|(word, start)| (self.length(word), Reverse(start)))
                    .max()?;
                characters += length;
                at = at.min(start.0);
            }
            Some((characters, Reverse(at)))
        });
        strengths.max().map(|(characters, at)| (characters, at.0))
    }

    fn length(&self, word: u32) -> u32 {
        self.lengths.get(word as usize).copied().unwrap_or(0)
    }
}

#[derive(Default)]
struct Vocabulary {
    words: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Vocabulary {
    fn number(&mut self, word: &str) -> u32 {
        let word = text_key(word.trim());
        if let Some(number) = self.numbers.get(&word) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.words.push(word.clone());
        self.numbers.insert(word, number);
        number
    }

    fn phrases(&mut self, raw: &RawWords) -> Phrases {
        let mut phrases = Phrases::default();
        for phrase in &raw.any {
            let conjuncts: Vec<Vec<u32>> = phrase
                .split('&')
                .map(|part| {
                    part.split('|')
                        .filter(|w| !w.trim().is_empty())
                        .map(|w| self.number(w))
                        .collect()
                })
                .collect();
            phrases.any.push(conjuncts);
        }
        phrases.not = raw
            .not
            .iter()
            .filter(|w| !w.trim().is_empty())
            .map(|word| self.number(word))
            .collect();
        phrases
    }
}
