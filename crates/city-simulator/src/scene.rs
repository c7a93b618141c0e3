//! From a planned scene to its records: which incidents it has, and who reports them. A scene draws from its own stream
//! only, so it comes out the same whatever the other scenes do.

use crate::chance::{Chance, Domain};
use crate::city::City;
use crate::ground::{Manner, Spot};
use crate::kinds::{PROFILES, Profile};
use crate::native::{NATIVES, Native};
use crate::parameters::*;
use crate::plan::{LEAD_MIN, ScenePlan, Shape};
use crate::record::{Draft, Truth};
use crate::{calls, gauges, rounds, watch, works};

/// One true incident, or one false alarm.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    pub(crate) name: String,
    pub(crate) profile: &'static Profile,
    pub(crate) native: &'static Native,
    pub(crate) centre: Spot,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) manner: Manner,
    pub(crate) device: Option<usize>,
    pub(crate) camera: Option<usize>,
}

impl Happening {
    pub(crate) fn truth(&self) -> Option<Truth> {
        Some(Truth {
            incident: self.name.clone(),
            kind: self.native.kind,
        })
    }

    /// A moment at which somebody notices: soon rather than late, within the duration.
    pub(crate) fn noticed(&self, chance: &mut Chance) -> i64 {
        let duration = (self.end - self.start) as f64;
        let mut offset = chance.exponential(0.35 * duration);
        if offset > duration {
            offset = chance.between(0.0, duration);
        }
        self.start + offset as i64
    }

    /// Where somebody sees it: within its spread.
    pub(crate) fn seen_at(&self, chance: &mut Chance) -> Spot {
        self.centre.plus(chance.in_disc(self.profile.spread_m))
    }
}

/// The records of one scene while they are made.
pub(crate) struct Stage<'a> {
    pub(crate) city: &'a City,
    pub(crate) plan: &'a ScenePlan,
    pub(crate) chance: Chance,
    pub(crate) drafts: Vec<Draft>,
    named: usize,
}

/// All records of a scene by arrival, none before its start, resends included, not yet cut to `take`.
pub(crate) fn stage(city: &City, plan: &ScenePlan) -> Vec<Draft> {
    let mut stage = Stage {
        city,
        plan,
        chance: Chance::of(city.seed, Domain::Scene, u64::from(plan.index)),
        drafts: Vec::new(),
        named: 0,
    };
    stage.play();
    stage.resend();
    let mut drafts = stage.drafts;
    // A stable sort: of equal arrivals the one made first comes first.
    drafts.sort_by_key(|draft| draft.arrival_ms);
    drafts
}

impl Stage<'_> {
    fn play(&mut self) {
        match self.plan.shape {
            Shape::Single => self.single(),
            Shape::TreeRow => self.row(4, 8, TREE_SPACING_M, 40.0),
            Shape::ShopRow => self.row(2, 4, SHOP_SPACING_M, 30.0),
            Shape::ManholePair => self.pair(),
            Shape::GarbageAgain => self.again(),
            Shape::FalseSensor => gauges::spike(self),
            Shape::FalseVideo => watch::mistake(self),
            Shape::Contact => calls::contact(self),
            Shape::Works => works::announced(self),
        }
    }

    /// An identity that no other record has.
    pub(crate) fn id(&mut self, prefix: char) -> String {
        self.named += 1;
        format!("{prefix}{:07}-{:03}", self.plan.index, self.named)
    }

    /// A happening of this scene; `part` tells it from its neighbours.
    pub(crate) fn happening(&mut self, part: usize, centre: Spot, start: i64) -> Happening {
        let profile = &PROFILES[self.plan.profile];
        let (low, high) = profile.minutes;
        Happening {
            name: format!("inc-{:07}-{part}", self.plan.index),
            profile,
            native: &NATIVES[self.plan.profile],
            centre,
            start,
            end: start + self.chance.minutes(low, high),
            manner: match self.chance.weighted([0.6, 0.18, 0.22].into_iter()) {
                0 => Manner::Door,
                1 => Manner::Crossing,
                _ => Manner::Estate,
            },
            device: None,
            camera: None,
        }
    }

    fn single(&mut self) {
        let registry = &self.city.registry;
        let (centre, lead) = match (self.plan.device, self.plan.camera) {
            (Some(device), _) => {
                let error = self.chance.error(SENSOR_ERROR_M);
                (registry.devices[device].spot.plus(error), LEAD_MIN)
            }
            (None, Some(camera)) => {
                let (near, far) = VIDEO_POLE_DISTANCE_M;
                let distance = self.chance.between(near, far);
                let offset = self.chance.at_distance(distance);
                (registry.cameras[camera].spot.plus(offset), 0.0)
            }
            (None, None) => (self.city.ground.anywhere(&mut self.chance), 0.0),
        };
        let start = self.plan.start + (lead * 60_000.0) as i64;
        let mut happening = self.happening(0, centre, start);
        happening.device = self.plan.device;
        happening.camera = self.plan.camera;
        self.report(&happening);
    }

    /// Several along a street, beginning within some minutes of each other.
    fn row(&mut self, from: usize, to: usize, spacing: (f64, f64), within_min: f64) {
        let count = from + self.chance.below(to - from + 1);
        let first = self.city.ground.anywhere(&mut self.chance);
        let line = line(&mut self.chance, first, count, spacing);
        for (part, spot) in line.into_iter().enumerate() {
            let start = self.plan.start + self.chance.minutes(0.0, within_min);
            let happening = self.happening(part, spot, start);
            self.report(&happening);
        }
    }

    fn pair(&mut self) {
        let Some(first) = self.plan.device else {
            return;
        };
        for part in 0..2 {
            let error = self.chance.error(1.0);
            let spot = self.city.registry.devices[first + part].spot.plus(error);
            let start = self.plan.start + self.chance.minutes(LEAD_MIN, LEAD_MIN + 45.0);
            let mut happening = self.happening(part, spot, start);
            happening.device = Some(first + part);
            self.report(&happening);
        }
    }

    fn again(&mut self) {
        let spot = self.city.ground.anywhere(&mut self.chance);
        let days = 2 + self.chance.below(3);
        let mut manner = None;
        for day in 0..days {
            let start = self.plan.start + day as i64 * 86_400_000 + self.chance.minutes(0.0, 90.0);
            if day > 0 && start > self.plan.span_end {
                break;
            }
            let mut happening = self.happening(day, spot, start);
            happening.manner = *manner.get_or_insert(happening.manner);
            self.report(&happening);
        }
    }

    /// Everybody who notices reports; somebody always does.
    fn report(&mut self, happening: &Happening) {
        let before = self.drafts.len();
        if let Some(device) = happening.device {
            gauges::episode(self, happening, device);
        }
        if let Some(camera) = happening.camera {
            watch::episode(self, happening, camera);
        }
        let profile = happening.profile;
        let callers = self.chance.poisson(profile.callers[self.city.weather()]);
        let inspectors = self.chance.poisson(profile.inspectors);
        let citizens = self.chance.poisson(profile.citizens);
        let police = self.chance.poisson(profile.police);
        for _ in 0..callers {
            calls::caller(self, happening);
        }
        for _ in 0..inspectors {
            rounds::inspector(self, happening);
        }
        for _ in 0..citizens {
            rounds::citizen(self, happening);
        }
        for _ in 0..police {
            rounds::police(self, happening);
        }
        if self.drafts.len() == before {
            if profile.inspectors > profile.callers[0] {
                rounds::inspector(self, happening);
            } else {
                calls::caller(self, happening);
            }
        }
    }

    /// Some records come twice: the same bytes, later.
    fn resend(&mut self) {
        for at in 0..self.drafts.len() {
            if self.chance.hit(RESEND_SHARE) {
                let mut again = self.drafts[at].clone();
                again.arrival_ms += 1_000 * (5 + self.chance.below(600) as i64);
                again.truth = None;
                self.drafts.push(again);
            }
        }
    }

    /// Adds a record; nothing arrives before its scene begins.
    pub(crate) fn add(&mut self, draft: Draft) {
        debug_assert!(draft.arrival_ms >= self.plan.start);
        self.drafts.push(draft);
    }
}

/// Places along a straight street.
fn line(chance: &mut Chance, first: Spot, count: usize, spacing: (f64, f64)) -> Vec<Spot> {
    let (dx, dy) = chance.at_distance(1.0);
    let mut spot = first;
    (0..count)
        .map(|_| {
            let here = spot;
            let step = chance.between(spacing.0, spacing.1);
            spot = spot.plus((dx * step, dy * step));
            here
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_in_a_row_stand_55_to_110_m_apart() {
        let mut chance = Chance::of(1, Domain::Scene, 1);
        for _ in 0..200 {
            let row = line(&mut chance, Spot::default(), 6, TREE_SPACING_M);
            assert_eq!(row.len(), 6);
            for pair in row.windows(2) {
                let distance = pair[0].distance(pair[1]);
                assert!((55.0..=110.0).contains(&distance), "{distance}");
            }
        }
    }
}
