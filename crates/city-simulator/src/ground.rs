//! The ground: a local plane in metres, the towns around whose centres people live, and the names of roads and estates
//! from which every place gets its address.

use city_grid::Layer;
use city_model::Position;

use crate::chance::Chance;
use crate::parameters::{BLOCK_M, DOOR_M, TOWN_SPREAD};

/// Metres of one degree of latitude; the city is small enough for one number.
const DEGREE_M: f64 = 111_320.0;

/// A place on the plane: metres east and north of the ground's origin.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Spot {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Spot {
    pub(crate) fn plus(self, (dx, dy): (f64, f64)) -> Spot {
        Spot {
            x: self.x + dx,
            y: self.y + dy,
        }
    }

    pub(crate) fn distance(self, other: Spot) -> f64 {
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        libm::sqrt(dx * dx + dy * dy)
    }
}

/// A town as the simulator needs it.
#[derive(Debug, Clone)]
pub(crate) struct Town {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) centre: Spot,
    /// Half the distance to the nearest other centre.
    pub(crate) reach_m: f64,
}

/// The plane and its towns.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    origin: (f64, f64),
    east_m: f64,
    pub(crate) towns: Vec<Town>,
    /// The map, to stay inside the district; without one everything is inside.
    layer: Option<Layer>,
}

/// How an address is written; each incident has one manner, so that the same place has the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Door,
    Crossing,
    Estate,
}

impl Ground {
    /// The towns of a layer, whose second level they are.
    pub(crate) fn of(layer: Layer) -> Ground {
        let centres = layer
            .cells(1)
            .filter_map(|(index, cell)| {
                let centre = layer.inner_point(index)?;
                let (code, name) = (cell.code.to_string(), cell.name.to_string());
                Some((code, name, centre.lon(), centre.lat()))
            })
            .collect();
        let mut ground = Ground::new(centres);
        ground.layer = Some(layer);
        ground
    }

    /// From `(code, name, lon, lat)` of each town.
    fn new(centres: Vec<(String, String, f64, f64)>) -> Ground {
        let n = centres.len().max(1) as f64;
        let origin = (
            centres.iter().map(|c| c.2).sum::<f64>() / n,
            centres.iter().map(|c| c.3).sum::<f64>() / n,
        );
        let mut ground = Ground {
            origin,
            east_m: DEGREE_M * libm::cos(origin.1.to_radians()),
            towns: Vec::new(),
            layer: None,
        };
        let spots: Vec<Spot> = centres.iter().map(|c| ground.spot(c.2, c.3)).collect();
        for (index, (code, name, ..)) in centres.into_iter().enumerate() {
            let centre = spots[index];
            let nearest = spots
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index)
                .map(|(_, spot)| spot.distance(centre))
                .fold(10_000.0, f64::min);
            ground.towns.push(Town {
                code,
                name,
                centre,
                reach_m: nearest / 2.0,
            });
        }
        ground
    }

    /// Longitude and latitude.
    pub(crate) fn degrees(&self, spot: Spot) -> (f64, f64) {
        (
            self.origin.0 + spot.x / self.east_m,
            self.origin.1 + spot.y / DEGREE_M,
        )
    }

    /// The place of a longitude and latitude.
    pub(crate) fn spot(&self, lon: f64, lat: f64) -> Spot {
        Spot {
            x: (lon - self.origin.0) * self.east_m,
            y: (lat - self.origin.1) * DEGREE_M,
        }
    }

    /// A place where people are: around some town's centre, inside the district.
    pub(crate) fn anywhere(&self, chance: &mut Chance) -> Spot {
        let mut spot = self.somewhere(chance);
        for _ in 0..16 {
            if self.is_inside(spot) {
                break;
            }
            spot = self.somewhere(chance);
        }
        spot
    }

    fn is_inside(&self, spot: Spot) -> bool {
        self.layer.is_none() || self.town_cell(spot).is_some()
    }

    /// The code of the town that holds a place, from the map.
    fn town_cell(&self, spot: Spot) -> Option<&str> {
        let (lon, lat) = self.degrees(spot);
        let layer = self.layer.as_ref()?;
        let located = layer.locate(Position::from_degrees(lon, lat)?);
        Some(&layer.cell(*located.path(layer).get(1)?).code)
    }

    /// The town of a place: by the map, else the nearest centre.
    pub(crate) fn town(&self, spot: Spot) -> Option<&Town> {
        let by_map = self
            .town_cell(spot)
            .and_then(|code| self.towns.iter().find(|town| town.code == code));
        by_map.or_else(|| {
            self.towns
                .iter()
                .min_by(|a, b| a.centre.distance(spot).total_cmp(&b.centre.distance(spot)))
        })
    }

    fn somewhere(&self, chance: &mut Chance) -> Spot {
        let index = chance.below(self.towns.len());
        let Some(town) = self.towns.get(index) else {
            return Spot::default();
        };
        let (x, y) = chance.normal_pair();
        // Two standard deviations at most: nobody lives beyond the border.
        let scale = town.reach_m * TOWN_SPREAD;
        town.centre
            .plus((x.clamp(-2.0, 2.0) * scale, y.clamp(-2.0, 2.0) * scale))
    }

    /// The address of a place, without district and flat.
    pub(crate) fn address(&self, spot: Spot, manner: Manner) -> String {
        let (column, row) = (lane(spot.x), lane(spot.y));
        let (from_column, from_row) = (
            (spot.x - column as f64 * BLOCK_M).abs(),
            (spot.y - row as f64 * BLOCK_M).abs(),
        );
        match manner {
            // Along the nearer road; a number is 30 m of it.
            Manner::Door if from_row <= from_column => {
                format!("{}{}弄", road(row, 0), number(spot.x))
            }
            Manner::Door => format!("{}{}弄", road(column, 1), number(spot.y)),
            Manner::Crossing => format!("{}{}路口", road(row, 0), road(column, 1)),
            Manner::Estate => {
                let (i, j) = (
                    libm::floor(spot.x / BLOCK_M) as i64,
                    libm::floor(spot.y / BLOCK_M) as i64,
                );
                format!("{}{}", road(row, 0), estate(i, j))
            }
        }
    }
}

/// The road nearest to a coordinate.
fn lane(metres: f64) -> i64 {
    libm::floor(metres / BLOCK_M + 0.5) as i64
}

/// The plane reaches 40 km to each side; numbers start there, so that they are positive.
pub(crate) const FIRST_NUMBER_M: f64 = 40_000.0;

pub(crate) fn number(metres: f64) -> i64 {
    libm::floor((metres + FIRST_NUMBER_M) / DOOR_M) as i64 + 1
}

const FIRST: [&str; 20] = [
    "谷", "沪", "新", "文", "荣", "人", "茂", "方", "茸", "乐", "江", "思", "玉", "龙", "梅", "北", "西",
    "广", "盛", "嘉",
];
const SECOND: [&str; 14] = [
    "阳", "松", "汇", "诚", "民", "塔", "都", "亭", "华", "泽", "源", "宁", "康", "平",
];

/// Roads from west to east (`way` 0) are 路, those from south to north are 街: 280 names each.
fn road(lane: i64, way: usize) -> String {
    // 33 shares no factor with 280: neighbours have unlike names, and each of 280 lanes its own.
    let index = (lane * 33).rem_euclid(280) as usize;
    let name = |list: &[&'static str], at: usize| list.get(at).copied().unwrap_or("");
    format!(
        "{}{}{}",
        name(&FIRST, index % 20),
        name(&SECOND, index / 20),
        if way == 0 { "路" } else { "街" }
    )
}

/// The estate of a block.
fn estate(i: i64, j: i64) -> String {
    const A: [&str; 12] = [
        "金", "绿", "银", "海", "景", "丽", "馨", "云", "春", "秋", "湖", "佳",
    ];
    const B: [&str; 11] = ["地", "洲", "泰", "桂", "林", "庭", "欣", "和", "润", "悦", "安"];
    const C: [&str; 5] = ["苑", "花园", "小区", "新村", "家园"];
    let at = |list: &[&'static str], index: i64| {
        list.get(index.rem_euclid(list.len() as i64) as usize)
            .copied()
            .unwrap_or("")
    };
    format!("{}{}{}", at(&A, i + 5 * j), at(&B, 3 * i + j), at(&C, i + 2 * j))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Domain;

    fn ground() -> Ground {
        Ground::new(vec![
            ("310117107".into(), "甲".into(), 121.32, 31.137),
            ("310117116".into(), "乙".into(), 121.20, 31.02),
        ])
    }

    #[test]
    fn degrees_and_spots_are_each_others_inverse() {
        let ground = ground();
        let spot = Spot { x: 1234.5, y: -987.6 };
        let (lon, lat) = ground.degrees(spot);
        assert!(ground.spot(lon, lat).distance(spot) < 1e-6);
    }

    #[test]
    fn the_same_place_has_the_same_address_and_another_road_another() {
        let ground = ground();
        let spot = Spot { x: 410.0, y: 100.0 };
        let near = spot.plus((3.0, 3.0));
        for manner in [Manner::Door, Manner::Crossing, Manner::Estate] {
            assert_eq!(ground.address(spot, manner), ground.address(near, manner));
            let far = spot.plus((900.0, 900.0));
            assert_ne!(ground.address(spot, manner), ground.address(far, manner));
        }
    }

    #[test]
    fn road_names_are_distinct_within_the_city() {
        let mut names: Vec<String> = (-100..100).map(|lane| road(lane, 0)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 200);
    }

    #[test]
    fn people_are_near_a_town() {
        let ground = ground();
        let mut chance = Chance::of(3, Domain::City, 0);
        for _ in 0..500 {
            let spot = ground.anywhere(&mut chance);
            let near = ground
                .towns
                .iter()
                .any(|town| spot.distance(town.centre) <= 3.0 * town.reach_m * TOWN_SPREAD);
            assert!(near);
        }
    }
}
