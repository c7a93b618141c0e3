//! Sensors: an alarm that builds up, is read again and clears, with the networks' gaps and the devices' wrong clocks; single
//! readings that jump; and the quiet readings of every day.

use city_grid::Crs;

use crate::chance::{Chance, Domain};
use crate::city::City;
use crate::parameters::*;
use crate::plan::{LEAD_MIN, Occupation};
use crate::record::{Body, Draft, SensorReading};
use crate::registry::{Class, Device};
use crate::scene::{Happening, Stage};

const MINUTE_MS: i64 = 60_000;
/// Readings once a minute after the alarm began; then the rest of the duration is divided into [`SLOW_READINGS`].
const FAST_READINGS: i64 = 6;
const SLOW_READINGS: i64 = 6;

/// What a class shows when all is well, and from where to where its value goes in an alarm. The alarm limits are those of
/// common practice: ponding 15 cm, tilt 15°, methane 20 %LEL, hydrant below 0.14 MPa, bin 95 %, residual current 300 mA.
struct Levels {
    quiet: (f64, f64),
    first: f64,
    peak: (f64, f64),
}

fn levels(class: Class) -> Levels {
    let (quiet, first, peak) = match class {
        Class::Ponding => ((0.0, 3.0), 15.6, (18.0, 52.0)),
        Class::Underpass => ((0.0, 3.0), 16.0, (27.0, 85.0)),
        Class::Cover => ((0.0, 3.0), 22.0, (25.0, 100.0)),
        Class::Smoke => ((0.0, 0.0), 1.0, (1.0, 1.0)),
        Class::Gas => ((0.0, 4.0), 20.6, (24.0, 60.0)),
        Class::Hydrant => ((0.2, 0.4), 0.12, (0.0, 0.11)),
        Class::Bin => ((5.0, 75.0), 95.5, (96.0, 100.0)),
        Class::Electric => ((20.0, 180.0), 310.0, (330.0, 900.0)),
        Class::Well => ((1.2, 2.4), 3.4, (3.5, 4.6)),
    };
    Levels { quiet, first, peak }
}

/// A value in the device's own spelling of its unit.
fn spelled(device: &Device, value: f64) -> (f64, Option<&'static str>) {
    let (factor, unit) = match (device.class, device.spelling) {
        (Class::Ponding | Class::Underpass, 0) => (10.0, Some("mm")),
        (Class::Ponding | Class::Underpass, 1) => (0.01, Some("m")),
        (Class::Ponding | Class::Underpass, _) => (1.0, Some("cm")),
        (Class::Cover, 0) => (1.0, Some("deg")),
        (Class::Cover, _) => (1.0, Some("°")),
        (Class::Smoke, _) => (1.0, None),
        (Class::Gas, _) => (1.0, Some("%LEL")),
        (Class::Hydrant, 0) => (1_000.0, Some("kPa")),
        (Class::Hydrant, 1) => (10.0, Some("bar")),
        (Class::Hydrant, _) => (1.0, Some("MPa")),
        (Class::Bin, _) => (1.0, Some("%")),
        (Class::Electric, _) => (1.0, Some("mA")),
        (Class::Well, _) => (1.0, Some("m")),
    };
    (libm::round(value * factor * 1e3) / 1e3, unit)
}

/// Whether the device decides by itself: wells, whose limits are their own, and every third other.
fn alarm_flag(device: &Device, alarming: bool) -> Option<bool> {
    (device.class == Class::Well || device.spelling >= 7).then_some(alarming)
}

/// How the readings of one episode travel.
struct Travel {
    /// Readings from here to there arrive in one burst at its end.
    gap: Option<(i64, i64)>,
    /// What the device's clock shows instead.
    clock: Clock,
}

#[derive(Clone, Copy)]
enum Clock {
    Right,
    Unset,
    EightHoursAhead,
}

/// The readings about a happening: quiet, rising, high, falling, clear.
pub(crate) fn episode(stage: &mut Stage, happening: &Happening, index: usize) {
    let device = &stage.city.registry.devices[index];
    let levels = levels(device.class);
    let travel = travel(&mut stage.chance, happening.start);
    for step in [2, 1] {
        let at = happening.start - step * (LEAD_MIN * 60_000.0) as i64 / 3;
        let value = stage.chance.between(levels.quiet.0, levels.quiet.1);
        send(stage, happening, device, at, value, false, &travel);
    }
    let fast_end = happening.start + FAST_READINGS * MINUTE_MS;
    let rest = (happening.end - fast_end).max(0);
    let slow = (rest / (5 * MINUTE_MS)).min(SLOW_READINGS);
    let count = FAST_READINGS + slow;
    let peak = stage.chance.between(levels.peak.0, levels.peak.1);
    for step in 0..count {
        let at = if step < FAST_READINGS {
            happening.start + step * MINUTE_MS
        } else {
            fast_end + rest * (step - FAST_READINGS) / (slow + 1)
        };
        // Up within the first third, then level, then down, but above the limit to the end.
        let done = step as f64 / count as f64;
        let height = (3.0 * done).min(1.0).min(3.0 * (1.0 - done));
        let value = levels.first + (peak - levels.first) * height;
        send(stage, happening, device, at, value, true, &travel);
    }
    // Clear for more than ten minutes.
    for step in 0..3 {
        let at = happening.end + (1 + 6 * step) * MINUTE_MS;
        let value = stage.chance.between(levels.quiet.0, levels.quiet.1);
        send(stage, happening, device, at, value, false, &travel);
    }
}

/// One reading that jumps, then quiet ones.
pub(crate) fn spike(stage: &mut Stage) {
    let Some(index) = stage.plan.device else {
        return;
    };
    let device = &stage.city.registry.devices[index];
    let levels = levels(device.class);
    let mut happening = stage.happening(0, device.spot, stage.plan.start);
    happening.name = format!("false-{}", stage.plan.index);
    let travel = Travel {
        gap: None,
        clock: Clock::Right,
    };
    let peak = stage.chance.between(levels.peak.0, levels.peak.1);
    let start = happening.start;
    send(stage, &happening, device, start, peak, true, &travel);
    for step in 1..3 {
        let value = stage.chance.between(levels.quiet.0, levels.quiet.1);
        let at = start + step * MINUTE_MS;
        send(stage, &happening, device, at, value, false, &travel);
    }
}

fn travel(chance: &mut Chance, start: i64) -> Travel {
    let gap = chance.hit(BACKFILL_SHARE).then(|| {
        let from = start + chance.minutes(0.0, 5.0);
        // Shorter than the quiet time around an incident, so that no quiet reading falls into the gap.
        (from, from + chance.minutes(10.0, 60.0))
    });
    let clock = if chance.hit(BROKEN_CLOCK_SHARE) {
        if chance.hit(0.5) {
            Clock::Unset
        } else {
            Clock::EightHoursAhead
        }
    } else {
        Clock::Right
    };
    Travel { gap, clock }
}

fn send(
    stage: &mut Stage,
    happening: &Happening,
    device: &Device,
    at: i64,
    value: f64,
    alarming: bool,
    travel: &Travel,
) {
    let event_id = stage.id('S');
    let chance = &mut stage.chance;
    let delay = 200 + chance.below(2_500) as i64;
    let told = chance.hit(0.4);
    let observed_at = match travel.clock {
        Clock::Right => at,
        // The clock began at zero when its battery was changed, some hours before.
        Clock::Unset => 3 * 3_600_000 + (at - stage.plan.start),
        Clock::EightHoursAhead => at + ZONE_MS,
    };
    let burst = travel
        .gap
        .filter(|&(from, to)| (from..to).contains(&at))
        .map(|(_, to)| to + 40 * (stage.drafts.len() as i64 % 50));
    let reported_at = match burst {
        Some(burst) => Some(burst),
        None => (told || !matches!(travel.clock, Clock::Right)).then_some(at + delay),
    };
    let draft = reading(
        stage.city,
        device,
        event_id,
        observed_at,
        reported_at,
        value,
        alarming,
    );
    let truth = if alarming { happening.truth() } else { None };
    stage.add(Draft { truth, ..draft });
}

fn reading(
    city: &City,
    device: &Device,
    event_id: String,
    observed_at: i64,
    reported_at: Option<i64>,
    value: f64,
    alarming: bool,
) -> Draft {
    let (value, unit) = spelled(device, value);
    Draft {
        arrival_ms: reported_at.unwrap_or(observed_at),
        key: device.id.clone(),
        event_id: event_id.clone(),
        truth: None,
        body: Body::Sensor(Box::new(SensorReading {
            event_id,
            source_system: device.class.system(),
            device_id: device.id.clone(),
            metric: device.class.metric(),
            value,
            unit,
            alarm: alarm_flag(device, alarming),
            observed_at,
            reported_at,
            // Most devices leave their place to the registry.
            location: matches!(device.spelling, 5 | 6).then(|| city.write(Crs::Wgs84, device.spot)),
            component_id: device.component.clone().filter(|_| device.spelling >= 5),
        })),
    }
}

/// The quiet reading with this number, from a device that is in no incident at that time. One in a hundred is the one
/// before it, sent again.
pub(crate) fn quiet(city: &City, occupation: &Occupation, number: usize, at: i64, before: i64) -> Draft {
    let mut chance = Chance::of(city.seed, Domain::Quiet, number as u64);
    if number > 0 && chance.hit(RESEND_SHARE) {
        let mut first = Chance::of(city.seed, Domain::Quiet, number as u64 - 1);
        if number == 1 || !first.hit(RESEND_SHARE) {
            let mut again = quiet_reading(city, occupation, number - 1, before, &mut first);
            again.arrival_ms = at;
            return again;
        }
    }
    quiet_reading(city, occupation, number, at, &mut chance)
}

fn quiet_reading(city: &City, occupation: &Occupation, number: usize, at: i64, chance: &mut Chance) -> Draft {
    let devices = &city.registry.devices;
    let mut index = chance.below(devices.len());
    for _ in 0..32 {
        if !occupation.device_busy(index, at) {
            break;
        }
        index = chance.below(devices.len());
    }
    let device = &devices[index];
    let levels = levels(device.class);
    let value = chance.between(levels.quiet.0, levels.quiet.1);
    let reported_at = chance.hit(0.4).then_some(at);
    let observed_at = match reported_at {
        Some(_) => at - 200 - chance.below(2_500) as i64,
        None => at,
    };
    let event_id = format!("Q{number:08}");
    reading(city, device, event_id, observed_at, reported_at, value, false)
}
