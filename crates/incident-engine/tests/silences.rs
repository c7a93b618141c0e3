//! Silences: what they hold back, what they never hide, and what shows when they end, are revised or withdrawn.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{Action, Band, IncidentId, Outcome, SilenceArea, Status};
use incident_engine::{Change, Engine, Setting};
use teller::{Teller, Told, at, call, camera, command, inspector, sensor, silence};

const TOWN: &str = "310117107";

/// Works in the town from 8:00 to 18:00.
fn works(kinds: &[&str]) -> Teller {
    let mut story = Teller::new();
    story.silence(silence("W1", kinds, 480, 1_080));
    story
}

fn caller(id: &str, kind: &str, minute: i64) -> Told {
    call(id, kind, 0.0, 0.0).in_town(TOWN).at(minute)
}

/// The last word on each event, with its reason.
fn told(story: &Teller) -> String {
    let last: BTreeMap<_, _> = story
        .outcomes
        .iter()
        .map(|(key, outcome, reason)| (key, (outcome, reason)))
        .collect();
    let lines = last.iter().filter(|(key, _)| !key.starts_with("silence/"));
    lines
        .map(|(key, (outcome, reason))| format!("{key} {outcome} {}", reason.as_deref().unwrap_or("-")))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The bands of what is open, each with its members.
fn open(story: &Teller) -> Vec<(Band, u64)> {
    let incidents = story.incidents();
    let open = incidents.iter().filter(|i| i.status == Status::Open);
    open.map(|i| (i.band, i.member_count)).collect()
}

#[test]
fn what_went_quiet_before_the_end_never_shows_and_can_be_looked_up() {
    let mut story = works(&["noise"]);
    story.tell(caller("c1", "noise", 600));
    story.tell(caller("c2", "noise", 610).reporter(2));
    story.tick(at(3_000));
    assert_eq!(open(&story), []);
    assert!(story.revisions.is_empty());
    insta::assert_snapshot!(told(&story), @r"
    hotline/c1 silenced silence W1
    hotline/c2 silenced silence W1
    ");
    assert_eq!(story.count(Outcome::Silenced), 2);
}

#[test]
fn what_was_told_shortly_before_the_end_shows_at_the_end() {
    let mut story = works(&["noise"]);
    story.tell(caller("c1", "noise", 1_000));
    story.tell(caller("c2", "noise", 1_020).reporter(2));
    story.tick(at(1_079));
    assert_eq!(open(&story), []);
    story.tick(at(1_080));
    assert_eq!(open(&story), [(Band::P4, 2)]);
    insta::assert_snapshot!(told(&story), @r"
    hotline/c1 opened no longer held back
    hotline/c2 joined no longer held back
    ");
    assert_eq!(
        [Outcome::Silenced, Outcome::Opened, Outcome::Joined].map(|outcome| story.count(outcome)),
        [0, 1, 1]
    );
    let shown = story.only();
    assert_eq!((shown.opened_at, shown.revision), (at(1_080), 1));
    assert!(shown.dispatch_by > at(1_080), "its time begins when it is shown");
}

#[test]
fn a_sensor_that_alarms_on_shows_at_the_end_however_long_it_was_not_heard() {
    for (later, clears, shows) in [
        (vec![], false, true), // it tells of an alarm once
        (vec![700, 800, 900], false, true),
        (vec![700, 800, 900], true, false),
    ] {
        let mut story = works(&["road_ponding"]);
        let pond = || {
            sensor("pond", "road_ponding", 0.0, 0.0)
                .in_town(TOWN)
                .measured("ponding_depth", 8.0)
        };
        story.tell(pond().at(600));
        later.iter().for_each(|minute| story.tell(pond().at(*minute)));
        if clears {
            story.tell(pond().clears().at(950));
        }
        for minute in 601..1_080 {
            story.tick(at(minute));
        }
        assert_eq!(open(&story), [], "{later:?}");
        story.tick(at(1_080));
        // After its gap it opens another incident: the latest one shows.
        let latest = later.last().copied().unwrap_or(600);
        let shown = story.incidents();
        let shown: Vec<i64> = shown
            .iter()
            .map(|i| (i.first_event_at - at(0)) / 60_000)
            .collect();
        assert_eq!(shown, if shows { vec![latest] } else { vec![] }, "{later:?}");
        story.tick(at(1_139));
        assert_eq!(
            open(&story).len(),
            usize::from(shows),
            "it is open for its kind's gap at least"
        );
        assert_eq!(story.count(Outcome::Opened), i64::from(shows));
    }
    let mut story = works(&["road_ponding"]);
    for minute in (500..1_080).step_by(20) {
        let pond = sensor("pond", "road_ponding", 0.0, 0.0).in_town(TOWN);
        story.tell(pond.measured("ponding_depth", 8.0).at(minute));
    }
    story.tick(at(1_080));
    assert_eq!(open(&story), [(Band::P3, 1)]);
    assert_eq!(
        [Outcome::Opened, Outcome::Continued].map(|outcome| story.count(outcome)),
        [1, 28]
    );
}

#[test]
fn a_p1_is_never_held_back_neither_alone_nor_together() {
    let mut story = works(&[]);
    story.tell(
        sensor("g1", "gas_leak", 0.0, 0.0)
            .in_town(TOWN)
            .measured("ch4", 25.0)
            .at(500),
    );
    assert_eq!(open(&story), [(Band::P1, 1)]);

    // Each of the two is a P2: that two kinds of source tell of it makes a P1.
    let mut story = works(&["manhole_missing"]);
    let cover = |told: Told| told.in_town(TOWN).component("M1");
    story.tell(cover(call("c1", "manhole_missing", 0.0, 0.0)).at(500));
    assert_eq!(open(&story), []);
    story.tell(cover(inspector("i1", "manhole_missing", 3.0, 0.0)).at(510));
    assert_eq!(open(&story), [(Band::P1, 2)]);
    insta::assert_snapshot!(told(&story), @r"
    hotline/c1 opened no longer held back
    report/i1 joined -
    ");

    // A depth that is reached later.
    let mut story = works(&["road_ponding"]);
    for (minute, depth) in [(500, 8.0), (510, 26.0)] {
        let pond = sensor("p", "road_ponding", 0.0, 0.0).in_town(TOWN);
        story.tell(pond.measured("ponding_depth", depth).at(minute));
    }
    assert_eq!(open(&story), [(Band::P1, 1)]);
    assert_eq!(story.count(Outcome::Continued), 1);
}

#[test]
fn what_was_not_announced_shows_all_that_it_joins() {
    let mut story = works(&["noise"]);
    story.tell(caller("c1", "noise", 1_070));
    // After the end, before a tick says so.
    story.input(&city_model::Input::Event(Arc::new(
        caller("c2", "noise", 1_081).0,
    )));
    assert_eq!(open(&story), [(Band::P4, 2)]);

    // An incident that was open before the works stays, and what belongs to it joins it.
    let mut story = works(&["noise"]);
    story.tell(caller("c1", "noise", 470));
    story.tell(caller("c2", "noise", 490));
    assert_eq!(open(&story), [(Band::P4, 2)]);
    assert_eq!(story.count(Outcome::Silenced), 0);
}

#[test]
fn what_is_read_after_the_end_is_as_it_would_have_been() {
    for (minute, shows) in [(600, false), (1_000, true)] {
        let mut story = works(&["noise"]);
        story.tell(caller("c1", "noise", minute).came_after(1_100 - minute));
        assert_eq!(open(&story).len(), usize::from(shows), "{minute}");
    }
}

#[test]
fn a_revision_frees_what_it_no_longer_covers() {
    let told = |change: &dyn Fn(&mut city_model::Silence)| {
        let mut story = works(&["noise", "dust"]);
        story.tell(caller("c1", "noise", 600));
        let mut revised = silence("W1", &["noise", "dust"], 480, 1_080);
        change(&mut revised);
        story.silence(revised);
        let at_once = open(&story).len();
        story.tick(at(701));
        (at_once, open(&story).len())
    };
    assert_eq!(told(&|works| works.reason = "other words".into()), (0, 0));
    assert_eq!(told(&|works| works.ends_at = at(600)), (1, 1), "withdrawn");
    assert_eq!(
        told(&|works| works.ends_at = at(599)),
        (1, 1),
        "withdrawn as of before"
    );
    assert_eq!(told(&|works| works.ends_at = at(700)), (0, 1), "ends earlier");
    assert_eq!(told(&|works| works.ends_at = at(2_000)), (0, 0));
    assert_eq!(
        told(&|works| works.kinds = vec![city_model::Kind::new("dust")]),
        (1, 1)
    );
    assert_eq!(
        told(&|works| works.area = SilenceArea::Cells(vec!["310117108".into()])),
        (1, 1)
    );
    assert_eq!(
        told(&|works| works.area = SilenceArea::Cells(vec!["310117108".into(), TOWN.into()])),
        (0, 0)
    );
}

#[test]
fn works_that_are_continued_under_another_id_hold_on() {
    let mut story = works(&["noise"]);
    story.tell(caller("c1", "noise", 1_070));
    story.silence(silence("W2", &["noise"], 1_080, 1_400));
    story.tick(at(1_081));
    assert_eq!(open(&story), []);
    story.tell(caller("c2", "noise", 1_390));
    story.tick(at(1_400));
    assert_eq!(story.count(Outcome::Silenced), 1, "the first went quiet long ago");
    assert_eq!(open(&story), [(Band::P4, 1)]);
}

#[test]
fn nobody_hears_of_what_is_held_back() {
    let mut story = works(&["noise"]);
    story.tell(caller("c1", "noise", 600));
    story.tell(caller("d1", "dust", 601)); // another kind, which is not announced
    let hidden = story.incidents.keys().find(|id| id.as_str().contains("noise"));
    let hidden: IncidentId = hidden.unwrap().clone();
    assert_eq!(
        story.command(command("k1", &hidden, Action::Acknowledge)),
        "acknowledge refused: no such incident, or it is over for so long that it is forgotten"
    );
    let outputs = |story: &mut Teller, minute| {
        story.input(&city_model::Input::Tick(city_model::Tick {
            clocks: vec![("test".into(), at(minute))],
        }))
    };
    outputs(&mut story, 3_000);
    for day in 3..40 {
        outputs(&mut story, day * 1_440);
    }
    assert!(!story.incidents.contains_key(&hidden), "forgotten in time");
    assert!(story.revisions.iter().all(|record| record.incident_id != hidden
        && record.related.iter().all(|id| *id != hidden)
        && record.recurrence_of.as_ref() != Some(&hidden)));
}

#[test]
fn a_restart_in_the_middle_changes_nothing() {
    let tell = |restarts: bool| {
        let mut story = works(&["road_ponding", "manhole_missing"]);
        let step = |story: &mut Teller, told: Option<Told>, minute: i64| {
            match told {
                Some(told) => story.tell(told.in_town(TOWN).at(minute)),
                None => story.tick(at(minute)),
            }
            if restarts {
                let activation = Arc::new(teller::activation());
                let mut engine =
                    Engine::with_setting(Setting::with_rules(activation, teller::rules()).unwrap());
                let rows = story.rows.values().flatten().rev();
                for change in rows.map(|row| Change::from_row(row).unwrap()) {
                    engine.apply(&change).unwrap();
                }
                story.engine = engine;
            }
        };
        let pond = || sensor("p", "road_ponding", 0.0, 0.0).measured("ponding_depth", 9.0);
        step(&mut story, Some(pond()), 500);
        step(&mut story, Some(call("m", "manhole_missing", 400.0, 0.0)), 505);
        step(&mut story, None, 560); // all before is settled
        step(&mut story, Some(pond()), 561);
        step(&mut story, Some(camera("v", "manhole_missing", 402.0, 0.0)), 600);
        step(&mut story, Some(pond()), 1_050);
        step(&mut story, None, 1_080);
        step(&mut story, None, 1_200);
        (story.revisions, story.outcomes, story.rows)
    };
    let calm = tell(false);
    assert!(calm.0.iter().any(|record| record.kind == "road_ponding"));
    assert!(calm.0.iter().any(|record| record.priority.band == Band::P1));
    assert_eq!(calm, tell(true));
}

#[test]
fn what_counts_is_remembered_until_it_can_be_told() {
    let mut story = Teller::new();
    story.silence(silence("W1", &["hydrant_fault"], 0, 6_000));
    let hydrant = || sensor("h", "hydrant_fault", 0.0, 0.0).in_town(TOWN);
    // Longer than identities are remembered.
    (10..6_000)
        .step_by(1_000)
        .for_each(|minute| story.tell(hydrant().at(minute)));
    story.tick(at(5_999));
    assert_eq!(open(&story), []);
    story.tick(at(6_000));
    assert_eq!(open(&story), [(Band::P3, 1)]);
    assert_eq!(
        story.count(Outcome::Opened),
        1,
        "by the report that opened it, four days ago"
    );
}

#[test]
fn a_silence_that_is_told_again_makes_nothing_else_forgotten() {
    let mut story = works(&["noise"]);
    // A second word on it an hour later: one row, told of twice.
    story.tick(at(540));
    story.silence(silence("W1", &["noise"], 480, 1_140));
    story.tick(at(600));
    // The row is forgotten three days later, and what comes then takes the room that it had.
    story.tick(at(600 + 73 * 60));
    let late = || call("c1", "noise", 0.0, 0.0).at(600 + 73 * 60);
    story.tell(late());
    assert_eq!(story.engine.remembered(), (1, 1));
    story.tick(at(601 + 73 * 60));
    assert_eq!(story.engine.remembered(), (1, 1), "and its identity stays");
    story.tell(late());
    assert_eq!(story.count(Outcome::DuplicateId), 1);
}

#[test]
fn what_is_noted_of_an_order_is_its_outcomes_reason() {
    let mut story = Teller::new();
    let input = city_model::Input::Silence {
        silence: silence("W1", &[], 480, 1_080),
        counts: true,
        note: Some("the grid has no cell 999".into()),
    };
    story.input(&input);
    story.input(&city_model::Input::Warning {
        warning: teller::warning("w1", city_model::Severity::Red, "999", 0),
        counts: true,
        note: Some("no cell of the grid lies in 999".into()),
    });
    let reasons = story
        .outcomes
        .iter()
        .map(|(_, outcome, reason)| (*outcome, reason.as_deref()));
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        [
            (Outcome::Applied, Some("the grid has no cell 999")),
            (Outcome::Applied, Some("no cell of the grid lies in 999"))
        ]
    );
    // What an older version wrote has no note.
    let old = serde_json::to_string(&input)
        .unwrap()
        .replace(",\"note\":\"the grid has no cell 999\"", "");
    assert!(!old.contains("note"), "{old}");
    serde_json::from_str::<city_model::Input>(&old).unwrap();
}
