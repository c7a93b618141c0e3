//! Identifiers in a few bytes: most are digits with a letter or two, or a UUID.
//!
//! Each text has one form, so that two are the same where their bytes are. The length leads: what follows it may lie beside it.

use state_rows::ints;

/// The low bits of the length say which form a text has.
const PLAIN: usize = 0;
/// Half a byte a digit or hyphen, three halves for what is neither.
const DIGITS: usize = 1;
/// A UUID in lower case: its sixteen bytes.
const UUID: usize = 2;
const FORM_BITS: u32 = 2;

const HYPHEN: u8 = 10;
const OTHER: u8 = 14;
/// The second half of the last byte where nothing is left for it.
const FILL: u8 = 15;

const UUID_BYTES: usize = 16;
const UUID_CHARS: usize = 36;

/// Writes a text to the end of `out`.
pub(crate) fn put(out: &mut Vec<u8>, text: &str) {
    if let Some(bytes) = uuid(text) {
        put_len(out, UUID_BYTES, UUID);
        out.extend_from_slice(&bytes);
        return;
    }
    let halves: usize = text
        .bytes()
        .map(|byte| if half(byte).is_some() { 1 } else { 3 })
        .sum();
    if halves.div_ceil(2) >= text.len() {
        put_len(out, text.len(), PLAIN);
        out.extend_from_slice(text.as_bytes());
        return;
    }
    put_len(out, halves.div_ceil(2), DIGITS);
    let mut first = None;
    let mut put_half = |out: &mut Vec<u8>, half: u8| match first.take() {
        Some(first) => out.push(first << 4 | half),
        None => first = Some(half),
    };
    for byte in text.bytes() {
        match half(byte) {
            Some(half) => put_half(out, half),
            None => [OTHER, byte >> 4, byte & 0x0f]
                .into_iter()
                .for_each(|half| put_half(out, half)),
        }
    }
    if halves % 2 == 1 {
        put_half(out, FILL);
    }
}

/// How many bytes the text at the front of some bytes takes, and the form and the bytes of it.
fn split(bytes: &[u8]) -> (usize, usize, &[u8]) {
    let (head, len) = number(bytes);
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let (len, form) = (len >> FORM_BITS, len & ((1 << FORM_BITS) - 1));
    let end = head.saturating_add(len).min(bytes.len());
    (end, form, &bytes[head.min(end)..end])
}

/// How many bytes the text at the front of some bytes takes.
pub(crate) fn len(bytes: &[u8]) -> usize {
    split(bytes).0
}

/// The text at the front of some bytes.
pub(crate) fn text(bytes: &[u8]) -> String {
    let (_, form, packed) = split(bytes);
    match form {
        DIGITS => digits(packed),
        UUID => uuid_text(packed),
        _ => String::from_utf8_lossy(packed).into_owned(),
    }
}

/// How many bytes the number at the front of some bytes takes, and the number.
pub(crate) fn number(bytes: &[u8]) -> (usize, u64) {
    let mut at = 0;
    let number = ints::take(bytes, &mut at).unwrap_or_default();
    (at, number)
}

fn put_len(out: &mut Vec<u8>, len: usize, form: usize) {
    ints::put(out, (len << FORM_BITS | form) as u64);
}

fn half(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'-' => Some(HYPHEN),
        _ => None,
    }
}

fn digits(packed: &[u8]) -> String {
    let mut halves = packed.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    let mut text = Vec::with_capacity(packed.len() * 2);
    while let Some(half) = halves.next() {
        match half {
            0..HYPHEN => text.push(b'0' + half),
            HYPHEN => text.push(b'-'),
            OTHER => text.push(halves.next().unwrap_or(0) << 4 | halves.next().unwrap_or(0)),
            _ => break,
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The bytes of a UUID that is written as RFC 9562 writes it.
fn uuid(text: &str) -> Option<[u8; UUID_BYTES]> {
    if text.len() != UUID_CHARS {
        return None;
    }
    let mut bytes = [0; UUID_BYTES];
    let mut halves = 0;
    for (at, char) in text.bytes().enumerate() {
        let half = match (char, at) {
            (b'-', 8 | 13 | 18 | 23) => continue,
            (_, 8 | 13 | 18 | 23) => return None,
            (b'0'..=b'9', _) => char - b'0',
            (b'a'..=b'f', _) => char - b'a' + 10,
            _ => return None,
        };
        bytes[halves / 2] = bytes[halves / 2] << 4 | half;
        halves += 1;
    }
    Some(bytes)
}

fn uuid_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(UUID_CHARS);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for half in [byte >> 4, byte & 0x0f] {
            text.extend(char::from_digit(half.into(), 16));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, text);
        out
    }

    proptest! {
        #[test]
        fn a_text_comes_back_with_what_follows(
            texts in prop::collection::vec(prop_oneof![".{0,60}", "[0-9A-Z-]{0,40}", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"], 1..4),
            number in any::<u32>(),
        ) {
            let mut out = Vec::new();
            ints::put(&mut out, number.into());
            texts.iter().for_each(|text| put(&mut out, text));
            let (mut at, found) = super::number(&out);
            prop_assert_eq!(found, u64::from(number));
            for told in &texts {
                prop_assert_eq!(&text(&out[at..]), told);
                prop_assert!(len(&out[at..]) <= told.len() + 2);
                at += len(&out[at..]);
            }
            prop_assert_eq!(at, out.len());
        }
    }

    #[test]
    fn what_is_mostly_digits_is_half_as_long() {
        assert_eq!(packed("H0000007-003").len(), 8);
        assert_eq!(packed("2f6f1c1e-0b7a-4c3e-9d55-0a1b2c3d4e5f").len(), 17);
        assert_eq!(packed("an id in words").len(), 15);
    }
}
