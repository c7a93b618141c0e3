//! A calm hour, a storm of ten minutes, and calm again: gauges, crowds of callers, cameras that repeat themselves, and now and
//! then something that kills.

use serde_json::{Value, json};
use wire_format::Topic;

/// 2026-09-08 12:00 in Shanghai.
pub(crate) const NOON: i64 = 1_788_840_000_000;
const MINUTE: i64 = 60_000;
/// The storm begins so long after noon.
pub(crate) const CALM_MS: i64 = 30 * MINUTE;
/// It lasts so long.
pub(crate) const STORM_MS: i64 = 10 * MINUTE;
/// After it, calm for so long: until what the storm said is settled.
const AFTER_MS: i64 = 45 * MINUTE;
/// A record in so many milliseconds on an ordinary day: 600 an hour, a town's.
const USUAL_MS: i64 = 6_000;
/// How much more comes in the storm.
const TIMES: i64 = 100;
/// What kills happens so often in the storm, each time elsewhere.
const PROBE_MS: i64 = 10_000;

/// Trees, cameras, streets, the outage, and what kills: more troubles than these there are not.
pub(crate) const TROUBLES: usize = 1_200 + 60 + 40 + 1 + (STORM_MS / PROBE_MS) as usize;

/// A record as a topic has it.
pub(crate) struct Told {
    /// Its append time.
    pub(crate) at: i64,
    pub(crate) topic: Topic,
    pub(crate) value: String,
}

/// A spot of the city by its number: 300 m from the next.
fn spot(number: i64) -> (f64, f64) {
    let (column, row) = (number % 40, number / 40);
    (121.15 + column as f64 * 0.00315, 31.00 + row as f64 * 0.0027)
}

fn near(number: i64, draw: i64) -> Value {
    let (x, y) = spot(number);
    let off = |salt: i64| ((draw * salt) % 101 - 50) as f64 * 1e-6;
    json!({"x": x + off(37), "y": y + off(53), "quality": "DOOR"})
}

/// The number-th record of the day; every kind of source takes its turn.
fn record(number: i64, at: i64) -> Told {
    let draw = (number * 7_919) % 1_000_003;
    let id = format!("e{number}");
    let told = |topic, value: Value| Told {
        at,
        topic,
        value: value.to_string(),
    };
    let reading = |device: String, metric: &str, value: f64, place: Value| {
        json!({"event_id": id, "source_system": "iot", "device_id": device, "metric": metric, "value": value,
            "observed_at": at, "location": place})
    };
    let call = |title: &str, place: Value, typed_for: i64| {
        json!({"event_id": id, "source_system": "12345", "ticket_id": id, "title": title, "called_at": at - typed_for,
            "location": place, "reporter_phone": format!("138{:08}", draw)})
    };
    match number % 20 {
        // Gauges, most of them dry.
        0..=10 => {
            let gauge = draw % 400;
            let depth = if gauge % 10 == 0 {
                16.0 + (draw % 8) as f64
            } else {
                (draw % 5) as f64
            };
            told(
                Topic::Sensor,
                reading(format!("pond-{gauge}"), "ponding_depth", depth, near(gauge, 0)),
            )
        }
        // Everybody calls about a few flooded streets, and about one outage.
        11..=12 => told(
            Topic::Hotline,
            call("道路积水", near(draw % 40 * 10, draw), (draw % 180) * 1_000),
        ),
        13 => told(
            Topic::Hotline,
            call("小区停电", near(1_000, draw), (draw % 180) * 1_000),
        ),
        // Cameras repeat themselves.
        14..=17 => {
            let camera = draw % 60;
            let value = json!({"event_id": id, "source_system": "video", "camera_id": format!("cam-{camera}"), "alert_code": "640",
                "code_system": "EVENTSORT", "confidence": 0.8, "phase": "ONGOING", "captured_at": at, "location": near(500 + camera, 0)});
            told(Topic::Video, value)
        }
        // Trees fall all over the city.
        _ => {
            let value = json!({"event_id": id, "source_system": "inspector-app", "channel": "inspector", "report_id": id,
                "category": ["行道树"], "observed_at": at - (draw % 600) * 1_000, "location": near(draw % 1_200, draw)});
            told(Topic::Report, value)
        }
    }
}

/// Gas more than a kilometre from any other; and a gauge among those that everybody calls about, whose street becomes a danger.
fn probe(number: i64, at: i64) -> [Told; 2] {
    let told = |id: String, device: String, metric: &str, value: f64, place: Value| {
        let value = json!({"event_id": id, "source_system": "iot", "device_id": device, "metric": metric, "value": value,
            "observed_at": at, "location": place});
        Told {
            at,
            topic: Topic::Sensor,
            value: value.to_string(),
        }
    };
    [
        told(
            format!("gas-{number}"),
            format!("ch4-{number}"),
            "ch4",
            30.0,
            near(number / 10 * 200 + number % 10 * 4, 0),
        ),
        told(
            format!("deep-{number}"),
            format!("deep-{number}"),
            "ponding_depth",
            40.0,
            near(number % 40 * 10, 1),
        ),
    ]
}

/// All of it, by append time.
pub(crate) fn day() -> Vec<Told> {
    let (mut records, mut at, mut number) = (Vec::new(), 0, 0);
    while at < CALM_MS + STORM_MS + AFTER_MS {
        let storm = (CALM_MS..CALM_MS + STORM_MS).contains(&at);
        records.push(record(number, NOON + at));
        if storm && at % PROBE_MS < USUAL_MS / TIMES {
            records.extend(probe((at - CALM_MS) / PROBE_MS, NOON + at));
        }
        number += 1;
        at += if storm { USUAL_MS / TIMES } else { USUAL_MS };
    }
    records
}
