//! Numbers that are somebody's: phones, identity numbers, bank cards, however their digits are written and parted.
//!
//! Written by hand rather than as patterns: what decides is where a number begins and ends, and the sense of its digits
//! (a province, a date, a check digit), which patterns cannot say. Each place is looked at once per kind of number.

use super::chain::{Chain, chains, is_month_and_day};
use super::things::is_numbered;
use super::{Found, digit};

/// Where a number stands. In an identifier digits mean many things, so there it must stand alone to be a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    Text,
    Identifier,
}

/// The numbers in a text.
pub(super) fn find(text: &str) -> Vec<Found> {
    chains(text)
        .iter()
        .flat_map(|chain| chain.found(text, In::Text))
        .collect()
}

/// Whether an identifier holds one.
pub(super) fn is_in_identifier(id: &str) -> bool {
    chains(id)
        .iter()
        .any(|chain| (0..chain.digits.len()).any(|at| chain.lengths(at, id, In::Identifier).next().is_some()))
}

impl Chain {
    fn found(&self, text: &str, place: In) -> Vec<Found> {
        let mut taken = vec![false; self.digits.len()];
        // Where in the text a number ends whose last digit is this one.
        let mut ends: Vec<usize> = self.digits.iter().map(|digit| digit.to).collect();
        for at in 0..self.digits.len() {
            for length in self.lengths(at, text, place) {
                let length = length.min(self.digits.len() - at);
                taken[at..at + length].fill(true);
                ends[at + length - 1] = self.end_of(at + length - 1, text);
            }
        }
        let mut found: Vec<Found> = Vec::new();
        let mut at = 0;
        while let Some(from) = taken[at..]
            .iter()
            .position(|taken| *taken)
            .map(|ahead| at + ahead)
        {
            let length = taken[from..].iter().take_while(|taken| **taken).count();
            found.push(Found::gone(self.digits[from].from, ends[from + length - 1]));
            at = from + length;
        }
        found
    }

    /// How long the numbers are that begin with a digit, by what they may be.
    fn lengths(&self, at: usize, text: &str, place: In) -> impl Iterator<Item = usize> {
        let lengths = [
            self.phone(at, text, place),
            self.landline(at, place),
            self.identity(at, text, place),
            self.old_identity(at),
            self.card(at, text, place),
        ];
        lengths.into_iter().flatten()
    }

    /// Where the number that ends with this digit ends in the text: behind its X, or its extension.
    fn end_of(&self, last: usize, text: &str) -> usize {
        let to = self.digits[last].to;
        let rest = text.get(to..).unwrap_or_default();
        if let Some(sign) = rest.chars().next().filter(|c| matches!(c, 'x' | 'X' | '×')) {
            return to + sign.len_utf8();
        }
        let rest_at = rest.trim_start();
        let Some(number) = ["转", "分机", "ext.", "ext", "#"]
            .iter()
            .find_map(|cue| rest_at.strip_prefix(cue))
        else {
            return to;
        };
        let number = number.trim_start_matches([' ', ':', '号']);
        let digits: usize = number
            .chars()
            .map_while(|c| digit(c).map(|_| c.len_utf8()))
            .take(6)
            .sum();
        if digits == 0 {
            to
        } else {
            text.len() - (number.len() - digits)
        }
    }

    /// A mobile number: eleven digits from 13 on.
    fn phone(&self, at: usize, text: &str, place: In) -> Option<usize> {
        const LENGTH: usize = 11;
        let second = self.digits.get(at + 1)?.value;
        if self.digits[at].value != 1 || second < 3 || at + LENGTH > self.digits.len() {
            return None;
        }
        let is_one = if self.is_whole(at, LENGTH) {
            match place {
                In::Text => !self.is_order_number(at, text),
                In::Identifier => self.is_alone_in_run(at, LENGTH),
            }
        } else {
            let by_custom = self.gaps(at, LENGTH).map(|(place, _)| place).eq([3, 7]);
            let is_alone = self.begins(at) && self.ends(at + LENGTH);
            let in_two = is_alone
                && match place {
                    In::Text => self.is_parted_at(at, LENGTH, &[3, 7]),
                    In::Identifier => self.is_parted_at(at, LENGTH, &[3]) && !self.is_serial(at + 3),
                };
            let stands = place == In::Text || is_alone;
            by_custom && stands || in_two || place == In::Text && self.is_parted_alike(at, LENGTH)
        };
        is_one.then_some(LENGTH)
    }

    /// Eight digits behind a prefix of an identifier that count something, or are a day.
    fn is_serial(&self, at: usize) -> bool {
        self.value(at, 3) == 0 || self.is_date(at, 1990)
    }

    /// In an identifier: alone in its run, or between a country's prefix or a date and a date.
    fn is_alone_in_run(&self, at: usize, length: usize) -> bool {
        let (from, to) = self.runs[at];
        let is_date = |from: usize, length: usize| match length {
            8 | 12 | 14 | 17 => self.is_date(from, 1990),
            _ => false,
        };
        let prefix = at - from;
        let is_country = (prefix == 2 || prefix == 4) && self.value(from, prefix) == 86;
        let after = at + length;
        (prefix == 0 || is_country || is_date(from, prefix)) && (after == to || is_date(after, to - after))
    }

    /// A number of 14 to 18 digits that begins with a date is an order's, unless a phone stands behind the date. One of 16
    /// or 20 digits that is announced as a code, and begins with a province, is a component's or a camera's.
    fn is_order_number(&self, at: usize, text: &str) -> bool {
        let (from, to) = self.runs[at];
        let length = to - from;
        // Years before 2020 would also be read out of a phone behind "20".
        if (14..=18).contains(&length) && at < from + 8 && self.is_date(from, 2020) {
            return true;
        }
        matches!(length, 16 | 20)
            && self.is_province(from)
            && is_numbered(text.get(..self.digits[from].from).unwrap_or_default())
    }

    /// A landline with its area code: 010, 02x and eight digits, 03xx to 09xx and seven or eight; abroad, 86 stands for 0.
    fn landline(&self, at: usize, place: In) -> Option<usize> {
        let (prefix, zero) = match (self.digits[at].value, self.value(at, 2)) {
            (0, _) => (1, 1),
            (_, 86) if self.begins(at) && at + 2 < self.digits.len() && self.digits[at + 2].gap.is_some() => {
                (2, 0)
            }
            _ => return None,
        };
        let area = match self.value(at + prefix, 2) {
            10 | 20..=29 => prefix + 2,
            30..=99 => prefix + 3,
            _ => return None,
        };
        let stands = at == 0
            || zero == 0
            || (at >= 2 && self.value(at - 2, 2) == 86)
            || !matches!(self.digits[at].gap, None | Some('-' | '.' | '/' | '_'));
        let first = self.digits.get(at + area)?.value;
        if !stands || !(2..=8).contains(&first) {
            return None;
        }
        let lengths: &[usize] = if area == prefix + 2 { &[8] } else { &[8, 7] };
        let length = lengths.iter().map(|local| area + local).find(|length| {
            let places = [prefix * (1 - zero), area, area + 3, area + 4];
            let inside = self.gaps(at, *length).all(|(place, _)| places.contains(&place));
            at + length <= self.digits.len() && inside && self.ends(at + length)
        })?;
        // In an identifier it is all there is of digits, and parted behind the area or not at all.
        let is_unbroken = zero == 1 && self.is_whole(at, length);
        let is_whole_id = (self.digits[at + area].gap.is_some() || at == 0 && is_unbroken)
            && at + length == self.digits.len();
        if place == In::Identifier && !is_whole_id {
            return None;
        }
        // An extension behind a dash, at the chain's end.
        let rest = self.digits.len() - (at + length);
        let is_extension = (1..=6).contains(&rest)
            && self.digits[at + length].gap == Some('-')
            && self.is_whole(at + length, rest);
        Some(if is_extension { length + rest } else { length })
    }

    /// An identity number of 18 digits, or 17 and an X: a province, and the date of a birth.
    fn identity(&self, at: usize, text: &str, place: In) -> Option<usize> {
        if at + 17 > self.digits.len() || !self.is_province(at) || !self.is_date(at + 6, 1900) {
            return None;
        }
        let behind = text.get(self.digits[at + 16].to..).unwrap_or_default();
        let ends_with_x = behind.trim_start_matches(['-', ' ']).starts_with(['x', 'X', '×']);
        let length = match (ends_with_x, at + 18 <= self.digits.len()) {
            (true, _) if self.ends(at + 17) => 17,
            (_, true) => 18,
            _ => return None,
        };
        let stands = self.begins(at) && self.ends(at + length);
        let is_one = match place {
            In::Identifier => stands && self.is_parted_at(at, length, &[6, 14]),
            In::Text => self.is_parted_at(at, length, &[6, 14, 17]) || self.is_parted_alike(at, length),
        };
        is_one.then_some(length)
    }

    /// An identity number of the first generation: 15 digits, the year in two.
    fn old_identity(&self, at: usize) -> Option<usize> {
        const LENGTH: usize = 15;
        let fits = at + LENGTH <= self.digits.len()
            && self.begins(at)
            && self.ends(at + LENGTH)
            && self.is_province(at)
            && is_month_and_day(self.value(at + 8, 2), self.value(at + 10, 2))
            && self.is_parted_at(at, LENGTH, &[6, 12]);
        fits.then_some(LENGTH)
    }

    /// A bank card: 16 to 19 digits that begin as the issuers' do. In an identifier of 16 digits, and for cards of other
    /// schemes, the check digit decides: codes of places begin alike.
    fn card(&self, at: usize, text: &str, place: In) -> Option<usize> {
        if !self.begins(at) {
            return None;
        }
        let is_union_pay = self.value(at, 2) == 62;
        let is_other = self.digits[at].value == 4 || (51..=55).contains(&self.value(at, 2));
        let length = (16..=19)
            .rev()
            .find(|length| at + length <= self.digits.len() && self.ends(at + length))?;
        let is_parted = self.is_parted_at(at, length, &[4, 8, 12, 16]) || self.is_parted_at(at, length, &[6]);
        let is_checked = self.luhn(at, length);
        let announced = || is_numbered(text.get(..self.digits[at].from).unwrap_or_default());
        let is_long = length > 16 || place == In::Text;
        let is_one = (is_union_pay && (is_long && !announced() || is_checked))
            || (is_other && length == 16 && is_checked && !announced());
        (is_parted && is_one).then_some(length)
    }

    /// The check of ISO/IEC 7812-1.
    fn luhn(&self, at: usize, length: usize) -> bool {
        let digits = self.digits.iter().skip(at).take(length).rev().enumerate();
        let sum: u32 = digits
            .map(|(place, digit)| {
                let value = u32::from(digit.value);
                let doubled = value * 2;
                match place % 2 {
                    0 => value,
                    _ => doubled / 10 + doubled % 10,
                }
            })
            .sum();
        sum.is_multiple_of(10)
    }
}
