//! What an address names, as the city's address library lists places: a door, a crossing, an estate.

use city_model::Name;
use city_registry::AddressName;

use super::{CROSSING, key};

/// Roads by the last signs of their names.
const ROADS: [&str; 5] = ["公路", "大道", "路", "街", "巷"];
/// Most digits of a number on a road; longer ones are somebody's.
const MOST_DIGITS: usize = 5;

/// What an address as it is written names, for a library's rows.
pub fn address_name(address: &str) -> Option<AddressName> {
    named(&key(address, None)?).next()
}

/// What a key names, the narrowest first: a library may list an estate with its road or without it.
pub(crate) fn named(key: &str) -> impl Iterator<Item = AddressName> {
    let (first, second) = match read(key) {
        Some(Read::Crossing(one, other)) => (Some(crossing(one, other)), None),
        Some(Read::Door { road, number }) => (
            Some(AddressName::Door {
                road: road.into(),
                number,
            }),
            None,
        ),
        Some(Read::Estate { whole, name }) => {
            let estate = |name: &str| AddressName::Estate(name.into());
            (Some(estate(whole)), (whole != name).then(|| estate(name)))
        }
        None => (None, None),
    };
    first.into_iter().chain(second)
}

#[derive(Debug, PartialEq, Eq)]
enum Read<'a> {
    Door {
        road: &'a str,
        number: u32,
    },
    Crossing(&'a str, &'a str),
    /// With the road before it and without.
    Estate {
        whole: &'a str,
        name: &'a str,
    },
}

/// `None` for a road alone, and for numbers that are of nothing.
fn read(key: &str) -> Option<Read<'_>> {
    if let Some((one, other)) = key.split_once(CROSSING) {
        let whole = |road| road_before(road).unwrap_or(road);
        let other = without_corner(other);
        return Some(Read::Crossing(whole(one), whole(other)));
    }
    let digits = key.find(|c: char| c.is_ascii_digit()).unwrap_or(key.len());
    let (before, behind) = key.split_at(digits);
    if before.is_empty() {
        return None;
    }
    if let Some((one, other)) = corner(before) {
        return Some(Read::Crossing(one, other));
    }
    let is_road = ROADS.iter().any(|class| before.ends_with(class));
    if !is_road {
        let name = road_before(before).map_or(before, |road| &before[road.len()..]);
        // "K" of a kilometre is none.
        let is_name = name.chars().nth(1).is_some() && !name.is_ascii();
        return is_name.then_some(Read::Estate { whole: before, name });
    }
    let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
    let (number, rest) = behind.split_at(end);
    // A kilometre of a road, a list and a range are no one door.
    let is_one = rest.is_empty() || rest.starts_with(['弄', '号', '支', '幢', '栋', '座']);
    (is_one && number.len() <= MOST_DIGITS)
        .then(|| number.parse().ok())
        .flatten()
        .map(|number| Read::Door { road: before, number })
}

fn crossing(one: &str, other: &str) -> AddressName {
    AddressName::Crossing(one.min(other).into(), one.max(other).into())
}

/// The road that a name begins with, where more than the road is named.
fn road_before(name: &str) -> Option<&str> {
    let end = ROADS.iter().find_map(|class| match name.find(class) {
        None | Some(0) => None,
        Some(at) => Some(at + class.len()),
    })?;
    (end < name.len()).then(|| &name[..end])
}

fn without_corner(road: &str) -> &str {
    let cut = ["路口", "口"].iter().find_map(|end| road.strip_suffix(end));
    cut.filter(|road| is_road(road)).unwrap_or(road)
}

fn is_road(text: &str) -> bool {
    let mut named = ROADS.iter().filter_map(|class| text.strip_suffix(class));
    named.any(|name| !name.is_empty())
}

/// The two roads of "A路B街路口", which has no sign between them where a number follows.
fn corner(name: &str) -> Option<(&str, &str)> {
    let both = ["路口", "口"]
        .into_iter()
        .filter_map(|end| name.strip_suffix(end));
    let mut parts = both.flat_map(|roads| roads.char_indices().map(move |(at, _)| roads.split_at(at)));
    parts.find(|(one, other)| is_road(one) && is_road(other))
}

/// How a place of the library is called.
pub(crate) fn spoken(name: &AddressName, key: &str) -> Name {
    match name {
        AddressName::Door { road, .. } => {
            let number = key.strip_prefix(&**road).unwrap_or_default();
            let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
            let word = number[digits..]
                .chars()
                .next()
                .filter(|c| matches!(c, '弄' | '号'));
            let end = digits + word.map_or(0, char::len_utf8);
            [road, &number[..end]].concat().into()
        }
        AddressName::Crossing(one, other) => format!("{one}{CROSSING}{other}").into(),
        AddressName::Estate(name) => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_addresses_name() {
        let check = |address: &str, expected: &str| {
            let told = key(address, None).map_or_else(Vec::new, |key| {
                let all = named(&key);
                all.map(|name| match &name {
                    AddressName::Door { number, .. } => format!("{} [{number}]", spoken(&name, &key)),
                    _ => spoken(&name, &key).to_string(),
                })
                .collect()
            });
            assert_eq!(told.join(" / "), expected, "{address}");
        };
        check("上海市松江区谷阳北路1500弄23号302室", "谷阳北路1500弄 [1500]");
        check("谷阳北路１５００号", "谷阳北路1500号 [1500]");
        check("谷阳北路1500", "谷阳北路1500 [1500]");
        check("谷阳北路1500号楼", "谷阳北路1500 [1500]");
        check("谷阳北路1500弄金地苑3幢", "谷阳北路1500弄 [1500]");
        check("谷阳北路近人民路路口", "人民路×谷阳北路");
        check("谷阳北路/人民路", "人民路×谷阳北路");
        check("谷阳北路金地苑12幢", "谷阳北路金地苑 / 金地苑");
        check("金地苑", "金地苑");
        check("谷阳北路", "");
        check("沪松公路K12+800", "");
        check("谷阳北路302、304号", "");
        check("松江区", "");
    }
}
