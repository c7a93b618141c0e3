//! Keeps people out of what the city publishes: scrubs free text, covers identifiers, and counts reporters by a keyed hash.
//!
//! What is looked for has a shape or a cue: numbers, plates, addresses of mail and chat, flats, names beside a title or a
//! word that announces one. A bare name in running text has neither and is not found; no text but an address's key and the
//! reason of an order leaves intake at all.

mod beside;
mod chain;
mod contacts;
mod documents;
mod flats;
mod floors;
mod identifiers;
mod keys;
mod local;
mod name_words;
mod names;
mod numbers;
mod operators;
mod pinyin;
mod plain;
mod plates;
mod reporter;
mod surnames;
mod things;
mod titled;

use std::borrow::Cow;

pub(crate) use beside::NUMBER_CUES;
pub(crate) use flats::{before_flat, is_like_a_room};
pub(crate) use floors::without_flats;
pub(crate) use identifiers::is_incident_of_ours;
pub(crate) use keys::PrivacyKeys;
pub(crate) use names::{CUES, TITLES, WEAK_CUES};
pub(crate) use reporter::Reporter;
pub(crate) use surnames::begins_like_a_name;
pub(crate) use things::is_numbered;

/// What stands where something personal stood.
const GONE: &str = "***";
/// Each pass takes something away, so texts settle in one or two passes; one that was made not to is taken whole.
const MOST_PASSES: usize = 8;

/// Full-width letters, digits and signs as their half-width twins; any blank as a space; invisible characters, in which a
/// number could hide, left out.
pub(crate) fn half_width(text: &str) -> Cow<'_, str> {
    // What changes is a Latin-1 sign, general punctuation, a CJK sign or a full-width form: no ideograph, and no ASCII.
    if !text.bytes().any(|byte| matches!(byte, 0xC2 | 0xE2 | 0xE3 | 0xEF)) {
        return Cow::Borrowed(text);
    }
    let shown = |c: &char| !matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}');
    let mut half = String::with_capacity(text.len());
    half.extend(text.chars().filter(shown).map(|c| match c {
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' => ' ',
        _ => city_model::half_width(c),
    }));
    Cow::Owned(half)
}

/// The text without phone numbers, identity and card numbers, plates, mail and chat addresses, flat numbers, and names
/// that a title or a cue tells. Full-width signs become half-width, because what is hidden in them must be found as well.
/// Scrubbing a scrubbed text changes nothing. It rather takes too much.
pub fn scrub(text: &str) -> String {
    let mut text = half_width(text);
    for _ in 0..MOST_PASSES {
        match pass(&text) {
            Some(next) if next != *text => text = Cow::Owned(next),
            _ => return text.into_owned(),
        }
    }
    GONE.to_owned()
}

/// An address of half-width signs without what is nobody's house number: what [`scrub`] finds by its digits, and landlines
/// without their area.
pub(crate) fn without_numbers(address: &str) -> String {
    let finders: [Finder; 5] = [
        contacts::find,
        numbers::find,
        documents::find,
        plates::find,
        local::find,
    ];
    passed(address, &finders).unwrap_or_else(|| address.to_owned())
}

type Finder = fn(&str) -> Vec<Found>;

/// The longer number first, so that no rest of it stays; names last, for what stands beside a name is cut off by then.
/// `None` where nothing was found.
fn pass(text: &str) -> Option<String> {
    let finders: [Finder; 8] = [
        contacts::find,
        numbers::find,
        documents::find,
        plates::find,
        flats::find,
        titled::find,
        names::find,
        beside::find,
    ];
    passed(text, &finders)
}

/// What else is looked for in an identifier, in which numbers were looked at and documents are told apart from counts.
const WITHOUT_DOCUMENTS: [Finder; 4] = [plates::find, flats::find, titled::find, names::find];

/// `None` where nothing was found.
fn passed(text: &str, finders: &[Finder]) -> Option<String> {
    let mut without: Option<String> = None;
    for find in finders {
        let text = without.as_deref().unwrap_or(text);
        let found = find(text);
        if !found.is_empty() {
            without = Some(replaced(text, found));
        }
    }
    without
}

/// A span of bytes that must go, and what is put there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    from: usize,
    to: usize,
    instead: &'static str,
}

impl Found {
    fn gone(from: usize, to: usize) -> Found {
        Found {
            from,
            to,
            instead: GONE,
        }
    }
}

fn replaced(text: &str, mut found: Vec<Found>) -> String {
    // Of two that begin together the longer one says what stands there.
    found.sort_unstable_by_key(|found| (found.from, std::cmp::Reverse(found.to)));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for Found { from, to, instead } in found {
        if from >= at {
            out.push_str(text.get(at..from).unwrap_or_default());
            out.push_str(instead);
        }
        at = at.max(to);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// What a digit says, in the signs in which people write one: figures, words, circles. `幺` is one on the telephone.
pub(crate) fn digit(c: char) -> Option<u8> {
    Some(match c {
        '0'..='9' => c as u8 - b'0',
        '零' | '〇' | '○' | '⓪' => 0,
        '一' | '幺' | '么' | '壹' => 1,
        '二' | '贰' => 2,
        '三' | '叁' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陆' => 6,
        '七' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '玖' => 9,
        '①'..='⑨' => (u32::from(c) - u32::from('①')) as u8 + 1,
        '➀'..='➈' => (u32::from(c) - u32::from('➀')) as u8 + 1,
        '⒈'..='⒐' => (u32::from(c) - u32::from('⒈')) as u8 + 1,
        // Bold, sans-serif and monospaced figures, five times ten in a row.
        '\u{1D7CE}'..='\u{1D7FF}' => ((u32::from(c) - 0x1D7CE) % 10) as u8,
        _ => return None,
    })
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '〇')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_one_width_stays_as_it_is() {
        for c in char::MIN..=char::MAX {
            let text = c.to_string();
            let stays = match c {
                '\u{3000}' | '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' => false,
                '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' => false,
                c => !('\u{FF01}'..='\u{FF5E}').contains(&c),
            };
            assert_eq!(half_width(&text) == text, stays, "{c:?}");
        }
        assert_eq!(half_width("Ａ　\u{200B}！"), "A !");
    }

    #[test]
    fn scrubs_people() {
        let check = |text: &str, expected: &str| assert_eq!(scrub(text), expected, "{text}");
        check("请回电13812345678", "请回电***");
        check("１３８１２３４５６７８", "***");
        check("138-1234-5678，+86 138 1234 5678", "***,+86 ***");
        check("021-57812345或(021)57812345", "***或(***");
        check("310117198001011234", "***");
        check("31011719800101123X!", "***!");
        check("沪A·12345、沪AD12345", "***、***");
        check("苏e5x5x5", "***");
        check("张先生、王小明女士", "**先生、**女士");
        check("23号302室 积水", "23号***室 积水");
        check("三〇二室", "***室");
        check("联系人：张三", "联系人:***");
        check("a.b@c.example", "***");
        check("办公室门口积水20厘米", "办公室门口积水20厘米");
    }
}
