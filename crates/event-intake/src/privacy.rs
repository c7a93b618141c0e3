//! Keeps people out of what the city publishes: scrubs free text, and counts reporters by a keyed hash.

use std::sync::LazyLock;

use city_model::{EventKey, Source};
use hmac::{Hmac, KeyInit, Mac};
use regex::{Captures, Regex, RegexSet};
use sha2::Sha256;

/// Full-width letters, digits and signs as their half-width twins; the ideographic space as a space.
pub(crate) fn half_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{3000}' => ' ',
            // FF01 to FF5E mirror 21 to 7E at a fixed distance.
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            _ => c,
        })
        .collect()
}

/// Digits of a flat, in figures or in words.
pub(crate) const FLAT: &str = r"[A-Za-z]?[0-9一二三四五六七八九十百零〇○两]+\s*[-—~]?\s*[0-9]*\s*室";

/// What may not leave, in the order in which it is replaced: the longer number first, so that no rest of it stays.
/// DOMAIN 5.6; the plates are those of all provinces, the titles some more than there.
const PATTERNS: [(&str, Keep); 8] = [
    (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", Keep::Nothing),
    (r"\d{17}[\dXx]|\d{6}[ -]\d{8}[ -]\d{3}[\dXx]", Keep::Nothing),
    (r"(?:\+?\s?(?:00)?86[- ]?)?1[3-9](?:[-. ]?\d){9}", Keep::Nothing),
    (r"\(?0\d{2,3}\)?[- ]?\d{7,8}", Keep::Nothing),
    (
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-Za-z][·•.\- ]?[A-Za-z0-9]{5,6}",
        Keep::Nothing,
    ),
    (
        r"\p{Han}{1,3}(先生|女士|师傅|小姐|阿姨|老师|同志|太太)",
        Keep::Last,
    ),
    (FLAT, Keep::Flat),
    (
        r"(?:姓名|联系人|来电人|投诉人|举报人|当事人)\s*[:是为]?\s*\p{Han}{2,4}",
        Keep::Nothing,
    ),
];

#[derive(Clone, Copy)]
enum Keep {
    Nothing,
    /// The form of address, without the name before it.
    Last,
    Flat,
}

static ANY: LazyLock<Option<RegexSet>> = LazyLock::new(|| RegexSet::new(PATTERNS.map(|(p, _)| p)).ok());
static EACH: LazyLock<Vec<(Regex, Keep)>> = LazyLock::new(|| {
    PATTERNS
        .iter()
        .filter_map(|(p, keep)| Some((Regex::new(p).ok()?, *keep)))
        .collect()
});

/// The text without phone numbers, id numbers, plates, names before a form of address, and flat numbers. Full-width
/// signs become half-width, because what is hidden in them must be found as well. It rather takes too much.
pub fn scrub(text: &str) -> String {
    let mut text = half_width(text);
    // Most texts hold nothing: one pass says so. A set that did not compile finds everything suspicious.
    if ANY.as_ref().is_some_and(|set| !set.is_match(&text)) {
        return text;
    }
    for (pattern, keep) in EACH.iter() {
        text = pattern
            .replace_all(&text, |found: &Captures<'_>| match keep {
                Keep::Nothing => "***".to_owned(),
                Keep::Last => format!("**{}", found.get(1).map_or("", |title| title.as_str())),
                Keep::Flat => "***室".to_owned(),
            })
            .into_owned();
    }
    text
}

/// A record's identity as it may be published: a command's is its operator, who may go by a phone number.
pub fn scrub_identity(source: Source, key: EventKey) -> EventKey {
    match source {
        Source::Command => EventKey {
            source_system: scrub(&key.source_system).into(),
            ..key
        },
        _ => key,
    }
}

/// Counts reporters without knowing them.
#[derive(Clone)]
pub(crate) struct Reporters {
    mac: Option<Hmac<Sha256>>,
}

impl std::fmt::Debug for Reporters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reporters") // the key is a secret
    }
}

impl Reporters {
    pub(crate) fn new(key: &[u8]) -> Reporters {
        Reporters {
            mac: Hmac::new_from_slice(key).ok(),
        } // HMAC takes keys of any length
    }

    /// The first 8 bytes of HMAC-SHA256 of the normalised number; `None` when it names nobody.
    pub(crate) fn hash(&self, phone: &str) -> Option<u64> {
        let number = normal_phone(phone)?;
        let mut mac = self.mac.clone()?;
        mac.update(number.as_bytes());
        mac.finalize()
            .into_bytes()
            .first_chunk()
            .map(|bytes| u64::from_be_bytes(*bytes))
    }
}

/// A number's digits without the country's prefix. Masked numbers and placeholders would make one person of many.
fn normal_phone(phone: &str) -> Option<String> {
    let phone = half_width(phone);
    if phone.contains('*') {
        return None;
    }
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let national = match digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86")) {
        Some(rest) if rest.len() >= 10 => rest,
        _ => &digits,
    };
    let first = national.chars().next()?;
    let says_nothing = national.len() < 5 || national.chars().all(|c| c == first);
    (!says_nothing).then(|| national.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert!(ANY.is_some());
        assert_eq!(EACH.len(), PATTERNS.len());
    }

    #[test]
    fn scrubs_people() {
        let check = |text: &str, expected: &str| assert_eq!(scrub(text), expected, "{text}");
        check("请回电13812345678", "请回电***");
        check("１３８１２３４５６７８", "***");
        check("138-1234-5678，+86 138 1234 5678", "***,***");
        check("021-57812345或(021)57812345", "***或***");
        check("310117198001011234", "***");
        check("31011719800101123X!", "***!");
        check("沪A·12345、沪AD12345", "***、***");
        check("苏e5x5x5", "***");
        check("张先生、王小明女士", "**先生、**女士");
        check("23号302室 积水", "23号***室 积水");
        check("三〇二室", "***室");
        check("联系人：张三", "***");
        check("a.b@c.example", "***");
        check("办公室门口积水20厘米", "办公室门口积水20厘米");
    }

    #[test]
    fn one_number_is_one_reporter() {
        let reporters = Reporters::new(b"key");
        let one = reporters.hash("13812345678");
        assert!(one.is_some());
        for same in [
            "+86 138-1234-5678",
            "008613812345678",
            "8613812345678",
            "１３８１２３４５６７８",
        ] {
            assert_eq!(reporters.hash(same), one, "{same}");
        }
        assert_ne!(reporters.hash("13812345679"), one);
        assert_ne!(Reporters::new(b"other").hash("13812345678"), one);
        for nobody in ["", "保密", "138****5678", "00000000000", "123"] {
            assert_eq!(reporters.hash(nobody), None, "{nobody}");
        }
        // RFC 4231, test case 2, fixes the algorithm.
        let mut mac = Reporters::new(b"Jefe").mac.unwrap();
        mac.update(b"what do ya want for nothing?");
        assert_eq!(
            city_model::hex(&mac.finalize().into_bytes())[..16],
            *"5bdcc146bf60754e"
        );
    }
}
