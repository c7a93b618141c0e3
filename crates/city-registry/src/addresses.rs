//! The city's address library (标准地址库): which place a door, a crossing or an estate is. Between the doors that it lists it
//! goes by the two beside, and says how sure that is; what it does not list it does not guess.

mod road;

use std::collections::BTreeMap;

use city_model::{Name, Plane, Point, Position, isqrt};
use rustc_hash::FxHashMap;

use road::{Door, Road};

/// The place that an address names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressName {
    /// A number on a road: of a house (号) or a lane (弄), which share one row of numbers.
    Door {
        /// The road.
        road: Name,
        /// The number.
        number: u32,
    },
    /// Two roads, in the order of their signs.
    Crossing(Name, Name),
    /// An estate, a building, a market.
    Estate(Name),
}

/// Where the library has an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressPlace {
    /// Its middle.
    pub position: Position,
    /// Along which way the road runs there, as millimetres east and north of any length; none where nothing tells, and then
    /// both uncertainties are the same.
    pub along: Option<Point>,
    /// One sigma along the road of what is reported by this address, in millimetres.
    pub u_along_mm: i64,
    /// One sigma across it.
    pub u_across_mm: i64,
}

/// What one row of the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ListedPlace {
    pub(crate) position: Position,
    /// One sigma of the listed point, in millimetres.
    pub(crate) accuracy_mm: Option<i64>,
    /// One sigma of how far from it lies what is reported by its name.
    pub(crate) spread_mm: Option<i64>,
}

/// One sigma of a listed point that says nothing of it: a survey's to the house.
const ACCURACY_MM: i64 = 5_000;
/// How far from a door lies what is reported by it, along the road: half the front of a house and a bit.
const FRONT_MM: i64 = 10_000;
/// The same across the road: a street's breadth and a house's depth (proposal).
const DEPTH_MM: i64 = 40_000;
/// How far from the middle of a crossing lies what callers put there (proposal).
const CROSSING_MM: i64 = 60_000;
/// How far from the middle of an estate lies what is reported in it (proposal).
const ESTATE_MM: i64 = 100_000;
/// Rows of one address that lie farther about their middle, one sigma, are not one place: two roads of one name.
const MOST_APART_MM: i64 = 300_000;

/// The library. The order of its rows does not show.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    roads: FxHashMap<Name, Road>,
    named: FxHashMap<AddressName, AddressPlace>,
    len: usize,
    /// Addresses whose rows are too far apart to be one place.
    torn: usize,
}

impl Addresses {
    pub(crate) fn new(rows: impl IntoIterator<Item = (AddressName, ListedPlace)>) -> Addresses {
        let mut by_name: BTreeMap<AddressName, Vec<ListedPlace>> = BTreeMap::new();
        for (name, place) in rows {
            by_name.entry(name).or_default().push(place);
        }
        let mut library = Addresses {
            len: by_name.len(),
            ..Addresses::default()
        };
        let mut roads: BTreeMap<Name, Vec<Door>> = BTreeMap::new();
        for (name, mut places) in by_name {
            places.sort_unstable();
            let spread_mm = match name {
                AddressName::Door { .. } => DEPTH_MM,
                AddressName::Crossing(..) => CROSSING_MM,
                AddressName::Estate(_) => ESTATE_MM,
            };
            let Some(middle) = Middle::of(&places, spread_mm) else {
                library.torn += 1;
                continue;
            };
            match name {
                AddressName::Door { road, number } => {
                    // In the order of their numbers, as the names are.
                    roads.entry(road).or_default().push(Door { number, middle });
                }
                other => {
                    let u_mm = root(middle.variance_mm2 + square(middle.spread_mm));
                    let place = AddressPlace {
                        position: middle.position,
                        along: None,
                        u_along_mm: u_mm,
                        u_across_mm: u_mm,
                    };
                    library.named.insert(other, place);
                }
            }
        }
        library.roads = roads
            .into_iter()
            .map(|(name, doors)| (name, Road::new(doors)))
            .collect();
        library
    }

    /// Where an address is; `None` for one that is not listed and lies not between two doors that are.
    pub fn place(&self, name: &AddressName) -> Option<AddressPlace> {
        match name {
            AddressName::Door { road, number } => self.roads.get(road)?.place(*number),
            other => self.named.get(other).copied(),
        }
    }

    /// How many addresses are listed.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many roads have doors.
    pub fn roads(&self) -> usize {
        self.roads.len()
    }

    /// How many addresses have rows that lie too far apart to be one place, and so have none.
    pub fn torn(&self) -> usize {
        self.torn
    }
}

/// What the rows of one address say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Middle {
    pub(crate) position: Position,
    /// Of the point itself, each way: as surveyed, and about the middle of several.
    pub(crate) variance_mm2: i128,
    pub(crate) spread_mm: i64,
}

impl Middle {
    /// `None` where they lie too far apart. Whole numbers, so the order of rows does not show.
    fn of(places: &[ListedPlace], spread_mm: i64) -> Option<Middle> {
        let count = i128::try_from(places.len()).ok().filter(|count| *count > 0)?;
        let mean = |of: fn(&ListedPlace) -> i64| {
            let sum: i128 = places.iter().map(|place| i128::from(of(place))).sum();
            i64::try_from(sum.div_euclid(count)).ok()
        };
        let position = Position {
            lon_e9: mean(|place| place.position.lon_e9)?,
            lat_e9: mean(|place| place.position.lat_e9)?,
        };
        let plane = Plane::at(position);
        let about: i128 = places
            .iter()
            .map(|place| {
                let point = plane.project(place.position);
                square(point.x) + square(point.y)
            })
            .sum();
        let apart = about / count / 2;
        if apart > square(MOST_APART_MM) {
            return None;
        }
        let surveyed = mean(|place| place.accuracy_mm.unwrap_or(ACCURACY_MM))?;
        let spread = places.iter().filter_map(|place| place.spread_mm).max();
        Some(Middle {
            position,
            variance_mm2: apart + square(surveyed),
            spread_mm: spread.unwrap_or(spread_mm),
        })
    }
}

fn square(mm: i64) -> i128 {
    i128::from(mm) * i128::from(mm)
}

fn root(mm2: i128) -> i64 {
    i64::try_from(isqrt(mm2.max(0).unsigned_abs())).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
