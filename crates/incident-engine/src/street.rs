//! What an address key says about a place: a door, a crossing or a name, held against the places of an incident. It never
//! makes coordinates of a text.

use city_model::{Event, Incident};

/// Roads by the last signs of their names.
const ROADS: [&str; 5] = ["公路", "大道", "路", "街", "巷"];
/// What the sign between two roads begins with in UTF-8.
const CROSS: u8 = 0xc3;

/// The place that an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot<'a> {
    /// Numbers on a road: of a house (号) or a lane (弄), and of a house in that lane.
    Door { road: &'a str, numbers: &'a str },
    /// Two roads, in the order of their signs; the number of a house at the corner narrows it and is left out.
    Crossing(&'a str, &'a str),
    /// An estate, a building, a shop, and the numbers of a house in it.
    Named { name: &'a str, numbers: &'a str },
}

/// What a place is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The first number on a road.
    Door,
    /// An estate or other name.
    Name,
    /// Two roads.
    Crossing,
}

/// How an event's address and those of an incident's members go together; what is further down outweighs what is above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Streets {
    /// One of the two has none, or they are of unlike forms: a door says nothing about a crossing.
    Silent,
    /// Of unlike forms that name one road: a door on a road of the crossing.
    SameRoad,
    /// Of one form, and another one.
    Differ,
    /// The same lane or estate, of which one of the two names a house.
    Within(Place),
    /// The same lane or estate, and two houses in it.
    Beside(Place),
    /// All that both say.
    Same(Place),
}

/// What stands behind a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Lane,
    House,
    Building,
    Unsaid,
}

impl<'a> Spot<'a> {
    /// `None` for a road alone: kilometres of it are no place.
    fn read(key: &'a str) -> Option<Spot<'a>> {
        let whole = |road: &'a str| road_before(road).unwrap_or(road);
        // The first byte of the sign is in no Chinese character, and addresses are read by the million.
        if key.bytes().any(|byte| byte == CROSS)
            && let Some((one, other)) = key.split_once('×')
        {
            return Some(Spot::crossing(whole(one), whole(other)));
        }
        let digits = key.bytes().position(|byte| byte.is_ascii_digit());
        let (before, number) = key.split_at(digits.unwrap_or(key.len()));
        let is_road = ROADS.iter().any(|class| before.ends_with(class));
        if before.is_empty() {
            return Some(Spot::Named {
                name: key,
                numbers: "",
            });
        }
        if let Some((one, other)) = corner(before) {
            return Some(Spot::crossing(one, other));
        }
        match (is_road, number) {
            (true, "") => None,
            (true, numbers) => Some(Spot::Door {
                road: before,
                numbers,
            }),
            (false, numbers) => Some(Spot::Named {
                name: before,
                numbers,
            }),
        }
    }

    fn crossing(one: &'a str, other: &'a str) -> Spot<'a> {
        Spot::Crossing(one.min(other), one.max(other))
    }

    /// The roads that it names.
    fn roads(self) -> impl Iterator<Item = &'a str> {
        let (one, other) = match self {
            Spot::Door { road, .. } => (Some(road), None),
            Spot::Crossing(one, other) => (Some(one), Some(other)),
            Spot::Named { name, .. } => (road_before(name), None),
        };
        one.into_iter().chain(other)
    }

    /// How another one goes with it; `None` where the two are of unlike forms.
    fn beside(self, other: Spot<'_>) -> Option<Streets> {
        let is_place = |same, place| {
            if same {
                Streets::Same(place)
            } else {
                Streets::Differ
            }
        };
        Some(match (self, other) {
            (Spot::Crossing(..), Spot::Crossing(..)) => is_place(self == other, Place::Crossing),
            (
                Spot::Door { road, numbers },
                Spot::Door {
                    road: other,
                    numbers: others,
                },
            ) => match is_place(road == other, Place::Door) {
                Streets::Same(door) => by_numbers(numbers, others, door),
                differ => differ,
            },
            (
                Spot::Named { name, numbers },
                Spot::Named {
                    name: other,
                    numbers: others,
                },
            ) => match is_place(name == other, Place::Name) {
                Streets::Same(named) => by_numbers(numbers, others, named),
                differ => differ,
            },
            _ => return None,
        })
    }
}

/// The numbers of an address, each with what stands behind it. A letter counts as one: building A.
fn numbers(text: &str) -> impl Iterator<Item = (&str, Class)> {
    let is_number = |c: char| c.is_ascii_alphanumeric();
    let mut rest = text;
    std::iter::from_fn(move || {
        let begins = &rest[rest.find(is_number)?..];
        let (number, behind) = begins.split_at(begins.find(|c| !is_number(c)).unwrap_or(begins.len()));
        rest = behind;
        let class = match behind {
            lane if lane.starts_with('弄') => Class::Lane,
            building if building.starts_with(['幢', '栋', '座', '楼']) || building.starts_with("号楼") => {
                Class::Building
            }
            house if house.starts_with('号') => Class::House,
            _ => Class::Unsaid,
        };
        Some((number, class))
    })
}

/// How two rows of numbers on one road or in one estate go together. 1500弄 and 1500号 are two doors; 3号 and 3号楼 in one lane
/// are one house.
fn by_numbers(one: &str, other: &str, place: Place) -> Streets {
    let (mut ours, mut theirs) = (numbers(one), numbers(other));
    let mut is_first = place == Place::Door;
    loop {
        let fits = |a: Class, b: Class| match (a, b) {
            (Class::Unsaid, _) | (_, Class::Unsaid) => true,
            (Class::House, Class::Building) | (Class::Building, Class::House) => !is_first,
            (a, b) => a == b,
        };
        match (ours.next(), theirs.next()) {
            (None, None) => return Streets::Same(place),
            (None, Some(_)) | (Some(_), None) => return Streets::Within(place),
            (Some((a, of_a)), Some((b, of_b))) if a == b && fits(of_a, of_b) => is_first = false,
            _ if is_first => return Streets::Differ,
            _ => return Streets::Beside(place),
        }
    }
}

/// The two roads of "A路B街路口", which has no sign between them where a number follows.
fn corner(name: &str) -> Option<(&str, &str)> {
    let is_road = |text: &str| {
        let mut named = ROADS.iter().filter_map(|class| text.strip_suffix(class));
        named.any(|name| !name.is_empty())
    };
    let both = ["路口", "口"]
        .into_iter()
        .filter_map(|end| name.strip_suffix(end));
    let mut parts = both.flat_map(|roads| roads.char_indices().map(move |(at, _)| roads.split_at(at)));
    parts.find(|(one, other)| is_road(one) && is_road(other))
}

/// The road that a name begins with: that of an estate on it.
fn road_before(name: &str) -> Option<&str> {
    // A text's own search is set up anew each time, for names of a few signs.
    let end = ROADS.iter().find_map(|class| {
        let last = class.chars().next_back();
        let mut ends = name.char_indices().filter(|(_, c)| Some(*c) == last);
        let end = ends.find_map(|(at, c)| {
            let end = at + c.len_utf8();
            name[..end].ends_with(class).then_some(end)
        })?;
        (end > class.len()).then_some(end)
    })?;
    Some(&name[..end])
}

/// What an address is found by: the roads that it names, or all of it where it names none.
pub(crate) fn names(address: &str) -> impl Iterator<Item = &str> {
    let mut roads = Spot::read(address).into_iter().flat_map(Spot::roads).peekable();
    let whole = roads.peek().is_none().then_some(address);
    whole.into_iter().chain(roads)
}

/// The place that an event's address names.
pub(crate) fn spot_of(event: &Event) -> Option<Spot<'_>> {
    event.address_key.as_deref().and_then(Spot::read)
}

/// Holds an event's address against the addresses of an incident. One that is the same outweighs others that differ:
/// callers name the two sides of a corner.
pub(crate) fn compare(incident: &Incident, own: Option<Spot<'_>>) -> Streets {
    let Some(own) = own else {
        return Streets::Silent;
    };
    let others = incident.also_at.iter().map(|(_, address)| address);
    let others = others.chain(incident.address_key.as_ref());
    let said = others.filter_map(|address| {
        let other = Spot::read(address)?;
        let shares_road = || own.roads().any(|road| other.roads().any(|same| same == road));
        own.beside(other)
            .or_else(|| shares_road().then_some(Streets::SameRoad))
    });
    said.max().unwrap_or(Streets::Silent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_by_its_roads() {
        let found = |address| names(address).collect::<Vec<_>>();
        assert_eq!(found("谷阳北路1500弄23号"), ["谷阳北路"]);
        assert_eq!(found("人民路×谷阳北路"), ["人民路", "谷阳北路"]);
        assert_eq!(found("谷阳北路金地苑12幢"), ["谷阳北路"]);
        assert_eq!(found("谷阳北路"), ["谷阳北路"]);
        assert_eq!(found("金地苑12幢"), ["金地苑12幢"]);
    }

    proptest::proptest! {
        #[test]
        fn a_road_is_found_as_a_search_for_each_class_finds_it(name in "(公路|大道|路|街|巷|公|大|道|谷|1|a|×){0,8}") {
            let end = ROADS.iter().find_map(|class| match name.find(class) {
                None | Some(0) => None,
                Some(at) => Some(at + class.len()),
            });
            proptest::prop_assert_eq!(road_before(&name), end.map(|end| &name[..end]));
        }
    }

    #[test]
    fn spots_are_read_from_keys() {
        let named = |name, numbers| Some(Spot::Named { name, numbers });
        let door = Spot::Door {
            road: "谷阳北路",
            numbers: "1500弄23号",
        };
        assert_eq!(Spot::read("谷阳北路1500弄23号"), Some(door));
        assert_eq!(Spot::read("谷阳北路"), None);
        assert_eq!(
            Spot::read("人民路×谷阳北路"),
            Some(Spot::Crossing("人民路", "谷阳北路"))
        );
        for corner in ["谷阳北路人民路路口55号", "谷阳北路×人民路口", "人民路谷阳北路口"]
        {
            assert_eq!(Spot::read(corner), Spot::read("人民路×谷阳北路"), "{corner}");
        }
        assert_eq!(Spot::read("谷阳北路路口"), named("谷阳北路路口", ""));
        assert_eq!(Spot::read("谷阳北路金地苑12幢"), named("谷阳北路金地苑", "12幢"));
        assert_eq!(Spot::read("金地苑"), named("金地苑", ""));
        assert_eq!(Spot::read("12幢"), named("12幢", ""));
    }

    #[test]
    fn addresses_are_held_against_each_other_number_by_number() {
        use Place::{Door, Name};
        let told = |one, other| Spot::read(one).unwrap().beside(Spot::read(other).unwrap());
        for (one, other, said) in [
            ("谷阳北路1500弄", "谷阳北路1500弄", Streets::Same(Door)),
            ("谷阳北路1500弄", "谷阳北路1500号", Streets::Differ),
            ("谷阳北路1500弄", "谷阳北路1500", Streets::Same(Door)),
            ("谷阳北路1500弄", "谷阳北路1501弄", Streets::Differ),
            ("谷阳北路1500弄", "谷阳北路1500弄3幢", Streets::Within(Door)),
            ("谷阳北路1500弄3幢", "谷阳北路1500弄18幢", Streets::Beside(Door)),
            ("谷阳北路1500弄3号", "谷阳北路1500弄3幢", Streets::Same(Door)),
            ("谷阳北路1500弄3号楼", "谷阳北路1500弄3幢", Streets::Same(Door)),
            ("谷阳北路1500弄a座", "谷阳北路1500弄b座", Streets::Beside(Door)),
            ("金地苑12幢", "金地苑3幢", Streets::Beside(Name)),
            ("金地苑12幢", "金地苑", Streets::Within(Name)),
            ("金地苑12幢", "银地苑12幢", Streets::Differ),
        ] {
            assert_eq!(told(one, other), Some(said), "{one} {other}");
            assert_eq!(told(other, one), Some(said), "{other} {one}");
        }
    }
}
