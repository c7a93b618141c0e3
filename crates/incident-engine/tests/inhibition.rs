//! Cause and symptom: what a standing incident explains away is quiet and linked, a P1 never, and it shows when the cause is over.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{Action, Band, IncidentId, Input, Status};
use incident_engine::{Change, Engine, Setting};
use teller::{Teller, Told, at, call, command, inspector, sensor, silence};

fn lamp(number: u32, x_m: f64) -> Told {
    inspector(&format!("lamp{number}"), "street_light", x_m, 0.0).component(&format!("L{number}"))
}

fn signal(x_m: f64) -> Told {
    inspector("signal", "traffic_signal", x_m, 0.0).component("S1")
}

fn outage(id: &str) -> Told {
    call(id, "power_outage", 0.0, 0.0)
}

/// Each open incident by its kind: band, overrides with "I1", and the kinds that it is related to.
fn shown(story: &Teller) -> BTreeMap<String, String> {
    let last: BTreeMap<_, _> = story
        .revisions
        .iter()
        .map(|record| (&record.incident_id, record))
        .collect();
    let kind_of = |id: &IncidentId| last.get(id).map_or("?", |record| &record.kind).to_owned();
    let open = last.values().filter(|record| record.status == "OPEN");
    open.map(|record| {
        let priority = &record.priority;
        let mut related: Vec<String> = record.related.iter().map(kind_of).collect();
        related.sort();
        let quiet = priority.overrides.iter().any(|id| id == "I1.inhibited_by");
        let told = format!(
            "{}{} {}",
            priority.band,
            if quiet { " quiet" } else { "" },
            related.join("+")
        );
        (record.kind.clone(), told.trim_end().to_owned())
    })
    .collect()
}

fn lines(story: &mut Teller) -> String {
    let clock = story.engine.clock().unwrap();
    story.tick(clock + 1_000);
    let lines = shown(story)
        .into_iter()
        .map(|(kind, told)| format!("{kind} {told}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn id_of(story: &Teller, kind: &str) -> IncidentId {
    story
        .incidents()
        .into_iter()
        .find(|incident| incident.kind.as_str() == kind)
        .unwrap()
        .id
}

#[test]
fn a_symptom_is_quiet_while_its_cause_stands_and_shows_when_that_is_over() {
    let mut story = Teller::new();
    story.tell(outage("c1").at(600));
    story.tell(signal(200.0).at(605));
    insta::assert_snapshot!(lines(&mut story), @r"
    power_outage P2
    traffic_signal P4 quiet power_outage
    ");
    let record = story
        .revisions
        .iter()
        .rfind(|record| record.kind == "traffic_signal")
        .unwrap();
    let cause = id_of(&story, "power_outage");
    assert_eq!(
        record.priority.reasons_zh[0],
        format!("由停电（{cause}）引起，随其一并处置")
    );
    assert!(record.priority.reasons_en[0].starts_with("explained by a power outage ("));
    assert_eq!(record.related, std::slice::from_ref(&cause));
    assert!(record.explanation.contains("由停电"), "{}", record.explanation);

    // By whatever ends it: here by quiet, with nothing said of the signal since.
    story.tell(signal(200.0).id("again").at(650));
    let before = story.revisions.len();
    story.tick(at(661));
    let told: Vec<_> = story.revisions[before..]
        .iter()
        .map(|record| (record.kind.as_str(), record.status.as_str(), record.priority.band))
        .collect();
    assert!(told.contains(&("power_outage", "CLOSED", Band::P2)), "{told:?}");
    assert!(
        told.contains(&("traffic_signal", "OPEN", Band::P2)),
        "{told:?}: in the same moment"
    );
}

#[test]
fn a_cause_that_is_told_later_links_what_stands_already() {
    let mut story = Teller::new();
    story.tell(signal(200.0).at(595));
    story.tell(lamp(1, -300.0).at(596));
    story.tell(outage("c1").at(600));
    // The band of what readers know already falls as always: after it stayed lower for a while.
    insta::assert_snapshot!(lines(&mut story), @r"
    power_outage P2
    street_light P4 quiet power_outage
    traffic_signal P2 quiet power_outage
    ");
    story.tell(outage("c2").at(631));
    assert_eq!(shown(&story)["traffic_signal"], "P4 quiet power_outage");
    let cause = id_of(&story, "power_outage");
    story.command(command("k1", &cause, Action::FalseAlarm));
    lines(&mut story);
    assert_eq!(shown(&story)["traffic_signal"], "P2 power_outage");
    assert_eq!(shown(&story)["street_light"], "P4 power_outage");
}

#[test]
fn far_away_long_before_and_p1_are_not_explained_away() {
    for (told, quiet) in [
        (signal(329.0).at(605), true),
        (signal(331.0).at(605), false),
        (signal(200.0).at(541), true), // noticed before anybody called about the outage
        (signal(200.0).at(539), false),
    ] {
        let mut story = Teller::new();
        let minute = (told.0.event_time - at(0)) / 60_000;
        if minute < 600 {
            story.tell(told);
            story.tell(outage("c1").at(600));
        } else {
            story.tell(outage("c1").at(600));
            story.tell(told);
        }
        lines(&mut story);
        assert_eq!(
            shown(&story)["traffic_signal"].contains("quiet"),
            quiet,
            "{minute}"
        );
    }
    let mut story = Teller::new();
    story.tell(call("c1", "water_burst", 0.0, 0.0).at(600));
    let pond = |depth: f64| sensor("p", "road_ponding", 100.0, 0.0).measured("ponding_depth", depth);
    story.tell(pond(16.0).at(601));
    assert!(shown(&story)["road_ponding"].starts_with("P4 quiet"));
    story.tell(pond(26.0).at(602));
    lines(&mut story);
    assert!(
        shown(&story)["road_ponding"].starts_with("P1 "),
        "{:?}",
        shown(&story)
    );
    assert!(!shown(&story)["road_ponding"].contains("quiet"));
}

#[test]
fn another_standing_cause_goes_on_explaining() {
    let mut story = Teller::new();
    story.tell(outage("c1").at(600));
    story.tell(call("far", "power_outage", 520.0, 0.0).at(600));
    let outages = story.incidents().len();
    assert_eq!(outages, 2, "two outages");
    story.tell(signal(260.0).at(601));
    assert!(shown(&story)["traffic_signal"].starts_with("P4 quiet"));
    let by = |story: &Teller| {
        let symptom = story
            .incidents()
            .into_iter()
            .find(|incident| incident.kind.as_str() == "traffic_signal");
        symptom.unwrap().inhibited_by
    };
    let first = by(&story).unwrap();
    story.command(command("k1", &first, Action::Close));
    let second = by(&story).unwrap();
    assert_ne!(first, second);
    assert!(shown(&story)["traffic_signal"].starts_with("P4 quiet"));
    story.command(command("k2", &second, Action::Close));
    assert_eq!(by(&story), None);
    lines(&mut story);
    assert!(shown(&story)["traffic_signal"].starts_with("P2"));
    story.command(command("k3", &second, Action::Reopen));
    assert_eq!(by(&story), Some(second));
}

#[test]
fn what_a_silence_holds_back_explains_nothing_until_it_shows() {
    let mut story = Teller::new();
    story.silence(silence("W1", &["power_outage"], 500, 660));
    story.tell(outage("c1").in_town("310117107").at(620));
    story.tell(signal(200.0).at(625));
    lines(&mut story);
    assert_eq!(
        shown(&story).into_iter().collect::<Vec<_>>(),
        [("traffic_signal".into(), "P2".into())]
    );
    story.tick(at(660));
    lines(&mut story);
    assert_eq!(shown(&story)["traffic_signal"], "P2 quiet power_outage");
}

#[test]
fn a_restart_changes_nothing_and_the_order_of_reading_no_membership() {
    let tell = |order: &[usize], restarts: bool| {
        let mut story = Teller::new();
        let told = [
            outage("c1").at(600),
            signal(200.0).at(601),
            lamp(1, 50.0).at(602),
            lamp(2, -250.0).at(603),
            outage("c2").at(604).reporter(4),
            signal(201.0).id("again").at(605),
        ];
        for number in order {
            story.input(&Input::Event(Arc::new(told[*number].clone().0)));
            if restarts {
                let activation = Arc::new(teller::activation());
                let setting = Setting::with_rules(activation, teller::rules()).unwrap();
                let mut engine = Engine::with_setting(setting);
                for row in story.rows.values().flatten().rev() {
                    engine.apply(&Change::from_row(row).unwrap()).unwrap();
                }
                story.engine = engine;
            }
        }
        for minute in [606, 640, 664, 665, 720] {
            story.tick(at(minute));
        }
        let open = story.incidents();
        let open = open.iter().filter(|incident| incident.status == Status::Open);
        let groups: BTreeMap<String, (u64, Band)> = open
            .map(|incident| {
                (
                    incident.founding.key.to_string(),
                    (incident.member_count, incident.band),
                )
            })
            .collect();
        (groups, story.revisions)
    };
    let calm = tell(&[0, 1, 2, 3, 4, 5], false);
    assert_eq!(calm, tell(&[0, 1, 2, 3, 4, 5], true));
    assert_eq!(calm.0.len(), 3, "the outage is over: {:?}", calm.0);
    for order in [[5, 4, 3, 2, 1, 0], [2, 5, 0, 3, 1, 4], [1, 2, 3, 5, 4, 0]] {
        assert_eq!(calm.0, tell(&order, false).0, "{order:?}");
    }
}
