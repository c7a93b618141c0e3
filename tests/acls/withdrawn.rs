//! A right that is withdrawn while the program runs: nothing is lost, and whoever asks is told which it is.

use std::path::Path;

use kafka_log::topic_name;
use serde_json::{Value, json};
use wire_format::Topic;

use crate::acl_requests::Right;
use crate::city::town::NORTH_WEST;
use crate::city::web;
use crate::{PREFIX, Place, now};

/// What `/readyz` misses.
fn missing(log: &Path) -> Vec<String> {
    let body = web::address(log).and_then(|address| web::get(&address, "/readyz"));
    let told: Value = serde_json::from_str(&body.unwrap_or_default()).unwrap_or_default();
    let missing = told["missing"].as_array().cloned().unwrap_or_default();
    missing
        .iter()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// Rights that are withdrawn one after the other, and the worker that then says so.
const WITHDRAWN: [(&str, &str, Topic); 5] = [
    ("correlate", "WRITE", Topic::Incidents),
    ("enrich", "READ", Topic::Report),
    ("enrich", "READ", Topic::Weather),
    ("enrich", "WRITE", Topic::Enriched),
    ("correlate", "WRITE", Topic::CorrelateChangelog),
];

/// Rights of a running process go and come back; each is named while it is away, and nothing is lost.
pub(crate) fn is_told(place: &mut Place, rights: &[Right], log: &Path) {
    let mut sent = 0;
    for (worker, operation, topic) in WITHDRAWN {
        let name = topic_name(PREFIX, topic);
        let right = rights
            .iter()
            .find(|right| right.party == "worker" && right.operation == operation && right.name == name);
        withdrawn(place, right.unwrap(), worker, &mut sent, log);
    }
    web::wait("nothing of it is lost", log, || {
        let address = web::address(log).unwrap();
        let members = web::incidents(&address);
        let members = members
            .iter()
            .flat_map(|incident| incident["members"].as_array().unwrap());
        let told = members.filter(|member| {
            let id = member["event_id"].as_str().unwrap();
            id.starts_with("withdrawn-")
        });
        told.count() == sent.min(20)
    });
}

fn withdrawn(place: &mut Place, right: &Right, worker: &str, sent: &mut usize, log: &Path) {
    assert_eq!(missing(log), Vec::<String>::new());
    place.granting.withdraw(right);
    let named = format!("{} on topic {}", right.operation, right.name);
    // A right goes a moment after it was withdrawn.
    web::wait(&format!("it is not ready for {named}"), log, || {
        if missing(log).is_empty() {
            *sent += 1;
            let (id, (x, y)) = (format!("withdrawn-{sent}"), NORTH_WEST);
            let report = json!({"event_id": id, "source_system": "inspector-app", "channel": "inspector", "report_id": id,
                "category": ["暴露垃圾"], "observed_at": now(), "location": {"x": x, "y": y, "accuracy_m": 5.0, "quality": "GNSS"}});
            let topic = topic_name(PREFIX, Topic::Report);
            place
                .send("integrator-report", &topic, &report.to_string())
                .unwrap();
        }
        missing(log).iter().any(|text| {
            text.starts_with(&format!("{worker}: a commit, after "))
                && text.contains(&named)
                && text.contains("cityops topics plan --acls")
        })
    });
    println!("{named}: {:?}", missing(log));
    let text = std::fs::read_to_string(log).unwrap();
    assert!(
        text.lines().any(|line| line.contains(&named)),
        "the log does not name {named}"
    );
    place.granting.grant(std::slice::from_ref(right));
    web::wait("it is ready again", log, || {
        web::address(log)
            .and_then(|address| web::get(&address, "/readyz"))
            .is_some_and(|body| body.contains("\"ready\":true"))
    });
}
