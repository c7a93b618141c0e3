//! What parts two numbers stays between them: "302、304号" are two houses, and neither is 302304.
//!
//! A range and a list are two things, and so are "K12+800" and a kilometre 12; beyond that all signs say the same.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Between numbers of a list. Nobody writes it there, and finders of numbers read over it as over a blank.
const LIST: char = '·';
/// Most houses of a list that are read as one.
const MOST_HOUSES: usize = 8;

/// Two houses, each with its word: 3号、5号.
static HOUSES: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"([0-9])号\s?([-—–~至到、,/和及])\s?([0-9]+号)([^楼]|$)").ok());

/// The text with one sign between two numbers that signs part: `-` for a range, `+` for metres behind a kilometre, else
/// a dot, which stands nowhere else. Letters are parted by a list's own sign alone: "G60, K12" is one place.
pub(super) fn parted(text: &str) -> String {
    let text = houses_together(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(c) = rest.chars().next() {
        let next = rest.get(c.len_utf8()..).unwrap_or_default();
        // Signs are looked past only behind a digit or a letter: once for each run of them.
        if out.ends_with(is_plain) && (!c.is_alphanumeric() || is_to(c)) {
            let end = rest
                .find(|c: char| c.is_alphanumeric() && !is_to(c))
                .unwrap_or(rest.len());
            let (signs, behind) = rest.split_at(end);
            let are_numbers = out.ends_with(is_digit) && behind.starts_with(is_digit);
            let are_listed = signs.contains(['、', LIST]) && behind.starts_with(is_plain);
            if are_numbers || are_listed {
                out.push(one_sign(signs));
                rest = behind;
                continue;
            }
        }
        if c != LIST {
            out.push(c);
        }
        rest = next;
    }
    out
}

/// "3号、5号" as "3、5号", and "3号至5号" as "3至5号".
fn houses_together(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    let Some(houses) = HOUSES.as_ref().filter(|_| text.matches('号').nth(1).is_some()) else {
        return text;
    };
    for _ in 0..MOST_HOUSES {
        match houses.replace(&text, "$1$2$3$4") {
            Cow::Borrowed(_) => break,
            Cow::Owned(together) => text = Cow::Owned(together),
        }
    }
    text
}

fn one_sign(signs: &str) -> char {
    if signs.contains(|c: char| is_to(c) || matches!(c, '-' | '—' | '–' | '−' | '~')) {
        '-'
    } else if signs.contains('+') {
        '+'
    } else {
        LIST
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Words of a range.
fn is_to(c: char) -> bool {
    matches!(c, '至' | '到')
}

/// Fewest digits of a number that is looked for over all signs: fewer are a list of houses rather.
const LEAST_DIGITS: usize = 10;
/// Most signs between two digits of one number.
const MOST_BETWEEN: usize = 3;
/// What follows numbers of houses.
const UNITS: &str = "号弄支幢栋座楼室期米";

/// An address without what is one number of somebody's when the signs inside are not looked at: 138,12~345678. `without`
/// takes such numbers out of a text. What a house's word follows is a list.
pub(super) fn without_joined(address: &str, without: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(address.len());
    let mut rest = address;
    while let Some(from) = rest.find(is_digit) {
        let (before, behind) = rest.split_at(from);
        let (run, behind) = behind.split_at(run_of(behind));
        out.push_str(before);
        let joined: String = run.chars().filter(|c| is_digit(*c)).collect();
        let is_list = behind.starts_with(|c| UNITS.contains(c));
        let is_one = || without(&joined).chars().all(|c| !is_digit(c));
        match joined.len() >= LEAST_DIGITS && joined.len() < run.len() && !is_list && is_one() {
            true => out.push(' '),
            false => out.push_str(run),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Bytes of the digits that a text begins with, over a few signs between them.
fn run_of(text: &str) -> usize {
    let (mut end, mut signs) = (0, 0);
    for (at, c) in text.char_indices() {
        match is_digit(c) {
            true => (end, signs) = (at + 1, 0),
            false if signs < MOST_BETWEEN && (!c.is_alphanumeric() || is_to(c)) => signs += 1,
            false => break,
        }
    }
    end
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// Whether a sign says something between these two: in a key nothing else is left of what parts.
pub(super) fn is_kept(before: Option<char>, sign: char, after: Option<char>) -> bool {
    let stand = |what: fn(char) -> bool| before.is_some_and(what) && after.is_some_and(what);
    matches!(sign, '-' | '+') && stand(is_digit) || sign == LIST && stand(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sign_between_numbers() {
        assert!(HOUSES.is_some());
        for (text, expected) in [
            ("302、304号", "302·304号"),
            ("302 , 304号", "302·304号"),
            ("302304号", "302304号"),
            ("3至5号", "3-5号"),
            ("3 ~ 5号", "3-5号"),
            ("K12 +800", "K12+800"),
            ("1500弄, 23号", "1500弄, 23号"),
            ("12·谷阳路", "12谷阳路"),
            ("到12到", "到12到"),
            ("12、到至", "12、到至"),
            ("1、2、3号", "1·2·3号"),
            ("3号、5号、7号", "3·5·7号"),
            ("3号至5号", "3-5号"),
            ("12号、3号楼", "12号、3号楼"),
            ("12号3号", "12号3号"),
            ("A3、B5幢", "A3·B5幢"),
            ("G60, K12+800", "G60, K12+800"),
        ] {
            assert_eq!(parted(text), expected, "{text}");
            assert_eq!(parted(expected), expected, "{text}");
        }
    }
}
