//! Devices over time: each rule of how they are watched as a table of readings and what becomes of them.
#![allow(clippy::unwrap_used)]

mod desk;

use std::sync::Arc;

use city_model::{EventTime, Source};
use city_rules::Rules;
use desk::{Desk, NOW, config, sensor, video, with};
use event_intake::{Intake, IntakeConfig, IntakeRow, IntakeState, SourceConfig};
use serde_json::{Value, json};

/// A desk with rules on top of the built-in ones.
fn desk(rules: &str) -> Desk {
    let rules = Rules::load(&[("city.toml".into(), rules.into())]).unwrap();
    Desk {
        intake: Intake::new(IntakeConfig {
            rules: Arc::new(rules),
            ..config()
        }),
        ..Desk::new()
    }
}

/// Seconds at which a reading is taken and appended, what it says, and what becomes of it.
type Row = (i64, Value, &'static str);

/// Readings at one desk, each with an id of its own: "e0", "e1" and so on. Only the outcome's words up to the first
/// place are compared, and what follows it of faults and released records.
fn check(desk: &mut Desk, rows: &[Row]) {
    for (at, (second, change, expected)) in rows.iter().enumerate() {
        desk.now = NOW + second * 1_000;
        let base = with(
            &sensor(),
            json!({"event_id": format!("e{at}"), "observed_at": desk.now}),
        );
        let told = desk.tell(Source::Sensor, &with(&base, change.clone()));
        assert_eq!(short(&told), *expected, "row {at}: {change} told {told}");
    }
}

/// "report road_ponding COMPONENT±5m c6 18000 on c-1 near school fault=x" as "report c6 fault=x".
fn short(told: &str) -> String {
    let words = told.split(' ').collect::<Vec<_>>();
    let is_credibility = |word: &str| word.strip_prefix('c').is_some_and(|n| n.parse::<u8>().is_ok());
    let Some(credibility) = words.iter().position(|word| is_credibility(word)) else {
        return told.to_owned();
    };
    let verb = words.iter().take_while(|word| !word.contains('_')).copied();
    let rest = words
        .iter()
        .skip_while(|word| !word.starts_with("fault=") && **word != "and")
        .copied();
    verb.chain([words[credibility]])
        .chain(rest)
        .collect::<Vec<_>>()
        .join(" ")
}

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

#[test]
fn an_alarm_waits_for_its_second_reading() {
    let mut desk = desk("[metrics.ponding_depth]\nconfirm = 2\nconfirm_for = \"30s\"\n");
    let rows: &[Row] = &[
        (0, json!({"value": 18}), "pending"),
        // Between the two thresholds it is neither confirmed nor over.
        (10, json!({"value": 13}), "below_threshold"),
        (20, json!({"value": 18}), "pending"),
        (20, json!({"value": 18, "event_id": "e2"}), "duplicate_id"),
        (31, json!({"value": 18}), "report c6 and e0 report and e2 report"),
        (40, json!({"value": 18}), "report c6"),
        (50, json!({"value": 1}), "clear c6"),
        // A leaf: up once and down again.
        (60, json!({"value": 18}), "pending"),
        (70, json!({"value": 1}), "below_threshold and e7 below_threshold"),
        // The device's own word needs no other.
        (80, json!({"value": 18}), "pending"),
        (90, json!({"value": 18, "alarm": true}), "report c6 and e9 report"),
        (95, json!({"value": 1}), "clear c6"),
        // Too long apart; another device's reading notices that nobody confirmed the first.
        (100, json!({"value": 18}), "pending"),
        (
            100 + 11 * MINUTE,
            json!({"value": 18}),
            "pending and e12 below_threshold",
        ),
        (
            100 + 22 * MINUTE,
            json!({"value": 1, "device_id": "pole"}),
            "below_threshold and e13 below_threshold",
        ),
    ];
    check(&mut desk, rows);
}

/// A warning of the whole city from `from` to `until`, in seconds; changed by `with`.
fn warning(from: i64, until: i64, change: Value) -> Value {
    let at = |second: i64| NOW + second * 1_000;
    let base = json!({"warning_id": "w1", "revision": 1, "signal": "RAINSTORM", "severity": "ORANGE", "region_codes": ["310117"],
        "status": "ISSUED", "issued_at": at(from), "effective_at": at(from), "expires_at": at(until)});
    with(&base, change)
}

/// Tells the desk of a warning `second` seconds from now.
fn warn(desk: &mut Desk, second: i64, warning: &Value) {
    desk.now = NOW + second * 1_000;
    let told = desk.tell(Source::Weather, warning);
    assert!(told.starts_with("warning "), "{told}");
}

const TWO: &str = "[metrics.ponding_depth]\nconfirm = 2\nconfirm_for = \"30s\"\n";

/// What one reading in alarm becomes 100 s from now, after these warnings were told at their second.
fn first_alarm(rules: &str, warnings: &[(i64, Value)], change: Value) -> String {
    let mut desk = desk(rules);
    for (second, warning) in warnings {
        warn(&mut desk, *second, warning);
    }
    desk.now = NOW + 100_000;
    let reading = with(
        &sensor(),
        json!({"event_id": "e0", "value": 18, "observed_at": desk.now}),
    );
    short(&desk.tell(Source::Sensor, &with(&reading, change)))
}

#[test]
fn under_a_severe_warning_one_reading_is_enough() {
    let told = |warnings: &[(i64, Value)]| first_alarm(TWO, warnings, json!({}));
    let one = |change: Value| told(&[(0, warning(0, 3_600, change))]);
    assert_eq!(told(&[]), "pending");
    assert_eq!(one(json!({})), "report c6");
    assert_eq!(one(json!({"severity": "RED"})), "report c6");
    assert_eq!(one(json!({"severity": "YELLOW"})), "pending");
    assert_eq!(one(json!({"signal": "HEAT"})), "pending");
    assert_eq!(one(json!({"region_codes": ["310112"]})), "pending");
    assert_eq!(one(json!({"region_codes": ["310112", "3101"]})), "report c6");
    // From its first moment on, and no longer in its last.
    let from = |from: i64, until: i64| told(&[(0, warning(from, until, json!({})))]);
    assert_eq!([from(100, 200), from(101, 200)], ["report c6", "pending"]);
    assert_eq!(
        [from(0, 101), from(0, 100)],
        ["report c6", "pending"],
        "no aftermath"
    );
    // It counts when it was appended, not when it was read.
    assert_eq!(told(&[(99, warning(0, 200, json!({})))]), "report c6");
    assert_eq!(told(&[(100, warning(0, 200, json!({})))]), "pending");
    // The rules may say from which severity on, or never.
    let rules = |text: &str| format!("{TWO}[weather.storm]\n{text}\n");
    let yellow = [(0, warning(0, 200, json!({"severity": "YELLOW"})))];
    assert_eq!(
        first_alarm(&rules("confirm_at = \"YELLOW\""), &yellow, json!({})),
        "report c6"
    );
    assert_eq!(
        first_alarm(
            &rules("confirm_at = \"RED\""),
            &[(0, warning(0, 200, json!({})))],
            json!({})
        ),
        "pending"
    );
    // Smoke does not mind the weather; and a gauge that nobody can place has none.
    let smoke = "[metrics.smoke]\nconfirm = 2\n";
    let orange = [(0, warning(0, 200, json!({})))];
    let reading = json!({"metric": "smoke", "value": 1});
    assert_eq!(first_alarm(smoke, &orange, reading), "pending");
    assert_eq!(
        first_alarm(TWO, &orange, json!({"device_id": "unknown"})),
        "pending"
    );
}

#[test]
fn revisions_and_cancellations_count_from_when_they_hold() {
    let told = |warnings: &[(i64, Value)]| first_alarm(TWO, warnings, json!({}));
    let first = warning(0, 3_600, json!({}));
    let second = |from: i64, change: Value| with(&warning(from, 3_600, json!({"revision": 2})), change);
    let (yellow, cancelled) = (json!({"severity": "YELLOW"}), json!({"status": "CANCELLED"}));
    assert_eq!(
        told(&[(0, first.clone()), (50, second(50, yellow.clone()))]),
        "pending"
    );
    assert_eq!(
        told(&[(0, first.clone()), (50, second(101, yellow))]),
        "report c6"
    );
    assert_eq!(
        told(&[(0, first.clone()), (50, second(50, cancelled.clone()))]),
        "pending"
    );
    assert_eq!(
        told(&[(0, first.clone()), (50, second(101, cancelled))]),
        "report c6"
    );
    // An old revision that comes behind a newer one is refused, and nothing here.
    let blue = second(50, json!({"severity": "BLUE"}));
    assert_eq!(told(&[(50, blue), (60, first.clone())]), "pending");
    // What waited before the storm is confirmed by the first reading in it.
    let mut desk = desk(TWO);
    check(
        &mut desk,
        &[(0, json!({"value": 18, "event_id": "before"}), "pending")],
    );
    warn(&mut desk, 5, &warning(5, 3_600, json!({})));
    let rows: &[Row] = &[
        (10, json!({"value": 18}), "report c6 and before report"),
        (20, json!({"value": 1}), "clear c6"),
        (30, json!({"value": 18}), "report c6"),
    ];
    check(&mut desk, rows);
}

#[test]
fn so_many_alarms_are_confirmation_enough() {
    let mut desk = desk("[metrics.ponding_depth]\nconfirm_for = \"1h\"\nconfirm_within = \"2h\"\n");
    let mut rows: Vec<Row> = (0..8).map(|at| (at, json!({"value": 18}), "pending")).collect();
    let all = "report c6 and e0 report and e1 report and e2 report and e3 report and e4 report and e5 report \
               and e6 report and e7 report";
    rows.push((9, json!({"value": 18}), all));
    check(&mut desk, &rows);
}

#[test]
fn a_fast_rise_is_an_alarm_below_the_threshold() {
    let mut desk = desk("[metrics.ponding_depth]\nrise = { by = 5, within = \"10m\" }\n");
    let rows: &[Row] = &[
        (0, json!({"value": 1}), "below_threshold"),
        (6 * MINUTE, json!({"value": 3}), "below_threshold"),
        (9 * MINUTE, json!({"value": 6.5}), "report c6"),
        // No longer within ten minutes of the 1 cm, but of the 3 cm.
        (13 * MINUTE, json!({"value": 8}), "report c6"),
        (26 * MINUTE, json!({"value": 8}), "clear c6"),
        // Slowly: 5 cm in half an hour.
        (40 * MINUTE, json!({"value": 10}), "below_threshold"),
        (55 * MINUTE, json!({"value": 13}), "below_threshold"),
        // A reading from before says nothing about now.
        (
            56 * MINUTE,
            json!({"value": 1, "observed_at": NOW + 2 * 60_000}),
            "below_threshold",
        ),
        (57 * MINUTE, json!({"value": 14}), "below_threshold"),
    ];
    check(&mut desk, rows);
}

#[test]
fn pressure_that_drops_rises_towards_its_alarm() {
    let mut desk = desk("[metrics.hydrant_pressure]\nrise = { by = 0.1, within = \"10m\" }\n");
    let at = |value: f64| json!({"metric": "hydrant_pressure", "value": value});
    let rows: &[Row] = &[
        (0, at(0.30), "below_threshold"),
        (60, at(0.36), "below_threshold"),
        (120, at(0.20), "report c6"),
    ];
    check(&mut desk, rows);
}

#[test]
fn a_device_that_flaps_is_told_once_and_its_clears_are_not_believed() {
    let mut desk = desk("[metrics.ponding_depth]\nflap = { times = 3, within = \"1h\" }\n");
    let (wet, dry) = (json!({"value": 18}), json!({"value": 1}));
    let rows: &[Row] = &[
        (0, wet.clone(), "report c6"),
        (5 * MINUTE, dry.clone(), "clear c6"),
        (10 * MINUTE, wet.clone(), "report c6"),
        (15 * MINUTE, dry.clone(), "clear c6"),
        (20 * MINUTE, wet.clone(), "report c1 fault=flapping"),
        (25 * MINUTE, dry.clone(), "below_threshold"),
        (30 * MINUTE, wet.clone(), "report c1"),
        (35 * MINUTE, dry.clone(), "below_threshold"),
        // Calm for an hour.
        (100 * MINUTE, wet, "report c6"),
        (105 * MINUTE, dry, "clear c6"),
    ];
    check(&mut desk, rows);
}

#[test]
fn a_flat_line_is_a_fault_but_not_at_rest() {
    let mut desk = desk("[metrics.ponding_depth]\nflat = { readings = 3, over = \"2h\", above = 2 }\n");
    let at = |value: f64| json!({"value": value});
    let rows: &[Row] = &[
        (0, at(5.0), "below_threshold"),
        (HOUR, at(5.0), "below_threshold"),
        (2 * HOUR, at(5.0), "device_fault fault=flat_line"),
        (2 * HOUR + 1, at(5.0), "device_fault"),
        (2 * HOUR + 2, json!({"value": 5, "alarm": true}), "report c1"),
        (2 * HOUR + 3, json!({"value": 5.1, "alarm": false}), "clear c6"),
        (3 * HOUR, at(5.0), "below_threshold"),
        (9 * HOUR, at(0.0), "below_threshold"),
        (19 * HOUR, at(0.0), "below_threshold"),
        (29 * HOUR, at(0.0), "below_threshold"),
    ];
    check(&mut desk, rows);
}

#[test]
fn units_are_mended_where_that_is_configured_and_flagged_elsewhere() {
    let at = |value: f64| json!({"metric": "hydrant_pressure", "value": value});
    let rows: &[Row] = &[
        (0, at(300.0), "device_fault fault=unit_suspected"),
        (1, at(300.0), "device_fault"),
        (2, at(30_000.0), "device_fault fault=out_of_range"),
        (3, at(-999.0), "device_fault fault=sentinel"),
        (HOUR, at(300.0), "device_fault fault=unit_suspected"),
    ];
    check(&mut desk(""), rows);
    let rows: &[Row] = &[
        (0, at(300.0), "below_threshold fault=unit_suspected"),
        (1, at(120.0), "report c6"),
        (2, at(30_000.0), "device_fault fault=out_of_range"),
    ];
    check(&mut desk("[metrics.hydrant_pressure]\nmend_units = true\n"), rows);
}

#[test]
fn what_a_device_says_of_itself_is_a_fault_and_no_incident() {
    let battery = |value: i64| json!({"metric": "battery", "value": value});
    let at = |metric: &str, value: bool| json!({"metric": metric, "value": value});
    let rows: &[Row] = &[
        (0, battery(80), "below_threshold"),
        (1, battery(15), "device_fault fault=low_battery"),
        (2, battery(22), "device_fault"),
        (3, battery(30), "below_threshold"),
        (4, at("offline", true), "device_fault fault=offline"),
        (5, at("offline", false), "below_threshold"),
        (6, at("maintenance", true), "device_fault fault=maintenance"),
        (7, at("smoke", true), "silenced"),
        (8, at("maintenance", false), "below_threshold"),
        (9, at("smoke", true), "report c6"),
        // Forgotten to say that the test is over.
        (10, at("maintenance", true), "device_fault"),
        (11, at("smoke", true), "silenced"),
        (9 * HOUR, at("smoke", true), "report c6"),
    ];
    check(&mut desk(""), rows);
}

#[test]
fn a_frame_under_two_ids_is_one_where_that_is_configured() {
    let frame = json!({"value": 18, "observed_at": NOW});
    let rows = |second: &'static str| {
        vec![
            (0, frame.clone(), "report c6"),
            (1, frame.clone(), second),
            (2, json!({"value": 19, "observed_at": NOW}), "report c6"),
        ]
    };
    check(&mut desk(""), &rows("report c6"));
    check(
        &mut desk("[metrics.ponding_depth]\nunique_frames = true\n"),
        &rows("device_fault fault=duplicate_frame"),
    );
}

#[test]
fn a_burst_of_old_readings_moves_nothing() {
    let ago = |seconds: i64, value: i64| json!({"value": value, "observed_at": NOW - seconds * 1_000});
    let rows: &[Row] = &[
        (0, json!({"value": 18}), "report c6"),
        (10, json!({"value": 1}), "clear c6"),
        // From before the end: to the incident while it is open, too late afterwards.
        (20, ago(60, 18), "report c6"),
        (21, ago(50, 1), "below_threshold"),
        (11 * MINUTE, ago(40, 18), "late report c6"),
        // Nor does it make the next quiet reading an end.
        (12 * MINUTE, json!({"value": 1}), "below_threshold"),
        // Older than anything that is judged: the correlator records it as late.
        (13 * MINUTE, ago(80 * HOUR, 18), "report c6"),
        (14 * MINUTE, json!({"value": 1}), "below_threshold"),
        (15 * MINUTE, json!({"value": 18}), "report c6"),
        // And it ends no alarm.
        (16 * MINUTE, ago(80 * HOUR, 1), "below_threshold"),
        (17 * MINUTE, ago(60, 1), "below_threshold"),
        (18 * MINUTE, json!({"value": 1}), "clear c6"),
    ];
    check(&mut desk(""), rows);
}

#[test]
fn silence_makes_a_registered_device_offline_once() {
    let quiet = |device: &str| json!({"value": 1, "device_id": device});
    let mut desk = desk("[metrics.ponding_depth]\ninterval = \"10m\"\n");
    let rows: &[Row] = &[
        (0, quiet("gauge"), "below_threshold"),
        (0, quiet("unregistered"), "below_threshold"),
        (1, quiet("pole"), "below_threshold"),
        // Three intervals, and half of that for what is not written down.
        (44 * MINUTE, quiet("pole"), "below_threshold"),
        (
            46 * MINUTE,
            quiet("pole"),
            "below_threshold fault=offline of gauge",
        ),
        (47 * MINUTE, quiet("pole"), "below_threshold"),
        (48 * MINUTE, quiet("gauge"), "below_threshold fault=back_online"),
        (49 * MINUTE, quiet("gauge"), "below_threshold"),
        // An outage of everything: the first to be heard notices the other.
        (
            100 * HOUR,
            quiet("pole"),
            "below_threshold fault=offline of gauge",
        ),
    ];
    check(&mut desk, rows);
    assert_eq!(desk.state.devices(), 3);
    check(
        &mut desk,
        &[(100 * HOUR + 31 * 24 * HOUR, quiet("pole"), "below_threshold")],
    );
    assert_eq!(desk.state.devices(), 1, "forgotten after 30 days");
}

#[test]
fn a_device_is_forgotten_whole() {
    let mut desk = desk("[metrics.ponding_depth]\nconfirm = 2\nflap = { times = 3, within = \"1h\" }\n");
    for (at, value) in [18, 18, 1, -999, 18].into_iter().enumerate() {
        let record = with(
            &sensor(),
            json!({"event_id": format!("x{at}"), "device_id": "odd", "value": value}),
        );
        desk.tell(Source::Sensor, &record);
    }
    assert!(
        desk.log.values().filter(|row| row.is_some()).count() > 6,
        "{:?}",
        desk.log
    );
    let month = 31 * 24 * HOUR;
    let rows: &[Row] = &[(
        month,
        json!({"value": 1}),
        "below_threshold and x4 below_threshold",
    )];
    check(&mut desk, rows);
    check(&mut desk, &[(month + 1, json!({"value": 1}), "below_threshold")]);
    let left: Vec<&String> = desk
        .log
        .iter()
        .filter(|(key, row)| row.is_some() && key.contains("odd"))
        .map(|(key, _)| key)
        .collect();
    assert_eq!(left, Vec::<&String>::new());
    assert_eq!(desk.state.devices(), 1, "that which was heard last");
}

#[test]
fn quiet_readings_write_nothing_but_once_an_hour() {
    let mut desk = desk("");
    let mut writes = Vec::new();
    for minute in 0..150 {
        desk.now = NOW + minute * 60_000;
        let record = with(
            &sensor(),
            json!({"event_id": format!("e{minute}"), "observed_at": desk.now}),
        );
        let verdict = desk.judge(Source::Sensor, &record);
        assert_eq!(verdict.faults.capacity(), 0);
        if verdict.rows.capacity() > 0 {
            writes.push((minute, verdict.rows.len()));
        }
        for row in &verdict.rows {
            desk.state.apply(row);
        }
    }
    assert_eq!(
        writes,
        [(0, 2), (60, 1), (120, 1)],
        "that it was heard, and that it was quiet"
    );
    assert_eq!(desk.state.devices(), 1);
}

#[test]
fn an_alarm_behind_newer_quiet_readings_begins_nothing() {
    let at = |hour: i64, value: i64| json!({"observed_at": NOW + hour * HOUR * 1_000, "value": value});
    check(
        &mut desk(""),
        &[
            (0, at(0, 3), "below_threshold"),
            (10 * HOUR, at(10, 3), "below_threshold"),
            (10 * HOUR + MINUTE, at(1, 20), "late report c6"),
            (10 * HOUR + 2 * MINUTE, at(9, 20), "late report c6"),
            // A newer one begins, and whatever is not older than what is known to be quiet.
            (10 * HOUR + 3 * MINUTE, at(10, 20), "report c6"),
        ],
    );
    // Of a device that was never heard to be quiet an old alarm is news.
    check(&mut desk(""), &[(10 * HOUR, at(1, 20), "report c6")]);
}

#[test]
fn a_zone_error_is_mended_where_that_is_configured() {
    let mut config = config();
    config.sources.insert(
        "eastern".into(),
        SourceConfig {
            crs: city_grid::Crs::Wgs84,
            code_system: None,
            fix_zone: true,
        },
    );
    let intake = Intake::new(config);
    let check = |system: &str, skew_s: i64, expected: &str| {
        let mut desk = Desk {
            intake: intake.clone(),
            ..Desk::new()
        };
        let record = json!({"source_system": system, "value": 18, "observed_at": NOW + skew_s * 1_000});
        let verdict = desk.judge(Source::Sensor, &with(&sensor(), record));
        let event_intake::Decision::Event(event) = verdict.result else {
            panic!("{:?}", verdict.result)
        };
        let flags: Vec<&str> = event.flags.iter().map(|flag| flag.as_str()).collect();
        let seconds = (event.event_time - EventTime::from_millis(NOW)) / 1_000;
        assert_eq!(
            format!("{seconds} {}", flags.join(" ")).trim_end(),
            expected,
            "{system} {skew_s}"
        );
    };
    check("s", 8 * HOUR - 60, "0 clock_future zone_suspected suspect");
    check("s", 60 - 8 * HOUR, "-28740 zone_suspected");
    check("eastern", 8 * HOUR - 60, "-60 zone_suspected");
    check("eastern", 60 - 8 * HOUR, "60 zone_suspected");
    check("eastern", 2 * 24 * HOUR, "0 clock_future suspect");
    check("eastern", -60, "-60");
}

#[test]
fn an_algorithm_is_believed_as_far_as_the_rules_say() {
    let rules = "[video.algorithms.\"Vendor/Street\"]\naccept = 0.6\nsure = 0.85\nreach = 25\n\
                 [video.algorithms.\"Vendor/Street\".versions.\"3.2\"]\naccept = 0.5\n";
    let say = |algorithm: Value, confidence: f64, phase: &str| {
        let alert = json!({"algorithm": algorithm, "confidence": confidence, "phase": phase});
        desk(rules).tell(Source::Video, &with(&video(), alert))
    };
    let of = |version: &str| json!({"vendor": "VENDOR", "name": "street", "version": version});
    let other = json!({"vendor": "vendor", "name": "other"});
    for (algorithm, confidence, phase, expected) in [
        (of("1"), 0.59, "START", "below_threshold"),
        (
            of("1"),
            0.6,
            "START",
            "report road_ponding or underpass_flood POI±25m c2",
        ),
        (
            of("1"),
            0.85,
            "ONGOING",
            "report road_ponding or underpass_flood POI±25m c4",
        ),
        (
            of("1"),
            0.1,
            "END",
            "clear road_ponding or underpass_flood POI±25m c2",
        ),
        (
            of("3.2"),
            0.55,
            "START",
            "report road_ponding or underpass_flood POI±25m c2",
        ),
        (of("3.2"), 0.49, "START", "below_threshold"),
        (
            other.clone(),
            0.1,
            "START",
            "report road_ponding or underpass_flood POI±60m c2",
        ),
        (
            other,
            0.9,
            "START",
            "report road_ponding or underpass_flood POI±60m c4",
        ),
        (
            Value::Null,
            0.1,
            "START",
            "report road_ponding or underpass_flood POI±60m c2",
        ),
    ] {
        assert_eq!(
            say(algorithm.clone(), confidence, phase),
            expected,
            "{algorithm} {confidence} {phase}"
        );
    }
}

/// Rows as the version before this one wrote them.
#[test]
fn old_rows_restore() {
    let rows = [
        (
            r#"["alarm","s","gauge","ponding_depth"]"#,
            r#"{"at":1788739199123}"#,
        ),
        (r#"["seen","s","gauge","7"]"#, "[71,42]"),
        (r#"["told","s","gauge",""]"#, r#"["clock_unset",1788739199123]"#),
        (r#"["settled","s","T1",""]"#, "1788739199123"),
        (
            r#"["ticket","s","T1",""]"#,
            r#"{"group":"road_ponding","kind":"road_ponding","at":1788739199123}"#,
        ),
    ];
    let mut state = IntakeState::default();
    for (key, value) in rows {
        let row = IntakeRow::restore(key, Some(value)).unwrap();
        assert_eq!(row.value().as_deref(), Some(value), "{key}");
        state.apply(&row);
    }
    let mut desk = Desk { state, ..desk("") };
    desk.log = rows
        .map(|(key, value)| (key.to_owned(), Some(value.to_owned())))
        .into();
    let rows: &[Row] = &[
        // It alarms already, and its unset clock was told.
        (60, json!({"value": 13}), "report c6"),
        (61, json!({"value": 13, "observed_at": 0}), "report c1"),
        (62, json!({"value": 1}), "clear c6"),
    ];
    check(&mut desk, rows);
}

#[test]
fn an_alarm_that_comes_shortly_behind_a_quiet_reading_is_no_history() {
    let at = |minute: i64, value: i64| json!({"value": value, "observed_at": NOW + minute * MINUTE * 1_000});
    // A clock that was four minutes fast and is set right; then one that went back by half an hour, as after what was kept.
    check(
        &mut Desk::new(),
        &[
            (0, at(4, 2), "below_threshold"),
            (MINUTE, at(1, 40), "report c6"),
            (2 * MINUTE, at(2, 45), "report c6"),
        ],
    );
    check(
        &mut Desk::new(),
        &[
            (40 * MINUTE, at(40, 2), "below_threshold"),
            (40 * MINUTE + 1, at(39, 40), "report c6"),
        ],
    );
    check(
        &mut Desk::new(),
        &[
            (40 * MINUTE, at(40, 2), "below_threshold"),
            (40 * MINUTE + 1, at(20, 40), "late report c6"),
        ],
    );
}

#[test]
fn what_a_device_says_by_two_metrics_is_over_when_both_are() {
    let arc = |value: i64| json!({"metric": "arc_fault", "value": value});
    let current = |value: i64| json!({"metric": "residual_current", "value": value});
    check(
        &mut Desk::new(),
        &[
            (0, arc(1), "report c6"),
            (MINUTE, current(800), "report c6"),
            (2 * MINUTE, current(10), "below_threshold"),
            (3 * MINUTE, arc(0), "clear c6"),
        ],
    );
    // Of another kind of trouble each says its own.
    check(
        &mut Desk::new(),
        &[
            (0, arc(1), "report c6"),
            (MINUTE, json!({"value": 40}), "report c6"),
            (2 * MINUTE, json!({"value": 1}), "clear c6"),
        ],
    );
}

#[test]
fn gas_that_may_explode_is_no_broken_sensor() {
    for (value, unit) in [(6, "%VOL"), (100, "%VOL"), (60_000, "ppm"), (110, "%LEL")] {
        let gas = json!({"metric": "ch4", "value": value, "unit": unit});
        check(&mut Desk::new(), &[(0, gas, "report c6")]);
    }
    let broken = json!({"metric": "ch4", "value": 101, "unit": "%VOL"});
    check(
        &mut Desk::new(),
        &[(0, broken, "device_fault fault=out_of_range")],
    );
}
