//! More events for one incident than can be decided again: what it keeps stays bounded, and that is told.
#![allow(clippy::unwrap_used, reason = "tests")]

mod teller;

use std::sync::Arc;

use city_model::{Input, Tick};
use incident_engine::{Output, Withheld};
use teller::{Teller, at, sensor};

/// As many events as are decided again for one.
const MOST: usize = 10_000;

#[test]
fn an_incident_keeps_no_more_unsettled_events_than_can_be_decided_again() {
    let mut story = Teller::new();
    let (mut longest, mut told) = (0, 0);
    let events = MOST + 500;
    // Ten readings a second: none of them is settled before the last one comes.
    for number in 0..events {
        let came = at(600) + number as i64 * 100;
        let mut reading = sensor("pond-1", "road_ponding", 0.0, 0.0)
            .measured("ponding_depth", 18.0)
            .id(&format!("r{number}"));
        (reading.0.event_time, reading.0.ingested_at) = (came, came);
        if number % 10 == 0 {
            let tick = Tick {
                clocks: vec![("test".into(), came)],
            };
            apply(&mut story, &Input::Tick(tick));
        }
        let outputs = apply(&mut story, &Input::Event(Arc::new(reading.0)));
        told += outputs
            .iter()
            .filter(|output| **output == Output::Withheld(Withheld::TooMany))
            .count();
        let one = story.engine.open_incidents().next().unwrap();
        longest = longest.max(one.tail.len());
    }
    assert_eq!((longest, told), (MOST, 1));
    let one = story.engine.open_incidents().next().unwrap().clone();
    assert_eq!((one.member_count, one.tail.len()), (1, MOST / 2 + 500));
    assert_eq!(
        one.base.as_ref().unwrap().member_count,
        1,
        "the earlier ones are in what it rests on"
    );
    assert_eq!(story.count(city_model::Outcome::Continued), events as i64 - 1);
}

/// Decides and applies without the books that the teller keeps of rows.
fn apply(story: &mut Teller, input: &Input) -> Vec<Output> {
    let decision = story.engine.decide(input);
    for change in &decision.changes {
        story.engine.apply(change).unwrap();
    }
    decision.outputs
}
