//! What can happen in the city, how often, how long, and who notices: the profile of each kind.

use crate::registry::Class;

/// How one kind of incident behaves. Arrays are (normal, typhoon).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Profile {
    /// The kind's name, as in the truth.
    pub(crate) kind: &'static str,
    /// Relative frequency.
    pub(crate) weight: [f64; 2],
    /// Mean number of callers.
    pub(crate) callers: [f64; 2],
    /// Probability that a camera sees it.
    pub(crate) video: f64,
    /// Probability that it happens at a device, and the device's class.
    pub(crate) sensor: Option<(Class, f64)>,
    /// Mean number of inspectors' reports.
    pub(crate) inspectors: f64,
    /// Mean number of reports by app and web.
    pub(crate) citizens: f64,
    /// Mean number of reports passed on by the police.
    pub(crate) police: f64,
    /// Shortest and longest duration in minutes.
    pub(crate) minutes: (f64, f64),
    /// How far from its centre people notice and place it, in metres.
    pub(crate) spread_m: f64,
    /// Factor on the weight between 22:00 and 06:00.
    pub(crate) night: f64,
    /// Minutes of quiet after which a report means a new incident of this kind: a device that alarmed rests as long.
    pub(crate) quiet_min: f64,
}

macro_rules! profiles {
    ($($kind:literal $w0:literal $w1:literal | $c0:literal $c1:literal | $video:literal $sensor:expr ; $insp:literal $cit:literal $pol:literal
        | $lo:literal $hi:literal $spread:literal $night:literal $quiet:literal)*) => {
        &[$(Profile {
            kind: $kind, weight: [$w0, $w1], callers: [$c0, $c1], video: $video, sensor: $sensor, inspectors: $insp,
            citizens: $cit, police: $pol, minutes: ($lo, $hi), spread_m: $spread, night: $night, quiet_min: $quiet,
        }),*]
    };
}

/// The table. Columns: kind, weights | callers | video, device; inspectors, app and web, police | minutes from and to,
/// spread, night factor, quiet. Advertisements, garbage and parking are most of a normal day (one low-value kind is
/// about half of a real town's cases); trees, water, cables and outages are most of a storm.
pub(crate) const PROFILES: &[Profile] = profiles! {
    "ads_illegal"       20.0  2.0 | 0.35 0.2 | 0.06 None; 0.8 0.2 0.0 | 120.0 900.0 0.0 0.2 1440.0
    "garbage_exposed"   12.0  4.0 | 1.1 0.8 | 0.25 None; 0.5 0.4 0.0 | 40.0 300.0 5.0 0.3 360.0
    "bin_overflow"       6.0  3.0 | 0.5 0.4 | 0.2 Some((Class::Bin, 0.4)); 0.4 0.2 0.0 | 60.0 240.0 0.0 0.4 360.0
    "rubble_pile"        2.5  1.0 | 0.7 0.5 | 0.1 None; 0.6 0.2 0.0 | 300.0 1400.0 5.0 0.3 2880.0
    "parking_motor"     12.0  2.0 | 1.0 0.4 | 0.3 None; 0.2 0.4 0.1 | 12.0 45.0 5.0 0.5 30.0
    "parking_bike"       6.0  1.0 | 0.6 0.3 | 0.3 None; 0.4 0.3 0.0 | 30.0 180.0 8.0 0.3 120.0
    "vendor"             6.0  0.5 | 1.0 0.4 | 0.3 None; 0.3 0.3 0.0 | 40.0 180.0 25.0 0.3 120.0
    "shop_spill"         5.0  0.5 | 0.6 0.3 | 0.35 None; 0.4 0.2 0.0 | 60.0 240.0 0.0 0.3 240.0
    "road_damage"        3.0  2.0 | 0.7 0.6 | 0.06 None; 0.5 0.3 0.0 | 400.0 1400.0 3.0 0.4 10080.0
    "noise"              4.0  0.3 | 2.4 1.0 | 0.0 None; 0.0 0.4 0.1 | 60.0 240.0 70.0 3.0 180.0
    "dust"               1.2  0.1 | 1.2 0.5 | 0.15 None; 0.4 0.3 0.0 | 60.0 240.0 70.0 0.1 180.0
    "fume"               1.5  0.2 | 1.4 0.5 | 0.0 None; 0.2 0.3 0.0 | 120.0 600.0 15.0 0.5 1440.0
    "illegal_build"      1.5  0.2 | 1.8 0.5 | 0.05 None; 0.4 0.3 0.0 | 400.0 1400.0 0.0 0.2 21600.0
    "street_light"       2.5  1.5 | 1.3 1.0 | 0.0 None; 0.4 0.2 0.0 | 300.0 1200.0 15.0 2.0 1440.0
    "odor_water"         0.8  0.4 | 1.4 0.6 | 0.3 None; 0.3 0.2 0.0 | 200.0 1000.0 70.0 0.5 1440.0
    "manhole_missing"    2.0  3.0 | 0.9 1.0 | 0.0 Some((Class::Cover, 0.6)); 0.4 0.2 0.1 | 40.0 400.0 0.0 1.0 1440.0
    "sewage_overflow"    1.5  3.0 | 1.4 1.6 | 0.1 Some((Class::Well, 0.15)); 0.4 0.2 0.0 | 60.0 300.0 10.0 0.8 360.0
    "road_collapse"      0.5  1.2 | 2.5 2.5 | 0.3 None; 0.4 0.3 0.4 | 60.0 400.0 8.0 1.0 720.0
    "gas_leak"           0.8  0.4 | 3.5 3.0 | 0.0 Some((Class::Gas, 0.4)); 0.2 0.1 0.2 | 15.0 40.0 45.0 1.0 30.0
    "fire_smoke"         1.2  0.6 | 2.0 1.5 | 0.3 Some((Class::Smoke, 0.5)); 0.1 0.2 0.4 | 8.0 30.0 15.0 1.2 20.0
    "elec_hazard"        0.8  1.0 | 0.7 0.8 | 0.0 Some((Class::Electric, 0.6)); 0.2 0.2 0.0 | 60.0 240.0 0.0 1.0 360.0
    "water_burst"        0.6  0.4 | 5.0 4.0 | 0.0 None; 0.4 0.4 0.1 | 30.0 120.0 55.0 0.8 120.0
    "hydrant_fault"      0.8  0.3 | 0.5 0.3 | 0.0 Some((Class::Hydrant, 0.6)); 0.4 0.1 0.0 | 60.0 300.0 0.0 0.5 1440.0
    "tree_fallen"        0.5 10.0 | 1.3 2.4 | 0.15 None; 0.5 0.4 0.2 | 60.0 300.0 8.0 0.8 360.0
    "falling_object"     0.6  3.0 | 1.2 1.8 | 0.15 None; 0.2 0.3 0.1 | 20.0 100.0 10.0 0.6 120.0
    "cable_down"         0.5  4.0 | 1.4 2.0 | 0.1 None; 0.4 0.3 0.1 | 60.0 240.0 12.0 0.8 360.0
    "power_outage"       0.4  3.0 | 5.0 7.0 | 0.0 None; 0.0 0.6 0.1 | 30.0 90.0 140.0 1.0 60.0
    "traffic_signal"     0.7  2.0 | 1.6 1.8 | 0.0 None; 0.3 0.3 0.5 | 30.0 110.0 10.0 0.5 120.0
    "elevator_trap"      0.5  0.8 | 1.4 1.4 | 0.0 None; 0.0 0.1 0.4 | 8.0 20.0 0.0 0.5 20.0
    "crowd"              0.4  0.1 | 0.9 0.5 | 0.6 None; 0.2 0.2 0.5 | 15.0 50.0 25.0 0.3 30.0
    "fight"              0.6  0.2 | 0.7 0.5 | 0.4 None; 0.0 0.1 1.0 | 5.0 14.0 8.0 2.0 15.0
    "fire_lane_blocked"  0.8  0.2 | 1.1 0.6 | 0.0 None; 0.3 0.3 0.0 | 15.0 50.0 0.0 0.8 30.0
    "ebike_charging"     0.8  0.2 | 0.9 0.4 | 0.3 None; 0.2 0.2 0.0 | 60.0 300.0 0.0 1.5 720.0
    "billboard_risk"     0.4  3.0 | 1.2 1.8 | 0.0 None; 0.4 0.3 0.0 | 100.0 600.0 0.0 0.4 1440.0
    "road_ponding"       0.3 14.0 | 2.0 3.0 | 0.25 Some((Class::Ponding, 0.3)); 0.3 0.3 0.2 | 30.0 100.0 35.0 1.0 60.0
    "underpass_flood"    0.05 1.0 | 3.0 6.0 | 0.7 Some((Class::Underpass, 1.0)); 0.5 0.4 0.6 | 50.0 150.0 25.0 1.0 60.0
};

/// The profile of a kind that the code itself names; the first row if there is none, which a test rules out.
pub(crate) fn profile_index(kind: &str) -> usize {
    PROFILES
        .iter()
        .position(|profile| profile.kind == kind)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_many_and_distinct() {
        let mut names: Vec<_> = PROFILES.iter().map(|profile| profile.kind).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PROFILES.len());
        assert!(names.len() >= 16);
    }

    #[test]
    fn an_incident_is_noticed_within_twice_its_quiet_time() {
        for profile in PROFILES {
            assert!(profile.minutes.0 < profile.minutes.1, "{}", profile.kind);
            assert!(
                profile.minutes.1 <= 3.0 * profile.quiet_min,
                "{}: reports would fall apart by their own silence",
                profile.kind
            );
        }
    }
}
