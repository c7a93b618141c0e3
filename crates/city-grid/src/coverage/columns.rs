//! Cuts the ground into columns, so that a slab between two vertices crosses a few borders and not the whole city.

use std::collections::BTreeMap;

use city_model::Position;

use super::outline::BOUND;
use super::regions::Regions;
use super::sweep::{Column, Rule, Sweep, Touch};
use super::{Region, Strand};

/// The work is (vertices of a column) × (borders that a slab crosses in it), least when columns grow like the square root.
/// Measured on 20,000 cells whose borders share no vertex: 4 to 16 are alike.
const SQUARE_ROOT_OVER: usize = 8;

/// The regions of more than `area_min_m2` among sorted strands, from west to east.
pub(super) fn sweep(rule: Rule, strands: &[Strand], area_min_m2: f64) -> Vec<Region> {
    let wanted = match rule {
        Rule::Not(_) => strands.len().isqrt() / SQUARE_ROOT_OVER,
        // whether a place is inside cannot be told by sums, and one cell is small
        Rule::EvenOdd => 1,
    };
    sweep_columns(rule, strands, area_min_m2, wanted)
}

pub(super) fn sweep_columns(rule: Rule, strands: &[Strand], area_min_m2: f64, wanted: usize) -> Vec<Region> {
    let cuts = cuts(strands, wanted);
    let mut regions = Regions::new();
    let mut before: Option<(i64, Vec<Touch>)> = None;
    for column in columns(strands, &cuts) {
        let [west, east] = Sweep::run(rule, &column, &mut regions);
        if let Some((meridian, touches)) = before {
            regions.join_columns(meridian, &touches, &west);
        }
        before = Some((column.east, east));
    }
    regions.finish(area_min_m2)
}

/// The meridians between columns that have about as many strands each.
fn cuts(strands: &[Strand], wanted: usize) -> Vec<i64> {
    if wanted < 2 {
        return Vec::new();
    }
    let mut lons: Vec<i64> = strands.iter().map(|strand| strand.low.lon_e9).collect();
    lons.sort_unstable();
    let mut cuts: Vec<i64> = (1..wanted).map(|nth| lons[lons.len() * nth / wanted]).collect();
    cuts.dedup();
    cuts
}

/// The columns from west to east, each with its pieces of the strands, and on its western bound what lies to the west.
fn columns(strands: &[Strand], cuts: &[i64]) -> Vec<Column> {
    let bounds = |number: usize| {
        let west = if number == 0 { i64::MIN } else { cuts[number - 1] };
        (west, cuts.get(number).copied().unwrap_or(i64::MAX))
    };
    let mut pieces: Vec<Vec<(Strand, u32)>> = vec![Vec::new(); cuts.len() + 1];
    for (label, strand) in strands.iter().enumerate() {
        let (a, b) = (strand.low, strand.high);
        let (west, east) = (a.lon_e9.min(b.lon_e9), a.lon_e9.max(b.lon_e9));
        let first = cuts.partition_point(|&cut| cut <= west);
        let end = cuts.partition_point(|&cut| cut < east).max(first);
        // from its western end over the cuts to its eastern one
        let (start, goal) = if a.lon_e9 <= b.lon_e9 { (a, b) } else { (b, a) };
        let mut from = start;
        for number in first..=end {
            let to = if number == end {
                goal
            } else {
                strand.at_lon(cuts[number])
            };
            let piece = Strand::new(from, to, strand.step);
            pieces[number].extend(piece.map(|piece| (piece, label as u32)));
            from = to;
        }
    }
    // what the cover changes by at each latitude along the western bound
    let mut profile: BTreeMap<i64, i32> = BTreeMap::new();
    let mut columns = Vec::with_capacity(pieces.len());
    for (number, mut own) in pieces.into_iter().enumerate() {
        let (west, east) = bounds(number);
        let mut walls = Vec::new();
        let mut cover = 0;
        let mut south = None;
        for (&lat_e9, &change) in &profile {
            let here = Position { lon_e9: west, lat_e9 };
            if let Some(from) = south
                && cover != 0
            {
                walls.extend(Strand::new(from, here, cover).map(|wall| (wall, BOUND)));
            }
            cover += change;
            south = Some(here);
        }
        for (piece, _) in &own {
            for (lat_e9, change) in [(piece.low.lat_e9, piece.step), (piece.high.lat_e9, -piece.step)] {
                let sum = profile.entry(lat_e9).or_insert(0);
                *sum += change;
                if *sum == 0 {
                    profile.remove(&lat_e9);
                }
            }
        }
        own.append(&mut walls);
        own.sort_unstable();
        columns.push(Column {
            west,
            east,
            strands: own,
        });
    }
    columns
}
