//! `cityops report` over a replay with the centre's feedback: rates, spans, and a page that can be printed.
#![allow(clippy::unwrap_used, reason = "tests")]

mod city;

use city::City;
use city_simulator::Scenario;
use serde_json::{Value, json};

fn report(dir: &str, more: &[&str]) -> Value {
    let args = [&["--json", "report", "--output", dir], more].concat();
    serde_json::from_str(&city::expect(0, &args)).unwrap()
}

#[test]
fn a_history_with_feedback_is_evaluated() {
    let city = City::new(Scenario::Normal, 7, 2_000);
    let before = city.replayed("before");
    let incidents = before.lines("incidents.ndjson");
    let dir = before.dir.to_str().unwrap();
    let untold = report(dir, &[]);
    for rate in [
        "dispatch_on_time",
        "control_on_time",
        "rework",
        "rejection",
        "false_alarm",
    ] {
        assert_eq!(
            untold["all"][rate]["share"],
            Value::Null,
            "{rate}: nothing is known: no zero"
        );
    }
    assert_eq!(
        untold["all"]["incidents"],
        incidents.iter().filter(|one| one["status"] != "MERGED").count()
    );

    // The centre handles forty incidents as they open: ten false, ten rejected once, ten done, ten done twice.
    let input = city.input_from("told", |_, bytes| Some(bytes));
    let mut commands = Vec::new();
    for (index, incident) in incidents
        .iter()
        .filter(|one| one["status"] != "MERGED")
        .take(40)
        .enumerate()
    {
        let opened = millis(&incident["opened_at"]);
        let mut say = |action: &str, seconds: i64| {
            commands.push((
                opened + seconds * 1_000,
                json!({"command_id": format!("{index}-{action}-{seconds}"), "incident_id": incident["incident_id"],
                    "action": action, "operator": "desk", "issued_at": opened + seconds * 1_000}),
            ));
        };
        match index % 4 {
            0 => say("false_alarm", 30),
            1 => {
                say("dispatch", 20);
                say("return", 40);
                say("dispatch", 60);
            }
            2 => {
                say("dispatch", 20);
                say("resolve", 30);
                say("return", 40);
                say("dispatch", 60);
                say("resolve", 90);
            }
            _ => {
                say("dispatch", 20);
                say("resolve", 90);
            }
        }
    }
    commands.sort_by_key(|(at, _)| *at);
    let lines: String = commands
        .iter()
        .map(|(_, command)| format!("{command}\n"))
        .collect();
    std::fs::write(input.join("command.ndjson"), lines).unwrap();
    let replayed = city.replay_of(&input, "after", &[]);
    let dir = replayed.dir.to_str().unwrap();
    let page = city.path("report.html");
    let told = report(dir, &["--html", page.to_str().unwrap()]);
    let all = &told["all"];
    let hits = |rate: &str| all[rate]["hits"].as_u64().unwrap();
    assert!((5..=10).contains(&hits("false_alarm")), "{all}");
    assert!((5..=10).contains(&hits("rework")), "{all}");
    assert!((5..=10).contains(&hits("rejection")), "{all}");
    assert!(hits("dispatch_on_time") >= 10, "{all}");
    assert_eq!(
        all["false_alarm"]["small"],
        all["false_alarm"]["of"].as_u64().unwrap() < 20
    );
    for groups in ["kinds", "towns", "units"] {
        let sum: u64 = told[groups]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["incidents"].as_u64().unwrap())
            .sum();
        assert_eq!(sum, all["incidents"].as_u64().unwrap(), "{groups}");
        let judged: u64 = told[groups]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["false_alarm"]["of"].as_u64().unwrap())
            .sum();
        assert_eq!(judged, all["false_alarm"]["of"].as_u64().unwrap(), "{groups}");
    }

    // Two halves of the history are the whole.
    let mut opened: Vec<&str> = incidents
        .iter()
        .map(|one| one["opened_at"].as_str().unwrap())
        .collect();
    opened.sort_unstable();
    let middle = opened[opened.len() / 2];
    let count = |more: &[&str]| report(dir, more)["all"]["incidents"].as_u64().unwrap();
    assert_eq!(
        count(&["--to", middle]) + count(&["--from", middle]),
        all["incidents"].as_u64().unwrap()
    );
    assert_eq!(
        report(dir, &["--from", "2100-01-01"])["all"]["repeat"]["share"],
        Value::Null
    );
    city::expect(2, &["report", "--output", dir, "--from", "yesterday"]);
    city::expect(2, &["report"]);

    // What told of each incident, every report of it: as many as there are, and as right as the centre says.
    for (group, kind) in [("algorithms", "name"), ("device_types", "device_type")] {
        let told = told[group].as_array().unwrap();
        assert!(told.iter().any(|one| one[kind] != ""), "{group}: {told:?}");
        for one in told {
            let precision = &one["precision"];
            assert!(precision["of"].as_u64() <= one["incidents"].as_u64(), "{one}");
            assert!(precision["hits"].as_u64() <= precision["of"].as_u64(), "{one}");
        }
    }
    let of_algorithms: u64 = told["algorithms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["incidents"].as_u64().unwrap())
        .sum();
    let by_video = incidents
        .iter()
        .filter(|one| one["source_types"].as_array().unwrap().contains(&json!("video")))
        .count() as u64;
    assert!(
        of_algorithms >= by_video && by_video > 0,
        "{of_algorithms} {by_video}"
    );

    // The P1 incidents are those that were ever published as P1, each for as long as it was.
    assert_eq!(told["p1"], Value::Null, "only where it is asked for");
    let urgent = &report(dir, &["--p1"])["p1"];
    let revisions = replayed.lines("revisions.ndjson");
    let is_p1 = |one: &&Value| one["priority"]["band"] == "P1" && one["status"] == "OPEN";
    let ever: std::collections::BTreeSet<&str> = revisions
        .iter()
        .filter(is_p1)
        .map(|one| one["incident_id"].as_str().unwrap())
        .collect();
    assert!(!ever.is_empty());
    assert_eq!(urgent["incidents"], ever.len());
    let spells = urgent["spells"].as_array().unwrap();
    for spell in spells {
        assert!(ever.contains(spell["incident_id"].as_str().unwrap()), "{spell}");
        let why = spell["reasons_zh"].as_array().unwrap().len();
        assert!(why > 0 && spell["delay_s"].as_i64() >= Some(0), "{spell}");
        assert!(spell["lasted_s"].as_i64() >= Some(0), "{spell}");
        assert_eq!(spell["ended"] == "open", spell["until"] == Value::Null, "{spell}");
    }
    let open = replayed.lines("incidents.ndjson");
    let open = open.iter().filter(is_p1).count();
    assert_eq!(spells.iter().filter(|one| one["ended"] == "open").count(), open);
    let became: u64 = urgent["hours"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hour| hour["became"].as_u64().unwrap())
        .sum();
    assert!(became as usize >= ever.len() && became as usize <= spells.len());

    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("误报") && html.contains("A4") && html.contains("—"));
    assert!(!html.contains("http"), "it needs nothing from elsewhere");
    let table = city::expect(0, &["report", "--output", dir]);
    assert!(
        table.contains("按街镇 / by town") && table.contains('*'),
        "{table}"
    );
}

fn millis(time: &Value) -> i64 {
    let time: city_model::UtcTime = serde_json::from_value(time.clone()).unwrap();
    time.0.millis()
}
