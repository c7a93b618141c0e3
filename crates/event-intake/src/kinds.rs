//! What a ticket or report is about, from its code, its category's names and its words, which do not always agree.

use city_rules::{KindId, Mapped, Rules};

/// Most other readings that are kept.
const MOST_ALTERNATIVES: usize = 3;

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
    pub(crate) names: Option<&'a [String]>,
}

/// Reads category and words. The category comes first where both have a say. But 6 % are filed wrongly and the text then
/// usually tells the true kind (DOMAIN 7): where the words know exactly one kind, and the category is no kin of it, the
/// words count and the category stays as the other reading.
pub(crate) fn read(rules: &Rules, category: Category<'_>, text: &str) -> Option<Reading> {
    let mapped = match (category.standard, category.code) {
        (Some(standard), Some(code)) => rules.map_code(standard, code),
        _ => None,
    };
    let by_name = || category.names?.iter().rev().find_map(|name| rules.map_name(name));
    let filed = mapped.as_ref().map(|mapped| mapped.kind).or_else(by_name);
    let words = rules.map_words(text);
    let Some(filed) = filed else {
        let (first, others) = words.split_first()?;
        let alternatives = others.iter().copied().take(MOST_ALTERNATIVES).collect();
        return Some(Reading {
            alternatives,
            ..Reading::plain(*first)
        });
    };
    if words.is_empty() || words.contains(&filed) {
        return Some(Reading {
            mapped,
            ..Reading::plain(filed)
        });
    }
    Some(match words[..] {
        [only] if !are_kin(rules, filed, only) => Reading {
            kind: only,
            alternatives: vec![filed],
            is_contradicted: true,
            mapped: None,
        },
        _ => Reading {
            kind: filed,
            alternatives: words.into_iter().take(MOST_ALTERNATIVES).collect(),
            is_contradicted: true,
            mapped,
        },
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
