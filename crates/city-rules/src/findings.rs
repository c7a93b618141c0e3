//! What is odd about rules that can be used all the same: mappings that replace others, phrases that never decide, kinds
//! that nothing names. What cannot be used is an error of loading instead.

mod overruled;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::codes::{code_key, readings, required_length, system_key};
use crate::file::{Codes, RawWords, RulesFile};
use crate::normal::{name_key, text_key};
use crate::strict::{self, ConfigError};
use crate::words::{LEAD_CHARS, maskable, masks, parts};

/// Something odd, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file.
    pub file: String,
    /// The line in it, from 1, where it could be found.
    pub line: Option<usize>,
    /// The key, with the tables that it is in: `codes.GB30428_2013.01-10`.
    pub key: String,
    /// What is odd about it.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}: {}", self.file, self.key, self.message),
            None => write!(f, "{}: {}: {}", self.file, self.key, self.message),
        }
    }
}

/// What a file says about one code or name.
struct Said<'a> {
    file: &'a str,
    line: Option<usize>,
    key: String,
    kinds: &'a str,
}

/// Finds what is odd in files that load; each is a name and its text, the last one having the last word.
///
/// # Errors
/// When one of the files cannot be read by itself.
pub(crate) fn find(files: &[(&str, &str)]) -> Result<Vec<Finding>, ConfigError> {
    let parsed = files
        .iter()
        .map(|(file, text)| Ok((*file, *text, strict::parse::<RulesFile>(file, text)?)))
        .collect::<Result<Vec<_>, ConfigError>>()?;
    let mut search = Search {
        files: &parsed,
        findings: Vec::new(),
    };
    search.replaced();
    search.unreachable_codes();
    search.unnamed_kinds();
    search.aliases();
    search.words();
    search.shadowed_phrases();
    search.replaced_lists();
    search.thresholds();
    search.findings.sort();
    Ok(search.findings)
}

struct Search<'a> {
    files: &'a [(&'a str, &'a str, RulesFile)],
    findings: Vec<Finding>,
}

impl<'a> Search<'a> {
    fn tell(&mut self, file: &str, line: Option<usize>, key: String, message: String) {
        self.findings.push(Finding {
            file: file.to_owned(),
            line,
            key,
            message,
        });
    }

    /// Every mapping from a code or name, by what it is compared as.
    fn said(&self) -> BTreeMap<(&'static str, String, String), Vec<Said<'a>>> {
        let mut said: BTreeMap<_, Vec<Said<'a>>> = BTreeMap::new();
        for (file, text, rules) in self.files {
            for (section, tables) in tables_of(rules) {
                for (system, codes) in tables {
                    for (code, kinds) in codes {
                        let entry = said.entry((
                            section,
                            system_key(system).into_owned(),
                            code_key(code).into_owned(),
                        ));
                        entry.or_default().push(Said {
                            file,
                            line: line_in(text, &[section, system], &[&quoted(code), code]),
                            key: format!("{section}.{system}.{code}"),
                            kinds,
                        });
                    }
                }
            }
            for (name, kinds) in &rules.names {
                let entry = said.entry(("names", String::new(), name_key(name)));
                entry.or_default().push(Said {
                    file,
                    line: line_in(text, &["names"], &[&quoted(name)]),
                    key: format!("names.{name}"),
                    kinds,
                });
            }
        }
        said
    }

    /// A later file maps a code to another kind than an earlier one.
    fn replaced(&mut self) {
        for mappings in self.said().into_values() {
            for pair in mappings.windows(2) {
                let [earlier, later] = pair else { continue };
                if earlier.kinds != later.kinds {
                    let place = earlier.line.map_or(String::new(), |line| format!(":{line}"));
                    let message = format!(
                        "\"{}\" replaces \"{}\" of {}{place}",
                        later.kinds, earlier.kinds, earlier.file
                    );
                    self.tell(later.file, later.line, later.key.clone(), message);
                }
            }
        }
    }

    /// Codes that their standard cannot have, so that nothing ever looks them up.
    fn unreachable_codes(&mut self) {
        for ((section, system, code), mappings) in self.said() {
            let Some(last) = mappings.last() else { continue };
            if code.is_empty() {
                let message = "nothing is left of it when it is compared".to_owned();
                self.tell(last.file, last.line, last.key.clone(), message);
            } else if section != "video"
                && let Some(length) = required_length(&system)
                && code.chars().count() != length
            {
                let message = format!("codes of this standard have {length} digits, so it never matches");
                self.tell(last.file, last.line, last.key.clone(), message);
            }
        }
    }

    /// Kinds that no code, name, word or metric maps to.
    fn unnamed_kinds(&mut self) {
        let mut named: BTreeSet<&str> = BTreeSet::new();
        for (_, _, rules) in self.files {
            let codes = tables_of(rules)
                .into_iter()
                .flat_map(|(_, tables)| tables.values());
            let codes = codes.flat_map(BTreeMap::values).chain(rules.names.values());
            named.extend(codes.flat_map(|kinds| readings(kinds)));
            named.extend(rules.metrics.values().map(|metric| metric.kind.as_str()));
            named.extend(rules.words.keys().map(String::as_str));
        }
        for (file, text, rules) in self.files {
            for kind in rules.kinds.keys().filter(|kind| !named.contains(kind.as_str())) {
                let line = line_in(text, &["kinds", kind], &["[kinds", kind]);
                let message = "no code, name, word or metric maps to this kind".to_owned();
                self.tell(file, line, format!("kinds.{kind}"), message);
            }
        }
    }

    /// Names that two metrics go by.
    fn aliases(&mut self) {
        let mut owners: BTreeMap<String, &str> = BTreeMap::new();
        for (file, text, rules) in self.files {
            for (metric, raw) in &rules.metrics {
                for alias in &raw.aliases {
                    let owner = *owners.entry(name_key(alias)).or_insert(metric);
                    if owner != metric {
                        let message = format!("the alias \"{alias}\" is also one of the metric \"{owner}\"");
                        let line = line_in(text, &["metrics", metric], &[&quoted(alias)]);
                        self.tell(file, line, format!("metrics.{metric}.aliases"), message);
                    }
                }
            }
        }
    }

    /// Phrases that never decide anything.
    fn words(&mut self) {
        let mut effective: BTreeMap<&str, (&str, &str, &RawWords)> = BTreeMap::new();
        let mut inquiry: Vec<&str> = Vec::new();
        for (file, text, rules) in self.files {
            for (kind, words) in &rules.words {
                effective.insert(kind, (file, text, words)); // a list is replaced whole
            }
            if !rules.quiet.inquiry.any.is_empty() {
                inquiry = rules.quiet.inquiry.any.iter().map(String::as_str).collect();
            }
        }
        let asking: Vec<String> = inquiry
            .iter()
            .filter(|phrase| !phrase.contains('&'))
            .flat_map(|phrase| parts(phrase))
            .flatten()
            .map(text_key)
            .collect();
        let known: BTreeSet<(&str, &str)> = self.confused();
        let mut sayers: BTreeMap<Vec<BTreeSet<String>>, &str> = BTreeMap::new();
        for (kind, (file, text, words)) in effective {
            let exclusions = exclusions(words);
            for phrase in &words.any {
                let line = line_in(text, &["words", kind], &[&quoted(phrase)]);
                let key = format!("words.{kind}.any");
                if let Some(message) = dead(&exclusions, phrase, &asking) {
                    self.tell(file, line, key.clone(), format!("\"{phrase}\": {message}"));
                }
                let mut meaning: Vec<BTreeSet<String>> = parts(phrase)
                    .into_iter()
                    .map(|part| part.into_iter().map(text_key).collect())
                    .collect();
                meaning.sort();
                let first = *sayers.entry(meaning).or_insert(kind);
                if first != kind && !known.contains(&(first, kind)) {
                    let message = format!("\"{phrase}\": also a phrase of \"{first}\", which comes first");
                    self.tell(file, line, key, message);
                }
            }
        }
    }
}

impl<'a> Search<'a> {
    /// Kinds that the rules know to be said of each other, both ways.
    fn confused(&self) -> BTreeSet<(&'a str, &'a str)> {
        let kinds = self.files.iter().flat_map(|(_, _, rules)| &rules.kinds);
        let pairs = kinds.flat_map(|(kind, raw)| {
            let others = raw.confused_with.iter().flatten();
            others.flat_map(move |other| [(kind.as_str(), other.as_str()), (other.as_str(), kind.as_str())])
        });
        pairs.collect()
    }
}

/// What rules a kind out always: where it hides a word that it holds, there only.
struct Exclusion<'a> {
    text: &'a str,
    key: String,
    is_mask: bool,
}

fn exclusions(words: &RawWords) -> Vec<Exclusion<'_>> {
    let maskable = maskable(words);
    let keyed = words.not.iter().map(|text| (text, text_key(text.trim())));
    let said = keyed.filter(|(_, key)| !key.is_empty());
    said.map(|(text, key)| Exclusion {
        text,
        is_mask: masks(&maskable, &key),
        key,
    })
    .collect()
}

/// Why a phrase can never be read, if so.
fn dead(exclusions: &[Exclusion<'_>], phrase: &str, asking: &[String]) -> Option<String> {
    for part in parts(phrase) {
        let alternatives: Vec<String> = part.into_iter().map(text_key).collect();
        let excluded = |word: &String| {
            let rules_out =
                |not: &&Exclusion<'_>| not.key == *word || (!not.is_mask && word.contains(&not.key));
            exclusions.iter().find(rules_out).map(|not| not.text)
        };
        if let Some(not) = alternatives.first().and_then(excluded)
            && alternatives.iter().all(|word| excluded(word).is_some())
        {
            return Some(format!("the exclusion \"{not}\" always rules it out"));
        }
        if alternatives.iter().all(|word| word.chars().count() > LEAD_CHARS) {
            return Some(format!(
                "longer than the {LEAD_CHARS} characters that are read, so it never matches"
            ));
        }
        let asks = |word: &String| asking.iter().find(|ask| word.contains(ask.as_str()));
        if let Some(ask) = alternatives.first().and_then(asks)
            && alternatives.iter().all(|word| asks(word).is_some())
        {
            return Some(format!(
                "a title that says it asks (\"{ask}\"), so it counts in the content only"
            ));
        }
    }
    None
}

fn tables_of(rules: &RulesFile) -> [(&'static str, &Codes); 3] {
    [
        ("codes", &rules.codes),
        ("components", &rules.components),
        ("video", &rules.video.codes),
    ]
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The line of the first spelling that a table has, outside comments; where the table has no header of its own, that the
/// whole text has.
fn line_in(text: &str, table: &[&str], spellings: &[&str]) -> Option<usize> {
    let is_header = |line: &str| {
        let line = line.split('#').next().unwrap_or_default().trim();
        let parts = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        let bare: String = parts.unwrap_or_default().replace(['"', ' '], "");
        parts.is_some() && bare == table.join(".").replace(' ', "")
    };
    let start = text.lines().position(is_header).unwrap_or(0);
    spellings.iter().find_map(|spelling| {
        let has = |line: &str| line.split('#').next().is_some_and(|line| line.contains(spelling));
        text.lines().skip(start).position(has).map(|at| start + at + 1)
    })
}
