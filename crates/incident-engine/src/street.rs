//! What an address key says about a place: a door, a crossing or a name, held against the places of an incident. It never
//! makes coordinates of a text.

use city_model::{Event, Incident};

/// Roads by the last signs of their names.
const ROADS: [&str; 5] = ["公路", "大道", "路", "街", "巷"];

/// The place that an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot<'a> {
    /// A number on a road: 弄, 号 or what else stands behind the digits.
    Door { road: &'a str, number: &'a str },
    /// Two roads, in the order of their signs; the number of a house at the corner narrows it and is left out.
    Crossing(&'a str, &'a str),
    /// An estate, a building, a shop; the number of a house in it narrows it and is left out.
    Named(&'a str),
}

/// How an event's address and those of an incident's members go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streets {
    /// One of the two has none, or they are of unlike forms: a door says nothing about a crossing.
    Silent,
    /// The same door.
    SameDoor,
    /// The same estate or other name.
    SameName,
    /// The same crossing.
    SameCrossing,
    /// Of unlike forms that name one road: a door on a road of the crossing.
    SameRoad,
    /// Of one form, and another one.
    Differ,
}

impl<'a> Spot<'a> {
    /// `None` for a road alone: kilometres of it are no place.
    fn read(key: &'a str) -> Option<Spot<'a>> {
        let whole = |road: &'a str| road_before(road).unwrap_or(road);
        if let Some((one, other)) = key.split_once('×') {
            return Some(Spot::crossing(whole(one), whole(other)));
        }
        let digits = key.find(|c: char| c.is_ascii_digit());
        let (before, number) = key.split_at(digits.unwrap_or(key.len()));
        let is_road = ROADS.iter().any(|class| before.ends_with(class));
        if before.is_empty() {
            return Some(Spot::Named(key));
        }
        if let Some((one, other)) = corner(before) {
            return Some(Spot::crossing(one, other));
        }
        match (is_road, number) {
            (true, "") => None,
            (true, number) => {
                let end = number.find(|c: char| !c.is_ascii_digit());
                let number = &number[..end.unwrap_or(number.len())];
                Some(Spot::Door { road: before, number })
            }
            (false, _) => Some(Spot::Named(before)),
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
            Spot::Named(name) => (road_before(name), None),
        };
        one.into_iter().chain(other)
    }

    fn is_like(self, other: Spot<'_>) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant::<Spot<'_>>(&other)
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
    let end = ROADS.iter().find_map(|class| match name.find(class) {
        None | Some(0) => None,
        Some(at) => Some(at + class.len()),
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
    if incident.also_at.is_empty() && incident.address_key.is_none() {
        return Streets::Silent;
    }
    let placed = incident.also_at.iter().map(|(_, address)| address);
    let mut said = Streets::Silent;
    for address in placed.chain(incident.address_key.as_ref()) {
        let Some(other) = Spot::read(address) else {
            continue;
        };
        if own == other {
            return match own {
                Spot::Door { .. } => Streets::SameDoor,
                Spot::Named(_) => Streets::SameName,
                Spot::Crossing(..) => Streets::SameCrossing,
            };
        }
        if own.is_like(other) {
            said = Streets::Differ;
        } else if said == Streets::Silent && own.roads().any(|road| other.roads().any(|same| same == road)) {
            said = Streets::SameRoad;
        }
    }
    said
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

    #[test]
    fn spots_are_read_from_keys() {
        let door = |road, number| Some(Spot::Door { road, number });
        assert_eq!(Spot::read("谷阳北路1500弄"), door("谷阳北路", "1500"));
        assert_eq!(Spot::read("谷阳北路1500弄23号"), door("谷阳北路", "1500"));
        assert_eq!(Spot::read("谷阳北路"), None);
        assert_eq!(
            Spot::read("人民路×谷阳北路"),
            Some(Spot::Crossing("人民路", "谷阳北路"))
        );
        for corner in ["谷阳北路人民路路口55号", "谷阳北路×人民路口", "人民路谷阳北路口"]
        {
            assert_eq!(Spot::read(corner), Spot::read("人民路×谷阳北路"), "{corner}");
        }
        assert_eq!(Spot::read("谷阳北路路口"), Some(Spot::Named("谷阳北路路口")));
        assert_eq!(
            Spot::read("谷阳北路金地苑12幢"),
            Some(Spot::Named("谷阳北路金地苑"))
        );
        assert_eq!(Spot::read("金地苑"), Some(Spot::Named("金地苑")));
        assert_eq!(Spot::read("12幢"), Some(Spot::Named("12幢")));
    }
}
