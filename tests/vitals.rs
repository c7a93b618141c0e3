//! The vital signs of a replay: the same each time, summing up, and in line with the incidents.
#![allow(clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;

use city::City;
use city::folder::Folder;
use city::output::Replayed;
use city_simulator::Scenario;
use serde_json::{Value, json};

#[test]
fn the_vital_signs_of_a_replay_agree_with_its_incidents() {
    let city = City::new(Scenario::Typhoon, 3, 3_000);
    let plain = city.replay_of(city.dir.path(), "plain", &[]);
    assert!(!plain.dir.join("vitals.ndjson").exists(), "on request only");
    let replayed = city.replay_of(city.dir.path(), "out", &["--vitals"]);
    let again = city.replay_of(city.dir.path(), "again", &["--vitals"]);
    assert_eq!(replayed.bytes("vitals.ndjson"), again.bytes("vitals.ndjson"));
    assert_eq!(
        replayed.bytes("revisions.ndjson"),
        plain.bytes("revisions.ndjson"),
        "counting decides nothing"
    );

    let told = replayed.lines("vitals.ndjson");
    let key = |cell: &Value| {
        format!(
            "{}/{}",
            cell["layer"].as_str().unwrap(),
            cell["code"].as_str().unwrap()
        )
    };
    let mut last: BTreeMap<String, Value> = BTreeMap::new();
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for cell in told {
        let before = last.insert(key(&cell), cell.clone());
        assert!(
            before.is_none_or(|before| before["minute"].as_str() < cell["minute"].as_str()),
            "a minute once"
        );
        *sums.entry(key(&cell)).or_default() += cell["opened"].as_i64().unwrap();
        let open: i64 = cell["open"]
            .as_object()
            .unwrap()
            .values()
            .map(|count| count.as_i64().unwrap())
            .sum();
        let by_kind: i64 = cell["by_kind"]
            .as_object()
            .unwrap()
            .values()
            .map(|count| count.as_i64().unwrap())
            .sum();
        assert_eq!(open, by_kind, "{cell}");
    }
    // The last minute is not told: nothing says that it is over.
    let end = last["city/310117"]["minute"].as_str().unwrap();
    let incidents = replayed.lines("incidents.ndjson");
    let told_of = |incident: &&Value| incident["opened_at"].as_str().unwrap()[..16] <= end[..16];
    let whole = incidents.iter().filter(told_of).count() as i64;
    let opened = sums["city/310117"];
    assert!(
        opened > 100 && (opened - whole).abs() <= whole / 50,
        "{opened} were told of {whole}"
    );
    // On each level as many are open as the incidents say.
    let mut open: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for incident in incidents.iter().filter(|one| one["status"] == "OPEN") {
        *open.entry(("city", "city")).or_default() += 1;
        for cell in incident["cells"].as_array().unwrap() {
            let level = (cell["layer"].as_str().unwrap(), cell["level"].as_str().unwrap());
            *open.entry(level).or_default() += 1;
        }
    }
    let mut told: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for cell in last.values() {
        let level = (cell["layer"].as_str().unwrap(), cell["level"].as_str().unwrap());
        let counts = cell["open"].as_object().unwrap().values();
        *told.entry(level).or_default() += counts.map(|count| count.as_i64().unwrap()).sum::<i64>();
    }
    assert!(open.len() > 3, "{open:?}");
    assert_eq!(told, open);
}

/// Two calls and a warning, with hours of nothing between them.
#[test]
fn where_hours_pass_without_a_record_each_thing_still_has_its_own_minute() {
    let folder = Folder::new("[city]\ncode = \"310117\"\n[time]\ningested_from = \"producer\"\n");
    let call = |id: &str, lat: f64, at: &str, title: &str| {
        json!({"event_id": id, "source_system": "12345", "ticket_id": id, "appeal_type": "求助", "title": title, "called_at": at,
            "location": {"crs": "WGS84", "x": 121.2277, "y": lat, "quality": "DOOR"}})
    };
    let calls = [
        call("a", 31.0322, "2026-09-22T10:05:30+08:00", "路面积水"),
        call("b", 31.0522, "2026-09-22T13:00:40+08:00", "暴露垃圾没人清理"),
        call("c", 31.0522, "2026-09-22T15:00:00+08:00", "暴露垃圾没人清理"),
    ];
    let lines: Vec<String> = calls.iter().map(Value::to_string).collect();
    folder.write("in/hotline.ndjson", lines.join("\n"));
    let warning = json!({"warning_id": "w", "revision": 1, "signal": "RAINSTORM", "severity": "RED", "region_codes": ["310117"],
        "status": "ISSUED", "issued_at": "2026-09-22T10:10:00+08:00", "effective_at": "2026-09-22T10:10:00+08:00"});
    folder.write("in/weather.ndjson", warning.to_string());
    let path = |name: &str| folder.dir.path().join(name).display().to_string();
    let args = [
        "replay",
        "--input",
        &path("in"),
        "--output",
        &path("out"),
        "--vitals",
    ];
    let (code, out, err) = folder.run(&args, &[]);
    assert_eq!(code, Some(0), "{out}{err}");
    let replayed = Replayed {
        dir: path("out").into(),
    };

    // As many are open at the end of a minute as before it, and what came and went.
    let city = replayed
        .lines("vitals.ndjson")
        .into_iter()
        .filter(|cell| cell["layer"] == "city");
    let (mut open, mut told) = (0, Vec::new());
    for cell in city {
        let now: i64 = cell["open"]
            .as_object()
            .unwrap()
            .values()
            .map(|count| count.as_i64().unwrap())
            .sum();
        open += cell["opened"].as_i64().unwrap() - cell["closed"].as_i64().unwrap();
        assert_eq!(now, open, "{cell}");
        told.push((cell["minute"].as_str().unwrap()[11..16].to_owned(), now));
    }
    // In a storm ponding is quiet after two hours.
    let expected = [("02:05", 1), ("04:05", 0), ("05:00", 1)].map(|(minute, open)| (minute.to_owned(), open));
    assert!(expected.iter().all(|minute| told.contains(minute)), "{told:?}");

    // The warning was seen when it came, and not with the next call.
    let ponding = replayed
        .lines("revisions.ndjson")
        .into_iter()
        .filter(|told| told["kind"] == "road_ponding");
    let weather: Vec<i64> = ponding
        .map(|told| told["priority"]["parts"]["W"].as_i64().unwrap())
        .collect();
    assert_eq!(weather[..2], [0, 10], "{weather:?}");
}
