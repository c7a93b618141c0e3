//! A road as the row of its listed doors: where a number between two of them is, and how sure that is.

use city_model::{Plane, Point, Position};

use super::{AddressPlace, FRONT_MM, Middle, root, square};

/// Doors farther apart are not of one stretch: numbers are missing, the road goes on elsewhere, or two roads have one name.
const MOST_GAP_MM: i64 = 800_000;
/// So many numbers beyond the last listed door are still reckoned, by the stretch before it, …
const MOST_BEYOND: u32 = 10;
/// … and so far.
const MOST_BEYOND_MM: i64 = 150_000;
/// What is not known of a stretch's bend and numbering, in thousandths of its length, where no door tells.
const UNTOLD_PERMILLE: i64 = 100;

/// Doors that are nearer to each other say nothing of the way of their road.
const LEAST_WAY_MM: i64 = 2_000;

/// A listed door.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Door {
    pub(crate) number: u32,
    pub(crate) middle: Middle,
}

/// A road's doors, in the order of their numbers, each number once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Road {
    doors: Vec<Door>,
}

/// A stretch between two doors, on the plane at the first.
#[derive(Clone, Copy)]
struct Stretch<'a> {
    from: &'a Door,
    to: &'a Door,
    plane: Plane,
    way: Point,
}

impl<'a> Stretch<'a> {
    /// `None` where the two are of no one stretch.
    fn between(from: &'a Door, to: &'a Door) -> Option<Stretch<'a>> {
        let plane = Plane::at(from.middle.position);
        let way = plane.project(to.middle.position);
        (length(way) <= MOST_GAP_MM).then_some(Stretch { from, to, plane, way })
    }

    /// The point of a number by the two, between them or beyond; on its plane.
    fn point(&self, number: u32) -> Point {
        let part = i128::from(number) - i128::from(self.from.number);
        let whole = (i128::from(self.to.number) - i128::from(self.from.number)).max(1);
        let along = |mm: i64| i64::try_from((i128::from(mm) * part).div_euclid(whole)).unwrap_or(mm);
        Point {
            x: along(self.way.x),
            y: along(self.way.y),
        }
    }

    /// How far a door lies from where the two would have it: along their way and across it.
    fn residual(&self, door: &Door) -> (i64, i64) {
        let (is, by) = (self.plane.project(door.middle.position), self.point(door.number));
        let off = Point {
            x: is.x - by.x,
            y: is.y - by.y,
        };
        parts(off, self.way)
    }
}

impl Road {
    /// From doors in the order of their numbers.
    pub(crate) fn new(doors: Vec<Door>) -> Road {
        Road { doors }
    }

    /// Where a number is: a listed door, else between the two beside it, of its own side of the road where both are listed;
    /// a little beyond the last by the stretch before. Elsewhere nowhere.
    pub(crate) fn place(&self, number: u32) -> Option<AddressPlace> {
        match self.doors.binary_search_by_key(&number, |door| door.number) {
            Ok(at) => Some(self.listed(at)),
            Err(at) if at == 0 || at == self.doors.len() => self.beyond(at, number),
            Err(at) => {
                let same_side = |door: &&Door| door.number % 2 == number % 2;
                let below = self.doors[..at].iter().rev().take(2).find(same_side);
                let above = self.doors[at..].iter().take(2).find(same_side);
                let own_side = below.zip(above).and_then(|(from, to)| Stretch::between(from, to));
                let stretch = own_side.or_else(|| Stretch::between(&self.doors[at - 1], &self.doors[at]))?;
                Some(self.within(at, &stretch, number))
            }
        }
    }

    fn listed(&self, at: usize) -> AddressPlace {
        let door = &self.doors[at];
        let before = at.checked_sub(1).and_then(|at| self.doors.get(at));
        let from = before
            .filter(|from| Stretch::between(from, door).is_some())
            .unwrap_or(door);
        let after = self.doors.get(at + 1);
        let to = after
            .filter(|to| Stretch::between(door, to).is_some())
            .unwrap_or(door);
        let way = Plane::at(from.middle.position).project(to.middle.position);
        placed(door.middle.position, way, &door.middle, (0, 0))
    }

    /// Between two doors. How far their neighbours lie from where a straight and evenly numbered road would have them tells
    /// how straight and even this one is; a stretch half as long errs a quarter as much, and half is taken.
    fn within(&self, at: usize, stretch: &Stretch<'_>, number: u32) -> AddressPlace {
        let (one, other) = (&self.doors[at - 1], &self.doors[at]);
        let outer = [
            at.checked_sub(2)
                .and_then(|before| self.doors.get(before))
                .map(|before| (before, one, other)),
            self.doors.get(at + 1).map(|after| (one, other, after)),
        ];
        let told = outer.into_iter().flatten().filter_map(|(from, door, to)| {
            let both = Stretch::between(from, to)?;
            let (along, across) = both.residual(door);
            Some((along.abs() / 2, across.abs() / 2))
        });
        let worst = told.reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)));
        let untold = length(stretch.way) * UNTOLD_PERMILLE / 1_000;
        let position = stretch.plane.unproject(stretch.point(number));
        placed(
            position,
            stretch.way,
            &worse(&stretch.from.middle, &stretch.to.middle),
            worst.unwrap_or((untold, untold)),
        )
    }

    fn beyond(&self, at: usize, number: u32) -> Option<AddressPlace> {
        let (from, to) = match at {
            0 => (self.doors.first()?, self.doors.get(1)?),
            _ => (
                self.doors.get(self.doors.len().checked_sub(2)?)?,
                self.doors.last()?,
            ),
        };
        let edge = if at == 0 { from } else { to };
        if edge.number.abs_diff(number) > MOST_BEYOND {
            return None;
        }
        let stretch = Stretch::between(from, to)?;
        let point = stretch.point(number);
        let far = point.distance_mm(stretch.plane.project(edge.middle.position));
        let position: Position = stretch.plane.unproject(point);
        (far <= MOST_BEYOND_MM).then(|| placed(position, stretch.way, &edge.middle, (far / 2, far / 2)))
    }
}

/// The place of a door: what is reported by it lies along its front, and across as far as its spread; `off` is what is not
/// sure of the point itself, each way.
fn placed(position: Position, way: Point, middle: &Middle, off: (i64, i64)) -> AddressPlace {
    let u = |own: i64, off: i64| root(middle.variance_mm2 + square(own) + square(off));
    let (along, across) = (u(FRONT_MM, off.0), u(middle.spread_mm, off.1));
    // What is nearer points nowhere: its length would be rounded.
    let is_known = length(way) >= LEAST_WAY_MM;
    AddressPlace {
        position,
        along: is_known.then_some(way),
        u_along_mm: if is_known { along } else { along.max(across) },
        u_across_mm: across.max(if is_known { 0 } else { along }),
    }
}

fn worse(one: &Middle, other: &Middle) -> Middle {
    Middle {
        position: one.position,
        variance_mm2: one.variance_mm2.max(other.variance_mm2),
        spread_mm: one.spread_mm.max(other.spread_mm),
    }
}

fn length(way: Point) -> i64 {
    way.distance_mm(Point::default())
}

/// A vector along a way and across it, in millimetres.
fn parts(off: Point, way: Point) -> (i64, i64) {
    let long = i128::from(length(way)).max(1);
    let by = |a: i64, b: i64, c: i64, d: i64| {
        let sum = i128::from(a) * i128::from(b) + i128::from(c) * i128::from(d);
        i64::try_from(sum / long).unwrap_or(i64::MAX)
    };
    (by(off.x, way.x, off.y, way.y), by(off.y, way.x, -off.x, way.y))
}
