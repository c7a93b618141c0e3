//! What comes again, and what the hour makes of it.

use serde_json::{Value, json};

use crate::stage::{NOON, SPOT, Stage, alert, at, band, beside, number, reading, report, with};

#[test]
fn garbage_of_five_days_is_five_incidents_that_repeat_each_other() {
    let day = 24 * 60;
    let told = (0..5).map(|number| report(&format!("g{number}"), number * day, "暴露垃圾", at(SPOT)));
    let played = Stage::new("").tell("report", told).until(4 * day + 1).play();
    let days = played.of_kind("garbage_exposed");
    assert_eq!(days.len(), 5);
    for pair in days.windows(2) {
        assert_eq!(pair[1]["recurrence_of"], pair[0]["incident_id"]);
    }
    let scores: Vec<f64> = days.iter().map(|one| number(&one["priority"]["score"])).collect();
    assert!(scores[1] > scores[0], "what comes again weighs more: {scores:?}");
    assert!(scores[1..].is_sorted(), "{scores:?}");
}

#[test]
fn smoke_at_night_is_p2_alone_and_p1_with_a_second_kind_of_witness() {
    // Two in the morning.
    let night = 14 * 60;
    let smoke = |device, minute, east| {
        let record = reading(device, night + minute, "smoke", 1.0, beside(SPOT, east, 0.0));
        with(record, json!({"alarm": true}))
    };
    let alone = Stage::new("")
        .tell("sensor", [smoke("s1", 0, 0.0)])
        .until(night + 1)
        .play();
    assert_eq!(band(alone.only()), "P2");
    let part = |one: &Value, name: &str| number(&one["priority"]["parts"][name]);
    assert_eq!((part(alone.only(), "S"), part(alone.only(), "E")), (28.0, 3.0));

    let played = Stage::new("")
        .tell("sensor", [smoke("s1", 0, 0.0), smoke("s2", 8, 15.0)])
        .tell(
            "video",
            [alert("cam-1", night + 15, "619", beside(SPOT, 30.0, 20.0))],
        )
        .until(night + 16)
        .play();
    let one = played.only();
    assert_eq!(one["kind"], "fire_smoke");
    assert_eq!(one["member_count"], 3);
    assert_eq!(played.bands(&one["incident_id"]), ["P2", "P1"]);
    let overrides = one["priority"]["overrides"].as_array().unwrap();
    assert!(
        overrides.iter().any(|id| id == "O1.fire_two_sources"),
        "{overrides:?}"
    );
    let told: jiff::Timestamp = one["priority"]["previous"]["changed_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        told.as_millisecond(),
        NOON + (night + 15) * crate::stage::MINUTE,
        "at once"
    );
}
