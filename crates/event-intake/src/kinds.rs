//! What a ticket or report is about, from its code, its category's names and its words, which do not always agree.

use city_rules::{KindId, Mapped, Rules, TextReading, WordHit};
use wire_format::Text;

/// Most other readings that are kept.
const MOST_ALTERNATIVES: usize = 3;
/// From this many characters on, a phrase outside the title is exact. Proposal: a word and its predicate, such as
/// "井盖" and "缺失".
const EXACT_CHARACTERS: u32 = 4;

/// What it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) kind: KindId,
    /// What it may be instead, most likely first.
    pub(crate) alternatives: Vec<KindId>,
    /// The category and the words disagree.
    pub(crate) is_contradicted: bool,
    /// What the code maps to, where it decided.
    pub(crate) mapped: Option<Mapped>,
}

impl Reading {
    pub(crate) fn plain(kind: KindId) -> Reading {
        Reading {
            kind,
            alternatives: Vec::new(),
            is_contradicted: false,
            mapped: None,
        }
    }
}

/// The category of a record.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Category<'a> {
    /// The standard or list of its code: the record's, else the source's.
    pub(crate) standard: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    /// Widest first.
    pub(crate) names: Option<&'a [Text<'a>]>,
}

impl Category<'_> {
    /// Whether the record says one at all, understood or not.
    pub(crate) fn is_given(&self) -> bool {
        let says = |text: &str| !text.trim().is_empty();
        self.code.is_some_and(says)
            || self
                .names
                .is_some_and(|names| names.iter().any(|name| says(name)))
    }
}

/// Reads category and words. They agree mostly. But 6 % are filed wrongly and the text then usually tells the true kind
/// (DOMAIN 7), so the two are weighed: danger to life beats a category of anything less, an exact phrase beats a category that it
/// has nothing to do with, a phrase that says more than the category names the finer of two kin, and in every other case the
/// category stands. What loses goes along as another reading.
pub(crate) fn read(rules: &Rules, category: Category<'_>, words: &TextReading) -> Option<Reading> {
    let mapped = match (category.standard, category.code) {
        (Some(standard), Some(code)) => rules.map_code(standard, code),
        _ => None,
    };
    let by_name = || category.names?.iter().rev().find_map(|name| rules.map_name(name));
    let filed = mapped.as_ref().map(|mapped| mapped.kind).or_else(by_name);
    let contradicts = words.is_contradicted;
    let words = &words.kinds;
    let Some(filed) = filed else {
        let (first, others) = words.split_first()?;
        return Some(Reading {
            alternatives: others
                .iter()
                .map(|hit| hit.kind)
                .take(MOST_ALTERNATIVES)
                .collect(),
            is_contradicted: contradicts,
            ..Reading::plain(first.kind)
        });
    };
    let Some(leader) = words.first() else {
        return Some(Reading {
            mapped,
            ..Reading::plain(filed)
        });
    };
    let kin = |other: KindId| other != filed && are_kin(rules, filed, other);
    let vital = |kind: KindId| rules.kind(kind).endangers_life();
    if (contradicts || !kin(leader.kind)) && vital(leader.kind) && !vital(filed) {
        // A bin that overflows and burns was filed as a bin. The word may be short and stand in the content alone: a false alarm
        // costs a call back.
        return Some(Reading {
            kind: leader.kind,
            alternatives: vec![filed],
            is_contradicted: true,
            mapped: None,
        });
    }
    let of_filed = words.iter().find(|hit| hit.kind == filed);
    if let Some(own) = of_filed {
        if kin(leader.kind) && leader.characters > own.characters {
            // The words say more: an underpass's flood that was filed as ponding.
            return Some(Reading {
                alternatives: vec![filed],
                mapped: None,
                ..Reading::plain(leader.kind)
            });
        }
        let others = words.iter().map(|hit| hit.kind).filter(|other| kin(*other));
        return Some(Reading {
            alternatives: others.take(MOST_ALTERNATIVES).collect(),
            mapped,
            ..Reading::plain(filed)
        });
    }
    if !kin(leader.kind) && is_exact(leader) && leads(rules, words) {
        return Some(Reading {
            kind: leader.kind,
            alternatives: vec![filed],
            is_contradicted: true,
            mapped: None,
        });
    }
    Some(Reading {
        kind: filed,
        alternatives: words.iter().map(|hit| hit.kind).take(MOST_ALTERNATIVES).collect(),
        is_contradicted: true,
        mapped,
    })
}

/// Whether the words are sure: the title says so, or a phrase of some length.
fn is_exact(hit: &WordHit) -> bool {
    hit.in_title || hit.characters >= EXACT_CHARACTERS
}

/// Whether the first reading of the words stands alone: every other one is weaker, or kin that says the same more vaguely.
fn leads(rules: &Rules, words: &[WordHit]) -> bool {
    let Some((leader, others)) = words.split_first() else {
        return false;
    };
    others.iter().all(|other| {
        let weaker = other.characters < leader.characters || (leader.in_title && !other.in_title);
        weaker || are_kin(rules, leader.kind, other.kind)
    })
}

/// Whether the rules know that two kinds go together or are taken for each other.
fn are_kin(rules: &Rules, one: KindId, other: KindId) -> bool {
    let names = |a: KindId, b: KindId| {
        let rule = rules.kind(a);
        [
            &rule.merges_with,
            &rule.related,
            &rule.inhibits,
            &rule.confused_with,
        ]
        .iter()
        .any(|kinds| kinds.contains(&b))
    };
    let class = |kind: KindId| rules.kind(kind).component_class.as_ref();
    names(one, other) || names(other, one) || (class(one).is_some() && class(one) == class(other))
}
