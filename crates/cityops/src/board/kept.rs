//! The text of a record as the board keeps it: open incidents as they came, all others deflated.
//!
//! Closed incidents are nine in ten of a board, are hardly ever asked for, and deflate to a third.

use std::borrow::Cow;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// A text, perhaps deflated.
#[derive(Debug)]
pub(super) enum Kept {
    Plain(Box<str>),
    Deflated(Box<[u8]>),
}

impl Kept {
    pub(super) fn plain(text: &str) -> Kept {
        Kept::Plain(text.into())
    }

    pub(super) fn deflated(text: &str) -> Kept {
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(text.len() / 2), Compression::fast());
        // Writing to memory cannot fail; if it did, the text would be kept as it is.
        match encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
            Ok(bytes) if bytes.len() < text.len() => Kept::Deflated(bytes.into()),
            _ => Kept::plain(text),
        }
    }

    /// The text, as it was given.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Kept::Plain(text) => Cow::Borrowed(text),
            Kept::Deflated(bytes) => {
                let mut text = String::with_capacity(bytes.len() * 4);
                // The bytes are our own of a text that was checked, so reading them back cannot fail.
                match DeflateDecoder::new(&**bytes).read_to_string(&mut text) {
                    Ok(_) => Cow::Owned(text),
                    Err(_) => Cow::Borrowed("null"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn gives_back_every_text(text in "(\\PC|积水){0,200}") {
            for kept in [Kept::plain(&text), Kept::deflated(&text)] {
                prop_assert_eq!(kept.text(), text.as_str());
            }
            let long = text.repeat(50);
            let kept = Kept::deflated(&long);
            prop_assert_eq!(kept.text(), long.as_str());
            prop_assert!(long.len() < 200 || matches!(kept, Kept::Deflated(_)));
        }
    }
}
