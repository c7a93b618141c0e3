//! Names without a Han family name beside a form of address: 乌日娜女士, John Smith先生, Mr. John Smith.
//!
//! Such a name can be told only by where it begins: behind a place, a verb, or a word for somebody. What stands between that
//! and the form of address is taken whole, as one sign more of a sentence is a smaller harm than a name.

use std::sync::LazyLock;

use regex::Regex;

use super::names::{is_no_name, is_of_a_shop, parted_family};
use super::surnames::{family, is_clear};
use super::{Found, is_han};

/// Forms of address that follow any name.
const TITLES: &str = "先生|女士|小姐|太太|夫人";
/// The same in front of a name.
const WESTERN: &str = r"(?:^|[^A-Za-z])(?:Mr|MR|Mrs|MRS|Ms|MS|Miss|MISS|Dr|DR|Prof)(?:\.\s*|\s+)([A-Za-z][A-Za-z'-]+(?:\s+[A-Z][A-Za-z'-]+){0,2})";
/// Signs that end what stands before a name: the end of a place, a verb, a particle.
const ENDS: &str = "弄号室楼幢栋座层路街巷村镇区市县桥站口旁边处内前后上下苑园的在是由请找向给被让对为叫与电了着过说称有又已要位名个者员人";
/// Words that end it.
const WORDS: &str = "联系|反映|来电|投诉|咨询|举报|报警|通知|告知|回访|询问|帮助|救助|接待|陪同|感谢|市民|居民|业主|住户|租户|租客|村民|群众|顾客|乘客|患者|游客|司机|车主|店主|老板|邻居|学生|家长|孩子|儿子|女儿|丈夫|妻子|母亲|父亲|老婆|老公|本人|求助|寻找|维护|希望|关于|对于|因为|自称|其中|以及|还有";
/// Longest name without dots that is taken, in characters.
const MOST: usize = 5;
/// Longest name with dots, such as 迪丽热巴·迪力木拉提.
const MOST_WITH_DOTS: usize = 14;

struct Patterns {
    titles: Regex,
    western: Regex,
    words: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    Some(Patterns {
        titles: Regex::new(TITLES).ok()?,
        western: Regex::new(WESTERN).ok()?,
        words: Regex::new(WORDS).ok()?,
    })
});

pub(super) fn find(text: &str) -> Vec<Found> {
    let Some(patterns) = PATTERNS.as_ref() else {
        // A pattern that did not compile must not let a name through.
        return vec![Found::gone(0, text.len())];
    };
    let mut found = Vec::new();
    if text.contains(['M', 'D', 'P']) {
        let names = patterns
            .western
            .captures_iter(text)
            .filter_map(|groups| groups.get(1));
        found.extend(names.map(|name| Found::gone(name.start(), name.end())));
    }
    if !text.contains(['先', '女', '小', '太', '夫']) {
        return found;
    }
    for title in patterns.titles.find_iter(text) {
        let before = text.get(..title.start()).unwrap_or_default();
        let before = before.trim_end_matches([' ', '(']);
        let after = text.get(title.end()..).unwrap_or_default();
        let from = foreign_before(before).or_else(|| unknown_before(before, &patterns.words));
        let Some(from) = from else { continue };
        let from = parted_family(text, from).unwrap_or(from);
        let is_short = before.get(from..).is_some_and(|name| name.chars().count() == 1);
        if !(is_short && is_of_a_shop(after)) {
            found.push(Found {
                from,
                to: before.len(),
                instead: "**",
            });
        }
    }
    found
}

/// Where a name in Latin letters, Hangul or kana begins that ends here: up to three words.
fn foreign_before(before: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphabetic() && !is_han(c);
    if !before.ends_with(is_part) {
        return None;
    }
    let mut from = before.len();
    let mut words = 1;
    for (at, c) in before.char_indices().rev() {
        if is_part(c) {
            from = at;
        } else if matches!(c, ' ' | '.' | '\'' | '-' | '·') && words < 4 {
            words += usize::from(c == ' ');
        } else {
            // A family name in front, as 김철수 may be written 金철수, belongs to it.
            break;
        }
    }
    Some(from)
}

/// Where a name in Chinese characters begins whose family name nobody knows; what has a known one is found elsewhere.
fn unknown_before(before: &str, words: &Regex) -> Option<usize> {
    let mut run: Vec<(usize, char)> = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_han(*c) || *c == '·')
        .take(MOST_WITH_DOTS)
        .collect();
    run.reverse();
    let chars: Vec<char> = run.iter().map(|(_, c)| *c).collect();
    let is_double = |length: usize| family(&chars[chars.len() - length..]) == Some(2);
    if (2..=chars.len().min(4)).any(is_double) {
        return None;
    }
    let begin = run.first()?.0;
    if let Some(word) = words.find_iter(before.get(begin..)?).last() {
        run.retain(|(at, _)| *at >= begin + word.end());
    }
    let end = run
        .iter()
        .rposition(|(_, c)| ENDS.contains(*c))
        .map_or(0, |at| at + 1);
    run.drain(..end);
    let chars: Vec<char> = run.iter().map(|(_, c)| *c).collect();
    let from = run.first()?.0;
    if chars.contains(&'·') {
        return Some(from);
    }
    let tail = |length: usize| chars[chars.len() - length..].iter().collect::<String>();
    let is_word =
        (1..=chars.len().min(3)).any(|length| (length > 1 || chars.len() == 1) && is_no_name(&tail(length)));
    if is_word || chars.ends_with(&['老']) {
        return None;
    }
    let is_known = (1..=chars.len().min(4)).any(|length| {
        let name = &chars[chars.len() - length..];
        family(name).is_some_and(|family| (family == 2 || is_clear(name[0])) && length - family <= 2)
    });
    if is_known {
        return None;
    }
    // A longer run is a sentence without an end that we know; its last signs are the likelier name.
    let skipped = if chars.len() > MOST { chars.len() - 3 } else { 0 };
    run.get(skipped).map(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert!(PATTERNS.is_some());
    }
}
