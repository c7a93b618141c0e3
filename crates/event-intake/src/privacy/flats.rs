//! Flats: the room, and the door on a floor; the house and its gate stay, for they are where the city has to go.

use std::sync::LazyLock;

use regex::Regex;

use super::floors::{in_figures, is_floor_of};
use super::things::is_numbered;
use super::{Found, digit};

/// A room with its word, in figures or in words, with what leads to it: 302室, 3-302室, 三〇二室.
const ROOM: &str = r"(?:[A-Za-z]{1,2}\s?[-—]?\s?)?[0-9一二三四五六七八九十百零〇○两壹贰叁肆伍陆柒捌玖]+[A-Za-z]?(?:\s*[-—~/、,和至到]\s*(?:[0-9]+[A-Za-z]?|[A-Za-z][0-9]*))*\s*[-—]?\s*(?:号|\()?\s*室";
/// Parts of a house in front of a bare number: 3号楼502, 2单元301, A座1203, 23号-302, 3#502.
const BEHIND_HOUSE: &str = r"((?:[A-Za-z]|[0-9一二三四五六七八九十百零〇○两])\s*(?:号楼|号门|号|幢|栋|座|单元|楼|层|门洞|门|#楼?))\s*[-—~,./(之]?\s*([A-Za-z]?[0-9]{1,2}\s*[-—~]\s*[0-9]{2,4}|[A-Za-z]?[0-9]{2,4}(?:[-—]?[A-Za-z])?(?:\s*[/、,和]\s*[0-9]{3,4})*|[0-9]{1,2}\s?[-—]\s?[A-Za-z]|[一二三四五六七八九零〇○]{3,4}|[一二三四五六七八九]百(?:[零〇○][一二三四五六七八九]|[一二]?十[一二三四五六七八九]?))";
/// A lane with house and room: 1500弄23-302.
const BEHIND_LANE: &str = r"弄\s*[0-9]{1,4}\s*[-—~]\s*([0-9]{1,4}(?:\s*[-—~]\s*[0-9]{1,4})?)";
/// The same of a part of an estate: 二期12-502.
const BEHIND_PHASE: &str = r"期\s*[0-9]{1,3}\s*[-—~]\s*([0-9]{2,4})";
/// A household by its number: 302户, 302住户.
const HOUSEHOLD: &str = r"[A-Za-z]?[0-9]{3,4}\s*(?:住户|户|业主|宿舍|寝室|病房)";
/// Building, entrance, room: 12-2-301.
const TRIPLE: &str = r"[0-9]{1,3}-[0-9]{1,2}-[0-9]{3,4}";
/// A door on a floor: 六楼东户, 3层西首室.
const DOOR: &str = r"(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3}|顶|底)\s*[楼层]\s*靠?[东南西北中左右]{1,2}(?:侧|边|面|首|手|头)?(?:户|室|间|套|那户|人家)";
/// A door of a part of a house: 2单元东户.
const DOOR_OF_PART: &str = r"(?:单元|楼|号|幢|栋|座|层)\s*([东南西北中左右]{1,2}(?:侧|边|首)?[户套])";
/// A room by its number and 房: 502房, 502号房间.
const NUMBERED: &str = r"[A-Za-z]?(?:[0-9]{3,4}|[一二三四五六七八九零〇○]{3,4})\s*号?房间?";
/// A room that a letter names, behind its house: 12号A室.
const LETTER_ROOM: &str = r"(?:号|幢|栋|座|单元|楼|层)\s?([A-Za-z])\s?室";
/// Who lives beside a room: 302楼上, 302号隔壁.
const BESIDE: &str = r"([A-Za-z]?[0-9]{3,4}[A-Za-z]?)\s?号?的?(?:楼上|楼下|隔壁|对门|对过|邻居|邻家)";
/// A floor and a room on it: 20F03, 3F-302.
const ON_FLOOR: &str = r"[0-9]{1,2}[Ff]\s?-?\s?[0-9]{2,4}";
/// A word that announces a room: 房号502, 家住302.
const ANNOUNCED: &str = r"(?:房号|房间号|室号|门牌号?|房间|宿舍|寝室|病房|楼上|楼下|隔壁|住在?)\s*[:是为]?\s*([A-Za-z]?[0-9]{3,4}[A-Za-z]?)";
/// The same in English, as callers from abroad have it: Room 302, Flat 3A, Apt. 302.
const IN_ENGLISH: &str = r"(?i)(?:^|[^a-z])((?:room|rm|flat|unit|apt|apartment|suite)\s*\.?\s*(?:no\.?\s*)?[:#]?\s*(?:[a-z]-?)?[0-9]{1,4}[a-z]?)(?:[^a-z0-9]|$)";
/// A room of a block of flats: 12号公寓302.
const OF_APARTMENTS: &str = r"公寓\s*[-—~,.:(]?\s*([A-Za-z]?[0-9]{3,4}(?:\s*[/、,和]\s*[0-9]{3,4})*)";
/// A room whose floor is said behind it: 2003(20层), 302,3楼.
const WITH_FLOOR: &str = r"([0-9]{3,4})\s*[(,]\s*第?([0-9]{1,2}|[一二三四五六七八九十]{1,3})[层楼Ff]";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Room,
    BehindHouse,
    BehindLane,
    Triple,
    Numbered,
    Announced,
    Household,
    Beside,
    OnFloor,
    OfApartments,
    WithFloor,
    Other,
}

static EACH: LazyLock<Vec<(Regex, Kind)>> = LazyLock::new(|| {
    [
        (ROOM, Kind::Room),
        (BEHIND_HOUSE, Kind::BehindHouse),
        (BEHIND_LANE, Kind::BehindLane),
        (BEHIND_PHASE, Kind::Announced),
        (HOUSEHOLD, Kind::Household),
        (TRIPLE, Kind::Triple),
        (DOOR, Kind::Other),
        (DOOR_OF_PART, Kind::Other),
        (NUMBERED, Kind::Numbered),
        (ANNOUNCED, Kind::Announced),
        (LETTER_ROOM, Kind::Other),
        (BESIDE, Kind::Beside),
        (ON_FLOOR, Kind::OnFloor),
        (IN_ENGLISH, Kind::Other),
        (OF_APARTMENTS, Kind::OfApartments),
        (WITH_FLOOR, Kind::WithFloor),
    ]
    .iter()
    .filter_map(|(pattern, kind)| Some((Regex::new(pattern).ok()?, *kind)))
    .collect()
});
/// A room with its word.
static FROM_ROOM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(ROOM).ok());

/// An address up to its flat; `None` when that cannot be told.
pub(crate) fn before_flat(address: &str) -> Option<&str> {
    if !address.contains('室') {
        return Some(address);
    }
    let mut rooms = FROM_ROOM.as_ref()?.find_iter(address);
    match rooms.find(|room| is_room(room.as_str(), address.get(room.end()..).unwrap_or_default())) {
        Some(flat) => address.get(..flat.start()),
        None => Some(address),
    }
}

pub(super) fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let signs = Signs::of(text);
    if signs == Signs::default() {
        return found;
    }
    let wanted = EACH.iter().filter(|(pattern, _)| signs.allow(pattern.as_str()));
    for (pattern, kind) in wanted {
        let mut at = 0;
        while let Some(groups) = pattern.captures_at(text, at) {
            let whole = groups.get(0);
            at = whole.map_or(text.len(), |whole| whole.end());
            let what = match kind {
                Kind::BehindHouse => groups.get(2),
                _ => groups.get(1).or(whole),
            };
            let Some(what) = what else { continue };
            let before = text.get(..what.start()).unwrap_or_default();
            let after = text.get(what.end()..).unwrap_or_default();
            let is_flat = match kind {
                Kind::Room => !is_layout(after) && is_room(what.as_str(), after),
                Kind::Household => is_household(before, what.as_str(), after),
                Kind::BehindHouse => {
                    let house = groups.get(1).map_or("", |house| house.as_str());
                    let start = groups.get(1).map_or(0, |house| house.start());
                    let head = text.get(..start).unwrap_or_default();
                    // "9月20号 1530" is a day and an hour.
                    let is_day = head
                        .trim_end_matches(|c: char| digit(c).is_some() || c == ' ')
                        .ends_with('月');
                    // "86号(2018)": the number of a letter and its year.
                    let is_year =
                        before.ends_with('(') && what.as_str().starts_with("20") && after.starts_with(')');
                    // "14栋(16、17栋)": houses, the last of which says so.
                    let last = after.trim_start_matches(|c: char| digit(c).is_some() || ",、和 ".contains(c));
                    let is_list = what.len() <= 2
                        && after.starts_with([',', '、', '和'])
                        && last.starts_with(['栋', '幢', '座', '号']);
                    !is_day && !is_year && !is_list && is_bare_room(house, what.as_str(), after)
                }
                Kind::Triple => {
                    let touches = |c: char| c.is_ascii_digit() || c == '-';
                    !before.ends_with(touches)
                        && !after.starts_with(touches)
                        && !is_measured(after)
                        && !is_numbered(before)
                }
                // "3-5号" are houses, one behind the other.
                Kind::BehindLane => {
                    !after
                        .trim_start()
                        .starts_with(['号', '幢', '栋', '座', '支', '#'])
                        || is_behind_a_gate(whole.map_or("", |whole| whole.as_str()))
                }
                Kind::Numbered => {
                    !after.starts_with(['屋', '产', '顶', '东', '子', '租', '源', '型', '管', '本', '价'])
                }
                Kind::Announced => !is_measured(after),
                // "谷阳路302楼上" is above the house of that number.
                Kind::Beside => {
                    is_like_a_room(what.as_str())
                        && !before.ends_with(['路', '街', '道', '巷'])
                        && !touches(before)
                }
                Kind::OfApartments => is_like_a_room(what.as_str()) && !is_measured(after),
                // "谷阳路302(3楼)" is the third floor of the house of that number.
                Kind::WithFloor => {
                    let floor = groups.get(2).and_then(|floor| in_figures(floor.as_str()));
                    floor.is_some_and(|floor| is_floor_of(floor, what.as_str()))
                        && !before.ends_with(['路', '街', '道', '巷'])
                        && !touches(before)
                        && !is_numbered(before)
                }
                Kind::OnFloor => !touches(before) && !after.starts_with(is_of_a_code) && !is_numbered(before),
                Kind::Other => true,
            };
            if !is_flat && *kind == Kind::BehindHouse {
                // What is no room may be the floor of one: 12号20层2003.
                at = what.start();
            }
            if is_flat {
                let instead = match kind {
                    Kind::Room => "***室",
                    _ => super::GONE,
                };
                found.push(Found {
                    from: what.start(),
                    to: what.end(),
                    instead,
                });
            }
        }
    }
    found
}

fn is_of_a_code(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// Whether a text ends within a code, so that what follows is a part of it.
fn touches(before: &str) -> bool {
    before.ends_with(is_of_a_code)
}

/// The signs without which a pattern finds nothing; looking for those, all at once, is the cheaper part by far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Signs {
    room: bool,
    /// A part of a house.
    house: bool,
    /// A number somewhere behind one.
    number_behind_house: bool,
    lane: bool,
    floor: bool,
    door: bool,
    numbered: bool,
    announced: bool,
    phase: bool,
    beside: bool,
    floor_sign: bool,
    apartments: bool,
    /// A word for a room in English ends so: room, rm, flat, unit, apt, suite.
    english: bool,
    household: bool,
    dash: bool,
    hyphens: u8,
}

impl Signs {
    fn of(text: &str) -> Signs {
        let mut signs = Signs::default();
        for c in text.chars() {
            match c {
                '室' => signs.room = true,
                '楼' => {
                    (signs.house, signs.floor) = (true, true);
                    (signs.announced, signs.beside) = (true, true);
                }
                '层' => (signs.house, signs.floor) = (true, true),
                '号' | '幢' | '栋' | '座' | '元' | '门' | '#' => signs.house = true,
                '弄' => signs.lane = true,
                '户' => (signs.door, signs.household) = (true, true),
                '套' => signs.door = true,
                '隔' => (signs.announced, signs.beside) = (true, true),
                '对' | '邻' => signs.beside = true,
                'F' | 'f' => signs.floor_sign = true,
                '寓' => signs.apartments = true,
                'M' | 'm' | 'T' | 't' | 'E' | 'e' => signs.english = true,
                '业' | '寝' | '病' => signs.household = true,
                '舍' => (signs.household, signs.announced) = (true, true),
                '期' => signs.phase = true,
                '房' => signs.numbered = true,
                '住' | '牌' => signs.announced = true,
                '-' => {
                    signs.dash = true;
                    signs.hyphens = signs.hyphens.saturating_add(1);
                }
                '—' | '~' => signs.dash = true,
                _ if digit(c).is_some() => signs.number_behind_house |= signs.house,
                _ => {}
            }
        }
        signs
    }

    fn allow(self, pattern: &str) -> bool {
        match pattern {
            ROOM => self.room,
            BEHIND_HOUSE => self.number_behind_house,
            BEHIND_LANE => self.lane && self.dash,
            BEHIND_PHASE => self.phase && self.dash,
            HOUSEHOLD => self.household,
            TRIPLE => self.hyphens >= 2,
            DOOR => self.floor,
            DOOR_OF_PART => self.door,
            LETTER_ROOM => self.room,
            BESIDE => self.beside,
            ON_FLOOR => self.floor_sign,
            IN_ENGLISH => self.english,
            OF_APARTMENTS => self.apartments,
            WITH_FLOOR => self.floor || self.floor_sign,
            NUMBERED => self.numbered,
            _ => self.room || self.numbered || self.announced,
        }
    }
}

/// Whether the last of two numbers behind a lane is a room and not the next house: "弄23-302", not "弄101-103".
fn is_behind_a_gate(lane: &str) -> bool {
    let numbers: Vec<&str> = lane
        .split(|c: char| !c.is_ascii_digit())
        .filter(|number| !number.is_empty())
        .collect();
    match numbers[..] {
        [house, room] => house.len() < room.len() && is_like_a_room(room),
        _ => true,
    }
}

/// "302号室" is a room, "23号室内" the inside of a house.
fn is_room(room: &str, after: &str) -> bool {
    let is_inside = room.contains('号') && after.starts_with(['内', '外']);
    !is_inside || is_like_a_room(room)
}

/// Whether a household is named rather than households counted: "302户漏水", not "约300户" or "302户居民".
fn is_household(before: &str, household: &str, after: &str) -> bool {
    let counts = before.trim_end().ends_with([
        '共', '约', '近', '有', '达', '余', '超', '计', '及', '响', '的', '为', '了', '第', '向', '平', '他',
    ]);
    is_like_a_room(household)
        && !counts
        && (!household.ends_with('户')
            || household.contains('住')
            || !after.starts_with([
                '居', '人', '业', '停', '都', '受', '无', '村', '以', '左', '家', '签', '已', '型', '团',
            ]))
}

/// Whether a number is built as a room's: a floor, and one of at most twenty on it.
pub(crate) fn is_like_a_room(number: &str) -> bool {
    let digits: Vec<u32> = number.chars().filter_map(digit).map(u32::from).collect();
    let value = digits.iter().fold(0, |sum, digit| sum * 10 + digit);
    matches!(digits.len(), 3 | 4)
        && digits.first() != Some(&0)
        && value >= 100
        && (1..=20).contains(&(value % 100))
}

/// 三室两厅 is how a flat is laid out, not which one it is.
fn is_layout(after: &str) -> bool {
    let mut next = after.chars();
    let counts = next.next().is_some_and(|c| digit(c).is_some() || c == '两');
    counts && next.next() == Some('厅')
}

/// Whether a number behind a part of a house is a room rather than a day, a count or a length.
fn is_bare_room(house: &str, number: &str, after: &str) -> bool {
    let digits = match number.contains('百') {
        true => 3,
        false => number.chars().filter(|c| digit(*c).is_some()).count(),
    };
    let is_parted = number.contains(['-', '—', '~']);
    // "23号12" may be anything; a room behind a gate's number has three digits.
    if house.ends_with(['号', '门']) && digits < 3 && !is_parted {
        return false;
    }
    let is_house = !house.ends_with('号');
    let mut next = after.chars();
    match (next.next(), next.next()) {
        (Some('户'), then) => digits >= 3 && !then.is_some_and(|c| "居人业停都受无村".contains(c)),
        (Some('号'), _) => is_house && digits >= 3,
        // "12号302 号": what is parted from its word is no further house.
        (Some(' '), Some('号')) => is_like_a_room(number),
        // "302次卧" is no number of times.
        (Some('次'), Some('卧')) => true,
        _ => !is_measured(after),
    }
}

/// Whether a unit, a counter or more digits follow, so that the number before is an amount, a time or a road.
fn is_measured(after: &str) -> bool {
    const UNITS: &str = "号弄路米厘毫公里元万亿千百人次个名位只条根处辆台天日小时分秒年月点线块吨度层楼幢栋座单期份平方立余多起件%℃+×/户伏安瓦级站队";
    let is_unit = |c: char| UNITS.contains(c) || matches!(c, 'm' | 'k' | 'K' | 'c' | 'C' | 'M' | 'V' | 'A');
    after.starts_with(|c: char| c.is_ascii_digit() || matches!(c, ':' | '.'))
        || after.strip_prefix(' ').unwrap_or(after).starts_with(is_unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(EACH.len(), 16);
        assert!(FROM_ROOM.is_some());
    }

    proptest::proptest! {
        #[test]
        fn no_flat_stands_in_a_text_that_is_passed_over(text in "(室|号楼?|号门|幢|栋|座|单元|楼|层|#|弄|户|套|房|房号|住|住户|门牌|期|宿舍|寝室|病房|门洞|楼上|隔壁|对门|邻居|F|的|公寓|Room|flat|Unit|apt|suite|rm|百|,|\\(|东|顶|-|—|~|[0-9]{1,4}|[A-Z]|[一三零〇○两十]{1,3}| |月|路){0,9}") {
            let signs = Signs::of(&text);
            for (pattern, _) in EACH.iter() {
                proptest::prop_assert!(signs.allow(pattern.as_str()) || !pattern.is_match(&text), "{}", pattern);
            }
        }
    }
}
