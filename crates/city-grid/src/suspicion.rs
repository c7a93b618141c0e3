//! Finds a source that declares the wrong coordinate system, from places that are known otherwise; it never guesses at one
//! from the numbers alone, and it changes nothing: it says what it sees.
//!
//! An offset is a vector of known length and direction at each place. A source that sits that vector away from surveyed
//! things, or from what other sources report at the same time, again and again at different places, is suspect. Chance is
//! measured beside it: the same vector turned by quarter circles must not meet anybody as often.

mod looks;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use city_model::{Name, Plane, Position};
use serde::Serialize;

use crate::crs::Crs;

pub use looks::LooksLike;
use window::{Tally, WayTally, Window};

/// The label of every source system that no configuration lists, so that labels stay a closed set.
pub const OTHER: &str = "other";

/// Who knows the reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Witness {
    /// The city's registry of devices and components: surveyed.
    Registry,
    /// Another source system, which may be wrong itself.
    System(Name),
}

/// Where a source is put, and where the thing may be that it speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The source system.
    pub system: Name,
    /// The coordinate system that it declared for this point.
    pub declared: Crs,
    /// Where the declared system puts it.
    pub position: Position,
    /// Where the witness knows it, or, for reports that may speak of the same thing, all places of the witness near by.
    pub references: Vec<Position>,
    /// How far apart two positions of one thing may be, in millimetres; no more than a third of an offset tells anything,
    /// so at most 150 m counts.
    pub tolerance_mm: i64,
    /// Who knows the reference.
    pub witness: Witness,
    /// What counts once: the device, the component, the neighbourhood.
    pub place: u64,
}

/// What speaks against a source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// The source system, or `other`.
    pub source_system: Name,
    /// What it declares.
    pub declared: Crs,
    /// What it looks like.
    pub looks_like: &'static str,
    /// Who says so: `registry`, or the other source systems.
    pub witnesses: Vec<Name>,
    /// Places that support it.
    pub pairs: i64,
    /// Places that speak for the system as declared.
    pub as_declared: i64,
    /// The share of supporting places among those that say either; against the registry, among all.
    pub share: f64,
    /// From the references to where the source is put: mean metres east and north.
    pub observed_m: (f64, f64),
    /// The same as what it looks like predicts it.
    pub predicted_m: (f64, f64),
    /// The mean distance between the two, pair by pair, in metres.
    pub residual_m: f64,
}

/// A suspicion that comes or goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// It is raised.
    Rises(Evidence),
    /// It is over; the evidence is what is left of it.
    Falls(Evidence),
}

/// How much it takes. A raised suspicion is kept on less, so that it does not flicker.
struct Bar {
    /// Supporting places.
    pairs: i64,
    /// Least share of supporting places, in thousandths.
    share_permille: i64,
    /// So many times what chance does.
    times_chance: i64,
    /// Without the registry, so many other systems: one may be the one that is wrong; two wrong alike are a coincidence.
    systems: usize,
    /// So many more systems may find the source where it says than find it displaced.
    defenders: usize,
}

const RAISE: Bar = Bar {
    pairs: 20,
    share_permille: 500,
    times_chance: 3,
    systems: 2,
    defenders: 0,
};
const KEEP: Bar = Bar {
    pairs: 12,
    share_permille: 400,
    times_chance: 2,
    systems: 1,
    defenders: 2,
};
/// Fewer places of another system say nothing, for or against.
const PLACES_OF_A_WITNESS: i64 = 4;
/// More than a third of the shortest offset (456 m in Shanghai) would meet whom it does not mean.
const TOLERANCE_MM_MAX: i64 = 150_000;

/// What is known against each source. Memory is bounded: one window of votes for each listed source and declared system.
#[derive(Debug, Clone)]
pub struct Suspicion {
    plane: Plane,
    listed: BTreeSet<Name>,
    cases: BTreeMap<(Name, Crs), Case>,
}

#[derive(Debug, Clone, Default)]
struct Case {
    window: Window,
    raised: Option<usize>,
}

/// A way to be wrong with what supports it.
struct Charge {
    way: usize,
    sums: WayTally,
    as_declared: i64,
    share: f64,
    witnesses: Vec<Name>,
}

impl Suspicion {
    /// Nothing is known yet. Sources that are not listed are one, [`OTHER`].
    pub fn new(origin: Position, listed: impl IntoIterator<Item = Name>) -> Suspicion {
        Suspicion {
            plane: Plane::at(origin),
            listed: listed.into_iter().collect(),
            cases: BTreeMap::new(),
        }
    }

    /// Takes a comparison in; the answer is what it changed.
    pub fn compare(&mut self, comparison: Comparison) -> Option<Turn> {
        let system = self.label(&comparison.system);
        let witness = match &comparison.witness {
            Witness::Registry => Witness::Registry,
            Witness::System(name) => Witness::System(self.label(name)),
        };
        let comparison = Comparison {
            witness,
            tolerance_mm: comparison.tolerance_mm.min(TOLERANCE_MM_MAX),
            ..comparison
        };
        let declared = comparison.declared;
        let case = self.cases.entry((system.clone(), declared)).or_default();
        if !case.window.take(&self.plane, declared, &comparison) {
            return None;
        }
        let raised = case.raised;
        let (charge, stands) = match raised {
            None => {
                let charge = (0..window::WAYS)
                    .filter_map(|way| charge(&case.window.tallies, way, &RAISE))
                    .max_by_key(|charge| (charge.sums.supporting, std::cmp::Reverse(charge.way)))?;
                (charge, true)
            }
            Some(way) => match charge(&case.window.tallies, way, &KEEP) {
                Some(_) => return None,
                None => (rest(&case.window.tallies, way), false),
            },
        };
        case.raised = stands.then_some(charge.way);
        let evidence = evidence(&system, declared, &charge);
        Some(if stands {
            Turn::Rises(evidence)
        } else {
            Turn::Falls(evidence)
        })
    }

    /// The sources that are suspect now, by name.
    pub fn suspects(&self) -> Vec<Evidence> {
        let raised = self.cases.iter().filter_map(|((system, declared), case)| {
            let way = case.raised?;
            let charge = charge(&case.window.tallies, way, &KEEP)?;
            Some(evidence(system, *declared, &charge))
        });
        raised.collect()
    }

    fn label(&self, system: &Name) -> Name {
        self.listed
            .get(system)
            .cloned()
            .unwrap_or_else(|| Name::from(OTHER))
    }
}

/// The charge of one way to be wrong, if it reaches the bar: before the registry alone, or before several other systems.
fn charge(tallies: &BTreeMap<Witness, Tally>, way: usize, bar: &Bar) -> Option<Charge> {
    let before_registry = tallies.get(&Witness::Registry).map(|tally| {
        let sums = tally.ways[way];
        let charge = Charge {
            way,
            sums,
            as_declared: tally.as_declared,
            share: share(sums.supporting, tally.votes),
            witnesses: vec![Name::from("registry")],
        };
        // What sits where it was surveyed is not displaced, whatever others say: they may be.
        let acquits = tally.as_declared >= PLACES_OF_A_WITNESS && tally.as_declared > sums.supporting;
        (acquits, reaches(&sums, tally.votes, bar).then_some(charge))
    });
    let (acquits, surveyed) = before_registry.unwrap_or((false, None));
    if acquits {
        return None;
    }
    let told = charge_by_others(tallies, way, bar);
    // With both, the one that more places support.
    match (surveyed, told) {
        (Some(surveyed), Some(told)) if told.sums.supporting > surveyed.sums.supporting => Some(told),
        (surveyed, told) => surveyed.or(told),
    }
}

fn charge_by_others(tallies: &BTreeMap<Witness, Tally>, way: usize, bar: &Bar) -> Option<Charge> {
    let (mut sums, mut as_declared) = (WayTally::default(), 0);
    let (mut accusers, mut defenders) = (Vec::new(), 0);
    for (witness, tally) in tallies {
        let Witness::System(name) = witness else {
            continue;
        };
        let own = tally.ways[way];
        as_declared += tally.as_declared;
        sums.add(&own);
        if own.supporting >= PLACES_OF_A_WITNESS
            && own.supporting > tally.as_declared
            && own.supporting >= bar.times_chance * own.by_chance()
        {
            accusers.push(name.clone());
        } else if tally.as_declared >= PLACES_OF_A_WITNESS {
            defenders += 1;
        }
    }
    let stands = accusers.len() >= bar.systems
        && accusers.len() + bar.defenders > defenders
        && reaches(&sums, sums.supporting + as_declared, bar);
    stands.then(|| Charge {
        way,
        share: share(sums.supporting, sums.supporting + as_declared),
        sums,
        as_declared,
        witnesses: accusers,
    })
}

fn reaches(sums: &WayTally, of: i64, bar: &Bar) -> bool {
    let length_mm = sums.predicted.distance_mm(city_model::Point::default());
    sums.supporting >= bar.pairs
        && sums.supporting * 1_000 >= of * bar.share_permille
        && sums.supporting >= bar.times_chance * sums.by_chance()
        // A residual of a quarter of the vector's length: the pairs agree about where, not only that.
        && sums.residual_mm * 4 <= length_mm
}

/// What is left of a charge that does not stand any more.
fn rest(tallies: &BTreeMap<Witness, Tally>, way: usize) -> Charge {
    let (mut sums, mut as_declared, mut votes) = (WayTally::default(), 0, 0);
    for tally in tallies.values() {
        sums.add(&tally.ways[way]);
        as_declared += tally.as_declared;
        votes += tally.votes;
    }
    Charge {
        way,
        share: share(sums.supporting, votes),
        sums,
        as_declared,
        witnesses: Vec::new(),
    }
}

fn share(part: i64, whole: i64) -> f64 {
    if whole > 0 {
        part as f64 / whole as f64
    } else {
        0.0
    }
}

fn evidence(system: &Name, declared: Crs, charge: &Charge) -> Evidence {
    let Charge { sums, .. } = charge;
    let mean = |sum_mm: i64| {
        let decimetres = share(sum_mm, sums.supporting) / 100.0;
        libm::rint(decimetres) / 10.0
    };
    Evidence {
        source_system: system.clone(),
        declared,
        looks_like: LooksLike::instead_of(declared)[charge.way].as_str(),
        witnesses: charge.witnesses.clone(),
        pairs: sums.supporting,
        as_declared: charge.as_declared,
        share: charge.share,
        observed_m: (mean(sums.observed.x), mean(sums.observed.y)),
        predicted_m: (mean(sums.predicted.x), mean(sums.predicted.y)),
        residual_m: mean(sums.residual_mm),
    }
}

#[cfg(test)]
mod tests;
