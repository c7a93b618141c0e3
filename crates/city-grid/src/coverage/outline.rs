//! From the sides of a region to its polygons: rings that do not cross or repeat a point, outer ones counter-clockwise.

use std::collections::BTreeMap;

use city_model::Position;

use crate::ground::{Ground, Part, Side as Place};
use crate::ring::{Ring, twice_area};

/// The number of a side that runs along a parallel.
pub(super) const PARALLEL: u32 = u32::MAX;
/// The number of a side that runs along the meridian between two columns.
pub(super) const BOUND: u32 = u32::MAX - 1;

/// A piece of a region's border; the region is on its left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Side {
    pub(super) from: Position,
    pub(super) to: Position,
    /// The strand it lies on: a point between two sides of one strand is no corner.
    pub(super) strand: u32,
}

/// The polygons of a region, each an outer ring and its holes.
pub(super) fn outline(mut sides: Vec<Side>) -> Vec<Vec<Ring>> {
    sides.retain(|side| side.from != side.to);
    sides.sort_unstable();
    let mut used = vec![false; sides.len()];
    let mut rings = Vec::new();
    for start in 0..sides.len() {
        if used[start] {
            continue;
        }
        let mut walk = vec![start];
        used[start] = true;
        let mut at = start;
        while sides[at].to != sides[start].from {
            let Some(next) = turn(&sides, &used, sides[at]) else {
                break; // an open line encloses nothing
            };
            used[next] = true;
            walk.push(next);
            at = next;
        }
        if sides[at].to == sides[start].from {
            let walk: Vec<Side> = walk.into_iter().map(|at| sides[at]).collect();
            loops(&corners(&walk), &mut rings);
        }
    }
    nest(rings)
}

/// The unused side on which to go on: the sharpest to the left, so that corners that merely touch come apart.
fn turn(sides: &[Side], used: &[bool], side: Side) -> Option<usize> {
    let first = sides.partition_point(|other| other.from < side.to);
    let angle = |from: Position, to: Position| {
        libm::atan2((to.lat_e9 - from.lat_e9) as f64, (to.lon_e9 - from.lon_e9) as f64)
    };
    let back = angle(side.to, side.from);
    let mut best: Option<(f64, usize)> = None;
    for (at, next) in sides.iter().enumerate().skip(first) {
        if next.from != side.to {
            break;
        }
        let mut clockwise = back - angle(next.from, next.to);
        if clockwise <= 0.0 {
            clockwise += std::f64::consts::TAU;
        }
        if !used[at] && best.is_none_or(|(least, _)| clockwise < least) {
            best = Some((clockwise, at));
        }
    }
    best.map(|(_, at)| at)
}

/// The points at which a closed walk changes its strand.
fn corners(walk: &[Side]) -> Ring {
    let mut points = Vec::with_capacity(walk.len());
    for (at, side) in walk.iter().enumerate() {
        let before = walk[(at + walk.len() - 1) % walk.len()];
        if before.strand != side.strand {
            points.push(side.from);
        }
    }
    points
}

/// Cuts a closed line at every point that it visits twice.
fn loops(points: &[Position], rings: &mut Vec<Ring>) {
    let mut path: Ring = Vec::new();
    let mut place: BTreeMap<Position, usize> = BTreeMap::new();
    for &point in points {
        if let Some(&at) = place.get(&point) {
            let ring = path.split_off(at);
            for gone in &ring {
                place.remove(gone);
            }
            rings.push(ring);
        }
        place.insert(point, path.len());
        path.push(point);
    }
    rings.push(path);
}

/// Puts every hole into its outer ring.
fn nest(rings: Vec<Ring>) -> Vec<Vec<Ring>> {
    let mut polygons: Vec<Vec<Ring>> = Vec::new();
    let mut holes: Vec<Ring> = Vec::new();
    for ring in rings {
        match twice_area(&ring).signum() {
            1 => polygons.push(vec![ring]),
            -1 => holes.push(ring),
            _ => {}
        }
    }
    if holes.is_empty() {
        return polygons;
    }
    // one cell a polygon
    let mut outers = Ground::default();
    polygons
        .iter()
        .for_each(|polygon| outers.push(vec![polygon.clone()]));
    for hole in holes {
        let inside = |outer: Part<'_>| {
            let sides = hole.iter().map(|&point| outer.side(point));
            sides.into_iter().find(|side| *side != Place::Border) != Some(Place::Outside)
        };
        let holding = (0..polygons.len()).filter(|&at| inside(outers.part(at as u32)));
        let smallest = holding.min_by_key(|&at| (outers.part(at as u32).twice_area(), at));
        if let Some(at) = smallest {
            polygons[at].push(hole);
        }
    }
    polygons
}
