//! Digits in a row with what parts them, as people write numbers down.

use super::digit;

/// Most signs between two digits of one number.
const MOST_BETWEEN: usize = 3;

/// A digit, its bytes, and what parts it from the one before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digit {
    pub(super) value: u8,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) gap: Option<char>,
}

/// Digits with at most a few signs between them, and for each where the unbroken run that holds it begins and ends.
pub(super) struct Chain {
    pub(super) digits: Vec<Digit>,
    pub(super) runs: Vec<(usize, usize)>,
}

/// What may stand between digits of one number.
fn parts(c: char) -> bool {
    matches!(
        c,
        '\t' | '\n'
            | '\r'
            | ' '
            | '-'
            | '–'
            | '—'
            | '−'
            | '‑'
            | '‐'
            | '·'
            | '•'
            | '.'
            | '_'
            | '/'
            | '('
            | ')'
            | ','
            | '、'
            | '~'
            | ':'
            | ';'
            | '。'
            | '|'
            | '='
            | '+'
            | '#'
            | '…'
            | '<'
            | '>'
            | '['
            | ']'
            | '【'
            | '】'
            | '"'
            | '\''
            | '“'
            | '”'
    )
}

/// The chains that are long enough for the shortest number that is looked for.
pub(super) fn chains(text: &str) -> Vec<Chain> {
    match may_hold_one(text) {
        true => all_chains(text),
        false => Vec::new(),
    }
}

fn all_chains(text: &str) -> Vec<Chain> {
    let mut all = Vec::new();
    let mut chain: Vec<Digit> = Vec::new();
    let mut gap: Option<char> = None;
    let mut between = 0;
    let mut end = |chain: &mut Vec<Digit>| {
        let chain = std::mem::take(chain);
        if chain.len() >= SHORTEST {
            all.push(Chain::of(chain));
        }
    };
    for (from, c) in text.char_indices() {
        if let Some(value) = digit(c) {
            let gap = gap.filter(|_| !chain.is_empty());
            chain.push(Digit {
                value,
                from,
                to: from + c.len_utf8(),
                gap,
            });
        } else if parts(c) && between < MOST_BETWEEN {
            // Signs of two kinds are told apart from every single kind.
            gap = Some(gap.map_or(c, |before| if before == c { c } else { '?' }));
            between += 1;
            continue;
        } else {
            end(&mut chain);
        }
        gap = None;
        between = 0;
    }
    end(&mut chain);
    all
}

/// Whether a text has as many digits as the shortest number, and, where it is ASCII, so many in one chain. Nearly none has.
fn may_hold_one(text: &str) -> bool {
    if !text.is_ascii() {
        let digits = text.chars().filter(|c| digit(*c).is_some());
        return digits.take(SHORTEST).count() == SHORTEST;
    }
    let (mut digits, mut between) = (0, 0);
    for byte in text.bytes() {
        if byte.is_ascii_digit() {
            (digits, between) = (digits + 1, 0);
            if digits == SHORTEST {
                return true;
            }
        } else if between < MOST_BETWEEN && parts(byte.into()) {
            between += 1;
        } else {
            (digits, between) = (0, 0);
        }
    }
    false
}

/// A landline of ten digits.
const SHORTEST: usize = 10;

impl Chain {
    pub(super) fn of(digits: Vec<Digit>) -> Chain {
        let mut runs: Vec<(usize, usize)> = Vec::with_capacity(digits.len());
        let mut from = 0;
        for to in 1..=digits.len() {
            if to == digits.len() || digits[to].gap.is_some() {
                runs.resize(to, (from, to));
                from = to;
            }
        }
        Chain { digits, runs }
    }

    pub(super) fn value(&self, at: usize, length: usize) -> u32 {
        let digits = self.digits.iter().skip(at).take(length);
        digits.fold(0, |sum, digit| sum * 10 + u32::from(digit.value))
    }

    pub(super) fn begins(&self, at: usize) -> bool {
        at == 0 || self.digits[at].gap.is_some()
    }

    pub(super) fn ends(&self, after: usize) -> bool {
        after >= self.digits.len() || self.digits[after].gap.is_some()
    }

    /// Where the gaps inside lie, counted in digits from its beginning.
    pub(super) fn gaps(&self, at: usize, length: usize) -> impl Iterator<Item = (usize, char)> + '_ {
        let inner = self
            .digits
            .iter()
            .enumerate()
            .skip(at + 1)
            .take(length.saturating_sub(1));
        inner.filter_map(move |(index, digit)| Some((index - at, digit.gap?)))
    }

    pub(super) fn is_whole(&self, at: usize, length: usize) -> bool {
        self.gaps(at, length).next().is_none()
    }

    /// Parted just there, or there and not elsewhere.
    pub(super) fn is_parted_at(&self, at: usize, length: usize, places: &[usize]) -> bool {
        self.gaps(at, length).all(|(place, _)| places.contains(&place))
    }

    /// Parted anyhow, but by one and the same sign, and alone: 13 8123 456 78.
    pub(super) fn is_parted_alike(&self, at: usize, length: usize) -> bool {
        let mut signs = self.gaps(at, length).map(|(_, sign)| sign);
        let Some(first) = signs.next() else {
            return false;
        };
        // Lists, times and sums are written with other signs than a number's groups.
        let is_alike = signs.all(|sign| sign == first) && " \t\n\r-–—−‑‐·•._()~#".contains(first);
        is_alike && self.begins(at) && self.ends(at + length)
    }

    /// The first two digits of GB/T 2260.
    pub(super) fn is_province(&self, at: usize) -> bool {
        matches!(
            self.value(at, 2),
            11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83 | 91
        )
    }

    /// Eight digits that are a day from that year on, and before 2100.
    pub(super) fn is_date(&self, at: usize, from_year: u32) -> bool {
        at + 8 <= self.digits.len()
            && (from_year..2100).contains(&self.value(at, 4))
            && is_month_and_day(self.value(at + 4, 2), self.value(at + 6, 2))
    }
}

pub(super) fn is_month_and_day(month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_chain_stands_in_a_text_that_is_passed_over(text in "([0-9]{1,12}|[-_. /:]{1,5}|[a张一②]){0,6}") {
            proptest::prop_assert!(may_hold_one(&text) || all_chains(&text).is_empty());
        }
    }
}
