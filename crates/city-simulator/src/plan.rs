//! The plan: which scenes there are, when and where, so that the records come out exactly as many as asked for and no
//! device or camera is in two incidents at once. Allocation is in order; what a scene then reports is its own stream.

use crate::chance::{Chance, Domain};
use crate::city::City;
use crate::kinds::{PROFILES, profile_index};
use crate::parameters::*;
use crate::record::Draft;
use crate::registry::Class;
use crate::scene::stage;
use crate::tempo::Tempo;
use crate::weather;

/// What a scene is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One incident.
    Single,
    /// Fallen trees along a street, each an incident.
    TreeRow,
    /// Two covers 25 m apart, each with its sensor.
    ManholePair,
    /// The same garbage corner on successive days, each day an incident.
    GarbageAgain,
    /// Neighbouring shop fronts, each an incident.
    ShopRow,
    /// One reading that jumps.
    FalseSensor,
    /// A camera that is mistaken.
    FalseVideo,
    /// A contact that reports nothing.
    Contact,
    /// Announced works and the complaints about them.
    Works,
}

/// Minutes of readings before an alarm.
pub(crate) const LEAD_MIN: f64 = 12.0;
/// A device is left alone by quiet readings this long after its incident.
const AFTER_MIN: f64 = 30.0;

/// A scene as planned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScenePlan {
    pub(crate) index: u32,
    pub(crate) start: i64,
    pub(crate) shape: Shape,
    pub(crate) profile: usize,
    pub(crate) device: Option<usize>,
    pub(crate) camera: Option<usize>,
    /// The end of the simulated span; nothing new begins after it.
    pub(crate) span_end: i64,
    /// How many of its records are used; less than all only for the last one.
    pub(crate) take: usize,
}

/// The whole plan.
pub(crate) struct Plan {
    /// By start.
    pub(crate) scenes: Vec<ScenePlan>,
    /// Weather warnings, by arrival.
    pub(crate) warnings: Vec<Draft>,
    /// How many quiet readings fill the rest.
    pub(crate) quiet: usize,
    pub(crate) tempo: Tempo,
    pub(crate) occupation: Occupation,
}

/// When devices and cameras are taken.
pub(crate) struct Occupation {
    devices: Vec<Vec<(i64, i64)>>,
    cameras: Vec<Vec<(i64, i64)>>,
}

impl Occupation {
    /// True while the device is in an incident.
    pub(crate) fn device_busy(&self, device: usize, at: i64) -> bool {
        self.devices
            .get(device)
            .is_some_and(|spans| spans.iter().any(|&(from, to)| (from..to).contains(&at)))
    }
}

fn is_free(spans: &[(i64, i64)], from: i64, to: i64, rest: i64) -> bool {
    spans
        .iter()
        .all(|&(begin, end)| end + rest <= from || to + rest <= begin)
}

impl Plan {
    pub(crate) fn new(city: &City, events: usize, rate: f64, start_ms: i64) -> Plan {
        let tempo = Tempo::new(city.scenario, events, rate, start_ms);
        let mut warnings = weather::warnings(city, &tempo);
        // A very short run has room for the first only.
        warnings.truncate(events / 10);
        let w = city.weather();
        let budget = ((events - warnings.len()) as f64 * SCENE_SHARE[w]) as usize;
        let expected = (budget as f64 / RECORDS_PER_SCENE[w]).max(1.0);
        let mut plan = Plan {
            scenes: Vec::new(),
            quiet: events - warnings.len() - budget,
            warnings,
            occupation: Occupation {
                devices: vec![Vec::new(); city.registry.devices.len()],
                cameras: vec![Vec::new(); city.registry.cameras.len()],
            },
            tempo,
        };
        let mut left = budget;
        let mut index = 0_u32;
        while left > 0 {
            let mut scene = plan.scene(city, index, f64::from(index) / expected);
            scene.take = stage(city, &scene).len().min(left);
            left -= scene.take;
            plan.scenes.push(scene);
            index += 1;
        }
        plan.scenes.sort_by_key(|scene| (scene.start, scene.index));
        plan
    }

    fn scene(&mut self, city: &City, index: u32, share: f64) -> ScenePlan {
        let mut chance = Chance::of(city.seed, Domain::Plan, u64::from(index));
        let w = city.weather();
        let start = self.tempo.busy_moment(share) + chance.minutes(0.0, 1.0);
        let shares = [
            TREE_ROW_SHARE[w],
            MANHOLE_PAIR_SHARE[w],
            GARBAGE_AGAIN_SHARE[w],
            SHOP_ROW_SHARE[w],
            FALSE_SENSOR_SHARE[w],
            FALSE_VIDEO_SHARE[w],
            CONTACT_SHARE[w],
            WORKS_SHARE[w],
        ];
        let single = 1.0 - shares.iter().sum::<f64>();
        let shape = match chance.weighted(shares.into_iter().chain([single])) {
            0 => Shape::TreeRow,
            1 => Shape::ManholePair,
            2 => Shape::GarbageAgain,
            3 => Shape::ShopRow,
            4 => Shape::FalseSensor,
            5 => Shape::FalseVideo,
            6 => Shape::Contact,
            7 => Shape::Works,
            _ => Shape::Single,
        };
        let mut scene = ScenePlan {
            index,
            start,
            shape,
            profile: 0,
            device: None,
            camera: None,
            span_end: self.tempo.moment(1.0),
            take: 0,
        };
        match shape {
            Shape::TreeRow => scene.profile = profile_index("tree_fallen"),
            Shape::GarbageAgain => scene.profile = profile_index("garbage_exposed"),
            Shape::ShopRow => scene.profile = profile_index("shop_spill"),
            Shape::Works => scene.profile = profile_index("noise"),
            Shape::Contact => {}
            Shape::Single => self.single(city, &mut scene, &mut chance),
            Shape::ManholePair => {
                scene.profile = profile_index("manhole_missing");
                self.covers(city, &mut scene, &mut chance);
            }
            Shape::FalseSensor => self.false_sensor(city, &mut scene, &mut chance),
            Shape::FalseVideo => self.false_video(city, &mut scene, &mut chance),
        }
        scene
    }

    fn single(&mut self, city: &City, scene: &mut ScenePlan, chance: &mut Chance) {
        let w = city.weather();
        let hour = self.tempo.hour_at(scene.start);
        let night = !(6..22).contains(&hour);
        scene.profile = chance.weighted(
            PROFILES
                .iter()
                .map(|profile| profile.weight[w] * if night { profile.night } else { 1.0 }),
        );
        if let Some((class, share)) = PROFILES[scene.profile].sensor
            && chance.hit(share)
        {
            scene.device = self.take_device(city, scene, class, chance);
            // Every underpass is under water already: it is a street, then.
            if class == Class::Underpass && scene.device.is_none() {
                scene.profile = profile_index("road_ponding");
            }
        }
        if chance.hit(PROFILES[scene.profile].video) {
            scene.camera = match scene.device {
                Some(device) => city.registry.devices[device]
                    .camera
                    .filter(|&camera| self.take_camera(camera, scene)),
                None => self.any_camera(city, scene, chance),
            };
        }
    }

    fn covers(&mut self, city: &City, scene: &mut ScenePlan, chance: &mut Chance) {
        let range = city.registry.of(Class::Cover);
        for _ in 0..12 {
            let first = range.start + 2 * chance.below(range.len() / 2);
            let (from, to, rest) = span(scene);
            let devices = &mut self.occupation.devices;
            if is_free(&devices[first], from, to, rest) && is_free(&devices[first + 1], from, to, rest) {
                devices[first].push((from, to));
                devices[first + 1].push((from, to));
                scene.device = Some(first);
                return;
            }
        }
        // No pair is free: one cover of nobody's.
        scene.shape = Shape::Single;
    }

    fn false_sensor(&mut self, city: &City, scene: &mut ScenePlan, chance: &mut Chance) {
        let (class, kind) = match chance.below(8) {
            0..4 => (Class::Smoke, "fire_smoke"),
            4..6 => (Class::Ponding, "road_ponding"),
            6 => (Class::Gas, "gas_leak"),
            _ => (Class::Electric, "elec_hazard"),
        };
        scene.profile = profile_index(kind);
        scene.device = self.take_device(city, scene, class, chance);
        if scene.device.is_none() {
            scene.shape = Shape::Contact;
        }
    }

    fn false_video(&mut self, city: &City, scene: &mut ScenePlan, chance: &mut Chance) {
        let kind = match chance.below(5) {
            0 => "road_ponding",
            1 => "garbage_exposed",
            2 => "fire_smoke",
            3 => "shop_spill",
            _ => "parking_motor",
        };
        scene.profile = profile_index(kind);
        scene.camera = self.any_camera(city, scene, chance);
        if scene.camera.is_none() {
            scene.shape = Shape::Contact;
        }
    }

    fn take_device(
        &mut self,
        city: &City,
        scene: &ScenePlan,
        class: Class,
        chance: &mut Chance,
    ) -> Option<usize> {
        let range = city.registry.of(class);
        let (from, to, rest) = span(scene);
        for _ in 0..12 {
            let device = range.start + chance.below(range.len());
            let spans = &mut self.occupation.devices[device];
            if is_free(spans, from, to, rest) {
                spans.push((from, to));
                return Some(device);
            }
        }
        None
    }

    fn any_camera(&mut self, city: &City, scene: &ScenePlan, chance: &mut Chance) -> Option<usize> {
        (0..12)
            .map(|_| chance.below(city.registry.cameras.len()))
            .find(|&camera| self.take_camera(camera, scene))
    }

    fn take_camera(&mut self, camera: usize, scene: &ScenePlan) -> bool {
        let (from, to, rest) = span(scene);
        let spans = &mut self.occupation.cameras[camera];
        let free = is_free(spans, from, to, rest);
        if free {
            spans.push((from, to));
        }
        free
    }
}

/// How long a scene may hold a device, and how long the device then rests.
fn span(scene: &ScenePlan) -> (i64, i64, i64) {
    let profile = &PROFILES[scene.profile];
    let minute = |minutes: f64| (minutes * 60_000.0) as i64;
    (
        scene.start,
        scene.start + minute(2.0 * LEAD_MIN + profile.minutes.1 + AFTER_MIN),
        minute(profile.quiet_min),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;
    use crate::ground::Ground;
    use crate::registry::Registry;

    fn city(scenario: Scenario) -> City {
        let ground = Ground::of(city_grid::builtin());
        let registry = Registry::new(9, &ground);
        City {
            seed: 9,
            scenario,
            ground,
            registry,
        }
    }

    #[test]
    fn the_measured_mean_of_a_scene_is_right_within_a_tenth() {
        for scenario in [Scenario::Normal, Scenario::Typhoon] {
            let city = city(scenario);
            let plan = Plan::new(
                &city,
                60_000,
                city.scenario.events_per_hour(),
                city.scenario.start_ms(),
            );
            let records: usize = plan.scenes.iter().map(|scene| scene.take).sum();
            let mean = records as f64 / plan.scenes.len() as f64;
            let claimed = RECORDS_PER_SCENE[city.weather()];
            assert!((mean / claimed - 1.0).abs() < 0.1, "{scenario:?} {mean}");
        }
    }

    #[test]
    fn no_device_is_in_two_incidents_at_once() {
        let city = city(Scenario::Typhoon);
        let plan = Plan::new(
            &city,
            40_000,
            city.scenario.events_per_hour(),
            city.scenario.start_ms(),
        );
        for spans in plan.occupation.devices.iter().chain(&plan.occupation.cameras) {
            let mut sorted = spans.clone();
            sorted.sort_unstable();
            assert!(sorted.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        }
    }

    #[test]
    fn nothing_arrives_before_its_scene_and_a_scene_comes_out_the_same_alone() {
        let city = city(Scenario::Normal);
        let plan = Plan::new(
            &city,
            5_000,
            city.scenario.events_per_hour(),
            city.scenario.start_ms(),
        );
        for scene in &plan.scenes {
            let drafts = stage(&city, scene);
            assert!(drafts.iter().all(|draft| draft.arrival_ms >= scene.start));
            let again = stage(&city, scene);
            assert_eq!(
                drafts.into_iter().map(Draft::record).collect::<Vec<_>>(),
                again.into_iter().map(Draft::record).collect::<Vec<_>>()
            );
        }
    }
}
