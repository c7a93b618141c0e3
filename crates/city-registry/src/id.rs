//! Ids in 64 bits: decimal ones as a number that keeps their zeros, all others as a place in one text.

/// Ids of up to so many digits are their own number; the standards' have 16 and 17.
const MOST_DIGITS: usize = 19;
/// How many ids there are of 1 to 19 digits: from here on a packed id is a place in the texts.
const FIRST_TEXT: u64 = first_of(MOST_DIGITS + 1);

/// Where the ids of `digits` digits begin: after all shorter ones, so that "7" and "07" are two ids.
const fn first_of(digits: usize) -> u64 {
    let (mut first, mut count, mut at) = (0, 1, 1);
    while at < digits {
        count *= 10;
        first += count;
        at += 1;
    }
    first
}

/// A packed id. Two of the same registry are equal exactly when their texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PackedId([u32; 2]); // two halves, so that a row needs no padding

impl PackedId {
    const fn of(number: u64) -> PackedId {
        PackedId([(number >> 32) as u32, number as u32])
    }

    pub(crate) const fn number(self) -> u64 {
        (self.0[0] as u64) << 32 | self.0[1] as u64
    }

    /// The id of a decimal text, or `None` if the text is another.
    pub(crate) fn of_digits(text: &str) -> Option<PackedId> {
        if text.is_empty() || text.len() > MOST_DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let value = text
            .bytes()
            .fold(0_u64, |value, byte| value * 10 + u64::from(byte - b'0'));
        Some(PackedId::of(first_of(text.len()) + value))
    }
}

/// The ids that are no numbers, one after the other, each behind its length.
#[derive(Default)]
pub(crate) struct Texts(Vec<u8>);

impl Texts {
    /// The longest id, in bytes.
    pub(crate) const LONGEST: usize = u16::MAX as usize;

    /// Keeps a text of at most [`Texts::LONGEST`] bytes; a longer one would be cut.
    pub(crate) fn keep(&mut self, text: &str) -> PackedId {
        let at = FIRST_TEXT + self.0.len() as u64;
        let length = text.len().min(Texts::LONGEST);
        self.0.extend_from_slice(&(length as u16).to_le_bytes());
        self.0.extend_from_slice(&text.as_bytes()[..length]);
        PackedId::of(at)
    }

    pub(crate) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// The bytes of an id that is no number.
    pub(crate) fn bytes(&self, id: PackedId) -> Option<&[u8]> {
        let at = usize::try_from(id.number().checked_sub(FIRST_TEXT)?).ok()?;
        let rest = self.0.get(at..)?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        rest.get(..usize::from(u16::from_le_bytes(*length)))
    }

    /// Writes an id into `buffer` and returns its text.
    pub(crate) fn text<'a>(&'a self, id: PackedId, buffer: &'a mut [u8; MOST_DIGITS]) -> &'a str {
        let bytes = match self.bytes(id) {
            Some(bytes) => bytes,
            None => digits_of(id.number(), buffer),
        };
        // Only whole texts and digits were ever kept, so this cannot fail.
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// Room for the digits of an id.
pub(crate) const fn room() -> [u8; MOST_DIGITS] {
    [b'0'; MOST_DIGITS]
}

fn digits_of(number: u64, buffer: &mut [u8; MOST_DIGITS]) -> &[u8] {
    let mut digits = 1;
    while digits < MOST_DIGITS && number >= first_of(digits + 1) {
        digits += 1;
    }
    let mut value = number - first_of(digits);
    for byte in buffer[..digits].iter_mut().rev() {
        *byte = b'0' + (value % 10) as u8;
        value /= 10;
    }
    &buffer[..digits]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back(text: &str) -> String {
        let mut texts = Texts::default();
        texts.keep("another");
        let id = PackedId::of_digits(text).unwrap_or_else(|| texts.keep(text));
        texts.text(id, &mut room()).to_owned()
    }

    #[test]
    fn the_corners_come_back() {
        let long = "9".repeat(200);
        for text in [
            "0",
            "00",
            "9",
            "0000000000000000000",
            "9999999999999999999",
            "00000000000000000000",
            "31011701001000001",
            "a",
            "-1",
            "+1",
            "１２",
            "上水-1",
            "",
            &long,
        ] {
            assert_eq!(back(text), text);
        }
    }

    proptest! {
        #[test]
        fn ids_of_every_shape_come_back(text in "[0-9]{1,22}|[A-Z]{2}-[0-9]{3,12}|\\PC{0,40}") {
            prop_assert_eq!(back(&text), text);
        }

        #[test]
        fn numbers_are_equal_exactly_when_their_texts_are(a in "[0-9]{1,19}", b in "[0-9]{1,19}") {
            prop_assert_eq!(PackedId::of_digits(&a) == PackedId::of_digits(&b), a == b);
        }
    }
}
