//! One spelling for an address, without the flat: what callers without coordinates have in common.
//!
//! The key of two spellings of one place is the same; where it is not plain that two are one place, their keys differ. It
//! is a text to compare, never coordinates.

mod leftovers;
mod listed;
mod nowhere;
mod numerals;
mod parted;
mod told;

use std::borrow::Cow;
use std::sync::LazyLock;

use city_model::Name;
use regex::Regex;

use crate::privacy::{
    Reporter, before_flat, digit, half_width, is_like_a_room, is_numbered, scrub, without_flats,
    without_numbers,
};
use leftovers::without_leftovers;
pub use listed::address_name;
pub(crate) use listed::{named, spoken};
use numerals::in_digits;
use parted::{is_kept, parted, without_joined};
pub(crate) use told::{Told, in_text};

/// Longest key, in characters.
const MAX_CHARS: usize = 80;
/// What was parted settles in one pass or two; an address that was made not to has no key.
const MOST_PASSES: usize = 6;
/// Between the roads of a crossing, whichever was named first.
const CROSSING: char = '×';

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

/// A flat number without the word: "23号302", "23号楼-302", "5幢-12".
static BARE_FLAT: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(号楼|号|幢|栋|座|单元|楼)\s*[-—~]?\s*[0-9]{2,4}\s*$"));
/// A flat number behind a dash: "1500弄23-302".
static DASHED_FLAT: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"([0-9]+)\s*[-—~]\s*[0-9]{1,4}(?:\s*[-—~]\s*[0-9]{1,4})?\s*$"));
/// What stands before the road: country, province, city, district. Only what cannot be part of a place's own name:
/// "联华超市" is no city and "金地小区" no district.
static REGION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"^(?:中国)?(?:(?:上海|北京|天津|重庆)市?|\p{Han}{2,3}省\p{Han}{2,3}市)?(浦东新区|(?:黄浦|徐汇|长宁|静安|普陀|虹口|杨浦|闵行|宝山|嘉定|金山|松江|青浦|奉贤|崇明)[区县])?",
    )
});
/// A town and nothing more: no address.
static TOWN_ONLY: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^(?:\p{Han}{2,4}(?:街道办事处|街道)|\p{Han}{2,3}[镇乡])$"));
/// A town or street office before a road: "方松街道谷阳北路", "九亭镇沪松公路".
static TOWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"^(?:\p{Han}{2,4}(?:街道办事处|街道)|\p{Han}{2,3}[镇乡])(?:\p{Han}{2,4}(?:社区|居委会|村委会))?(\p{Han}{1,6}(?:公路|大道|路|街|弄|巷).*)$",
    )
});
/// What callers add to say "there": it narrows nothing that a key could hold.
static NEARBY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?:的?(?:附近|旁边|旁|门口|大门口|楼上|楼下|隔壁|对门|对面|周边|一带|处|边上|路边|这里|那里|里面|内))+$",
    )
});
/// Two roads: "A路B路", "A路近B路", "A路与B路交叉口", "A路/B路路口".
static TWO_ROADS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let road = r"(?:[GSXY][0-9]{1,4}|\p{Han}{1,8}?(?:公路|大道|支路|路|街|巷))";
    pattern(&format!(
        r"^({road})(?:[/+和与跟同及近靠交×x&-]|靠近|临近|交叉|相交)*({road})(?:的?(?:十字|丁字|三岔)?(?:交叉|交汇|相交|交界)?(?:路口|口|处)?)?$"
    ))
});
static BUILDING: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"([0-9]+)(?:号楼|幢楼|栋楼|幢|栋|座|#楼|#)"));

/// Room numbers behind a lane, which name no house there: "1500弄302", "1500弄302/303".
static LANE_AND_ROOMS: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"弄\s*((?:[0-9]{3,4}\s*[/、,和·-]?\s*)+|[零〇○一二三四五六七八九]{3,4})$"));

/// The key of an address, of which nothing is its reporter's name or number; `None` when nothing of it is left, or what is
/// left is no place that differs from others.
pub(crate) fn key(address: &str, reporter: Option<&Reporter>) -> Option<Name> {
    let text = half_width(address);
    let text = match reporter {
        Some(reporter) => Cow::Owned(reporter.taken_from(&text)),
        None => text,
    };
    // Numbers go first: what parts a flat's would part a phone's.
    let text = without_joined(&without_numbers(&text), without_numbers);
    // A pattern that did not compile must not let a flat number through.
    let text = in_digits(before_flat(&text)?);
    let text = before_flat(&text)?;
    let text = without_flats(text);
    let text = without_number(&text, &BARE_FLAT)?;
    let text = without_dashed(&text)?;
    let text = without_rooms(&text)?;
    let text = parted(&without_leftovers(&scrub(text)));
    let is_parted = text.chars().any(|c| !c.is_alphanumeric());
    let mut key = signs_of(&one_spelling(&text)?);
    // What signs kept apart stands together now, and may be somebody's number again.
    let mut passes = 0;
    while is_parted && passes < MOST_PASSES {
        let again = without_numbers(&without_joined(&key, without_numbers));
        let again = signs_of(&parted(&without_leftovers(&scrub(without_rooms(&again)?))));
        if again == key {
            break;
        }
        key = again;
        passes += 1;
    }
    if passes == MOST_PASSES || nowhere::is_nowhere(&key) || nowhere::is_numbers_alone(&key) {
        return None;
    }
    let key: String = key.chars().flat_map(char::to_lowercase).take(MAX_CHARS).collect();
    (!key.is_empty()).then(|| key.into())
}

/// The signs of a key: letters and digits, a crossing, and what stands between numbers: "K12+800" is not "K1+2800".
fn signs_of(text: &str) -> String {
    let mut before = None;
    let mut signs = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c.is_alphanumeric() || c == CROSSING || is_kept(before, c, rest.peek().copied()) {
            signs.push(c);
        }
        before = Some(c);
    }
    signs
}

fn without_rooms(text: &str) -> Option<&str> {
    let rooms = LANE_AND_ROOMS
        .as_ref()?
        .captures(text)
        .and_then(|found| found.get(1));
    let is_room = |rooms: &str| {
        let mut numbers = rooms
            .split(|c: char| digit(c).is_none())
            .filter(|number| !number.is_empty());
        numbers.all(is_like_a_room)
    };
    match rooms.filter(|rooms| is_room(rooms.as_str())) {
        Some(rooms) => text.get(..rooms.start()),
        None => Some(text),
    }
}

/// Whether an address says a place, be it a town: not "不详", nor the city that everything is in.
pub(crate) fn says_place(address: &str) -> bool {
    let text = from_town(address);
    let plain = NEARBY
        .as_ref()
        .map_or(Cow::Borrowed(text.as_str()), |nearby| nearby.replace(&text, ""));
    let plain: String = plain.chars().filter(|c| c.is_alphanumeric()).collect();
    !nowhere::is_nowhere(&plain)
}

/// Whether an address says a town and nothing finer.
pub(crate) fn is_town_alone(address: &str) -> bool {
    TOWN_ONLY
        .as_ref()
        .is_some_and(|town| town.is_match(&from_town(address)))
}

/// An address from its town on: half-width, without idle signs and without the country, province, city and district.
pub(crate) fn from_town(address: &str) -> String {
    let text: String = half_width(address).chars().filter(|c| !is_idle(*c)).collect();
    without_region(&text).to_owned()
}

/// Whether what [`from_town`] left of an address begins with a town of this name, rather than with a road or a thing that
/// is called after it.
pub(crate) fn begins_with_town(rest: &str, name: &str) -> bool {
    rest.strip_prefix(name)
        .is_some_and(|behind| !begins_with_class(behind))
}

/// Without the country, province, city and district in front.
fn without_region(text: &str) -> &str {
    let cut = REGION
        .as_ref()
        .and_then(|region| region.find(text))
        .map_or(0, |found| found.end());
    let rest = text.get(cut..).unwrap_or_default();
    if begins_with_class(rest) { text } else { rest }
}

/// The text without a number at its end that such a pattern finds; looking for the digit first is cheaper by far.
fn without_number<'a>(text: &'a str, pattern: &LazyLock<Option<Regex>>) -> Option<Cow<'a, str>> {
    let pattern = pattern.as_ref()?;
    Some(match text.trim_end().ends_with(|c: char| c.is_ascii_digit()) {
        true => pattern.replace(text, "$1"),
        false => Cow::Borrowed(text),
    })
}

/// Without a flat number behind a dash; behind a thing's name it is the thing's number.
fn without_dashed(text: &str) -> Option<Cow<'_, str>> {
    let is_things = |house: regex::Match<'_>| is_numbered(text.get(..house.start()).unwrap_or_default());
    let house = || DASHED_FLAT.as_ref()?.captures(text)?.get(1);
    match text.trim_end().ends_with(|c: char| c.is_ascii_digit()) && house().is_some_and(is_things) {
        true => Some(Cow::Borrowed(text)),
        false => without_number(text, &DASHED_FLAT),
    }
}

/// Without regions in front, "nearby" behind, spaces and signs; buildings and crossings in one manner. `None` for a region
/// alone, which is where everything is.
fn one_spelling(text: &str) -> Option<String> {
    let mut text = from_town(text);
    if text.is_empty() || TOWN_ONLY.as_ref()?.is_match(&text) {
        return None;
    }
    if let Some(road) = TOWN.as_ref()?.captures(&text).and_then(|found| found.get(1)) {
        text = road.as_str().to_owned();
    }
    let is_near = NEARBY.as_ref()?.find(&text);
    if let Some(from) = is_near.map(|found| found.start()) {
        text.truncate(from);
    }
    let two_roads = TWO_ROADS.as_ref()?;
    if let Some(roads) = has_two_roads(&text).then(|| two_roads.captures(&text)).flatten() {
        let mut roads = [&roads[1], &roads[2]];
        roads.sort_unstable();
        if roads[0] != roads[1] {
            return Some(roads.join(&CROSSING.to_string()));
        }
    }
    let building = BUILDING.as_ref()?;
    if text.contains(['楼', '幢', '栋', '座', '#']) {
        text = building.replace_all(&text, "${1}幢").into_owned();
    }
    Some(text)
}

/// Whether a text has the signs of two roads, without which the pattern for a crossing finds nothing.
fn has_two_roads(text: &str) -> bool {
    let is_road = |c: &char| matches!(c, '路' | '道' | '街' | '巷' | 'G' | 'S' | 'X' | 'Y');
    text.chars().filter(is_road).nth(1).is_some()
}

/// Signs that say nothing about the place.
fn is_idle(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '，' | ',' | '。' | '.' | '、' | '*' | ':' | ';' | '"' | '\'' | '(' | ')' | '（' | '）'
        )
}

/// Whether what follows a region's name makes it the name of a road or a thing: "松江区路", "上海路".
fn begins_with_class(rest: &str) -> bool {
    const CLASSES: [&str; 11] = [
        "路", "街", "大道", "公路", "号", "弄", "巷", "桥", "站", "大厦", "广场",
    ];
    CLASSES.iter().any(|class| rest.starts_with(class))
}

/// How precise an address reads, for coordinates that do not say how they were found.
pub(crate) fn quality(address: Option<&str>) -> city_model::Quality {
    use city_model::Quality;
    let Some(address) = address.map(half_width) else {
        return Quality::Poi;
    };
    let numbered = |sign: char| {
        address
            .match_indices(sign)
            .any(|(at, _)| address[..at].trim_end().ends_with(|c: char| c.is_ascii_digit()))
    };
    if numbered('号') && !address.contains("号线") || numbered('弄') {
        Quality::Door
    } else if address.contains("路口") || address.contains("交叉") || address.matches('路').count() >= 2
    {
        Quality::Intersection
    } else {
        Quality::Poi
    }
}

#[cfg(test)]
mod tests;
