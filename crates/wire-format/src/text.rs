//! A text of a record: lent by the bytes that it was read from where it stands there as it is, else its own.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that a record's bytes may lend. Most are looked at once, so most are never copied.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A text that lends nothing.
    pub fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }

    pub(crate) const fn lent(text: &'a str) -> Text<'a> {
        Text(Cow::Borrowed(text))
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Text<'a> {
        Text::lent(text)
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text(Cow::Owned(text))
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        deserializer.deserialize_str(Whole)
    }
}

/// Takes what `String` takes, in the same words.
struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text::lent(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(text.to_owned().into())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Text<'de>, E> {
        Ok(text.into())
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Text<'de>, E> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.visit_str(text),
            Err(_) => Err(E::invalid_value(Unexpected::Bytes(bytes), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lends_what_stands_there_as_it_is() {
        let is_lent = |json: &str| {
            let text: Text<'_> = serde_json::from_str(json).unwrap();
            let lent = matches!(text.0, Cow::Borrowed(_));
            (text.into_owned().as_str().to_owned(), lent)
        };
        assert_eq!(is_lent(r#""井盖""#), ("井盖".to_owned(), true));
        assert_eq!(is_lent(r#""a\nb""#), ("a\nb".to_owned(), false));
    }

    #[test]
    fn refuses_in_the_words_of_a_string() {
        for json in ["5", "null", "[]", "{}", "true", "1.5"] {
            let of = |error: serde_json::Error| error.to_string();
            assert_eq!(
                serde_json::from_str::<Text<'_>>(json).map_err(of).unwrap_err(),
                serde_json::from_str::<String>(json).map_err(of).unwrap_err()
            );
        }
    }
}
