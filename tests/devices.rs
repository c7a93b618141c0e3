//! Devices as an outsider sees them: cameras that repeat themselves, clocks that are wrong, alarms that wait, devices that
//! flap; every record accounted for.
#![allow(clippy::unwrap_used)]

mod city;

use city::folder::Folder;
use city::output::INPUTS;
use city::output::Replayed;
use serde::Deserialize;
use serde_json::{Value, json};

/// 2026-09-08 08:00 in Shanghai, a Tuesday.
const START: i64 = 1_788_825_600_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn reading(id: &str, at: i64, value: f64) -> Value {
    json!({"event_id": id, "source_system": "iot", "device_id": "W-17", "metric": "ponding_depth", "value": value,
        "unit": "cm", "observed_at": at, "reported_at": at, "location": {"x": 121.22, "y": 31.03}})
}

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// Replays these files under these rules.
fn replay(rules: &str, files: &[(&str, &[Value])]) -> (Folder, Replayed) {
    let folder = Folder::new("[city]\ncode = \"310117\"\n[rules]\nfiles = [\"rules.toml\"]\n");
    folder.write("rules.toml", rules);
    for file in INPUTS {
        folder.write(&format!("in/{file}"), "");
    }
    for (file, records) in files {
        folder.write(&format!("in/{file}"), lines(records));
    }
    let replayed = folder.replayed();
    (folder, replayed)
}

fn told(replayed: &Replayed, id: &str) -> Vec<String> {
    let lines = replayed.lines("outcomes.ndjson");
    let own = lines.iter().filter(|line| line["event_id"] == id);
    own.map(|line| line["outcome"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_camera_that_repeats_itself_for_two_hours_is_one_event() {
    let alert = |id: String, at: i64, phase: &str| {
        json!({"event_id": id, "source_system": "video", "camera_id": "cam-1", "alert_code": "640", "phase": phase,
            "code_system": "EVENTSORT", "confidence": 0.8, "captured_at": at, "reported_at": at,
            "location": {"x": 121.22, "y": 31.03}})
    };
    let mut alerts: Vec<Value> = (0..120)
        .map(|minute| alert(format!("v{minute}"), START + minute * MINUTE, "ONGOING"))
        .collect();
    alerts.push(alert("end".into(), START + 2 * HOUR, "END"));
    // The clock stops at the last record.
    alerts.push(alert("later".into(), START + 3 * HOUR, "END"));
    let (_folder, replayed) = replay("", &[("video.ndjson", &alerts)]);
    let incidents = replayed.lines("incidents.ndjson");
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0]["member_count"], 1);
    assert_eq!(incidents[0]["priority"]["band"], "P4");
    assert_eq!(incidents[0]["status"], "CLOSED");
    assert_eq!((replayed.count("opened"), replayed.count("continued")), (1, 119));
    let revisions = replayed.lines("revisions.ndjson").len();
    assert!(
        revisions <= 12 + 3,
        "{revisions} revisions: one every ten minutes, and its end"
    );
}

#[test]
fn wrong_clocks_are_flagged_told_and_move_nothing() {
    let clock = |id: &str, device: &str, at: i64, says: i64| {
        let mut record = reading(id, at, 20.0);
        record["device_id"] = device.into();
        record["observed_at"] = says.into();
        record["location"]["x"] = json!(121.20 + f64::from(u8::try_from(at / MINUTE % 60).unwrap()) / 100.0);
        record
    };
    let at = |minute: i64| START + minute * MINUTE;
    let records = [
        clock("unset", "D1", at(0), 3_600_000),
        clock("ahead8", "D2", at(1), at(1) + 8 * HOUR),
        clock("behind8", "D3", at(2), at(2) - 8 * HOUR),
        clock("ahead2d", "D4", at(3), at(3) + 48 * HOUR),
        clock("backfill", "D5", at(4), at(4) - 80 * HOUR),
        // Had one of them moved the clock, this would be late or its incident closed at once.
        clock("right", "D6", at(5), at(5)),
    ];
    let (_folder, replayed) = replay("", &[("sensor.ndjson", &records)]);
    let outcomes = replayed.outcomes();
    let of = |id: &str| outcomes[&format!("iot/{id}")].as_str();
    for id in ["unset", "ahead8", "behind8", "ahead2d", "right"] {
        assert_eq!(of(id), "opened", "{id}");
    }
    assert_eq!(of("backfill"), "late");
    let faults = replayed.lines("device_faults.ndjson");
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| {
            format!("{} {} {}", fault["device_id"], fault["fault"], fault["event_id"]).replace('"', "")
        })
        .collect();
    assert_eq!(
        faults,
        [
            "D1 clock_unset unset",
            "D2 zone_suspected ahead8",
            "D3 zone_suspected behind8",
            "D4 clock_future ahead2d"
        ]
    );
    let members: Vec<Value> = replayed
        .lines("incidents.ndjson")
        .iter()
        .map(|incident| incident["members"][0].clone())
        .collect();
    let event_time = |id: &str| {
        let member = members.iter().find(|member| member["event_id"] == id).unwrap();
        member["event_time"].clone()
    };
    let same = |id: &str, minute: i64| {
        let told = event_time(id);
        let time = wire_format::WireTime::deserialize(&told).unwrap();
        let ms = time.resolve(&jiff::tz::TimeZone::UTC).unwrap().millis();
        assert_eq!(ms, at(minute), "{id}");
    };
    same("unset", 0);
    same("ahead8", 1);
    same("ahead2d", 3);
    same("right", 5);
    same("behind8", 2 - 8 * 60);
}

#[test]
fn an_alarm_waits_and_every_record_is_accounted_for() {
    let at = |minute: i64| START + minute * MINUTE;
    let records = [
        reading("leaf", at(0), 18.0),
        reading("dry", at(1), 1.0),
        reading("first", at(5), 18.0),
        reading("second", at(6), 19.0),
        reading("third", at(7), 19.5),
        reading("over", at(30), 1.0),
        reading("lonely", at(40), 18.0),
    ];
    let rules = "[metrics.ponding_depth]\nconfirm = 2\n";
    let (_folder, replayed) = replay(rules, &[("sensor.ndjson", &records)]);
    let all = |id: &str| told(&replayed, id).join(" ");
    assert_eq!(all("leaf"), "pending below_threshold");
    assert_eq!(all("first"), "pending opened");
    assert_eq!(all("second"), "continued");
    assert_eq!(all("third"), "continued");
    assert_eq!(all("over"), "cleared");
    assert_eq!(all("lonely"), "pending", "nobody has said yet");
    assert_eq!(replayed.count("pending"), 1);
    assert_eq!(replayed.count("below_threshold"), 2);
    assert_eq!(replayed.lines("incidents.ndjson").len(), 1);
}

#[test]
fn a_device_that_flaps_does_not_open_and_close_its_incident() {
    // On and off every twelve minutes: each end closes its incident before the next alarm opens it again.
    let records: Vec<Value> = (0..20)
        .map(|turn| {
            reading(
                &format!("r{turn}"),
                START + turn * 12 * MINUTE,
                if turn % 2 == 0 { 18.0 } else { 1.0 },
            )
        })
        .collect();
    let closings = |flap: &str| {
        let rules = format!("[metrics.ponding_depth]\nflap = {flap}\n");
        let (_folder, replayed) = replay(&rules, &[("sensor.ndjson", &records)]);
        assert_eq!(replayed.lines("incidents.ndjson").len(), 1);
        let count = |file: &str, field: &str, value: &str| {
            let lines = replayed.lines(file);
            lines.iter().filter(|line| line[field] == value).count()
        };
        (
            count("revisions.ndjson", "status", "CLOSED"),
            count("device_faults.ndjson", "fault", "flapping"),
        )
    };
    assert_eq!(closings("{ times = 32, within = \"1h\" }"), (9, 0));
    assert_eq!(
        closings("{ times = 3, within = \"2h\" }"),
        (2, 4),
        "told once an hour"
    );
}

#[test]
fn trouble_of_devices_is_no_incident() {
    let say = |id: &str, minute: i64, metric: &str, value: Value| {
        let at = START + minute * MINUTE;
        let mut record = reading(id, at, 0.0);
        record["metric"] = metric.into();
        record["value"] = value;
        record.as_object_mut().unwrap().remove("unit");
        record
    };
    let records = [
        say("battery", 0, "battery", json!(9)),
        say("offline", 1, "offline", json!(true)),
        say("sentinel", 2, "ponding_depth", json!(-999)),
        say("again", 3, "ponding_depth", json!(-999)),
        say("unit", 4, "hydrant_pressure", json!(300)),
        say("test", 5, "maintenance", json!(1)),
        say("smoke", 6, "smoke", json!(1)),
    ];
    let (_folder, replayed) = replay("", &[("sensor.ndjson", &records)]);
    assert_eq!(replayed.lines("incidents.ndjson").len(), 0);
    assert_eq!(
        (replayed.count("device_fault"), replayed.count("silenced")),
        (6, 1)
    );
    let faults: Vec<Value> = replayed
        .lines("device_faults.ndjson")
        .iter()
        .map(|fault| fault["fault"].clone())
        .collect();
    let once = [
        "low_battery",
        "offline",
        "sentinel",
        "unit_suspected",
        "maintenance",
    ];
    assert_eq!(faults, once);
}
