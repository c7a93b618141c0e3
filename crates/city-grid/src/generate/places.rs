//! The towns of Songjiang, and how many villages and cells each gets.

use super::dice::Dice;
use super::mesh::Item;
use super::names::village_name;

/// Codes of a town's villages: 001–199 residents' committees and parks, 200–399 village committees.
pub(super) const VILLAGES_MAX: usize = 399;
/// Cells have three digits below their village.
pub(super) const CELLS_MAX: usize = 999;

/// A town: code and name as in the administrative codes; place, area and numbers roughly as they are.
pub(super) struct Town {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    lon: f64,
    lat: f64,
    km2: f64,
    /// Residents' committees, parks, village committees: 147, 50 and 107 in all.
    villages: [usize; 3],
    /// How much denser its cells are than the average.
    density: f64,
}

const fn town(
    code: &'static str,
    name: &'static str,
    (lon, lat): (f64, f64),
    km2: f64,
    villages: [usize; 3],
    density: f64,
) -> Town {
    Town {
        code,
        name,
        lon,
        lat,
        km2,
        villages,
        density,
    }
}

/// By code. The last is the national development zone, carried by its statistical code.
pub(super) const TOWNS: [Town; 18] = [
    town("310117001", "岳阳街道", (121.235, 31.005), 5.6, [24, 0, 0], 1.3),
    town("310117002", "永丰街道", (121.205, 31.000), 24.0, [12, 2, 4], 1.1),
    town("310117003", "方松街道", (121.225, 31.035), 10.0, [18, 0, 0], 1.3),
    town("310117004", "中山街道", (121.255, 31.020), 22.0, [16, 3, 2], 1.2),
    town(
        "310117005",
        "广富林街道",
        (121.205, 31.055),
        19.0,
        [10, 1, 1],
        1.2,
    ),
    town("310117006", "九里亭街道", (121.325, 31.150), 6.8, [8, 2, 0], 1.4),
    town("310117102", "泗泾镇", (121.265, 31.115), 24.0, [10, 4, 3], 1.2),
    town("310117103", "佘山镇", (121.195, 31.105), 56.0, [5, 4, 9], 0.8),
    town("310117104", "车墩镇", (121.315, 31.010), 45.0, [5, 5, 11], 0.9),
    town("310117105", "新桥镇", (121.320, 31.065), 32.0, [9, 5, 2], 1.2),
    town("310117106", "洞泾镇", (121.265, 31.085), 24.5, [5, 4, 3], 1.0),
    town("310117107", "九亭镇", (121.320, 31.125), 19.0, [12, 4, 1], 1.5),
    town("310117109", "泖港镇", (121.185, 30.955), 57.0, [2, 1, 15], 0.7),
    town("310117116", "石湖荡镇", (121.130, 30.985), 44.0, [2, 2, 10], 0.7),
    town("310117117", "新浜镇", (121.065, 30.945), 44.7, [1, 2, 11], 0.7),
    town("310117120", "叶榭镇", (121.300, 30.955), 72.6, [3, 3, 14], 0.8),
    town("310117121", "小昆山镇", (121.140, 31.030), 43.0, [2, 3, 7], 0.8),
    town(
        "310117501",
        "松江工业区",
        (121.265, 31.050),
        55.8,
        [3, 5, 14],
        0.9,
    ),
];

impl Town {
    pub(super) fn item((id, town): (usize, &Town)) -> Item {
        Item {
            id,
            weight: town.km2,
            place: Some((town.lon, town.lat)),
        }
    }
}

/// What a village is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VillageKind {
    Residents,
    Park,
    Village,
}

/// A village as planned.
#[derive(Debug)]
pub(super) struct Village {
    pub(super) code: String,
    pub(super) name: String,
    /// Relative to the others of its town.
    pub(super) area: f64,
    pub(super) cells: usize,
}

/// The villages of each town.
pub(super) fn plan(villages: usize, duty_cells: usize, dice: &mut Dice) -> Vec<Vec<Village>> {
    let sizes = |town: &Town| town.villages.iter().sum::<usize>() as f64;
    let weights: Vec<f64> = TOWNS.iter().map(sizes).collect();
    let counts = apportion(villages, &weights, 1, &[VILLAGES_MAX; TOWNS.len()]);
    let mut plans: Vec<Vec<Village>> = Vec::with_capacity(TOWNS.len());
    let mut wanted = Vec::with_capacity(villages);
    for (town, count) in TOWNS.iter().zip(counts) {
        // kinds that a town lacks get some only when the codes of the others run out
        let weights = town.villages.map(|count| (count as f64).max(1e-6));
        let kinds = apportion(count, &weights, 0, &[140, 59, 200]);
        let offset = dice.next() as usize;
        let plan = [VillageKind::Residents, VillageKind::Park, VillageKind::Village]
            .into_iter()
            .zip(kinds)
            .flat_map(|(kind, count)| std::iter::repeat_n(kind, count));
        let mut next = [1, 200];
        let made = plan.enumerate().map(|(at, kind)| {
            let block = usize::from(kind == VillageKind::Village);
            let code = format!("{}{:03}", town.code, next[block]);
            next[block] += 1;
            let (area, spread) = match kind {
                VillageKind::Residents => (0.35, 0.5),
                VillageKind::Park => (1.0, 0.4),
                VillageKind::Village => (2.2, 0.4),
            };
            wanted.push(town.density * dice.log_normal(0.35));
            Village {
                code,
                name: village_name(kind, offset.wrapping_add(at)),
                area: area * dice.log_normal(spread),
                cells: 0,
            }
        });
        plans.push(made.collect());
    }
    let cells = apportion(duty_cells, &wanted, 1, &vec![CELLS_MAX; villages]);
    for (village, cells) in plans.iter_mut().flatten().zip(cells) {
        village.cells = cells;
    }
    plans
}

/// Shares `total` by weight: whole numbers from `least` to each one's cap, the largest remainders rounded up.
fn apportion(total: usize, weights: &[f64], least: usize, caps: &[usize]) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    let quotas: Vec<f64> = weights.iter().map(|w| total as f64 * w / sum).collect();
    let mut counts: Vec<usize> = quotas
        .iter()
        .zip(caps)
        .map(|(quota, &cap)| (*quota as usize).clamp(least, cap))
        .collect();
    loop {
        let have: usize = counts.iter().sum();
        let short = |at: &usize| quotas[*at] - counts[*at] as f64;
        let all = 0..counts.len();
        let next = match have.cmp(&total) {
            std::cmp::Ordering::Equal => return counts,
            std::cmp::Ordering::Less => all
                .filter(|&at| counts[at] < caps[at])
                .max_by(|a, b| short(a).total_cmp(&short(b)).then(b.cmp(a)))
                .map(|at| (at, counts[at] + 1)),
            std::cmp::Ordering::Greater => all
                .filter(|&at| counts[at] > least)
                .min_by(|a, b| short(a).total_cmp(&short(b)).then(a.cmp(b)))
                .map(|at| (at, counts[at] - 1)),
        };
        match next {
            Some((at, count)) => counts[at] = count,
            None => return counts, // the limits do not allow the total
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_and_keep_their_limits() {
        assert_eq!(apportion(10, &[1.0, 1.0, 2.0], 0, &[9, 9, 9]), [3, 2, 5]);
        assert_eq!(apportion(10, &[1.0, 1.0, 98.0], 1, &[9, 9, 5]), [3, 2, 5]);
        assert_eq!(apportion(3, &[1.0, 1.0, 98.0], 1, &[9, 9, 9]), [1, 1, 1]);
    }

    #[test]
    fn the_default_numbers_are_the_towns_own() {
        let plans = plan(304, 1322, &mut Dice::new(1));
        for (town, plan) in TOWNS.iter().zip(&plans) {
            assert_eq!(plan.len(), town.villages.iter().sum::<usize>());
            let rural = plan.iter().filter(|village| &village.code[9..] >= "200");
            assert_eq!(rural.count(), town.villages[2]);
        }
        let cells: usize = plans.iter().flatten().map(|village| village.cells).sum();
        assert_eq!(cells, 1322);
    }
}
