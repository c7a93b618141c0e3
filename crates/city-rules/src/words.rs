//! Kinds from free text: phrases with exclusions, because one word alone misleads too often.
//!
//! A message says what it is about in its title and its first lines; what stands later, and words far apart, are the
//! story around it. So only the lead is read for kinds, and the parts of a phrase must stand close together. But danger to
//! life that is told of the present is heard wherever it stands: who complains at length may see a fire meanwhile.

mod danger;
mod scan;
mod unsaid;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};
use city_model::Hint;

use crate::file::{RawWords, RulesFile};
use crate::kind::KindId;
use crate::normal::text_key;
pub(crate) use danger::Danger;
use scan::{Lists, Phrases, Said, Seen};
use unsaid::Unsaid;

/// How much of the title, and of the content, is read for kinds, in characters; two to four sentences.
pub(crate) const LEAD_CHARS: usize = 120;

/// How much of either is read for danger of the present, in characters. Proposal: of 4,326 citizens' letters five are longer; a
/// text of a megabyte must not hold the others up.
const MOST_CHARS: usize = 4_000;

/// How far into the content a danger to life comes first among the readings, in bytes: 40 Chinese characters. Proposal: an
/// address and what happens there; what comes later is the story around it.
const EARLY_BYTES: usize = 120;

/// A content of so many bytes, 80 Chinese characters, is no letter: it is heard to its end where it says danger to life against
/// its title. Proposal: what an operator writes down while the caller speaks.
const SHORT_BYTES: usize = 240;

/// A kind that a text speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordHit {
    /// The kind.
    pub kind: KindId,
    /// How many characters of a phrase matched: the more, the surer.
    pub characters: u32,
    /// The title says it, or the first sentence where there is no title.
    pub in_title: bool,
}

/// What a free text is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextReading {
    /// The kinds that it speaks of, the best supported first.
    pub kinds: Vec<WordHit>,
    /// It asks, proposes, or speaks of a matter that is nothing in the street.
    pub is_other_matter: bool,
    /// The content tells of danger to life, and the title of something less, of a question or of another matter.
    pub is_contradicted: bool,
}

/// All phrases, with one automaton over all their words.
#[derive(Debug, Clone)]
pub(crate) struct WordMap {
    finder: Option<AhoCorasick>,
    /// The length of each word in characters.
    lengths: Vec<u32>,
    kinds: Lists<KindId>,
    danger: Danger,
    hints: Lists<Hint>,
    /// A title that says one of these asks or proposes, whatever else it names.
    inquiry: Lists<()>,
    /// A title that says one of these and names no kind is about something else.
    matter: Lists<()>,
    /// What is named and not said.
    unsaid: Unsaid,
}

impl WordMap {
    pub(crate) fn new(
        file: &RulesFile,
        danger: Danger,
        id: impl Fn(&str) -> Option<KindId>,
    ) -> Result<WordMap, String> {
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
        let said = words.words.len();
        let excluding = words.excluding(&file.unsaid.before);
        let feared = std::mem::take(&mut words.feared);
        let unsaid = Unsaid::new(&file.unsaid, said, excluding, feared, |word| words.number(word));
        let inquiry = words.phrases(&file.quiet.inquiry);
        let matter = words.phrases(&file.quiet.matter);
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
            kinds: Lists::new(kinds),
            danger,
            hints: Lists::new(hints),
            inquiry: Lists::new(vec![((), inquiry)]),
            matter: Lists::new(vec![((), matter)]),
            unsaid,
        })
    }

    /// What a text is about: the title decides where it names a kind, else the lead. But danger to life that the beginning
    /// of the content says, and not as a story, comes before a title of anything less; and neither a title that asks nor
    /// one about another matter silences it, for callers ask politely while it burns. A first sentence is no title, and
    /// silences no danger to life at all. Where the text tells of the present, it is as good as the beginning.
    pub(crate) fn read(&self, title: &str, content: &str) -> TextReading {
        let (title, content) = (text_key(title), text_key(content));
        let (mut title, mut content) = (title.trim(), content.trim());
        let is_titled = !title.is_empty();
        if !is_titled {
            (title, content) = scan::first_sentence(content);
        }
        let (full_title, full_content) = (beginning(title, MOST_CHARS), beginning(content, MOST_CHARS));
        let first = lead(title);
        let title = self.seen(first);
        let said_in = |seen: &Seen| -> Vec<KindId> {
            let said = self.kinds_in(seen).into_iter();
            said.map(|said| said.about).collect()
        };
        let content = lead(content);
        let told_after = self.seen(content);
        // "A smell of gas", and then: "on inspection there is no smell of gas".
        let withdrawn: Vec<KindId> =
            if is_titled && !content.contains('?') && self.unsaid.withdraws(&told_after) {
                let still = said_in(&told_after);
                let named = said_in(&Seen::new(self.finder.as_ref(), content)).into_iter();
                let is_vital = still.iter().any(|kind| self.danger.is_vital(*kind));
                named.filter(|kind| !is_vital && !still.contains(kind)).collect()
            } else {
                Vec::new()
            };
        let mut named = said_in(&title);
        named.retain(|kind| !withdrawn.contains(kind));
        let asks = self.inquiry.is_said(&self.lengths, &title);
        let is_other_matter = asks || (named.is_empty() && self.matter.is_said(&self.lengths, &title));
        let is_calm = !named.iter().any(|kind| self.danger.is_vital(*kind));
        let early = title.length() + EARLY_BYTES;
        let heard = title.length()
            + if content.len() <= SHORT_BYTES {
                SHORT_BYTES
            } else {
                EARLY_BYTES
            };
        // What a first sentence denies, the next one may take back.
        let whole = match is_titled {
            true => title.followed_by(told_after),
            false => self.seen(&[first, content].join("?")),
        };
        let now = if (first, content) == (full_title, full_content) {
            self.told_now(&whole)
        } else {
            self.told_now(&self.seen(&[full_title, full_content].join("?")))
        };
        let of_lead = self.kinds_in(&whole);
        let without_told = self.unsaid.without_told(&whole);
        let untold = without_told.map_or_else(|| of_lead.clone(), |rest| self.kinds_in(&rest));
        let is_now = |kind: KindId| {
            let mut sure = untold.iter().filter(|said| said.is_sure && said.at <= heard);
            sure.any(|said| said.about == kind)
        };
        let mut leads = Vec::new();
        let only_now = now
            .iter()
            .filter(|now| of_lead.iter().all(|said| said.about != now.about));
        for said in of_lead.iter().chain(only_now) {
            let is_told_now = now.iter().any(|now| now.about == said.about);
            if withdrawn.contains(&said.about) {
                continue;
            }
            let in_title = named.contains(&said.about);
            let is_early = said.at <= early || is_told_now;
            // The content says it against the title.
            let beats = is_titled
                && is_calm
                && (is_other_matter || !named.is_empty())
                && self.danger.is_vital(said.about)
                && (is_told_now || is_now(said.about));
            if is_other_matter && !beats && (!self.danger.is_vital(said.about) || (is_titled && !in_title)) {
                continue;
            }
            let hit = WordHit {
                kind: said.about,
                characters: said.characters,
                in_title,
            };
            let is_open = !is_titled || named.is_empty();
            leads.push((hit, in_title || (is_open && is_early), beats));
        }
        leads.sort_by_key(|(hit, ..)| !hit.in_title);
        let is_contradicted = leads.iter().any(|(.., beats)| *beats);
        let mut hits: Vec<(WordHit, bool)> =
            leads.iter().map(|(hit, is_early, _)| (*hit, *is_early)).collect();
        self.danger.lead(&mut hits);
        let mut kinds: Vec<WordHit> = hits.into_iter().map(|(hit, _)| hit).collect();
        let beats = |kind: KindId| leads.iter().any(|(hit, _, beats)| *beats && hit.kind == kind);
        kinds.sort_by_key(|hit| {
            if beats(hit.kind) {
                self.danger.rank(hit.kind)
            } else {
                u8::MAX
            }
        });
        TextReading {
            is_other_matter: is_other_matter && kinds.is_empty(),
            is_contradicted,
            kinds,
        }
    }

    /// The dangers to life that a text tells of the present, each once.
    fn told_now(&self, seen: &Seen) -> Vec<Said<KindId>> {
        let stretches = self.unsaid.present(seen);
        if stretches.is_empty() {
            return Vec::new();
        }
        let without_told = self.unsaid.without_told(seen);
        let untold = without_told.as_ref().unwrap_or(seen);
        let mut now: Vec<Said<KindId>> = Vec::new();
        for said in stretches
            .iter()
            .flat_map(|stretch| self.kinds_in(&untold.within(stretch)))
        {
            let is_known = now.iter().any(|known| known.about == said.about);
            if self.danger.is_vital(said.about) && said.is_sure && !is_known {
                now.push(said);
            }
        }
        now
    }

    /// The phrases of a kind that the text says, best first: characters, then where it begins, then by id.
    fn kinds_in(&self, seen: &Seen) -> Vec<Said<KindId>> {
        let mut found = self.kinds.said(&self.lengths, seen);
        found.sort_unstable_by_key(|said| (Reverse(said.characters), said.at, said.about));
        found
    }

    /// What the whole text says beyond the kind: danger counts wherever it stands.
    pub(crate) fn hints(&self, text: &str) -> Vec<Hint> {
        let seen = self.seen(&text_key(text));
        let said = self.hints.said(&self.lengths, &seen);
        said.into_iter().map(|said| said.about).collect()
    }

    fn seen(&self, text: &str) -> Seen {
        let mut seen = Seen::new(self.finder.as_ref(), text);
        self.unsaid.strike(&mut seen);
        seen
    }
}

/// The beginning of a text, as far as it is read for kinds.
fn lead(text: &str) -> &str {
    beginning(text, LEAD_CHARS)
}

fn beginning(text: &str, characters: usize) -> &str {
    text.char_indices()
        .nth(characters)
        .map_or(text, |(at, _)| &text[..at])
}

#[derive(Default)]
struct Vocabulary {
    words: Vec<String>,
    numbers: BTreeMap<String, u32>,
    /// Words of phrases.
    of_phrases: BTreeSet<u32>,
    /// Words of exclusions.
    of_exclusions: BTreeSet<u32>,
    /// Those of them that one of `real` takes back.
    feared: BTreeSet<u32>,
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

    /// Words that exclude and nothing else and begin with a denial, such as "nobody is trapped", with the bytes of it.
    fn excluding(&self, denials: &[String]) -> BTreeMap<u32, usize> {
        let denials: Vec<String> = denials.iter().map(|denial| text_key(denial.trim())).collect();
        let exclusions = self.of_exclusions.difference(&self.of_phrases);
        let begun = exclusions.filter_map(|number| {
            let word = self.words.get(*number as usize)?;
            let begins = denials
                .iter()
                .filter(|denial| !denial.is_empty() && word.starts_with(*denial));
            Some((*number, begins.map(String::len).max()?))
        });
        begun.collect()
    }

    fn phrases(&mut self, raw: &RawWords) -> Phrases {
        let any = raw
            .any
            .iter()
            .map(|phrase| {
                let parts = parts(phrase);
                let number = |part: &Vec<&str>| part.iter().map(|word| self.number(word)).collect();
                parts.iter().map(number).collect()
            })
            .collect::<Vec<scan::Phrase>>();
        self.of_phrases.extend(any.iter().flatten().flatten());
        let (mut veto, mut mask) = (Vec::new(), BTreeSet::new());
        let maskable = maskable(raw);
        let not = raw.not.iter().map(|word| (word.trim(), false));
        let exclusions = not.chain(raw.feared.iter().map(|word| (word.trim(), true)));
        for (word, is_feared) in exclusions.filter(|(word, _)| !word.is_empty()) {
            let number = self.number(word);
            self.of_exclusions.insert(number);
            if is_feared {
                self.feared.insert(number);
            }
            if masks(&maskable, &text_key(word)) {
                mask.insert(number);
            } else {
                veto.push(number);
            }
        }
        Phrases { any, veto, mask }
    }
}

/// A phrase's parts, each with its alternatives.
pub(crate) fn parts(phrase: &str) -> Vec<Vec<&str>> {
    phrase
        .split('&')
        .map(|part| {
            part.split('|')
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .collect()
        })
        .collect()
}

/// The words of the phrases that an exclusion may hold. A single character is in too many words to mean anything.
pub(crate) fn maskable(raw: &RawWords) -> BTreeSet<String> {
    let words = raw.any.iter().flat_map(|phrase| parts(phrase)).flatten();
    let mut words: BTreeSet<String> = words.map(text_key).collect();
    words.retain(|word| word.chars().nth(1).is_some());
    words
}

/// Whether an exclusion, as a key, holds one of the `maskable` words in itself, as "no ponding" holds "ponding": then it hides
/// that word where it stands. Any other exclusion rules the kind out for the whole text.
pub(crate) fn masks(maskable: &BTreeSet<String>, exclusion: &str) -> bool {
    let begins = exclusion.char_indices().map(|(from, _)| &exclusion[from..]);
    let mut within = begins.flat_map(|rest| {
        let ends = rest.char_indices().skip(1).map(|(to, _)| to);
        ends.chain([rest.len()]).map(|to| &rest[..to])
    });
    within.any(|part| maskable.contains(part))
}
