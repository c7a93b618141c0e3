//! `addresses.csv`: doors, crossings and estates as a city's address library (标准地址库) lists them. It knows the ground, and
//! nothing of what happens on it.

use city_grid::Crs;

use crate::ground::{Ground, Manner, Spot};
use crate::parameters::{BLOCK_M, DOOR_M, LISTED_DOOR_STEP, TOWN_SPREAD};

/// How far from its point lies what is reported by an address, one sigma each way: a door stands for the ground that is nearer
/// to its road than to the crossing one, a triangle of half a block on each side; a crossing for a block, an estate for half
/// a block in the mean of both ways.
const DOOR_SPREAD_M: f64 = BLOCK_M / 2.0 / 2.449_489_742_783_178; // √6
const CROSSING_SPREAD_M: f64 = BLOCK_M / 3.464_101_615_137_754_4; // √12
const ESTATE_SPREAD_M: f64 = BLOCK_M / 3.464_101_615_137_754_4 * 0.790_569_415_042_094_8; // √(1 + 1/4)/√2
/// A library's points are on the house, this far from the middle of the road.
const HOUSE_M: f64 = 15.0;
/// Beyond where people live a library goes on for a block.
const MARGIN_M: f64 = BLOCK_M;

/// `address,lon,lat,crs,accuracy_m,spread_m`.
pub(crate) fn csv(ground: &Ground) -> String {
    let mut library = Library {
        ground,
        csv: String::from("address,lon,lat,crs,accuracy_m,spread_m\n"),
    };
    let lanes = Lanes::of(ground);
    for row in lanes.rows.clone() {
        let y = row as f64 * BLOCK_M;
        for number in lanes.numbers(&lanes.columns) {
            let on_road = Spot { x: middle(number), y };
            library.list(on_road, (0.0, side(number)), Manner::Door, DOOR_SPREAD_M);
        }
        for column in lanes.columns.clone() {
            let x = column as f64 * BLOCK_M;
            library.list(Spot { x, y }, (0.0, 0.0), Manner::Crossing, CROSSING_SPREAD_M);
            for of_road in [-0.25, 0.25] {
                let inside = Spot {
                    x: x + BLOCK_M / 2.0,
                    y: y + of_road * BLOCK_M,
                };
                library.list(inside, (0.0, 0.0), Manner::Estate, ESTATE_SPREAD_M);
            }
        }
    }
    for column in lanes.columns.clone() {
        let x = column as f64 * BLOCK_M;
        for number in lanes.numbers(&lanes.rows) {
            let y = middle(number);
            // At a crossing the number is the other road's.
            if (y / BLOCK_M - libm::rint(y / BLOCK_M)).abs() > 1e-6 {
                library.list(Spot { x, y }, (side(number), 0.0), Manner::Door, DOOR_SPREAD_M);
            }
        }
    }
    library.csv
}

struct Library<'a> {
    ground: &'a Ground,
    csv: String,
}

impl Library<'_> {
    /// Lists the address of a place, with its point so far beside it.
    fn list(&mut self, spot: Spot, beside: (f64, f64), manner: Manner, spread_m: f64) {
        let is_lived_in = self.ground.towns.iter().any(|town| {
            let reach = 2.0 * TOWN_SPREAD * town.reach_m + MARGIN_M;
            (spot.x - town.centre.x).abs() <= reach && (spot.y - town.centre.y).abs() <= reach
        });
        if !is_lived_in {
            return;
        }
        let (lon, lat) = self.ground.degrees(spot.plus(beside));
        let address = self.ground.address(spot, manner);
        let spread_m = libm::rint(spread_m);
        self.csv.push_str(&format!(
            "{address},{lon:.7},{lat:.7},{},5,{spread_m}\n",
            Crs::Cgcs2000.name()
        ));
    }
}

/// The roads that pass where people live.
struct Lanes {
    rows: std::ops::RangeInclusive<i64>,
    columns: std::ops::RangeInclusive<i64>,
}

impl Lanes {
    fn of(ground: &Ground) -> Lanes {
        let range = |of: fn(Spot) -> f64| {
            let reach = |town: &crate::ground::Town| 2.0 * TOWN_SPREAD * town.reach_m + MARGIN_M;
            let ends = ground
                .towns
                .iter()
                .map(|town| (of(town.centre) - reach(town), of(town.centre) + reach(town)));
            let (from, to) = ends.fold((f64::MAX, f64::MIN), |(from, to), (a, b)| {
                (from.min(a), to.max(b))
            });
            (libm::floor(from / BLOCK_M) as i64)..=(libm::ceil(to / BLOCK_M) as i64)
        };
        Lanes {
            rows: range(|spot| spot.y),
            columns: range(|spot| spot.x),
        }
    }

    /// The numbers that are listed on a road across these.
    fn numbers(&self, across: &std::ops::RangeInclusive<i64>) -> impl Iterator<Item = i64> + use<> {
        let number = |lane: i64| crate::ground::number(lane as f64 * BLOCK_M) / LISTED_DOOR_STEP;
        (number(*across.start())..=number(*across.end())).map(|nth| nth * LISTED_DOOR_STEP)
    }
}

/// The middle of what bears a number, along its road.
fn middle(number: i64) -> f64 {
    (number as f64 - 0.5) * DOOR_M - crate::ground::FIRST_NUMBER_M
}

/// Odd numbers on one side of the road, even ones on the other.
fn side(number: i64) -> f64 {
    if number % 2 == 0 { HOUSE_M } else { -HOUSE_M }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_what_addresses_say() {
        let ground = Ground::of(city_grid::builtin());
        let csv = csv(&ground);
        let rows: Vec<&str> = csv.lines().skip(1).collect();
        assert!((10_000..60_000).contains(&rows.len()), "{}", rows.len());
        let mut chance = crate::chance::Chance::of(5, crate::chance::Domain::City, 0);
        let addresses: std::collections::BTreeMap<&str, (f64, f64)> = rows
            .iter()
            .map(|row| {
                let fields: Vec<&str> = row.split(',').collect();
                (
                    fields[0],
                    (fields[1].parse().unwrap(), fields[2].parse().unwrap()),
                )
            })
            .collect();
        assert_eq!(addresses.len(), rows.len(), "each address once");
        for _ in 0..300 {
            let spot = ground.anywhere(&mut chance);
            for (manner, most_m) in [(Manner::Crossing, 283.0), (Manner::Estate, 224.0)] {
                let (lon, lat) = addresses[&*ground.address(spot, manner)];
                assert!(ground.spot(lon, lat).distance(spot) <= most_m);
            }
        }
    }
}
