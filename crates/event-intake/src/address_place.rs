//! Where an event is by its address: the address library's place for one without coordinates, both together for one that
//! has some. Whole numbers throughout, so every process and every replay finds the same.

use city_model::{EventTime, Located, Name, PlacedBy, Plane, Point, Position, Quality, isqrt};
use city_registry::{AddressName, AddressPlace, Addresses};

use crate::intake::Intake;
use crate::place::{LEAST_U_MM, MOST_U_MM};
use crate::{address, cells};

/// Squared sigmas by which coordinates and address may differ; beyond, one of the two is wrong, and the coordinates stand.
const MOST_SQUARED: i128 = 16;

impl Intake {
    /// The place of an event that its address takes part in. A surveyed thing stands where the registry has it, and a town that
    /// was stated outweighs a road of the same name in another.
    pub(crate) fn placed(
        &self,
        moment: EventTime,
        reported: Option<&Located>,
        key: Option<&Name>,
        town_code: Option<&str>,
    ) -> Option<(Located, PlacedBy)> {
        if reported.is_some_and(|reported| reported.quality == Quality::Component) {
            return None;
        }
        let found = find(&self.registry().addresses, key)?;
        match reported {
            Some(reported) => found.with(reported),
            None => {
                let placed = found.alone();
                let known = town_code.filter(|code| cells::is_known(self.layers(), moment, code));
                let is_there = known.is_none_or(|code| {
                    let Located { position, u_mm, .. } = placed.0;
                    cells::may_be_in(self.layers(), moment, position, u_mm, code)
                });
                is_there.then_some(placed)
            }
        }
    }
}

/// An address and where the library has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    name: AddressName,
    place: AddressPlace,
    called: Name,
}

/// Looks an address up.
pub(crate) fn find(library: &Addresses, key: Option<&Name>) -> Option<Found> {
    if library.is_empty() {
        return None;
    }
    let key = key?;
    let mut found = address::named(key).filter_map(|name| Some((library.place(&name)?, name)));
    let (place, name) = found.next()?;
    Some(Found {
        called: address::spoken(&name, key),
        name,
        place,
    })
}

impl Found {
    /// One sigma of the address alone, both ways together.
    pub(crate) fn u_mm(&self) -> i64 {
        both(square(self.place.u_along_mm), square(self.place.u_across_mm))
    }

    /// The place of an event that has no other.
    pub(crate) fn alone(&self) -> (Located, PlacedBy) {
        let quality = match self.name {
            AddressName::Door { .. } => Quality::Door,
            AddressName::Crossing(..) => Quality::Intersection,
            AddressName::Estate(_) => Quality::Poi,
        };
        let located = Located {
            position: self.place.position,
            u_mm: self.u_mm(),
            quality,
        };
        (located, self.mark(None))
    }

    /// The place of an event by its coordinates and its address together, each way by how sure they are; `None` where they
    /// contradict each other.
    pub(crate) fn with(&self, reported: &Located) -> Option<(Located, PlacedBy)> {
        let plane = Plane::at(self.place.position);
        let (along, across) = parts(plane.project(reported.position), self.place.along);
        // `u` is of both ways together, as `d² = x² + y²`.
        let own = (square(reported.u_mm) / 2).max(1);
        let ways = [(along, self.place.u_along_mm), (across, self.place.u_across_mm)];
        let ways = ways.map(|(off, u)| (i128::from(off), square(u).max(1)));
        let scaled: i128 = ways.iter().map(|(off, u2)| off * off * 1_000 / (u2 + own)).sum();
        if scaled > MOST_SQUARED * 1_000 {
            return None;
        }
        let [along, across] = ways.map(|(off, u2)| narrow((off * u2).div_euclid(u2 + own)));
        let [along2, across2] = ways.map(|(_, u2)| u2 * own / (u2 + own));
        let point = whole((along, across), self.place.along);
        let position: Position = plane.unproject(point);
        let located = Located {
            position,
            u_mm: both(along2, across2),
            quality: reported.quality,
        };
        Some((located, self.mark(Some(reported.clone()))))
    }

    fn mark(&self, reported: Option<Located>) -> PlacedBy {
        PlacedBy {
            address: self.called.clone(),
            u_mm: self.u_mm(),
            reported,
        }
    }
}

/// A point as how far it lies along a way and across it; without a way east and north.
fn parts(point: Point, way: Option<Point>) -> (i64, i64) {
    let Some((way, long)) = way.and_then(measured) else {
        return (point.x, point.y);
    };
    let by = |a: i64, b: i64, c: i64, d: i64| {
        narrow((i128::from(a) * i128::from(b) + i128::from(c) * i128::from(d)).div_euclid(long))
    };
    (
        by(point.x, way.x, point.y, way.y),
        by(point.y, way.x, -point.x, way.y),
    )
}

/// The point that lies so far along a way and across it.
fn whole((along, across): (i64, i64), way: Option<Point>) -> Point {
    let Some((way, long)) = way.and_then(measured) else {
        return Point { x: along, y: across };
    };
    let by = |a: i64, b: i64, c: i64, d: i64| {
        narrow((i128::from(a) * i128::from(b) + i128::from(c) * i128::from(d)).div_euclid(long))
    };
    Point {
        x: by(along, way.x, -across, way.y),
        y: by(along, way.y, across, way.x),
    }
}

/// A way with its length.
fn measured(way: Point) -> Option<(Point, i128)> {
    let long = i128::from(way.distance_mm(Point::default()));
    (long > 0).then_some((way, long))
}

fn square(mm: i64) -> i128 {
    i128::from(mm) * i128::from(mm)
}

/// One sigma of two ways together.
fn both(one: i128, other: i128) -> i64 {
    let root = isqrt((one + other).max(0).unsigned_abs());
    i64::try_from(root)
        .unwrap_or(MOST_U_MM)
        .clamp(LEAST_U_MM, MOST_U_MM)
}

fn narrow(mm: i128) -> i64 {
    i64::try_from(mm).unwrap_or(if mm < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests;
