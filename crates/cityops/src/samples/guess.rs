//! Common mistakes, guessed from the numbers: axes, coordinate systems, units, clocks. A guess changes nothing; whoever
//! sends the records decides.

use city_grid::{Crs, crs};
use city_model::{DeadLetterReason, EventTime, Flag, Outcome, Plane, Position, Source};
use event_intake::{Decision, Fault};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Desk, time_field};

/// Something that looks like a mistake, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Guess {
    pub(super) guess: String,
    pub(super) advice: String,
}

impl Guess {
    fn new(guess: impl Into<String>, advice: impl Into<String>) -> Guess {
        Guess {
            guess: guess.into(),
            advice: advice.into(),
        }
    }
}

/// A registry's position and a record's differ by more than this before another system is thought of, in metres: the
/// offsets of GCJ-02 and BD-09 are 300 m and more.
const FAR_M: f64 = 150.0;
/// And this near they must be in the other one.
const NEAR_M: f64 = 60.0;
/// The offset of the city's zone, and how well two clocks agree.
const ZONE_MS: i64 = 8 * city_model::HOUR_MS;
const CLOCK_MS: i64 = 5 * city_model::MINUTE_MS;
/// Units as the field spells them, for values that are impossible in the one they came with.
const UNITS: [&str; 19] = [
    "mm", "cm", "m", "Pa", "kPa", "MPa", "bar", "%LEL", "%VOL", "ppm", "mA", "A", "s", "min", "h", "ug/m3",
    "mg/m3", "L", "m3",
];

/// All that is guessed of a record that came `at`.
pub(super) fn guesses(desk: &Desk<'_>, source: Source, value: &Value, at: EventTime) -> Vec<Guess> {
    let mut guesses = Vec::new();
    let told = value["source_system"].as_str();
    if told.is_some_and(|told| told != desk.source_system) {
        guesses.push(Guess::new(
            "source_system is not the one that was asked for",
            "The record is judged by its own; give --source that name, or send the name that is configured.",
        ));
    }
    for field in ["target_location", "location"] {
        guesses.extend(place(desk, source, value, field, at));
    }
    if source == Source::Sensor {
        guesses.extend(unit(desk, value, at));
    }
    guesses.extend(clock(desk, source, value));
    guesses
}

/// Axes and coordinate system.
fn place(desk: &Desk<'_>, source: Source, value: &Value, field: &str, at: EventTime) -> Option<Guess> {
    let location = value.get(field)?;
    let (x, y) = (location["x"].as_f64()?, location["y"].as_f64()?);
    if x == 0.0 && y == 0.0 {
        return None;
    }
    let with = |x: f64, y: f64, crs: Option<&str>| {
        let mut changed = value.clone();
        changed[field]["x"] = json!(x);
        changed[field]["y"] = json!(y);
        if let Some(crs) = crs {
            changed[field]["crs"] = json!(crs);
        }
        is_placed(desk, source, &changed, at)
    };
    if is_placed(desk, source, value, at) {
        return by_registry(desk, value, location, (x, y));
    }
    let are_metres = x.abs() > 180.0 || y.abs() > 180.0;
    if with(y, x, None) {
        return Some(Guess::new(
            "x and y are swapped",
            "x is the longitude or metres east, y the latitude or metres north.",
        ));
    }
    let metres = "Set crs = \"SH2000\" under [sources.NAME], or send it in the record.";
    if are_metres && with(x, y, Some("SH2000")) {
        return Some(Guess::new(
            "the coordinates are metres of SH2000, not degrees",
            metres,
        ));
    }
    if are_metres && with(y, x, Some("SH2000")) {
        return Some(Guess::new(
            "the coordinates are metres of SH2000 with x and y swapped",
            metres,
        ));
    }
    let in_degrees = "Set the coordinate system that they are in: WGS84 from GPS, GCJ02 from Amap or Tencent, BD09 from Baidu.";
    if !are_metres && with(x, y, Some("WGS84")) {
        return Some(Guess::new(
            "the coordinates are degrees, not metres of SH2000",
            in_degrees,
        ));
    }
    (!are_metres && with(y, x, Some("WGS84"))).then(|| {
        Guess::new(
            "the coordinates are degrees with x and y swapped, not metres of SH2000",
            in_degrees,
        )
    })
}

/// Whether intake can use the place of a record, and it lies in the grid. SH2000 begins in the middle of Shanghai, so
/// degrees that are taken for its metres are near enough to be accepted.
fn is_placed(desk: &Desk<'_>, source: Source, value: &Value, at: EventTime) -> bool {
    let mut value = value.clone();
    if source == Source::Sensor {
        value["alarm"] = json!(true);
    }
    match desk.probe(source, &value, at) {
        Ok(verdict) => match verdict.result {
            Decision::Refused(refusal) => refusal.reason != DeadLetterReason::CoordOutOfBbox,
            // as a harmless ticket without a place is
            Decision::Settled { outcome, .. } => outcome != Outcome::NotActionable,
            Decision::Event(event) => {
                let astray = [Flag::LocationUnusable, Flag::OutsideGrid];
                !event.flags.iter().any(|flag| astray.contains(flag))
            }
            _ => true,
        },
        // Where it cannot even be read, there is nothing to compare.
        Err(_) => true,
    }
}

/// Whether the record stands where the registry has its device or component, only in another system.
fn by_registry(desk: &Desk<'_>, value: &Value, location: &Value, (x, y): (f64, f64)) -> Option<Guess> {
    let known = ["device_id", "camera_id", "component_id"]
        .iter()
        .find_map(|field| desk.setup.intake.surveyed(value[*field].as_str()?))?;
    let given = location["crs"].as_str().and_then(|crs| crs.parse().ok());
    let configured = desk
        .configured(value["source_system"].as_str())
        .map_or(Crs::Wgs84, |source| source.crs);
    let taken = given.unwrap_or(configured);
    let off_m = |system: Crs| {
        let (lon, lat) = crs::to_wgs84(system, x, y)?;
        Some(metres(known, Position::from_degrees(lon, lat)?))
    };
    let now_m = off_m(taken).filter(|off| *off > FAR_M)?;
    let (better, better_m) = [Crs::Wgs84, Crs::Gcj02, Crs::Bd09, Crs::Sh2000]
        .into_iter()
        .filter(|system| *system != taken)
        .filter_map(|system| Some((system, off_m(system)?)))
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    (better_m < NEAR_M && better_m < now_m / 3.0).then(|| {
        Guess::new(
            format!("the coordinates are {better}, not {taken}"),
            format!("So the registry says, which is {FAR_M} m and more away otherwise. Set crs = \"{better}\" under [sources.NAME]."),
        )
    })
}

fn metres(from: Position, to: Position) -> f64 {
    let point = Plane::at(from).project(to);
    (point.x as f64).hypot(point.y as f64) / 1_000.0
}

/// A value that cannot be in the unit that it came with.
fn unit(desk: &Desk<'_>, value: &Value, at: EventTime) -> Option<Guess> {
    let is_impossible = |value: &Value| match desk.probe(Source::Sensor, value, at) {
        Ok(verdict) => match (&verdict.result, verdict.faults.first()) {
            (Decision::Refused(refusal), _) => refusal.detail.starts_with("unit:"),
            (_, Some(fault)) => matches!(fault.fault, Fault::OutOfRange | Fault::UnitSuspected),
            _ => false,
        },
        Err(_) => false,
    };
    if !is_impossible(value) {
        return None;
    }
    let possible: Vec<&str> = UNITS
        .into_iter()
        .filter(|unit| {
            let mut changed = value.clone();
            changed["unit"] = json!(unit);
            !is_impossible(&changed)
        })
        .collect();
    let own = desk.setup.rules.metric(value["metric"].as_str()?)?.unit.clone();
    (!possible.is_empty()).then(|| {
        Guess::new(
            format!("the value is possible in {} only", possible.join(" or ")),
            match value.get("unit").is_some_and(|unit| !unit.is_null()) {
                true => "The unit that it names is another; name the one that it is in.".to_owned(),
                false => format!("Name the unit; a value without one is read in {own}."),
            },
        )
    })
}

/// Seconds for milliseconds, and times that are off by the zone.
fn clock(desk: &Desk<'_>, source: Source, value: &Value) -> Option<Guess> {
    let field = time_field(source);
    let own = value.get(field)?;
    let figures = own
        .as_i64()
        .or_else(|| own.as_str().filter(|text| text.len() != 14)?.parse().ok());
    match figures {
        Some(1_000_000_000..=9_999_999_999) => {
            return Some(Guess::new(
                format!("{field} is in seconds"),
                "Send epoch milliseconds, or RFC 3339.",
            ));
        }
        Some(1_000_000_000_000_000..) => {
            return Some(Guess::new(
                format!("{field} is finer than milliseconds"),
                "Send epoch milliseconds, or RFC 3339.",
            ));
        }
        _ => {}
    }
    let own = desk.time(own)?;
    let reported = value.get("reported_at").and_then(|reported| desk.time(reported));
    let ahead_ms = own - reported.unwrap_or(desk.now);
    let is_zone = (ahead_ms.saturating_abs() - ZONE_MS).abs() <= CLOCK_MS;
    if ahead_ms > 0 && (is_zone || reported.is_none() && (CLOCK_MS..=ZONE_MS).contains(&ahead_ms)) {
        return Some(Guess::new(
            format!("{field} is up to 8 h ahead"),
            "Local time may be labelled as UTC: send +08:00, or no zone at all, instead of Z.",
        ));
    }
    (is_zone && reported.is_some()).then(|| {
        Guess::new(
            format!("{field} is 8 h behind reported_at"),
            "UTC may be sent without a zone: add Z, for a time without a zone is the city's.",
        )
    })
}
