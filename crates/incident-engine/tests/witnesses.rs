//! Who confirms whom: kinds of witness count as far as different people, devices or offices stand behind them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use city_model::{Band, Channel};
use teller::desk::restart;
use teller::{Teller, Told, call, camera, sensor};

/// A citizen's report by an app, or another channel of the same sort.
fn by(channel: Channel, id: &str, minute: i64) -> Told {
    let mut told = call(id, "fire_smoke", 1.0, 0.0).at(minute);
    told.0.channel = channel;
    told
}

fn fire(told: Vec<Told>) -> (Band, u32, String) {
    let mut story = Teller::new();
    for one in told {
        story.tell(one);
        restart(&mut story);
    }
    story.record();
    let whole = story.only().id;
    let record = story
        .revisions
        .iter()
        .rev()
        .find(|told| told.incident_id == whole)
        .unwrap();
    let reasons = &record.priority.reasons_zh;
    let about = reasons
        .iter()
        .find(|told| told.contains("印证") && !told.starts_with("火情") || told.contains("同一人"));
    (
        record.priority.band,
        record.priority.parts.credibility,
        about.cloned().unwrap_or_default(),
    )
}

#[test]
fn one_person_on_two_channels_confirms_nothing() {
    let hotline = |who: u64| {
        call("h", "fire_smoke", 0.0, 0.0)
            .reporter(who)
            .credibility(5)
            .at(0)
    };
    let app = |who: u64| by(Channel::App, "a", 1).reporter(who);
    assert_eq!(
        fire(vec![hotline(1), app(1)]),
        (Band::P2, 5, "同一人经热线+市民端反映".to_owned())
    );
    assert_eq!(
        fire(vec![app(1), hotline(1)]),
        fire(vec![hotline(1), app(1)]),
        "in any order"
    );
    assert_eq!(
        fire(vec![hotline(1), app(2)]),
        (Band::P1, 10, "热线+市民端两源印证".to_owned())
    );
    // The first calls again, and a second one with the hotline: two people, two channels.
    let second = call("h2", "fire_smoke", 0.0, 0.0).reporter(2).at(2);
    assert_eq!(fire(vec![hotline(1), app(1), second]).0, Band::P1);
    // Who gives no name is somebody, as a device is.
    assert_eq!(fire(vec![hotline(1), by(Channel::App, "a", 1)]).0, Band::P1);
    let told = fire(vec![
        hotline(1),
        app(1),
        sensor("s", "fire_smoke", 0.0, 0.0).at(2),
    ]);
    assert_eq!(
        (told.0, told.2.as_str()),
        (Band::P1, "传感器+热线+市民端两源印证")
    );
    assert_eq!(fire(vec![camera("c", "fire_smoke", 0.0, 0.0).at(0)]).0, Band::P3);
}

#[test]
fn a_crowd_is_told_apart_in_any_order() {
    let crowd = |from: u64, channel: Channel| {
        (from..from + 40).map(move |who| by(channel, &format!("{channel}{who}"), 1).reporter(who % 50))
    };
    let told: Vec<Told> = crowd(0, Channel::App)
        .chain(crowd(20, Channel::Web))
        .chain(crowd(45, Channel::Hotline))
        .collect();
    let forward = fire(told.clone());
    assert_eq!(forward, fire(told.into_iter().rev().collect()));
    assert_eq!(
        (forward.0, forward.2.as_str()),
        (Band::P1, "热线+市民端+网站三源印证")
    );
}
