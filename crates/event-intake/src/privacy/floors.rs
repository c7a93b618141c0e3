//! Takes flats out of an address with the floor that says the same: 2003(20层), 20层2003, 302楼上.
//!
//! A floor by itself stays: it is no flat, and tells where in the house the city has to go.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::{digit, flats, replaced};

/// Beside a room: its floor, and who lives above, below or next to it.
struct Floors {
    before: Regex,
    after: Regex,
}

static FLOORS: LazyLock<Option<Floors>> = LazyLock::new(|| {
    let floor = "([0-9]{1,2}|[一二三四五六七八九十]{1,3})";
    Some(Floors {
        before: Regex::new(&format!(r"(?:^|[^0-9]){floor}([层楼Ff])[\s(,]*$")).ok()?,
        after: Regex::new(&format!(
            r"^\s*[号室]?的?(?:次卧|主卧|客卧|卧室|客厅|厨房|阳台|卫生间|[东南西北]间)?(?:楼上|楼下|隔壁|对门|对过|邻居|邻家)?(?:[\s(,]*第?{floor}[层楼Ff]\)?)?"
        ))
        .ok()?,
    })
});

/// An address without its flats, and without the floor that says the same as the room: 2003(20层), 20层2003, 302楼上.
pub(crate) fn without_flats(address: &str) -> Cow<'_, str> {
    let mut found = flats::find(address);
    let Some(floors) = FLOORS.as_ref().filter(|_| !found.is_empty()) else {
        return Cow::Borrowed(address);
    };
    for found in &mut found {
        let room = address.get(found.from..found.to).unwrap_or_default();
        let is_its = |floor: &str| in_figures(floor).is_some_and(|floor| is_floor_of(floor, room));
        let before = address.get(..found.from).unwrap_or_default();
        if let Some(groups) = floors.before.captures(before)
            && let (Some(floor), Some(word)) = (groups.get(1), groups.get(2))
            && (is_its(floor.as_str()) || word.as_str() != "楼" && room.len() == 2)
        {
            found.from = floor.start();
        }
        let after = address.get(found.to..).unwrap_or_default();
        if let Some(groups) = floors.after.captures(after)
            && groups.get(1).is_none_or(|floor| is_its(floor.as_str()))
        {
            found.to += groups.get(0).map_or(0, |whole| whole.end());
        }
        found.instead = " ";
    }
    Cow::Owned(replaced(address, found))
}

/// Whether a room's first figures are its floor's.
pub(super) fn is_floor_of(floor: u32, room: &str) -> bool {
    let digits = room.chars().filter_map(digit).map(u32::from);
    digits.fold(0, |sum: u32, digit| sum.saturating_mul(10).saturating_add(digit)) / 100 == floor
}

/// A floor's number: 20, 二十, 十二.
pub(super) fn in_figures(floor: &str) -> Option<u32> {
    let (tens, ones) = match floor.split_once('十') {
        None if floor.chars().count() > 2 => return None,
        None => {
            return floor
                .chars()
                .try_fold(0, |sum, c| Some(sum * 10 + u32::from(digit(c)?)));
        }
        Some(parts) => parts,
    };
    let one = |text: &str, or: u32| match text {
        "" => Some(or),
        text => text.chars().next().and_then(digit).map(u32::from),
    };
    Some(one(tens, 1)? * 10 + one(ones, 0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flats_go_with_their_floor() {
        assert!(FLOORS.is_some());
        let check =
            |text: &str, expected: &str| assert_eq!(without_flats(text).trim_end(), expected, "{text}");
        check("12号2003(20层)", "12号");
        check("12号2003(二十层)", "12号");
        check("12号20层2003", "12号");
        check("12号20层03", "12号");
        check("12号302的楼上", "12号");
        check("12号302次卧", "12号");
        check("12号302 号", "12号");
        check("1500弄2003(20层)", "1500弄");
        check("金地小区302(3楼)", "金地小区");
        // The house of that number, and another floor.
        check("谷阳路302(3楼)", "谷阳路302(3楼)");
        check("金地小区302(5楼)", "金地小区302(5楼)");
        // Another floor than the room's, or no room.
        check("12号2003(18层)", "12号 (18层)");
        check("12号3楼", "12号3楼");
        check("金地小区3楼502", "金地小区3楼");
    }

    #[test]
    fn floors_in_words() {
        for (floor, expected) in [
            ("20", Some(20)),
            ("十", Some(10)),
            ("十二", Some(12)),
            ("二十", Some(20)),
            ("三二一", None),
        ] {
            assert_eq!(in_figures(floor), expected, "{floor}");
        }
    }
}
