//! What the centre says, and what comes too late: commands, silences and late records in a replay.
#![allow(clippy::unwrap_used)]

mod city;

use std::collections::BTreeSet;
use std::fs;

use city::City;
use city::output::Replayed;
use city::records::SECRET;
use city_model::EventTime;
use city_simulator::Scenario;
use serde::Deserialize;
use serde_json::{Value, json};

/// Replays the city's input with other lines in one of its files.
fn replay_with(city: &City, name: &str, file: &str, lines: &[Value]) -> Replayed {
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let input = city.input_from(name, |own, bytes| {
        Some(if own == file {
            [bytes, lines.clone().into_bytes()].concat()
        } else {
            bytes
        })
    });
    let output = city.replay_of(&input, &format!("{name}_out"), &[]);
    output.check(&input);
    output
}

fn millis(time: &Value) -> i64 {
    let zone = jiff::tz::TimeZone::UTC;
    let time = wire_format::WireTime::deserialize(time).unwrap();
    time.resolve(&zone).map(EventTime::millis).unwrap()
}

fn incident<'a>(incidents: &'a [Value], id: &str) -> &'a Value {
    incidents
        .iter()
        .find(|incident| incident["incident_id"] == id)
        .unwrap_or_else(|| panic!("no incident {id}"))
}

#[test]
fn a_command_is_applied_or_refused_and_told() {
    let city = City::new(Scenario::Typhoon, 51, 2_000);
    let calm = city.replayed("calm");
    let before = calm.lines("incidents.ndjson");
    let open: Vec<&Value> = before
        .iter()
        .filter(|incident| incident["status"] == "OPEN" && incident["source_types"] == json!(["hotline"]))
        .take(4)
        .collect();
    let ids: Vec<&str> = open
        .iter()
        .map(|incident| incident["incident_id"].as_str().unwrap())
        .collect();
    // All at once, when the last of them has been open for a second: a file's lines come in the order of their times.
    let at = open
        .iter()
        .map(|incident| millis(&incident["opened_at"]))
        .max()
        .unwrap()
        + 1_000;
    let command = |id: &str, incident: &str, action: &str, more: Value| {
        let mut command = json!({"command_id": id, "incident_id": incident, "action": action, "operator": "desk 1",
            "issued_at": at, "reason": SECRET});
        command
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        command
    };
    let orders = [
        command("c1", ids[0], "acknowledge", json!({})),
        command("c2", ids[1], "false_alarm", json!({})),
        command("c3", ids[2], "pin_priority", json!({"band": "P1"})),
        command(
            "c4",
            "310117-road_damage-0000000000000000",
            "acknowledge",
            json!({}),
        ),
        command("c5", "no such name", "acknowledge", json!({})),
        command("c6", ids[3], "undo", json!({})),
        command("c1", ids[0], "acknowledge", json!({})),
    ];
    let output = replay_with(&city, "ordered", "command.ndjson", &orders);
    let counted: i64 = ["applied", "refused", "duplicate_id", "deadletter"]
        .iter()
        .map(|o| output.count(o))
        .sum();
    let counted_before: i64 = ["applied", "refused", "duplicate_id", "deadletter"]
        .iter()
        .map(|o| calm.count(o))
        .sum();
    assert_eq!(
        counted - counted_before,
        orders.len() as i64,
        "every command has its outcome"
    );

    let after = output.lines("incidents.ndjson");
    assert!(
        incident(&after, ids[0])["handling"]["acknowledged_at"].is_string(),
        "{}",
        incident(&after, ids[0])
    );
    let false_alarm = incident(&after, ids[1]);
    assert!(
        false_alarm["status"] == "CLOSED" && false_alarm["close_reason"] == "false_alarm",
        "{false_alarm}"
    );
    let pinned = incident(&after, ids[2]);
    assert_eq!(pinned["priority"]["band"], "P1", "{pinned}");

    let told = output.lines("outcomes.ndjson");
    let of = |id: &str| -> Vec<&Value> {
        told.iter()
            .filter(|row| row["source_system"] == "desk 1" && row["event_id"] == id)
            .collect()
    };
    for id in ["c1", "c2", "c3"] {
        assert_eq!(of(id)[0]["outcome"], "applied", "{id}: {:?}", of(id));
    }
    for id in ["c4", "c5", "c6"] {
        assert_eq!(of(id)[0]["outcome"], "refused", "{id}: {:?}", of(id));
        assert!(
            of(id)[0]["reason"]
                .as_str()
                .is_some_and(|reason| !reason.is_empty()),
            "{id}: {:?}",
            of(id)
        );
    }
    for name in city::output::OUTPUTS {
        assert!(
            !String::from_utf8(output.bytes(name))
                .unwrap()
                .contains("13800138000"),
            "{name}"
        );
    }
}

#[test]
fn a_silence_holds_its_kind_back_where_and_while_it_holds() {
    let city = City::new(Scenario::Typhoon, 52, 2_000);
    let calm = city.replayed("calm");
    let kinds: BTreeSet<&str> = ["tree_fallen", "billboard_risk"].into();
    let held = |output: &Replayed| {
        let incidents = output.lines("incidents.ndjson");
        incidents
            .iter()
            .filter(|incident| kinds.contains(incident["kind"].as_str().unwrap()))
            .count()
    };
    assert!(held(&calm) > 3, "there is something to hold back");
    let start = 1_577_836_800_000_i64 + 86_400_000;
    let begin = millis(&calm.lines("revisions.ndjson")[0]["opened_at"]) - 3_600_000;
    let whole = json!({"type": "Polygon", "coordinates": [[[120.5, 30.5], [122.0, 30.5], [122.0, 31.8], [120.5, 31.8], [120.5, 30.5]]]});
    let silence = |id: &str, area: Value, ends_at: i64| {
        json!({"silence_id": id, "kinds": ["tree_fallen", "billboard_risk"], "area": area, "starts_at": start,
            "ends_at": ends_at, "reason": SECRET, "created_by": "desk", "created_at": begin})
    };
    let far = begin + 90 * 86_400_000;
    let over = replay_with(
        &city,
        "over",
        "silence.ndjson",
        &[silence("s", whole.clone(), begin)],
    );
    assert_eq!(
        (over.count("silenced"), over.count("applied")),
        (0, calm.count("applied") + 1),
        "it was over before"
    );
    assert_eq!(over.grouping_digest(), calm.grouping_digest());

    let output = replay_with(&city, "silent", "silence.ndjson", &[silence("s", whole, far)]);
    assert!(output.count("silenced") > 3, "{}", output.ledger());
    assert!(
        held(&output) < held(&calm) / 2,
        "{} of {} are left",
        held(&output),
        held(&calm)
    );
    let district = replay_with(
        &city,
        "district",
        "silence.ndjson",
        &[silence("s", json!(["310117"]), far)],
    );
    assert!(
        district.count("silenced") > 3,
        "a district's code is an area, too: {}",
        district.ledger()
    );
    for name in city::output::OUTPUTS {
        assert!(
            !String::from_utf8(output.bytes(name))
                .unwrap()
                .contains("13800138000"),
            "{name}"
        );
    }
}

#[test]
fn what_comes_too_late_is_told_and_changes_nothing() {
    let city = City::new(Scenario::Typhoon, 53, 1_000);
    let calm = city.replayed("calm");
    let text = fs::read_to_string(city.path("report.ndjson")).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let at = millis(&last["reported_at"]);
    let report = |id: &str, hours: i64| {
        json!({"event_id": id, "source_system": "inspector-app", "channel": "inspector", "report_id": id,
            "title": SECRET, "content": "路边树倒了", "observed_at": at - hours * 3_600_000, "reported_at": at,
            "location": {"x": 121.2277, "y": 31.0322}, "address": "沪松公路1500弄3号502室 13800138000", "reporter_phone": "13800138000"})
    };
    let output = replay_with(
        &city,
        "late",
        "report.ndjson",
        &[
            report("late-1", 25),
            report("late-2", 24 * 300),
            report("in-time", 23),
        ],
    );
    assert_eq!(output.count("late"), calm.count("late") + 2);
    let outcomes = output.outcomes();
    assert_eq!(outcomes["inspector-app/late-1"], "late");
    assert_eq!(outcomes["inspector-app/late-2"], "late");
    assert!(["opened", "joined"].contains(&outcomes["inspector-app/in-time"].as_str()));
    let late = String::from_utf8(output.bytes("late.ndjson")).unwrap();
    assert!(
        late.contains("late-1") && late.contains("late-2") && !late.contains("in-time"),
        "{late}"
    );
    for secret in ["13800138000", "机密内容", "502"] {
        assert!(!late.contains(secret), "{late}");
    }
}

#[test]
fn a_line_arrives_when_it_says_unless_that_cannot_be() {
    let city = City::new(Scenario::Normal, 54, 100);
    let (hour, day) = (3_600_000, 86_400_000);
    let at = 1_787_685_989_663_i64;
    let cases = [
        (
            json!("never"),
            at,
            "the first lines arrive with the first that is plausible",
        ),
        (json!("2010-01-01T00:00:00Z"), at, "before 2020"),
        (json!(at), at, "as it says"),
        (json!(at - hour), at, "backward"),
        (json!(at + 30 * day + 1), at, "more than 30 days ahead"),
        (Value::Null, at, "missing, and its own time goes backward"),
        (json!(at + 60_000), at + 60_000, "as it says"),
        (json!("2026-02-30 10:00"), at + 60_000, "no date"),
        (json!(at + 30 * day), at + 30 * day, "30 days ahead"),
    ];
    // All of them happened long before, so that each is told as late, with its arrival.
    let lines = cases.iter().enumerate().map(|(number, (reported_at, _, _))| {
        let id = format!("r-{number}");
        json!({"event_id": id, "source_system": "inspector-app", "channel": "inspector", "report_id": id,
            "content": "路边树倒了", "observed_at": at - 30 * hour, "reported_at": reported_at})
    });
    let lines: Vec<u8> = lines.flat_map(|line| format!("{line}\n").into_bytes()).collect();
    let input = city.input_from("arriving", |file, _| {
        (file == "report.ndjson").then(|| lines.clone())
    });
    let output = city.replay_of(&input, "arriving_out", &[]);
    output.check(&input);
    let late = output.lines("late.ndjson");
    assert_eq!(late.len(), cases.len(), "{}", output.ledger());
    for (line, (_, arrival, why)) in late.iter().zip(&cases) {
        assert_eq!(millis(&line["ingested_at"]), *arrival, "{why}: {line}");
    }
}
