//! Passports and permits that no word announces: told by their letter, and by standing alone.

use std::sync::LazyLock;

use regex::Regex;

use super::Found;
use super::things::is_numbered;

/// Chinese passports (letter and eight digits, or two letters and seven), permits for Hong Kong, Macau and Taiwan (letter and
/// eight digits), and Hong Kong's identity cards (letters, six digits, a check digit in brackets).
const PATTERN: &str = r"(?i)[EGDSPHMCWKLT][0-9]{8}|E[A-Z][0-9]{7}|[A-Z]{1,2}[0-9]{6}\s?\([0-9A]\)";

static EACH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PATTERN).ok());

pub(super) fn find(text: &str) -> Vec<Found> {
    if !may_hold_one(text) {
        return Vec::new();
    }
    let Some(pattern) = EACH.as_ref() else {
        // A pattern that did not compile must not let one through.
        return vec![Found::gone(0, text.len())];
    };
    let found = pattern.find_iter(text).filter(|what| {
        let before = text.get(..what.start()).unwrap_or_default();
        let after = text.get(what.end()..).unwrap_or_default();
        let touches = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        // Its brackets tell it apart from a serial number.
        let is_apart = !before.ends_with(touches) || what.as_str().ends_with(')') && before.ends_with('-');
        is_apart && !after.starts_with(touches) && !is_numbered(before)
    });
    found.map(|what| Found::gone(what.start(), what.end())).collect()
}

/// A letter with six digits behind it.
fn may_hold_one(text: &str) -> bool {
    let mut digits = 0;
    let mut has_letter = false;
    for byte in text.bytes() {
        if byte.is_ascii_digit() {
            digits += 1;
            if has_letter && digits >= 6 {
                return true;
            }
        } else {
            digits = 0;
            has_letter = byte.is_ascii_alphabetic();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_what_looks_like_one() {
        let check = |text: &str, expected: usize| assert_eq!(find(text).len(), expected, "{text}");
        for one in [
            "G12345678",
            "护照E12345678遗失",
            "拾到EA1234567",
            "A123456(7)",
            "h12345678",
        ] {
            check(one, 1);
        }
        for none in [
            "SG12345678",
            "G123456789",
            "杆号L12345678",
            "设备H12345678",
            "G1503公路",
            "JS-G12345678",
        ] {
            check(none, 0);
        }
    }
}
