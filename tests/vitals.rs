//! The vital signs of a replay: the same each time, summing up, and in line with the incidents.
#![allow(clippy::unwrap_used, reason = "tests")]

mod city;

use std::collections::BTreeMap;

use city::City;
use city_simulator::Scenario;
use serde_json::Value;

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
