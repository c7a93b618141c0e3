//! Storms: what happens in one is held together for longer, by what warnings say of the time of an event, in any order of reading;
//! and what else a warning does to priorities, its aftermath included.
//!
//! The seeds are those of `order.rs`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod crowd;
mod reference;
mod teller;

use std::sync::Arc;

use city_model::{
    Band, CloseReason, Input, LedgerCell, Outcome, Severity, Source, Status, Tick, Warning, WarningStatus,
};
use crowd::{Dice, REORDER_MS, Reader, disturbed, expected, expected_under, seeds, stream};
use reference::Storm;
use teller::{Teller, at, call, inspector, sensor, warning};

/// Warnings over the stream's time or just before it, with what the batch program is told of them. Some are raised, some cancelled.
fn storms(dice: &mut Dice) -> (Vec<Warning>, Vec<Storm>) {
    let (mut told, mut stood) = (Vec::new(), Vec::new());
    for number in 0..=dice.roll(2) {
        let region = ["310117", "310117107", "310112"][dice.roll(3) as usize];
        // The aftermath of six hours ends within the stream, or the storm begins there.
        let from = [dice.roll(300) as i64, -700 + dice.roll(200) as i64][dice.roll(2) as usize];
        let until = if from > 0 {
            from + 30
        } else {
            -360 + dice.roll(400) as i64
        };
        let mut first = warning(&format!("w{number}"), Severity::Yellow, region, from);
        first.expires_at = Some(at(until));
        told.push(first.clone());
        let mut end = until;
        if dice.one_in(2) {
            let (status, ends) = match dice.one_in(2) {
                true => (WarningStatus::Cancelled, until - 10),
                false => (WarningStatus::Issued, until + 20),
            };
            told.push(Warning {
                revision: 2,
                severity: Severity::Red,
                status,
                issued_at: at(until - 10),
                effective_at: at(until - 10),
                expires_at: Some(at(until + 20)),
                ..first
            });
            end = ends;
        }
        stood.push(Storm {
            region: region.to_owned(),
            from: at(from),
            until: at(end),
        });
    }
    (told, stood)
}

#[test]
fn a_storm_stretches_the_grouping_as_the_batch_program_says_in_any_order() {
    let mut stretched = 0;
    for seed in seeds().step_by(4) {
        let mut dice = Dice(seed);
        let events = stream(&mut dice);
        let (told, stood) = storms(&mut dice);
        let in_order = dice.one_in(2);
        let mut reader = Reader::new(in_order);
        for warning in told {
            reader.input(&Input::Warning {
                warning,
                counts: false,
                note: None,
            });
        }
        let spread_ms = if in_order {
            REORDER_MS as u64
        } else {
            1_000 * 3_600_000
        };
        for event in disturbed(&events, &mut dice, spread_ms) {
            if in_order {
                reader.tick(event.ingested_at.floor_second());
                if dice.one_in(20) {
                    reader.restart(dice.one_in(2));
                }
            }
            reader.input(&Input::Event(Arc::new(event)));
        }
        let groups = expected_under(&events, &stood);
        assert_eq!(reader.grouping(), groups, "seed {seed}");
        reader.check(seed);
        stretched += usize::from(groups != expected(&events));
    }
    assert!(stretched > 0, "no seed tells a storm from a calm day");
}

/// Ponding that is told of again 100 minutes later, which is past its gap of an hour.
fn twice_told(warnings: &[Warning], first: i64) -> usize {
    let mut story = Teller::new();
    warnings.iter().for_each(|warning| story.warn(warning.clone()));
    story.tell(call("c1", "road_ponding", 0.0, 0.0).reporter(1).at(first));
    story.tell(call("c2", "road_ponding", 5.0, 0.0).reporter(1).at(first + 100));
    story.incidents().len()
}

#[test]
fn six_hours_after_a_storm_its_times_hold_and_then_no_more() {
    let mut storm = warning("w1", Severity::Blue, "310117", 0);
    storm.expires_at = Some(at(60));
    assert_eq!(twice_told(&[], 30), 2);
    assert_eq!(twice_told(std::slice::from_ref(&storm), 30), 1);
    // The second is held against the first by its own time.
    assert_eq!(twice_told(std::slice::from_ref(&storm), 60 + 360 - 101), 1);
    assert_eq!(twice_told(std::slice::from_ref(&storm), 60 + 360 - 100), 2);
    let other_place = Warning {
        region_codes: vec!["310112".into()],
        ..storm.clone()
    };
    assert_eq!(twice_told(&[other_place], 30), 2);
    let heat = Warning {
        signal: "HEAT".into(),
        ..storm.clone()
    };
    assert_eq!(twice_told(&[heat], 30), 2);
    // Called off at minute 30: what it said until then stands, and so does the aftermath of that.
    let cancelled = Warning {
        revision: 2,
        status: WarningStatus::Cancelled,
        issued_at: at(30),
        ..storm.clone()
    };
    assert_eq!(twice_told(&[storm.clone(), cancelled.clone()], 30 + 360 - 101), 1);
    assert_eq!(twice_told(&[storm, cancelled], 30 + 360 - 100), 2);
}

#[test]
fn in_a_storm_an_incident_goes_quiet_later_and_keeps_the_name_of_its_storm() {
    let mut story = Teller::new();
    let mut first = warning("w1", Severity::Orange, "310117", 0);
    first.expires_at = Some(at(300));
    story.warn(first);
    story.tell(call("c1", "road_ponding", 0.0, 0.0).reporter(1).at(10));
    story.warn(warning("w2", Severity::Red, "310117", 20));
    story.tick(at(21));
    let open = story.only();
    assert_eq!(open.storm_id.as_deref(), Some("w1"));
    story.tick(at(71));
    assert_eq!(story.only().status, Status::Open, "twice an hour");
    story.tick(at(130));
    assert_eq!(story.only().close_reason, Some(CloseReason::Quiet));
    assert_eq!(story.revisions.last().unwrap().storm_id.as_deref(), Some("w1"));
}

#[test]
fn a_matter_of_order_waits_in_a_storm_unless_somebody_is_in_danger() {
    let urgent = |id: &str| {
        call(id, "vendor", 0.0, 0.0)
            .near(city_model::Facility::Metro)
            .credibility(8)
    };
    let tell = |warned: bool| {
        let mut story = Teller::new();
        if warned {
            story.warn(warning("w1", Severity::Red, "310117", 0));
        }
        for caller in 0..12 {
            story.tell(urgent(&format!("c{caller}")).reporter(caller).at(10));
        }
        story
    };
    let mut calm = tell(false);
    let record = calm.record().priority;
    assert_eq!(
        (record.band, record.parts_text().as_str()),
        (Band::P3, "S6 E8 C8 R8 W0 T0 = 30")
    );
    let mut storm = tell(true);
    let record = storm.record().priority;
    assert_eq!(
        (record.band, record.parts.weather),
        (Band::P4, 0),
        "vendors do not mind the weather"
    );
    assert!(record.overrides.contains(&"O0.storm_minor".to_owned()));
    let mut trapped = urgent("c99").reporter(99).at(11);
    trapped.0.hints = vec![city_model::Hint::Trapped];
    storm.tell(trapped);
    assert_eq!(
        storm.record().priority.band,
        Band::P1,
        "a floor has the last word"
    );
}

#[test]
fn the_end_of_a_warning_lowers_after_half_an_hour_and_says_so() {
    let mut story = Teller::new();
    let mut red = warning("w1", Severity::Red, "310117", 0);
    red.expires_at = Some(at(60));
    story.warn(red);
    // S28 + E8 + C6 + W10 = 52; 42 without the warning.
    story.tell(
        sensor("p", "elevator_trap", 0.0, 0.0).at(9).id("other"), // a kind that minds the weather, and is P1 whatever it does
    );
    let tree = || {
        sensor("t", "road_ponding", 500.0, 0.0)
            .measured("ponding_depth", 14.0)
            .near(city_model::Facility::Metro)
    };
    story.tell(tree().at(10));
    story.tell(
        call("c1", "road_ponding", 505.0, 0.0)
            .reporter(1)
            .near(city_model::Facility::School)
            .credibility(5)
            .at(11),
    );
    let of = |story: &Teller| {
        story
            .revisions
            .iter()
            .rev()
            .find(|r| r.kind == "road_ponding")
            .unwrap()
            .priority
            .clone()
    };
    story.tick(at(12));
    let before = of(&story);
    // C15 + E14 + C(6+5) + W10.
    assert_eq!(
        (before.parts_text().as_str(), before.band),
        ("S15 E14 C11 R0 W10 T0 = 50", Band::P2)
    );
    for minute in 13..=89 {
        // It goes on raining: the gauge is heard of.
        if minute % 10 == 0 {
            story.tell(tree().at(minute));
        }
        story.input(&Input::Tick(Tick {
            clocks: vec![("test".into(), at(minute))],
        }));
    }
    assert_eq!(of(&story).band, Band::P2, "held for half an hour");
    assert!(of(&story).overrides.contains(&"hold".to_owned()));
    story.tick(at(91));
    let after = of(&story);
    assert_eq!((after.band, after.parts.weather), (Band::P3, 0));
    assert_eq!(after.previous.unwrap().because.as_ref(), "lower_for_a_while");
}

/// What an incident of a kind is told as, ten minutes into a warning of a signal for a region.
fn under(kind: &str, signal: &str, severity: Severity, region: &str) -> incident_engine::IncidentRecord {
    let mut story = Teller::new();
    story.warn(Warning {
        signal: signal.into(),
        ..warning("w1", severity, region, 0)
    });
    story.tell(inspector("i1", kind, 0.0, 0.0).at(10));
    story.tick(at(11));
    story.revisions.last().unwrap().clone()
}

#[test]
fn a_signal_weighs_on_the_kinds_that_it_matches() {
    let weighs = |kind: &str, signal: &str| {
        let told = under(kind, signal, Severity::Red, "310117");
        assert_eq!(
            told.storm_id.is_some(),
            told.priority.parts.weather > 0,
            "{kind} {signal}"
        );
        told.priority.parts.weather
    };
    for signal in ["HIGH_TEMPERATURE", "COLD_WAVE", "SNOWSTORM", "LIGHTNING"] {
        assert_eq!(weighs("road_ponding", signal), 0, "{signal}");
    }
    assert_eq!(weighs("snow_ice", "TYPHOON"), 0);
    assert_eq!(
        (weighs("road_ponding", "TYPHOON"), weighs("snow_ice", "SNOWSTORM")),
        (10, 10)
    );
    // Two warnings at once: the milder one that matches counts.
    let mut story = Teller::new();
    story.warn(Warning {
        signal: "COLD_WAVE".into(),
        ..warning("w1", Severity::Red, "310117", 0)
    });
    story.warn(warning("w2", Severity::Blue, "310117", 0));
    story.tell(inspector("i1", "road_ponding", 0.0, 0.0).at(10));
    let told = story.record();
    assert_eq!(
        (told.priority.parts.weather, told.storm_id.as_deref()),
        (2, Some("w2"))
    );
}

#[test]
fn a_loose_billboard_is_urgent_while_a_wind_warning_is_on() {
    let band = |signal: &str| {
        let told = under("billboard_risk", signal, Severity::Blue, "310117").priority;
        (
            told.band,
            told.overrides.iter().any(|id| id == "O7.billboard_in_wind"),
        )
    };
    assert_eq!(band("TYPHOON"), (Band::P1, true));
    assert_eq!(band("GALE"), (Band::P1, true));
    assert_eq!(band("RAINSTORM"), (Band::P3, false));
    // It falls as anything does that is less urgent for a while: the floor has no aftermath.
    let mut story = Teller::new();
    story.warn(Warning {
        signal: "TYPHOON".into(),
        expires_at: Some(at(60)),
        ..warning("w", Severity::Red, "310117", 0)
    });
    story.tell(inspector("i1", "billboard_risk", 0.0, 0.0).at(30));
    assert_eq!(story.record().priority.band, Band::P1);
    story.tick(at(60));
    story.tick(at(91));
    assert_eq!(story.record().priority.band, Band::P3);
}

#[test]
fn what_a_warning_changes_shows_at_the_next_second_with_no_record() {
    let mut story = Teller::new();
    story.warn(Warning {
        signal: "RAINSTORM".into(),
        ..warning("w1", Severity::Blue, "310117", -10)
    });
    story.tell(inspector("i1", "billboard_risk", 0.0, 0.0).at(0));
    story.tell(inspector("i2", "road_ponding", 900.0, 0.0).at(0));
    story.tell(inspector("i3", "garbage_exposed", 1_800.0, 0.0).at(0));
    story.tick(at(5));
    let told = story.revisions.len();
    assert!(story.engine.next_due().is_none_or(|due| due > at(6)));
    story.warn(Warning {
        signal: "GALE".into(),
        ..warning("w2", Severity::Orange, "310117", 5)
    });
    // Who passes over the seconds in which nothing can happen stops here.
    let due = story.engine.next_due().unwrap();
    assert!(due > at(5) && due <= at(5) + 1_000, "{due:?}");
    story.tick(at(5) + 1_000);
    let new = &story.revisions[told..];
    assert_eq!(new.len(), 1, "only what minds wind");
    assert_eq!(
        (new[0].kind.as_str(), new[0].priority.band),
        ("billboard_risk", Band::P1)
    );
    assert_eq!(
        new[0].priority.previous.as_ref().unwrap().changed_at,
        (at(5) + 1_000).into()
    );
    assert!(story.engine.next_due().is_none_or(|due| due > at(6)));
}

#[test]
fn a_warning_elsewhere_touches_no_incident() {
    let mut story = Teller::new();
    story.tell(inspector("i1", "road_ponding", 0.0, 0.0).at(0));
    story.tick(at(1));
    story.warn(warning("w1", Severity::Red, "32", 1));
    let tick = Input::Tick(Tick {
        clocks: vec![("test".into(), at(2))],
    });
    let touches =
        |change: &incident_engine::Change| matches!(change, incident_engine::Change::PutIncident(_));
    assert!(!story.engine.decide(&tick).changes.iter().any(touches));
    story.warn(warning("w2", Severity::Red, "31", 1));
    assert!(story.engine.decide(&tick).changes.iter().any(touches));
}

/// What is counted of warnings after they were told ahead of their turn, each by what `told` says: the revision, and whether it counts.
fn counted(told: &[(i64, bool)]) -> Vec<(Outcome, i64)> {
    let mut story = Teller::new();
    for (revision, counts) in told {
        let mut one = warning("w1", Severity::Orange, "310117", *revision);
        one.revision = *revision;
        story.input(&Input::Warning {
            warning: one,
            counts: *counts,
            note: None,
        });
    }
    let ledger = story.engine.ledger();
    let of = |outcome| (outcome, ledger.get(LedgerCell::Outcome(Source::Weather, outcome)));
    [Outcome::Applied, Outcome::Refused, Outcome::DuplicateId]
        .map(of)
        .into()
}

#[test]
fn warnings_that_were_told_ahead_are_counted_as_if_they_were_not() {
    for order in [&[1, 2, 3][..], &[1, 1, 2], &[2, 1, 3], &[1, 3, 2, 3]] {
        let plain: Vec<(i64, bool)> = order.iter().map(|revision| (*revision, true)).collect();
        let expected = counted(&plain);
        let ahead = order.iter().map(|revision| (*revision, false));
        let all: Vec<(i64, bool)> = ahead.clone().chain(plain.clone()).collect();
        assert_eq!(counted(&all), expected, "{order:?}, all of them before");
        let each: Vec<(i64, bool)> = ahead
            .clone()
            .zip(plain.clone())
            .flat_map(|(a, b)| [a, b])
            .collect();
        assert_eq!(counted(&each), expected, "{order:?}, each before itself");
        let again: Vec<(i64, bool)> = plain
            .iter()
            .copied()
            .chain(ahead)
            .chain(plain.iter().copied())
            .collect();
        let twice: Vec<(i64, bool)> = plain.iter().copied().chain(plain.iter().copied()).collect();
        assert_eq!(counted(&again), counted(&twice), "{order:?}, and once more");
    }
}

#[test]
fn a_warning_of_long_ago_that_is_told_again_changes_nothing() {
    let mut story = Teller::new();
    story.tell(call("c1", "road_ponding", 0.0, 0.0).reporter(1).at(0));
    story.tick(at(20 * 24 * 60));
    let mut old = warning("w1", Severity::Red, "310117", 0);
    old.expires_at = Some(at(60));
    let input = |counts| Input::Warning {
        warning: old.clone(),
        counts,
        note: None,
    };
    assert_eq!(story.engine.decide(&input(false)).changes, []);
    assert!(!story.engine.decide(&input(true)).changes.is_empty());
}

#[test]
fn open_incidents_wait_for_no_event_to_see_a_warning() {
    let mut story = Teller::new();
    story.tell(call("c", "road_ponding", 0.0, 0.0).at(1));
    story.tick(at(2));
    story.warn(warning("w", Severity::Orange, "310117", 2));
    let due = story.engine.next_due().unwrap();
    assert!(due <= at(2) + 1_000, "{due}");
    story.tick(at(2) + 1_000);
    assert_eq!(story.record().priority.parts.weather, 7);
    assert!(story.engine.next_due().unwrap() > at(3), "once");
}
