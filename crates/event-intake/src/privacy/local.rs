//! Landlines without their area, as a city's own people write them: eight digits by themselves.
//!
//! In running text eight digits are many things, so there only a word before them tells. In an address they can hardly be
//! anything else, unless they stand behind the name of a thing that is numbered; nor in an identifier of a ticket, if they
//! do not begin with the code of a district, as numbers that systems give may.

use super::chain::{Chain, Digit, is_month_and_day};
use super::things::{is_lettered, is_numbered};
use super::{Found, digit};

/// Eight digits, in one piece or two halves.
const LENGTH: usize = 8;
/// Years that a system counts in.
const YEARS: std::ops::Range<u32> = 1990..2100;
/// What follows a number that is a house's or a length.
const UNITS: &str = "弄号支幢栋座楼室米";

/// Whether digits and nothing else are such a number: neither a day nor the code of a district.
pub(super) fn is_local(digits: &str) -> bool {
    let signs: Vec<Digit> = digits
        .char_indices()
        .filter_map(|(at, c)| digit_at(at, c))
        .collect();
    digits.chars().count() == LENGTH && is_one(&signs) && !is_of_a_district(&signs)
}

/// Whether they are such a number in two halves: neither a year and a count, nor the code of a district.
pub(super) fn is_parted(digits: &str) -> bool {
    let mut halves = digits.splitn(2, ['-', ' ', '·']);
    let (Some(first), Some(second)) = (halves.next(), halves.next()) else {
        return false;
    };
    let is_half = |half: &str| half.len() == LENGTH / 2 && half.bytes().all(|byte| byte.is_ascii_digit());
    let is_year = first.parse().is_ok_and(|year| YEARS.contains(&year));
    is_half(first) && is_half(second) && !is_year && is_local(&format!("{first}{second}"))
}

/// Whether digits are a day of the years in which identifiers are given.
pub(super) fn is_day(digits: &str) -> bool {
    let year = digits.get(..4).and_then(|year| year.parse().ok());
    let rest = |from: usize| digits.get(from..from + 2).and_then(|two| two.parse().ok());
    let (Some(year), Some(month), Some(day)) = (year, rest(4), rest(6)) else {
        return false;
    };
    digits.len() == LENGTH && YEARS.contains(&year) && is_month_and_day(month, day)
}

/// Such numbers in an address.
pub(super) fn find(address: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut run: Vec<Digit> = Vec::new();
    let mut gap = None;
    for (at, c) in address.char_indices().chain([(address.len(), '\0')]) {
        if let Some(digit) = digit_at(at, c) {
            run.push(Digit {
                gap: gap.take().filter(|_| !run.is_empty()),
                ..digit
            });
            continue;
        }
        // One sign in the middle is part of it; a key has a dot there for any other.
        if matches!(c, '-' | ' ' | '·') && gap.is_none() && run.len() == LENGTH / 2 {
            gap = Some(c);
            continue;
        }
        if is_one(&run)
            && !UNITS.contains(c)
            && let (Some(first), Some(last)) = (run.first(), run.last())
            && !is_things(address.get(..first.from).unwrap_or_default())
        {
            found.push(Found::gone(first.from, last.to));
        }
        run.clear();
        gap = None;
    }
    found
}

fn digit_at(from: usize, c: char) -> Option<Digit> {
    let value = digit(c)?;
    let to = from + c.len_utf8();
    Some(Digit {
        value,
        from,
        to,
        gap: None,
    })
}

fn is_one(digits: &[Digit]) -> bool {
    if digits.len() != LENGTH || !digits.first().is_some_and(|first| (2..=8).contains(&first.value)) {
        return false;
    }
    !Chain::of(digits.to_vec()).is_date(0, 1900)
}

fn is_things(before: &str) -> bool {
    is_numbered(before) || is_lettered(before)
}

fn is_of_a_district(digits: &[Digit]) -> bool {
    let chain = Chain::of(digits.to_vec());
    chain.is_province(0) && (1..=13).contains(&chain.value(2, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_digits_by_themselves() {
        let check = |text: &str, expected: usize| assert_eq!(find(text).len(), expected, "{text}");
        for one in [
            "1500弄57812345",
            "弄5781-2345",
            "弄 5781 2345",
            "弄五七八一二三四五",
            "67812345，2楼",
            "路灯旁57812345",
            "业主代表57812345",
            "弄5781·2345",
            // As long as a district's code is, and beginning like one.
            "62123456张建国",
            "弄6212 3456",
            "弄31011701",
        ] {
            check(one, 1);
        }
        for none in [
            "20260920",
            "路灯62123456",
            "12345678",
            "578123456",
            "2300-2310号",
            "5781 2345弄",
            "578-12345",
            "路灯57812345",
            "井盖号:57812345",
        ] {
            check(none, 0);
        }
        assert!(!is_local("62123456") && !is_local("31011701") && !is_parted("6212-3456"));
        assert!(is_local("57812345") && !is_local("5781-2345") && !is_local("20260920"));
    }
}
